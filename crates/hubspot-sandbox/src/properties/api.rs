//! The property endpoints.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::context::{Answer, Ctx, Inputs, check_size};
use crate::error::{ApiError, Detail};
use crate::objects::batch::BatchBody;
use crate::objects::types::{ObjectType, TypeKey};
use crate::properties::definition::{Property, PropertyOption, PropertyType, Role, Semantics};
use crate::state::State;
use crate::time::iso;

/// HubSpot docs: unique-value properties of one type.
const MAX_UNIQUE: usize = 10;
/// Observed live: custom properties of one type.
pub(crate) const MAX_CUSTOM: usize = 1_000;

/// A definition as sent; what is not listed is kept in `extra` and shown again.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PropertyInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    field_type: Option<String>,
    #[serde(default)]
    pub(crate) group_name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    options: Option<Vec<PropertyOption>>,
    #[serde(default)]
    has_unique_value: Option<bool>,
    #[serde(default)]
    hidden: Option<bool>,
    #[serde(default)]
    form_field: Option<bool>,
    #[serde(default)]
    calculation_formula: Option<String>,
    #[serde(default)]
    data_sensitivity: Option<String>,
    #[serde(default)]
    external_options: Option<bool>,
    #[serde(default)]
    referenced_object_type: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// Optional fields that the portal keeps and shows without acting on them.
const KEPT_EXTRAS: &[&str] = &[
    "currencyPropertyName",
    "showCurrencySymbol",
    "numberDisplayHint",
    "textDisplayHint",
    "dateDisplayHint",
    "optionSortStrategy",
    "searchableInGlobalSearch",
];

fn missing_property(name: &str) -> ApiError {
    ApiError::not_found(format!("The property named '{name}' does not exist."))
}

/// The sensitivity class that a request is about. A property of another class is not there for it.
fn wanted_class<'c>(ctx: &'c Ctx<'_>) -> &'c str {
    ctx.query("dataSensitivity").unwrap_or("non_sensitive")
}

pub(crate) fn list(state: &State, ctx: &Ctx<'_>, key: TypeKey) -> Answer {
    let archived = ctx.flag("archived");
    let class = wanted_class(ctx);
    let names = ctx.list("properties");
    let results: Vec<Value> = state
        .ty(key)
        .props
        .iter()
        .map(|(_, property)| property)
        .filter(|property| property.is_archived() == archived && property.data_sensitivity == class)
        .filter(|property| names.is_empty() || names.contains(&property.name.as_str()))
        .map(Property::to_json)
        .collect();
    Answer::json(200, &json!({"results": results}))
}

pub(crate) fn get(state: &State, ctx: &Ctx<'_>, key: TypeKey, name: &str) -> Result<Answer, ApiError> {
    let archived = ctx.flag("archived");
    find(state.ty(key), name)
        .filter(|property| {
            property.is_archived() == archived && property.data_sensitivity == wanted_class(ctx)
        })
        .map(|property| Answer::json(200, &property.to_json()))
        .ok_or_else(|| missing_property(name))
}

fn find<'t>(ty: &'t ObjectType, name: &str) -> Option<&'t Property> {
    let found = ty.props.find(name).or_else(|| ty.props.find(&name.to_lowercase()));
    found.map(|(_, property)| property)
}

pub(crate) fn create(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let made = add(state, ctx, key, ctx.json()?)?;
    let location = format!("https://api.hubapi.com{}/{}", ctx.path, made.name);
    Ok(Answer::json(201, &made.to_json()).at(location))
}

/// Adds a definition. An archived one of that name comes back, with its values, under the new definition.
pub(crate) fn add(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    input: PropertyInput,
) -> Result<Property, ApiError> {
    let mut made = build(state.ty(key), ctx, input)?;
    if made.calculated
        && let Some(formula) = made.extra.get("calculationFormula").and_then(Value::as_str)
    {
        check_formula(state.ty(key), formula)?;
    }
    let ty = state.ty_mut(key);
    if let Some((prop, old)) = ty.props.find(&made.name) {
        if !old.is_archived() {
            return Err(ApiError::new(
                409,
                "OBJECT_ALREADY_EXISTS",
                format!("A property named '{}' already exists.", made.name),
            )
            .sub("Properties.PROPERTY_WITH_NAME_EXISTS"));
        }
        made.created_at = old.created_at;
        ty.records.release_all(prop);
        ty.props.insert(made.clone());
        if made.unique {
            let holders: Vec<(u64, String)> = ty
                .records
                .iter()
                .filter(|record| record.is_live())
                .filter_map(|record| Some((record.id, record.value(prop)?.to_owned())))
                .collect();
            for (id, value) in holders {
                ty.records.claim(prop, &value, id);
            }
        }
    } else {
        check_counts(ty, &made)?;
        ty.props.insert(made.clone());
    }
    Ok(made)
}

