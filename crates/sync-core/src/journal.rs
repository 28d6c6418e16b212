//! What a run is about to write, noted with the intent: by this it can be taken back and explained.
//!
//! Ids, properties and fingerprints, never a value. A record that is made in HubSpot is noted by its id alone.

use sync_types::{
    Act, FieldWrite, Fingerprint, LeftVerb, LinkId, NameId, OpId, Value, Verb, Writing, WrittenRow,
};

use crate::calls::Outgoing;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::left::BackRow;
use crate::plan::base_of;
use crate::run::{Kind, Run, Staged};

impl Run<'_> {
    /// Notes what a call is about to write. A repeated attempt was noted the first time.
    pub(crate) fn note_writing(&mut self, op: OpId, verb: Verb, subject: NameId, outgoing: &Outgoing) {
        let rows: Vec<WrittenRow> = match outgoing {
            Outgoing::Write { replaces, .. } if !replaces.is_empty() => return,
            Outgoing::Write { link, rows, .. } => {
                rows.iter().filter_map(|row| self.right_row(*link, row)).collect()
            }
            Outgoing::Left { link, rows, .. } => rows.iter().map(|row| self.left_row(*link, row)).collect(),
            Outgoing::Archive { rows, .. } => rows
                .iter()
                .map(|row| WrittenRow::Record {
                    id: row.pair.external.clone(),
                    act: Act::Delete,
                    fields: Vec::new(),
                })
                .collect(),
            Outgoing::Edges { edges, .. } => edges
                .iter()
                .map(|edge| WrittenRow::Edge { from: edge.place.from, to: edge.place.to.clone() })
                .collect(),
            _ => return,
        };
        if rows.is_empty() {
            return;
        }
        let at = self.engine.parts.clock.now();
        self.tx.writings.push(Writing { op, run: self.number, verb, subject, at, rows });
    }

    /// `None`: the record only gets its sync key, or back what somebody had set.
    fn right_row(&self, link: LinkId, row: &Staged) -> Option<WrittenRow> {
        let act = match row.kind {
            Kind::Create => Act::Make,
            _ if row.values.is_empty() => return None,
            // What somebody had set is hers again: there is nothing of ours to take back.
            _ if row.both.as_ref().is_some_and(|both| both.is_restoring) => return None,
            _ => Act::Change,
        };
        let id = row.external.clone();
        if act == Act::Make {
            return Some(WrittenRow::Record { id, act, fields: Vec::new() });
        }
        let names = &self.engine.names[usize::from(link.0)].properties;
        let fields = row.values.iter().filter_map(|(place, value)| {
            let index = usize::from(*place);
            let property = *names.get(index)?;
            let shown = row.both.as_ref().and_then(|both| both.right.get(index)).copied();
            let before = shown.or_else(|| base_of(&row.bases, property).map(|base| base.right));
            let wanted = row.prints.get(index).copied().flatten();
            let after = wanted.unwrap_or_else(|| self.canonical_print(link, index, value));
            Some(FieldWrite { property, before, after })
        });
        Some(WrittenRow::Record { id, act, fields: fields.collect() })
    }

    fn left_row(&self, link: LinkId, row: &BackRow) -> WrittenRow {
        let (id, _) = row.intent();
        let act = match row.verb {
            LeftVerb::Create => Act::Make,
            LeftVerb::Update(_) => Act::Change,
            LeftVerb::Delete(_) => Act::Delete,
        };
        let names = &self.engine.names[usize::from(link.0)].properties;
        // What the record showed as it was read; a record that cannot be mapped tells nothing.
        let shown = match &row.verb {
            LeftVerb::Update(record) => self.engine.parts.mapper.map(link, record).ok(),
            LeftVerb::Create | LeftVerb::Delete(_) => None,
        };
        let fields = row.places.iter().filter_map(|(place, value)| {
            let index = usize::from(*place);
            let before = shown.as_ref().and_then(|shown| shown.values.get(index)?.as_ref());
            Some(FieldWrite {
                property: *names.get(index)?,
                before: before.map(|value| self.prints.value(value)),
                after: self.prints.value(value),
            })
        });
        WrittenRow::Record { id, act, fields: fields.collect() }
    }

    fn canonical_print(&self, link: LinkId, index: usize, value: &Value) -> Fingerprint {
        self.prints.value(&self.engine.parts.mapper.canonical(link, index, value.clone()))
    }

    /// The moment before which what was written is forgotten.
    pub(crate) fn forget_before(&self) -> Option<jiff::Timestamp> {
        let keep = jiff::SignedDuration::try_from(self.engine.parts.options.keep_writings).ok()?;
        self.engine.parts.clock.now().checked_sub(keep).ok()
    }
}

/// Lines that are read at once.
const PAGE: usize = 500;

impl Engine {
    /// Shows what this run and later ones were about to write, in the order of the operations.
    pub(crate) fn each_writing(
        &self,
        from_run: u64,
        mut show: impl FnMut(&Writing),
    ) -> Result<(), EngineError> {
        let mut after = OpId(0);
        loop {
            let page = self.parts.store.writings(from_run, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.op;
            page.iter().for_each(&mut show);
        }
    }
}
