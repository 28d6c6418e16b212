//! Writes of one record and of many: create, update, upsert, archive.

use std::collections::HashSet;

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::context::{Answer, Ctx, IdRef, Inputs, PropertyMap, Text, check_size};
use crate::error::{ApiError, Refusal};
use crate::objects::plan::{self, AssociationInput, Draft, NewLink, Reserved};
use crate::objects::read::{find, key_lookup, missing_entry};
use crate::objects::types::TypeKey;
use crate::objects::view::{Selection, View};
use crate::objects::write;
use crate::properties::definition::Semantics;
use crate::properties::value;
use crate::state::State;
use crate::time::iso;

/// HubSpot docs: inputs of any object batch.
pub(crate) const MAX_INPUTS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    #[serde(default)]
    properties: PropertyMap,
    #[serde(default)]
    associations: Vec<AssociationInput>,
    #[serde(default)]
    object_write_trace_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateInput {
    id: Text,
    #[serde(default)]
    id_property: Option<String>,
    #[serde(default)]
    properties: PropertyMap,
    #[serde(default)]
    object_write_trace_id: Option<String>,
}

/// One row that can be applied.
struct Planned {
    id: u64,
    new: bool,
    draft: Draft,
    links: Vec<NewLink>,
    trace: Option<String>,
}

/// Why a row cannot be applied.
enum RowError {
    Refused(ApiError),
    /// The id leads nowhere, which never refuses the other rows.
    Missing(String),
}

impl From<ApiError> for RowError {
    fn from(error: ApiError) -> RowError {
        RowError::Refused(error)
    }
}

type Row = (Option<String>, Result<Planned, RowError>);

/// `{status, results, errors?, numErrors?, startedAt, completedAt}`.
pub(crate) struct BatchBody<R> {
    pub(crate) results: Vec<R>,
    pub(crate) errors: Vec<Map<String, Value>>,
    pub(crate) at: String,
}

impl<R: Serialize> Serialize for BatchBody<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", "COMPLETE")?;
        map.serialize_entry("results", &self.results)?;
        if !self.errors.is_empty() {
            map.serialize_entry("numErrors", &self.errors.len())?;
            map.serialize_entry("errors", &self.errors)?;
        }
        map.serialize_entry("startedAt", &self.at)?;
        map.serialize_entry("completedAt", &self.at)?;
        map.end()
    }
}

pub(crate) fn create_one(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: CreateInput = ctx.json()?;
    let trace = input.object_write_trace_id.clone();
    let planned = plan_create(state, ctx, key, &input, &mut Reserved::default())?;
    write::create(state, ctx, key, planned.id, &planned.draft, &planned.links);
    let location = format!("https://api.hubapi.com{}/{}", ctx.path, planned.id);
    Ok(one(state, key, &planned, trace.as_deref(), 201)?.at(location))
}

pub(crate) fn update_one(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
) -> Result<Answer, ApiError> {
    let input: CreateInput = ctx.json()?;
    let record = find(state, ctx, key, id, false)?;
    let id = record.id;
    let draft = plan::draft(state, ctx, key, Some(record), id, &input.properties, &mut Reserved::default())?;
    write::update(state, ctx, key, id, &draft);
    let planned = Planned { id, new: false, draft, links: Vec::new(), trace: None };
    one(state, key, &planned, input.object_write_trace_id.as_deref(), 200)
}

/// 204 whatever the state, as HubSpot answers the archive of an archived record; 404 only for an id that never was.
pub(crate) fn archive_one(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
) -> Result<Answer, ApiError> {
    let records = &state.ty(key).records;
    let id = id.parse::<u64>().map_err(|_| ApiError::object_not_found())?;
    let id = records.resolve(id);
    if records.get(id).is_none() {
        return Err(ApiError::object_not_found());
    }
    write::archive(state, key, id, ctx.now);
    Ok(Answer::no_content())
}

pub(crate) fn batch_archive(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<IdRef>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    for id in inputs.iter().filter_map(|input| input.id.0.parse().ok()) {
        write::archive(state, key, id, ctx.now);
    }
    Ok(Answer::no_content())
}

pub(crate) fn batch_create(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<CreateInput>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    let mut reserved = Reserved::default();
    let mut rows: Vec<Row> = Vec::with_capacity(inputs.len());
    for (row, input) in inputs.into_iter().enumerate() {
        let planned = refusal_on_demand(state, ctx, row)
            .and_then(|()| plan_create(state, ctx, key, &input, &mut reserved))
            .map_err(RowError::from);
        rows.push((input.object_write_trace_id, planned));
    }
    apply(state, ctx, key, rows, 201, true, false)
}

