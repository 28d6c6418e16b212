//! Limits that users set on how many records one record may be associated with.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::associations::links::Pair;
use crate::associations::types::{Category, LinkKey, LinkType};
use crate::context::{Answer, Ctx, Inputs, check_size};
use crate::error::ApiError;
use crate::objects::batch::BatchBody;
use crate::objects::types::TypeKey;
use crate::state::State;
use crate::time::iso;

/// HubSpot's knowledge base: the highest limit that a user can set.
const HIGHEST: u32 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LimitInput {
    category: Category,
    type_id: u32,
    #[serde(default)]
    max_to_object_ids: Option<u32>,
}

/// Refuses a link that would take either end above the limit of a type. The answer's words are not documented.
pub(crate) fn check(state: &State, pair: Pair, keys: &[LinkKey]) -> Result<(), ApiError> {
    for key in keys {
        let Some(link_type) = state.link_types.get(*key) else { continue };
        let both =
            [(pair, Some(link_type)), (pair.reversed(), state.link_types.get(link_type.inverse_key()))];
        for (pair, link_type) in both {
            let Some((link_type, max)) = link_type.and_then(|link_type| Some((link_type, link_type.max?)))
            else {
                continue;
            };
            let others = state
                .links
                .list(pair.from, pair.to.0)
                .filter(|(id, held)| *id != pair.to.1 && held.iter().any(|held| held.key == link_type.key))
                .take(max as usize)
                .count();
            if others >= max as usize {
                let (from, to) = (state.ty(pair.from.0), state.ty(pair.to.0));
                return Err(ApiError::validation(format!(
                    "{} {} is already associated with {max} {}, the limit of association type {}",
                    from.name, pair.from.1, to.plural, link_type.key.type_id
                ))
                .sub("crm.associations.ASSOCIATION_LIMIT_EXCEEDED"));
            }
        }
    }
    Ok(())
}

fn entry(state: &State, link_type: &LinkType) -> Option<Value> {
    Some(json!({
        "category": link_type.key.category.name(),
        "typeId": link_type.key.type_id,
        "fromObjectTypeId": state.ty(link_type.key.from).id,
        "toObjectTypeId": state.ty(link_type.to).id,
        "userEnforcedMaxToObjectIds": link_type.max?,
        "label": link_type.label,
    }))
}

pub(crate) fn list(state: &State, pair: Option<(TypeKey, TypeKey)>) -> Answer {
    let results: Vec<Value> = state
        .link_types
        .iter()
        .filter(|link_type| pair.is_none_or(|pair| pair == (link_type.key.from, link_type.to)))
        .filter_map(|link_type| entry(state, link_type))
        .collect();
    Answer::json(200, &json!({"results": results}))
}

/// Creates and updates alike; `purge` takes limits away.
pub(crate) fn set(
    state: &mut State,
    ctx: &Ctx<'_>,
    pair: (TypeKey, TypeKey),
    purge: bool,
    success: u16,
) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<LimitInput>>()?;
    check_size(inputs.len(), 100)?;
    let mut changes = Vec::new();
    for input in &inputs {
        let key = LinkKey { from: pair.0, category: input.category, type_id: input.type_id };
        if state.link_types.get(key).is_none_or(|link_type| link_type.to != pair.1) {
            return Err(ApiError::validation(format!("Association type {} does not exist", input.type_id)));
        }
        let max = match input.max_to_object_ids {
            _ if purge => None,
            Some(max) if (1..=HIGHEST).contains(&max) => Some(max),
            _ => return Err(ApiError::validation(format!("maxToObjectIds must be between 1 and {HIGHEST}"))),
        };
        changes.push((key, max));
    }
    for (key, max) in &changes {
        if let Some(link_type) = state.link_types.get_mut(*key) {
            link_type.max = *max;
        }
    }
    if purge {
        return Ok(Answer::no_content());
    }
    let results: Vec<Value> =
        changes.iter().filter_map(|(key, _)| entry(state, state.link_types.get(*key)?)).collect();
    Ok(Answer::json(success, &BatchBody { results, errors: Vec::new(), at: iso(ctx.now) }))
}
