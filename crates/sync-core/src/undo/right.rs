//! Taking back what a run wrote to HubSpot's records: earlier values from each property's history.

use sync_types::{
    Act, DestinationError, FieldBase, FieldWrite, Fingerprint, LinkId, NameId, Pair, PairWrite, RecordId,
    RowOutcome, Shown, Target, Transition, Value, Verb, Version, WriteBatch, WriteRow, WrittenRow,
};

use super::books::Noted;
use super::decide::{Verdict, Wrote, of_value};
use super::find::Known;
use super::gather::{Place, Written};
use super::{UndoField, UndoRow, UndoVerb, Undoing, as_it_is};
use crate::error::EngineError;
use crate::plan::{base_of, set_base};

pub(super) const FORWARD: &str = "the mapping lets it go forward only: a person has to set it back";

/// A record that gets earlier values back.
#[derive(Clone, Debug)]
struct Restore {
    pair: Pair,
    record: RecordId,
    fields: Vec<Field>,
}

/// One of its properties.
#[derive(Clone, Debug)]
struct Field {
    place: u16,
    property: NameId,
    value: Value,
    /// What the run wrote.
    wrote: Fingerprint,
    /// What is shown now.
    shown: Fingerprint,
    /// What is shown afterwards.
    back: Fingerprint,
}

