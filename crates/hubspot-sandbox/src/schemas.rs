//! Custom object schemas.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::associations::labels::plain_for;
use crate::associations::types::{Category, LinkKey, LinkKind};
use crate::context::{Answer, Ctx};
use crate::error::{ApiError, Detail};
use crate::ids::Rng;
use crate::objects::store::Records;
use crate::objects::types::{CustomSchema, ObjectType, TypeKey};
use crate::pipelines::Pipelines;
use crate::properties::api::{PropertyInput, add};
use crate::properties::definition::{Property, PropertyTable};
use crate::state::State;
use crate::time::iso;

/// Observed live: characters of a name, and of a label.
const MAX_NAME: usize = 50;

#[derive(Debug, Deserialize)]
struct Labels {
    singular: Option<String>,
    plural: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    name: String,
    labels: Labels,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    properties: Vec<PropertyInput>,
    #[serde(default)]
    required_properties: Vec<String>,
    #[serde(default)]
    searchable_properties: Vec<String>,
    #[serde(default)]
    primary_display_property: Option<String>,
    #[serde(default)]
    secondary_display_properties: Vec<String>,
    #[serde(default)]
    associated_objects: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateInput {
    #[serde(default)]
    labels: Option<Labels>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    required_properties: Option<Vec<String>>,
    #[serde(default)]
    searchable_properties: Option<Vec<String>>,
    #[serde(default)]
    primary_display_property: Option<String>,
    #[serde(default)]
    secondary_display_properties: Option<Vec<String>>,
}

fn to_json(state: &State, key: TypeKey) -> Value {
    let ty = state.ty(key);
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| {
        json.insert(name.to_owned(), value);
    };
    let schema = ty.custom.as_ref();
    put("id", Value::from(ty.id.as_str()));
    put("objectTypeId", Value::from(ty.id.as_str()));
    put("name", Value::from(ty.name.as_str()));
    put(
        "fullyQualifiedName",
        schema.map_or(&ty.legacy, |schema| &schema.fully_qualified_name).as_str().into(),
    );
    put("labels", json!({"singular": ty.label_singular, "plural": ty.label_plural}));
    put("description", schema.and_then(|schema| schema.description.clone()).into());
    put("requiredProperties", Value::from(ty.required.clone()));
    put("searchableProperties", Value::from(ty.searchable.clone()));
    put("primaryDisplayProperty", ty.primary_display.clone().into());
    put(
        "secondaryDisplayProperties",
        schema.map(|schema| schema.secondary_display.clone()).unwrap_or_default().into(),
    );
    put("allowsSensitiveProperties", Value::from(false));
    put("archived", Value::from(schema.is_some_and(|schema| schema.archived)));
    if let Some(schema) = schema {
        put("createdAt", Value::from(iso(schema.created_at)));
        put("updatedAt", Value::from(iso(schema.updated_at)));
    }
    let properties = ty.props.iter().map(|(_, property)| property).filter(|property| !property.is_archived());
    put("properties", properties.map(Property::to_json).collect());
    let links = state.link_types.iter().filter(|link_type| link_type.key.from == key || link_type.to == key);
    put(
        "associations",
        links
            .map(|link_type| {
                json!({
                    "id": link_type.key.type_id.to_string(),
                    "fromObjectTypeId": state.ty(link_type.key.from).id,
                    "toObjectTypeId": state.ty(link_type.to).id,
                    "name": link_type.name,
                })
            })
            .collect(),
    );
    Value::Object(json)
}

pub(crate) fn list(state: &State, ctx: &Ctx<'_>) -> Answer {
    let archived = ctx.flag("archived");
    let wanted = |key: &TypeKey| {
        state.ty(*key).custom.as_ref().is_some_and(|schema| !schema.purged && schema.archived == archived)
    };
    let results: Vec<Value> = state.type_keys().filter(wanted).map(|key| to_json(state, key)).collect();
    Answer::json(200, &json!({"results": results}))
}

fn find(state: &State, name: &str) -> Result<TypeKey, ApiError> {
    state
        .lookup_type(name)
        .ok_or_else(|| ApiError::not_found(format!("The object type '{name}' does not exist")))
}

pub(crate) fn get(state: &State, name: &str) -> Result<Answer, ApiError> {
    let key = find(state, name)?;
    if !state.ty(key).is_active() {
        return Err(ApiError::not_found(format!("The object type '{name}' does not exist")));
    }
    Ok(Answer::json(200, &to_json(state, key)))
}

/// Refuses a schema write below Enterprise.
fn check_tier(state: &State) -> Result<(), ApiError> {
    if state.config.tier.allows_custom_objects() {
        return Ok(());
    }
    // HubSpot docs: without Enterprise the scope of custom objects cannot be had.
    Err(ApiError::missing_scopes(&["crm.schemas.custom.write".to_owned()]))
}

/// An archived schema of the same name is deleted for good and makes room.
pub(crate) fn create(state: &mut State, ctx: &Ctx<'_>) -> Result<Answer, ApiError> {
    check_tier(state)?;
    let input: CreateInput = ctx.json()?;
    check_name(&input.name)?;
    let (Some(singular), Some(plural)) = (&input.labels.singular, &input.labels.plural) else {
        return Err(ApiError::validation(
            "Some required fields were not set: [labels.singular, labels.plural]",
        ));
    };
    if singular.chars().count() > MAX_NAME || plural.chars().count() > MAX_NAME {
        return Err(ApiError::validation(format!("A label may have at most {MAX_NAME} characters")));
    }
    let Some(primary) = &input.primary_display_property else {
        let message = "A primaryDisplayProperty is required";
        return Err(
            ApiError::validation(message).detail(Detail::coded("PRIMARY_DISPLAY_PROPERTY_REQUIRED", message))
        );
    };
    for key in state.type_keys() {
        let ty = state.ty_mut(key);
        let same_name = ty.name.eq_ignore_ascii_case(&input.name);
        let Some(schema) = ty.custom.as_mut().filter(|schema| same_name && !schema.purged) else { continue };
        if !schema.archived {
            let message = format!("An object type named '{}' already exists", input.name);
            return Err(ApiError::new(409, "OBJECT_ALREADY_EXISTS", message));
        }
        schema.purged = true;
    }
    let associated =
        input.associated_objects.iter().map(|name| state.find_type(name)).collect::<Result<Vec<_>, _>>()?;
    let (singular, plural, primary) = (singular.clone(), plural.clone(), primary.clone());
    // Everything is tried on a copy of the list's end, which is taken off again when a definition is refused.
    let key = push_type(state, ctx, &input, singular, plural, primary);
    if let Err(error) = define(state, ctx, key, input) {
        state.types.pop();
        return Err(error);
    }
    for other in activities(state).into_iter().chain(associated) {
        if state.link_types.plain(key, other).is_none() {
            plain_for(state, key, other);
        }
    }
    plain_for(state, key, key);
    Ok(Answer::json(201, &to_json(state, key)))
}

fn activities(state: &State) -> Vec<TypeKey> {
    state.type_keys().filter(|key| state.ty(*key).is_activity()).collect()
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let first_ok = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    let rest_ok = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !first_ok || !rest_ok || name.len() > MAX_NAME {
        return Err(ApiError::validation(format!(
            "The name '{name}' is invalid: a letter, then letters, digits and underscores, at most {MAX_NAME}"
        )));
    }
    Ok(())
}

fn push_type(
    state: &mut State,
    ctx: &Ctx<'_>,
    input: &CreateInput,
    singular: String,
    plural: String,
    primary: String,
) -> TypeKey {
    let number = state.next_custom_type;
    state.next_custom_type += 1 + state.rng.below(50);
    let group = format!("{}_information", input.name.to_lowercase());
    let props = PropertyTable::standard("", &group, &singular, "hs_createdate", "hs_lastmodifieddate");
    let rng: &mut Rng = &mut state.rng;
    let ty = ObjectType {
        id: format!("2-{number}"),
        name: input.name.clone(),
        plural: input.name.clone(),
        legacy: input.name.clone(),
        label_singular: singular,
        label_plural: plural,
        created_prop: "hs_createdate".to_owned(),
        modified_prop: "hs_lastmodifieddate".to_owned(),
        defaults: Vec::new(),
        required: Vec::new(),
        required_any: Vec::new(),
        searchable: Vec::new(),
        primary_display: Some(primary),
        scope: "custom".to_owned(),
        umbrella_scope: None,
        custom: Some(CustomSchema {
            fully_qualified_name: format!("p{}_{}", state.config.portal_id, input.name),
            description: input.description.clone(),
            secondary_display: input.secondary_display_properties.clone(),
            created_at: ctx.now,
            updated_at: ctx.now,
            archived: false,
            purged: false,
        }),
        admin_rules: Vec::new(),
        props,
        records: Records::new(rng),
        pipelines: Pipelines::default(),
        blocked_emails: std::collections::BTreeSet::new(),
    };
    state.types.push(ty);
    TypeKey(u32::try_from(state.types.len() - 1).unwrap_or(u32::MAX))
}

/// Adds the properties of a new schema and checks the names that refer to them.
fn define(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, input: CreateInput) -> Result<(), ApiError> {
    for mut property in input.properties {
        if property.group_name.is_none() {
            property.group_name = state.ty(key).props.groups.keys().next().cloned();
        }
        add(state, ctx, key, property)?;
    }
    let ty = state.ty(key);
    let displays = ty.primary_display.iter().chain(&input.secondary_display_properties);
    check_known(ty, displays.chain(&input.required_properties).chain(&input.searchable_properties))?;
    if input.secondary_display_properties.len() > 2 {
        return Err(ApiError::validation("At most 2 secondaryDisplayProperties are allowed"));
    }
    let ty = state.ty_mut(key);
    ty.required = input.required_properties;
    ty.searchable = input.searchable_properties;
    Ok(())
}

fn check_known<'n>(ty: &ObjectType, names: impl IntoIterator<Item = &'n String>) -> Result<(), ApiError> {
    for name in names {
        if ty.props.find_active(name).is_none() {
            return Err(ApiError::validation(format!("The property '{name}' does not exist on {}", ty.name)));
        }
    }
    Ok(())
}

