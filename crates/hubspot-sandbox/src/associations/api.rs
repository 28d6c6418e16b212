//! Linking, unlinking and listing for one record.

use serde_json::{Value, json};

use crate::associations::limits;
use crate::associations::links::{Held, Pair};
use crate::associations::types::LinkKey;
use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::objects::plan::LinkTypeInput;
use crate::objects::types::TypeKey;
use crate::state::State;

/// HubSpot docs: entries on one page of a record's associations.
pub(crate) const PAGE: usize = 500;

/// The two records a path names; each must be live.
fn pair(state: &State, from: (TypeKey, &str), to: (TypeKey, &str)) -> Result<Pair, ApiError> {
    let from_id = live(state, from.0, from.1).ok_or_else(|| missing(state, from.0, from.1, "FROM"))?;
    let to_id = live(state, to.0, to.1).ok_or_else(|| missing(state, to.0, to.1, "TO"))?;
    Ok(Pair { from: (from.0, from_id), to: (to.0, to_id) })
}

/// Single calls follow merges.
fn live(state: &State, key: TypeKey, id: &str) -> Option<u64> {
    let records = &state.ty(key).records;
    let id = records.resolve(id.parse().ok()?);
    records.live(id).map(|record| record.id)
}

pub(crate) fn missing(state: &State, key: TypeKey, id: &str, side: &str) -> ApiError {
    let ty = state.ty(key);
    ApiError::not_found(format!("No {} with ID {id} exists", ty.name))
        .sub(format!("crm.associations.{side}_OBJECT_NOT_FOUND"))
        .with("objectType", vec![ty.id.clone()])
        .with("id", vec![id.to_owned()])
}

/// The unlabelled type of a direction, or why there is none.
pub(crate) fn plain_key(state: &State, from: TypeKey, to: TypeKey) -> Result<LinkKey, ApiError> {
    state.link_types.plain(from, to).map(|link_type| link_type.key).ok_or_else(|| {
        ApiError::validation(format!(
            "{} cannot be associated with {}",
            state.ty(from).plural,
            state.ty(to).plural
        ))
        .sub("crm.associations.UNSUPPORTED_ASSOCIATION")
    })
}

/// The keys of the types in a body; each must exist in this direction.
pub(crate) fn keys(
    state: &State,
    from: TypeKey,
    to: TypeKey,
    specs: &[LinkTypeInput],
) -> Result<Vec<LinkKey>, ApiError> {
    if specs.is_empty() {
        return Err(ApiError::validation("At least one association type must be specified"));
    }
    let key = |spec: &LinkTypeInput| {
        let key = LinkKey { from, category: spec.association_category, type_id: spec.association_type_id };
        state
            .link_types
            .get(key)
            .filter(|link_type| link_type.to == to)
            .map(|link_type| link_type.key)
            .ok_or_else(|| {
                let (from, to) = (&state.ty(from).id, &state.ty(to).id);
                ApiError::validation(format!(
                    "Association type {} {} does not exist from {from} to {to}",
                    spec.association_category.name(),
                    spec.association_type_id
                ))
                .sub("crm.associations.INVALID_ASSOCIATION_TYPE")
            })
    };
    specs.iter().map(key).collect()
}

/// Makes the unlabelled link, in both directions.
pub(crate) fn put_default(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: (TypeKey, &str),
    to: (TypeKey, &str),
) -> Result<Answer, ApiError> {
    let pair = pair(state, from, to)?;
    let key = plain_key(state, from.0, to.0)?;
    limits::check(state, pair, &[key])?;
    state.links.add(&state.link_types, pair, key, ctx.now);
    let at = crate::time::iso(ctx.now);
    let body = json!({
        "status": "COMPLETE",
        "results": default_results(state, pair, key),
        "startedAt": at,
        "completedAt": at,
    });
    Ok(Answer::json(200, &body))
}

