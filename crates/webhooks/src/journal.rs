//! The webhooks journal: HubSpot's own log of what happened in every portal of an app, read file by file.
//!
//! HubSpot keeps it for three days (HubSpot docs). A reader that was away longer, or meets a file that it cannot read,
//! says which span of time it knows nothing about: a [`Gap`], for a comparison of both sides to close.

mod file;
mod hosts;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::event::Event;
use crate::inbox::{InboxError, Stored};

pub use file::{FileError, JournalFile, parse_file};
pub use hosts::{FileHosts, FileUrl, FileUrlError};
pub use reader::{JournalReader, JournalSettings, Progress, Start};

/// A place in a journal: opaque, HubSpot's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Offset(Arc<str>);

impl Offset {
    /// Wraps HubSpot's text.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// HubSpot's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offset({})", self.0)
    }
}

/// One file of a journal, as HubSpot offers it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Where it stands in the journal.
    pub offset: Offset,
    /// Where to fetch it, for whoever has this URL: a secret until it expires.
    pub url: String,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRef")
            .field("offset", &self.offset)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The calls that a reader makes; whoever has a client for HubSpot's API implements them.
#[async_trait]
pub trait JournalApi: fmt::Debug + Send + Sync {
    /// Up to `count` files that come after `offset`, in their order; from the earliest on where there is none. Empty
    /// when nothing is newer. `GET …/batch/{offset}/next/{count}`, `GET …/batch/earliest/{count}`.
    ///
    /// # Errors
    /// [`JournalErrorKind::OffsetGone`] when HubSpot does not know the offset any more.
    async fn files_after(&self, offset: Option<&Offset>, count: usize) -> Result<Vec<FileRef>, JournalError>;

    /// The newest file, if there is any. `GET …/latest`.
    ///
    /// # Errors
    /// [`JournalError`].
    async fn latest_file(&self) -> Result<Option<FileRef>, JournalError>;

    /// Fetches a file. It sends no credential along, follows no redirect, and stops reading after `bytes_max` bytes of
    /// what the file decodes to.
    ///
    /// # Errors
    /// [`JournalErrorKind::Expired`] when the URL is not good any more, [`JournalErrorKind::TooLarge`] beyond
    /// `bytes_max`.
    async fn fetch(&self, url: &FileUrl, bytes_max: usize) -> Result<Bytes, JournalError>;
}

/// Why the journal could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JournalError {
    /// What to do about it.
    pub kind: JournalErrorKind,
    /// For a person; no URL of a file and nothing of its content.
    pub message: String,
}

/// Kinds of [`JournalError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// HubSpot does not know the offset: it aged out.
    OffsetGone,
    /// The URL of the file is not good any more. Ask for a new one.
    Expired,
    /// The file is larger than allowed.
    TooLarge,
    /// The file, or its URL, is not what it should be.
    Unreadable,
    /// The credential is refused or lacks a scope. A person has to act.
    Refused,
    /// It may work later, not before this long where HubSpot said so.
    Later(Option<Duration>),
    /// Events could not be made durable.
    Inbox,
}

impl JournalError {
    /// An error of that kind.
    #[must_use]
    pub fn new(kind: JournalErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<InboxError> for JournalError {
    fn from(error: InboxError) -> Self {
        Self::new(JournalErrorKind::Inbox, error.message)
    }
}

/// How far a journal has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last file whose events are durable; `None` if the journal was empty when it was first read.
    pub offset: Option<Offset>,
    /// When that file was published.
    pub published_at: Option<Timestamp>,
    /// When the journal was last asked what is newer.
    pub checked_at: Timestamp,
}

impl Position {
    /// Everything up to then is known.
    pub(crate) fn known_until(&self) -> Timestamp {
        self.published_at.map_or(self.checked_at, |published| published.max(self.checked_at))
    }
}

/// A span of time of which a journal tells nothing any more: changes in it are found by comparing both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its number in the store; 0 before it is stored.
    pub id: u64,
    /// The journal's name.
    pub journal: String,
    /// What happened before was read.
    pub from: Timestamp,
    /// What happens from then on is read again.
    pub to: Timestamp,
    /// Why.
    pub cause: GapCause,
}

/// Why there is a [`Gap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// The reader was away for longer than HubSpot keeps the journal.
    Away,
    /// HubSpot did not know the offset.
    OffsetGone,
    /// A file could not be read, repeatedly.
    Unreadable,
    /// Written by a version of this crate that knows more.
    Unknown,
}

impl GapCause {
    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            GapCause::Away => "away",
            GapCause::OffsetGone => "offset gone",
            GapCause::Unreadable => "unreadable",
            GapCause::Unknown => "unknown",
        }
    }

    /// The cause with that name in a store.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        [GapCause::Away, GapCause::OffsetGone, GapCause::Unreadable]
            .into_iter()
            .find(|cause| cause.name() == name)
            .unwrap_or(GapCause::Unknown)
    }
}

/// One step of a reader, durable as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Events of a file.
    pub events: Vec<Event>,
    /// When they were read.
    pub received: Timestamp,
    /// The position behind them.
    pub position: Position,
    /// What was lost before them.
    pub gap: Option<Gap>,
}

/// Keeps positions and gaps beside the events, so that an offset moves together with what was read up to it.
#[async_trait]
pub trait JournalStore: fmt::Debug + Send + Sync {
    /// How far a journal has been read; `None` before the first step.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn position(&self, journal: &str) -> Result<Option<Position>, InboxError>;

    /// Makes a step durable, in one transaction. The same step twice stores no event twice.
    ///
    /// # Errors
    /// [`InboxError`]: all of it is stored or nothing.
    async fn advance(&self, journal: &str, step: Advance) -> Result<Stored, InboxError>;

    /// The gaps that are open, oldest first.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn gaps(&self) -> Result<Vec<Gap>, InboxError>;

    /// Closes a gap: both sides have been compared over its span. May be called twice.
    ///
    /// # Errors
    /// [`InboxError`].
    async fn close_gap(&self, id: u64) -> Result<(), InboxError>;
}