/// Partial; the name cannot be changed and is ignored.
pub(crate) fn update(state: &mut State, ctx: &Ctx<'_>, name: &str) -> Result<Answer, ApiError> {
    check_tier(state)?;
    let input: UpdateInput = ctx.json()?;
    let key = find(state, name)?;
    let ty = state.ty(key);
    if ty.custom.is_none() || !ty.is_active() {
        return Err(ApiError::validation(format!("The object type '{name}' cannot be changed")));
    }
    let lists =
        [&input.required_properties, &input.searchable_properties, &input.secondary_display_properties];
    check_known(ty, lists.into_iter().flatten().flatten().chain(&input.primary_display_property))?;
    if input.secondary_display_properties.as_ref().is_some_and(|list| list.len() > 2) {
        return Err(ApiError::validation("At most 2 secondaryDisplayProperties are allowed"));
    }
    let ty = state.ty_mut(key);
    if let Some(labels) = input.labels {
        ty.label_singular = labels.singular.unwrap_or_else(|| ty.label_singular.clone());
        ty.label_plural = labels.plural.unwrap_or_else(|| ty.label_plural.clone());
    }
    ty.required = input.required_properties.unwrap_or_else(|| std::mem::take(&mut ty.required));
    ty.searchable = input.searchable_properties.unwrap_or_else(|| std::mem::take(&mut ty.searchable));
    ty.primary_display = input.primary_display_property.or_else(|| ty.primary_display.take());
    if let Some(schema) = &mut ty.custom {
        schema.description = input.description.or_else(|| schema.description.take());
        if let Some(list) = input.secondary_display_properties {
            schema.secondary_display = list;
        }
        schema.updated_at = ctx.now;
    }
    Ok(Answer::json(200, &to_json(state, key)))
}

