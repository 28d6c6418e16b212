//! Writing to the customer's system.

use sync_types::{
    DeadLetter, ExternalId, FieldBase, Fingerprint, Intent, Lane, LedgerEntry, LeftBatch, LeftField,
    LeftOutcome, LeftRow, LeftVerb, LinkId, NameId, OpId, Pair, PairState, PairWrite, Record, RecordId,
    Rejection, Shown, SourceError, SourceErrorKind, Value, Verb,
};

use crate::calls::Outgoing;
use crate::error::EngineError;
use crate::meet::{Meeting, stranger_id};
use crate::mutation::{self, Bug};
use crate::plan::{RowPlan, set_base};
use crate::plan_file::BothPlan;
use crate::run::{Kind, Run, Staged};

/// A row on its way to the left.
#[derive(Debug)]
pub(crate) struct BackRow {
    pub(crate) verb: LeftVerb,
    /// The right record it comes from.
    pub(crate) record: RecordId,
    /// What is known of the pair; `None`: the left record is to be made.
    pub(crate) pair: Option<Pair>,
    /// The left record's fingerprint as it was read.
    pub(crate) row: Fingerprint,
    /// What is agreed already.
    pub(crate) bases: Vec<FieldBase>,
    /// Places of the properties that are brought, and their canonical values.
    pub(crate) places: Vec<(u16, Value)>,
    /// What the right showed.
    pub(crate) right: Box<[Fingerprint]>,
    pub(crate) want: Vec<(NameId, ExternalId)>,
    pub(crate) unwant: Vec<(NameId, ExternalId)>,
    pub(crate) parked: bool,
    /// Whether the record was counted as written already, on the right.
    pub(crate) is_counted: bool,
}

impl BackRow {
    #[allow(clippy::too_many_arguments, reason = "one pair's whole situation, used in one place")]
    pub(crate) fn update(
        left: Record,
        pair: Pair,
        row: Fingerprint,
        bases: Vec<FieldBase>,
        plan: RowPlan,
        places: Vec<(u16, Value)>,
        right: Box<[Fingerprint]>,
        parked: bool,
    ) -> BackRow {
        BackRow {
            verb: LeftVerb::Update(left),
            record: pair.record.clone().unwrap_or_else(|| RecordId::from("")),
            pair: Some(pair),
            row,
            bases,
            places,
            right,
            want: plan.want,
            unwant: plan.unwant,
            parked,
            is_counted: false,
        }
    }

    /// How the row stands in an intent: by the record it changes, or by the right record it is made from.
    pub(crate) fn intent(&self) -> (ExternalId, u32) {
        match &self.pair {
            Some(pair) => (pair.external.clone(), pair.generation),
            None => (ExternalId::from(self.record.as_str()), MADE),
        }
    }
}

/// The generation under which an intent names a right record, of which a left one is made.
pub(crate) const MADE: u32 = u32::MAX;

/// The error of an engine without a writer.
pub(crate) fn no_writer() -> SourceError {
    SourceError::new(
        SourceErrorKind::Denied,
        "the mapping writes to the source, but this source cannot be written: choose an adapter that can, or set \
         the link's direction to HubSpot",
    )
}

