//! Updates of HubSpot of which nobody has noted what came of them: their histories tell whether they arrived and what
//! they have overwritten.
//!
//! A run that was cut off leaves them behind. An undo has each of its own looked up this way as soon as it was sent, so
//! that a crash in between changes nothing: whoever comes next looks them up.

use std::collections::{BTreeMap, HashMap, HashSet};

use sync_types::{
    ConflictFilter, Direction, ExternalId, Fate, FieldBase, FieldWrite, Fingerprint, HeldConflict, Intent,
    LinkId, Pair, PairState, RecordId, Value, Version, Writing, WrittenRow,
};

use crate::audit::has_say;
use crate::decide::HoldCause;
use crate::error::EngineError;
use crate::meet::cause_code;
use crate::mutation::{self, Bug};
use crate::plan::{base_of, set_base};
use crate::run::Run;
use crate::undo::as_it_is;

/// A record that may have been written.
#[derive(Debug)]
pub(crate) struct Doubt {
    pair: Pair,
    record: RecordId,
    /// What an undo was about to write; `None`: a run was, and what was agreed before tells.
    undone: Option<Vec<FieldWrite>>,
}

impl Doubt {
    fn id(&self) -> ExternalId {
        self.pair.external.clone()
    }
}

/// What is known of a property before its history is looked at.
#[derive(Clone, Copy, Debug)]
struct Known<'a> {
    /// What it showed before it was written: what lies below in its history was settled long since.
    was: Option<Fingerprint>,
    /// Values that were overwritten knowingly, by a policy or a person's word.
    chosen: &'a [Fingerprint],
    /// Values that were overwritten unknowingly, and told.
    told: &'a [Fingerprint],
    /// Whether what people set is put back: then it is not enough to have told it.
    has_say: bool,
    /// The fingerprint of nothing, where emptying a property counts for no loss.
    nothing: Option<Fingerprint>,
}

/// What a property's history tells.
#[derive(Debug, PartialEq, Eq)]
struct Found<'v> {
    /// What somebody had set and we have overwritten without having known of it.
    lost: Option<&'v Version>,
    /// The same, below a newer value of somebody's: it cannot be put back any more, only told.
    buried: Vec<&'v Version>,
    /// Whether what is shown is what we wrote, and nobody's that we have put back.
    arrived: bool,
}

/// Reads a history, the newest version first. Pure.
fn read<'v>(
    history: &'v [Version],
    known: Known<'_>,
    print: impl Fn(&Version) -> Fingerprint,
    is_ours: impl Fn(&Version) -> bool,
) -> Found<'v> {
    let floor = history.iter().position(|version| Some(print(version)) == known.was);
    let history = floor.and_then(|at| history.get(..=at)).unwrap_or(history);
    let is_known =
        |of: Fingerprint| Some(of) == known.nothing || Some(of) == known.was || known.chosen.contains(&of);
    let is_told = |of: Fingerprint| is_known(of) || known.told.contains(&of);
    // Right below our versions, and not known.
    let below = |from: usize, is_known: &dyn Fn(Fingerprint) -> bool| {
        let (ours, rest) = history.get(from..)?.split_first()?;
        let before = rest.iter().find(|before| !is_ours(before))?;
        let foreign = print(before);
        Some(before).filter(|_| is_ours(ours) && !is_known(foreign) && foreign != print(ours))
    };
    let lost = if known.has_say { below(0, &is_known) } else { below(0, &is_told) };
    let buried = (1..history.len()).filter_map(|from| below(from, &is_told)).collect();
    let arrived = lost.is_none()
        && history.split_first().is_some_and(|(newest, rest)| {
            let before = rest.iter().find(|before| !is_ours(before));
            let is_theirs = before.is_some_and(|before| print(before) == print(newest));
            is_ours(newest) && !is_theirs && Some(print(newest)) != known.was
        });
    Found { lost, buried, arrived }
}

/// A record that several updates were about to write is looked up once, for all of them: what is put back goes with one
/// request.
fn each_once(doubts: Vec<Doubt>) -> Vec<Doubt> {
    if mutation::is(Bug::DoubtTwice) {
        return doubts;
    }
    let mut once: Vec<Doubt> = Vec::with_capacity(doubts.len());
    let mut places: HashMap<ExternalId, usize> = HashMap::new();
    for doubt in doubts {
        match places.get(&doubt.pair.external).and_then(|place| once.get_mut(*place)) {
            Some(known) => {
                if let (Some(known), Some(fields)) = (&mut known.undone, doubt.undone) {
                    known.extend(fields);
                }
            }
            None => {
                places.insert(doubt.id(), once.len());
                once.push(doubt);
            }
        }
    }
    once
}

