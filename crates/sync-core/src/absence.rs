//! Records that are no longer there: evidence, patience, policy. Nothing is deleted because a read found nothing.
//!
//! On the left, a closed scan that did not meet a record and a read that did not find it are a first sign; the same
//! again, [`Options::absence`](crate::Options::absence) later, is the evidence. A source that tells of deletions gives
//! the first sign by telling, and a read that still finds nothing later is the evidence. On the right, the recycling bin
//! or a merge is; what is in neither place is never acted upon.

use std::time::Duration;

use jiff::Timestamp;
use sync_types::{
    Change, ChangeKind, DestinationError, EdgeOutcome, ExternalId, Fate, Fingerprint, HeldConflict, Lane,
    LedgerEntry, LinkId, NameId, OnDelete, OnDeleteConflict, OpId, Pair, PairId, PairState, PairWrite,
    PropertyName, RecordId, Shown, Sighting, Target, Verb,
};

use crate::decide::absence as decide;
use crate::error::EngineError;
use crate::feeds::was_gone_on_both_sides;
use crate::meet::{Left, Meeting, is_plan};
use crate::mutation::{self, Bug};
use crate::pair_set::PairSet;
use crate::plan::base_of;
use crate::run::{Kind, Mode, Run, Staged};

/// In place of a property's number: the record itself.
pub(crate) const WHOLE_RECORD: NameId = NameId(0);

