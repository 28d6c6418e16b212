//! The records of one object type and the indexes over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::ids::{IdSource, Rng};
use crate::objects::record::Record;
use crate::properties::definition::PropKey;
use crate::time::Millis;

/// Records by id, with indexes that are rebuilt when a snapshot is read.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Records {
    map: BTreeMap<u64, Record>,
    ids: IdSource,
    /// Ids that a merge retired, and where they lead.
    forward: BTreeMap<u64, u64>,
    /// Holder of each unique value among live records.
    #[serde(skip)]
    unique: HashMap<PropKey, HashMap<Box<str>, u64>>,
    /// Records by modification time, for searches that poll.
    #[serde(skip)]
    by_modified: BTreeSet<(Millis, u64)>,
    #[serde(skip)]
    live: u64,
}

impl Records {
    pub(crate) fn new(rng: &mut Rng) -> Records {
        Records {
            map: BTreeMap::new(),
            ids: IdSource::starting_near(101_000_000_000, rng),
            forward: BTreeMap::new(),
            unique: HashMap::new(),
            by_modified: BTreeSet::new(),
            live: 0,
        }
    }

    /// A fresh id. One that is not used is lost, as HubSpot loses the id of a create that fails late.
    pub(crate) fn next_id(&mut self, rng: &mut Rng) -> u64 {
        self.ids.next(rng)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        self.map.get(&id)
    }

    pub(crate) fn live(&self, id: u64) -> Option<&Record> {
        self.map.get(&id).filter(|record| record.is_live())
    }

    /// Follows a merge to the record that survives.
    pub(crate) fn resolve(&self, id: u64) -> u64 {
        let mut at = id;
        // Each step leads to a younger record, so the chain ends.
        while let Some(next) = self.forward.get(&at) {
            at = *next;
        }
        at
    }

    pub(crate) fn forward(&mut self, from: u64, to: u64) {
        self.forward.insert(from, to);
    }

    /// Whether the record was merged into another one: its id leads there, and nobody can bring it back.
    pub(crate) fn is_merged_away(&self, id: u64) -> bool {
        self.forward.contains_key(&id)
    }

    /// How many retired ids lead to this record.
    pub(crate) fn merged_into(&self, id: u64) -> usize {
        self.forward.keys().filter(|from| self.resolve(**from) == id).count()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.map.values()
    }

    pub(crate) fn range_from(&self, id: u64) -> impl Iterator<Item = &Record> {
        self.map.range(id..).map(|(_, record)| record)
    }

    /// Records changed at or after `from`, by that time.
    pub(crate) fn modified_since(&self, from: Millis) -> impl Iterator<Item = &Record> {
        self.by_modified.range((from, 0)..).filter_map(|(_, id)| self.map.get(id))
    }

    pub(crate) fn live_count(&self) -> u64 {
        self.live
    }

    pub(crate) fn is_empty_of_live(&self) -> bool {
        self.live == 0
    }

    pub(crate) fn insert(&mut self, record: Record) {
        self.by_modified.insert((record.updated_at, record.id));
        self.live += u64::from(record.is_live());
        self.map.insert(record.id, record);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Record> {
        let record = self.map.remove(&id)?;
        self.by_modified.remove(&(record.updated_at, id));
        self.live -= u64::from(record.is_live());
        Some(record)
    }

    /// Changes a record in place and keeps the indexes by time and liveness true.
    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let record = self.map.get_mut(&id)?;
        let (before, was_live) = (record.updated_at, record.is_live());
        let out = change(record);
        if record.updated_at != before {
            self.by_modified.remove(&(before, id));
            self.by_modified.insert((record.updated_at, id));
        }
        match (was_live, record.is_live()) {
            (true, false) => self.live -= 1,
            (false, true) => self.live += 1,
            _ => {}
        }
        Some(out)
    }

    pub(crate) fn holder(&self, prop: PropKey, value: &str) -> Option<u64> {
        self.unique.get(&prop)?.get(value).copied()
    }

    pub(crate) fn claim(&mut self, prop: PropKey, value: &str, id: u64) {
        if !value.is_empty() {
            self.unique.entry(prop).or_default().insert(Box::from(value), id);
        }
    }

    pub(crate) fn release(&mut self, prop: PropKey, value: &str, id: u64) {
        if let Some(values) = self.unique.get_mut(&prop)
            && values.get(value) == Some(&id)
        {
            values.remove(value);
        }
    }

    /// Forgets everything claimed under a property.
    pub(crate) fn release_all(&mut self, prop: PropKey) {
        self.unique.remove(&prop);
    }

    /// Rebuilds what a snapshot leaves out, except unique values, which need the definitions.
    pub(crate) fn rebuild(&mut self) {
        self.by_modified = self.map.values().map(|record| (record.updated_at, record.id)).collect();
        self.live = self.map.values().filter(|record| record.is_live()).count() as u64;
    }
}
