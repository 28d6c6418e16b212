//! Get, list and batch read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::associations::inline;
use crate::context::{Answer, Ctx, IdRef, check_size};
use crate::error::ApiError;
use crate::objects::batch::BatchBody;
use crate::objects::record::Record;
use crate::objects::types::TypeKey;
use crate::objects::view::{Selection, View};
use crate::state::State;
use crate::time::iso;

/// HubSpot docs and SDK comments: reads with history take fewer records.
const MAX_WITH_HISTORY: usize = 50;

fn selection(state: &State, ctx: &Ctx<'_>, key: TypeKey) -> Selection {
    Selection::named(state.ty(key), ctx.list("properties"), ctx.list("propertiesWithHistory"))
}

#[derive(Serialize)]
struct Page<'s> {
    results: Vec<View<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<Value>,
}

/// Runs in the order of ids; `after` is the id of the first record of the next page.
pub(crate) fn list(state: &State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let selection = selection(state, ctx, key);
    let max = if selection.has_history() { MAX_WITH_HISTORY } else { 100 };
    let limit = ctx.limit(10, max)?;
    let from: u64 = match ctx.query("after") {
        Some(after) => {
            after.parse().map_err(|_| ApiError::validation(format!("Invalid paging token: {after}")))?
        }
        None => 0,
    };
    let archived = ctx.flag("archived");
    let records = &state.ty(key).records;
    let mut found = records
        .range_from(from)
        .filter(|record| record.is_live() != archived && !(archived && records.is_merged_away(record.id)));
    let page: Vec<&Record> = found.by_ref().take(limit).collect();
    let paging = found.next().map(|next| ctx.paging(&next.id.to_string()));
    let links = inline::requested(state, ctx)?;
    let results = page
        .into_iter()
        .map(|record| {
            View::now(state, key, record, &selection).associations(links.of(state, (key, record.id)))
        })
        .collect();
    Ok(Answer::json(200, &Page { results, paging }))
}

pub(crate) fn get(state: &State, ctx: &Ctx<'_>, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    let record = find(state, ctx, key, id, ctx.flag("archived"))?;
    let selection = selection(state, ctx, key);
    let links = inline::requested(state, ctx)?;
    let view = View::now(state, key, record, &selection).associations(links.of(state, (key, record.id)));
    Ok(Answer::json(200, &view))
}

/// The record that a single call means: by id, which follows merges, or by the unique property in `idProperty`.
pub(crate) fn find<'s>(
    state: &'s State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
    archived: bool,
) -> Result<&'s Record, ApiError> {
    let ty = state.ty(key);
    let id = match ctx.query("idProperty").filter(|name| *name != "hs_object_id") {
        Some(name) => key_lookup(state, key, name, id)?,
        None => id.parse().ok().map(|id| ty.records.resolve(id)),
    };
    let record = id.and_then(|id| ty.records.get(id)).filter(|record| record.is_live() != archived);
    record.ok_or_else(ApiError::object_not_found)
}

/// Who holds a unique value; an error when the property is not unique.
pub(crate) fn key_lookup(
    state: &State,
    key: TypeKey,
    name: &str,
    value: &str,
) -> Result<Option<u64>, ApiError> {
    let ty = state.ty(key);
    let Some(prop) = ty.unique_key(name) else {
        return Err(ApiError::validation(format!(
            "Unable to find {} records by non-unique {} property {name} in portal ID {}",
            ty.name, ty.id, state.config.portal_id
        )));
    };
    let lowered;
    let value = if ty.is_contact() && name == "email" {
        lowered = value.trim().to_lowercase();
        &lowered
    } else {
        value
    };
    Ok(ty.records.holder(prop, value))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchReadInput {
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    properties_with_history: Vec<String>,
    #[serde(default)]
    id_property: Option<String>,
    inputs: Vec<IdRef>,
}

/// Ids are not forwarded through merges here. Missing ones are listed in one error.
pub(crate) fn batch_read(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: BatchReadInput = ctx.json()?;
    let selection = Selection::named(
        state.ty(key),
        input.properties.iter().map(String::as_str),
        input.properties_with_history.iter().map(String::as_str),
    );
    check_size(input.inputs.len(), if selection.has_history() { MAX_WITH_HISTORY } else { 100 })?;
    let archived = ctx.flag("archived");
    let mut found: Vec<u64> = Vec::with_capacity(input.inputs.len());
    let mut missing: Vec<String> = Vec::new();
    for IdRef { id } in input.inputs {
        let target = match input.id_property.as_deref().filter(|name| *name != "hs_object_id") {
            Some(name) => key_lookup(state, key, name, &id.0)?,
            None => id.0.parse().ok(),
        };
        let record = target.and_then(|id| state.ty(key).records.get(id));
        // Who was merged away is not in the recycling bin: nobody can bring it back.
        let is_asked = |record: &&Record| {
            record.is_live() != archived && !(archived && state.ty(key).records.is_merged_away(record.id))
        };
        match record.filter(is_asked) {
            Some(record) if found.contains(&record.id) => {}
            Some(record) => found.push(record.id),
            None => missing.push(id.0),
        }
    }
    if state.config.shuffle_batch_results {
        state.rng.shuffle(&mut found);
    }
    let records = &state.ty(key).records;
    let results: Vec<View<'_>> = found
        .iter()
        .filter_map(|id| records.get(*id))
        .map(|record| View::now(state, key, record, &selection))
        .collect();
    let errors =
        if missing.is_empty() { Vec::new() } else { vec![missing_entry(&state.ty(key).legacy, missing)] };
    let status = if errors.is_empty() { 200 } else { 207 };
    let body = BatchBody { results, errors, at: iso(ctx.now) };
    Ok(Answer::json(status, &body))
}

/// The error of a batch for ids that lead nowhere.
pub(crate) fn missing_entry(legacy: &str, ids: Vec<String>) -> Map<String, Value> {
    let mut entry = ApiError::not_found(format!(
        "Could not get some {legacy} objects, they may be deleted or not exist. Check that ids are valid."
    ))
    .entry();
    entry.insert("context".to_owned(), json!({"ids": ids}));
    entry
}
