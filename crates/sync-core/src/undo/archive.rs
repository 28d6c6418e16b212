//! Records that a run made in HubSpot go again, if nobody has touched them or attached anything to them.

use sync_types::{
    Act, DestinationErrorKind, EdgeOutcome, LinkId, NameId, ObjectType, Pair, PairState, PairWrite,
    PropertyName, RecordId, Transition, Verb, Version, WrittenRow,
};

use super::decide::of_birth;
use super::find::Known;
use super::gather::{Place, Written};
use super::settle::archived;
use super::{UndoRow, UndoVerb, Undoing, as_it_is};
use crate::error::EngineError;

impl Undoing<'_> {
    pub(super) async fn undo_births(
        &mut self,
        link: LinkId,
        made: &[(Place, Written)],
        mut done: u64,
    ) -> Result<(), EngineError> {
        if made.is_empty() {
            return Ok(());
        }
        let subject = self.spec(link).name.clone();
        let properties = self.all_writable(link).await?;
        let size = self.chunk(self.engine.parts.destination.limits().write_max);
        for chunk in made.chunks(size) {
            let known = self.pairs_of(link, chunk, "no HubSpot record is linked to it any more")?;
            let untouched = self.untouched(link, known, &properties).await?;
            let untouched = self.alone(link, untouched).await?;
            self.archive(link, untouched).await?;
            done += chunk.len() as u64;
            self.progress(&subject, done);
        }
        Ok(())
    }

    /// The mapped properties, then the sync key, then whatever else somebody could have changed.
    async fn all_writable(&self, link: LinkId) -> Result<Vec<PropertyName>, EngineError> {
        let spec = self.spec(link);
        let mut all = self.mapped(link);
        all.push(spec.sync_key.clone());
        let schema = self.engine.parts.destination.describe(&spec.object).await?;
        let others = schema.properties.into_iter().filter(|property| !property.read_only);
        let others: Vec<PropertyName> =
            others.map(|property| property.name).filter(|name| !all.contains(name)).collect();
        all.extend(others);
        Ok(all)
    }

    /// Those that are as the run made them; the others are listed as kept.
    async fn untouched(
        &mut self,
        link: LinkId,
        known: Vec<Known<'_>>,
        properties: &[PropertyName],
    ) -> Result<Vec<(Pair, RecordId)>, EngineError> {
        let there = self.shown(link, known).await?;
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let spec = self.spec(link).clone();
        let ids: Vec<RecordId> = there.iter().map(|(_, shown)| shown.id.clone()).collect();
        let histories = self.histories(link, &ids, properties).await?;
        let mut untouched = Vec::new();
        for ((known, _), history) in there.into_iter().zip(histories) {
            let Known { place, written, pair, record } = known;
            let engagement = &self.engine.parts.engagement;
            let key = crate::sync_key(engagement, &spec.name, &pair.external, pair.generation);
            let named: Vec<(PropertyName, Vec<Version>)> = properties.iter().cloned().zip(history).collect();
            let is_key = |version: &Version| version.value.as_text() == Some(key.as_str());
            let verdict = match self.gathered.written_since(place, None) {
                Some(run) => Err(format!("run {run} has written it since: take that run back first")),
                None => of_birth(&named, &spec.sync_key, is_key, written.at),
            };
            match verdict {
                Ok(()) => untouched.push((pair, record)),
                Err(why) => self.keep_place(link, &place.id, None, why),
            }
        }
        Ok(untouched)
    }

    /// Those to which nobody has attached anything since; the others are listed as kept.
    async fn alone(
        &mut self,
        link: LinkId,
        records: Vec<(Pair, RecordId)>,
    ) -> Result<Vec<(Pair, RecordId)>, EngineError> {
        if records.is_empty() {
            return Ok(records);
        }
        let destination = std::sync::Arc::clone(&self.engine.parts.destination);
        let mut types = destination.attachable();
        for far in self.joined(link) {
            let far = &self.spec(far).object;
            if !types.contains(far) {
                types.push(far.clone());
            }
        }
        let (object, lane) = (self.spec(link).object.clone(), self.engine.parts.options.lane);
        let ids: Vec<RecordId> = records.iter().map(|(_, record)| record.clone()).collect();
        let mut why: Vec<Option<String>> = vec![None; records.len()];
        for other in types {
            let shown = match destination.read_edges(&object, &other, &ids, lane).await {
                Ok(shown) => shown,
                Err(error) if error.kind == DestinationErrorKind::MissingScope => {
                    let unread =
                        format!("whether somebody has attached {other} to it cannot be read: {error}");
                    why.iter_mut().for_each(|why| *why = Some(unread.clone()));
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            for (((pair, _), shown), why) in records.iter().zip(shown).zip(&mut why) {
                for edge in shown {
                    if why.is_none() && !self.is_ours(link, pair, &other, &edge.to)? {
                        *why = Some(format!("record {} of {other} was attached to it since", edge.to));
                    }
                }
            }
        }
        let mut alone = Vec::with_capacity(records.len());
        for ((pair, record), why) in records.into_iter().zip(why) {
            match why {
                None => alone.push((pair, record)),
                Some(why) => self.keep_place(link, &pair.external, None, why),
            }
        }
        Ok(alone)
    }

    /// The links that a rule joins with this one.
    fn joined(&self, link: LinkId) -> Vec<LinkId> {
        let rules = self.engine.parts.mapper.edge_rules().iter();
        let ends = rules.flat_map(|rule| [(rule.from, rule.to), (rule.to, rule.from)]);
        let mut joined: Vec<LinkId> = ends.filter(|(near, _)| *near == link).map(|(_, far)| far).collect();
        joined.sort_unstable_by_key(|far| far.0);
        joined.dedup();
        joined
    }

    /// Whether a rule asks for this association, from either end.
    fn is_ours(
        &self,
        link: LinkId,
        near: &Pair,
        other: &ObjectType,
        to: &RecordId,
    ) -> Result<bool, EngineError> {
        let store = &self.engine.parts.store;
        let rules = self.engine.parts.mapper.edge_rules();
        for far in self.joined(link).into_iter().filter(|far| self.spec(*far).object == *other) {
            let found = store.pairs_by_record(self.name(far), std::slice::from_ref(to))?;
            let Some(pair) = found.into_iter().flatten().next() else { continue };
            let asks = |from: &Pair, from_link: LinkId, to: &Pair, to_link: LinkId| {
                let edges = store.edges_of(&[from.id])?.pop().unwrap_or_default();
                Ok::<bool, EngineError>(edges.iter().any(|edge| {
                    let rule = self.engine.rules.iter().position(|name| *name == edge.rule);
                    let rule = rule.and_then(|place| rules.get(place));
                    edge.to == to.external
                        && rule.is_some_and(|rule| rule.from == from_link && rule.to == to_link)
                }))
            };
            if asks(near, link, &pair, far)? || asks(&pair, far, near, link)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn archive(&mut self, link: LinkId, pairs: Vec<(Pair, RecordId)>) -> Result<(), EngineError> {
        let name = self.name(link);
        let mut going: Vec<(Pair, RecordId)> = Vec::with_capacity(pairs.len());
        for (pair, record) in pairs {
            let line = UndoRow {
                link: self.spec(link).name.clone(),
                id: pair.external.clone(),
                record: record.clone(),
                verb: UndoVerb::Archive,
                properties: Vec::new(),
            };
            self.going.insert((name, pair.external.clone()));
            if self.may(link, &line) {
                going.push((pair, record));
            }
        }
        if going.is_empty() {
            return Ok(());
        }
        let since = Some(self.engine.parts.clock.now());
        let ids = going.iter().map(|(pair, _)| (pair.external.clone(), pair.generation)).collect();
        let written = going.iter().map(|(pair, _)| WrittenRow::Record {
            id: pair.external.clone(),
            act: Act::Delete,
            fields: Vec::new(),
        });
        // At rest already, in case the process ends before the outcome is known: its absence is no deletion by a person.
        let resting = going
            .iter()
            .map(|(pair, _)| PairWrite { state: PairState::RightGone, since, ..as_it_is(name, pair) })
            .collect();
        let op = self.intend(Verb::Archive, name, ids, written.collect(), resting)?.op();
        let (object, lane) = (self.spec(link).object.clone(), self.engine.parts.options.lane);
        let records: Vec<RecordId> = going.iter().map(|(_, record)| record.clone()).collect();
        let outcomes = match self.engine.parts.destination.archive(&object, &records, lane).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.nothing_written(link, op, going.iter().map(|(pair, _)| pair))?;
                return Err(error.into());
            }
        };
        let mut line = self.ledger(op, Verb::Archive, name);
        let mut tx = Transition::default();
        let missing = std::iter::repeat_with(|| EdgeOutcome::Unknown("no outcome was given".into()));
        let rules = self.rules_to(link);
        for ((pair, _), outcome) in going.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let report = &mut self.report.links[usize::from(link.0)];
            let why = match outcome {
                EdgeOutcome::Done => {
                    line.written += 1;
                    report.deleted += 1;
                    let gone = archived(name, &pair, rules.clone());
                    tx.pairs.push(PairWrite { since, ..gone });
                    continue;
                }
                EdgeOutcome::Rejected(why) => {
                    line.rejected += 1;
                    report.skipped += 1;
                    tx.pairs.push(as_it_is(name, &pair));
                    format!("HubSpot refused: {}", why.reason)
                }
                EdgeOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.unknown += 1;
                    format!("no proof that it arrived: {why}; undo again")
                }
            };
            self.moved(link, &pair.external, why);
        }
        // Whether those without an answer are gone is looked up next time; until then the intent says so.
        if line.unknown == 0 {
            tx.close.push(op);
        }
        tx.ledger.push(line);
        self.commit(tx)
    }

    /// The rules by which records of other links ask for this link's.
    fn rules_to(&self, link: LinkId) -> Vec<NameId> {
        let rules = self.engine.parts.mapper.edge_rules().iter().zip(&self.engine.rules);
        rules.filter(|(rule, _)| rule.to == link).map(|(_, name)| *name).collect()
    }
}
