//! How changes in HubSpot are heard of: what was chosen, what it promises, and the inbox that all portals share.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_transport::{Clock, ReqwestTransport, TokenProvider};
use hubspot_adapter::HubSpotJournal;
use hubspot_client::{Client, Limits};
use jiff::Timestamp;
use webhooks::{
    AppId, Endpoint, FileHosts, Inbox, InboxFeed, JournalApi as _, JournalErrorKind, JournalReader,
    JournalSettings, JournalStore as _, PortalId, Receiver, SqliteInbox, Verifier,
};

use crate::settings::{FeedKind, Settings};
use crate::{Failure, credential, wiring};

/// How often the journal is asked for more when there was nothing. Its calls count in no portal's limits.
const POLL: Duration = Duration::from_secs(2);

/// What this way of hearing promises, for a person.
pub(crate) fn promise(kind: FeedKind, repair: Duration) -> String {
    let search = format!("search finds creations and changes of properties within {} s", repair.as_secs());
    match kind {
        FeedKind::Journal => format!(
            "the webhooks journal: every change, deletion and merge within seconds; when the service was away for \
             more than three days, it knows what it missed, and {search}"
        ),
        FeedKind::Push => format!(
            "webhooks: changes, deletions and merges within seconds, but HubSpot gives one up after ten tries; then \
             {search}, and a sweep finds deletions"
        ),
        FeedKind::Search => {
            "search: creations and changes of properties at every pass, some only after the index \
                             has caught up; a sweep finds deletions"
                .to_owned()
        }
    }
}

