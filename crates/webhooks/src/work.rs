//! Events to work: which records of a portal to read again, and why.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use sync_types::{PropertyName, RecordId};

use crate::event::{AppId, Change, Event, EventId, RecordRef};

/// Why a record is to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It was erased on a person's demand: the other side must forget it too, and it must not be made again.
    Erased,
    /// It lives on in another record, or another lives on in it.
    Merged,
    /// It was deleted. It may have come back since.
    Deleted,
    /// It came back.
    Restored,
    /// It was made.
    Created,
    /// Properties of it were set.
    Set,
    /// An association of it was made or removed.
    Associated,
    /// It joined or left a list.
    Listed,
    /// Something happened to it that this version of the crate has no name for.
    Unknown,
}

/// A record to read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirty {
    /// The record. Its id may lead to another by now.
    pub record: RecordRef,
    /// Why: all reasons there are, each once.
    pub reasons: BTreeSet<Reason>,
    /// Properties that were set, as far as events name them.
    pub properties: BTreeSet<PropertyName>,
    /// The time of the oldest event: how stale our view of the record may be.
    pub since: Timestamp,
    /// Every event about it says that one of our own apps made the change. Read it last; never skip it for this.
    pub maybe_echo: bool,
}

/// Records that became one: what was known under `from` is to be looked for under `into`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// The record that lives on.
    pub into: RecordRef,
    /// An id, of the same object type, that leads to it.
    pub from: RecordId,
}

/// What events of one portal come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Records to read again, by object type and id, each once.
    pub dirty: Vec<Dirty>,
    /// Merges, to be heeded before anything else.
    pub merges: BTreeSet<Merge>,
    /// The app was removed from the portal after anything else that is known of.
    pub uninstalled: bool,
    /// Events that name no record: a new kind of event perhaps, for a person to see.
    pub unplaced: Vec<Event>,
    /// Every event that went into it, to be called done when all of it is durable elsewhere.
    pub events: Vec<EventId>,
}

impl Work {
    /// Makes work of the events of one portal. Any order, any repetition and any division of the same events gives the
    /// same records; `ours` are the apps whose changes are echoes.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = Event>, ours: &[AppId]) -> Work {
        let mut work = Work::default();
        let mut records: BTreeMap<RecordRef, Dirty> = BTreeMap::new();
        let mut unplaced: BTreeMap<EventId, Event> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        let (mut installed, mut uninstalled) = (None, None);
        for event in events {
            ids.insert(event.id);
            let at = event.occurred_at;
            let echo = ours.iter().any(|app| event.origin.says(*app));
            let mut touch = |record: &RecordRef, reason: Reason, properties: &[PropertyName]| {
                let dirty = records.entry(record.clone()).or_insert_with(|| Dirty {
                    record: record.clone(),
                    reasons: BTreeSet::new(),
                    properties: BTreeSet::new(),
                    since: at,
                    maybe_echo: true,
                });
                dirty.reasons.insert(reason);
                dirty.properties.extend(properties.iter().cloned());
                dirty.since = dirty.since.min(at);
                dirty.maybe_echo &= echo;
            };
            match &event.change {
                Change::Created(record) => touch(record, Reason::Created, &[]),
                Change::Deleted(record) => touch(record, Reason::Deleted, &[]),
                Change::Erased(record) => touch(record, Reason::Erased, &[]),
                Change::Restored(record) => touch(record, Reason::Restored, &[]),
                Change::Set { record, properties } => touch(record, Reason::Set, properties),
                Change::Listed { record, .. } => touch(record, Reason::Listed, &[]),
                Change::Associated { from, to, .. } => {
                    touch(from, Reason::Associated, &[]);
                    touch(to, Reason::Associated, &[]);
                }
                Change::Merged { survivor, merged } => {
                    touch(survivor, Reason::Merged, &[]);
                    for id in merged {
                        let record = RecordRef { object: survivor.object.clone(), id: id.clone() };
                        touch(&record, Reason::Merged, &[]);
                        work.merges.insert(Merge { into: survivor.clone(), from: id.clone() });
                    }
                }
                Change::Installed => installed = installed.max(Some(at)),
                Change::Uninstalled => uninstalled = uninstalled.max(Some(at)),
                Change::Other { record: Some(record), .. } => touch(record, Reason::Unknown, &[]),
                Change::Conversation { .. } | Change::Other { record: None, .. } => {
                    unplaced.insert(event.id, event);
                }
            }
        }
        work.dirty = records.into_values().collect();
        work.uninstalled = uninstalled > installed;
        work.unplaced = unplaced.into_values().collect();
        work.events = ids.into_iter().collect();
        work
    }
}

#[cfg(test)]
mod tests;