impl Undoing<'_> {
    pub(super) async fn undo_right(
        &mut self,
        link: LinkId,
        found: Vec<(Place, Written)>,
    ) -> Result<(), EngineError> {
        let (mut made, mut changed) = (Vec::new(), Vec::new());
        let subject = self.spec(link).name.clone();
        for (place, written) in found {
            match written.act {
                Act::Make => made.push((place, written)),
                Act::Change => changed.push((place, written)),
                Act::Delete => {
                    let why = "it was deleted in HubSpot, which has no call to restore it: a person can, from the \
                               recycling bin, for 90 days";
                    self.keep_place(link, &place.id, None, why.into());
                }
            }
        }
        let size = self.chunk(self.engine.parts.destination.limits().write_max);
        let mut done = 0;
        for chunk in changed.chunks(size) {
            let rows = self.look_at_changed(link, chunk).await?;
            self.restore(link, rows).await?;
            done += chunk.len() as u64;
            self.progress(&subject, done);
        }
        self.undo_births(link, &made, done).await
    }

    async fn look_at_changed(
        &mut self,
        link: LinkId,
        chunk: &[(Place, Written)],
    ) -> Result<Vec<Restore>, EngineError> {
        let known = self.pairs_of(link, chunk, "no HubSpot record is linked to it any more")?;
        let there = self.shown(link, known).await?;
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<RecordId> = there.iter().map(|(_, shown)| shown.id.clone()).collect();
        let histories = self.histories(link, &ids, &self.mapped(link)).await?;
        let mut rows = Vec::new();
        for ((known, shown), history) in there.into_iter().zip(histories) {
            let fields = self.judge(link, &known, &shown, &history);
            if !fields.is_empty() {
                rows.push(Restore { pair: known.pair, record: known.record, fields });
            }
        }
        Ok(rows)
    }

    /// What of a record goes back; the rest is listed as kept.
    fn judge(
        &mut self,
        link: LinkId,
        known: &Known<'_>,
        shown: &Shown,
        history: &[Vec<Version>],
    ) -> Vec<Field> {
        let Known { place, written, pair, .. } = known;
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let mut fields = Vec::new();
        for field in &written.fields {
            let what = self.engine.property_name(place.link, field.property);
            let Some(index) = names.iter().position(|name| *name == field.property) else {
                self.keep_place(link, &place.id, Some(what), "the property has left the mapping".into());
                continue;
            };
            let print = |value: &Value| self.prints.value(&mapper.canonical(link, index, value.clone()));
            // An earlier attempt has noted how HubSpot shows what the run wrote; until then it is what both agreed on.
            let wrote = match self.gathered.attempted(place, field.property) {
                Some(attempt) => {
                    Wrote { before: Some(attempt.after), after: field.after, shown_as: attempt.before }
                }
                None => {
                    let base = base_of(&pair.bases, field.property).filter(|base| base.left == field.after);
                    Wrote { before: field.before, after: field.after, shown_as: base.map(|base| base.right) }
                }
            };
            let versions = history.get(index).map_or(&[][..], Vec::as_slice);
            let verdict = of_value(versions, wrote, self.null, |version| print(&version.value));
            let shows = shown.values.get(index).map(print);
            let is_behind = versions.first().is_some_and(|newest| Some(print(&newest.value)) != shows);
            let value = match verdict {
                Verdict::Already => continue,
                Verdict::Restore(_) | Verdict::Keep(_) if let Some(run) = self.later(place, field) => {
                    let why = format!("run {run} has written it since: take that run back first");
                    self.keep_place(link, &place.id, Some(what), why);
                    continue;
                }
                Verdict::Keep(why) => {
                    self.keep_place(link, &place.id, Some(what), why);
                    continue;
                }
                Verdict::Restore(_) if self.only_goes_forward(link, index) => {
                    self.keep_place(link, &place.id, Some(what), FORWARD.into());
                    continue;
                }
                Verdict::Restore(_) if is_behind => {
                    let why = "it was changed a moment ago: ask again".to_owned();
                    self.keep_place(link, &place.id, Some(what), why);
                    continue;
                }
                Verdict::Restore(value) => value,
            };
            let (Ok(at), Some(shown)) = (u16::try_from(index), shows) else { continue };
            let back = print(&value);
            fields.push(Field {
                place: at,
                property: field.property,
                value,
                wrote: field.after,
                shown,
                back,
            });
        }
        fields
    }

    fn later(&self, place: &Place, field: &FieldWrite) -> Option<u64> {
        self.gathered.written_since(place, Some(field.property))
    }

    async fn restore(&mut self, link: LinkId, rows: Vec<Restore>) -> Result<(), EngineError> {
        let (subject, names) = (self.spec(link).name.clone(), self.mapped(link));
        let mut going = Vec::with_capacity(rows.len());
        for row in rows {
            let properties = row.fields.iter().filter_map(|field| {
                Some(UndoField {
                    name: names.get(usize::from(field.place))?.clone(),
                    shown: field.shown.to_string(),
                    back: field.back.to_string(),
                })
            });
            let line = UndoRow {
                link: subject.clone(),
                id: row.pair.external.clone(),
                record: row.record.clone(),
                verb: UndoVerb::Restore,
                properties: properties.collect(),
            };
            if self.may(link, &line) {
                going.push(row);
            }
        }
        if !going.is_empty() {
            self.send(link, going).await?;
        }
        Ok(())
    }

    async fn send(&mut self, link: LinkId, rows: Vec<Restore>) -> Result<(), EngineError> {
        let name = self.name(link);
        let ids = rows.iter().map(|row| (row.pair.external.clone(), row.pair.generation)).collect();
        let written = rows.iter().map(journalled).collect();
        let agreed: Vec<PairWrite> = rows.iter().map(|row| self.agreed(name, row, &[])).collect();
        let noted = self.intend(Verb::Update, name, ids, written, agreed)?;
        let outcomes = match self.write(link, noted.op(), &rows).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.nothing_written(link, noted.op(), rows.iter().map(|row| &row.pair))?;
                return Err(error.into());
            }
        };
        self.wrote(link, noted, rows, outcomes).await
    }

    async fn wrote(
        &mut self,
        link: LinkId,
        noted: Noted,
        rows: Vec<Restore>,
        outcomes: Vec<RowOutcome>,
    ) -> Result<(), EngineError> {
        let name = self.name(link);
        let mut line = self.ledger(noted.op(), Verb::Update, name);
        let mut tx = Transition::default();
        let missing = std::iter::repeat_with(|| RowOutcome::Unknown("no outcome was given".into()));
        for (row, outcome) in rows.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let report = &mut self.report.links[usize::from(link.0)];
            let why = match outcome {
                RowOutcome::Written { reshown, .. } => {
                    line.written += 1;
                    report.updated += 1;
                    let reshown: Vec<(u16, Fingerprint)> = reshown
                        .into_iter()
                        .map(|(place, value)| (place, self.canonical(link, place, value)))
                        .collect();
                    if !reshown.is_empty() {
                        tx.pairs.push(self.agreed(name, &row, &reshown));
                    }
                    continue;
                }
                RowOutcome::Rejected(why) => {
                    line.rejected += 1;
                    report.skipped += 1;
                    tx.pairs.push(as_it_is(name, &row.pair));
                    format!("HubSpot refused: {}", why.reason)
                }
                RowOutcome::NotSent(why) => {
                    report.pending += 1;
                    tx.pairs.push(as_it_is(name, &row.pair));
                    format!("it was not sent: {why}")
                }
                RowOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.unknown += 1;
                    format!("no proof that it arrived: {why}; undo again")
                }
            };
            self.moved(link, &row.pair.external, why);
        }
        // The intent stays open until it is known what the write has overwritten; without an answer that is too early.
        let (written, unknown) = (line.written, line.unknown);
        if written + unknown == 0 {
            tx.close.push(noted.op());
        }
        tx.ledger.push(line);
        self.commit(tx)?;
        if written > 0 && unknown == 0 { self.settle(noted).await } else { Ok(()) }
    }

    /// Writes these rows; those without an answer again, after a pause in which the first attempt would have arrived.
    async fn write(
        &mut self,
        link: LinkId,
        op: sync_types::OpId,
        rows: &[Restore],
    ) -> Result<Vec<RowOutcome>, DestinationError> {
        let mut outcomes: Vec<RowOutcome> =
            rows.iter().map(|_| RowOutcome::Unknown("it was not tried".into())).collect();
        for attempt in 0..self.engine.parts.options.tries_max.max(1) {
            let open: Vec<usize> = (0..rows.len())
                .filter(|at| matches!(outcomes.get(*at), Some(RowOutcome::Unknown(_))))
                .collect();
            if open.is_empty() {
                break;
            }
            if attempt > 0 {
                let clock = std::sync::Arc::clone(&self.engine.parts.clock);
                clock.sleep(self.engine.parts.options.settle).await;
            }
            let batch = self.batch(link, op, open.iter().filter_map(|at| rows.get(*at)));
            match self.engine.parts.destination.write(&batch).await {
                Ok(answers) => {
                    for (at, answer) in open.into_iter().zip(answers) {
                        if let Some(outcome) = outcomes.get_mut(at) {
                            *outcome = answer;
                        }
                    }
                }
                // An earlier attempt may have arrived: then this is no proof of anything.
                Err(error) if attempt > 0 => {
                    tracing::warn!(%error, "an undo could not be repeated");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outcomes)
    }

    fn batch<'r>(
        &self,
        link: LinkId,
        op: sync_types::OpId,
        rows: impl Iterator<Item = &'r Restore>,
    ) -> WriteBatch {
        let spec = self.spec(link);
        let rows = rows.map(|row| WriteRow {
            key: crate::sync_key(
                &self.engine.parts.engagement,
                &spec.name,
                &row.pair.external,
                row.pair.generation,
            ),
            record: Some(row.record.clone()),
            values: row.fields.iter().map(|field| (field.place, field.value.clone())).collect(),
        });
        WriteBatch {
            op,
            object: spec.object.clone(),
            key: spec.sync_key.clone(),
            lane: self.engine.parts.options.lane,
            target: Target::Record,
            properties: std::sync::Arc::clone(&self.engine.names[usize::from(link.0)].wire),
            rows: rows.collect(),
        }
    }

    fn canonical(&self, link: LinkId, place: u16, value: Value) -> Fingerprint {
        self.prints.value(&self.engine.parts.mapper.canonical(link, usize::from(place), value))
    }

    /// The pair with what both sides show once its values are back.
    fn agreed(&self, name: NameId, row: &Restore, reshown: &[(u16, Fingerprint)]) -> PairWrite {
        let mut pair = as_it_is(name, &row.pair);
        for field in &row.fields {
            let shows = reshown
                .iter()
                .find(|(place, _)| *place == field.place)
                .map_or(field.back, |(_, print)| *print);
            let base = base_of(&row.pair.bases, field.property);
            let left = base.map_or(field.wrote, |base| base.left);
            set_base(&mut pair.bases, FieldBase { property: field.property, left, right: shows });
        }
        pair
    }
}

/// A row as the journal keeps it.
fn journalled(row: &Restore) -> WrittenRow {
    let fields = row.fields.iter().map(|field| FieldWrite {
        property: field.property,
        before: Some(field.shown),
        after: field.back,
    });
    WrittenRow::Record { id: row.pair.external.clone(), act: Act::Change, fields: fields.collect() }
}
