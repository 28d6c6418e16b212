//! Reading of the source only what it tells has changed, so that a run costs what has changed and not what is there.
//!
//! What the source tells becomes a durable key to look at, in the transaction that moves the place in its changes; the
//! key goes once its record is settled. A scan of everything comes before, and again whenever the changes alone would
//! not do: see [`Reading`].

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use sync_types::{
    ChangeCursor, ChangesPromise, ChangesRequest, ExternalId, LinkId, OnDelete, PairState, PairWrite,
    ReadCost, SourceChange, SourceErrorKind,
};

use crate::error::EngineError;
use crate::mutation::{self, Bug};
use crate::report::Reading;
use crate::run::{DIRTY_MAX, Mode, Run};

/// Changes taken in by one run; what is left waits for the next.
const TOLD_MAX: usize = 100_000;

/// Missing records that are too few to count all pairs for.
const FEW: u64 = 3;

/// When a link's side of the source was last read in full, as far as it matters: kept under `read/LINK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// From when on it is to be read in full again.
    pub(crate) due: Timestamp,
    /// The mapping's fingerprint with which it was read.
    pub(crate) mapping: u64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:016x}", self.due, self.mapping)
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Mark, ()> {
        let (due, mapping) = text.split_once(' ').ok_or(())?;
        let mapping = u64::from_str_radix(mapping, 16).map_err(|_| ())?;
        Ok(Mark { due: due.parse().map_err(|_| ())?, mapping })
    }
}

/// What decides how a link's side of the source is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// Whether the run writes whatever changed; plans, and what carries them out, read everything.
    pub(crate) is_run: bool,
    /// Whether it is here for the right side, and leaves out what can wait.
    pub(crate) is_for_right: bool,
    /// Whether the link has had its first load.
    pub(crate) is_loaded: bool,
    pub(crate) mark: Option<Mark>,
    /// What the source promises to tell, and whether there is a place to go on from.
    pub(crate) promise: Option<ChangesPromise>,
    pub(crate) has_place: bool,
    /// Whether a deletion at the source means something to the right.
    pub(crate) acts_on_deletions: bool,
    pub(crate) mapping: u64,
    pub(crate) now: Timestamp,
}

/// How a link's side of the source is to be read.
pub(crate) fn reading(of: &Situation) -> Reading {
    if !of.is_run {
        return Reading::Full;
    }
    let Some(mark) = of.mark.filter(|_| of.is_loaded) else { return Reading::First };
    if mark.mapping != of.mapping {
        return Reading::NewMapping;
    }
    match of.promise {
        None if of.is_for_right => Reading::Nothing,
        None => Reading::Full,
        Some(_) if !of.has_place => Reading::First,
        Some(_) if of.is_for_right => Reading::Changes,
        Some(promise) if of.acts_on_deletions && !promise.deletes => Reading::Deletions,
        Some(_) if of.now >= mark.due => Reading::Due,
        Some(_) => Reading::Changes,
    }
}

/// What a source has said of one record since the last run.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// Whether it was deleted when it was last told of.
    deleted: bool,
    /// Whether it was told to be there at any time.
    was_there: bool,
}

