//! How each portal is doing, for health pages and for what the service prints.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

/// How a portal is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PortalState {
    /// Its first pass has not ended.
    Starting,
    /// Its last pass ended well.
    InStep,
    /// Its last pass did not end well; it is tried again.
    Failing,
    /// Somebody has to open the install page.
    NeedsAuthorisation,
}

impl PortalState {
    fn name(self) -> &'static str {
        match self {
            PortalState::Starting => "starting",
            PortalState::InStep => "in_step",
            PortalState::Failing => "failing",
            PortalState::NeedsAuthorisation => "needs_authorisation",
        }
    }
}

/// The states of all portals of this process.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<BTreeMap<String, PortalState>>);

impl Board {
    /// Notes a portal's state; says whether it is another than before.
    pub(crate) fn note(&self, portal: &str, state: PortalState) -> bool {
        self.states().insert(portal.to_owned(), state) != Some(state)
    }

    /// How many portals are in which state: all that a stranger may know.
    pub(crate) fn counts(&self) -> serde_json::Value {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for state in self.states().values() {
            *counts.entry(state.name()).or_default() += 1;
        }
        json!(counts)
    }

    /// Whether every portal has been looked at once. One that fails is no reason to restart a process that serves
    /// others and still takes their webhooks.
    pub(crate) fn is_ready(&self) -> bool {
        let states = self.states();
        !states.is_empty() && states.values().all(|state| *state != PortalState::Starting)
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, PortalState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_states_and_waits_for_first_passes() {
        let board = Board::default();
        assert!(!board.is_ready());
        assert!(board.note("1", PortalState::Starting));
        assert!(board.note("2", PortalState::Starting));
        assert!(board.note("1", PortalState::InStep));
        assert!(!board.is_ready());
        assert!(board.note("2", PortalState::NeedsAuthorisation));
        assert!(!board.note("2", PortalState::NeedsAuthorisation));
        assert!(board.is_ready());
        assert_eq!(board.counts(), json!({ "in_step": 1, "needs_authorisation": 1 }));
    }
}