fn check_counts(ty: &ObjectType, made: &Property) -> Result<(), ApiError> {
    let own = || ty.props.iter().filter(|(_, property)| !property.hubspot_defined && !property.is_archived());
    if own().count() >= MAX_CUSTOM {
        return Err(ApiError::validation(format!(
            "The limit of {MAX_CUSTOM} custom properties has been reached"
        ))
        .sub("Properties.PROPERTY_LIMIT_EXCEEDED"));
    }
    if made.unique && own().filter(|(_, property)| property.unique).count() >= MAX_UNIQUE {
        return Err(ApiError::validation(format!(
            "The limit of {MAX_UNIQUE} properties with unique values has been reached"
        ))
        .sub("Properties.UNIQUE_PROPERTY_LIMIT_EXCEEDED"));
    }
    Ok(())
}

fn build(ty: &ObjectType, ctx: &Ctx<'_>, input: PropertyInput) -> Result<Property, ApiError> {
    let required = |value: Option<String>, name: &str| {
        value
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::validation(format!("Some required fields were not set: [{name}]")))
    };
    let name = required(input.name, "name")?.to_lowercase();
    check_name(&name)?;
    let label = required(input.label, "label")?;
    let kind_name = required(input.kind, "type")?;
    let field_type = required(input.field_type, "fieldType")?;
    let group = required(input.group_name, "groupName")?;
    let kind = PropertyType::parse(&kind_name)
        .ok_or_else(|| ApiError::validation(format!("Invalid property type: {kind_name}")))?;
    if !kind.allows_field(&field_type) {
        return Err(ApiError::validation(format!(
            "The fieldType {field_type} does not go with the type {kind_name}"
        )));
    }
    if ty.props.groups.get(&group).is_none_or(|group| group.archived) {
        return Err(ApiError::validation(format!("The property group named '{group}' does not exist.")));
    }
    let options = input.options.unwrap_or_default();
    check_options(kind, &options)?;
    let owner = input.referenced_object_type.as_deref() == Some("OWNER");
    if kind == PropertyType::Enumeration && options.is_empty() && !input.external_options.unwrap_or(false) {
        return Err(ApiError::validation(format!("Enumeration property '{name}' must have options")));
    }
    let mut extra: Map<String, Value> =
        input.extra.into_iter().filter(|(key, _)| KEPT_EXTRAS.contains(&key.as_str())).collect();
    check_currency(&extra)?;
    if input.external_options == Some(true) {
        extra.insert("externalOptions".to_owned(), Value::from(true));
    }
    if let Some(referenced) = input.referenced_object_type {
        extra.insert("referencedObjectType".to_owned(), Value::from(referenced));
    }
    let formula = input.calculation_formula.filter(|formula| !formula.is_empty());
    let calculated = formula.is_some() || field_type == "calculation_equation";
    if let Some(formula) = formula {
        extra.insert("calculationFormula".to_owned(), Value::from(formula));
    }
    Ok(Property {
        name,
        label,
        kind,
        field_type,
        group,
        description: input.description.unwrap_or_default(),
        display_order: input.display_order.unwrap_or(-1),
        options,
        unique: input.has_unique_value.unwrap_or(false),
        hidden: input.hidden.unwrap_or(false),
        form_field: input.form_field.unwrap_or(false),
        calculated,
        hubspot_defined: false,
        read_only_value: calculated,
        data_sensitivity: input.data_sensitivity.unwrap_or_else(|| "non_sensitive".to_owned()),
        extra,
        role: Role::Stored,
        semantics: if owner { Semantics::Owner } else { Semantics::None },
        created_at: ctx.now,
        updated_at: ctx.now,
        archived_at: None,
    })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let first_ok = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    if !first_ok || name.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '_')) {
        return Err(ApiError::validation(format!(
            "Property name '{name}' is invalid: it must begin with a letter and hold only letters, digits and underscores"
        )));
    }
    if name.starts_with("hs_") {
        return Err(ApiError::validation(format!("Property name '{name}' is reserved: it begins with hs_")));
    }
    Ok(())
}

