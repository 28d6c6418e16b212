//! A state store in memory, said a second time: what the embedded one is held against.
//!
//! A [`Memory`] is what a disk is to a file: it outlives the stores that are opened on it, and lets one of them in at
//! a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sync_types::{
    ConflictFilter, DeadLetter, DeadLetterFilter, Edge, EdgePlace, EdgeState, ExternalId, HeldConflict,
    Intent, LedgerEntry, NameId, NameKind, OpId, Pair, PairId, PairWrite, ReadyEdge, RecordId, RunRecord,
    Sighting, StateStore, StoreError, StoreErrorKind, Totals, Transition, Writing,
};

/// An identifier in the order of the embedded store: numbers before texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

fn key(text: &str) -> Key {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text && number >= 0 => Key::Number(number),
        _ => Key::Text(text.to_owned()),
    }
}

/// What the store holds.
#[derive(Clone, Debug, Default)]
struct State {
    names: Vec<(u8, String)>,
    pairs: BTreeMap<PairId, (NameId, Pair)>,
    by_external: BTreeMap<(NameId, Key), PairId>,
    by_record: BTreeMap<(NameId, Key), PairId>,
    last_pair: u64,
    /// By pair, rule and far end.
    edges: BTreeMap<(PairId, NameId, Key), (ExternalId, EdgeState)>,
    intents: BTreeMap<OpId, Intent>,
    letters: BTreeMap<(NameId, Key), DeadLetter>,
    /// By link, record, property and how it was settled.
    conflicts: BTreeMap<(NameId, Key, NameId, String), HeldConflict>,
    /// By the order in which they were told.
    sightings: Vec<(NameId, Sighting)>,
    merged: BTreeMap<(NameId, RecordId), RecordId>,
    dirty: Vec<(NameId, ExternalId)>,
    cursors: BTreeMap<String, String>,
    ledger: Vec<LedgerEntry>,
    writings: BTreeMap<OpId, Writing>,
    runs: BTreeMap<u64, RunRecord>,
}

/// What a transition that fails leaves as it was.
struct Before {
    pairs: BTreeMap<PairId, (NameId, Pair)>,
    by_external: BTreeMap<(NameId, Key), PairId>,
    by_record: BTreeMap<(NameId, Key), PairId>,
    edges: BTreeMap<(PairId, NameId, Key), (ExternalId, EdgeState)>,
    last_pair: u64,
}

/// What outlives the stores that are opened on it.
#[derive(Clone, Debug)]
pub struct Memory {
    key: [u8; 16],
    state: Arc<Mutex<State>>,
    is_held: Arc<AtomicBool>,
}

impl Memory {
    /// An empty one, whose fingerprints have this key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Memory {
        Memory { key, state: Arc::default(), is_held: Arc::default() }
    }

    /// Opens a store on it.
    ///
    /// # Errors
    /// [`StoreErrorKind::Locked`] while another store on it lives.
    pub fn open(&self) -> Result<MemoryStore, StoreError> {
        if self.is_held.swap(true, Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Locked, "the state is in use by another process"));
        }
        Ok(MemoryStore { memory: self.clone(), commits: 0 })
    }

    /// All that it holds, as text: to look for what must not stand there.
    #[must_use]
    pub fn dump(&self) -> String {
        format!("{:?}", self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A state store on a [`Memory`], held until it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    memory: Memory,
    commits: u64,
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.memory.is_held.store(false, Ordering::SeqCst);
    }
}

impl State {
    fn pair(&self, link: NameId, external: &str) -> Option<&Pair> {
        self.pairs.get(self.by_external.get(&(link, key(external)))?).map(|(_, pair)| pair)
    }

    fn pair_of(&self, link: NameId, record: &str) -> Option<&Pair> {
        self.pairs.get(self.by_record.get(&(link, key(record)))?).map(|(_, pair)| pair)
    }

