//! The role of a customer's system that is read.

use std::fmt;

use async_trait::async_trait;

use crate::{Collection, ExternalId, Record, Schema};

/// A customer's system, read.
///
/// Every method may be called again at any time and changes nothing on the other side.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// The collections and what is known of their properties.
    async fn describe(&self) -> Result<Vec<Schema>, SourceError>;

    /// Reads one page of a scan of a collection, or the first without a token.
    ///
    /// A scan from the first page to the one without [`Page::next`] has seen every record that existed, unchanged,
    /// during the whole scan. A page is bounded by [`ReadRequest::max`]; an empty page with a token is allowed.
    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError>;

    /// Reads these records; one answer for each id, in order. `None`: the collection has no such record now.
    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError>;
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
    /// The page token is not from this source or has expired: start the scan anew.
    StaleToken,
}