/// The best way that the credential allows, or the one that was chosen.
pub(crate) async fn chosen(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<FeedKind, Failure> {
    let hearing = &settings.hearing;
    if let Some(kind) = hearing.feed {
        return Ok(kind);
    }
    let otherwise = if hearing.target.is_some() { FeedKind::Push } else { FeedKind::Search };
    let Some(api) = journal_api(settings, clock)? else { return Ok(otherwise) };
    match api.latest_file().await {
        Err(error) if error.kind == JournalErrorKind::Refused => {
            tracing::info!(%error, "the journal is not open to this app");
            Ok(otherwise)
        }
        // What passes is no reason to choose something worse for as long as the process lives.
        Err(error) if matches!(error.kind, JournalErrorKind::Later(Some(_))) => Ok(FeedKind::Journal),
        Err(error) => {
            tracing::info!(%error, "the journal cannot be read with this app's credentials");
            Ok(otherwise)
        }
        Ok(_) => Ok(FeedKind::Journal),
    }
}

/// A client with the app's own token: of no portal, for the journal and for subscriptions. `None` without an app.
pub(crate) fn app_client(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<Client>, Failure> {
    let Some(oauth) = &settings.oauth else { return Ok(None) };
    let tokens = credential::app_tokens(settings, oauth, clock.clone())?;
    let tokens: Arc<dyn TokenProvider> = Arc::new(tokens);
    let client = Client::builder(&settings.hubspot.url)
        .token_provider(tokens)
        .api_version(wiring::api_version(settings))
        .clock(clock.clone())
        .limits(Limits::unlimited());
    Ok(Some(client.build()?))
}

/// The app's journal; `None` without an app.
pub(crate) fn journal_api(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Option<HubSpotJournal>, Failure> {
    let Some(client) = app_client(settings, clock)? else { return Ok(None) };
    let files = ReqwestTransport::builder()
        .answer_bytes_max(reading(settings).bytes_max)
        .build()
        .map_err(|error| Failure::new("the network cannot be set up").caused_by(&error))?;
    Ok(Some(HubSpotJournal::new(client, Arc::new(files))))
}

fn reading(settings: &Settings) -> JournalSettings {
    let client_id = settings.oauth.as_ref().map_or("", |oauth| oauth.client_id.as_str());
    let mut reading = JournalSettings::new(format!("app {client_id}"));
    reading.poll = POLL;
    // A local portal keeps its files on this machine.
    if settings.hubspot.url.starts_with("http://") {
        reading.hosts = FileHosts::default().or_local();
    }
    reading
}

/// What comes in for all portals of this process.
pub(crate) struct Hearing {
    /// Which way.
    pub(crate) kind: FeedKind,
    /// Where it waits.
    pub(crate) inbox: Arc<SqliteInbox>,
    /// Reads the journal, where that is the way.
    pub(crate) journal: Option<JournalReader>,
    /// The app, for echoes.
    pub(crate) ours: Vec<AppId>,
    clock: Arc<dyn Clock>,
    /// Portals that have been compared over a gap, by the gap's number.
    mended: Mutex<BTreeMap<u64, BTreeSet<PortalId>>>,
    /// The portals that have to be.
    portals: BTreeSet<PortalId>,
}

impl Hearing {
    /// Opens the inbox; `None` where search is all there is.
    pub(crate) async fn open(
        settings: &Settings,
        portals: BTreeSet<PortalId>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Hearing>, Failure> {
        let kind = chosen(settings, clock).await?;
        if kind == FeedKind::Search {
            return Ok(None);
        }
        let path = &settings.hearing.inbox;
        let inbox = Arc::new(SqliteInbox::open(path).map_err(|error| {
            Failure::new(error.to_string()).remedy("set `webhooks.inbox_file` to the file of waiting events")
        })?);
        let journal = match (kind, journal_api(settings, clock)?) {
            (FeedKind::Journal, Some(api)) => {
                let store = inbox.clone();
                Some(JournalReader::new(Arc::new(api), store, clock.clone(), reading(settings)))
            }
            _ => None,
        };
        let ours = settings.hearing.app_id.map(AppId).into_iter().collect();
        let (clock, mended) = (clock.clone(), Mutex::default());
        Ok(Some(Hearing { kind, inbox, journal, ours, clock, mended, portals }))
    }

    /// What takes webhooks, where they are the way.
    pub(crate) fn receiver(&self, settings: &Settings) -> Result<Option<Receiver>, Failure> {
        let Some(target) = settings.hearing.target.as_deref().filter(|_| self.kind == FeedKind::Push) else {
            return Ok(None);
        };
        let endpoint = Endpoint::at(target)
            .map_err(|error| Failure::new(format!("`webhooks.target_url`: {error}")))?
            // What a proxy writes that passes on its own word for us.
            .or_host(&settings.service.listen.to_string());
        let verifier = Verifier::new(settings.hearing.secrets.clone());
        let inbox: Arc<dyn Inbox> = self.inbox.clone();
        Ok(Some(Receiver::new(endpoint, verifier, inbox, self.clock.clone())))
    }

    /// A portal's events as a feed of these object types, named by the engine, with their type ids.
    pub(crate) fn feed(
        &self,
        portal: PortalId,
        types: &BTreeMap<sync_types::ObjectType, sync_types::ObjectType>,
    ) -> InboxFeed {
        let inbox: Arc<dyn Inbox> = self.inbox.clone();
        let feed = InboxFeed::new(inbox, portal, types, self.ours.clone(), self.clock.clone());
        if self.kind == FeedKind::Journal { feed.from_journal() } else { feed }
    }

    /// The spans that the journal tells nothing of and that this portal was not compared over yet: their numbers, and
    /// the earliest beginning.
    pub(crate) async fn gaps(&self, portal: PortalId) -> Result<(Vec<u64>, Option<Timestamp>), Failure> {
        let gaps = self.inbox.gaps().await.map_err(|error| Failure::new(error.to_string()))?;
        let mended = self.mended();
        let open = gaps.iter().filter(|gap| !mended.get(&gap.id).is_some_and(|done| done.contains(&portal)));
        let open: Vec<_> = open.collect();
        Ok((open.iter().map(|gap| gap.id).collect(), open.iter().map(|gap| gap.from).min()))
    }

    /// Notes that a portal was compared over these gaps. One is closed when all portals were; a restart before that
    /// begins anew, which costs a comparison.
    pub(crate) async fn mend(&self, portal: PortalId, gaps: &[u64]) -> Result<(), Failure> {
        for id in gaps {
            let is_whole = {
                let mut mended = self.mended();
                let done = mended.entry(*id).or_default();
                done.insert(portal);
                self.portals.is_subset(done)
            };
            if is_whole {
                self.inbox.close_gap(*id).await.map_err(|error| Failure::new(error.to_string()))?;
                self.mended().remove(id);
                tracing::info!(gap = id, "a gap of the journal is mended in every portal");
            }
        }
        Ok(())
    }

    fn mended(&self) -> MutexGuard<'_, BTreeMap<u64, BTreeSet<PortalId>>> {
        self.mended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hearing").field("kind", &self.kind).finish_non_exhaustive()
    }
}