    /// Edges of a rule after a place, in order.
    fn edges_after(
        &self,
        rule: NameId,
        after: Option<&EdgePlace>,
    ) -> impl Iterator<Item = (EdgePlace, EdgeState)> {
        let after = after.map(|place| (place.from, key(place.to.as_str())));
        let mut found: Vec<(PairId, Key, EdgePlace, EdgeState)> = self
            .edges
            .iter()
            .filter(|((_, of, _), _)| *of == rule)
            .map(|((from, _, far), (to, state))| {
                (*from, far.clone(), EdgePlace { from: *from, to: to.clone() }, *state)
            })
            .filter(|(from, far, ..)| after.as_ref().is_none_or(|after| (*from, far.clone()) > *after))
            .collect();
        found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        found.into_iter().map(|(_, _, place, state)| (place, state))
    }

    fn write_pair(&mut self, write: &PairWrite) -> Result<(), StoreError> {
        let external = key(write.external.as_str());
        let known = self.by_external.get(&(write.link, external.clone())).copied();
        let id = known.unwrap_or(PairId(self.last_pair + 1));
        if let Some(record) = &write.record {
            let holder = self.by_record.get(&(write.link, key(record.as_str())));
            if holder.is_some_and(|holder| *holder != id) {
                return Err(StoreError::new(StoreErrorKind::Io, "a record belongs to another pair"));
            }
        }
        if let Some((_, Pair { record: Some(record), .. })) = self.pairs.get(&id) {
            self.by_record.remove(&(write.link, key(record.as_str())));
        }
        self.last_pair = self.last_pair.max(id.0);
        self.by_external.insert((write.link, external.clone()), id);
        if let Some(record) = &write.record {
            self.by_record.insert((write.link, key(record.as_str())), id);
        }
        let pair = Pair {
            id,
            external: write.external.clone(),
            record: write.record.clone(),
            generation: write.generation,
            state: write.state,
            since: write.since,
            row: write.row,
            bases: write.bases.clone(),
        };
        self.pairs.insert(id, (write.link, pair));
        if let Some(rules) = &write.renew_edges {
            for ((from, rule, far), (_, state)) in &mut self.edges {
                let is_ours = *from == id || rules.contains(rule) && *far == external;
                let is_over = matches!(state, EdgeState::There | EdgeState::Refused | EdgeState::TakenBack);
                if is_ours && is_over {
                    *state = EdgeState::Wanted;
                }
            }
        }
        for (rule, to) in &write.want {
            let (_, state) = self
                .edges
                .entry((id, *rule, key(to.as_str())))
                .or_insert_with(|| (to.clone(), EdgeState::Wanted));
            if *state == EdgeState::Unwanted {
                *state = EdgeState::Wanted;
            }
        }
        for (rule, to) in &write.unwant {
            if let Some((_, state)) = self.edges.get_mut(&(id, *rule, key(to.as_str()))) {
                *state = EdgeState::Unwanted;
            }
        }
        Ok(())
    }

    fn apply(&mut self, t: &Transition) -> Result<(), StoreError> {
        // All or nothing: what can fail comes first.
        let before = Before {
            pairs: self.pairs.clone(),
            by_external: self.by_external.clone(),
            by_record: self.by_record.clone(),
            edges: self.edges.clone(),
            last_pair: self.last_pair,
        };
        if let Some(error) = t.pairs.iter().find_map(|write| self.write_pair(write).err()) {
            let Before { pairs, by_external, by_record, edges, last_pair } = before;
            (self.pairs, self.by_external, self.by_record) = (pairs, by_external, by_record);
            (self.edges, self.last_pair) = (edges, last_pair);
            return Err(error);
        }
        for (id, row) in &t.rows {
            if let Some((_, pair)) = self.pairs.get_mut(id) {
                pair.row = *row;
            }
        }
        for (rule, at, state) in &t.edges {
            let place = (at.from, *rule, key(at.to.as_str()));
            match (state, self.edges.get_mut(&place)) {
                (None, _) => {
                    self.edges.remove(&place);
                }
                (Some(state), Some(known)) => known.1 = *state,
                (Some(_), None) => {}
            }
        }
        self.intents.extend(t.open.iter().map(|intent| (intent.op, intent.clone())));
        self.intents.retain(|op, _| !t.close.contains(op));
        self.apply_letters(t);
        self.apply_conflicts(t);
        self.apply_sightings(t);
        self.dirty.retain(|known| !t.clean.contains(known));
        for asked in &t.dirty {
            if !self.dirty.contains(asked) {
                self.dirty.push(asked.clone());
            }
        }
        self.cursors.extend(t.cursors.iter().cloned());
        self.ledger.extend(t.ledger.iter().cloned());
        self.writings.extend(t.writings.iter().map(|writing| (writing.op, writing.clone())));
        if let Some(before) = t.forget_writings {
            self.writings.retain(|_, writing| writing.at.as_millisecond() >= before.as_millisecond());
        }
        if let Some(run) = &t.run {
            self.runs.insert(run.run, run.clone());
        }
        Ok(())
    }