impl Run<'_> {
    /// Reads a link's side of the source, as much of it as has to be, and sends what changed.
    pub(crate) async fn read_left(&mut self, link: LinkId) -> Result<(), EngineError> {
        let reading = self.how_to_read(link)?;
        self.links_report(link).reading = reading;
        match reading {
            Reading::Nothing => Ok(()),
            Reading::Changes => match self.follow(link).await? {
                Reading::Changes => Ok(()),
                instead => {
                    self.links_report(link).reading = instead;
                    self.scan_all(link).await
                }
            },
            _ => self.scan_all(link).await,
        }
    }

    fn how_to_read(&self, link: LinkId) -> Result<Reading, EngineError> {
        let (store, spec) = (&self.engine.parts.store, self.link(link));
        let mark = store.cursor(&mark_name(&spec.name))?;
        Ok(reading(&Situation {
            is_run: matches!(self.mode, Mode::Run),
            is_for_right: self.engine.parts.options.right_only,
            is_loaded: store.cursor(&format!("loaded/{}", spec.name))?.is_some(),
            mark: mark.and_then(|mark| mark.parse().ok()),
            promise: self.engine.parts.source.abilities(&spec.collection).changes,
            has_place: store.cursor(&place_name(&spec.name))?.is_some(),
            acts_on_deletions: spec.on_left_delete != OnDelete::Keep,
            mapping: self.engine.parts.mapper.fingerprint(),
            now: self.started,
        }))
    }

    /// Whether the link's source can be asked for changes, so that no scan may come for long.
    pub(crate) fn can_follow(&self, link: LinkId) -> bool {
        self.engine.can_follow(link)
    }

    /// Reads everything. Of a source that can be asked for changes, the place from which they are asked for next is
    /// taken before.
    async fn scan_all(&mut self, link: LinkId) -> Result<(), EngineError> {
        let mut place = None;
        if matches!(self.mode, Mode::Run) && self.can_follow(link) {
            match self.told_after(link, None).await {
                Ok(page) => place = Some(page.cursor),
                Err(error) if error.kind == SourceErrorKind::Unsupported => {}
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            }
        }
        self.scan(link).await?;
        self.scans.insert(link, place);
        Ok(())
    }

    async fn told_after(
        &self,
        link: LinkId,
        after: Option<ChangeCursor>,
    ) -> Result<sync_types::ChangesPage, sync_types::SourceError> {
        let (collection, max) = (self.link(link).collection.clone(), self.engine.parts.options.page);
        self.engine.parts.source.changes(&ChangesRequest { collection, after, max }).await
    }

    /// Takes in what the source tells has changed, and looks at it; gives another way to read where that will not do.
    async fn follow(&mut self, link: LinkId) -> Result<Reading, EngineError> {
        self.commit()?;
        let (name, spec) = (self.names(link), self.link(link));
        let (place_name, collection) = (place_name(&spec.name), spec.collection.clone());
        let is_keyed = self.engine.parts.source.abilities(&collection).read == ReadCost::Keyed;
        let waiting: HashSet<ExternalId> =
            self.engine.parts.store.dirty(name, DIRTY_MAX)?.into_iter().collect();
        let mut place = self.engine.parts.store.cursor(&place_name)?.map(ChangeCursor);
        let mut told = 0;
        loop {
            let page = match self.told_after(link, place.clone()).await {
                Ok(page) => page,
                Err(error) => match error.kind {
                    SourceErrorKind::StaleToken | SourceErrorKind::Unsupported => return Ok(Reading::Gap),
                    _ => {
                        self.halt = Some(error.to_string());
                        return Ok(Reading::Changes);
                    }
                },
            };
            if !is_keyed && !page.changes.is_empty() {
                // To read the few that changed costs as much as to read them all.
                return Ok(Reading::Full);
            }
            told += page.changes.len();
            self.note_told(link, &page.changes, &waiting)?;
            if place.as_ref() != Some(&page.cursor) {
                self.tx.cursors.push((place_name.clone(), page.cursor.0.clone()));
            }
            self.commit()?;
            if page.caught_up || told >= TOLD_MAX {
                break;
            }
            place = Some(page.cursor);
        }
        self.look_at_waiting(link).await?;
        Ok(Reading::Changes)
    }

    /// Notes which records to look at. Of one that is told to be deleted the pair is noted as missing from now on; one
    /// that was there in between has not been missing for long.
    fn note_told(
        &mut self,
        link: LinkId,
        changes: &[SourceChange],
        waiting: &HashSet<ExternalId>,
    ) -> Result<(), EngineError> {
        let mut said: BTreeMap<&ExternalId, Said> = BTreeMap::new();
        for change in changes {
            let said = said.entry(&change.id).or_default();
            said.deleted = change.deleted;
            said.was_there |= !change.deleted;
        }
        let (name, now) = (self.names(link), self.engine.parts.clock.now());
        let ids: Vec<ExternalId> = said.keys().map(|id| (*id).clone()).collect();
        let pairs = self.engine.parts.store.pairs(name, &ids)?;
        for ((id, said), pair) in said.into_iter().zip(pairs) {
            if !waiting.contains(id) {
                self.told.insert((link, id.clone()));
            }
            if !mutation::is(Bug::PlaceWithoutKeys) {
                self.tx.dirty.push((name, id.clone()));
            }
            let Some(pair) = pair.filter(|_| self.is_heard(link)) else { continue };
            let is_missing_anew = match pair.state {
                PairState::Linked | PairState::RightMissing => said.deleted,
                PairState::LeftMissing => said.was_there,
                _ => false,
            };
            if is_missing_anew {
                self.tx.pairs.push(PairWrite {
                    link: name,
                    external: pair.external,
                    record: pair.record,
                    generation: pair.generation,
                    state: PairState::LeftMissing,
                    since: Some(now),
                    row: pair.row,
                    bases: pair.bases,
                    want: Vec::new(),
                    unwant: Vec::new(),
                    renew_edges: None,
                });
            }
        }
        Ok(())
    }

    /// Looks at every record of a link that waits for it; those that have been missing for so long that it means
    /// something come last, and not at all if too many are missing.
    async fn look_at_waiting(&mut self, link: LinkId) -> Result<(), EngineError> {
        let name = self.names(link);
        let ids = self.engine.parts.store.dirty(name, DIRTY_MAX)?;
        let pairs = self.engine.parts.store.pairs(name, &ids)?;
        if mutation::is(Bug::KeysDroppedEarly) {
            self.tx.clean.extend(ids.iter().map(|id| (name, id.clone())));
            self.commit()?;
        }
        let (mut now, mut leaving, mut missing) = (Vec::with_capacity(ids.len()), Vec::new(), 0);
        for (id, pair) in ids.into_iter().zip(pairs) {
            let key = (link, id.clone());
            let state = pair.as_ref().map(|pair| pair.state);
            let is_early = pair.is_some_and(|pair| {
                let is_absent = matches!(pair.state, PairState::LeftMissing | PairState::RightMissing);
                is_absent && !self.has_lasted(&pair, pair.state)
            });
            // What is told is looked at in any case; the others cannot mean anything yet.
            match state {
                Some(PairState::LeftMissing) if !is_early => leaving.push(id),
                Some(state) if is_early && !self.told.contains(&key) => {
                    missing += u64::from(state == PairState::LeftMissing);
                }
                _ => now.push(id),
            }
            self.later.insert(key);
        }
        self.vain = 0;
        self.look_at_all(link, &now).await?;
        missing += leaving.len() as u64 + self.vain;
        if missing > FEW && self.halt.is_none() {
            let totals = self.engine.parts.store.totals()?.pairs;
            let pairs = totals.into_iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| count);
            if self.is_too_much(missing, pairs) {
                self.halt_over_missing(link, missing, pairs);
                return Ok(());
            }
        }
        self.look_at_all(link, &leaving).await?;
        self.flush(link);
        Ok(())
    }

    async fn look_at_all(&mut self, link: LinkId, ids: &[ExternalId]) -> Result<(), EngineError> {
        for ids in ids.chunks(100) {
            if self.halt.is_some() {
                break;
            }
            self.look(link, ids, self.engine.parts.options.lane).await?;
            while self.ready.len() > 1 && self.halt.is_none() {
                self.turn(self.is_full()).await?;
            }
        }
        Ok(())
    }

    /// Records that were looked for at the source and are not there.
    pub(crate) fn look_in_vain(&mut self, link: LinkId, ids: &[ExternalId]) -> Result<(), EngineError> {
        if ids.is_empty() || matches!(self.mode, Mode::Plan(_)) {
            return Ok(());
        }
        let (name, lane) = (self.names(link), self.engine.parts.options.lane);
        let is_followed = self.report.links[usize::from(link.0)].reading == Reading::Changes;
        let pairs = self.engine.parts.store.pairs(name, ids)?;
        for (id, pair) in ids.iter().zip(pairs) {
            // There is nothing left to try.
            self.tx.unpark.push((name, id.clone()));
            match pair.filter(|pair| is_followed && pair.state == PairState::LeftMissing) {
                Some(pair) if self.has_lasted(&pair, PairState::LeftMissing) => {
                    self.links_report(link).read += 1;
                    let left = crate::meet::Left::Gone;
                    self.meet(link, lane, crate::meet::Meeting { pair, left, parked: false });
                }
                // The key stays: it is looked for again.
                Some(_) => {
                    self.vain += 1;
                    let report = self.links_report(link);
                    report.read += 1;
                    report.gone += 1;
                }
                // A read proves no deletion: the source tells of it, or a scan does.
                None => self.settled(link, id),
            }
        }
        Ok(())
    }

    /// Notes which links were read in full, to what end, and from where their changes are asked for next. A scan that
    /// left something open counts for nothing: the next run scans again.
    pub(crate) fn note_scans(&mut self) {
        if self.halt.is_some() || !matches!(self.mode, Mode::Run) {
            return;
        }
        let (mapping, options) = (self.engine.parts.mapper.fingerprint(), &self.engine.parts.options);
        let (soon, late) = (options.absence.min(options.rescan), options.rescan);
        for (link, place) in std::mem::take(&mut self.scans) {
            let report = &self.report.links[usize::from(link.0)];
            if report.pending + report.unknown + report.skipped > 0 {
                continue;
            }
            // What was found missing means something only if a later scan says so too.
            let after = if self.absent.contains(&link) { soon } else { late };
            let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
            let due = self.started.checked_add(after).unwrap_or(Timestamp::MAX);
            let name = report.link.clone();
            self.tx.cursors.push((mark_name(&name), Mark { due, mapping }.to_string()));
            self.tx.cursors.extend(place.map(|place| (place_name(&name), place.0)));
        }
    }
}

/// The cursor under which a link's [`Mark`] is kept.
pub(crate) fn mark_name(link: &str) -> String {
    format!("read/{link}")
}

/// The cursor under which the place in a link's changes is kept.
pub(crate) fn place_name(link: &str) -> String {
    format!("changes/{link}")
}

#[cfg(test)]
mod tests;
