//! The links between records. Every link is stored from both ends, so each end lists its own in order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::associations::types::{LinkKey, LinkKind, LinkTypes};
use crate::objects::types::TypeKey;
use crate::time::Millis;

/// One record.
pub(crate) type End = (TypeKey, u64);

/// Two records, seen from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) from: End,
    pub(crate) to: End,
}

impl Pair {
    pub(crate) fn reversed(self) -> Pair {
        Pair { from: self.to, to: self.from }
    }

    fn key(self) -> (TypeKey, u64, TypeKey, u64) {
        (self.from.0, self.from.1, self.to.0, self.to.1)
    }
}

/// One association type that a pair holds, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) key: LinkKey,
    pub(crate) at: Millis,
}

/// What a record in the bin was linked to.
type Parked = Vec<(End, Vec<Held>, Vec<Held>)>;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Links {
    #[serde(with = "crate::snapshot::pairs")]
    map: BTreeMap<(TypeKey, u64, TypeKey, u64), Vec<Held>>,
    #[serde(with = "crate::snapshot::pairs")]
    parked: BTreeMap<End, Parked>,
    /// What was made and removed, while somebody listens.
    #[serde(skip)]
    watched: Option<Vec<Watched>>,
}

/// A type that a pair got or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) pair: Pair,
    pub(crate) link: LinkKey,
    pub(crate) removed: bool,
}

impl Links {
    /// Adds a type to a pair, in both directions, with the unlabelled type beside it.
    ///
    /// HubSpot docs: a record has at most one primary company; naming another moves it. The first company of a
    /// contact becomes its primary one.
    pub(crate) fn add(&mut self, types: &LinkTypes, pair: Pair, key: LinkKey, now: Millis) {
        let Some(link_type) = types.get(key) else { return };
        self.hold(types, pair, key, now);
        if link_type.kind != LinkKind::Plain
            && let Some(plain) = types.plain(pair.from.0, pair.to.0)
        {
            self.hold(types, pair, plain.key, now);
        }
        match link_type.kind {
            LinkKind::Primary => self.only_primary(types, pair, key),
            LinkKind::PrimaryReverse => self.only_primary(types, pair.reversed(), link_type.inverse_key()),
            LinkKind::Plain | LinkKind::Label => self.default_primary(types, pair, now),
        }
    }

    fn hold(&mut self, types: &LinkTypes, pair: Pair, key: LinkKey, now: Millis) {
        let Some(link_type) = types.get(key) else { return };
        for (pair, key) in [(pair, key), (pair.reversed(), link_type.inverse_key())] {
            let held = self.map.entry(pair.key()).or_default();
            if !held.iter().any(|held| held.key == key) {
                held.push(Held { key, at: now });
                self.note(pair, key, false);
            }
        }
    }

    fn note(&mut self, pair: Pair, link: LinkKey, removed: bool) {
        if let Some(watched) = &mut self.watched {
            watched.push(Watched { pair, link, removed });
        }
    }

    /// Begins or ends to remember what is made and removed.
    pub(crate) fn watch(&mut self, on: bool) {
        self.watched = if on { Some(self.watched.take().unwrap_or_default()) } else { None };
    }