    fn apply_letters(&mut self, t: &Transition) {
        for letter in &t.park {
            let place = (letter.link, key(letter.external.as_str()));
            let known = self.letters.get(&place);
            let (first_run, tries) =
                known.map_or((letter.first_run, 0), |known| (known.first_run, known.tries));
            let letter = DeadLetter { first_run, tries: tries + letter.tries, ..letter.clone() };
            self.letters.insert(place, letter);
        }
        for (link, id) in &t.unpark {
            self.letters.remove(&(*link, key(id.as_str())));
        }
        for (link, run) in &t.forget_places {
            self.letters.retain(|(of, _), letter| of != link || !letter.is_place || letter.last_run >= *run);
        }
    }

    fn apply_conflicts(&mut self, t: &Transition) {
        for (link, external, property) in &t.release {
            self.conflicts.remove(&(*link, key(external.as_str()), *property, String::new()));
        }
        for held in &t.hold {
            let settled = if held.is_settled {
                format!("{} {} {} {}", held.run, held.cause, held.left, held.right)
            } else {
                String::new()
            };
            let place = (held.link, key(held.external.as_str()), held.property, settled);
            self.conflicts.insert(place, held.clone());
        }
    }

    /// First what was looked at, then what was told since.
    fn apply_sightings(&mut self, t: &Transition) {
        self.sightings.retain(|(link, told)| !t.sighted.contains(&(*link, told.record.clone())));
        for (link, told) in &t.sight {
            let is_same = |(of, known): &&mut (NameId, Sighting)| {
                *of == *link
                    && known.record == told.record
                    && std::mem::discriminant(&known.kind) == std::mem::discriminant(&told.kind)
            };
            match self.sightings.iter_mut().find(is_same) {
                Some((_, known)) => known.kind = told.kind.clone(),
                None => self.sightings.push((*link, told.clone())),
            }
        }
        for (link, old, new) in &t.merged {
            for ((of, _), into) in &mut self.merged {
                if of == link && into == old {
                    *into = new.clone();
                }
            }
            self.merged.remove(&(*link, new.clone()));
            self.merged.insert((*link, old.clone()), new.clone());
        }
    }
}

