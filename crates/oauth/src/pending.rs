//! Installs that were begun and not yet come back: kept on the server, for minutes, used once.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::envelope::Sealed;
use crate::store::StoreError;

/// More installs than this are never under way at a time; beyond it, somebody is filling the store.
pub(crate) const PENDING_MAX: u64 = 10_000;

/// One install that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// What belongs to it.
    pub sealed: Sealed,
    /// From when on it is void.
    pub expires_at: Timestamp,
}

/// Keeps installs that were begun. The id is a hash of the `state`, so reading the store gives nobody a valid one.
#[async_trait]
pub trait PendingStore: fmt::Debug + Send + Sync {
    /// Keeps an install, and drops those that are void at `now`. Fails with
    /// [`StoreErrorKind::Full`](crate::StoreErrorKind::Full) when there are 10,000 others.
    async fn keep(&self, id: &str, entry: &PendingEntry, now: Timestamp) -> Result<(), StoreError>;

    /// Takes an install out. Of any number of calls with one id, in any number of processes, one gets it; nobody does
    /// once it is void.
    async fn take(&self, id: &str, now: Timestamp) -> Result<Option<PendingEntry>, StoreError>;
}
