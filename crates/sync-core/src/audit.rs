//! After a write to the right: was anything overwritten that somebody had set since it was read?
//!
//! HubSpot has no conditional write. Between our read and our write a person may set a property that we are about to
//! set; her value is then gone from the record, but not from its history. What is found there is put back, and both
//! changes are decided on as if we had not been faster.

use jiff::{SignedDuration, Timestamp};
use sync_types::{
    Conflict, DestinationError, Direction, ExternalId, FieldBase, Fingerprint, HeldConflict, Lane, LinkId,
    MappedProperty, NameId, OpId, Pair, PairId, PairState, PairWrite, Record, RecordId, Target, Value,
    Version,
};

use crate::calls::Outgoing;
use crate::decide::HoldCause;
use crate::left::BackRow;
use crate::meet::{BothWays, cause_code};
use crate::mutation::{self, Bug};
use crate::oscillation;
use crate::plan::{RowPlan, set_base};
use crate::run::{AUTHOR, Kind, Run, Staged};

/// A written record whose history is to be read.
#[derive(Debug)]
pub(crate) struct AuditRow {
    /// The intent that stays open until its histories were read.
    pub(crate) op: OpId,
    pub(crate) external: ExternalId,
    pub(crate) generation: u32,
    pub(crate) record: RecordId,
    /// What was written: the place, and what the right shows of it.
    pub(crate) written: Vec<(u16, Fingerprint)>,
    pub(crate) prints: Box<[Option<Fingerprint>]>,
    pub(crate) bases: Vec<FieldBase>,
    /// What the right showed before.
    pub(crate) right: Box<[Fingerprint]>,
    /// What was agreed before, of the properties that were written.
    pub(crate) before: Vec<(u16, Option<FieldBase>)>,
    /// What was written by a person's word on a fight over it.
    pub(crate) thawed: Vec<u16>,
    /// Whether this was the putting back of what had been overwritten before.
    pub(crate) is_restoring: bool,
    /// The left record's fingerprint, kept once everything is over.
    pub(crate) row: Fingerprint,
    /// The left record as it was read, and what is to be brought to it afterwards.
    pub(crate) left: Option<Record>,
    pub(crate) to_left: Vec<(u16, Value)>,
}