impl Run<'_> {
    /// After a closed scan: pairs that it did not meet. Each is looked for by itself before it counts as missing.
    pub(crate) async fn miss(&mut self, link: LinkId) -> Result<(), EngineError> {
        if !self.is_heard(link) || self.halt.is_some() || matches!(self.mode, Mode::Apply(_)) {
            return Ok(());
        }
        let name = self.names(link);
        let (mut missing, mut pairs) = (Vec::new(), 0_u64);
        let mut after = PairId(0);
        loop {
            let page = self.engine.parts.store.scan_pairs(name, after, 1_000)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for pair in page {
                let is_live = matches!(
                    pair.state,
                    PairState::Linked | PairState::LeftMissing | PairState::RightMissing
                );
                pairs += u64::from(is_live);
                let is_unseen = pair.id <= self.last_pair && !self.seen.contains(pair.id);
                if is_live && is_unseen && !self.was_asked(link, &pair.external) {
                    missing.push(pair);
                }
            }
        }
        let count = missing.len() as u64;
        if self.is_too_much(count, pairs) {
            self.halt_over_missing(link, count, pairs);
            return Ok(());
        }
        let collection = self.link(link).collection.clone();
        let lane = self.engine.parts.options.lane;
        for pairs in missing.chunks(100) {
            let ids: Vec<ExternalId> = pairs.iter().map(|pair| pair.external.clone()).collect();
            let found = match self.engine.parts.source.read(&collection, &ids).await {
                Ok(found) => found,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            };
            self.links_report(link).read += ids.len() as u64;
            for (pair, record) in pairs.iter().zip(found.into_iter().chain(std::iter::repeat(None))) {
                match record {
                    // Added, or moved to a page that had been read, while the scan went on.
                    Some(record) => self.invite(link, lane, pair.clone(), record)?,
                    None => {
                        self.meet(link, lane, Meeting { pair: pair.clone(), left: Left::Gone, parked: false })
                    }
                }
            }
        }
        Ok(())
    }

    /// Too many records are missing at the source to believe it.
    pub(crate) fn halt_over_missing(&mut self, link: LinkId, count: u64, pairs: u64) {
        let collection = &self.link(link).collection;
        self.halt = Some(format!(
            "{count} of {pairs} records of {collection} are missing at the source: nothing was deleted. If they \
             really are gone, run again with a higher limit of deletions"
        ));
    }

    /// The left record of a pair is missing from a closed scan, and from a read; or the source has told that it was
    /// deleted, and a read does not find it; or it has left the scope.
    pub(crate) fn left_is_gone(
        &mut self,
        link: LinkId,
        lane: Lane,
        meeting: Meeting,
        shown: Option<&Shown>,
    ) -> Result<(), EngineError> {
        let outside = match &meeting.left {
            Left::Outside { row } => Some(*row),
            _ => None,
        };
        if outside.is_none() && !self.has_lasted(&meeting.pair, PairState::LeftMissing) {
            self.absent.insert(link);
            self.note_absence(link, meeting.pair, PairState::LeftMissing);
            return Ok(());
        }
        let spec = self.link(link).clone();
        let has_moved = shown.is_some_and(|shown| {
            let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
            let properties = &self.engine.names[usize::from(link.0)].properties;
            properties.iter().zip(&shown.values).enumerate().any(|(place, (property, value))| {
                let right = self.prints.value(&mapper.canonical(link, place, value.clone()));
                base_of(&meeting.pair.bases, *property).is_some_and(|base| base.right != right)
            })
        });
        let (policy, cause) = match outside {
            Some(_) => (spec.on_scope_exit, "left-scope"),
            None => (spec.on_left_delete, "deleted-left"),
        };
        let verdict = self.verdict(link, &meeting.pair, policy, spec.on_delete_conflict, has_moved, cause)?;
        match (verdict, outside) {
            (OnDelete::Keep, Some(row)) => self.detach(link, meeting.pair, row, meeting.parked),
            (OnDelete::Keep, None) if spec.on_left_delete != OnDelete::Keep && spec.creates_left => {
                self.make_left_anew(link, meeting.pair);
            }
            (OnDelete::Keep, None) => self.note_absence(link, meeting.pair, PairState::LeftGone),
            (OnDelete::Ask, _) => self.hold_deletion(link, meeting.pair, PairState::LeftMissing, cause),
            (OnDelete::Delete, _) if is_plan(&self.mode) => {
                self.note_absence(link, meeting.pair, PairState::LeftMissing)
            }
            (OnDelete::Delete, _) => self.archiving.entry((link, lane)).or_default().push(meeting),
        }
        Ok(())
    }

    /// What became of right records that were not found.
    pub(crate) fn fated(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<Meeting>,
        result: Result<Vec<Fate>, DestinationError>,
    ) -> Result<(), EngineError> {
        let fates = match result {
            Ok(fates) => fates,
            Err(error) => {
                self.cannot_meet(link, rows, &error);
                return Ok(());
            }
        };
        for (meeting, fate) in rows.into_iter().zip(fates.into_iter().chain(std::iter::repeat(Fate::Unknown)))
        {
            match (fate, &meeting.left) {
                (Fate::MergedInto(survivor), _) => self.follow_merge(link, lane, meeting, survivor)?,
                // Gone on both sides: there is nothing to keep in step.
                (Fate::Archived | Fate::Unknown, Left::Gone | Left::Outside { .. }) => {
                    let pair = Pair { bases: Vec::new(), ..meeting.pair };
                    self.note_absence(link, pair, PairState::LeftGone);
                }
                (Fate::Live, _) => {
                    // It was not found a moment ago, and is there now: it is looked at once more, later.
                    self.links_report(link).pending += 1;
                    self.in_hand.remove(&(link, meeting.pair.external.clone()));
                    self.look_again(link, meeting.pair.external);
                }
                // The left was deleted, and came back after we had deleted the right.
                (Fate::Archived, _) if meeting.pair.state == PairState::LeftGone => {
                    self.make_anew(link, meeting.pair);
                }
                (Fate::Archived, _) => self.right_is_gone(link, lane, meeting)?,
                (Fate::Unknown, _) if mutation::is(Bug::ActOnUnknown) => {
                    self.right_is_gone(link, lane, meeting)?
                }
                (Fate::Unknown, _) if mutation::is(Bug::MadeAnewUnasked) => {
                    self.make_anew(link, meeting.pair)
                }
                (Fate::Unknown, _) => self.note_right_missing(link, meeting.pair),
            }
        }
        Ok(())
    }

    /// The right record of a pair is in the recycling bin.
    fn right_is_gone(&mut self, link: LinkId, lane: Lane, meeting: Meeting) -> Result<(), EngineError> {
        // What was left at that once is not waited for again.
        let is_known = meeting.pair.state == PairState::RightGone && !meeting.pair.bases.is_empty();
        if !is_known && !self.has_lasted(&meeting.pair, PairState::RightMissing) {
            // A merge may be told of after the deletion that it causes.
            self.note_right_missing(link, meeting.pair);
            return Ok(());
        }
        let spec = self.link(link).clone();
        let Left::Record { mapped, .. } = &meeting.left else { return Ok(()) };
        let properties = &self.engine.names[usize::from(link.0)].properties;
        let has_moved = properties.iter().zip(&mapped.values).any(|(property, value)| {
            let base = base_of(&meeting.pair.bases, *property);
            let left = value.as_ref().map(|value| self.prints.value(value));
            left.is_some_and(|left| base.is_some_and(|base| base.left != left))
        });
        let policy = spec.on_right_delete;
        match self.verdict(
            link,
            &meeting.pair,
            policy,
            spec.on_delete_conflict,
            has_moved,
            "deleted-right",
        )? {
            OnDelete::Keep if policy != OnDelete::Keep => self.make_anew(link, meeting.pair),
            OnDelete::Keep => self.note_absence(link, meeting.pair, PairState::RightGone),
            OnDelete::Ask => self.hold_deletion(link, meeting.pair, PairState::RightMissing, "deleted-right"),
            OnDelete::Delete => {
                let Meeting { pair, left: Left::Record { record, row, mapped }, parked } = meeting else {
                    return Ok(());
                };
                if is_plan(&self.mode) {
                    self.note_absence(link, pair, PairState::RightMissing);
                    return Ok(());
                }
                let left = record.clone();
                let meeting = Meeting { pair, left: Left::Record { record, row, mapped }, parked };
                self.delete_left(link, lane, meeting, left);
            }
        }
        Ok(())
    }

    /// What a deletion comes to: policy, then the counterpart's own changes, then what a person said.
    fn verdict(
        &self,
        link: LinkId,
        pair: &Pair,
        policy: OnDelete,
        conflict: OnDeleteConflict,
        has_moved: bool,
        cause: &str,
    ) -> Result<OnDelete, EngineError> {
        let verdict = decide::verdict(policy, conflict, has_moved);
        if verdict != OnDelete::Ask || !self.has_conflicts {
            return Ok(verdict);
        }
        let ids = std::slice::from_ref(&pair.external);
        let held = self.engine.parts.store.conflicts_of(self.names(link), ids)?;
        let said =
            held.into_iter().flatten().find(|held| held.property == WHOLE_RECORD && held.cause == cause);
        let deleted_side = if cause == "deleted-right" { "right" } else { "left" };
        Ok(match said.and_then(|held| held.decision) {
            None => OnDelete::Ask,
            Some(side) if side == deleted_side => OnDelete::Delete,
            Some(_) => OnDelete::Keep,
        })
    }

    pub(crate) fn has_lasted(&self, pair: &Pair, state: PairState) -> bool {
        if mutation::is(Bug::DeleteAtOnce) {
            return true;
        }
        let Some(since) = pair.since.filter(|_| pair.state == state) else { return false };
        let age = Duration::try_from(self.engine.parts.clock.now().duration_since(since)).unwrap_or_default();
        decide::has_lasted(age, self.engine.parts.options.absence)
    }

    /// Notes where a pair stands; since when, if it stands there anew.
    fn note_absence(&mut self, link: LinkId, pair: Pair, state: PairState) {
        let name = self.names(link);
        self.links_report(link).gone += 1;
        self.settled(link, &pair.external);
        self.in_hand.remove(&(link, pair.external.clone()));
        self.tx.sighted.extend(pair.record.clone().map(|record| (name, record)));
        if pair.state == state || is_plan(&self.mode) {
            return;
        }
        let since: Option<Timestamp> = Some(self.engine.parts.clock.now());
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: pair.record,
            generation: pair.generation,
            state,
            since,
            row: pair.row,
            bases: pair.bases,
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        });
    }

    /// A right record is missing, and that it is so must last before it means anything: whoever is not looked at by a
    /// scan is looked at again then.
    fn note_right_missing(&mut self, link: LinkId, pair: Pair) {
        let external = pair.external.clone();
        let is_early = !self.has_lasted(&pair, PairState::RightMissing);
        self.note_absence(link, pair, PairState::RightMissing);
        if is_early && self.can_follow(link) {
            self.tx.dirty.push((self.names(link), external.clone()));
            self.later.insert((link, external));
        }
    }

    fn hold_deletion(&mut self, link: LinkId, pair: Pair, state: PairState, cause: &str) {
        if !is_plan(&self.mode) {
            let held = HeldConflict {
                link: self.names(link),
                external: pair.external.clone(),
                record: pair.record.clone().unwrap_or_else(|| RecordId::from("")),
                property: WHOLE_RECORD,
                cause: cause.to_owned(),
                opponent: None,
                left: Fingerprint(0),
                right: Fingerprint(0),
                run: self.number,
                decision: None,
                is_settled: false,
            };
            self.tx.hold.push(held);
            self.has_conflicts = true;
        }
        self.links_report(link).held += 1;
        self.note_absence(link, pair, state);
    }

    /// The left record was deleted, and the right one counts: the two are no pair any more, and the right one is
    /// looked at as one that nobody knows.
    pub(crate) fn make_left_anew(&mut self, link: LinkId, pair: Pair) {
        let name = self.names(link);
        let report = self.links_report(link);
        report.gone += 1;
        report.recreated += 1;
        self.in_hand.remove(&(link, pair.external.clone()));
        if is_plan(&self.mode) {
            return;
        }
        self.tx.release.push((name, pair.external.clone(), WHOLE_RECORD));
        if let Some(record) = pair.record {
            self.tx.sight.push((name, Sighting { record, kind: ChangeKind::Changed }));
        }
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: None,
            generation: pair.generation,
            state: PairState::LeftGone,
            since: Some(self.engine.parts.clock.now()),
            row: Fingerprint(0),
            bases: Vec::new(),
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        });
    }

    /// A closed scan of the right, where it is asked for and where a link is loaded for the first time: records that
    /// no pair knows, and those that show something else than was agreed, are looked at as if a feed had told of them;
    /// so are pairs whose record was not met. What changed without a trace in any feed is found here: a record edited,
    /// deleted and restored between two polls, a calculated property.
    pub(crate) async fn sweep(&mut self) -> Result<(), EngineError> {
        if matches!(self.mode, Mode::Apply(_)) {
            return Ok(());
        }
        for link in self.link_ids() {
            if !self.is_heard(link) || self.halt.is_some() {
                continue;
            }
            let loaded = format!("loaded/{}", self.link(link).name);
            let is_first = self.link(link).creates_left && self.engine.parts.store.cursor(&loaded)?.is_none();
            if self.engine.parts.options.sweep || is_first {
                self.sweep_link(link).await?;
            }
        }
        self.drain().await
    }

    async fn sweep_link(&mut self, link: LinkId) -> Result<(), EngineError> {
        let (object, name) = (self.link(link).object.clone(), self.names(link));
        let mapped = self.link(link).properties.iter().map(|property| property.name.clone());
        let properties: Vec<PropertyName> = mapped.collect();
        let lane = self.engine.parts.options.lane;
        let destination = self.destination();
        let mut met = PairSet::default();
        let mut after: Option<String> = None;
        loop {
            let page = match destination.list(&object, &properties, after.as_deref(), lane).await {
                Ok(page) => page,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            };
            let ids: Vec<RecordId> = page.records.iter().map(|shown| shown.id.clone()).collect();
            let mut changed = Vec::new();
            for (shown, pair) in
                page.records.into_iter().zip(self.engine.parts.store.pairs_by_record(name, &ids)?)
            {
                let is_news = match pair {
                    Some(pair) => {
                        met.insert(pair.id);
                        // It is back, and nothing else may tell.
                        matches!(pair.state, PairState::RightGone | PairState::RightMissing)
                            || was_gone_on_both_sides(&pair)
                            || self.has_moved_right(link, &pair, &shown)
                    }
                    None => true,
                };
                if is_news {
                    changed.push(Change { record: shown.id, kind: ChangeKind::Changed, at: None });
                }
            }
            self.sight(link, &changed)?;
            self.commit()?;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let (mut missing, mut pairs) = (Vec::new(), 0_u64);
        let mut from = PairId(0);
        loop {
            let page = self.engine.parts.store.scan_pairs(name, from, 1_000)?;
            let Some(last) = page.last() else { break };
            from = last.id;
            for pair in page {
                let is_live = pair.state == PairState::Linked && pair.record.is_some();
                pairs += u64::from(is_live);
                let is_free = !self.in_hand.contains(&(link, pair.external.clone()));
                if is_live && is_free && pair.id <= self.last_pair && !met.contains(pair.id) {
                    missing.push(pair);
                }
            }
        }
        let count = missing.len() as u64;
        if self.is_too_much(count, pairs) {
            self.halt = Some(format!(
                "{count} of {pairs} linked records of {object} are missing in HubSpot: nothing was deleted. If they \
                 really are gone, run again with a higher limit of deletions"
            ));
            return Ok(());
        }
        let collection = self.link(link).collection.clone();
        for pairs in missing.chunks(100) {
            let ids: Vec<ExternalId> = pairs.iter().map(|pair| pair.external.clone()).collect();
            let found = match self.engine.parts.source.read(&collection, &ids).await {
                Ok(found) => found,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            };
            for (pair, record) in pairs.iter().zip(found) {
                // Gone on both sides: the scan of the source sees to it.
                if let Some(record) = record {
                    self.links_report(link).read += 1;
                    self.invite(link, lane, pair.clone(), record)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a listed record shows something else than was agreed.
    fn has_moved_right(&self, link: LinkId, pair: &Pair, shown: &Shown) -> bool {
        let mapper = &self.engine.parts.mapper;
        let names = &self.engine.names[usize::from(link.0)].properties;
        let properties = self.link(link).properties.iter().zip(names).zip(&shown.values).enumerate();
        properties.filter(|(_, ((property, _), _))| property.direction.to_left()).any(
            |(place, ((_, name), value))| {
                base_of(&pair.bases, *name).is_some_and(|base| {
                    base.right != self.prints.value(&mapper.canonical(link, place, value.clone()))
                })
            },
        )
    }

    /// Whether so many missing records are more likely a sign of something else than deletions.
    pub(crate) fn is_too_much(&self, missing: u64, pairs: u64) -> bool {
        decide::is_too_much(missing, pairs, self.engine.parts.options.deletions_max)
    }

    /// The right record was deleted, and the left one counts: it is made anew, under a key of its own, because the
    /// deleted one still holds the old.
    fn make_anew(&mut self, link: LinkId, pair: Pair) {
        let name = self.names(link);
        let report = self.links_report(link);
        report.touched += 1;
        report.recreated += 1;
        self.in_hand.remove(&(link, pair.external.clone()));
        if is_plan(&self.mode) {
            return;
        }
        self.tx.release.push((name, pair.external.clone(), WHOLE_RECORD));
        self.tx.sighted.extend(pair.record.map(|record| (name, record)));
        self.look_again(link, pair.external.clone());
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: None,
            generation: pair.generation.saturating_add(1),
            state: PairState::Linked,
            since: None,
            row: Fingerprint(0),
            bases: Vec::new(),
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: (!mutation::is(Bug::EdgesNotRenewed)).then(|| self.rules_to(link)),
        });
    }

    /// The right record is part of another one now. A counterpart is never deleted because of a merge.
    fn follow_merge(
        &mut self,
        link: LinkId,
        lane: Lane,
        meeting: Meeting,
        survivor: RecordId,
    ) -> Result<(), EngineError> {
        let name = self.names(link);
        let Meeting { pair, left, parked } = meeting;
        let taken =
            self.engine.parts.store.pairs_by_record(name, std::slice::from_ref(&survivor))?.pop().flatten();
        self.in_hand.remove(&(link, pair.external.clone()));
        if is_plan(&self.mode) {
            self.links_report(link).touched += 1;
            return Ok(());
        }
        if let Some(old) = &pair.record {
            self.tx.merged.push((name, old.clone(), survivor.clone()));
            self.tx.sighted.push((name, old.clone()));
        }
        let is_taken = taken.is_some_and(|other| other.id != pair.id)
            || self.claimed.insert(survivor.clone(), (link, pair.external.clone())).is_some();
        let is_taken = is_taken && !mutation::is(Bug::CollisionLinked);
        let row = PairWrite {
            link: name,
            external: pair.external.clone(),
            record: if is_taken { None } else { Some(survivor.clone()) },
            generation: pair.generation,
            state: if is_taken { PairState::Collided } else { PairState::Linked },
            since: Some(self.engine.parts.clock.now()),
            row: Fingerprint(0),
            bases: if is_taken { Vec::new() } else { pair.bases.clone() },
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: (!is_taken).then(|| self.rules_to(link)),
        };
        if let (true, true, Left::Record { record, .. }) = (is_taken, mutation::is(Bug::MergeDeletes), &left)
        {
            let record = record.clone();
            self.delete_left(link, lane, Meeting { pair, left, parked }, record);
            return Ok(());
        }
        if is_taken {
            let detail = format!(
                "its record was merged in HubSpot into record {survivor}, which belongs to another record of the source"
            );
            let remedy = "merge the two records at the source too, or part them in HubSpot; then retry";
            self.tx.pairs.push(row);
            self.park(link, pair.external, pair.row, "merged".into(), detail, remedy.into());
            return Ok(());
        }
        self.tx.pairs.push(row);
        self.look_again(link, pair.external.clone());
        self.links_report(link).touched += 1;
        let prints: Box<[Option<Fingerprint>]> = match &left {
            Left::Record { mapped, .. } => mapped
                .values
                .iter()
                .map(|value| value.as_ref().map(|value| self.prints.value(value)))
                .collect(),
            Left::Gone | Left::Outside { .. } => return Ok(()),
        };
        // The survivor gets our key; its values are looked at next, whole.
        self.write_key(
            link,
            lane,
            Staged {
                external: pair.external,
                generation: pair.generation,
                kind: Kind::Adopt,
                row: Fingerprint(0),
                prints,
                bases: pair.bases,
                record: Some(survivor),
                values: Vec::new(),
                want: Vec::new(),
                unwant: Vec::new(),
                tries: 0,
                parked,
                both: None,
            },
        );
        Ok(())
    }

    /// Gives a right record its sync key and nothing else.
    pub(crate) fn write_key(&mut self, link: LinkId, lane: Lane, staged: Staged) {
        self.links_report(link).read += 1;
        self.in_hand.insert((link, staged.external.clone()));
        self.keyed.insert((link, staged.external.clone()));
        self.stage(link, Target::Record, lane, staged);
    }

    /// A deletion on the right came back.
    pub(crate) fn archived(
        &mut self,
        op: OpId,
        link: LinkId,
        rows: Vec<Meeting>,
        result: Result<Vec<EdgeOutcome>, DestinationError>,
    ) {
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.tx.close.push(op);
                self.cannot_meet(link, rows, &error);
                return;
            }
        };
        let is_known = outcomes.len() >= rows.len()
            && !outcomes.iter().any(|outcome| matches!(outcome, EdgeOutcome::Unknown(_)));
        if is_known {
            self.tx.close.push(op);
        }
        let name = self.names(link);
        let mut line = LedgerEntry {
            run: self.number,
            op,
            verb: Verb::Archive,
            subject: name,
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        let missing = std::iter::repeat_with(|| EdgeOutcome::Unknown("no outcome was given".into()));
        for (meeting, outcome) in rows.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let pair = meeting.pair;
            self.in_hand.remove(&(link, pair.external.clone()));
            match outcome {
                EdgeOutcome::Done => {
                    line.written += 1;
                    self.settled(link, &pair.external);
                    self.links_report(link).deleted += 1;
                    self.tx.release.push((name, pair.external.clone(), WHOLE_RECORD));
                    self.tx.pairs.push(PairWrite {
                        link: name,
                        external: pair.external,
                        record: pair.record,
                        generation: pair.generation,
                        state: PairState::LeftGone,
                        since: Some(line.at),
                        row: Fingerprint(0),
                        bases: Vec::new(),
                        want: Vec::new(),
                        unwant: Vec::new(),
                        renew_edges: None,
                    });
                }
                EdgeOutcome::Rejected(why) => {
                    line.rejected += 1;
                    let remedy = "delete the record in HubSpot, or give the credential the right to";
                    self.park(link, pair.external, pair.row, why.code, why.reason, remedy.into());
                }
                // The intent stays: the next run looks whether it was deleted. If not, it comes to the same end again.
                EdgeOutcome::Unknown(_) => {
                    line.unknown += 1;
                    self.links_report(link).pending += 1;
                }
            }
        }
        self.tx.ledger.push(line);
    }
}
