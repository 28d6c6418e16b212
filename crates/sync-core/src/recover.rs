//! Settling what an earlier run sent without recording the outcome.

use std::time::Duration;

use sync_types::{
    Fate, Fingerprint, Intent, LinkId, Pair, PairState, PairWrite, PropertyName, RecordId, SyncKey, Verb,
};

use crate::calls::Outgoing;
use crate::error::EngineError;
use crate::left::MADE;
use crate::run::{Mode, Run};

impl Run<'_> {
    /// Settles every open intent: asks HubSpot by sync key what arrived, and links it. The scan that follows
    /// writes what moved since the last agreement, and all of a record that is new to us; the rest is as before.
    pub(crate) async fn recover(&mut self) -> Result<(), EngineError> {
        if matches!(self.mode, Mode::Plan(_)) {
            // A plan leaves open work open; what it lists is done by upsert in any case.
            return Ok(());
        }
        let intents = self.engine.parts.store.open_intents()?;
        if intents.is_empty() {
            return Ok(());
        }
        self.settle(&intents).await;
        for intent in intents {
            if intent.verb == Verb::Upsert
                && let Some(link) =
                    self.link_ids().into_iter().find(|link| self.names(*link) == intent.subject)
                && !self.probe(link, &intent).await?
            {
                return Ok(());
            }
            if intent.verb == Verb::Update && self.doubt(&intent) {
                self.report.recovered += 1;
                continue;
            }
            if intent.verb == Verb::WriteLeft {
                self.finish_making(&intent).await?;
            }
            if intent.verb == Verb::Archive {
                self.note_archived(&intent).await?;
            }
            if self.halt.is_some() {
                return Ok(());
            }
            // Updates by record id and associations may be repeated: the scan and the edge list do so.
            self.tx.close.push(intent.op);
            self.report.recovered += 1;
            self.commit()?;
        }
        Ok(())
    }

    /// Left records that were being made: each creation is repeated under its token, so that the scan meets pairs and
    /// not records that nobody knows.
    async fn finish_making(&mut self, intent: &Intent) -> Result<(), EngineError> {
        let link = self.link_ids().into_iter().find(|link| self.names(*link) == intent.subject);
        let Some(link) = link.filter(|link| self.is_both_ways(*link)) else { return Ok(()) };
        let records: Vec<RecordId> = intent
            .rows
            .iter()
            .filter(|(_, generation)| *generation == MADE)
            .map(|(id, _)| RecordId::from(id.as_str()))
            .collect();
        let known = self.engine.parts.store.pairs_by_record(intent.subject, &records)?;
        let records: Vec<RecordId> = records
            .into_iter()
            .zip(known)
            .filter(|(_, pair)| pair.is_none())
            .map(|(record, _)| record)
            .collect();
        if records.is_empty() {
            return Ok(());
        }
        self.links_report(link).read += records.len() as u64;
        let lane = self.engine.parts.options.lane;
        self.ready.push_back(Outgoing::Strangers { link, lane, records });
        self.drain().await
    }

    /// Right records that were being deleted because their left ones were: what lies in the recycling bin was put there
    /// by us, and must not be taken for a deletion that concerns a left record which has come back.
    async fn note_archived(&mut self, intent: &Intent) -> Result<(), EngineError> {
        let link = self.link_ids().into_iter().find(|link| self.names(*link) == intent.subject);
        let Some(link) = link.filter(|link| self.is_both_ways(*link)) else { return Ok(()) };
        let ids: Vec<_> = intent.rows.iter().map(|(id, _)| id.clone()).collect();
        let pairs = self.engine.parts.store.pairs(intent.subject, &ids)?;
        let pairs: Vec<Pair> = pairs
            .into_iter()
            .flatten()
            .filter(|pair| matches!(pair.state, PairState::Linked | PairState::LeftMissing))
            .collect();
        let records: Vec<RecordId> = pairs.iter().filter_map(|pair| pair.record.clone()).collect();
        if records.len() != pairs.len() || records.is_empty() {
            return Ok(());
        }
        let (object, lane) = (self.link(link).object.clone(), self.engine.parts.options.lane);
        let fates = match self.destination().fates(&object, &records, lane).await {
            Ok(fates) => fates,
            Err(error) => {
                self.halt = Some(error.to_string());
                return Ok(());
            }
        };
        let now = self.engine.parts.clock.now();
        for (pair, _) in pairs.into_iter().zip(fates).filter(|(_, fate)| *fate == Fate::Archived) {
            self.tx.dirty.push((intent.subject, pair.external.clone()));
            self.tx.pairs.push(PairWrite {
                link: intent.subject,
                external: pair.external,
                record: pair.record,
                generation: pair.generation,
                state: PairState::LeftGone,
                since: Some(now),
                row: Fingerprint(0),
                bases: Vec::new(),
                want: Vec::new(),
                unwant: Vec::new(),
                renew_edges: None,
            });
        }
        Ok(())
    }

    /// What an update has overwritten is looked up when its records are looked at: only then it is settled. False
    /// for a link that flows one way, where an update may simply be repeated.
    fn doubt(&mut self, intent: &Intent) -> bool {
        let link = self.link_ids().into_iter().find(|link| self.names(*link) == intent.subject);
        let Some(link) = link.filter(|link| self.is_both_ways(*link)) else { return false };
        self.doubted.push(intent.op);
        for (id, _) in &intent.rows {
            self.in_doubt.insert((link, id.clone()));
            self.tx.dirty.push((intent.subject, id.clone()));
        }
        true
    }

    /// Waits until a request that was on its way when the earlier run ended can no longer arrive.
    async fn settle(&self, intents: &[Intent]) {
        let Some(latest) = intents.iter().map(|intent| intent.sent_at).max() else { return };
        let clock = std::sync::Arc::clone(&self.engine.parts.clock);
        let age = Duration::try_from(clock.now().duration_since(latest)).unwrap_or_default();
        clock.sleep(self.engine.parts.options.settle.saturating_sub(age)).await;
    }

    /// Links the records of one intent that are in HubSpot; false when HubSpot could not be asked.
    async fn probe(&mut self, link: LinkId, intent: &Intent) -> Result<bool, EngineError> {
        let spec = self.link(link).clone();
        let lane = self.engine.parts.options.lane;
        let destination = self.destination();
        let size = destination.limits().read_max.max(1);
        let key: [PropertyName; 1] = [spec.sync_key.clone()];
        for rows in intent.rows.chunks(size) {
            let keys: Vec<SyncKey> = rows
                .iter()
                .map(|(id, generation)| {
                    crate::sync_key(&self.engine.parts.engagement, &spec.name, id, *generation)
                })
                .collect();
            let found = match destination.read_by_key(&spec.object, &spec.sync_key, &keys, &key, lane).await {
                Ok(found) => found,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(false);
                }
            };
            let ids: Vec<_> = rows.iter().map(|(id, _)| id.clone()).collect();
            let pairs = self.engine.parts.store.pairs(self.names(link), &ids)?;
            for (((id, generation), shown), pair) in rows.iter().zip(found).zip(pairs) {
                let Some(shown) = shown else { continue };
                self.recovered.insert((link, id.clone()));
                // The pair we know keeps what was agreed: only what moved since is written again.
                let known = pair.filter(|pair| pair.record.as_ref() == Some(&shown.id));
                let is_other = known.is_none();
                self.tx.pairs.push(PairWrite {
                    link: self.names(link),
                    external: id.clone(),
                    record: Some(shown.id),
                    generation: *generation,
                    state: PairState::Linked,
                    since: None,
                    row: Fingerprint(0),
                    bases: known.map_or_else(Vec::new, |pair| pair.bases),
                    want: Vec::new(),
                    unwant: Vec::new(),
                    renew_edges: is_other.then(|| self.rules_to(link)),
                });
            }
        }
        Ok(true)
    }
}
