//! Settings: built in, then a file, then the environment, then the command line; checked before anything runs.

mod blackout;
mod keys;
mod layers;
mod oauth;
mod rest;
mod service;
mod source;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use secrecy::SecretString;
use sync_core::blackout::Calendar;

use self::layers::{Layers, Made};
pub use self::oauth::OAuthSettings;
pub use self::rest::{GrantSettings, RestSettings};
pub use self::service::{FeedKind, HearingSettings, ServiceSettings};
pub use self::source::{CollectionSettings, Source, SourceKind};
use crate::Failure;

/// What the settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Sources<'a> {
    /// The settings that the engagement ships, as TOML.
    pub built_in: &'a str,
    /// The file named on the command line, or one that happens to be there.
    pub file: Option<&'a Path>,
    /// The file of one portal, over that file and the environment: what is said of one portal is said of it alone.
    pub portal: Option<&'a Path>,
    /// The environment; only names that start with `KIT_` are looked at.
    pub environment: Vec<(String, String)>,
    /// `key=value` texts of the command line.
    pub assignments: &'a [String],
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach HubSpot.
    pub hubspot: HubSpot,
    /// The installed app whose grant is the credential; a static token where there is none.
    pub oauth: Option<OAuthSettings>,
    /// How the service runs.
    pub service: ServiceSettings,
    /// How changes in HubSpot are heard of.
    pub hearing: HearingSettings,
    /// What is read.
    pub source: Source,
    /// Hours in which HubSpot or the source is left in peace.
    pub calendar: Calendar,
    /// The mapping file, where it is not the built-in one.
    pub mapping: Option<PathBuf>,
    /// The state file.
    pub state: PathBuf,
    /// The key that certificates are signed with.
    pub signing: Signing,
    /// What is logged, and how.
    pub log: Log,
}

/// The key that certificates are signed with.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The key itself, base64 of 32 bytes, where the settings hold it.
    pub key: Option<SecretString>,
    /// The file that holds it otherwise.
    pub file: PathBuf,
}

/// How to reach HubSpot.
#[derive(Clone, Debug)]
pub struct HubSpot {
    /// Base URL without a slash at the end.
    pub url: String,
    /// The credential, if one is set; commands that need it say so.
    pub token: Option<SecretString>,
    /// The API version.
    pub api_version: String,
    /// The only portal that may be written.
    pub portal: Option<u64>,
    /// Share of the call limits that is ours.
    pub share: f64,
    /// Calls of each window that are kept for changes somebody waits for.
    pub live_reserve: u32,
    /// How long a write without an answer is left alone, so that a late arrival comes before anybody looks for it.
    pub settle: Duration,
    /// The limits to keep to.
    pub limits: LimitsName,
}

/// Which of HubSpot's call limits apply: they depend on the subscription and on the kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitsName {
    /// A private app on Free or Starter.
    Starter,
    /// A private app on Professional or Enterprise.
    Professional,
    /// A private app with the API limit increase.
    Increased,
    /// A public app.
    OAuth,
    /// None: for a local portal without limits.
    Off,
}

const LIMITS: &[(&str, LimitsName)] = &[
    ("starter", LimitsName::Starter),
    ("professional", LimitsName::Professional),
    ("increased", LimitsName::Increased),
    ("oauth", LimitsName::OAuth),
    ("off", LimitsName::Off),
];

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Level or directives.
    pub level: String,
    /// One JSON object per line.
    pub json: bool,
}

impl Settings {
    /// Reads all layers and checks what they say together.
    ///
    /// # Errors
    /// The first unknown key, unreadable file or value that cannot be, with its place and what to do.
    pub fn load(sources: &Sources<'_>) -> Result<Settings, Failure> {
        let mut layers = Layers::default();
        layers.add_text(sources.built_in, None)?;
        if let Some(path) = sources.file {
            layers.add_text(&read(path)?, Some(path))?;
        }
        layers.add_environment(sources.environment.iter().cloned())?;
        if let Some(path) = sources.portal {
            layers.add_text(&read(path)?, Some(path))?;
        }
        for assignment in sources.assignments {
            layers.add_assignment(assignment)?;
        }
        check(&layers)
    }

    /// The credential.
    ///
    /// # Errors
    /// None is set.
    pub fn token(&self) -> Result<&SecretString, Failure> {
        self.hubspot.token.as_ref().ok_or_else(|| {
            Failure::new("there is no credential for HubSpot: `hubspot.token` is not set").remedy(
                "set KIT_HUBSPOT_TOKEN to a private-app token or service key, or `hubspot.token_file`",
            )
        })
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("settings file {} cannot be read", path.display()))
            .remedy("check the path after `--settings`, and that the file is readable")
            .caused_by(&error)
    })
}

/// The settings there are with their meaning, one per line, for the help text.
#[must_use]
pub fn help() -> String {
    let lines = keys::KEYS.iter().map(|key| format!("  {:<28} {}", key.path, key.help));
    let list = lines.collect::<Vec<_>>().join("\n");
    format!(
        "Settings, in the settings file, as KIT_HUBSPOT_URL and so on in the environment, or by --set:\n{list}"
    )
}