pub(crate) fn batch_update(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<UpdateInput>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    let mut reserved = Reserved::default();
    let mut seen = HashSet::new();
    let mut rows: Vec<Row> = Vec::with_capacity(inputs.len());
    for (row, input) in inputs.into_iter().enumerate() {
        if let Some(name) = &input.id_property {
            writable_key(state, key, name, false)?;
        }
        let planned = plan_update(state, ctx, key, row, &input, &mut seen, &mut reserved);
        // Two inputs for one record refuse the whole batch.
        if let Err(RowError::Refused(error)) = &planned
            && error.message.starts_with(DUPLICATE)
        {
            return Err(error.clone());
        }
        rows.push((input.object_write_trace_id, planned));
    }
    apply(state, ctx, key, rows, 200, true, false)
}

pub(crate) fn batch_upsert(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<UpdateInput>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    let mut reserved = Reserved::default();
    let mut seen = HashSet::new();
    let mut partial = true;
    let mut rows: Vec<Row> = Vec::with_capacity(inputs.len());
    for (row, mut input) in inputs.into_iter().enumerate() {
        let name = input.id_property.clone().ok_or_else(|| {
            ApiError::validation(format!("idProperty is required on every input, missing on input {row}"))
        })?;
        writable_key(state, key, &name, true)?;
        // HubSpot docs: no partial upserts by e-mail, so there one bad row refuses the batch.
        partial &= name != "email";
        let value = normal_key(state, key, &name, &input.id.0);
        if !seen.insert((name.clone(), value.clone())) {
            return Err(ApiError::validation(format!("{DUPLICATE} input: [{value}]")));
        }
        let planned = refusal_on_demand(state, ctx, row)
            .and_then(|()| plan_upsert(state, ctx, key, &name, &value, &mut input, &mut reserved))
            .map_err(RowError::from);
        rows.push((input.object_write_trace_id, planned));
    }
    apply(state, ctx, key, rows, 200, partial, true)
}

const DUPLICATE: &str = "Duplicate IDs found in batch";

fn plan_create(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    input: &CreateInput,
    reserved: &mut Reserved,
) -> Result<Planned, ApiError> {
    let id = next_id(state, key);
    let draft = plan::draft(state, ctx, key, None, id, &input.properties, reserved)?;
    let links = plan::links(state, key, &input.associations)?;
    Ok(Planned { id, new: true, draft, links, trace: None })
}

fn plan_update(
    state: &State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    row: usize,
    input: &UpdateInput,
    seen: &mut HashSet<u64>,
    reserved: &mut Reserved,
) -> Result<Planned, RowError> {
    let target = match &input.id_property {
        Some(name) => key_lookup(state, key, name, &input.id.0)?,
        None => input.id.0.parse().ok(),
    };
    // Merged ids are not forwarded in batches.
    let record = target.and_then(|id| state.ty(key).records.live(id));
    let record = record.ok_or_else(|| RowError::Missing(input.id.0.clone()))?;
    if !seen.insert(record.id) {
        return Err(ApiError::validation(format!("{DUPLICATE} input: [{}]", record.id)).into());
    }
    refusal_on_demand(state, ctx, row)?;
    let draft = plan::draft(state, ctx, key, Some(record), record.id, &input.properties, reserved)?;
    Ok(Planned { id: record.id, new: false, draft, links: Vec::new(), trace: None })
}

fn plan_upsert(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    name: &str,
    value: &str,
    input: &mut UpdateInput,
    reserved: &mut Reserved,
) -> Result<Planned, ApiError> {
    let holder = key_lookup(state, key, name, value)?;
    if let Some(record) = holder.and_then(|id| state.ty(key).records.live(id)) {
        let draft = plan::draft(state, ctx, key, Some(record), record.id, &input.properties, reserved)?;
        return Ok(Planned { id: record.id, new: false, draft, links: Vec::new(), trace: None });
    }
    // `properties` need not repeat the key.
    input.properties.entry(name.to_owned()).or_insert_with(|| Text(value.to_owned()));
    let id = next_id(state, key);
    let draft = plan::draft(state, ctx, key, None, id, &input.properties, reserved)?;
    Ok(Planned { id, new: true, draft, links: Vec::new(), trace: None })
}

fn next_id(state: &mut State, key: TypeKey) -> u64 {
    let State { types, rng, .. } = state;
    types.get_mut(key.0 as usize).map_or(0, |ty| ty.records.next_id(rng))
}

/// Refuses keys by which a batch cannot write: everything not unique, and `email` in an update.
fn writable_key(state: &State, key: TypeKey, name: &str, email_too: bool) -> Result<(), ApiError> {
    let ty = state.ty(key);
    let is_email = ty.is_contact() && name == "email";
    if ty.unique_key(name).is_some() && (email_too || !is_email) {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Unable to perform update/upsert by non-unique {} property {name} in portal ID {}",
        ty.id, state.config.portal_id
    )))
}

