//! The role of a customer's system that is read.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Abilities, Collection, ExternalId, Record, Schema, SourceWriter};

/// A customer's system, read.
///
/// Every method may be called again at any time and changes nothing on the other side. What a source promises beyond
/// this trait it [declares](Source::abilities), and `sync_testkit::conformance::adapter` asks it to prove.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// The collections and what is known of their properties.
    async fn describe(&self) -> Result<Vec<Schema>, SourceError>;

    /// Reads one page of a scan of a collection, or the first without a token.
    ///
    /// A scan from the first page to the one without [`Page::next`] has seen every record that existed, unchanged,
    /// during the whole scan, unless the source declares [`ScanPromise::Shifting`](crate::ScanPromise::Shifting). A
    /// page is bounded by [`ReadRequest::max`]; an empty page with a token is allowed. A token that is not of such a
    /// scan is refused, never taken for the beginning.
    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError>;

    /// Reads these records; one answer for each id, in order. `None`: the collection has no such record now.
    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError>;

    /// What the source promises for this collection beyond this trait; the least by default. Answers without I/O.
    fn abilities(&self, _collection: &Collection) -> Abilities {
        Abilities::default()
    }

    /// Tells which records of a collection to look at because they changed after a cursor: *where*, never *what*.
    ///
    /// Without a cursor it answers with one that stands for now; what was before is found by a scan that begins after
    /// that answer. The cursor of a page may be used once what the page tells is durable, and any older one may be
    /// used again. Changes may be repeated, shuffled and late, but no cursor goes past a change of a record that was
    /// not told: not past one with the same time of change, nor past one that is committed only later.
    ///
    /// # Errors
    /// [`Unsupported`](SourceErrorKind::Unsupported) unless [`Abilities::changes`] is declared.
    /// [`StaleToken`](SourceErrorKind::StaleToken): the source no longer knows what happened after this cursor; take a
    /// new one, then scan. Other errors leave the cursor good.
    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        let message =
            format!("the collection {} cannot be asked for changes: scan it instead", request.collection);
        Err(SourceError::new(SourceErrorKind::Unsupported, message))
    }

    /// The same system to be written, if it can be and the settings allow it. What may be written to which
    /// collection says [`SourceWriter::writes`].
    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        None
    }
}

/// Which changes to tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesRequest {
    /// The collection.
    pub collection: Collection,
    /// The place to go on from; `None`: now.
    pub after: Option<ChangeCursor>,
    /// About how many changes are wanted; more only where a cursor could not stand between them.
    pub max: usize,
}

/// A place in the course of a collection's changes; outlives the process, opaque to all but its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeCursor(pub String);

/// Some changes, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesPage {
    /// What to look at; a record may stand here more than once.
    pub changes: Vec<SourceChange>,
    /// The place behind these changes.
    pub cursor: ChangeCursor,
    /// Whether there is nothing more for now.
    pub caught_up: bool,
}

/// One record to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceChange {
    /// The record.
    pub id: ExternalId,
    /// Whether it is said to be deleted; else it was made or changed.
    pub deleted: bool,
}

/// Which page to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The collection.
    pub collection: Collection,
    /// The place to go on from; it dies with its scan.
    pub after: Option<PageToken>,
    /// At most this many records.
    pub max: usize,
}

/// A place inside one scan; opaque to all but the source that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(pub String);

/// One page of a scan. A record that could not be read does not keep the others from being read.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The page's records, good and bad.
    pub records: Vec<Result<Record, BadRecord>>,
    /// Where to go on, or `None` at the end of the scan.
    pub next: Option<PageToken>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason} [{code}]")]
pub struct BadRecord {
    /// Stable code, such as `bad-row`.
    pub code: &'static str,
    /// Its id, where that much could be read.
    pub id: Option<ExternalId>,
    /// Where it stands, such as `contacts.csv line 17`.
    pub place: String,
    /// The reason, without values.
    pub reason: String,
    /// What a person can do about it.
    pub remedy: String,
}

/// Why a source could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What kind of failure, for the caller to branch on.
    pub kind: SourceErrorKind,
    /// Place, reason and remedy in one or two sentences; no secret, no value.
    pub message: String,
    /// The cause, if there is one below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error without a deeper cause.
    #[must_use]
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> SourceError {
        SourceError { kind, message: message.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> SourceError {
        self.source = Some(Box::new(cause));
        self
    }
}

/// What kind of failure a [`SourceError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The collection does not exist.
    NoSuchCollection,
    /// The source's structure is not what was configured, such as a missing key column.
    Structure,
    /// The source cannot be reached or read now.
    Unavailable,
    /// The credential or permission was refused.
    Denied,
    /// The page token or cursor is not from this source or has expired: start the scan anew.
    StaleToken,
    /// The source does not do this: see [`Source::abilities`].
    Unsupported,
}
