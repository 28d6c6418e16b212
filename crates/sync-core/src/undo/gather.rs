//! From the journal: what a run wrote, each thing once, and who has written it since.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sync_types::{Act, ExternalId, FieldWrite, NameId, PairId, Verb, Writing, WrittenRow};

use crate::decide::Side;
use crate::engine::Engine;
use crate::error::EngineError;

/// A record that the run wrote: the link, the side, and whether it is named by the HubSpot record it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) link: NameId,
    pub(super) side: Side,
    pub(super) made_of: bool,
    pub(super) id: ExternalId,
}

/// What the run did to it, all its operations taken together.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) act: Act,
    /// When it was first about to be written.
    pub(super) at: Timestamp,
    /// Each property with what it showed before the first and after the last operation.
    pub(super) fields: Vec<FieldWrite>,
}

/// An association that the run added or removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EdgeKey {
    pub(super) rule: NameId,
    pub(super) from: PairId,
    pub(super) to: ExternalId,
}

/// Everything that a run wrote.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) records: BTreeMap<Place, Written>,
    /// Associations, and whether the run has removed them.
    pub(super) edges: BTreeMap<EdgeKey, bool>,
    /// Properties that later runs have written, with those runs in order; `None`: the record as a whole. A run and the
    /// one that took it back are left out together.
    later: HashMap<(Place, Option<NameId>), Vec<u64>>,
    later_edges: HashMap<EdgeKey, Vec<u64>>,
    /// Runs that took back another one, each with that one.
    undos: HashMap<u64, u64>,
    /// What earlier attempts to take this run back were about to write.
    attempted: HashMap<(Place, NameId), FieldWrite>,
    /// Whether anything of the run is on record.
    pub(super) is_known: bool,
}

impl Gathered {
    /// Reads the journal from a run on. `undos` names the runs that took back another one. Attempts to take back this very
    /// run do not count as later writes: what they have brought back is seen, and what they have not is still to be done.
    pub(super) fn read(engine: &Engine, run: u64, undos: HashMap<u64, u64>) -> Result<Gathered, EngineError> {
        let mut gathered = Gathered { undos, ..Gathered::default() };
        // Whether each association was first added or removed, by the run.
        let mut first: HashMap<EdgeKey, bool> = HashMap::new();
        engine.each_writing(run, |writing| {
            if gathered.undos.get(&writing.run) == Some(&run) {
                gathered.attempt(writing);
            } else {
                gathered.take(writing, run, &mut first);
            }
        })?;
        // Added and removed again, or the other way about: nothing to take back.
        let unchanged: HashSet<EdgeKey> = gathered
            .edges
            .iter()
            .filter(|(key, last)| first.get(key) != Some(last))
            .map(|(key, _)| key.clone())
            .collect();
        gathered.edges.retain(|key, _| !unchanged.contains(key));
        Ok(gathered)
    }

    fn take(&mut self, writing: &Writing, run: u64, first: &mut HashMap<EdgeKey, bool>) {
        let is_its_own = writing.run == run;
        self.is_known |= is_its_own;
        let side = side_of(writing);
        for row in &writing.rows {
            match row {
                WrittenRow::Edge { from, to } => {
                    let key = EdgeKey { rule: writing.subject, from: *from, to: to.clone() };
                    let removed = writing.verb == Verb::Dissociate;
                    if is_its_own {
                        first.entry(key.clone()).or_insert(removed);
                        self.edges.insert(key, removed);
                    } else {
                        note(self.later_edges.entry(key).or_default(), writing.run, &self.undos);
                    }
                }
                WrittenRow::Record { id, act, fields } => {
                    let made_of = side == Side::Left && *act == Act::Make;
                    let place = Place { link: writing.subject, side, made_of, id: id.clone() };
                    if is_its_own {
                        self.merge(place, writing.at, *act, fields);
                        continue;
                    }
                    let properties = fields.iter().map(|field| Some(field.property)).chain([None]);
                    for property in properties {
                        let known = self.later.entry((place.clone(), property)).or_default();
                        note(known, writing.run, &self.undos);
                    }
                }
            }
        }
    }

    fn attempt(&mut self, writing: &Writing) {
        let side = side_of(writing);
        for row in &writing.rows {
            let WrittenRow::Record { id, fields, .. } = row else { continue };
            let place = Place { link: writing.subject, side, made_of: false, id: id.clone() };
            for field in fields {
                self.attempted.insert((place.clone(), field.property), *field);
            }
        }
    }

    fn merge(&mut self, place: Place, at: Timestamp, act: Act, fields: &[FieldWrite]) {
        let known = self.records.entry(place).or_insert_with(|| Written { act, at, fields: Vec::new() });
        match (known.act, act) {
            // What is deleted is gone, whatever happened to it before.
            (_, Act::Delete) => known.act = Act::Delete,
            (Act::Change, Act::Make) => known.act = Act::Make,
            _ => {}
        }
        for field in fields {
            match known.fields.iter_mut().find(|of| of.property == field.property) {
                Some(of) => of.after = field.after,
                None => known.fields.push(*field),
            }
        }
    }

    /// The later run that has written this property, or anything of the record where none is named.
    pub(super) fn written_since(&self, place: &Place, property: Option<NameId>) -> Option<u64> {
        self.later.get(&(place.clone(), property))?.last().copied()
    }

    /// What an earlier attempt to take it back was about to write: what was shown then, and what was to be shown.
    pub(super) fn attempted(&self, place: &Place, property: NameId) -> Option<FieldWrite> {
        self.attempted.get(&(place.clone(), property)).copied()
    }

    pub(super) fn edge_written_since(&self, key: &EdgeKey) -> Option<u64> {
        self.later_edges.get(key)?.last().copied()
    }
}

fn side_of(writing: &Writing) -> Side {
    if writing.verb == Verb::WriteLeft { Side::Left } else { Side::Right }
}

/// Adds a run to those that have written something, unless it took back one of them: then that one goes.
fn note(runs: &mut Vec<u64>, run: u64, undos: &HashMap<u64, u64>) {
    let undone = undos.get(&run).and_then(|undone| runs.iter().position(|known| known == undone));
    match undone {
        Some(at) => drop(runs.remove(at)),
        None if runs.last() != Some(&run) => runs.push(run),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_and_its_undo_cancel_out_and_an_undone_undo_counts_again() {
        // 5 takes back 3, and 7 takes back 5.
        let undos = HashMap::from([(5, 3), (7, 5)]);
        for (written, left) in [
            (vec![3], vec![3]),
            (vec![3, 3], vec![3]),
            (vec![3, 5], vec![]),
            (vec![3, 4, 5], vec![4]),
            (vec![3, 5, 6], vec![6]),
            (vec![3, 5, 7], vec![7]),
            (vec![4, 5], vec![4, 5]),
        ] {
            let mut runs = Vec::new();
            written.iter().for_each(|run| note(&mut runs, *run, &undos));
            assert_eq!(runs, left, "{written:?}");
        }
    }
}