impl Run<'_> {
    /// Looks up what these updates came to, and puts back what they have overwritten. False: not everything is known, or
    /// back, and their intents stay open. Names the records of which something was put back.
    pub(crate) async fn look_up(
        &mut self,
        doubts: BTreeMap<LinkId, Vec<Doubt>>,
    ) -> Result<(bool, Vec<(LinkId, ExternalId)>), EngineError> {
        let mut put_back = Vec::new();
        if !self.engine.parts.options.audit || mutation::is(Bug::NoAudit) {
            return Ok((true, put_back));
        }
        let size = (self.engine.parts.destination.limits().read_max / 2).max(1);
        let mut is_known = true;
        for (link, mut doubts) in doubts {
            // What an undo put back was sent by an operation of its own, which says nothing that the undo's does not.
            let undone: HashSet<ExternalId> =
                doubts.iter().filter(|doubt| doubt.undone.is_some()).map(Doubt::id).collect();
            doubts.retain(|doubt| doubt.undone.is_some() || !undone.contains(&doubt.pair.external));
            let doubts = each_once(doubts);
            for some in doubts.chunks(size) {
                is_known &= self.look_up_some(link, some, &mut put_back).await?;
                if self.halt.is_some() {
                    return Ok((false, put_back));
                }
            }
        }
        self.drain().await?;
        Ok((is_known && self.halt.is_none() && !self.is_unsettled, put_back))
    }

    /// The records that an update was about to write, as far as they are pairs.
    pub(crate) fn doubts_of(
        &self,
        intent: &Intent,
        undone: Option<&Writing>,
    ) -> Result<Vec<Doubt>, EngineError> {
        let ids: Vec<ExternalId> = intent.rows.iter().map(|(id, _)| id.clone()).collect();
        let pairs = self.engine.parts.store.pairs(intent.subject, &ids)?.into_iter().flatten();
        let doubts = pairs.filter(|pair| pair.state != PairState::Erased).filter_map(|pair| {
            let fields = undone.map(|writing| {
                let rows = writing.rows.iter();
                let of = rows.filter_map(|row| match row {
                    WrittenRow::Record { id, fields, .. } if *id == pair.external => Some(fields),
                    _ => None,
                });
                of.flatten().copied().collect()
            });
            Some(Doubt { record: pair.record.clone()?, pair, undone: fields })
        });
        Ok(doubts.collect())
    }

    async fn look_up_some(
        &mut self,
        link: LinkId,
        doubts: &[Doubt],
        put_back: &mut Vec<(LinkId, ExternalId)>,
    ) -> Result<bool, EngineError> {
        let (object, properties) = self.history_read(link);
        let lane = self.engine.parts.options.lane;
        let ids: Vec<RecordId> = doubts.iter().map(|doubt| doubt.record.clone()).collect();
        let destination = self.destination();
        let histories = match destination.history(&object, &ids, &properties, lane).await {
            Ok(histories) => histories,
            Err(error) => {
                self.halt = Some(error.to_string());
                return Ok(false);
            }
        };
        let mut absent = Vec::new();
        for (doubt, histories) in
            doubts.iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            if histories.iter().all(Vec::is_empty) {
                absent.push(doubt.record.clone());
            } else if self.look_up_one(link, doubt, &histories)? {
                put_back.push((link, doubt.pair.external.clone()));
            }
        }
        if absent.is_empty() {
            return Ok(true);
        }
        // In a record that is gone nothing can be put back; in one that was only not found it can, next time.
        match destination.fates(&object, &absent, lane).await {
            Ok(fates) => Ok(!fates.contains(&Fate::Live)),
            Err(error) => {
                self.halt = Some(error.to_string());
                Ok(false)
            }
        }
    }

    /// Tells what was overwritten, has put back what can be, and notes what arrived. True: something is put back.
    fn look_up_one(
        &mut self,
        link: LinkId,
        doubt: &Doubt,
        histories: &[Vec<Version>],
    ) -> Result<bool, EngineError> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let (spec, name, null) = (self.link(link).clone(), self.names(link), self.null);
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let (external, record) = (&doubt.pair.external, &doubt.record);
        let author = self.author_of(histories);
        let prints = self.prints.clone();
        let print = |index: usize, version: &Version| {
            prints.value(&mapper.canonical(link, index, version.value.clone()))
        };
        let (chosen, told) = self.overwritten_before(link, external)?;
        let shown = |index: usize| {
            let newest = histories.get(index).and_then(|versions| versions.first());
            newest.map_or(null, |version| print(index, version))
        };
        let right: Box<[Fingerprint]> = (0..names.len()).map(shown).collect();
        let mut bases = doubt.pair.bases.clone();
        let mut restore: Vec<(u16, Value)> = Vec::new();
        for (index, ((property, id), now)) in spec.properties.iter().zip(&names).zip(&right).enumerate() {
            let base = base_of(&doubt.pair.bases, *id).copied();
            let (was, after, says) = match &doubt.undone {
                // What it wrote and nothing else, whoever has a say: newer than what was undone is newer.
                Some(fields) => match fields.iter().find(|field| field.property == *id) {
                    Some(field) => (field.before, Some(field.after), true),
                    None => continue,
                },
                None if property.direction == Direction::Both || has_say(property) => {
                    (base.map(|base| base.right), None, has_say(property))
                }
                None => continue,
            };
            let history = histories.get(index).map_or(&[][..], Vec::as_slice);
            let of = |version: &Version| print(index, version);
            if after.is_some() && was != Some(null) && !history.iter().any(|version| Some(of(version)) == was)
            {
                // It does not reach back to the moment of the undo, or is another record's: nothing is certain.
                continue;
            }
            let is_ours = |version: &Version| {
                author.as_deref() == Some(&*version.by) || after.is_some_and(|after| of(version) == after)
            };
            // An undo knows of nothing but what it saw right before it wrote.
            let is_run = after.is_none();
            let known = Known {
                was,
                chosen: if is_run { &chosen } else { &[] },
                told: &told,
                has_say: says,
                nothing: Some(null).filter(|_| is_run),
            };
            let found = read(history, known, of, is_ours);
            let left = base.map_or(null, |base| base.left);
            for version in found.buried.iter().copied().chain(found.lost) {
                let line = self.lost(link, external, record, *id, left, of(version), version);
                self.tx.hold.push(line);
                self.links_report(link).overridden += 1;
            }
            let Ok(place) = u16::try_from(index) else { break };
            match found.lost {
                Some(hers) if says => restore.push((place, hers.value.clone())),
                // What we wrote stands; should the left have moved on since, it is written again.
                Some(_) => set_base(&mut bases, FieldBase { property: *id, left: *now, right: *now }),
                // Nobody but the left has moved since.
                None if found.arrived && after.is_none() && base.is_some() => {
                    set_base(&mut bases, FieldBase { property: *id, left: *now, right: *now });
                }
                None => {}
            }
        }
        if doubt.undone.is_none() {
            // Both sides are looked at again, with what is known now.
            self.tx.dirty.push((name, external.clone()));
            if bases != doubt.pair.bases {
                let noted = as_it_is(name, &doubt.pair);
                self.tx.pairs.push(sync_types::PairWrite {
                    row: Fingerprint(0),
                    bases: bases.clone(),
                    ..noted
                });
            }
        }
        if restore.is_empty() {
            return Ok(false);
        }
        let left = names.iter().map(|id| base_of(&bases, *id).map(|base| base.left)).collect();
        let lane = self.engine.parts.options.lane;
        let whom = (external.clone(), doubt.pair.generation);
        self.restore(link, lane, whom, record.clone(), left, right, bases, restore);
        Ok(true)
    }

    /// How the right's history names our own writes, as far as is known: by an audit, or else by who has set this
    /// record's sync key, the last that is read. A record without one bears no write of ours.
    fn author_of(&self, histories: &[Vec<Version>]) -> Option<String> {
        self.author.clone().or_else(|| Some(histories.last()?.last()?.by.clone()))
    }

    /// Values of a record that were overwritten before: by choice, and because nobody knew of them.
    fn overwritten_before(
        &self,
        link: LinkId,
        external: &ExternalId,
    ) -> Result<(Vec<Fingerprint>, Vec<Fingerprint>), EngineError> {
        let filter = ConflictFilter {
            link: Some(self.names(link)),
            external: Some(external.clone()),
            settled: true,
            ..ConflictFilter::default()
        };
        let known = self.engine.parts.store.conflicts(&filter)?;
        let lost = cause_code(HoldCause::LostUpdate);
        let (lost, chosen): (Vec<_>, Vec<_>) = known.into_iter().partition(|known| known.cause == lost);
        let right = |known: Vec<HeldConflict>| known.into_iter().map(|known| known.right).collect();
        Ok((right(chosen), right(lost)))
    }
}

#[cfg(test)]
mod tests;
