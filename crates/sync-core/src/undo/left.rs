//! Taking back what a run wrote to the customer's system.
//!
//! A source keeps no history. What it showed before an edit was brought to it is found in HubSpot's history all the
//! same, because both sides agreed on it then: it is the version with the fingerprint that the journal notes. Where
//! HubSpot's history does not hold it, it stays.

use sync_types::{
    Act, ExternalId, FieldBase, FieldWrite, Fingerprint, LeftBatch, LeftField, LeftOutcome, LeftRow,
    LeftVerb, LinkId, Mapped, NameId, OpId, Pair, PairState, PairWrite, PropertyName, Record, RecordId,
    Transition, Value, Verb, Version, WrittenRow,
};

use super::find::Known;
use super::gather::{Place, Written};
use super::right::FORWARD;
use super::{UndoField, UndoRow, UndoVerb, Undoing, as_it_is};
use crate::error::EngineError;
use crate::left::{merge_fields, no_writer};
use crate::plan::{base_of, set_base};

/// A record that is taken back.
struct BackRow {
    pair: Pair,
    record: RecordId,
    left: Record,
    /// What goes back; none: the record itself goes.
    fields: Vec<Field>,
}

struct Field {
    property: NameId,
    name: PropertyName,
    value: Vec<LeftField>,
    shown: Fingerprint,
    back: Fingerprint,
}

/// A record that is there on the left.
struct There<'w> {
    known: Known<'w>,
    left: Record,
    mapped: Mapped,
}

