//! Where events wait, durably, from the moment HubSpot gets its 200 until the engine has made their work its own.

#[cfg(feature = "sqlite")]
mod arrivals;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
#[cfg(test)]
mod tests;
#[cfg(feature = "sqlite")]
mod writer;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::event::{Event, EventId, PortalId};

#[cfg(feature = "sqlite")]
pub use sqlite::SqliteInbox;

/// What became of the events of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Events that wait now.
    pub new: u64,
    /// Events that had been stored before, done since or not.
    pub repeated: u64,
}

/// How much waits for one portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The portal.
    pub portal: PortalId,
    /// Events.
    pub events: u64,
    /// The oldest event's own time.
    pub oldest: Timestamp,
}

/// Which events to process once more, done or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Those of one portal, or of all.
    pub portal: Option<PortalId>,
    /// Those that happened at this time or later,
    pub from: Timestamp,
    /// and before this one.
    pub to: Timestamp,
}

/// Stores events until they are done, and remembers them a while longer, so that the same event counts once.
///
/// Every call is durable when it returns and may be repeated: an event that is stored twice, done twice or done
/// without having been there is no error. Dropping the future of a call leaves open whether it happened.
#[async_trait]
pub trait Inbox: fmt::Debug + Send + Sync {
    /// Stores events that were received at `received`. Those that it has, it leaves as they are.
    ///
    /// # Errors
    /// [`InboxError`]: some of the events or none may be stored.
    async fn store(&self, events: Vec<Event>, received: Timestamp) -> Result<Stored, InboxError>;

    /// Up to `count_max` of the portal's waiting events, oldest first. Until they are done it gives the same again, so
    /// a portal has one taker at a time.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn take(&self, portal: PortalId, count_max: usize) -> Result<Vec<Event>, InboxError>;

    /// Marks events of a portal as done at `now`: what they ask for is durable elsewhere.
    ///
    /// # Errors
    /// [`InboxError`]: some of the events or none may be marked.
    async fn done(&self, portal: PortalId, events: Vec<EventId>, now: Timestamp) -> Result<(), InboxError>;

    /// The portals for which events wait, and how many. It counts them: for health pages, not for every turn of a loop.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn waiting(&self) -> Result<Vec<Waiting>, InboxError>;

    /// Lets done events wait again, as far back as they are remembered. Returns their number.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn replay(&self, what: Replay) -> Result<u64, InboxError>;

    /// Lets a portal's events wait again that were marked as done at a later time than `since`, as far as they are
    /// remembered. Returns their number.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn reopen(&self, portal: PortalId, since: Timestamp) -> Result<u64, InboxError>;

    /// Forgets done events that happened before `before`, a bounded number of them; returns how many, 0 when none is
    /// left. An event that HubSpot sends again after that counts as new, so keep two days at least: retries go on for
    /// 24 hours (HubSpot docs).
    ///
    /// # Errors
    /// [`InboxError`].
    async fn expire(&self, before: Timestamp) -> Result<u64, InboxError>;

    /// Forgets everything about a portal, as after an uninstall. Returns the number of events, waiting ones too.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn forget_portal(&self, portal: PortalId) -> Result<u64, InboxError>;

    /// The number of new events stored since the inbox was opened; its changes wake who waits for work.
    fn arrivals(&self) -> watch::Receiver<u64>;

    /// The same of one portal alone.
    fn arrivals_of(&self, portal: PortalId) -> watch::Receiver<u64>;
}

/// What went wrong with an inbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InboxError {
    /// What to do about it.
    pub kind: InboxErrorKind,
    /// For a person.
    pub message: String,
}

/// Kinds of [`InboxError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxErrorKind {
    /// Another process has it open.
    Locked,
    /// It is no inbox, or was written by a newer version.
    Mismatch,
    /// It is damaged.
    Corrupt,
    /// The disk is full. It works again once there is space.
    Full,
    /// Reading or writing failed.
    Io,
    /// A flush to disk failed once: what the disk holds is uncertain. It stays closed until the process starts anew.
    Broken,
    /// It was closed.
    Closed,
}

impl InboxError {
    /// An error of that kind.
    #[must_use]
    pub fn new(kind: InboxErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