impl Run<'_> {
    /// Puts a row in its batch, and the batch in the queue when it is full.
    pub(crate) fn stage_left(&mut self, link: LinkId, lane: Lane, row: BackRow) {
        let max = self.engine.parts.writer.as_ref().map_or(100, |writer| writer.write_max()).max(1);
        let rows = self.building_left.entry((link, lane)).or_default();
        rows.push(row);
        if rows.len() >= max {
            let rows = std::mem::take(rows);
            self.ready.push_back(Outgoing::Left { link, lane, rows });
        }
    }

    /// The batch as the writer takes it. A value that the mapping cannot bring back is left out; its row was parked.
    pub(crate) fn left_batch(&self, op: OpId, link: LinkId, rows: &[BackRow]) -> LeftBatch {
        let mapper = &self.engine.parts.mapper;
        let spec = self.link(link);
        let rows = rows.iter().map(|row| {
            let fields = row
                .places
                .iter()
                .flat_map(|(place, value)| mapper.back(link, usize::from(*place), value).unwrap_or_default());
            let record = if mutation::is(Bug::OneTokenForAll) { "" } else { row.record.as_str() };
            let token = crate::sync_key(
                &self.engine.parts.engagement,
                &spec.name,
                &ExternalId::new(format!("made from {record}")),
                0,
            );
            LeftRow { verb: row.verb.clone(), token, fields: merge_fields(fields) }
        });
        LeftBatch { op, collection: spec.collection.clone(), rows: rows.collect() }
    }

    /// A write to the left came back.
    pub(crate) fn wrote_left(
        &mut self,
        op: OpId,
        link: LinkId,
        lane: Lane,
        rows: Vec<BackRow>,
        result: Result<Vec<LeftOutcome>, SourceError>,
    ) -> Result<(), EngineError> {
        self.tx.close.push(op);
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                for row in rows {
                    self.leave_for_later(link, row, false);
                }
                return Ok(());
            }
        };
        let mut line = LedgerEntry {
            run: self.number,
            op,
            verb: Verb::WriteLeft,
            subject: self.names(link),
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        // Creations of which nobody knows whether they happened: the next run repeats them under their tokens before
        // it scans, so that it does not meet records that it does not know.
        let mut in_doubt = Vec::new();
        let missing =
            std::iter::repeat_with(|| LeftOutcome::Unknown("no outcome was given for this row".into()));
        for (row, outcome) in rows.into_iter().zip(outcomes.into_iter().chain(missing)) {
            match outcome {
                LeftOutcome::Written(record) => {
                    line.written += 1;
                    self.agree_left(link, lane, row, &record, true);
                }
                LeftOutcome::Found(record) => {
                    line.written += 1;
                    self.agree_left(link, lane, row, &record, mutation::is(Bug::FoundIsAsBrought));
                }
                LeftOutcome::Deleted => {
                    line.written += 1;
                    self.deleted_left(link, row);
                }
                LeftOutcome::Gone if matches!(row.verb, LeftVerb::Delete(_)) => self.deleted_left(link, row),
                // The record has moved or gone since it was read: it is looked at again, whole.
                LeftOutcome::Moved | LeftOutcome::Gone => self.leave_for_later(link, row, true),
                LeftOutcome::NotSent(_) => self.leave_for_later(link, row, false),
                LeftOutcome::Rejected(why) => {
                    line.rejected += 1;
                    self.refused_left(link, row, &why);
                }
                LeftOutcome::Unknown(_) if mutation::is(Bug::LeftUnknownIsDone) => {
                    self.tx.sighted.push((self.names(link), row.record.clone()));
                    self.links_report(link).touched += u64::from(!row.is_counted);
                    if let Some(pair) = row.pair {
                        self.in_hand.remove(&(link, pair.external));
                    }
                }
                LeftOutcome::Unknown(_) => {
                    line.unknown += 1;
                    if row.pair.is_none() {
                        in_doubt.push(row.intent());
                    }
                    // Looking again tells whether it arrived: an update by its value, a creation by its token.
                    self.leave_for_later(link, row, false);
                }
            }
        }
        self.tx.ledger.push(line);
        if !in_doubt.is_empty() {
            let (op, sent_at) = (self.next_op(), self.engine.parts.clock.now());
            let subject = self.names(link);
            self.tx.open.push(Intent { op, verb: Verb::WriteLeft, subject, sent_at, rows: in_doubt });
        }
        Ok(())
    }

    /// Nothing is noted as done: the sighting or the key stays, and the next look starts anew.
    fn leave_for_later(&mut self, link: LinkId, row: BackRow, look_now: bool) {
        if !row.is_counted {
            let report = self.links_report(link);
            if look_now { report.touched += 1 } else { report.pending += 1 }
        }
        if row.pair.is_none() {
            self.claimed.remove(&row.record);
        }
        if let Some(pair) = row.pair {
            self.in_hand.remove(&(link, pair.external.clone()));
            self.look_again(link, pair.external);
        }
    }

    /// The left holds what was brought: notes what each side shows. Of a record that was made earlier, and that may have
    /// changed on both sides since, only what both show alike is agreed.
    fn agree_left(&mut self, link: LinkId, lane: Lane, row: BackRow, record: &Record, is_ours: bool) {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let name = self.names(link);
        let print = self.prints.values(mapper.fingerprint(), record.values());
        let mapped = match mapper.map(link, record) {
            Ok(mapped) => mapped,
            Err(error) => {
                // What we wrote cannot be read back: the checker should have refused the mapping.
                if let Some(pair) = &row.pair {
                    self.in_hand.remove(&(link, pair.external.clone()));
                }
                self.park_unmappable(link, record.id().clone(), print, &error);
                return;
            }
        };
        let mut bases = row.bases;
        let properties = self.engine.names[usize::from(link.0)].properties.clone();
        let mut is_as_brought = true;
        for (place, value) in &row.places {
            let index = usize::from(*place);
            let shown =
                mapped.values.get(index).and_then(Option::as_ref).map(|value| self.prints.value(value));
            let (Some(property), Some(shown), Some(right)) =
                (properties.get(index), shown, row.right.get(index))
            else {
                continue;
            };
            // Another value than we brought may be the source's own writing, or somebody's edit since. Taken for an
            // edit it is looked at once more, and either way nothing is lost.
            let left = self.prints.value(value);
            is_as_brought &= left == shown;
            if !is_ours && left != shown {
                continue;
            }
            set_base(&mut bases, FieldBase { property: *property, left, right: *right });
        }
        let print = if is_as_brought && is_ours { print } else { Fingerprint(0) };
        self.tx.sighted.push((name, row.record.clone()));
        let Some(pair) = row.pair else {
            self.made_left(link, lane, row.record, record, print, bases, &mapped, &row.right, is_ours);
            return;
        };
        if !row.is_counted {
            self.links_report(link).brought_back += 1;
        }
        if row.parked {
            self.tx.unpark.push((name, pair.external.clone()));
        }
        self.settled(link, &pair.external);
        self.in_hand.remove(&(link, pair.external.clone()));
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: Some(row.record),
            generation: pair.generation,
            state: PairState::Linked,
            since: None,
            row: print,
            bases,
            want: row.want,
            unwant: row.unwant,
            renew_edges: None,
        });
    }

    /// A left record was made from a right one: they are a pair, and the right one gets its key.
    #[allow(clippy::too_many_arguments, reason = "one new pair's whole situation, used in one place")]
    fn made_left(
        &mut self,
        link: LinkId,
        lane: Lane,
        right_id: RecordId,
        record: &Record,
        row: Fingerprint,
        mut bases: Vec<FieldBase>,
        mapped: &sync_types::Mapped,
        right: &[Fingerprint],
        is_ours: bool,
    ) {
        let name = self.names(link);
        let properties = self.engine.names[usize::from(link.0)].properties.clone();
        let mut prints: Vec<Option<Fingerprint>> = Vec::with_capacity(properties.len());
        for ((property, value), right) in properties.iter().zip(&mapped.values).zip(right) {
            let left = value.as_ref().map(|value| self.prints.value(value));
            prints.push(left);
            // What was not brought is agreed as it is: both sides were looked at.
            if let Some(left) = left
                && (is_ours || left == *right)
                && !bases.iter().any(|base| base.property == *property)
            {
                set_base(&mut bases, FieldBase { property: *property, left, right: *right });
            }
        }
        self.links_report(link).created_left += 1;
        let edges: Vec<_> =
            mapped.edges.iter().map(|(rule, to)| (self.rule_name(*rule), to.clone())).collect();
        self.tx.pairs.push(PairWrite {
            link: name,
            external: record.id().clone(),
            record: Some(right_id.clone()),
            generation: 0,
            state: PairState::Linked,
            since: None,
            row,
            bases: bases.clone(),
            want: edges,
            unwant: Vec::new(),
            renew_edges: None,
        });
        let staged = Staged {
            external: record.id().clone(),
            generation: 0,
            kind: Kind::Adopt,
            row,
            prints: prints.into(),
            bases,
            record: Some(right_id),
            values: Vec::new(),
            want: Vec::new(),
            unwant: Vec::new(),
            tries: 0,
            parked: false,
            both: None,
        };
        self.write_key(link, lane, staged);
    }

    fn refused_left(&mut self, link: LinkId, row: BackRow, why: &Rejection) {
        let name = self.names(link);
        let subject = why.property.clone().unwrap_or_else(|| "the record".into());
        let detail = format!("the source refused {subject}: {}", why.reason);
        let remedy = "correct the record in HubSpot, the source's rules or the mapping; it is tried again when it changes";
        if row.is_counted {
            // Written on the right and counted there; parked all the same.
            self.uncount(link);
        }
        self.tx.sighted.push((name, row.record.clone()));
        match row.pair {
            Some(pair) => {
                self.in_hand.remove(&(link, pair.external.clone()));
                self.park(link, pair.external, row.row, why.code.clone(), detail, remedy.into());
            }
            None => {
                self.claimed.remove(&row.record);
                self.park_stranger(link, &row.record, &why.code, detail, remedy);
            }
        }
    }

    fn uncount(&mut self, link: LinkId) {
        let report = self.links_report(link);
        report.updated = report.updated.saturating_sub(1);
    }

    /// Parks a right record that has no counterpart, by its place.
    pub(crate) fn park_stranger(
        &mut self,
        link: LinkId,
        record: &RecordId,
        cause: &str,
        detail: String,
        remedy: &str,
    ) {
        let letter = DeadLetter {
            link: self.names(link),
            external: stranger_id(record),
            is_place: false,
            cause: cause.to_owned(),
            detail,
            remedy: remedy.to_owned(),
            row: Fingerprint(0),
            first_run: self.number,
            last_run: self.number,
            tries: 1,
        };
        self.park_as(link, letter);
    }

    fn deleted_left(&mut self, link: LinkId, row: BackRow) {
        let name = self.names(link);
        let Some(pair) = row.pair else { return };
        self.links_report(link).deleted += 1;
        self.settled(link, &pair.external);
        self.in_hand.remove(&(link, pair.external.clone()));
        self.tx.sighted.push((name, row.record));
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: pair.record,
            generation: pair.generation,
            state: PairState::RightGone,
            since: Some(self.engine.parts.clock.now()),
            row: Fingerprint(0),
            bases: Vec::new(),
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        });
    }

    /// The right records that no pair knows were read: each is made on the left, if it belongs there.
    pub(crate) fn met_strangers(
        &mut self,
        link: LinkId,
        lane: Lane,
        records: Vec<RecordId>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    ) -> Result<(), EngineError> {
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                self.links_report(link).pending += records.len() as u64;
                return Ok(());
            }
        };
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let spec = self.link(link).clone();
        let name = self.names(link);
        for (record, shown) in records.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None))) {
            // Gone again, or merged: nothing of ours is concerned.
            let Some(shown) = shown.filter(|shown| shown.id == record) else {
                self.links_report(link).gone += 1;
                self.tx.sighted.push((name, record));
                continue;
            };
            let mut values: Vec<Value> = Vec::with_capacity(shown.values.len());
            for (place, value) in shown.values.into_iter().enumerate() {
                let is_mapped = place < spec.properties.len();
                values.push(if is_mapped { mapper.canonical(link, place, value) } else { value });
            }
            if !mapper.right_in_scope(link, &values) {
                self.links_report(link).excluded += 1;
                self.tx.sighted.push((name, record));
                continue;
            }
            values.truncate(spec.properties.len());
            let right: Box<[Fingerprint]> = values.iter().map(|value| self.prints.value(value)).collect();
            let claimed = spec.match_on.iter().find(|place| {
                right.get(**place).is_some_and(|print| {
                    *print != self.null
                        && self.claims.get(&link).is_some_and(|claims| claims.contains(&(**place, *print)))
                })
            });
            if let Some(place) = claimed {
                let property = spec.properties.get(*place).map(|property| property.name.to_string());
                let detail = format!(
                    "HubSpot record {record} has the same {} as a record of the source that is linked to another one",
                    property.unwrap_or_default()
                );
                self.tx.sighted.push((name, record.clone()));
                self.park_stranger(link, &record, "duplicate", detail, "merge the two records in HubSpot");
                continue;
            }
            let places: Vec<(u16, Value)> = values
                .into_iter()
                .enumerate()
                .zip(&spec.properties)
                .filter(|((_, value), property)| property.direction.to_left() && !value.is_null())
                .filter_map(|((place, value), _)| Some((u16::try_from(place).ok()?, value)))
                .collect();
            let unreadable =
                places.iter().find_map(|(place, value)| mapper.back(link, usize::from(*place), value).err());
            if let Some(problem) = unreadable {
                self.tx.sighted.push((name, record.clone()));
                self.park_stranger(link, &record, problem.code, problem.to_string(), &problem.remedy);
                continue;
            }
            if !self.may_make_left(link, &record, &places, &right)? {
                continue;
            }
            // Whose it will be is not known yet.
            if self.claimed.insert(record.clone(), (link, ExternalId::new(""))).is_some() {
                // Another pair is taking it, by a merge perhaps; if it does not, the next run looks again.
                self.links_report(link).pending += 1;
                continue;
            }
            // Two new records of HubSpot with one natural key make one new record of the source.
            let claims = self.claims.entry(link).or_default();
            claims.extend(
                spec.match_on
                    .iter()
                    .filter_map(|place| Some((*place, *right.get(*place)?)))
                    .filter(|(_, print)| *print != self.null),
            );
            self.stage_left(
                link,
                lane,
                BackRow {
                    verb: LeftVerb::Create,
                    record,
                    pair: None,
                    row: Fingerprint(0),
                    bases: Vec::new(),
                    places,
                    right,
                    want: Vec::new(),
                    unwant: Vec::new(),
                    parked: false,
                    is_counted: false,
                },
            );
        }
        Ok(())
    }

    /// Whether this run makes a left record of a right one; see `may`.
    fn may_make_left(
        &mut self,
        link: LinkId,
        record: &RecordId,
        places: &[(u16, Value)],
        right: &[Fingerprint],
    ) -> Result<bool, EngineError> {
        let back = places
            .iter()
            .filter_map(|(place, _)| self.link(link).properties.get(usize::from(*place)))
            .map(|property| property.name.clone())
            .collect();
        let shown = self.prints.text(&right.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        let both = BothPlan { back, right: Some(shown) };
        let plan = RowPlan::default();
        self.may(link, &stranger_id(record), Fingerprint(0), None, Kind::CreateLeft, &plan, &both)
    }

    /// Deletes the left record of a pair whose right one was deleted.
    pub(crate) fn delete_left(&mut self, link: LinkId, lane: Lane, meeting: Meeting, left: Record) {
        let row = BackRow {
            verb: LeftVerb::Delete(left),
            record: meeting.pair.record.clone().unwrap_or_else(|| RecordId::from("")),
            bases: Vec::new(),
            row: meeting.pair.row,
            pair: Some(meeting.pair),
            places: Vec::new(),
            right: Box::default(),
            want: Vec::new(),
            unwant: Vec::new(),
            parked: meeting.parked,
            is_counted: false,
        };
        self.stage_left(link, lane, row);
    }
}

/// Several properties may come from one field: the last one that says so counts.
pub(crate) fn merge_fields(fields: impl Iterator<Item = LeftField>) -> Vec<LeftField> {
    let mut merged: Vec<LeftField> = Vec::new();
    for field in fields {
        match merged.iter_mut().find(|known| known.path == field.path) {
            Some(known) => *known = field,
            None => merged.push(field),
        }
    }
    merged
}
