//! The pipeline and stage endpoints.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::context::{Answer, Ctx, Text};
use crate::error::ApiError;
use crate::objects::types::{ObjectType, TypeKey};
use crate::pipelines::{Pipeline, Stage, is_closed};
use crate::properties::definition::{PropKey, Semantics};
use crate::router::Version;
use crate::state::State;

/// Observed live: longer ids end in a 500.
const MAX_PIPELINE_ID: usize = 36;
const MAX_STAGE_ID: usize = 100;
/// HubSpot docs: stages of one pipeline.
const MAX_STAGES: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageInput {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Text>>,
    #[serde(default, alias = "id")]
    stage_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineInput {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    stages: Option<Vec<StageInput>>,
    #[serde(default, alias = "id")]
    pipeline_id: Option<String>,
}

pub(crate) fn list(state: &State, key: TypeKey) -> Answer {
    let results: Vec<Value> = match lifecycle(state.ty(key)) {
        Some(pipeline) => vec![pipeline.to_json()],
        None => state.ty(key).pipelines.list.iter().map(Pipeline::to_json).collect(),
    };
    Answer::json(200, &json!({"results": results}))
}

/// Observed live: contacts and companies answer with their lifecycle stages.
fn lifecycle(ty: &ObjectType) -> Option<Pipeline> {
    if !(ty.is_contact() || ty.is_company()) {
        return None;
    }
    let prop = ty.props.with_semantics(Semantics::LifecycleStage)?;
    let stages = ty.props.get(prop)?.options.iter().map(|option| Stage {
        id: option.value.clone(),
        label: option.label.clone(),
        display_order: option.display_order,
        metadata: BTreeMap::new(),
        created_at: 0,
        updated_at: 0,
    });
    Some(Pipeline {
        id: format!("{}s-lifecycle-pipeline", ty.name),
        label: "Lifecycle Stage Pipeline".to_owned(),
        display_order: 0,
        stages: stages.collect(),
        created_at: 0,
        updated_at: 0,
    })
}

fn pipeline<'s>(state: &'s State, key: TypeKey, id: &str) -> Result<&'s Pipeline, ApiError> {
    // Some of these answers have no JSON body; clients must decide on the status.
    state.ty(key).pipelines.find(id).ok_or_else(ApiError::html_not_found)
}

fn pipeline_mut<'s>(state: &'s mut State, key: TypeKey, id: &str) -> Result<&'s mut Pipeline, ApiError> {
    let found = state.ty_mut(key).pipelines.list.iter_mut().find(|pipeline| pipeline.id == id);
    found.ok_or_else(ApiError::html_not_found)
}

pub(crate) fn get(state: &State, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    Ok(Answer::json(200, &pipeline(state, key, id)?.to_json()))
}

pub(crate) fn create(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: PipelineInput = ctx.json()?;
    let id = match input.pipeline_id {
        Some(id) => id,
        None => state.made_id(),
    };
    if id.chars().count() > MAX_PIPELINE_ID {
        return Err(ApiError::new(500, "INTERNAL_ERROR", "internal error"));
    }
    // Observed live: pipeline ids are unique across object types.
    if state.types.iter().any(|ty| ty.pipelines.find(&id).is_some()) {
        return Err(ApiError::validation(format!(
            "There's another pipeline in this portal with pipelineId {id}"
        )));
    }
    let label = label(input.label)?;
    check_pipeline_label(state.ty(key), &label, &id)?;
    let stages = new_stages(state, ctx, key, &id, input.stages.unwrap_or_default(), &[])?;
    let display_order = input.display_order.unwrap_or(0);
    let made = Pipeline { id, label, display_order, stages, created_at: ctx.now, updated_at: ctx.now };
    let body = made.to_json();
    if state.ty(key).custom.is_some() && state.ty(key).pipelines.list.is_empty() {
        state.ty_mut(key).props.add_pipeline_properties();
    }
    state.ty_mut(key).pipelines.list.push(made);
    Ok(Answer::json(201, &body))
}

