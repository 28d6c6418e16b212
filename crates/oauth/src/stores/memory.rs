//! A token store that is gone when dropped: for tests, and for tools that install once and print nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::envelope::Sealed;
use crate::lease::{Acquired, Lease, LeaseHold};
use crate::pending::{PENDING_MAX, PendingEntry, PendingStore};
use crate::store::{Entry, Revision, SealedStore, StoreError, StoreErrorKind};
use crate::time::later;

/// Entries, leases and pending installs in memory.
#[derive(Default)]
pub struct MemoryStore {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    entries: BTreeMap<String, Entry>,
    // Counts all writes, so that a removed and remade entry has no earlier one's revision.
    writes: u64,
    leases: BTreeMap<String, Held>,
    fences: u64,
    pending: BTreeMap<String, PendingEntry>,
}

struct Held {
    holder: String,
    fence: u64,
    since: Timestamp,
    until: Timestamp,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere leaves the maps whole: every change is one insertion or removal.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.inside().entries.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl SealedStore for MemoryStore {
    async fn get(&self, name: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.inside().entries.get(name).cloned())
    }

    async fn put(
        &self,
        name: &str,
        sealed: &Sealed,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let mut inside = self.inside();
        if inside.entries.get(name).map(|entry| entry.revision) != expected {
            return Err(StoreError::conflict(name));
        }
        inside.writes += 1;
        let revision = Revision(inside.writes);
        inside.entries.insert(name.to_owned(), Entry { sealed: sealed.clone(), revision });
        Ok(revision)
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.inside().entries.remove(name);
        Ok(())
    }

    async fn names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.inside().entries.keys().cloned().collect())
    }
}

#[async_trait]
impl Lease for MemoryStore {
    async fn acquire(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Acquired, StoreError> {
        let mut inside = self.inside();
        if let Some(held) = inside.leases.get(name).filter(|held| now < held.until) {
            return Ok(Acquired::Busy { holder: held.holder.clone(), since: held.since, until: held.until });
        }
        inside.fences += 1;
        let fence = inside.fences;
        let held = Held { holder: holder.to_owned(), fence, since: now, until: later(now, life) };
        inside.leases.insert(name.to_owned(), held);
        Ok(Acquired::Held(LeaseHold { name: name.to_owned(), fence }))
    }

    async fn release(&self, hold: &LeaseHold) -> Result<(), StoreError> {
        let mut inside = self.inside();
        if inside.leases.get(&hold.name).is_some_and(|held| held.fence == hold.fence) {
            inside.leases.remove(&hold.name);
        }
        Ok(())
    }
}

#[async_trait]
impl PendingStore for MemoryStore {
    async fn keep(&self, id: &str, entry: &PendingEntry, now: Timestamp) -> Result<(), StoreError> {
        let mut inside = self.inside();
        inside.pending.retain(|_, kept| now < kept.expires_at);
        if inside.pending.len() as u64 >= PENDING_MAX {
            return Err(full());
        }
        inside.pending.insert(id.to_owned(), entry.clone());
        Ok(())
    }

    async fn take(&self, id: &str, now: Timestamp) -> Result<Option<PendingEntry>, StoreError> {
        Ok(self.inside().pending.remove(id).filter(|entry| now < entry.expires_at))
    }
}

pub(crate) fn full() -> StoreError {
    StoreError::new(StoreErrorKind::Full, "too many installs are under way; try again in a few minutes")
}