fn check(layers: &Layers) -> Result<Settings, Failure> {
    let oauth = oauth::read(layers)?;
    Ok(Settings {
        hubspot: hubspot(layers)?,
        service: service::service(layers)?,
        hearing: service::hearing(layers, oauth.as_ref())?,
        oauth,
        source: source::read(layers)?,
        calendar: blackout::read(layers)?,
        mapping: text(layers, "mapping.file").map(PathBuf::from),
        state: text(layers, "state.file").unwrap_or("state.db").into(),
        signing: signing(layers),
        log: Log {
            level: text(layers, "log.level").unwrap_or("warn").to_owned(),
            json: choice(layers, "log.format", &[("pretty", false), ("json", true)])?.unwrap_or(false),
        },
    })
}

fn signing(layers: &Layers) -> Signing {
    let state = text(layers, "state.file").unwrap_or("state.db");
    let file = text(layers, "certificate.key_file").map_or_else(|| format!("{state}.key"), str::to_owned);
    Signing { key: text(layers, "certificate.key").map(SecretString::from), file: file.into() }
}

fn hubspot(layers: &Layers) -> Result<HubSpot, Failure> {
    let url = text(layers, "hubspot.url").unwrap_or("https://api.hubapi.com").trim_end_matches('/');
    if !takes_secrets(url) {
        return Err(refuse(layers, "hubspot.url", "must start with https://, or be http:// on this machine"));
    }
    let share = number::<f64>(layers, "hubspot.share", "a number")?.unwrap_or(1.0);
    if !(share > 0.0 && share <= 1.0) {
        return Err(refuse(layers, "hubspot.share", "must be above 0 and at most 1"));
    }
    let limits = choice(layers, "hubspot.limits", LIMITS)?.unwrap_or(LimitsName::Professional);
    let live_reserve = number(layers, "hubspot.live_reserve", "a whole number")?.unwrap_or(2);
    if live_reserve > 50 {
        return Err(refuse(layers, "hubspot.live_reserve", "must be at most 50"));
    }
    let settle_ms = number(layers, "hubspot.settle_ms", "a whole number")?.unwrap_or(5_000);
    if settle_ms > 600_000 {
        return Err(refuse(layers, "hubspot.settle_ms", "must be at most 600000"));
    }
    Ok(HubSpot {
        url: url.to_owned(),
        token: token(layers)?,
        api_version: text(layers, "hubspot.api_version").unwrap_or("2026-03").to_owned(),
        portal: number(layers, "hubspot.portal", "a portal id, digits only")?,
        share,
        live_reserve,
        settle: Duration::from_millis(settle_ms),
        limits,
    })
}

/// Whether a token may be sent there: over TLS, or without leaving this machine. A host that merely begins like this
/// machine's, or a user name that looks like it, is neither.
fn takes_secrets(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        _ => false,
    }
}

fn token(layers: &Layers) -> Result<Option<SecretString>, Failure> {
    let clean = |token: &str, place: &str| {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::new(format!("{place}: the token is empty or holds spaces"))
                .remedy("copy it again from HubSpot, without line breaks"));
        }
        Ok(Some(SecretString::from(token)))
    };
    if let Some(made) = layers.get("hubspot.token") {
        return clean(&made.text, &made.origin.to_string());
    }
    let Some(made) = layers.get("hubspot.token_file") else { return Ok(None) };
    let text = fs::read_to_string(&made.text).map_err(|error| {
        Failure::new(format!("{}: the token file {} cannot be read", made.origin, made.text))
            .remedy("check `hubspot.token_file`, and that this user may read the file")
            .caused_by(&error)
    })?;
    clean(&text, &made.text)
}

fn text<'a>(layers: &'a Layers, place: &str) -> Option<&'a str> {
    layers.get(place).map(|made| made.text.as_str())
}

fn number<N: FromStr>(layers: &Layers, place: &str, what: &str) -> Result<Option<N>, Failure> {
    let Some(made) = layers.get(place) else { return Ok(None) };
    made.text.trim().parse().map(Some).map_err(|_| refuse(layers, place, &format!("must be {what}")))
}

fn choice<T: Copy>(layers: &Layers, place: &str, allowed: &[(&str, T)]) -> Result<Option<T>, Failure> {
    let Some(Made { text, .. }) = layers.get(place) else { return Ok(None) };
    let found = allowed.iter().find(|(name, _)| name == text).map(|(_, value)| *value);
    let names = allowed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" or ");
    found.map(Some).ok_or_else(|| refuse(layers, place, &format!("must be {names}")))
}

fn refuse(layers: &Layers, place: &str, rule: &str) -> Failure {
    let origin = layers.get(place).map_or_else(|| "the default".to_owned(), |made| made.origin.to_string());
    let failure = Failure::new(format!("{origin}: `{place}` {rule}"));
    match keys::find(place) {
        Some(key) => failure.remedy(format!("`{place}` is {}", key.help)),
        None => failure,
    }
}

fn missing(place: &str, what: &str) -> Failure {
    Failure::new(format!("`{place}` is not set")).remedy(format!("set it to {what}, in the settings file"))
}
