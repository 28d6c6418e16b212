//! Labels: the association types of a pair of object types that users made.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::associations::types::{Category, LinkKey, LinkKind, LinkType};
use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::objects::types::TypeKey;
use crate::state::State;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: String,
    label: String,
    #[serde(default)]
    inverse_label: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateInput {
    association_type_id: u32,
    label: String,
    #[serde(default)]
    inverse_label: Option<String>,
}

fn entry(link_type: &LinkType) -> Value {
    json!({
        "category": link_type.key.category.name(),
        "typeId": link_type.key.type_id,
        "label": link_type.label,
    })
}

/// Never shows `name`, as HubSpot never does.
pub(crate) fn list(state: &State, from: TypeKey, to: TypeKey) -> Answer {
    let results: Vec<Value> = state.link_types.between(from, to).map(entry).collect();
    Answer::json(200, &json!({"results": results}))
}

pub(crate) fn create(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let input: CreateInput = ctx.json()?;
    check_name(state, &input.name)?;
    let label = Some(input.label.clone()).filter(|label| !label.is_empty());
    let user_labels =
        |link_type: &&LinkType| link_type.key.category == Category::User && link_type.kind == LinkKind::Label;
    let cap = state.config.tier.label_cap();
    if state.link_types.between(from, to).filter(user_labels).count() >= cap {
        // Observed live: a status of its own.
        return Err(ApiError::new(
            437,
            "VALIDATION_ERROR",
            format!("The limit of {cap} labels has been reached"),
        ));
    }
    let kind = match (&label, state.link_types.plain(from, to)) {
        (Some(_), Some(_)) => LinkKind::Label,
        // Observed live: an empty label makes the plain type of a pair with a custom object.
        (None, None) => LinkKind::Plain,
        (None, Some(_)) => return Err(ApiError::validation("A label must not be empty")),
        (Some(_), None) => {
            plain_for(state, from, to);
            LinkKind::Label
        }
    };
    let inverse_label =
        input.inverse_label.clone().or_else(|| label.clone()).filter(|label| !label.is_empty());
    let names = (input.name.clone(), format!("{}_inverse", input.name));
    let ids = state.link_types.define(from, to, Category::User, kind, names, (label, inverse_label));
    let keys = [
        LinkKey { from, category: Category::User, type_id: ids.0 },
        LinkKey { from: to, category: Category::User, type_id: ids.1 },
    ];
    let shown = if ids.0 == ids.1 { &keys[..1] } else { &keys[..] };
    let results: Vec<Value> = shown.iter().filter_map(|key| state.link_types.get(*key)).map(entry).collect();
    Ok(Answer::json(200, &json!({"results": results})))
}

/// Makes the unlabelled type of a pair that has none. Observed live: with a custom object it is user-defined.
pub(crate) fn plain_for(state: &mut State, from: TypeKey, to: TypeKey) -> (u32, u32) {
    let (a, b) = (state.ty(from).name.clone(), state.ty(to).name.clone());
    let names = (format!("{a}_to_{b}"), format!("{b}_to_{a}"));
    state.link_types.define(from, to, Category::User, LinkKind::Plain, names, (None, None))
}

fn check_name(state: &State, name: &str) -> Result<(), ApiError> {
    let first_ok = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
    if !first_ok || name.contains('-') {
        return Err(ApiError::validation(format!(
            "The name {name} is invalid: it must not be empty, contain a hyphen or begin with a digit"
        )));
    }
    if state.link_types.iter().any(|link_type| link_type.name == name) {
        return Err(ApiError::validation(format!(
            "An association definition with name {name} already exists"
        ))
        .sub("crm.associations.NAME_EXISTS"));
    }
    Ok(())
}

/// Observed live: without `inverseLabel` the label is put on both sides.
pub(crate) fn update(
    state: &mut State,
    ctx: &Ctx<'_>,
    from: TypeKey,
    to: TypeKey,
) -> Result<Answer, ApiError> {
    let input: UpdateInput = ctx.json()?;
    let key = user_label(state, from, to, input.association_type_id)?;
    let inverse = state.link_types.get(key).map(LinkType::inverse_key);
    let back = input.inverse_label.unwrap_or_else(|| input.label.clone());
    // A symmetric type is its own inverse, so the wanted side is written last.
    for (key, label) in inverse.map(|inverse| (inverse, back)).into_iter().chain([(key, input.label)]) {
        if let Some(link_type) = state.link_types.get_mut(key) {
            link_type.label = Some(label);
        }
    }
    Ok(Answer::no_content())
}

/// Removes both directions, and the label from the records that carry it. The docs ask to remove it from records
/// first; observed live it goes at once.
pub(crate) fn delete(
    state: &mut State,
    from: TypeKey,
    to: TypeKey,
    type_id: &str,
) -> Result<Answer, ApiError> {
    let type_id: u32 = type_id.parse().map_err(|_| ApiError::not_found("resource not found"))?;
    let key = user_label(state, from, to, type_id)?;
    if let Some(removed) = state.link_types.remove(key) {
        state.links.drop_everywhere(&[key, removed.inverse_key()]);
    }
    Ok(Answer::no_content())
}

fn user_label(state: &State, from: TypeKey, to: TypeKey, type_id: u32) -> Result<LinkKey, ApiError> {
    let key = LinkKey { from, category: Category::User, type_id };
    let found = state.link_types.get(key).filter(|link_type| link_type.to == to);
    found.map(|link_type| link_type.key).ok_or_else(|| {
        ApiError::not_found(format!("No user-defined association type with id {type_id} exists"))
    })
}
