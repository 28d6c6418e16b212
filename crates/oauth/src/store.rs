//! Where sealed entries rest: the trait that every token store implements.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;

use crate::envelope::Sealed;

/// Counts the writes of one entry. Only the store gives a meaning to the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// An entry as it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The content.
    pub sealed: Sealed,
    /// Which write it came with.
    pub revision: Revision,
}

/// Keeps sealed entries by name. Never sees what is in them.
///
/// A write is durable once `put` has returned. Writers exclude each other by revision: of two who read the same entry,
/// one succeeds and the other gets [`StoreErrorKind::Conflict`]. An implementation need not be fast: an entry is
/// read and written about twice an hour.
#[async_trait]
pub trait SealedStore: fmt::Debug + Send + Sync {
    /// The entry of that name, if there is one.
    async fn get(&self, name: &str) -> Result<Option<Entry>, StoreError>;

    /// Writes an entry: over the one of revision `expected`, or, with `None`, where none is.
    async fn put(
        &self,
        name: &str,
        sealed: &Sealed,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError>;

    /// Removes an entry. One that is not there is no error.
    async fn delete(&self, name: &str) -> Result<(), StoreError>;

    /// The names of all entries, in any order.
    async fn names(&self) -> Result<Vec<String>, StoreError>;
}

/// What a store's error means for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Somebody else wrote first: read again.
    Conflict,
    /// The store cannot be had at the moment; what was there is still there.
    Unavailable,
    /// What rests there is not what this kit wrote, or no longer.
    Corrupt,
    /// There is no room; more would only help an attacker.
    Full,
}

/// A failed call to a store. Shows no content.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error with what happened and what to do; it must show no secret.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the error underneath, which must show no secret either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    pub(crate) fn conflict(name: &str) -> Self {
        Self::new(
            StoreErrorKind::Conflict,
            format!("the entry `{name}` was written by somebody else meanwhile"),
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token store: {}", self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
