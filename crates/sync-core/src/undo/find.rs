//! The pairs of what a run wrote, and what HubSpot shows of them.

use sync_types::{ExternalId, LinkId, NameId, Pair, PairState, PropertyName, RecordId, Shown, Version};

use super::Undoing;
use super::gather::{Place, Written};
use crate::error::EngineError;

const ERASED: &str = "its subject was erased";

/// Something that a run wrote, and its pair.
#[derive(Debug)]
pub(super) struct Known<'w> {
    pub(super) place: &'w Place,
    pub(super) written: &'w Written,
    pub(super) pair: Pair,
    pub(super) record: RecordId,
}

impl Undoing<'_> {
    pub(super) fn spec(&self, link: LinkId) -> &sync_types::Link {
        &self.engine.parts.mapper.links()[usize::from(link.0)]
    }

    pub(super) fn name(&self, link: LinkId) -> NameId {
        self.engine.names[usize::from(link.0)].link
    }

    pub(super) fn mapped(&self, link: LinkId) -> Vec<PropertyName> {
        self.spec(link).properties.iter().map(|property| property.name.clone()).collect()
    }

    /// Records that are taken back at once, each read with its history.
    pub(super) fn chunk(&self, most: usize) -> usize {
        let limits = self.engine.parts.destination.limits();
        (limits.read_max / 2).min(most).max(1)
    }

    /// Notes why something stays that the run wrote.
    pub(super) fn keep_place(&mut self, link: LinkId, id: &ExternalId, what: Option<String>, why: String) {
        let subject = self.spec(link).name.clone();
        self.keep(subject, id.to_string(), what, why);
    }

    /// The pairs of these places; the others are listed as kept, for the reason given.
    pub(super) fn pairs_of<'w>(
        &mut self,
        link: LinkId,
        chunk: &'w [(Place, Written)],
        unpaired: &str,
    ) -> Result<Vec<Known<'w>>, EngineError> {
        let name = self.name(link);
        let mut known = Vec::with_capacity(chunk.len());
        for (place, written) in chunk {
            let store = &self.engine.parts.store;
            // What was made in the source is named by the HubSpot record it was made of.
            let found = match place.made_of {
                true => store.pairs_by_record(name, &[RecordId::from(place.id.as_str())])?,
                false => store.pairs(name, std::slice::from_ref(&place.id))?,
            };
            let pair = found.into_iter().flatten().next();
            let why = match pair.and_then(|pair| Some((pair.record.clone()?, pair))) {
                Some((_, pair)) if pair.state == PairState::Erased => ERASED,
                Some((record, pair)) => {
                    known.push(Known { place, written, pair, record });
                    continue;
                }
                None if place.made_of && self.in_doubt.contains(&(name, place.id.clone())) => {
                    "nobody knows yet whether the source has made it: run again, then take this run back"
                }
                None => unpaired,
            };
            self.keep_place(link, &place.id, None, why.to_owned());
        }
        Ok(known)
    }

    /// What HubSpot shows of these; those that are not there are listed as kept.
    pub(super) async fn shown<'w>(
        &mut self,
        link: LinkId,
        known: Vec<Known<'w>>,
    ) -> Result<Vec<(Known<'w>, Shown)>, EngineError> {
        let records: Vec<RecordId> = known.iter().map(|known| known.record.clone()).collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (object, properties) = (self.spec(link).object.clone(), self.mapped(link));
        let lane = self.engine.parts.options.lane;
        let shown = self.engine.parts.destination.read(&object, &records, &properties, lane).await?;
        let mut there = Vec::with_capacity(known.len());
        for (known, shown) in known.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None))) {
            match shown.filter(|shown| shown.id == known.record) {
                Some(shown) => there.push((known, shown)),
                None => {
                    let why = "its HubSpot record was deleted or merged since".to_owned();
                    self.keep_place(link, &known.place.id, None, why);
                }
            }
        }
        Ok(there)
    }

    /// The history of these properties of these records, as many as there are records.
    pub(super) async fn histories(
        &self,
        link: LinkId,
        records: &[RecordId],
        properties: &[PropertyName],
    ) -> Result<Vec<Vec<Vec<Version>>>, EngineError> {
        let object = self.spec(link).object.clone();
        let lane = self.engine.parts.options.lane;
        let mut found = self.engine.parts.destination.history(&object, records, properties, lane).await?;
        found.resize_with(records.len(), Vec::new);
        Ok(found)
    }

    /// Whether the mapping lets nobody but a person move the property back.
    pub(super) fn only_goes_forward(&self, link: LinkId, index: usize) -> bool {
        self.spec(link).properties.get(index).is_some_and(|property| property.ratchet)
    }
}
