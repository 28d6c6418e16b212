//! A described JSON API from the settings: its text, its secrets, its connection, and where its grant is kept.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oauth::{KeyId, Keys, MasterKey, Sealed, SystemEntropy};
use secrecy::{ExposeSecret as _, SecretString};
use source_adapters::rest::{
    Description, GrantKeeper, KeptGrant, RestOptions, RestSource, WebhookVerifier, transport,
};

use super::clock;
use crate::Failure;
use crate::engagement::Engagement;
use crate::settings::{GrantSettings, RestSettings, Settings, SourceKind};

/// The name under which the grant is sealed, so that nothing else can be put in its place.
const SEALED_AS: &str = "source-grant";

/// Opens the API in the settings.
pub(crate) fn open(
    engagement: &Engagement,
    settings: &Settings,
    said: &RestSettings,
) -> Result<RestSource, Failure> {
    let description = description(engagement, said)?;
    let transport = transport(&description, &secret)?;
    let mut options = options(said);
    options.write = settings.source.write;
    options.seed = u64::from(std::process::id());
    options.keeper = match &said.grant {
        Some(grant) => Some(Arc::new(GrantFile::new(grant)?)),
        None => None,
    };
    Ok(RestSource::open(description, options, &secret, Arc::new(transport), clock())?)
}

/// What tells the webhooks of the source in the settings from forgeries, where it is an API whose description says how.
pub(crate) fn webhooks(
    engagement: &Engagement,
    settings: &Settings,
) -> Result<Option<WebhookVerifier>, Failure> {
    let SourceKind::Rest(said) = &settings.source.kind else { return Ok(None) };
    if engagement.source.is_some() {
        return Ok(None);
    }
    let description = description(engagement, said)?;
    Ok(WebhookVerifier::open(&description, &options(said), &secret)?)
}

fn options(said: &RestSettings) -> RestOptions {
    let mut options = RestOptions::default();
    options.environment.clone_from(&said.environment);
    options.variables.clone_from(&said.variables);
    options
}

fn description(engagement: &Engagement, said: &RestSettings) -> Result<Description, Failure> {
    let (name, text) = match (&said.file, engagement.description) {
        (Some(file), _) => {
            let text = fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("the description {} cannot be read", file.display()))
                    .remedy("check `source.file`; `adapter import` writes a first one")
                    .caused_by(&error)
            })?;
            (file.display().to_string(), text)
        }
        (None, Some(text)) => (String::from("the description (built in)"), text.to_owned()),
        (None, None) => {
            return Err(Failure::new("`source.file` is not set: it is not known which API to read")
                .remedy("set it to the description; `adapter import` writes a first one"));
        }
    };
    Description::parse(&name, &text)
        .map_err(|problems| Failure::new(problems.to_string()).remedy(format!("correct {name}")))
}

/// A secret of the description: the variable of its name, or the file that the variable with `_FILE` names.
fn secret(name: &str) -> Option<SecretString> {
    if let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) {
        return Some(SecretString::from(value));
    }
    let file = std::env::var_os(format!("{name}_FILE"))?;
    fs::read_to_string(file).ok().map(|text| SecretString::from(text.trim_end_matches(['\n', '\r'])))
}

/// A file that holds one refresh token, sealed.
#[derive(Debug)]
struct GrantFile {
    path: PathBuf,
    keys: Keys,
}

impl GrantFile {
    fn new(said: &GrantSettings) -> Result<GrantFile, Failure> {
        let wrong = |error: &dyn std::error::Error| {
            Failure::new(format!("`source.grant_key`: {error}"))
                .remedy("make a key with `openssl rand -base64 32` and keep it where the grant does not rest")
        };
        let key = MasterKey::from_base64(&said.key).map_err(|error| wrong(&error))?;
        let id = KeyId::new("1").map_err(|error| wrong(&error))?;
        Ok(GrantFile { path: said.file.clone(), keys: Keys::new(id, key) })
    }
}

impl GrantKeeper for GrantFile {
    fn load(&self) -> Result<Option<KeptGrant>, String> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} cannot be read: {error}", self.path.display())),
        };
        let opened = self.keys.open(SEALED_AS, &Sealed::from_bytes(bytes));
        let opened = opened.map_err(|error| format!("{}: {error}", self.path.display()))?;
        let text = std::str::from_utf8(&opened).map_err(|_| String::from("the kept grant is no text"))?;
        let (origin, token) = text.split_once('\n').ok_or("the kept grant is cut off")?;
        Ok(Some(KeptGrant { refresh_token: SecretString::from(token), origin: origin.to_owned() }))
    }

    fn save(&self, grant: &KeptGrant) -> Result<(), String> {
        let text = SecretString::from(format!("{}\n{}", grant.origin, grant.refresh_token.expose_secret()));
        let sealed = self
            .keys
            .seal(SEALED_AS, text.expose_secret().as_bytes(), &SystemEntropy)
            .map_err(|error| format!("the grant cannot be sealed: {error}"))?;
        replace(&self.path, sealed.as_bytes())
            .map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }
}

/// Puts a file in place of another one, whole or not at all, durable when it returns.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_kept_sealed_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grant");
        let settings = |key: u8| {
            use std::fmt::Write as _;
            let mut text = String::new();
            // 43 characters and a sign at the end are 32 bytes of base64.
            write!(text, "{}=", String::from(char::from(key)).repeat(43)).unwrap();
            GrantSettings { file: file.clone(), key: SecretString::from(text) }
        };
        let keeper = GrantFile::new(&settings(b'A')).unwrap();
        assert!(keeper.load().unwrap().is_none());
        for token in ["first token", "second token"] {
            let grant = KeptGrant { refresh_token: SecretString::from(token), origin: "o".into() };
            keeper.save(&grant).unwrap();
            let kept = keeper.load().unwrap().unwrap();
            assert_eq!((kept.refresh_token.expose_secret(), kept.origin.as_str()), (token, "o"));
        }
        assert!(!fs::read(&file).unwrap().windows(5).any(|bytes| bytes == b"token"));
        let refused = GrantFile::new(&settings(b'Q')).unwrap().load().unwrap_err();
        assert!(!refused.contains("token"), "{refused}");
    }
}
