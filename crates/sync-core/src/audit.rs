//! After a write to the right: was anything overwritten that somebody had set since it was read?
//!
//! HubSpot has no conditional write. Between our read and our write a person may set a property that we are about to
//! set; her value is then gone from the record, but not from its history. What is found there is put back, and both
//! changes are decided on as if we had not been faster.

use sync_types::{
    Conflict, DestinationError, ExternalId, FieldBase, Fingerprint, HeldConflict, Lane, LinkId, RecordId,
    Target, Value, Version,
};

use crate::meet::BothWays;
use crate::mutation::{self, Bug};
use crate::plan::set_base;
use crate::run::{Kind, Outgoing, Run, Staged};

/// A written record whose history is to be read.
#[derive(Debug)]
pub(crate) struct AuditRow {
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
}

impl Run<'_> {
    /// Has a written record looked up.
    pub(crate) fn audit(&mut self, link: LinkId, lane: Lane, row: AuditRow) {
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
                // The writes are done and noted; what they may have overwritten is looked for again with the record.
                self.report.unaudited += rows.len() as u64;
                self.halt.get_or_insert_with(|| error.to_string());
                return;
            }
        };
        for (row, versions) in
            rows.into_iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            self.audit_one(link, lane, row, &versions);
        }
    }

    fn audit_one(&mut self, link: LinkId, lane: Lane, row: AuditRow, histories: &[Vec<Version>]) {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let name = self.names(link);
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let spec = self.link(link).clone();
        let mut restore: Vec<(u16, Value)> = Vec::new();
        let mut bases = row.bases;
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
            let Some(at) = history.iter().position(|version| print(version) == *ours) else { continue };
            let Some(before) = history.get(at + 1) else { continue };
            let foreign = print(before);
            if foreign == *read {
                continue;
            }
            let was = row.before.iter().find(|(of, _)| of == place).and_then(|(_, base)| *base);
            let held = HeldConflict {
                link: name,
                external: row.external.clone(),
                record: row.record.clone(),
                property: *property,
                cause: "lost-update".into(),
                opponent: Some(before.by.clone()),
                left: row.prints.get(index).copied().flatten().unwrap_or(self.null),
                right: foreign,
                run: self.number,
                decision: None,
                is_settled: true,
            };
            self.tx.hold.push(held);
            self.links_report(link).overridden += 1;
            if rule.conflict == Conflict::Left && !rule.ratchet || !rule.direction.to_left() {
                continue;
            }
            restore.push((*place, before.value.clone()));
            match was {
                _ if mutation::is(Bug::RestoreKeepsAgreement) => {}
                Some(was) => set_base(&mut bases, was),
                None => bases.retain(|base| base.property != *property),
            }
        }
        if restore.is_empty() {
            return;
        }
        self.links_report(link).read += 1;
        self.in_hand.insert((link, row.external.clone()));
        let staged = Staged {
            external: row.external,
            generation: row.generation,
            kind: Kind::Update,
            row: Fingerprint(0),
            prints: row.prints,
            bases,
            record: Some(row.record),
            values: restore,
            want: Vec::new(),
            unwant: Vec::new(),
            tries: 0,
            parked: false,
            both: Some(Box::new(BothWays {
                left: None,
                right: row.right,
                to_left: Vec::new(),
                before: Vec::new(),
                is_restoring: true,
            })),
        };
        self.stage(link, Target::Record, lane, staged);
    }
}