fn check_options(kind: PropertyType, options: &[PropertyOption]) -> Result<(), ApiError> {
    if kind == PropertyType::Bool {
        let mut values: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
        values.sort_unstable();
        if values != ["false", "true"] {
            let message = "Boolean properties must have exactly the options true and false";
            return Err(
                ApiError::validation(message).detail(Detail::coded("INVALID_BOOLEAN_OPTION", message))
            );
        }
    }
    for (at, option) in options.iter().enumerate() {
        if options.iter().take(at).any(|other| other.value == option.value) {
            return Err(ApiError::validation(format!("Two options have the value '{}'", option.value)));
        }
    }
    Ok(())
}

/// Observed live: a currency property must also show its symbol.
fn check_currency(extra: &Map<String, Value>) -> Result<(), ApiError> {
    let shows = extra.get("showCurrencySymbol") == Some(&Value::Bool(true));
    if extra.get("currencyPropertyName").is_some_and(|name| !name.is_null()) && !shows {
        let message = "Only currency properties can specify a currency property";
        return Err(ApiError::validation(message)
            .detail(Detail::coded("ONLY_CURRENCY_PROPERTIES_CAN_SPECIFY_CURRENCY", message)));
    }
    Ok(())
}

/// Observed live: a formula that names an unknown property is 404. Formulas are stored, not evaluated.
fn check_formula(ty: &ObjectType, formula: &str) -> Result<(), ApiError> {
    const WORDS: &[&str] =
        &["if", "then", "else", "elseif", "endif", "and", "or", "not", "equals", "true", "false"];
    let mut rest = formula;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || matches!(c, '"' | '\'')) {
        let tail = rest.get(start..).unwrap_or_default();
        let quote = tail.chars().next().filter(|first| matches!(first, '"' | '\''));
        if let Some(quote) = quote {
            let body = tail.get(1..).unwrap_or_default();
            rest = body.find(quote).and_then(|end| body.get(end + 1..)).unwrap_or_default();
            continue;
        }
        let end = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
        let word = tail.get(..end).unwrap_or_default().to_lowercase();
        rest = tail.get(end..).unwrap_or_default();
        let is_function = rest.trim_start().starts_with('(');
        if !is_function && !WORDS.contains(&word.as_str()) && ty.props.find_active(&word).is_none() {
            return Err(missing_property(&word));
        }
    }
    Ok(())
}

/// Observed live: name, uniqueness, sensitivity and referenced type are ignored; options are replaced as a whole.
pub(crate) fn update(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, name: &str) -> Result<Answer, ApiError> {
    let input: PropertyInput = ctx.json()?;
    let ty = state.ty(key);
    let old = find(ty, name).filter(|old| !old.is_archived()).ok_or_else(|| missing_property(name))?;
    if old.hubspot_defined && (input.kind.is_some() || input.field_type.is_some()) && old.options.is_empty() {
        return Err(ApiError::validation(format!("The definition of '{name}' is read only")));
    }
    let mut new = old.clone();
    if let Some(kind) = &input.kind {
        new.kind = PropertyType::parse(kind)
            .ok_or_else(|| ApiError::validation(format!("Invalid property type: {kind}")))?;
    }
    if let Some(field_type) = input.field_type {
        new.field_type = field_type;
    }
    if !new.kind.allows_field(&new.field_type) {
        return Err(ApiError::validation(format!(
            "The fieldType {} does not go with the type {}",
            new.field_type,
            new.kind.name()
        )));
    }
    if let Some(group) = input.group_name {
        if ty.props.groups.get(&group).is_none_or(|group| group.archived) {
            return Err(ApiError::validation(format!("The property group named '{group}' does not exist.")));
        }
        new.group = group;
    }
    if let Some(options) = input.options {
        check_options(new.kind, &options)?;
        new.options = options;
    }
    new.label = input.label.unwrap_or(new.label);
    new.description = input.description.unwrap_or(new.description);
    new.display_order = input.display_order.unwrap_or(new.display_order);
    new.hidden = input.hidden.unwrap_or(new.hidden);
    new.form_field = input.form_field.unwrap_or(new.form_field);
    new.extra.extend(input.extra.into_iter().filter(|(key, _)| KEPT_EXTRAS.contains(&key.as_str())));
    check_currency(&new.extra)?;
    if let Some(formula) = input.calculation_formula {
        check_formula(ty, &formula)?;
        new.extra.insert("calculationFormula".to_owned(), Value::from(formula));
    }
    new.updated_at = ctx.now;
    let body = new.to_json();
    state.ty_mut(key).props.insert(new);
    Ok(Answer::json(200, &body))
}