fn counted<K: Ord + Clone>(keys: impl Iterator<Item = K>) -> Vec<(K, u64)> {
    let mut counts = BTreeMap::<K, u64>::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn rank(state: EdgeState) -> u8 {
    match state {
        EdgeState::Wanted => 0,
        EdgeState::There => 1,
        EdgeState::Unwanted => 2,
        EdgeState::Refused => 3,
        EdgeState::TakenBack => 4,
    }
}

const STATES: [EdgeState; 5] =
    [EdgeState::Wanted, EdgeState::There, EdgeState::Unwanted, EdgeState::Refused, EdgeState::TakenBack];

fn up_to(max: usize) -> usize {
    if max == 0 { usize::MAX } else { max }
}

impl StateStore for MemoryStore {
    fn fingerprint_key(&self) -> [u8; 16] {
        self.memory.key
    }

    fn name(&mut self, kind: NameKind, name: &str) -> Result<NameId, StoreError> {
        let kind = match kind {
            NameKind::Link => 0,
            NameKind::EdgeRule => 1,
            NameKind::Property => 2,
        };
        let mut state = self.memory.state();
        let found = state.names.iter().position(|known| *known == (kind, name.to_owned()));
        let place = found.unwrap_or_else(|| {
            state.names.push((kind, name.to_owned()));
            state.names.len() - 1
        });
        u16::try_from(place + 1)
            .map(NameId)
            .map_err(|_| StoreError::new(StoreErrorKind::Io, "too many names"))
    }

    fn pairs(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<Pair>>, StoreError> {
        let state = self.memory.state();
        Ok(ids.iter().map(|id| state.pair(link, id.as_str()).cloned()).collect())
    }

    fn pairs_by_record(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<Pair>>, StoreError> {
        let state = self.memory.state();
        Ok(ids.iter().map(|id| state.pair_of(link, id.as_str()).cloned()).collect())
    }

    fn scan_pairs(&self, link: NameId, after: PairId, max: usize) -> Result<Vec<Pair>, StoreError> {
        let state = self.memory.state();
        let rest = state.pairs.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        Ok(rest.filter(|(_, (of, _))| *of == link).map(|(_, (_, pair))| pair.clone()).take(max).collect())
    }

    fn last_pair(&self) -> Result<PairId, StoreError> {
        Ok(PairId(self.memory.state().last_pair))
    }

    fn edges_of(&self, pairs: &[PairId]) -> Result<Vec<Vec<Edge>>, StoreError> {
        let state = self.memory.state();
        let of = |pair: &PairId| {
            let edges = state.edges.iter().filter(|((from, ..), _)| from == pair);
            edges
                .map(|((_, rule, _), (to, state))| Edge { rule: *rule, to: to.clone(), state: *state })
                .collect()
        };
        Ok(pairs.iter().map(of).collect())
    }

    fn ready_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        wanted: EdgeState,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<ReadyEdge>, StoreError> {
        if wanted == EdgeState::There {
            return Ok(Vec::new());
        }
        let state = self.memory.state();
        let ready =
            state.edges_after(rule, after).filter(|(_, found)| *found == wanted).filter_map(|(place, _)| {
                let from = state.pairs.get(&place.from)?.1.record.clone()?;
                let to = state.pair(to_link, place.to.as_str())?.record.clone()?;
                Some(ReadyEdge { place, from, to })
            });
        Ok(ready.take(max).collect())
    }

    fn waiting_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<(EdgePlace, ExternalId)>, StoreError> {
        let state = self.memory.state();
        let is_waiting = |place: &EdgePlace| {
            state.pair(to_link, place.to.as_str()).is_none_or(|pair| pair.record.is_none())
        };
        let waiting = state
            .edges_after(rule, after)
            .filter(|(place, found)| *found == EdgeState::Wanted && is_waiting(place))
            .filter_map(|(place, _)| {
                let near = state.pairs.get(&place.from)?.1.external.clone();
                Some((place, near))
            });
        Ok(waiting.take(max).collect())
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        Ok(self.memory.state().intents.values().cloned().collect())
    }

    fn parked(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<DeadLetter>>, StoreError> {
        let state = self.memory.state();
        Ok(ids.iter().map(|id| state.letters.get(&(link, key(id.as_str()))).cloned()).collect())
    }

    fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        let state = self.memory.state();
        let mut found: Vec<DeadLetter> = state
            .letters
            .values()
            .filter(|letter| filter.link.is_none_or(|link| link == letter.link))
            .filter(|letter| filter.cause.as_ref().is_none_or(|cause| *cause == letter.cause))
            .filter(|letter| filter.external.as_ref().is_none_or(|id| *id == letter.external))
            .cloned()
            .collect();
        found.sort_by_key(|letter| letter.first_run);
        found.truncate(up_to(filter.max));
        Ok(found)
    }

    fn conflicts(&self, filter: &ConflictFilter) -> Result<Vec<HeldConflict>, StoreError> {
        let state = self.memory.state();
        let mut found: Vec<HeldConflict> = state
            .conflicts
            .values()
            .filter(|held| held.is_settled == filter.settled)
            .filter(|held| filter.link.is_none_or(|link| link == held.link))
            .filter(|held| filter.cause.as_ref().is_none_or(|cause| *cause == held.cause))
            .filter(|held| filter.external.as_ref().is_none_or(|id| *id == held.external))
            .cloned()
            .collect();
        found.sort_by_key(|held| held.run);
        found.truncate(up_to(filter.max));
        Ok(found)
    }

    fn conflicts_of(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Vec<HeldConflict>>, StoreError> {
        let state = self.memory.state();
        let of = |id: &ExternalId| {
            let held = state.conflicts.values().filter(|held| !held.is_settled && held.link == link);
            held.filter(|held| held.external == *id).cloned().collect()
        };
        Ok(ids.iter().map(of).collect())
    }

    fn sighted(&self, link: NameId, max: usize) -> Result<Vec<Sighting>, StoreError> {
        let state = self.memory.state();
        let told = state.sightings.iter().filter(|(of, _)| *of == link);
        Ok(told.map(|(_, told)| told.clone()).take(max).collect())
    }

    fn survivors(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<RecordId>>, StoreError> {
        let state = self.memory.state();
        Ok(ids.iter().map(|id| state.merged.get(&(link, id.clone())).cloned()).collect())
    }

    fn dirty(&self, link: NameId, max: usize) -> Result<Vec<ExternalId>, StoreError> {
        let state = self.memory.state();
        let asked = state.dirty.iter().filter(|(of, _)| *of == link);
        Ok(asked.map(|(_, id)| id.clone()).take(max).collect())
    }

    fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.memory.state().cursors.get(name).cloned())
    }

    fn runs(&self, max: usize) -> Result<Vec<RunRecord>, StoreError> {
        Ok(self.memory.state().runs.values().rev().take(max).cloned().collect())
    }

    fn writings(&self, from_run: u64, after: OpId, max: usize) -> Result<Vec<Writing>, StoreError> {
        let state = self.memory.state();
        let rest = state.writings.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        Ok(rest
            .map(|(_, writing)| writing)
            .filter(|writing| writing.run >= from_run)
            .take(max)
            .cloned()
            .collect())
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let state = self.memory.state();
        let named = |counts: Vec<((NameId, String), u64)>| {
            counts.into_iter().map(|((name, cause), count)| (name, cause, count)).collect()
        };
        let paired = state.pairs.values().filter(|(_, pair)| pair.record.is_some()).map(|(link, _)| *link);
        let edges = counted(state.edges.iter().map(|((_, rule, _), (_, state))| (*rule, rank(*state))));
        let letters = state.letters.values().map(|letter| (letter.link, letter.cause.clone()));
        let held = state.conflicts.values().filter(|held| !held.is_settled);
        Ok(Totals {
            pairs: counted(paired),
            edges: edges
                .into_iter()
                .filter_map(|((rule, state), count)| Some((rule, *STATES.get(usize::from(state))?, count)))
                .collect(),
            dead_letters: named(counted(letters)),
            open_intents: state.intents.len() as u64,
            dirty: state.dirty.len() as u64,
            conflicts: named(counted(held.map(|held| (held.link, held.cause.clone())))),
            sighted: state.sightings.len() as u64,
            commits: self.commits,
            bytes: 0,
        })
    }

    fn commit(&mut self, transition: &Transition) -> Result<(), StoreError> {
        if transition.is_empty() {
            return Ok(());
        }
        self.memory.state().apply(transition)?;
        self.commits += 1;
        Ok(())
    }
}
