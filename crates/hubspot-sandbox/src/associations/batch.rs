//! Linking, unlinking and listing for many records.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::associations::api::{PAGE, default_results, keys, labels_between, linked, missing, plain_key};
use crate::associations::limits;
use crate::associations::links::Pair;
use crate::context::{Answer, Ctx, IdRef, Inputs, Text, check_size};
use crate::error::ApiError;
use crate::objects::batch::BatchBody;
use crate::objects::plan::LinkTypeInput;
use crate::objects::types::TypeKey;
use crate::state::State;
use crate::time::iso;

/// HubSpot docs: inputs of a batch that links, and of one that reads.
const MAX_LINKED: usize = 2_000;
const MAX_READ: usize = 1_000;

#[derive(Debug, Deserialize)]
struct LinkInput {
    from: IdRef,
    to: IdRef,
    #[serde(default)]
    types: Vec<LinkTypeInput>,
}

#[derive(Debug, Deserialize)]
struct ReadInput {
    id: Text,
    #[serde(default)]
    after: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct UnlinkInput {
    from: IdRef,
    to: Vec<IdRef>,
}

/// The records of one input; ids that a merge retired are not forwarded here.
fn pair(state: &State, from: TypeKey, to: TypeKey, input: &LinkInput) -> Result<Pair, ApiError> {
    let live = |key: TypeKey, id: &str| {
        let id = id.parse().ok()?;
        state.ty(key).records.live(id).map(|record| record.id)
    };
    let from_id =
        live(from, &input.from.id.0).ok_or_else(|| missing(state, from, &input.from.id.0, "FROM"))?;
    let to_id = live(to, &input.to.id.0).ok_or_else(|| missing(state, to, &input.to.id.0, "TO"))?;
    Ok(Pair { from: (from, from_id), to: (to, to_id) })
}

fn answer(ctx: &Ctx<'_>, success: u16, results: Vec<Value>, errors: Vec<Map<String, Value>>) -> Answer {
    let status = if errors.is_empty() { success } else { 207 };
    Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) })
}

/// Every input stands for itself; those whose records are missing are reported and the others are linked.
pub(crate) fn link_default(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<LinkInput>>()?;
    check_size(inputs.len(), MAX_LINKED)?;
    let key = plain_key(state, from, to)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (row, input) in inputs.iter().enumerate() {
        match checked_pair(state, ctx, row, from, to, input)
            .and_then(|pair| limits::check(state, pair, &[key]).map(|()| pair))
        {
            Ok(pair) => {
                state.links.add(&state.link_types, pair, key, ctx.now);
                results.extend(default_results(state, pair, key));
            }
            Err(error) => errors.push(error.entry()),
        }
    }
    Ok(answer(ctx, 200, results, errors))
}

/// Adds the named types; unlike the single PUT it removes none. A type that does not exist refuses the batch.
pub(crate) fn link(state: &mut State, ctx: &Ctx<'_>, from: TypeKey, to: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<LinkInput>>()?;
    check_size(inputs.len(), MAX_LINKED)?;
    let specs =
        inputs.iter().map(|input| keys(state, from, to, &input.types)).collect::<Result<Vec<_>, _>>()?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (row, (input, keys)) in inputs.iter().zip(specs).enumerate() {
        match checked_pair(state, ctx, row, from, to, input)
            .and_then(|pair| limits::check(state, pair, &keys).map(|()| pair))
        {
            Ok(pair) => {
                for key in keys {
                    state.links.add(&state.link_types, pair, key, ctx.now);
                }
                results.push(labels_between(state, pair));
            }
            Err(error) => errors.push(error.entry()),
        }
    }
    Ok(answer(ctx, 201, results, errors))
}

/// The records of one input, unless an injected fault refuses it.
fn checked_pair(
    state: &State,
    ctx: &Ctx<'_>,
    row: usize,
    from: TypeKey,
    to: TypeKey,
    input: &LinkInput,
) -> Result<Pair, ApiError> {
    if ctx.refused_row == Some(row) {
        return Err(ApiError::validation("This row is refused by an injected fault"));
    }
    pair(state, from, to, input)
}

/// Records without a link to the other type are reported under `errors`.
pub(crate) fn read(state: &State, ctx: &Ctx<'_>, from: TypeKey, to: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<ReadInput>>()?;
    check_size(inputs.len(), MAX_READ)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for ReadInput { id: Text(id), after } in &inputs {
        let first: u64 = after.as_ref().and_then(|after| after.0.parse().ok()).unwrap_or(0);
        let record = id.parse().ok().and_then(|id| state.ty(from).records.live(id));
        let Some(record) = record else {
            errors.push(missing(state, from, id, "FROM").entry());
            continue;
        };
        let mut found = state.links.list_from((from, record.id), to, first);
        let linked: Vec<Value> =
            found.by_ref().take(PAGE).map(|(id, held)| linked(state, id, held)).collect();
        if linked.is_empty() {
            let ty = state.ty(from);
            let message = format!("No {} is associated with {} {id}", state.ty(to).name, ty.name);
            let error = ApiError::not_found(message)
                .sub("crm.associations.NO_ASSOCIATIONS_FOUND")
                .with("fromObjectId", vec![id.clone()])
                .with("fromObjectType", vec![ty.id.clone()])
                .with("toObjectType", vec![state.ty(to).id.clone()]);
            errors.push(error.entry());
            continue;
        }
        let mut result = json!({"from": {"id": id}, "to": linked});
        if let (Some((next, _)), Some(result)) = (found.next(), result.as_object_mut()) {
            result.insert("paging".to_owned(), json!({"next": {"after": next.to_string()}}));
        }
        results.push(result);
    }
    Ok(answer(ctx, 200, results, errors))
}

pub(crate) fn unlink(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<UnlinkInput>>()?;
    check_size(inputs.len(), MAX_LINKED)?;
    for input in &inputs {
        for other in &input.to {
            if let (Ok(from_id), Ok(to_id)) = (input.from.id.0.parse(), other.id.0.parse()) {
                state.links.remove_pair(Pair { from: (from, from_id), to: (to, to_id) });
            }
        }
    }
    Ok(Answer::no_content())
}

/// Removes named labels; the plain link stays unless it is named itself.
pub(crate) fn remove_labels(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<LinkInput>>()?;
    check_size(inputs.len(), MAX_LINKED)?;
    let specs =
        inputs.iter().map(|input| keys(state, from, to, &input.types)).collect::<Result<Vec<_>, _>>()?;
    for (input, keys) in inputs.iter().zip(specs) {
        if let Ok(pair) = pair(state, from, to, input) {
            for key in keys {
                state.links.remove_type(&state.link_types, pair, key);
            }
        }
    }
    Ok(Answer::no_content())
}