/// PUT: stages that are left out are gone for good.
pub(crate) fn replace(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    let input: PipelineInput = ctx.json()?;
    let old = pipeline(state, key, id)?.clone();
    let label = label(input.label)?;
    check_pipeline_label(state.ty(key), &label, id)?;
    let stages = new_stages(state, ctx, key, id, input.stages.unwrap_or_default(), &old.stages)?;
    let gone: Vec<&str> = old
        .stages
        .iter()
        .map(|stage| stage.id.as_str())
        .filter(|id| !stages.iter().any(|stage| stage.id == *id))
        .collect();
    refuse_used(state, ctx, key, Semantics::Stage, &gone)?;
    let stored = pipeline_mut(state, key, id)?;
    stored.label = label;
    stored.display_order = input.display_order.unwrap_or(stored.display_order);
    stored.stages = stages;
    stored.updated_at = ctx.now;
    Ok(Answer::json(200, &stored.to_json()))
}

pub(crate) fn update(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    let input: PipelineInput = ctx.json()?;
    pipeline(state, key, id)?;
    if let Some(label) = &input.label {
        check_pipeline_label(state.ty(key), label, id)?;
    }
    let stored = pipeline_mut(state, key, id)?;
    if let Some(label) = input.label {
        stored.label = label;
    }
    stored.display_order = input.display_order.unwrap_or(stored.display_order);
    stored.updated_at = ctx.now;
    Ok(Answer::json(200, &stored.to_json()))
}

pub(crate) fn delete(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    let found = pipeline(state, key, id)?;
    let stages: Vec<String> = found.stages.iter().map(|stage| stage.id.clone()).collect();
    let stages: Vec<&str> = stages.iter().map(String::as_str).collect();
    refuse_used(state, ctx, key, Semantics::Stage, &stages)?;
    refuse_used(state, ctx, key, Semantics::Pipeline, &[id])?;
    state.ty_mut(key).pipelines.list.retain(|pipeline| pipeline.id != id);
    Ok(Answer::no_content())
}

pub(crate) fn stages(state: &State, key: TypeKey, id: &str) -> Result<Answer, ApiError> {
    let results: Vec<Value> = pipeline(state, key, id)?.stages.iter().map(Stage::to_json).collect();
    Ok(Answer::json(200, &json!({"results": results})))
}

pub(crate) fn stage(state: &State, key: TypeKey, id: &str, stage: &str) -> Result<Answer, ApiError> {
    let stage = pipeline(state, key, id)?.stage(stage).ok_or_else(ApiError::html_not_found)?;
    Ok(Answer::json(200, &stage.to_json()))
}

pub(crate) fn create_stage(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
) -> Result<Answer, ApiError> {
    let input: StageInput = ctx.json()?;
    let others = pipeline(state, key, id)?.stages.clone();
    if others.len() >= MAX_STAGES {
        return Err(ApiError::validation(format!("A pipeline may have at most {MAX_STAGES} stages")));
    }
    let made = new_stage(state, ctx, key, id, input, None, others.len())?;
    check_stage_label(&others, &made)?;
    let body = made.to_json();
    place(&mut pipeline_mut(state, key, id)?.stages, made);
    Ok(Answer::json(201, &body))
}

/// PATCH, and PUT with everything set.
pub(crate) fn update_stage(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
    stage: &str,
) -> Result<Answer, ApiError> {
    let mut input: StageInput = ctx.json()?;
    let stages = pipeline(state, key, id)?.stages.clone();
    let old = stages.iter().find(|one| one.id == stage).ok_or_else(ApiError::html_not_found)?;
    input.stage_id = Some(old.id.clone());
    let made = new_stage(state, ctx, key, id, input, Some(old), 0)?;
    let mut others: Vec<Stage> = stages.iter().filter(|one| one.id != stage).cloned().collect();
    check_stage_label(&others, &made)?;
    let body = made.to_json();
    place(&mut others, made);
    check_closed_stage(state.ty(key), &others)?;
    pipeline_mut(state, key, id)?.stages = others;
    Ok(Answer::json(200, &body))
}

