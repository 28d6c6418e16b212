//! Associations v3: named types, no labels.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::associations::api::missing;
use crate::associations::links::Pair;
use crate::associations::types::{LinkKey, LinkKind};
use crate::context::{Answer, Ctx, IdRef, Inputs, check_size};
use crate::error::ApiError;
use crate::objects::batch::{BatchBody, MAX_INPUTS};
use crate::objects::types::TypeKey;
use crate::state::State;
use crate::time::iso;

#[derive(Debug, Deserialize)]
struct NamedInput {
    from: IdRef,
    to: IdRef,
    #[serde(rename = "type")]
    name: String,
}

/// A slug, or the number that older code sends as text. The bare slug means the plain link: these endpoints know no
/// primary company.
fn named(state: &State, from: TypeKey, to: TypeKey, name: &str) -> Result<LinkKey, ApiError> {
    let bare = format!("{}_to_{}", state.ty(from).name, state.ty(to).name);
    let plain = state.link_types.plain(from, to).filter(|_| name == bare);
    let found = plain.or_else(|| {
        let is_it = |link_type: &&crate::associations::types::LinkType| {
            link_type.name == name || name.parse() == Ok(link_type.key.type_id)
        };
        state.link_types.between(from, to).find(is_it)
    });
    found
        .map(|link_type| link_type.key)
        .ok_or_else(|| ApiError::validation(format!("Association type {name} does not exist")))
}

pub(crate) fn write(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
    link: bool,
) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<NamedInput>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    let keys = inputs
        .iter()
        .map(|input| named(state, from, to, &input.name))
        .collect::<Result<Vec<LinkKey>, _>>()?;
    let mut results: Vec<Value> = Vec::new();
    let mut errors: Vec<Map<String, Value>> = Vec::new();
    for (input, key) in inputs.iter().zip(keys) {
        let live = |ty: TypeKey, id: &str| {
            let id = id.parse().ok()?;
            state.ty(ty).records.live(id).map(|record| record.id)
        };
        let (Some(from_id), Some(to_id)) = (live(from, &input.from.id.0), live(to, &input.to.id.0)) else {
            let gone = live(from, &input.from.id.0).is_none();
            let (ty, id, side) =
                if gone { (from, &input.from.id.0, "FROM") } else { (to, &input.to.id.0, "TO") };
            errors.push(missing(state, ty, id, side).entry());
            continue;
        };
        let pair = Pair { from: (from, from_id), to: (to, to_id) };
        if link {
            state.links.add(&state.link_types, pair, key, ctx.now);
            results.push(json!({
                "from": {"id": from_id.to_string()}, "to": {"id": to_id.to_string()}, "type": input.name,
            }));
        } else {
            state.links.remove_type(&state.link_types, pair, key);
        }
    }
    if !link {
        return Ok(Answer::no_content());
    }
    let status = if errors.is_empty() { 201 } else { 207 };
    Ok(Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) }))
}

pub(crate) fn read(state: &State, ctx: &Ctx<'_>, from: TypeKey, to: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<IdRef>>()?;
    check_size(inputs.len(), MAX_INPUTS)?;
    let mut results: Vec<Value> = Vec::new();
    let mut errors: Vec<Map<String, Value>> = Vec::new();
    for IdRef { id } in &inputs {
        let record = id.0.parse().ok().and_then(|id| state.ty(from).records.live(id));
        let Some(record) = record else {
            errors.push(missing(state, from, &id.0, "FROM").entry());
            continue;
        };
        let mut linked: Vec<Value> = Vec::new();
        for (other, held) in state.links.list((from, record.id), to) {
            for name in held.iter().filter_map(|held| state.link_types.get(held.key)).map(|found| &found.name)
            {
                linked.push(json!({"id": other.to_string(), "type": name}));
            }
        }
        if !linked.is_empty() {
            results.push(json!({"from": {"id": id.0}, "to": linked}));
        }
    }
    let status = if errors.is_empty() { 200 } else { 207 };
    Ok(Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) }))
}

pub(crate) fn types(state: &State, from: TypeKey, to: TypeKey) -> Answer {
    let results: Vec<Value> = state
        .link_types
        .between(from, to)
        .filter(|link_type| link_type.kind != LinkKind::Label)
        .map(|link_type| json!({"id": link_type.key.type_id.to_string(), "name": link_type.name}))
        .collect();
    Answer::json(200, &json!({"results": results}))
}