pub(crate) fn archive(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    name: &str,
) -> Result<Answer, ApiError> {
    let ty = state.ty(key);
    let property = find(ty, name).filter(|old| !old.is_archived()).ok_or_else(|| missing_property(name))?;
    let name = property.name.clone();
    if property.hubspot_defined {
        return Err(ApiError::validation(format!(
            "The HubSpot-defined property '{name}' cannot be archived"
        )));
    }
    if let Some(user) = formula_user(ty, &name) {
        let message = format!("The property '{name}' cannot be deleted because it is in use");
        return Err(ApiError::validation(message.clone())
            .sub("PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE")
            .detail(
                Detail { message, code: None, context: Map::new() }
                    .with("parentType", vec!["CALCULATED_PROPERTY".to_owned()])
                    .with("parentName", vec![user]),
            ));
    }
    retire(state, ctx, key, &name);
    Ok(Answer::no_content())
}

fn formula_user(ty: &ObjectType, name: &str) -> Option<String> {
    let names_it = |property: &Property| {
        let formula = property.extra.get("calculationFormula").and_then(Value::as_str).unwrap_or_default();
        formula.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == name)
    };
    ty.props
        .iter()
        .find(|(_, other)| !other.is_archived() && names_it(other))
        .map(|(_, other)| other.name.clone())
}

fn retire(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, name: &str) {
    let ty = state.ty_mut(key);
    if let Some((prop, _)) = ty.props.find(name) {
        ty.records.release_all(prop);
    }
    if let Some(property) = ty.props.find_mut(name) {
        property.archived_at = Some(ctx.now);
    }
}

/// Every input stands for itself: what exists is reported, the rest is made.
pub(crate) fn batch_create(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<PropertyInput>>()?;
    check_size(inputs.len(), 100)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match add(state, ctx, key, input) {
            Ok(made) => results.push(made.to_json()),
            Err(error) => errors.push(error.entry()),
        }
    }
    let status = if errors.is_empty() { 201 } else { 207 };
    Ok(Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchReadInput {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    data_sensitivity: Option<String>,
    inputs: Vec<NameRef>,
}

#[derive(Debug, Deserialize)]
struct NameRef {
    name: String,
}

pub(crate) fn batch_read(state: &State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: BatchReadInput = ctx.json()?;
    check_size(input.inputs.len(), 100)?;
    let class = input.data_sensitivity.as_deref().unwrap_or("non_sensitive");
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for NameRef { name } in &input.inputs {
        let found = find(state.ty(key), name).filter(|property| {
            property.is_archived() == input.archived && property.data_sensitivity == class
        });
        match found {
            Some(property) => results.push(property.to_json()),
            None => errors.push(missing_property(name).entry()),
        }
    }
    let status = if errors.is_empty() { 200 } else { 207 };
    Ok(Answer::json(status, &BatchBody { results, errors, at: iso(ctx.now) }))
}

/// 204 whatever the state.
pub(crate) fn batch_archive(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<NameRef>>()?;
    check_size(inputs.len(), 100)?;
    for NameRef { name } in &inputs {
        let own = find(state.ty(key), name).is_some_and(|old| !old.hubspot_defined && !old.is_archived());
        if own && formula_user(state.ty(key), name).is_none() {
            retire(state, ctx, key, name);
        }
    }
    Ok(Answer::no_content())
}