/// Observed live: 204 even for a stage that does not exist.
pub(crate) fn delete_stage(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: &str,
    stage: &str,
) -> Result<Answer, ApiError> {
    let Some(found) = state.ty(key).pipelines.find(id) else { return Ok(Answer::no_content()) };
    if found.stage(stage).is_none() {
        return Ok(Answer::no_content());
    }
    let rest: Vec<Stage> = found.stages.iter().filter(|one| one.id != stage).cloned().collect();
    if rest.is_empty() {
        return Err(no_stages());
    }
    check_closed_stage(state.ty(key), &rest)?;
    refuse_used(state, ctx, key, Semantics::Stage, &[stage])?;
    pipeline_mut(state, key, id)?.stages = rest;
    Ok(Answer::no_content())
}

fn no_stages() -> ApiError {
    ApiError::validation("Pipeline must have at least one stage")
}

fn label(given: Option<String>) -> Result<String, ApiError> {
    given
        .filter(|label| !label.trim().is_empty())
        .ok_or_else(|| ApiError::validation("Some required fields were not set: [label]"))
}

fn same_label(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn check_pipeline_label(ty: &ObjectType, label: &str, own: &str) -> Result<(), ApiError> {
    if ty.pipelines.list.iter().any(|other| other.id != own && same_label(&other.label, label)) {
        return Err(ApiError::validation(format!("A pipeline with label '{label}' already exists"))
            .sub("PipelineError.PIPELINE_LABEL_EXISTS"));
    }
    Ok(())
}

fn check_stage_label(others: &[Stage], made: &Stage) -> Result<(), ApiError> {
    if others.iter().any(|other| other.id != made.id && same_label(&other.label, &made.label)) {
        return Err(ApiError::validation(format!("A stage with label '{}' already exists", made.label))
            .sub("PipelineError.STAGE_LABEL_EXISTS"));
    }
    Ok(())
}

/// Observed live: one closed stage must remain in a ticket pipeline.
fn check_closed_stage(ty: &ObjectType, stages: &[Stage]) -> Result<(), ApiError> {
    let closed = |stage: &Stage| stage.metadata.get("ticketState").is_some_and(|state| state == "CLOSED");
    if ty.name == "ticket" && !stages.iter().any(closed) {
        return Err(ApiError::validation("A ticket pipeline must have at least one closed stage")
            .sub("PipelineError.MISSING_CLOSED_STAGE"));
    }
    Ok(())
}

fn new_stages(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    pipeline: &str,
    inputs: Vec<StageInput>,
    old: &[Stage],
) -> Result<Vec<Stage>, ApiError> {
    if inputs.is_empty() {
        return Err(no_stages());
    }
    if inputs.len() > MAX_STAGES {
        return Err(ApiError::validation(format!("A pipeline may have at most {MAX_STAGES} stages")));
    }
    let mut stages: Vec<Stage> = Vec::new();
    let mut ids = HashSet::new();
    for input in inputs {
        let before = input.stage_id.as_ref().and_then(|id| old.iter().find(|stage| stage.id == *id));
        let made = new_stage(state, ctx, key, pipeline, input, before, stages.len())?;
        if !ids.insert(made.id.clone()) {
            return Err(ApiError::validation(format!("Another stage is already using stage id {}", made.id)));
        }
        check_stage_label(&stages, &made)?;
        stages.push(made);
    }
    stages.sort_by_key(|stage| stage.display_order);
    check_closed_stage(state.ty(key), &stages)?;
    Ok(stages)
}

fn new_stage(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    pipeline: &str,
    input: StageInput,
    old: Option<&Stage>,
    position: usize,
) -> Result<Stage, ApiError> {
    let id = match input.stage_id {
        Some(id) => id,
        None => state.made_id(),
    };
    if id.chars().count() > MAX_STAGE_ID {
        return Err(ApiError::new(500, "INTERNAL_ERROR", "internal error"));
    }
    if old.is_none() {
        let list = &state.ty(key).pipelines.list;
        if let Some(other) = list.iter().find(|other| other.stage(&id).is_some()) {
            return Err(if other.id == pipeline {
                ApiError::validation(format!("Another stage is already using stage id {id}"))
            } else {
                ApiError::new(409, "CONFLICT", format!("Stage id {id} exists in another pipeline"))
                    .sub("PipelineError.STAGE_ID_EXISTS_IN_ANOTHER_PIPELINE")
            });
        }
    }
    let label = label(input.label.or_else(|| old.map(|old| old.label.clone())))?;
    let display_order = input
        .display_order
        .or(old.map(|old| old.display_order))
        .unwrap_or_else(|| i64::try_from(position).unwrap_or(0));
    if display_order < 0 {
        return Err(ApiError::validation("displayOrder must not be negative"));
    }
    let given = input.metadata.map(|given| given.into_iter().map(|(key, text)| (key, text.0)).collect());
    let given: BTreeMap<String, String> =
        given.or_else(|| old.map(|old| old.metadata.clone())).unwrap_or_default();
    let metadata = metadata(state.ty(key), given)?;
    let created_at = old.map_or(ctx.now, |old| old.created_at);
    Ok(Stage { id, label, display_order, metadata, created_at, updated_at: ctx.now })
}

/// Checks and completes a stage's metadata by the rules of its object type.
fn metadata(
    ty: &ObjectType,
    mut given: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let invalid =
        |message: String| ApiError::validation(message).sub("PipelineError.INVALID_PIPELINE_STAGE_METADATA");
    if ty.name == "deal" {
        let text = given.get("probability").ok_or_else(|| invalid("probability is required".to_owned()))?;
        let value: f64 = text.parse().map_err(|_| invalid(format!("{text} is not a valid probability")))?;
        if !(0.0..=1.0).contains(&value) {
            return Err(invalid(format!("{text} is not a probability between 0 and 1")));
        }
        // Stored as Java prints a double: 0.5, 1.0.
        let stored = format!("{value:?}");
        given.insert("isClosed".to_owned(), is_closed(&stored).to_string());
        given.insert("probability".to_owned(), stored);
        return Ok(given);
    }
    let name = if ty.name == "ticket" { "ticketState" } else { "state" };
    let value = given.entry(name.to_owned()).or_insert_with(|| "OPEN".to_owned()).clone();
    if value != "OPEN" && value != "CLOSED" {
        return Err(invalid(format!("{value} is not one of OPEN, CLOSED")));
    }
    given.insert("isClosed".to_owned(), (value == "CLOSED").to_string());
    Ok(given)
}

/// Observed live: a stage that takes a used place stands right after it, and all are numbered anew.
fn place(stages: &mut Vec<Stage>, made: Stage) {
    let at = stages.iter().position(|stage| stage.display_order > made.display_order).unwrap_or(stages.len());
    stages.insert(at, made);
    for (order, stage) in (0_i64..).zip(stages) {
        stage.display_order = order;
    }
}

/// Since 2026-09 what records use cannot be deleted; before, only a query parameter asked for the check.
fn refuse_used(
    state: &State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    what: Semantics,
    ids: &[&str],
) -> Result<(), ApiError> {
    let asked = ["validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete"];
    let checked = ctx.version == Version::V2026_09 || asked.iter().any(|name| ctx.flag(name));
    let ty = state.ty(key);
    let Some(prop) = ty.props.with_semantics(what).filter(|_| checked) else { return Ok(()) };
    let users = users(ty, prop, ids);
    if users.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation("Some stages are in use by records and cannot be deleted")
        .sub("PipelineError.STAGE_ID_IN_USE")
        .with("stageIds", ids.iter().map(|id| (*id).to_owned()).collect())
        .with("objectIds", users))
}

fn users(ty: &ObjectType, prop: PropKey, ids: &[&str]) -> Vec<String> {
    let uses = |value: Option<&str>| value.is_some_and(|value| ids.contains(&value));
    let live = ty.records.iter().filter(|record| record.is_live());
    live.filter(|record| uses(record.value(prop))).take(100).map(|record| record.id.to_string()).collect()
}
