//! Taking back what a run wrote to HubSpot: earlier values from each property's history; records that it made go, if
//! nobody has touched them.

use sync_types::{
    Act, DestinationError, EdgeOutcome, ExternalId, FieldBase, FieldWrite, Fingerprint, HeldConflict,
    LedgerEntry, LinkId, NameId, Pair, PairState, PairWrite, PropertyName, RecordId, RowOutcome, Shown,
    Target, Transition, Value, Verb, Version, WriteBatch, WriteRow, WrittenRow,
};

use super::decide::{Verdict, Wrote, of_birth, of_value};
use super::gather::{Place, Written};
use super::{UndoField, UndoRow, UndoVerb, Undoing, as_it_is, with_right};
use crate::decide::HoldCause;
use crate::error::EngineError;
use crate::meet::cause_code;
use crate::plan::{base_of, set_base};
use crate::report::Moved;

pub(super) const ERASED: &str = "its subject was erased";
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
        let limits = self.engine.parts.destination.limits();
        let (mut made, mut changed) = (Vec::new(), Vec::new());
        let subject = self.spec(link).name.clone();
        for (place, written) in found {
            match written.act {
                Act::Make => made.push((place, written)),
                Act::Change => changed.push((place, written)),
                Act::Delete => {
                    let why = "it was deleted in HubSpot, which has no call to restore it: a person can, from the \
                               recycling bin, for 90 days";
                    self.keep(subject.clone(), place.id.to_string(), None, why.into());
                }
            }
        }
        let size = (limits.read_max / 2).min(limits.write_max).max(1);
        let mut done = 0;
        for chunk in changed.chunks(size) {
            let rows = self.look_at_changed(link, chunk).await?;
            self.restore(link, rows).await?;
            done += chunk.len() as u64;
            self.progress(&subject, done);
        }
        let properties = if made.is_empty() { Vec::new() } else { self.all_writable(link).await? };
        for chunk in made.chunks(size) {
            let rows = self.look_at_made(link, chunk, &properties).await?;
            self.archive(link, rows).await?;
            done += chunk.len() as u64;
            self.progress(&subject, done);
        }
        Ok(())
    }

    pub(super) fn spec(&self, link: LinkId) -> &sync_types::Link {
        &self.engine.parts.mapper.links()[usize::from(link.0)]
    }

    pub(super) fn name(&self, link: LinkId) -> NameId {
        self.engine.names[usize::from(link.0)].link
    }

    fn mapped(&self, link: LinkId) -> Vec<PropertyName> {
        self.spec(link).properties.iter().map(|property| property.name.clone()).collect()
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

    /// The records of these places that are there, with what HubSpot shows; the others are listed as kept.
    async fn find<'w>(
        &mut self,
        link: LinkId,
        chunk: &'w [(Place, Written)],
    ) -> Result<Vec<(&'w Place, &'w Written, Pair, Shown)>, EngineError> {
        let ids: Vec<ExternalId> = chunk.iter().map(|(place, _)| place.id.clone()).collect();
        let pairs = self.engine.parts.store.pairs(self.name(link), &ids)?;
        let subject = self.spec(link).name.clone();
        let mut known = Vec::with_capacity(chunk.len());
        for ((place, written), pair) in chunk.iter().zip(pairs) {
            match pair.and_then(|pair| Some((pair.record.clone()?, pair))) {
                Some((_, pair)) if pair.state == PairState::Erased => {
                    self.keep(subject.clone(), place.id.to_string(), None, ERASED.into());
                }
                Some((record, pair)) => known.push((place, written, pair, record)),
                None => {
                    let why = "no HubSpot record is linked to it any more";
                    self.keep(subject.clone(), place.id.to_string(), None, why.into());
                }
            }
        }
        let records: Vec<RecordId> = known.iter().map(|(.., record)| record.clone()).collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (object, properties) = (self.spec(link).object.clone(), self.mapped(link));
        let lane = self.engine.parts.options.lane;
        let shown = self.engine.parts.destination.read(&object, &records, &properties, lane).await?;
        let mut there = Vec::with_capacity(known.len());
        for ((place, written, pair, record), shown) in
            known.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None)))
        {
            match shown.filter(|shown| shown.id == record) {
                Some(shown) => there.push((place, written, pair, shown)),
                None => {
                    let why = "its HubSpot record was deleted or merged since".to_owned();
                    self.keep(subject.clone(), place.id.to_string(), None, why);
                }
            }
        }
        Ok(there)
    }

    async fn look_at_changed(
        &mut self,
        link: LinkId,
        chunk: &[(Place, Written)],
    ) -> Result<Vec<Restore>, EngineError> {
        let there = self.find(link, chunk).await?;
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let (object, properties) = (self.spec(link).object.clone(), self.mapped(link));
        let ids: Vec<RecordId> = there.iter().map(|(.., shown)| shown.id.clone()).collect();
        let lane = self.engine.parts.options.lane;
        let histories = self.engine.parts.destination.history(&object, &ids, &properties, lane).await?;
        let mut rows = Vec::new();
        for ((place, written, pair, shown), history) in
            there.into_iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            let fields = self.judge(link, place, written, &pair, &shown, &history);
            if !fields.is_empty() {
                rows.push(Restore { pair, record: shown.id, fields });
            }
        }
        Ok(rows)
    }

    /// What of a record goes back; the rest is listed as kept.
    fn judge(
        &mut self,
        link: LinkId,
        place: &Place,
        written: &Written,
        pair: &Pair,
        shown: &Shown,
        history: &[Vec<Version>],
    ) -> Vec<Field> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let mut fields = Vec::new();
        for field in &written.fields {
            let what = self.engine.property_name(place.link, field.property);
            let Some(index) = names.iter().position(|name| *name == field.property) else {
                self.keep_field(link, place, what, "the property has left the mapping".into());
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
                    self.keep_field(link, place, what, why);
                    continue;
                }
                Verdict::Keep(why) => {
                    self.keep_field(link, place, what, why);
                    continue;
                }
                Verdict::Restore(_) if self.only_goes_forward(link, index) => {
                    self.keep_field(link, place, what, FORWARD.into());
                    continue;
                }
                Verdict::Restore(_) if is_behind => {
                    let why = "it was changed a moment ago: ask again".to_owned();
                    self.keep_field(link, place, what, why);
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

    /// Whether the mapping lets nobody but a person move the property back.
    pub(super) fn only_goes_forward(&self, link: LinkId, index: usize) -> bool {
        self.spec(link).properties.get(index).is_some_and(|property| property.ratchet)
    }

    fn later(&self, place: &Place, field: &FieldWrite) -> Option<u64> {
        self.gathered.written_since(place, Some(field.property))
    }

    fn keep_field(&mut self, link: LinkId, place: &Place, what: String, why: String) {
        let subject = self.spec(link).name.clone();
        self.keep(subject, place.id.to_string(), Some(what), why);
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
        let written = rows.iter().map(noted).collect();
        let agreed: Vec<PairWrite> = rows.iter().map(|row| self.agreed(name, row, &[])).collect();
        let op = self.intend(Verb::Update, name, ids, written, agreed)?;
        let outcomes = match self.write(link, op, &rows).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // Nothing was written: what was agreed before stands again.
                let pairs = rows.iter().map(|row| as_it_is(name, &row.pair)).collect();
                self.report.links[usize::from(link.0)].pending += rows.len() as u64;
                self.commit(Transition { pairs, close: vec![op], ..Transition::default() })?;
                return Err(error.into());
            }
        };
        let mut line = LedgerEntry {
            run: self.report.run,
            op,
            verb: Verb::Update,
            subject: name,
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        let mut tx = Transition::default();
        let mut done = Vec::new();
        for (row, outcome) in rows.into_iter().zip(outcomes) {
            let report = &mut self.report.links[usize::from(link.0)];
            match outcome {
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
                    done.push(row);
                }
                RowOutcome::Rejected(why) => {
                    line.rejected += 1;
                    report.skipped += 1;
                    tx.pairs.push(as_it_is(name, &row.pair));
                    self.moved(link, &row.pair.external, format!("HubSpot refused: {}", why.reason));
                }
                RowOutcome::NotSent(why) => {
                    report.pending += 1;
                    tx.pairs.push(as_it_is(name, &row.pair));
                    self.moved(link, &row.pair.external, format!("it was not sent: {why}"));
                }
                RowOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.unknown += 1;
                    self.moved(
                        link,
                        &row.pair.external,
                        format!("no proof that it arrived: {why}; undo again"),
                    );
                }
            }
        }
        if line.unknown == 0 {
            tx.close.push(op);
        }
        tx.ledger.push(line);
        self.commit(tx)?;
        self.audit(link, done).await
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
                self.settle().await;
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
            set_base(&mut pair.bases, with_right(base, field.property, field.wrote, shows));
        }
        pair
    }

    fn moved(&mut self, link: LinkId, id: &ExternalId, why: String) {
        let link = self.spec(link).name.clone();
        self.report.moved.push(Moved { link, id: id.to_string(), why });
    }

    /// What somebody set between our reading and our writing is told, and put back: it is newer than what was undone.
    async fn audit(&mut self, link: LinkId, rows: Vec<Restore>) -> Result<(), EngineError> {
        if rows.is_empty() || !self.engine.parts.options.audit {
            return Ok(());
        }
        let (object, properties) = (self.spec(link).object.clone(), self.mapped(link));
        let ids: Vec<RecordId> = rows.iter().map(|row| row.record.clone()).collect();
        let lane = self.engine.parts.options.lane;
        let histories = self.engine.parts.destination.history(&object, &ids, &properties, lane).await?;
        let mut tx = Transition::default();
        let mut again = Vec::new();
        for (row, history) in rows.into_iter().zip(histories) {
            let mut fields = Vec::new();
            for field in &row.fields {
                let versions = history.get(usize::from(field.place)).map_or(&[][..], Vec::as_slice);
                let print = |version: &Version| self.canonical(link, field.place, version.value.clone());
                let ours = versions.iter().position(|version| print(version) == field.back);
                let below = ours.and_then(|at| versions.get(at + 1));
                let Some(hers) = below.filter(|below| print(below) != field.shown) else { continue };
                let foreign = print(hers);
                tx.hold.push(self.overwrote(link, &row, field, foreign, &hers.by));
                fields.push(Field {
                    value: hers.value.clone(),
                    back: foreign,
                    shown: field.back,
                    ..field.clone()
                });
            }
            if !fields.is_empty() {
                self.report.links[usize::from(link.0)].overridden += fields.len() as u64;
                let why = "somebody changed it in the moment of the undo: her value was put back";
                self.moved(link, &row.pair.external, why.into());
                again.push(Restore { fields, ..row });
            }
        }
        if again.is_empty() {
            return Ok(());
        }
        self.commit(tx)?;
        // What was agreed stands: the other side hears of her change as of any other.
        let name = self.name(link);
        let ids = again.iter().map(|row| (row.pair.external.clone(), row.pair.generation)).collect();
        let op = self.intend(Verb::Update, name, ids, again.iter().map(noted).collect(), Vec::new())?;
        let outcomes = self.write(link, op, &again).await?;
        if outcomes.iter().all(|outcome| !matches!(outcome, RowOutcome::Unknown(_))) {
            self.commit(Transition { close: vec![op], ..Transition::default() })?;
        }
        Ok(())
    }

    fn overwrote(
        &self,
        link: LinkId,
        row: &Restore,
        field: &Field,
        foreign: Fingerprint,
        by: &str,
    ) -> HeldConflict {
        HeldConflict {
            link: self.name(link),
            external: row.pair.external.clone(),
            record: row.record.clone(),
            property: field.property,
            cause: cause_code(HoldCause::LostUpdate).into(),
            opponent: Some(by.to_owned()),
            left: base_of(&row.pair.bases, field.property).map_or(self.null, |base: &FieldBase| base.left),
            right: foreign,
            run: self.report.run,
            decision: None,
            is_settled: true,
        }
    }

    async fn look_at_made(
        &mut self,
        link: LinkId,
        chunk: &[(Place, Written)],
        properties: &[PropertyName],
    ) -> Result<Vec<Pair>, EngineError> {
        let there = self.find(link, chunk).await?;
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let spec = self.spec(link).clone();
        let ids: Vec<RecordId> = there.iter().map(|(.., shown)| shown.id.clone()).collect();
        let lane = self.engine.parts.options.lane;
        let histories = self.engine.parts.destination.history(&spec.object, &ids, properties, lane).await?;
        let mut untouched = Vec::new();
        for ((place, written, pair, _), history) in
            there.into_iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            let engagement = &self.engine.parts.engagement;
            let key = crate::sync_key(engagement, &spec.name, &pair.external, pair.generation);
            let named: Vec<(PropertyName, Vec<Version>)> = properties.iter().cloned().zip(history).collect();
            let is_key = |version: &Version| version.value.as_text() == Some(key.as_str());
            let verdict = match self.gathered.written_since(place, None) {
                Some(run) => Err(format!("run {run} has written it since: take that run back first")),
                None => of_birth(&named, &spec.sync_key, is_key, written.at),
            };
            match verdict {
                Ok(()) => untouched.push(pair),
                Err(why) => self.keep(spec.name.clone(), place.id.to_string(), None, why),
            }
        }
        Ok(untouched)
    }

    async fn archive(&mut self, link: LinkId, pairs: Vec<Pair>) -> Result<(), EngineError> {
        let name = self.name(link);
        let mut going: Vec<(Pair, RecordId)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Some(record) = pair.record.clone() else { continue };
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
        let written = going
            .iter()
            .map(|(pair, _)| WrittenRow::Record {
                id: pair.external.clone(),
                act: Act::Delete,
                fields: Vec::new(),
            })
            .collect();
        // At rest already, in case the process ends before the outcome is known: its absence is no deletion by a person.
        let resting = going
            .iter()
            .map(|(pair, _)| PairWrite { state: PairState::RightGone, since, ..as_it_is(name, pair) })
            .collect();
        let op = self.intend(Verb::Archive, name, ids, written, resting)?;
        let (object, lane) = (self.spec(link).object.clone(), self.engine.parts.options.lane);
        let records: Vec<RecordId> = going.iter().map(|(_, record)| record.clone()).collect();
        let outcomes = match self.engine.parts.destination.archive(&object, &records, lane).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let pairs = going.iter().map(|(pair, _)| as_it_is(name, pair)).collect();
                self.report.links[usize::from(link.0)].pending += going.len() as u64;
                self.commit(Transition { pairs, close: vec![op], ..Transition::default() })?;
                return Err(error.into());
            }
        };
        let mut line = LedgerEntry {
            run: self.report.run,
            op,
            verb: Verb::Archive,
            subject: name,
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        let mut tx = Transition { close: vec![op], ..Transition::default() };
        let missing = std::iter::repeat_with(|| EdgeOutcome::Unknown("no outcome was given".into()));
        let rules = self.rules_to(link);
        for ((pair, _), outcome) in going.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let report = &mut self.report.links[usize::from(link.0)];
            match outcome {
                EdgeOutcome::Done => {
                    line.written += 1;
                    report.deleted += 1;
                    // Made again under a key of its own, once its source record changes: the archived one keeps the old.
                    tx.pairs.push(PairWrite {
                        record: None,
                        generation: pair.generation.saturating_add(1),
                        state: PairState::RightGone,
                        since,
                        bases: Vec::new(),
                        renew_edges: Some(rules.clone()),
                        ..as_it_is(name, &pair)
                    });
                }
                EdgeOutcome::Rejected(why) => {
                    line.rejected += 1;
                    report.skipped += 1;
                    tx.pairs.push(as_it_is(name, &pair));
                    self.moved(link, &pair.external, format!("HubSpot refused: {}", why.reason));
                }
                EdgeOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.unknown += 1;
                    self.moved(link, &pair.external, format!("no proof that it arrived: {why}; undo again"));
                }
            }
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

/// A row as the journal keeps it.
fn noted(row: &Restore) -> WrittenRow {
    let fields = row.fields.iter().map(|field| FieldWrite {
        property: field.property,
        before: Some(field.shown),
        after: field.back,
    });
    WrittenRow::Record { id: row.pair.external.clone(), act: Act::Change, fields: fields.collect() }
}
