//! Some records once more: what a list page showed is also what the record shows by itself, and what its history ends
//! with, and it is the same value that the source shows.

use std::collections::BinaryHeap;

use sync_types::{
    ExternalId, Fingerprint, Fingerprinter, Lane, LinkId, Pair, PairState, PropertyName, RecordId,
};

use super::{Difference, Level, VerifyReport, held_of};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::plan::base_of;

/// Records of a link that are sampled.
const SIZE: usize = 50;

/// The linked records whose keyed hash with the seed is smallest: nobody can choose them, and another seed takes others.
pub(super) struct Sample {
    seed: u64,
    size: usize,
    chosen: BinaryHeap<(Fingerprint, ExternalId)>,
}

impl Sample {
    pub(super) fn new(seed: u64, level: Level) -> Sample {
        Sample { seed, size: if level >= Level::Samples { SIZE } else { 0 }, chosen: BinaryHeap::new() }
    }

    pub(super) fn meet(&mut self, prints: &Fingerprinter, pair: &Pair) {
        if self.size == 0 || pair.state != PairState::Linked {
            return;
        }
        let rank = prints.text(&format!("sample {} {}", self.seed, pair.external));
        if self.chosen.len() < self.size || self.chosen.peek().is_some_and(|(worst, _)| rank < *worst) {
            self.chosen.push((rank, pair.external.clone()));
            if self.chosen.len() > self.size {
                self.chosen.pop();
            }
        }
    }

    pub(super) async fn verify(
        self,
        engine: &mut Engine,
        prints: &Fingerprinter,
        link: LinkId,
        report: &mut VerifyReport,
    ) -> Result<(), EngineError> {
        let mapper = std::sync::Arc::clone(&engine.parts.mapper);
        let spec = mapper.links()[usize::from(link.0)].clone();
        let name = engine.names[usize::from(link.0)].link;
        let ids: Vec<ExternalId> = self.chosen.into_sorted_vec().into_iter().map(|(_, id)| id).collect();
        let pairs: Vec<Pair> = engine.parts.store.pairs(name, &ids)?.into_iter().flatten().collect();
        let pairs: Vec<(Pair, RecordId)> =
            pairs.into_iter().filter_map(|pair| pair.record.clone().map(|record| (pair, record))).collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let (ids, records): (Vec<ExternalId>, Vec<RecordId>) =
            pairs.iter().map(|(pair, record)| (pair.external.clone(), record.clone())).unzip();
        let properties: Vec<PropertyName> =
            spec.properties.iter().map(|property| property.name.clone()).collect();
        let lefts = engine.parts.source.read(&spec.collection, &ids).await?;
        let destination = std::sync::Arc::clone(&engine.parts.destination);
        let rights = destination.read(&spec.object, &records, &properties, Lane::Verify).await?;
        let histories = destination.history(&spec.object, &records, &properties, Lane::Verify).await?;
        for ((((pair, record), left), right), history) in pairs.iter().zip(lefts).zip(rights).zip(histories) {
            report.links[usize::from(link.0)].sampled += 1;
            let differ = |what: Option<&PropertyName>, why: &str| Difference {
                subject: spec.name.clone(),
                id: Some(pair.external.to_string()),
                record: Some(record.to_string()),
                what: what.map(ToString::to_string),
                why: format!("sample: {why}"),
            };
            let (Some(left), Some(right)) = (left, right.filter(|shown| shown.id == *record)) else {
                report.differ(differ(None, "it was there a moment ago, and is not found by its id"));
                continue;
            };
            // What cannot be mapped is parked or pending, and was counted as that.
            let Ok(mapped) = mapper.map(link, &left) else { continue };
            let held = held_of(engine, link, pair)?;
            for (place, property) in properties.iter().enumerate() {
                let Some(number) = engine.names[usize::from(link.0)].properties.get(place) else { continue };
                let (Some(base), Some(shown)) = (base_of(&pair.bases, *number), right.values.get(place))
                else {
                    continue;
                };
                if held.contains(number) {
                    continue;
                }
                let print =
                    |value: &sync_types::Value| prints.value(&mapper.canonical(link, place, value.clone()));
                let newest = history.get(place).and_then(|versions| versions.first());
                if newest.is_some_and(|newest| print(&newest.value) != print(shown)) {
                    report
                        .differ(differ(Some(property), "its history ends with another value than it shows"));
                }
                let is_agreed_otherwise = base.left != base.right;
                let left = mapped.values.get(place).and_then(Option::as_ref).map(|value| prints.value(value));
                if left.is_some_and(|left| left != print(shown)) && !is_agreed_otherwise {
                    report.differ(differ(Some(property), "both sides show different values"));
                }
            }
        }
        Ok(())
    }
}