impl Run<'_> {
    /// Has a written record looked up.
    pub(crate) fn audit(&mut self, link: LinkId, lane: Lane, row: AuditRow) {
        *self.auditing.entry(row.op).or_default() += 1;
        let size = self.engine.parts.destination.limits().read_max / 2;
        if let Some(Outgoing::Audit { link: of, lane: at, rows }) = self.ready.back_mut()
            && *of == link
            && *at == lane
            && rows.len() < size.max(1)
        {
            rows.push(row);
            return;
        }
        self.ready.push_back(Outgoing::Audit { link, lane, rows: vec![row] });
    }

    /// The histories of written records were read.
    pub(crate) fn audited(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<AuditRow>,
        result: Result<Vec<Vec<Vec<Version>>>, DestinationError>,
    ) {
        let histories = match result {
            Ok(histories) => histories,
            Err(error) => {
                // The writes are done, but their intents stay open: the next run looks their history up.
                self.report.unaudited += rows.len() as u64;
                self.halt.get_or_insert_with(|| error.to_string());
                for row in rows {
                    self.in_hand.remove(&(link, row.external));
                }
                return;
            }
        };
        for (row, versions) in
            rows.into_iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            let op = row.op;
            let is_restored = self.audit_one(link, lane, row, &versions);
            let Some(open) = self.auditing.get_mut(&op) else { continue };
            *open -= 1;
            if is_restored {
                // What was put back has to arrive first; until then this intent says that something is in doubt.
                self.doubted.push(op);
            }
            if *open == 0 {
                self.auditing.remove(&op);
                if !self.doubted.contains(&op) {
                    self.tx.close.push(op);
                }
            }
        }
    }

    /// How the right's history names our own writes: whoever has set the sync key, and the value that we have just
    /// written. One of the two alone may be somebody else: a merge copies keys, and people set what we set.
    fn learn_author(&mut self, link: LinkId, row: &AuditRow, histories: &[Vec<Version>]) {
        if self.author.is_some() {
            return;
        }
        let Some(key) = histories.last().and_then(|versions| versions.last()) else { return };
        let is_ours = row.written.iter().any(|(place, ours)| {
            let index = usize::from(*place);
            let newest = histories.get(index).and_then(|versions| versions.first());
            newest.is_some_and(|version| {
                let value = self.engine.parts.mapper.canonical(link, index, version.value.clone());
                version.by == key.by && self.prints.value(&value) == *ours
            })
        });
        if is_ours {
            self.author = Some(key.by.clone());
            self.tx.cursors.push((AUTHOR.into(), key.by.clone()));
        }
    }

    /// Notes what was overwritten, and has it put back where policy says so: then it gives true.
    fn audit_one(&mut self, link: LinkId, lane: Lane, row: AuditRow, histories: &[Vec<Version>]) -> bool {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let spec = self.link(link).clone();
        self.learn_author(link, &row, histories);
        let mut restore: Vec<(u16, Value)> = Vec::new();
        // What the putting back is going to replace is ours: it must not be taken for somebody's once more.
        let mut shown: Vec<(usize, Fingerprint)> = Vec::new();
        let mut frozen: Vec<(u16, String)> = Vec::new();
        let mut bases = row.bases.clone();
        for (place, ours) in &row.written {
            let index = usize::from(*place);
            let (Some(history), Some(read), Some(property), Some(rule)) =
                (histories.get(index), row.right.get(index), names.get(index), spec.properties.get(index))
            else {
                continue;
            };
            let print =
                |version: &Version| self.prints.value(&mapper.canonical(link, index, version.value.clone()));
            // Newer versions than ours are changes like any other: the feed tells of them.
            let author = self.author.as_deref();
            let is_ours = |version: &Version| author.is_none_or(|author| version.by == author);
            let Some(at) = history.iter().position(|version| is_ours(version) && print(version) == *ours)
            else {
                continue;
            };
            if !row.is_restoring && !row.thawed.contains(place) {
                let flips = self.engine.parts.options.flips_max;
                let fought = history.get(at..).unwrap_or_default();
                if let Some(by) = oscillation::opponent(fought, print, is_ours, self.lately(), flips) {
                    frozen.push((*place, by.to_owned()));
                }
            }
            let Some(before) = history.get(at + 1) else { continue };
            let foreign = print(before);
            // Our own earlier version below ours is nobody's loss.
            if foreign == *read || author == Some(&*before.by) {
                continue;
            }
            let was = row.before.iter().find(|(of, _)| of == place).and_then(|(_, base)| *base);
            let left = row.prints.get(index).copied().flatten().unwrap_or(self.null);
            let held = self.lost(link, &row.external, &row.record, *property, left, foreign, before);
            self.tx.hold.push(held);
            self.links_report(link).overridden += 1;
            if !has_say(rule) || mutation::is(Bug::NotPutBack) {
                continue;
            }
            restore.push((*place, before.value.clone()));
            shown.push((index, *ours));
            match was {
                Some(was) => set_base(&mut bases, was),
                None => bases.retain(|base| base.property != *property),
            }
        }
        for (place, by) in frozen {
            self.freeze(link, &row, place, by);
        }
        if restore.is_empty() {
            self.after_audit(link, lane, row);
            return false;
        }
        let mut right = row.right;
        for (index, ours) in shown {
            if let Some(read) = right.get_mut(index) {
                *read = ours;
            }
        }
        self.restore(
            link,
            lane,
            (row.external, row.generation),
            row.record,
            row.prints,
            right,
            bases,
            restore,
        );
        true
    }

    /// A property is fought over: from now on it is left alone on this pair, until a person says whose value to take.
    fn freeze(&mut self, link: LinkId, row: &AuditRow, place: u16, by: String) {
        let index = usize::from(place);
        let Some(property) = self.engine.names[usize::from(link.0)].properties.get(index).copied() else {
            return;
        };
        self.tx.hold.push(HeldConflict {
            link: self.names(link),
            external: row.external.clone(),
            record: row.record.clone(),
            property,
            cause: cause_code(HoldCause::Oscillation).into(),
            opponent: Some(by),
            left: row.prints.get(index).copied().flatten().unwrap_or(self.null),
            right: row.right.get(index).copied().unwrap_or(self.null),
            run: self.number,
            decision: None,
            is_settled: false,
        });
        self.has_conflicts = true;
        self.links_report(link).held += 1;
    }

    /// Since when a fight over a property counts.
    fn lately(&self) -> Timestamp {
        self.started.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN)
    }

    /// What was overwritten, for people to read.
    #[allow(clippy::too_many_arguments, reason = "one line of the list, made in two places")]
    pub(crate) fn lost(
        &self,
        link: LinkId,
        external: &ExternalId,
        record: &RecordId,
        property: NameId,
        left: Fingerprint,
        right: Fingerprint,
        version: &Version,
    ) -> HeldConflict {
        HeldConflict {
            link: self.names(link),
            external: external.clone(),
            record: record.clone(),
            property,
            cause: cause_code(HoldCause::LostUpdate).into(),
            opponent: Some(if mutation::is(Bug::ValueKept) {
                version.value.reveal().to_string()
            } else {
                version.by.clone()
            }),
            left,
            right,
            run: self.number,
            decision: None,
            is_settled: true,
        }
    }

    /// Puts back what somebody had set; then both sides are looked at with what was agreed before.
    #[allow(clippy::too_many_arguments, reason = "one row's whole situation, made in two places")]
    pub(crate) fn restore(
        &mut self,
        link: LinkId,
        lane: Lane,
        (external, generation): (ExternalId, u32),
        record: RecordId,
        prints: Box<[Option<Fingerprint>]>,
        right: Box<[Fingerprint]>,
        bases: Vec<FieldBase>,
        values: Vec<(u16, Value)>,
    ) {
        self.links_report(link).read += 1;
        self.in_hand.insert((link, external.clone()));
        let both = BothWays {
            left: None,
            right,
            to_left: Vec::new(),
            before: Vec::new(),
            thawed: Vec::new(),
            is_restoring: true,
        };
        let staged = Staged {
            external,
            generation,
            kind: Kind::Update,
            row: Fingerprint(0),
            prints,
            bases,
            record: Some(record),
            values,
            want: Vec::new(),
            unwant: Vec::new(),
            tries: 0,
            parked: false,
            both: Some(Box::new(both)),
        };
        self.stage(link, Target::Record, lane, staged);
    }

    /// Nothing was overwritten: what was written is agreed. The left follows, or the record is done.
    pub(crate) fn after_audit(&mut self, link: LinkId, lane: Lane, row: AuditRow) {
        let name = self.names(link);
        if row.is_restoring {
            // Both changes are looked at together.
            self.in_hand.remove(&(link, row.external.clone()));
            self.look_again(link, row.external);
            return;
        }
        let is_done = row.to_left.is_empty();
        let write = PairWrite {
            link: name,
            external: row.external.clone(),
            record: Some(row.record.clone()),
            generation: row.generation,
            state: PairState::Linked,
            since: None,
            // Only once both sides are written is the row as it was brought over.
            row: if is_done { row.row } else { Fingerprint(0) },
            bases: row.bases.clone(),
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        };
        self.tx.pairs.push(write);
        let Some(left) = row.left.filter(|_| !is_done) else {
            self.settled(link, &row.external);
            self.tx.sighted.push((name, row.record));
            self.in_hand.remove(&(link, row.external));
            return;
        };
        let pair = Pair {
            id: PairId(0),
            external: row.external,
            record: Some(row.record),
            generation: row.generation,
            state: PairState::Linked,
            since: None,
            row: row.row,
            bases: row.bases.clone(),
        };
        let plan = RowPlan::default();
        let mut back = BackRow::update(left, pair, row.row, row.bases, plan, row.to_left, row.right, false);
        back.is_counted = true;
        self.stage_left(link, lane, back);
    }
}

/// Whether what people set in HubSpot may stand against the left's value; if not, it is told and no more.
pub(crate) fn has_say(property: &MappedProperty) -> bool {
    let is_kept = property.ratchet || !property.overwrite;
    is_kept || property.direction == Direction::Both && property.conflict != Conflict::Left
}
