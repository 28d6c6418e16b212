//! Hearing of changes on the right, and looking at what was heard of.

use std::collections::{BTreeMap, BTreeSet};

use sync_types::{
    Change, ChangeKind, ExternalId, LinkId, ObjectType, Pair, PairState, PairWrite, RecordId, Sighting,
};

use crate::calls::Outgoing;
use crate::error::EngineError;
use crate::meet::is_plan;
use crate::mutation::{self, Bug};
use crate::run::Run;

/// Sightings taken in one run; what is left waits for the next.
const SIGHTINGS_MAX: usize = 100_000;

impl Run<'_> {
    /// Takes in what the feed tells of every object type that flows to the left. The cursor moves in the same
    /// transaction that makes the sightings durable.
    pub(crate) async fn hear(&mut self) -> Result<(), EngineError> {
        let Some(feed) = self.engine.parts.feed.clone() else { return Ok(()) };
        let mut objects: BTreeMap<ObjectType, Vec<LinkId>> = BTreeMap::new();
        for link in self.link_ids() {
            if self.is_heard(link) {
                objects.entry(self.link(link).object.clone()).or_default().push(link);
            }
        }
        let lane = self.engine.parts.options.lane;
        for (object, links) in objects {
            let name = format!("feed/{object}");
            let mut cursor = self.engine.parts.store.cursor(&name)?;
            loop {
                let page = match feed.changes(&object, cursor.as_deref(), lane).await {
                    Ok(page) => page,
                    Err(error) => {
                        // What was heard so far is kept; the rest of the sync does not depend on the feed.
                        self.report.deaf.get_or_insert_with(|| error.to_string());
                        if mutation::is(Bug::DeafHalts) {
                            self.halt = Some(error.to_string());
                        }
                        break;
                    }
                };
                if let Some((from, to)) = page.gap.filter(|_| !mutation::is(Bug::GapUntold)) {
                    self.report.gaps.push(format!("{object}: from {from} to {to}"));
                }
                for link in &links {
                    self.sight(*link, &page.changes)?;
                }
                if !is_plan(&self.mode) {
                    self.tx.cursors.push((name.clone(), page.cursor.clone()));
                    self.commit()?;
                }
                if page.caught_up {
                    break;
                }
                cursor = Some(page.cursor);
            }
        }
        Ok(())
    }

    /// Keeps those changes that may concern a link: of its pairs, and of strangers if it takes them in.
    pub(crate) fn sight(&mut self, link: LinkId, changes: &[Change]) -> Result<(), EngineError> {
        let name = self.names(link);
        let ids: Vec<RecordId> = changes.iter().map(|change| change.record.clone()).collect();
        let pairs = self.engine.parts.store.pairs_by_record(name, &ids)?;
        let takes_strangers = self.link(link).creates_left;
        let survivors = self.engine.parts.store.survivors(name, &ids)?;
        for ((change, pair), survivor) in changes.iter().zip(pairs).zip(survivors) {
            let concerns_us = pair.is_some()
                || (takes_strangers && survivor.is_none() && change.kind == ChangeKind::Changed);
            if !concerns_us {
                continue;
            }
            let sighting = Sighting { record: change.record.clone(), kind: change.kind.clone() };
            if is_plan(&self.mode) {
                self.heard.push((link, sighting));
            } else if !mutation::is(Bug::CursorWithoutSightings) {
                self.tx.sight.push((name, sighting));
            }
        }
        Ok(())
    }

    /// Looks at every right record that a feed told of, together with its counterpart.
    pub(crate) async fn look_right(&mut self) -> Result<(), EngineError> {
        if self.halt.is_some() {
            return Ok(());
        }
        for link in self.link_ids() {
            if !self.is_both_ways(link) {
                continue;
            }
            let mut sightings = self.engine.parts.store.sighted(self.names(link), SIGHTINGS_MAX)?;
            let heard = self.heard.iter().filter(|(of, _)| *of == link).map(|(_, sighting)| sighting.clone());
            sightings.extend(heard);
            let erased: BTreeSet<RecordId> = sightings
                .iter()
                .filter(|sighting| sighting.kind == ChangeKind::Erased)
                .map(|sighting| sighting.record.clone())
                .collect();
            let mut records: Vec<RecordId> = sightings.into_iter().map(|sighting| sighting.record).collect();
            records.sort();
            records.dedup();
            let size = self.engine.parts.destination.limits().read_max.max(1);
            for records in records.chunks(size) {
                self.look_at(link, records, &erased).await?;
                while self.ready.len() > 1 && self.halt.is_none() {
                    self.turn(self.is_full()).await?;
                }
                if self.halt.is_some() {
                    return Ok(());
                }
            }
            self.flush(link);
        }
        self.drain().await
    }

    async fn look_at(
        &mut self,
        link: LinkId,
        records: &[RecordId],
        erased: &BTreeSet<RecordId>,
    ) -> Result<(), EngineError> {
        let name = self.names(link);
        let lane = self.engine.parts.options.lane;
        let pairs = self.engine.parts.store.pairs_by_record(name, records)?;
        let survivors = self.engine.parts.store.survivors(name, records)?;
        if mutation::is(Bug::SightingsDroppedEarly) {
            self.tx.sighted.extend(records.iter().map(|record| (name, record.clone())));
        }
        let mut paired: Vec<Pair> = Vec::new();
        let mut strangers = Vec::new();
        for ((record, pair), survivor) in records.iter().zip(pairs).zip(survivors) {
            match pair {
                Some(pair) if erased.contains(record) => self.erase(link, pair),
                Some(pair) if matches!(pair.state, PairState::Erased | PairState::Collided) => {
                    self.tx.sighted.push((name, record.clone()));
                }
                // Its own look is under way: the sighting stays for the next run.
                Some(pair) if self.in_hand.contains(&(link, pair.external.clone())) => {}
                Some(pair) => paired.push(pair),
                None if survivor.is_none() && self.link(link).creates_left => strangers.push(record.clone()),
                None => self.tx.sighted.push((name, record.clone())),
            }
        }
        self.links_report(link).read += (paired.len() + strangers.len()) as u64;
        if !strangers.is_empty() {
            self.know_claims(link).await?;
            self.ready.push_back(Outgoing::Strangers { link, lane, records: strangers });
        }
        let ids: Vec<ExternalId> = paired.iter().map(|pair| pair.external.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let collection = self.link(link).collection.clone();
        let found = match self.engine.parts.source.read(&collection, &ids).await {
            Ok(found) => found,
            Err(error) => {
                self.halt = Some(error.to_string());
                self.links_report(link).pending += ids.len() as u64;
                return Ok(());
            }
        };
        for (mut pair, record) in paired.into_iter().zip(found.into_iter().chain(std::iter::repeat(None))) {
            match record {
                Some(record) => {
                    if pair.state == PairState::RightGone && !mutation::is(Bug::GoneForGood) {
                        // It is back: both meet as if for the first time.
                        pair.bases.clear();
                    }
                    self.invite(link, lane, pair, record)?;
                }
                // Both were gone; the right is back.
                None if was_gone_on_both_sides(&pair)
                    && self.link(link).creates_left
                    && !mutation::is(Bug::GoneForGood) =>
                {
                    self.make_left_anew(link, pair);
                }
                // A single read proves no deletion: the scan of the source decides.
                None => {
                    self.links_report(link).gone += 1;
                    self.tx.sighted.extend(pair.record.map(|record| (name, record)));
                }
            }
        }
        Ok(())
    }

    /// The subject was erased on the right: nothing of it is compared, written or made anew from now on.
    fn erase(&mut self, link: LinkId, pair: Pair) {
        let name = self.names(link);
        let report = self.links_report(link);
        report.read += 1;
        report.gone += 1;
        self.tx.sighted.extend(pair.record.clone().map(|record| (name, record)));
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: pair.record,
            generation: pair.generation,
            state: PairState::Erased,
            since: Some(self.engine.parts.clock.now()),
            row: sync_types::Fingerprint(0),
            bases: Vec::new(),
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        });
    }
}

/// Whether the pair's records were both deleted: nothing is agreed about what is gone on both sides.
pub(crate) fn was_gone_on_both_sides(pair: &Pair) -> bool {
    matches!(pair.state, PairState::RightGone | PairState::LeftGone) && pair.bases.is_empty()
}