    /// What was made and removed since the last time. Links that rest with a record in the bin are not among it.
    pub(crate) fn take_watched(&mut self) -> Vec<Watched> {
        self.watched.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the primary type from every other company of the record.
    fn only_primary(&mut self, types: &LinkTypes, pair: Pair, key: LinkKey) {
        let others: Vec<u64> = self
            .list(pair.from, pair.to.0)
            .filter(|(id, held)| *id != pair.to.1 && held.iter().any(|held| held.key == key))
            .map(|(id, _)| id)
            .collect();
        for other in others {
            self.drop_type(types, Pair { from: pair.from, to: (pair.to.0, other) }, key);
        }
    }

    /// Makes the first company of a contact its primary one. Contacts are the first standard type.
    fn default_primary(&mut self, types: &LinkTypes, pair: Pair, now: Millis) {
        const CONTACT: TypeKey = TypeKey(0);
        let pair = if pair.from.0 == CONTACT { pair } else { pair.reversed() };
        if pair.from.0 != CONTACT {
            return;
        }
        let Some(primary) = types.primary(pair.from.0, pair.to.0) else { return };
        let has_one =
            self.list(pair.from, pair.to.0).any(|(_, held)| held.iter().any(|held| held.key == primary.key));
        if !has_one {
            self.hold(types, pair, primary.key, now);
        }
    }

    /// Makes the labelled types of a pair exactly these. The unlabelled type stays.
    pub(crate) fn replace(&mut self, types: &LinkTypes, pair: Pair, keys: &[LinkKey], now: Millis) {
        let surplus: Vec<LinkKey> = self
            .held(pair)
            .iter()
            .map(|held| held.key)
            .filter(|key| !keys.contains(key))
            .filter(|key| types.get(*key).is_some_and(|link_type| link_type.kind != LinkKind::Plain))
            .collect();
        for key in keys {
            self.add(types, pair, *key, now);
        }
        for key in surplus {
            self.drop_type(types, pair, key);
        }
    }

    /// Removes one type of a pair; removing the unlabelled one removes all.
    pub(crate) fn remove_type(&mut self, types: &LinkTypes, pair: Pair, key: LinkKey) {
        match types.get(key).map(|link_type| link_type.kind) {
            Some(LinkKind::Plain) => self.remove_pair(pair),
            Some(_) => self.drop_type(types, pair, key),
            None => {}
        }
    }

    fn drop_type(&mut self, types: &LinkTypes, pair: Pair, key: LinkKey) {
        let Some(link_type) = types.get(key) else { return };
        for (pair, key) in [(pair, key), (pair.reversed(), link_type.inverse_key())] {
            if let Some(held) = self.map.get_mut(&pair.key()) {
                let before = held.len();
                held.retain(|held| held.key != key);
                let lost = held.len() < before;
                if held.is_empty() {
                    self.map.remove(&pair.key());
                }
                if lost {
                    self.note(pair, key, true);
                }
            }
        }
    }

    pub(crate) fn remove_pair(&mut self, pair: Pair) {
        for pair in [pair, pair.reversed()] {
            for held in self.map.remove(&pair.key()).unwrap_or_default() {
                self.note(pair, held.key, true);
            }
        }
    }

    /// Takes a type that is being deleted off every pair.
    pub(crate) fn drop_everywhere(&mut self, keys: &[LinkKey]) {
        self.map.retain(|_, held| {
            held.retain(|held| !keys.contains(&held.key));
            !held.is_empty()
        });
    }

    /// Types that a pair holds; empty when the records are not linked.
    pub(crate) fn held(&self, pair: Pair) -> &[Held] {
        self.map.get(&pair.key()).map_or(&[], Vec::as_slice)
    }

    /// The records of one type that `from` is linked to, by id.
    pub(crate) fn list(&self, from: End, to: TypeKey) -> impl Iterator<Item = (u64, &[Held])> {
        self.list_from(from, to, 0)
    }

    /// Like [`Links::list`], beginning with the first id not below `first`.
    pub(crate) fn list_from(
        &self,
        from: End,
        to: TypeKey,
        first: u64,
    ) -> impl Iterator<Item = (u64, &[Held])> {
        self.map
            .range((from.0, from.1, to, first)..=(from.0, from.1, to, u64::MAX))
            .map(|((_, _, _, id), held)| (*id, held.as_slice()))
    }

    /// Pairs of linked records.
    pub(crate) fn count(&self) -> usize {
        // Every pair is stored from both ends.
        self.map.len() / 2
    }

    fn ends(&self, end: End) -> Vec<End> {
        let last = (end.0, end.1, TypeKey(u32::MAX), u64::MAX);
        self.map.range((end.0, end.1, TypeKey(0), 0)..=last).map(|((_, _, ty, id), _)| (*ty, *id)).collect()
    }

    /// Puts the links of a record aside while it is in the bin.
    pub(crate) fn park(&mut self, end: End) {
        let mut parked = Parked::new();
        for other in self.ends(end) {
            let pair = Pair { from: end, to: other };
            let there = self.map.remove(&pair.key()).unwrap_or_default();
            let back = self.map.remove(&pair.reversed().key()).unwrap_or_default();
            parked.push((other, there, back));
        }
        if !parked.is_empty() {
            self.parked.insert(end, parked);
        }
    }

    /// Brings back the links to records that are alive.
    pub(crate) fn unpark(&mut self, end: End, alive: impl Fn(End) -> bool) {
        for (other, there, back) in self.parked.remove(&end).unwrap_or_default() {
            let pair = Pair { from: end, to: other };
            if alive(other) {
                self.map.insert(pair.key(), there);
                self.map.insert(pair.reversed().key(), back);
            } else if let Some(parked) = self.parked.get_mut(&other) {
                // The other end is in the bin too: it will bring the link back.
                parked.push((end, back, there));
            }
        }
    }

    /// Moves the links of a merged record to the survivor. A survivor keeps its own primary company.
    pub(crate) fn hand_over(&mut self, types: &LinkTypes, from: End, to: End) {
        for other in self.ends(from) {
            let held = self.map.get(&Pair { from, to: other }.key()).cloned().unwrap_or_default();
            self.remove_pair(Pair { from, to: other });
            if other == to {
                continue;
            }
            let target = Pair { from: to, to: other };
            for held in held {
                let Some(link_type) = types.get(held.key) else { continue };
                let taken = link_type.kind == LinkKind::Primary
                    && self.list(to, other.0).any(|(_, theirs)| theirs.iter().any(|one| one.key == held.key));
                if !taken {
                    self.hold(types, target, held.key, held.at);
                }
            }
        }
    }

    /// Removes every trace of a record.
    pub(crate) fn forget(&mut self, end: End) {
        for other in self.ends(end) {
            self.remove_pair(Pair { from: end, to: other });
        }
        self.parked.remove(&end);
        for parked in self.parked.values_mut() {
            parked.retain(|(other, _, _)| *other != end);
        }
    }
}
