//! What an undo had sent when it was cut off. What it agreed on ahead is taken back where its write did not arrive.

use sync_types::{
    Act, EdgePlace, EdgeState, ExternalId, Fate, FieldBase, FieldWrite, Fingerprint, LinkId, Pair, PairId,
    PairState, PairWrite, RecordId, Writing, WrittenRow,
};

use super::{as_it_is, is_shown, rule_id};
use crate::error::EngineError;
use crate::plan::{base_of, set_base};
use crate::run::Run;

/// A record of the journal.
type Row<'w> = (&'w ExternalId, Act, &'w [FieldWrite]);

fn records(writing: &Writing) -> impl Iterator<Item = Row<'_>> {
    writing.rows.iter().filter_map(|row| match row {
        WrittenRow::Record { id, act, fields } => Some((id, *act, fields.as_slice())),
        WrittenRow::Edge { .. } => None,
    })
}

impl Run<'_> {
    /// Records of HubSpot that an undo was archiving.
    pub(crate) async fn settle_undone_births(
        &mut self,
        link: LinkId,
        writing: &Writing,
    ) -> Result<(), EngineError> {
        let ids: Vec<ExternalId> = records(writing).map(|(id, ..)| id.clone()).collect();
        let pairs = self.engine.parts.store.pairs(writing.subject, &ids)?.into_iter().flatten();
        let known = pairs.filter(|pair| pair.state == PairState::RightGone);
        let known: Vec<(Pair, RecordId)> =
            known.filter_map(|pair| Some((pair.clone(), pair.record?))).collect();
        let records: Vec<RecordId> = known.iter().map(|(_, record)| record.clone()).collect();
        if records.is_empty() {
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
        let rules = self.rules_to(link);
        for ((pair, _), fate) in known.into_iter().zip(fates) {
            self.tx.pairs.push(match fate {
                Fate::Live | Fate::MergedInto(_) => PairWrite {
                    state: PairState::Linked,
                    since: None,
                    row: Fingerprint(0),
                    ..as_it_is(writing.subject, &pair)
                },
                Fate::Archived | Fate::Unknown => archived(writing.subject, &pair, rules.clone()),
            });
        }
        Ok(())
    }

    /// Records of the source that an undo was changing or deleting.
    pub(crate) async fn settle_undone_left(
        &mut self,
        link: LinkId,
        writing: &Writing,
    ) -> Result<(), EngineError> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let rows: Vec<Row<'_>> = records(writing).collect();
        let ids: Vec<ExternalId> = rows.iter().map(|(id, ..)| (*id).clone()).collect();
        let pairs = self.engine.parts.store.pairs(writing.subject, &ids)?;
        let collection = self.link(link).collection.clone();
        let found = match self.engine.parts.source.read(&collection, &ids).await {
            Ok(found) => found,
            Err(error) => {
                self.halt = Some(error.to_string());
                return Ok(());
            }
        };
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        for (((_, act, fields), pair), record) in rows.into_iter().zip(pairs).zip(found) {
            let (Some(pair), Some(record)) = (pair, record) else { continue };
            let mut noted = PairWrite { row: Fingerprint(0), ..as_it_is(writing.subject, &pair) };
            match act {
                // It is there still, or again.
                Act::Delete if pair.state == PairState::LeftGone => {
                    noted = PairWrite { state: PairState::Linked, since: None, ..noted };
                }
                Act::Delete => continue,
                Act::Make | Act::Change => {
                    let Ok(mapped) = mapper.map(link, &record) else { continue };
                    for field in fields {
                        let place = names.iter().position(|name| *name == field.property);
                        let shown = place.and_then(|place| mapped.values.get(place)?.as_ref());
                        let shown = shown.map(|value| self.prints.value(value));
                        // What was shown then is shown now: it did not arrive.
                        if let Some(left) = shown.filter(|shown| Some(*shown) == field.before) {
                            let right = base_of(&pair.bases, field.property).map_or(left, |base| base.right);
                            let base = FieldBase { property: field.property, left, right };
                            set_base(&mut noted.bases, base);
                        }
                    }
                }
            }
            self.tx.pairs.push(noted);
        }
        Ok(())
    }

    /// Associations that an undo was removing.
    pub(crate) async fn settle_undone_edges(&mut self, writing: &Writing) -> Result<(), EngineError> {
        let Some(rule) = self.engine.rules.iter().position(|name| *name == writing.subject) else {
            return Ok(());
        };
        let Some(spec) = rule_id(rule).and_then(|_| self.engine.parts.mapper.edge_rules().get(rule)).cloned()
        else {
            return Ok(());
        };
        let (near, far) = (self.names(spec.from), self.names(spec.to));
        let mut edges: Vec<(PairId, ExternalId, RecordId, RecordId)> = Vec::new();
        for row in &writing.rows {
            let WrittenRow::Edge { from, to } = row else { continue };
            let store = &self.engine.parts.store;
            let of = store.pairs(far, std::slice::from_ref(to))?.into_iter().flatten().next();
            let record = self.engine.pair(near, *from)?.and_then(|pair| pair.record);
            if let (Some(record), Some(to_record)) = (record, of.and_then(|pair| pair.record)) {
                edges.push((*from, to.clone(), record, to_record));
            }
        }
        let (from, to) = (self.link(spec.from).object.clone(), self.link(spec.to).object.clone());
        let ids: Vec<RecordId> = edges.iter().map(|(_, _, record, _)| record.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let lane = self.engine.parts.options.lane;
        let shown = match self.destination().read_edges(&from, &to, &ids, lane).await {
            Ok(shown) => shown,
            Err(error) => {
                self.halt = Some(error.to_string());
                return Ok(());
            }
        };
        for ((from, to, _, record), shown) in edges.into_iter().zip(shown) {
            if !is_shown(&shown, &record, &spec.kind) {
                let place = EdgePlace { from, to };
                self.tx.edges.push((writing.subject, place, Some(EdgeState::TakenBack)));
            }
        }
        Ok(())
    }
}

/// The pair of a record that an undo has archived: made again under a key of its own, once its source record changes,
/// because the archived one keeps the old key. What it agreed on stays, for its natural keys are still the source
/// record's: a stranger who has one of them must not make a second one there.
pub(super) fn archived(link: sync_types::NameId, pair: &Pair, rules: Vec<sync_types::NameId>) -> PairWrite {
    PairWrite {
        record: None,
        generation: pair.generation.saturating_add(1),
        state: PairState::RightGone,
        renew_edges: Some(rules),
        ..as_it_is(link, pair)
    }
}