/// A default link is reported once for each direction.
pub(crate) fn default_results(state: &State, pair: Pair, key: LinkKey) -> Vec<Value> {
    let inverse = state.link_types.get(key).map_or(key.type_id, |link_type| link_type.inverse);
    let row = |pair: Pair, type_id: u32| {
        json!({
            "from": {"id": pair.from.1.to_string()},
            "to": {"id": pair.to.1.to_string()},
            "associationSpec": {"associationCategory": key.category.name(), "associationTypeId": type_id},
        })
    };
    vec![row(pair, key.type_id), row(pair.reversed(), inverse)]
}

/// Sets the whole set of labels of a pair.
pub(crate) fn put(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: (TypeKey, &str),
    to: (TypeKey, &str),
) -> Result<Answer, ApiError> {
    let specs: Vec<LinkTypeInput> = ctx.json()?;
    let pair = pair(state, from, to)?;
    let keys = keys(state, from.0, to.0, &specs)?;
    limits::check(state, pair, &keys)?;
    state.links.replace(&state.link_types, pair, &keys, ctx.now);
    Ok(Answer::json(201, &labels_between(state, pair)))
}

/// What a labelled link answers, alone and in batches.
pub(crate) fn labels_between(state: &State, pair: Pair) -> Value {
    let labels: Vec<&str> = state
        .links
        .held(pair)
        .iter()
        .filter_map(|held| state.link_types.get(held.key)?.label.as_deref())
        .collect();
    json!({
        "fromObjectTypeId": state.ty(pair.from.0).id,
        "fromObjectId": pair.from.1.to_string(),
        "toObjectTypeId": state.ty(pair.to.0).id,
        "toObjectId": pair.to.1.to_string(),
        "labels": labels,
    })
}

/// The link calls with the type at the end of the path: a number, or in v3 a slug.
pub(crate) fn typed(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: (TypeKey, &str),
    to: (TypeKey, &str),
    wanted: &str,
    link: bool,
) -> Result<Answer, ApiError> {
    let pair = pair(state, from, to)?;
    let found = state
        .link_types
        .between(from.0, to.0)
        .find(|link_type| link_type.name == wanted || wanted.parse() == Ok(link_type.key.type_id));
    let Some(key) = found.map(|link_type| link_type.key) else {
        return Err(ApiError::validation(format!("Association type {wanted} does not exist")));
    };
    if !link {
        state.links.remove_type(&state.link_types, pair, key);
        return Ok(Answer::no_content());
    }
    limits::check(state, pair, &[key])?;
    state.links.add(&state.link_types, pair, key, ctx.now);
    Ok(Answer::json(200, &labels_between(state, pair)))
}

pub(crate) fn delete(state: &mut State, from: (TypeKey, &str), to: (TypeKey, &str)) -> Answer {
    // Unlinking what is not linked, or not there, is fine.
    if let Ok(pair) = pair(state, from, to) {
        state.links.remove_pair(pair);
    }
    Answer::no_content()
}

pub(crate) fn list(
    state: &State,
    ctx: &Ctx<'_>,
    from: (TypeKey, &str),
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let id = live(state, from.0, from.1).ok_or_else(|| missing(state, from.0, from.1, "FROM"))?;
    let limit = ctx.limit(PAGE, PAGE)?;
    let first: u64 = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let mut found = state.links.list_from((from.0, id), to, first);
    let results: Vec<Value> = found.by_ref().take(limit).map(|(id, held)| linked(state, id, held)).collect();
    let next = found.next().map(|(id, _)| id);
    let mut body = json!({"results": results});
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        body.insert("paging".to_owned(), ctx.paging(&next.to_string()));
    }
    Ok(Answer::json(200, &body))
}

/// One linked record with every type of the link. The docs print `toObjectId` as a number and the specification says
/// string; a string is what keeps every digit in any client.
pub(crate) fn linked(state: &State, id: u64, held: &[Held]) -> Value {
    let types: Vec<Value> = held
        .iter()
        .filter_map(|held| state.link_types.get(held.key))
        .map(|link_type| {
            json!({
                "category": link_type.key.category.name(),
                "typeId": link_type.key.type_id,
                "label": link_type.label,
            })
        })
        .collect();
    json!({"toObjectId": id.to_string(), "associationTypes": types})
}
