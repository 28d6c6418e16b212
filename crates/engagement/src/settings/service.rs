//! Settings of the service: where it listens, how often it looks, and how it hears of changes in HubSpot.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use webhooks::Endpoint;

use super::layers::Layers;
use super::oauth::{OAuthSettings, maybe_secret};
use super::{choice, number, refuse, text};
use crate::Failure;

/// How a service runs.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Where it listens; a proxy in front of it does TLS.
    pub listen: SocketAddr,
    /// The longest pause between two passes of a portal.
    pub every: Duration,
    /// How often all ids of HubSpot's records are read, to find deletions that nobody told of; `None`: never.
    pub sweep: Option<Duration>,
    /// A folder of settings files, one for each portal; without it one portal, by these settings.
    pub portals: Option<PathBuf>,
}

/// How changes in HubSpot are heard of.
#[derive(Clone, Debug)]
pub struct HearingSettings {
    /// What was chosen; `None`: the best that the credential allows.
    pub feed: Option<FeedKind>,
    /// The app's number, where it is known: marks what we wrote ourselves, and manages subscriptions.
    pub app_id: Option<u64>,
    /// The URL that HubSpot calls, and what stands behind it.
    pub target: Option<String>,
    /// The secrets that sign what HubSpot sends, the present one first.
    pub secrets: Vec<SecretString>,
    /// The developer API key that manages the subscriptions of a legacy public app.
    pub developer_key: Option<SecretString>,
    /// Scopes of the app's own token, which opens the journal.
    pub app_scopes: String,
    /// The file in which events wait.
    pub inbox: PathBuf,
    /// How often search looks for what was not told.
    pub repair: Duration,
}

/// A way to hear of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// The webhooks journal.
    Journal,
    /// Webhooks.
    Push,
    /// Search.
    Search,
}

/// What HubSpot's guide names (HubSpot docs: webhooks journal).
const JOURNAL_SCOPES: &str = "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read \
                              developer.webhooks_journal.subscriptions.write";

pub(super) fn service(layers: &Layers) -> Result<ServiceSettings, Failure> {
    let listen = text(layers, "serve.listen").unwrap_or("127.0.0.1:8080");
    let listen = listen.parse().map_err(|_| {
        refuse(layers, "serve.listen", "must be an address with a port, such as 127.0.0.1:8080")
    })?;
    let sweep = seconds(layers, "serve.sweep", 86_400)?;
    Ok(ServiceSettings {
        listen,
        every: at_least(layers, "serve.every", 60, 1)?,
        sweep: (!sweep.is_zero()).then_some(sweep),
        portals: text(layers, "serve.portals").map(PathBuf::from),
    })
}

pub(super) fn hearing(layers: &Layers, oauth: Option<&OAuthSettings>) -> Result<HearingSettings, Failure> {
    let kinds = [
        ("auto", None),
        ("journal", Some(FeedKind::Journal)),
        ("push", Some(FeedKind::Push)),
        ("search", Some(FeedKind::Search)),
    ];
    let feed = choice(layers, "webhooks.feed", &kinds)?.flatten();
    let target = text(layers, "webhooks.target_url");
    if let Some(target) = target {
        Endpoint::at(target).map_err(|error| refuse(layers, "webhooks.target_url", &error.to_string()))?;
    }
    let mut secrets: Vec<SecretString> =
        maybe_secret(layers, "webhooks.client_secret")?.into_iter().collect();
    if secrets.is_empty() {
        secrets.extend(oauth.map(|oauth| oauth.client_secret.clone()));
    }
    if target.is_some() && secrets.is_empty() {
        return Err(Failure::new(
            "`webhooks.client_secret` is not set: webhooks cannot be told from forgeries",
        )
        .remedy("set KIT_WEBHOOKS_CLIENT_SECRET to the client secret of the app"));
    }
    secrets.extend(maybe_secret(layers, "webhooks.former_secret")?);
    if feed == Some(FeedKind::Push) && target.is_none() {
        return Err(refuse(
            layers,
            "webhooks.feed",
            "needs `webhooks.target_url`, the URL that HubSpot calls",
        ));
    }
    if feed == Some(FeedKind::Journal) && oauth.is_none() {
        return Err(refuse(
            layers,
            "webhooks.feed",
            "needs `hubspot.credential = oauth`: only an app has a journal",
        ));
    }
    Ok(HearingSettings {
        feed,
        app_id: number(layers, "webhooks.app_id", "the number of the app, digits only")?,
        target: target.map(str::to_owned),
        secrets,
        developer_key: maybe_secret(layers, "webhooks.developer_key")?,
        app_scopes: text(layers, "webhooks.app_scopes").unwrap_or(JOURNAL_SCOPES).to_owned(),
        inbox: text(layers, "webhooks.inbox_file").unwrap_or("inbox.db").into(),
        repair: at_least(layers, "webhooks.repair", 300, 10)?,
    })
}

pub(super) fn seconds(layers: &Layers, place: &str, default: u64) -> Result<Duration, Failure> {
    let said = number(layers, place, "a whole number of seconds")?;
    Ok(Duration::from_secs(said.unwrap_or(default)))
}

fn at_least(layers: &Layers, place: &str, default: u64, least: u64) -> Result<Duration, Failure> {
    let found = seconds(layers, place, default)?;
    if found.as_secs() < least || found.as_secs() > 86_400 {
        return Err(refuse(layers, place, &format!("must be from {least} to 86400")));
    }
    Ok(found)
}
