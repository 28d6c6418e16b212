//! Who is woken when something arrives: whoever listens to all portals, or to one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::event::PortalId;

/// Counts of events that came to wait, of all portals together and of each that somebody listens to.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    all: watch::Sender<u64>,
    of: Mutex<HashMap<PortalId, watch::Sender<u64>>>,
}

impl Arrivals {
    /// Tells of so many events of each portal.
    pub(super) fn tell(&self, counts: &HashMap<PortalId, u64>) {
        let total: u64 = counts.values().sum();
        if total == 0 {
            return;
        }
        for (portal, sender) in &*self.of() {
            if let Some(count) = counts.get(portal).filter(|count| **count > 0) {
                sender.send_modify(|arrived| *arrived += count);
            }
        }
        self.all.send_modify(|arrived| *arrived += total);
    }

    pub(super) fn all(&self) -> watch::Receiver<u64> {
        self.all.subscribe()
    }

    pub(super) fn of_portal(&self, portal: PortalId) -> watch::Receiver<u64> {
        self.of().entry(portal).or_default().subscribe()
    }

    fn of(&self) -> MutexGuard<'_, HashMap<PortalId, watch::Sender<u64>>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
