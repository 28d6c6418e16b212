//! Settling what an earlier run sent without recording the outcome.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sync_types::{
    ExternalId, Fate, Fingerprint, Intent, LinkId, OpId, Pair, PairState, PairWrite, PropertyName, RecordId,
    SyncKey, Verb, Writing, WrittenRow,
};

use crate::calls::Outgoing;
use crate::doubts::Doubt;
use crate::error::EngineError;
use crate::left::MADE;
use crate::mutation::{self, Bug};
use crate::report::RunReport;
use crate::run::{Mode, Run};

/// How long after it was first sent a call may still be repeated: two minutes, and what the last attempt takes.
const CALL_MAX: Duration = Duration::from_secs(180);

/// How many runs back an intent may be from.
const RUNS_BACK: u64 = 20;

/// How far what is in doubt is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// In full.
    Full,
    /// Before an undo: nothing is made in the source that the undo would have to delete again.
    BeforeUndo,
    /// By reading alone, for a plan of an undo: what would have to be put back or made stays in doubt.
    Reading,
}

/// What settling came to, for whoever is no run.
#[derive(Debug)]
pub(crate) struct Settled {
    /// What was written and put back.
    pub(crate) report: RunReport,
    /// The next operation's number.
    pub(crate) next_op: u64,
    /// Records of which something was put back that somebody had set.
    pub(crate) put_back: Vec<(LinkId, ExternalId)>,
    /// Why it could not be done.
    pub(crate) halt: Option<String>,
}