impl Undoing<'_> {
    pub(super) async fn undo_left(
        &mut self,
        link: LinkId,
        found: Vec<(Place, Written)>,
    ) -> Result<(), EngineError> {
        let subject = self.spec(link).name.clone();
        let mut open = Vec::new();
        for (place, written) in found {
            if written.act == Act::Delete {
                let why = "it was deleted in the source, and no copy of it is kept here: HubSpot's recycling bin may \
                           still have its counterpart";
                self.keep_place(link, &place.id, None, why.into());
            } else {
                open.push((place, written));
            }
        }
        let size = self.chunk(self.engine.parts.writer.as_ref().map_or(100, |writer| writer.write_max()));
        let mut done = 0;
        for chunk in open.chunks(size) {
            let rows = self.look_left(link, chunk).await?;
            self.carry_left(link, rows).await?;
            done += chunk.len() as u64;
            self.progress(&subject, done);
        }
        Ok(())
    }

    /// The pairs of these places whose left record is there and can be mapped; the others are listed as kept.
    async fn find_left<'w>(
        &mut self,
        link: LinkId,
        chunk: &'w [(Place, Written)],
    ) -> Result<Vec<There<'w>>, EngineError> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let collection = self.spec(link).collection.clone();
        let known = self.pairs_of(link, chunk, "the two records are no pair any more")?;
        let ids: Vec<ExternalId> = known.iter().map(|known| known.pair.external.clone()).collect();
        let lefts = self.engine.parts.source.read(&collection, &ids).await?;
        let mut there = Vec::with_capacity(known.len());
        for (known, left) in known.into_iter().zip(lefts.into_iter().chain(std::iter::repeat(None))) {
            let why = match left.map(|left| (mapper.map(link, &left), left)) {
                Some((Ok(mapped), left)) => {
                    there.push(There { known, left, mapped });
                    continue;
                }
                Some((Err(error), _)) => format!("it cannot be mapped any more: {error}"),
                None => "it is gone from the source".to_owned(),
            };
            self.keep_place(link, &known.pair.external, None, why);
        }
        Ok(there)
    }

    async fn look_left(
        &mut self,
        link: LinkId,
        chunk: &[(Place, Written)],
    ) -> Result<Vec<BackRow>, EngineError> {
        let there = self.find_left(link, chunk).await?;
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<RecordId> = there.iter().map(|there| there.known.record.clone()).collect();
        let histories = self.histories(link, &ids, &self.mapped(link)).await?;
        let mut rows = Vec::new();
        for (there, history) in there.into_iter().zip(histories) {
            match there.known.written.act {
                Act::Make => rows.extend(self.judge_made(link, there)),
                _ => rows.extend(self.judge_left(link, there, &history)),
            }
        }
        Ok(rows)
    }

    /// A record that the run made in the source goes, if it still shows all that was brought to it and nothing has been
    /// written to it since.
    fn judge_made(&mut self, link: LinkId, there: There<'_>) -> Option<BackRow> {
        let Known { place, written, pair, record } = there.known;
        let own = Place { made_of: false, id: pair.external.clone(), ..place.clone() };
        if let Some(run) = self.gathered.written_since(&own, None) {
            let why = format!("run {run} has written it since: take that run back first");
            self.keep_place(link, &pair.external, None, why);
            return None;
        }
        let moved = written.fields.iter().find(|field| {
            let shown = self.shown_left(link, &there.mapped, field.property);
            let agreed = base_of(&pair.bases, field.property).map(|base| base.left);
            // The source may show a value in a form of its own, as it did when it was made.
            shown != Some(field.after) && (shown.is_none() || shown != agreed)
        });
        if let Some(field) = moved {
            let name = self.engine.property_name(place.link, field.property);
            let why = "it was changed in the source since".to_owned();
            self.keep_place(link, &pair.external, Some(name), why);
            return None;
        }
        Some(BackRow { pair, record, left: there.left, fields: Vec::new() })
    }

    fn judge_left(&mut self, link: LinkId, there: There<'_>, history: &[Vec<Version>]) -> Option<BackRow> {
        let There { known: Known { place, written, pair, record }, left, mapped } = there;
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let mut fields = Vec::new();
        for field in &written.fields {
            let what = self.engine.property_name(place.link, field.property);
            let Some(index) = names.iter().position(|name| *name == field.property) else {
                let why = "the property has left the mapping".to_owned();
                self.keep_place(link, &pair.external, Some(what), why);
                continue;
            };
            let Some(shown) = self.shown_left(link, &mapped, field.property) else { continue };
            if field.before == Some(shown) {
                continue;
            }
            let agreed = base_of(&pair.bases, field.property).map(|base| base.left);
            // Brought back by an earlier attempt, and shown in a form of the source's own.
            let attempt = self.gathered.attempted(place, field.property);
            if attempt.is_some_and(|attempt| attempt.before != Some(shown) && agreed == Some(shown)) {
                continue;
            }
            let why = if let Some(run) = self.gathered.written_since(place, Some(field.property)) {
                format!("run {run} has written it since: take that run back first")
            } else if shown != field.after && agreed != Some(shown) {
                "it was changed in the source since".into()
            } else if self.only_goes_forward(link, index) {
                FORWARD.into()
            } else {
                match self.earlier(link, index, field, history) {
                    Ok((value, back)) => {
                        let name = PropertyName::from(what.as_str());
                        fields.push(Field { property: field.property, name, value, shown, back });
                        continue;
                    }
                    Err(why) => why,
                }
            };
            self.keep_place(link, &pair.external, Some(what), why);
        }
        if fields.is_empty() {
            return None;
        }
        Some(BackRow { pair, record, left, fields })
    }

    /// What the source showed before, by HubSpot's history, as fields of the source.
    fn earlier(
        &self,
        link: LinkId,
        index: usize,
        field: &FieldWrite,
        history: &[Vec<Version>],
    ) -> Result<(Vec<LeftField>, Fingerprint), String> {
        let mapper = &self.engine.parts.mapper;
        let Some(before) = field.before else {
            return Err("what the source showed before is not on record".into());
        };
        let versions = history.get(index).map_or(&[][..], Vec::as_slice);
        let values = versions.iter().map(|version| mapper.canonical(link, index, version.value.clone()));
        let empty = (before == self.null).then_some(Value::Null);
        let value = empty.or_else(|| values.into_iter().find(|value| self.prints.value(value) == before));
        let Some(value) = value else {
            return Err("HubSpot's history does not hold what the source showed before".into());
        };
        match mapper.back(link, index, &value) {
            Ok(fields) if fields.is_empty() => {
                Err("the mapping brings such a value to no field of the source: a person has to set it back"
                    .into())
            }
            Ok(fields) => Ok((fields, before)),
            Err(problem) => {
                Err(format!("the earlier value cannot be brought to the source: {}", problem.reason))
            }
        }
    }

    fn shown_left(&self, link: LinkId, mapped: &Mapped, property: NameId) -> Option<Fingerprint> {
        let names = &self.engine.names[usize::from(link.0)].properties;
        let index = names.iter().position(|name| *name == property)?;
        mapped.values.get(index)?.as_ref().map(|value| self.prints.value(value))
    }

    async fn carry_left(&mut self, link: LinkId, rows: Vec<BackRow>) -> Result<(), EngineError> {
        let (name, spec) = (self.name(link), self.spec(link).clone());
        let mut going = Vec::with_capacity(rows.len());
        for row in rows {
            let properties = row.fields.iter().map(|field| UndoField {
                name: field.name.clone(),
                shown: field.shown.to_string(),
                back: field.back.to_string(),
            });
            let line = UndoRow {
                link: spec.name.clone(),
                id: row.pair.external.clone(),
                record: row.record.clone(),
                verb: if row.fields.is_empty() { UndoVerb::DeleteSource } else { UndoVerb::RestoreSource },
                properties: properties.collect(),
            };
            if self.may(link, &line) {
                going.push(row);
            }
        }
        if going.is_empty() {
            return Ok(());
        }
        let Some(writer) = self.engine.parts.writer.clone() else { return Err(no_writer().into()) };
        let ids = going.iter().map(|row| (row.pair.external.clone(), row.pair.generation)).collect();
        let written = going.iter().map(journalled).collect();
        let agreed: Vec<PairWrite> = going.iter().map(|row| self.agreed_left(name, row)).collect();
        let op = self.intend(Verb::WriteLeft, name, ids, written, agreed)?.op();
        let rows = going.iter().map(|row| LeftRow {
            verb: match row.fields.is_empty() {
                true => LeftVerb::Delete(row.left.clone()),
                false => LeftVerb::Update(row.left.clone()),
            },
            token: crate::sync_key(&self.engine.parts.engagement, &spec.name, &row.pair.external, 0),
            fields: merge_fields(row.fields.iter().flat_map(|field| field.value.iter().cloned())),
        });
        let batch = LeftBatch { op, collection: spec.collection.clone(), rows: rows.collect() };
        let outcomes = match writer.write(&batch).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.nothing_written(link, op, going.iter().map(|row| &row.pair))?;
                return Err(error.into());
            }
        };
        self.wrote_left(link, op, going, outcomes)
    }

    fn wrote_left(
        &mut self,
        link: LinkId,
        op: OpId,
        rows: Vec<BackRow>,
        outcomes: Vec<LeftOutcome>,
    ) -> Result<(), EngineError> {
        let name = self.name(link);
        let mut line = self.ledger(op, Verb::WriteLeft, name);
        let mut tx = Transition::default();
        let missing =
            std::iter::repeat_with(|| LeftOutcome::Unknown("no outcome was given for this row".into()));
        for (row, outcome) in rows.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let report = &mut self.report.links[usize::from(link.0)];
            let why = match outcome {
                LeftOutcome::Written(record) | LeftOutcome::Found(record) => {
                    line.written += 1;
                    report.brought_back += 1;
                    tx.pairs.push(self.agreed_with(link, name, &row, &record));
                    continue;
                }
                LeftOutcome::Deleted | LeftOutcome::Gone if row.fields.is_empty() => {
                    line.written += 1;
                    report.deleted += 1;
                    continue;
                }
                LeftOutcome::Moved => {
                    report.skipped += 1;
                    "it moved since the undo was planned".to_owned()
                }
                LeftOutcome::Gone | LeftOutcome::Deleted => {
                    report.skipped += 1;
                    "it is gone from the source".to_owned()
                }
                LeftOutcome::Rejected(why) => {
                    line.rejected += 1;
                    report.skipped += 1;
                    format!("the source refused: {}", why.reason)
                }
                LeftOutcome::NotSent(why) => {
                    report.pending += 1;
                    format!("it was not sent: {why}")
                }
                LeftOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.unknown += 1;
                    let why = format!("no proof that it arrived: {why}; undo again");
                    self.moved(link, &row.pair.external, why);
                    continue;
                }
            };
            tx.pairs.push(as_it_is(name, &row.pair));
            self.moved(link, &row.pair.external, why);
        }
        if line.unknown == 0 {
            tx.close.push(op);
        }
        tx.ledger.push(line);
        self.commit(tx)
    }

    /// The pair with what both sides show once the record is as it was.
    fn agreed_left(&self, name: NameId, row: &BackRow) -> PairWrite {
        let pair = as_it_is(name, &row.pair);
        if row.fields.is_empty() {
            // It is gone because it was taken back: HubSpot's record stays, and is not brought over again.
            let since = Some(self.engine.parts.clock.now());
            return PairWrite { state: PairState::LeftGone, since, ..pair };
        }
        let mut pair = PairWrite { row: Fingerprint(0), ..pair };
        for field in &row.fields {
            let right = base_of(&row.pair.bases, field.property).map_or(field.shown, |base| base.right);
            set_base(&mut pair.bases, FieldBase { property: field.property, left: field.back, right });
        }
        pair
    }

    /// The same with what the source shows of itself.
    fn agreed_with(&self, link: LinkId, name: NameId, row: &BackRow, record: &Record) -> PairWrite {
        let mapper = &self.engine.parts.mapper;
        let mut pair = self.agreed_left(name, row);
        let Ok(mapped) = mapper.map(link, record) else { return pair };
        for field in &row.fields {
            let Some(left) = self.shown_left(link, &mapped, field.property) else { continue };
            let right = base_of(&pair.bases, field.property).map_or(left, |base| base.right);
            set_base(&mut pair.bases, FieldBase { property: field.property, left, right });
        }
        pair.row = self.prints.values(mapper.fingerprint(), record.values());
        pair
    }
}

/// A row as the journal keeps it.
fn journalled(row: &BackRow) -> WrittenRow {
    let fields = row.fields.iter().map(|field| FieldWrite {
        property: field.property,
        before: Some(field.shown),
        after: field.back,
    });
    let act = if row.fields.is_empty() { Act::Delete } else { Act::Change };
    WrittenRow::Record { id: row.pair.external.clone(), act, fields: fields.collect() }
}
