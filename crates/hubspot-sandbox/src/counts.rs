//! The limits API: how much of what a portal may hold is used.

use serde_json::{Value, json};

use crate::associations::types::{Category, LinkKind};
use crate::context::Answer;
use crate::objects::types::{ObjectType, TypeKey};
use crate::properties::api::MAX_CUSTOM;
use crate::state::State;

/// Records of one type, pipelines of one type, custom properties in all. The first two numbers are stand-ins: the
/// catalogue of products and services was not available.
const MAX_RECORDS: u64 = 15_000_000;
const MAX_PIPELINES: u64 = 100;
const MAX_PROPERTIES: u64 = 10_000;
const MAX_CUSTOM_TYPES: u64 = 10;

fn percentage(usage: u64, limit: u64) -> f64 {
    if limit == 0 {
        return 0.0;
    }
    // Counts of records stay far below 2^52, so nothing is lost.
    #[allow(clippy::cast_precision_loss)]
    let share = usage as f64 / limit as f64 * 100.0;
    share
}

fn row(ty: &ObjectType, usage: u64, limit: u64) -> Value {
    json!({
        "objectTypeId": ty.id,
        "singularLabel": ty.label_singular,
        "pluralLabel": ty.label_plural,
        "limit": limit,
        "usage": usage,
        "percentage": percentage(usage, limit),
    })
}

/// The standard types in one list, the custom ones under a limit of their own.
fn by_kind(state: &State, limit: u64, usage: impl Fn(&ObjectType) -> u64) -> Answer {
    let active = || state.types.iter().filter(|ty| ty.is_active());
    let custom: Vec<&ObjectType> = active().filter(|ty| ty.custom.is_some()).collect();
    let total: u64 = custom.iter().map(|ty| usage(ty)).sum();
    let standard: Vec<Value> =
        active().filter(|ty| ty.custom.is_none()).map(|ty| row(ty, usage(ty), limit)).collect();
    Answer::json(
        200,
        &json!({
            "hubspotDefinedObjectTypes": standard,
            "customObjectTypes": {
                "overallLimit": limit,
                "overallUsage": total,
                "overallPercentage": percentage(total, limit),
                "byObjectType": custom.iter().map(|ty| json!({
                    "objectTypeId": ty.id,
                    "singularLabel": ty.label_singular,
                    "pluralLabel": ty.label_plural,
                    "usage": usage(ty),
                })).collect::<Vec<_>>(),
            },
        }),
    )
}

pub(crate) fn records(state: &State) -> Answer {
    by_kind(state, MAX_RECORDS, |ty| ty.records.live_count())
}

pub(crate) fn pipelines(state: &State) -> Answer {
    by_kind(state, MAX_PIPELINES, |ty| ty.pipelines.list.len() as u64)
}

pub(crate) fn custom_properties(state: &State) -> Answer {
    let usage = |ty: &ObjectType| {
        ty.props.iter().filter(|(_, property)| !property.hubspot_defined && !property.is_archived()).count()
            as u64
    };
    let active: Vec<&ObjectType> = state.types.iter().filter(|ty| ty.is_active()).collect();
    let total: u64 = active.iter().map(|ty| usage(ty)).sum();
    Answer::json(
        200,
        &json!({
            "overallLimit": MAX_PROPERTIES,
            "overallUsage": total,
            "overallPercentage": percentage(total, MAX_PROPERTIES),
            "byObjectType": active.iter().map(|ty| row(ty, usage(ty), MAX_CUSTOM as u64)).collect::<Vec<_>>(),
        }),
    )
}

pub(crate) fn custom_types(state: &State) -> Answer {
    let usage = state.types.iter().filter(|ty| ty.custom.is_some() && ty.is_active()).count() as u64;
    let limit = if state.config.tier.allows_custom_objects() { MAX_CUSTOM_TYPES } else { 0 };
    Answer::json(200, &json!({"limit": limit, "usage": usage, "percentage": percentage(usage, limit)}))
}

pub(crate) fn labels(state: &State, pair: Option<(TypeKey, TypeKey)>) -> Answer {
    let limit = state.config.tier.label_cap() as u64;
    let mut results: Vec<Value> = Vec::new();
    let definition = |key: TypeKey| {
        let ty = state.ty(key);
        json!({"objectTypeId": ty.id, "singularLabel": ty.label_singular, "pluralLabel": ty.label_plural})
    };
    for from in state.type_keys() {
        for to in state.type_keys().filter(|to| pair.is_none_or(|pair| pair == (from, *to))) {
            let labels: Vec<&str> = state
                .link_types
                .between(from, to)
                .filter(|one| one.kind == LinkKind::Label && one.key.category == Category::User)
                .filter_map(|one| one.label.as_deref())
                .collect();
            if labels.is_empty() {
                continue;
            }
            let usage = labels.len() as u64;
            results.push(json!({
                "fromObjectType": definition(from),
                "toObjectType": definition(to),
                "allLabels": labels,
                "limit": limit,
                "usage": usage,
                "percentage": percentage(usage, limit),
            }));
        }
    }
    Answer::json(200, &json!({"results": results}))
}
