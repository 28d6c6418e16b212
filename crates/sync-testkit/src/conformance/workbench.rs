//! The system behind an adapter, in the hands of a suite.

use std::sync::Arc;

use async_trait::async_trait;
use sync_types::{Collection, ExternalId, Source};

/// Numbers of the records that a suite begins with.
pub(super) const FILLED: u32 = 9;

/// Above every number that a suite uses.
const NUMBERS: u32 = 40;

/// A customer's system that a suite may change past the adapter, as the customer's people do.
///
/// It fails by panicking: without it a suite cannot go on.
#[async_trait]
pub trait Workbench: Send + Sync {
    /// Opens the adapter anew, as another process would.
    async fn open(&self) -> Arc<dyn Source>;

    /// A collection that the suite may fill and empty.
    fn collection(&self) -> Collection;

    /// Two fields of its records that hold text, can be empty and are no key.
    fn fields(&self) -> [&'static str; 2];

    /// Makes the record of this number, or sets both fields of it, and answers with its id: always the same for a
    /// number, and another for another.
    async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId;

    /// Deletes the record of this number, if it is there.
    async fn remove(&self, number: u32);

    /// Begins to set a record as [`Workbench::put`] does, so that only [`Pending::commit`] makes it visible, with the
    /// time of change of its beginning. `None`: the system has no such thing.
    async fn put_later(&self, _number: u32, _texts: [&str; 2]) -> Option<Box<dyn Pending>> {
        None
    }
}

/// A change that was begun and is not visible yet.
#[async_trait]
pub trait Pending: Send {
    /// Makes it visible, and answers with the record's id.
    async fn commit(self: Box<Self>) -> ExternalId;
}

/// The collection holds the records `0..FILLED` of the suite and no other.
pub(super) async fn fill(bench: &dyn Workbench) -> Vec<ExternalId> {
    for number in FILLED..NUMBERS {
        bench.remove(number).await;
    }
    let mut ids = Vec::new();
    for number in 0..FILLED {
        ids.push(bench.put(number, [&format!("first {number}"), "second"]).await);
    }
    ids
}

/// The suite's records are gone.
pub(super) async fn empty(bench: &dyn Workbench) {
    for number in 0..NUMBERS {
        bench.remove(number).await;
    }
}
