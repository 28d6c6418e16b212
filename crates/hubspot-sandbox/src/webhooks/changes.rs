//! What happened in the portal, kept just long enough to tell those who listen.

use crate::associations::links::Pair;
use crate::associations::types::LinkKey;
use crate::context::SourceKey;
use crate::objects::types::TypeKey;
use crate::properties::definition::PropKey;
use crate::state::{MERGE, State};
use crate::time::Millis;

/// One thing that happened.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) what: What,
    pub(crate) source: SourceKey,
    pub(crate) at: Millis,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Created(TypeKey, u64),
    Deleted(TypeKey, u64),
    Erased(TypeKey, u64),
    Restored(TypeKey, u64),
    Set(TypeKey, u64, PropKey, Box<str>),
    Merged { key: TypeKey, survivor: u64, primary: u64, other: u64, moved: usize },
    Linked { pair: Pair, link: LinkKey, removed: bool },
}

/// The log. It is off until somebody subscribes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    on: bool,
    /// Who is at it: set at the beginning of every call.
    source: SourceKey,
    list: Vec<Change>,
}

impl Changes {
    pub(crate) fn switch(&mut self, on: bool) {
        self.on = on;
    }

    pub(crate) fn begin(&mut self, source: SourceKey) {
        self.source = source;
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn push(&mut self, what: What, at: Millis) {
        let source = self.source;
        self.push_by(what, source, at);
    }

    /// HubSpot tells of a merge, but not of the values that it changes (observed live).
    pub(crate) fn push_by(&mut self, what: What, source: SourceKey, at: Millis) {
        if self.on && !(source == MERGE && matches!(what, What::Set(..))) {
            self.list.push(Change { what, source, at });
        }
    }
}

/// Everything since the last time, in the order in which it happened; associations come last.
pub(crate) fn take(state: &mut State, now: Millis) -> Vec<Change> {
    let mut changes = std::mem::take(&mut state.changes.list);
    let source = state.changes.source;
    changes.extend(state.links.take_watched().into_iter().map(|seen| Change {
        what: What::Linked { pair: seen.pair, link: seen.link, removed: seen.removed },
        source,
        at: now,
    }));
    changes
}
