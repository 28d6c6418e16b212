//! The property group endpoints.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::objects::types::TypeKey;
use crate::properties::definition::Group;
use crate::state::State;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
}

fn to_json(group: &Group) -> Value {
    json!({
        "name": group.name,
        "label": group.label,
        "displayOrder": group.display_order,
        "archived": group.archived,
    })
}

fn missing(name: &str) -> ApiError {
    ApiError::not_found(format!("The property group named '{name}' does not exist."))
}

pub(crate) fn list(state: &State, key: TypeKey) -> Answer {
    let groups = state.ty(key).props.groups.values().filter(|group| !group.archived);
    Answer::json(200, &json!({"results": groups.map(to_json).collect::<Vec<_>>()}))
}

pub(crate) fn get(state: &State, key: TypeKey, name: &str) -> Result<Answer, ApiError> {
    let group = state.ty(key).props.groups.get(name).filter(|group| !group.archived);
    group.map(|group| Answer::json(200, &to_json(group))).ok_or_else(|| missing(name))
}

pub(crate) fn create(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: GroupInput = ctx.json()?;
    let (Some(name), Some(label)) = (input.name, input.label) else {
        return Err(ApiError::validation("Some required fields were not set: [name, label]"));
    };
    let groups = &mut state.ty_mut(key).props.groups;
    if groups.get(&name).is_some_and(|group| !group.archived) {
        let message = format!("A property group named '{name}' already exists.");
        return Err(ApiError::new(409, "OBJECT_ALREADY_EXISTS", message)
            .sub("Properties.PROPERTY_GROUP_WITH_NAME_EXISTS"));
    }
    let display_order = input.display_order.unwrap_or(-1);
    let group = Group { name: name.clone(), label, display_order, archived: false, hubspot_defined: false };
    let body = to_json(&group);
    groups.insert(name, group);
    Ok(Answer::json(201, &body))
}

pub(crate) fn update(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, name: &str) -> Result<Answer, ApiError> {
    let input: GroupInput = ctx.json()?;
    let group = state.ty_mut(key).props.groups.get_mut(name).filter(|group| !group.archived);
    let group = group.ok_or_else(|| missing(name))?;
    if let Some(label) = input.label {
        group.label = label;
    }
    group.display_order = input.display_order.unwrap_or(group.display_order);
    Ok(Answer::json(200, &to_json(group)))
}

/// Observed live: a group with active properties is refused, and the reason stands as JSON text inside `message`.
pub(crate) fn archive(state: &mut State, key: TypeKey, name: &str) -> Result<Answer, ApiError> {
    let props = &state.ty(key).props;
    let group = props.groups.get(name).filter(|group| !group.archived).ok_or_else(|| missing(name))?;
    let used = props.iter().any(|(_, property)| property.group == name && !property.is_archived());
    if used || group.hubspot_defined {
        let inner = json!({
            "status": "error",
            "message": format!("The property group '{name}' has active properties and cannot be deleted"),
            "subCategory": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
        });
        return Err(
            ApiError::validation(inner.to_string()).sub("PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES")
        );
    }
    if let Some(group) = state.ty_mut(key).props.groups.get_mut(name) {
        group.archived = true;
    }
    Ok(Answer::no_content())
}