impl Run<'_> {
    /// Settles every open intent: asks HubSpot by sync key what arrived, and links it; looks up what updates have
    /// overwritten. The scan that follows writes what moved since the last agreement, and all of a record that is new to
    /// us; the rest is as before.
    pub(crate) async fn recover(&mut self) -> Result<(), EngineError> {
        if matches!(self.mode, Mode::Plan(_)) {
            // A plan leaves open work open; what it lists is done by upsert in any case.
            return Ok(());
        }
        let intents = self.engine.parts.store.open_intents()?;
        if !mutation::is(Bug::NoSettling) {
            self.wait_for(&intents).await;
        }
        let undone = self.engine.writings_of_undos(&intents)?;
        self.settle_all(intents, undone, Extent::Full).await?;
        Ok(())
    }

    /// The same for an undo, and no more than that.
    pub(crate) async fn settle_open(self, extent: Extent) -> Result<Settled, EngineError> {
        let intents = self.engine.parts.store.open_intents()?;
        self.wait_for(&intents).await;
        let undone = self.engine.writings_of_undos(&intents)?;
        self.settle_only(intents, undone, extent).await
    }

    /// Settles these intents, whose calls have been answered. `undone` says what those of undos were about to write.
    pub(crate) async fn settle_only(
        mut self,
        intents: Vec<Intent>,
        undone: HashMap<OpId, Writing>,
        extent: Extent,
    ) -> Result<Settled, EngineError> {
        let put_back = self.settle_all(intents, undone, extent).await?;
        if self.halt.is_none() && !self.is_unsettled {
            self.tx.close.append(&mut self.doubted);
        }
        self.commit()?;
        Ok(Settled { report: self.report, next_op: self.next_op, put_back, halt: self.halt })
    }

    async fn settle_all(
        &mut self,
        intents: Vec<Intent>,
        mut undone: HashMap<OpId, Writing>,
        extent: Extent,
    ) -> Result<Vec<(LinkId, ExternalId)>, EngineError> {
        if intents.is_empty() {
            return Ok(Vec::new());
        }
        let mut updates: Vec<OpId> = Vec::new();
        let mut doubts: BTreeMap<LinkId, Vec<Doubt>> = BTreeMap::new();
        for intent in intents {
            let link = self.link_named(intent.subject).filter(|_| intent.verb.is_of_records());
            let undo = undone.remove(&intent.op);
            if undo.is_none() && extent != Extent::Reading {
                self.look_after(&intent);
            }
            match (intent.verb, link) {
                (Verb::Upsert, Some(link)) => {
                    self.probe(link, &intent).await?;
                    if self.halt.is_none() && extent != Extent::Reading && self.is_both_ways(link) {
                        // Two attempts may have arrived, and somebody may have set something between them.
                        self.commit()?;
                        doubts.entry(link).or_default().extend(self.doubts_of(&intent, None)?);
                        updates.push(intent.op);
                        continue;
                    }
                }
                // What it has overwritten is looked up. On a link that flows one way an update is simply repeated.
                (Verb::Update, Some(link)) if undo.is_some() || self.is_both_ways(link) => {
                    if mutation::is(Bug::DoubtForgotten) {
                        self.tx.close.push(intent.op);
                    } else if extent != Extent::Reading {
                        let found = self.doubts_of(&intent, undo.as_ref())?;
                        doubts.entry(link).or_default().extend(found);
                        updates.push(intent.op);
                    }
                    continue;
                }
                (Verb::Update, Some(link)) => self.remember_written(link, &intent)?,
                (Verb::WriteLeft, Some(link)) => match undo {
                    Some(undo) => self.settle_undone_left(link, &undo).await?,
                    None if extent != Extent::Full && self.is_made(&intent) => continue,
                    None => self.finish_making(link, &intent).await?,
                },
                (Verb::Archive, Some(link)) => match undo {
                    Some(undo) => self.settle_undone_births(link, &undo).await?,
                    None => self.note_archived(link, &intent).await?,
                },
                (Verb::Dissociate, _) => {
                    if let Some(undo) = undo {
                        self.settle_undone_edges(&undo).await?;
                    }
                }
                // Associations may be repeated: the edge list does so.
                _ => {}
            }
            if self.halt.is_some() {
                return Ok(Vec::new());
            }
            self.tx.close.push(intent.op);
            self.report.recovered += 1;
            self.commit()?;
        }
        let (is_settled, put_back) = self.look_up(doubts).await?;
        if is_settled {
            self.report.recovered += updates.len() as u64;
            self.tx.close.append(&mut updates);
            self.commit()?;
        }
        Ok(put_back)
    }

    fn is_made(&self, intent: &Intent) -> bool {
        intent.rows.iter().any(|(_, generation)| *generation == MADE)
    }

    /// What the scan would do again, where none may come: the records are looked at by this run.
    fn look_after(&mut self, intent: &Intent) {
        let link = self.link_named(intent.subject).filter(|_| intent.verb.is_of_records());
        if !link.is_some_and(|link| self.can_follow(link)) {
            return;
        }
        let rows = intent.rows.iter().filter(|(_, generation)| *generation != MADE);
        self.tx.dirty.extend(rows.map(|(id, _)| (intent.subject, id.clone())));
    }

    /// Left records that were being made: each creation is repeated under its token, so that the scan meets pairs and
    /// not records that nobody knows.
    async fn finish_making(&mut self, link: LinkId, intent: &Intent) -> Result<(), EngineError> {
        if !self.is_both_ways(link) {
            return Ok(());
        }
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
    async fn note_archived(&mut self, link: LinkId, intent: &Intent) -> Result<(), EngineError> {
        if !self.is_both_ways(link) {
            return Ok(());
        }
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

    /// What was about to be written to records of a link that flows one way: should they be met as strangers again,
    /// these values are ours, and not somebody's who filled them in.
    fn remember_written(&mut self, link: LinkId, intent: &Intent) -> Result<(), EngineError> {
        let mut written = Vec::new();
        self.engine.each_writing(self.number.saturating_sub(RUNS_BACK), |writing| {
            if writing.subject != intent.subject || writing.verb != Verb::Update {
                return;
            }
            for row in &writing.rows {
                if let WrittenRow::Record { id, fields, .. } = row
                    && intent.rows.iter().any(|(of, _)| of == id)
                {
                    written.push((id.clone(), fields.clone()));
                }
            }
        })?;
        for (id, fields) in written {
            self.written_before.entry((link, id)).or_default().extend(fields);
        }
        Ok(())
    }

    /// Waits until a request that was on its way when the earlier run ended can no longer arrive.
    async fn wait_for(&self, intents: &[Intent]) {
        let Some(latest) = intents.iter().map(|intent| intent.sent_at).max() else { return };
        let clock = std::sync::Arc::clone(&self.engine.parts.clock);
        let now = clock.now();
        // A call is repeated for some time after its intent was noted, so the last attempt may have left much later: when
        // its run ended, or, if that was cut off, a moment ago.
        let runs = self.engine.parts.store.runs(2).unwrap_or_default();
        let before = runs.into_iter().find(|run| run.run < self.number);
        let ended = before.and_then(|run| run.ended).filter(|ended| *ended >= latest);
        let longest = latest.checked_add(CALL_MAX).unwrap_or(now);
        let left = [now, longest].into_iter().chain(ended).min().unwrap_or(now);
        let age = Duration::try_from(now.duration_since(left)).unwrap_or_default();
        clock.sleep(self.engine.parts.options.settle.saturating_sub(age)).await;
    }

    /// Links the records of one intent that are in HubSpot.
    async fn probe(&mut self, link: LinkId, intent: &Intent) -> Result<(), EngineError> {
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
                    return Ok(());
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
        Ok(())
    }
}