/// Observed live: only active records stand in the way. With `archived=true` an archived schema goes for good.
pub(crate) fn delete(state: &mut State, ctx: &Ctx<'_>, name: &str) -> Result<Answer, ApiError> {
    check_tier(state)?;
    let key = find(state, name)?;
    let ty = state.ty_mut(key);
    let has_records = !ty.records.is_empty_of_live();
    let Some(schema) = &mut ty.custom else {
        return Err(ApiError::validation(format!("The object type '{name}' cannot be deleted")));
    };
    if ctx.flag("archived") {
        if !schema.archived {
            return Err(ApiError::not_found(format!("No archived object type '{name}' exists")));
        }
        schema.purged = true;
        return Ok(Answer::no_content());
    }
    if schema.archived {
        return Err(ApiError::not_found(format!("The object type '{name}' does not exist")));
    }
    if has_records {
        return Err(ApiError::validation(format!(
            "The object type '{name}' has records and cannot be deleted"
        ))
        .sub("EXISTING_OBJECT_RECORDS"));
    }
    schema.archived = true;
    schema.updated_at = ctx.now;
    Ok(Answer::no_content())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkInput {
    from_object_type_id: String,
    to_object_type_id: String,
    #[serde(default)]
    name: Option<String>,
}

pub(crate) fn link(state: &mut State, ctx: &Ctx<'_>, name: &str) -> Result<Answer, ApiError> {
    check_tier(state)?;
    let input: LinkInput = ctx.json()?;
    find(state, name)?;
    let from = state.find_type(&input.from_object_type_id)?;
    let to = state.find_type(&input.to_object_type_id)?;
    let ids = if state.link_types.plain(from, to).is_none() {
        plain_for(state, from, to)
    } else {
        let name =
            input.name.clone().unwrap_or_else(|| format!("{}_to_{}", state.ty(from).name, state.ty(to).name));
        let names = (name.clone(), format!("{name}_inverse"));
        let labels = (Some(name.clone()), Some(name));
        state.link_types.define(from, to, Category::User, LinkKind::Label, names, labels)
    };
    let body = json!({
        "id": ids.0.to_string(),
        "fromObjectTypeId": state.ty(from).id,
        "toObjectTypeId": state.ty(to).id,
        "name": input.name,
        "createdAt": iso(ctx.now),
        "updatedAt": iso(ctx.now),
    });
    Ok(Answer::json(201, &body))
}

pub(crate) fn unlink(state: &mut State, name: &str, id: &str) -> Result<Answer, ApiError> {
    check_tier(state)?;
    let key = find(state, name)?;
    let type_id: u32 = id.parse().map_err(|_| ApiError::not_found("resource not found"))?;
    let link = LinkKey { from: key, category: Category::User, type_id };
    let removed = state.link_types.remove(link).ok_or_else(|| ApiError::not_found("resource not found"))?;
    state.links.drop_everywhere(&[link, removed.inverse_key()]);
    Ok(Answer::no_content())
}