/// A key as it is stored, so that two spellings of one address are one key.
fn normal_key(state: &State, key: TypeKey, name: &str, raw: &str) -> String {
    let property = state.ty(key).props.find_active(name).map(|(_, property)| property);
    match property {
        Some(property) if property.semantics == Semantics::Email => {
            value::email(raw).map_or_else(|| raw.to_owned(), |email| email.into_owned())
        }
        _ => raw.to_owned(),
    }
}

/// The refusal of a row that was injected as a fault.
fn refusal_on_demand(state: &State, ctx: &Ctx<'_>, row: usize) -> Result<(), ApiError> {
    if ctx.refused_row != Some(row) {
        return Ok(());
    }
    let refusal = Refusal {
        property: "hs_object_id".to_owned(),
        code: "INVALID_OPTION",
        message: "This row is refused by an injected fault".to_owned(),
    };
    Err(ApiError::invalid_properties(state.config.portal_id, &[refusal]))
}

/// Applies a planned batch, or refuses it whole.
///
/// HubSpot docs: without a trace id on every input one bad row refuses the batch, and the answer is about the first
/// such row; with trace ids the good rows are written and the answer is 207.
fn apply(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    rows: Vec<Row>,
    success: u16,
    partial: bool,
    tell_new: bool,
) -> Result<Answer, ApiError> {
    let traces: HashSet<&str> = rows.iter().filter_map(|(trace, _)| trace.as_deref()).collect();
    let traced = partial && traces.len() == rows.len();
    if !traced {
        for (_, planned) in &rows {
            if let Err(RowError::Refused(error)) = planned {
                return Err(error.clone());
            }
        }
    }
    let mut written = Vec::with_capacity(rows.len());
    let mut errors = Vec::new();
    let mut missing = Vec::new();
    for (trace, planned) in rows {
        match planned {
            Ok(mut planned) => {
                if planned.new {
                    write::create(state, ctx, key, planned.id, &planned.draft, &planned.links);
                } else {
                    write::update(state, ctx, key, planned.id, &planned.draft);
                }
                planned.trace = trace;
                written.push(planned);
            }
            Err(RowError::Refused(error)) => {
                let mut entry = error.entry();
                let context = entry.entry("context").or_insert_with(|| json!({}));
                if let (Some(context), Some(trace)) = (context.as_object_mut(), trace) {
                    context.insert("objectWriteTraceId".to_owned(), json!([trace]));
                }
                errors.push(entry);
            }
            Err(RowError::Missing(id)) => match trace.filter(|_| traced) {
                Some(trace) => {
                    let mut entry = missing_entry(&state.ty(key).legacy, vec![id.clone()]);
                    entry.insert("context".to_owned(), json!({"ids": [id], "objectWriteTraceId": [trace]}));
                    errors.push(entry);
                }
                None => missing.push(id),
            },
        }
    }
    if !missing.is_empty() {
        errors.push(missing_entry(&state.ty(key).legacy, missing));
    }
    if state.config.shuffle_batch_results {
        state.rng.shuffle(&mut written);
    }
    let status = if errors.is_empty() { success } else { 207 };
    Ok(answer(state, ctx, key, &written, errors, status, tell_new))
}

fn answer(
    state: &State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    written: &[Planned],
    errors: Vec<Map<String, Value>>,
    status: u16,
    tell_new: bool,
) -> Answer {
    let ty = state.ty(key);
    // Rows of one batch mostly write the same properties; one selection serves a run of them.
    let mut selections: Vec<Selection> = Vec::new();
    let mut chosen: Vec<usize> = Vec::with_capacity(written.len());
    let mut previous: Option<&[u32]> = None;
    for planned in written {
        if previous != Some(&planned.draft.written) {
            selections.push(Selection::written(ty, &planned.draft.written));
            previous = Some(&planned.draft.written);
        }
        chosen.push(selections.len() - 1);
    }
    let results: Vec<View<'_>> = written
        .iter()
        .zip(&chosen)
        .filter_map(|(planned, chosen)| {
            let record = ty.records.get(planned.id)?;
            let view = View::now(state, key, record, selections.get(*chosen)?);
            let new = tell_new.then_some(planned.new);
            Some(view.written(new, planned.trace.as_deref(), &planned.draft.warnings))
        })
        .collect();
    Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) })
}

fn one(
    state: &State,
    key: TypeKey,
    planned: &Planned,
    trace: Option<&str>,
    status: u16,
) -> Result<Answer, ApiError> {
    let ty = state.ty(key);
    let selection = Selection::written(ty, &planned.draft.written);
    let record = ty.records.get(planned.id).ok_or_else(ApiError::object_not_found)?;
    let view = View::now(state, key, record, &selection).written(None, trace, &planned.draft.warnings);
    Ok(Answer::json(status, &view))
}
