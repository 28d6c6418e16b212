//! `init`: what a mapping needs in the portal, first as a list of steps, then done.
//!
//! Nothing that exists is changed, with one exception: options that are missing from a list are added to it.
//! Planning again after applying gives no steps.

use std::fmt;

use hubspot_client::{
    Client, Error, ErrorKind, NewGroup, NewLabel, NewProperty, NewSchema, PropertyDefinition, PropertyOption,
    SchemaLabels,
};
use serde::Serialize;
use sync_types::{
    DestinationError, DestinationErrorKind, EdgeKind, LabelSpec, Lane, ObjectSpec, ObjectType, OptionSpec,
    PropertyKind, PropertySpec, Requirements, SchemaSpec,
};

use crate::destination::{HubSpotDestination, is_standard};
use crate::failure::destination_error;
use crate::schema::{kind, types_of};

/// One thing to make in the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Define a custom object.
    Object {
        /// Its name.
        object: ObjectType,
        /// How.
        schema: SchemaSpec,
        /// The property shown as a record's title, which must exist from the start.
        display: PropertySpec,
    },
    /// Make a property.
    Property {
        /// Of this object type.
        object: ObjectType,
        /// How.
        property: PropertySpec,
    },
    /// Add options to a list.
    Options {
        /// Of this object type.
        object: ObjectType,
        /// Of this property.
        property: String,
        /// The options that are missing.
        options: Vec<OptionSpec>,
    },
    /// Make an association label.
    Label(LabelSpec),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Object { object, schema, .. } => {
                write!(f, "define custom object {object} ({})", schema.plural)
            }
            Step::Property { object, property } => {
                let unique = if property.unique { ", unique" } else { "" };
                write!(f, "make property {object}.{} ({}{unique})", property.name, kind_name(property.kind))
            }
            Step::Options { object, property, options } => {
                let values: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
                write!(f, "add to {object}.{property} the options {}", values.join(", "))
            }
            Step::Label(label) => {
                write!(f, "make association {} from {} to {}", edge_name(&label.kind), label.from, label.to)
            }
        }
    }
}

fn kind_name(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Number => "number",
        PropertyKind::Bool => "yes or no",
        PropertyKind::Date => "date",
        PropertyKind::DateTime => "date and time",
        PropertyKind::Option => "one of a list",
        PropertyKind::Options => "several of a list",
        _ => "text",
    }
}

fn edge_name(kind: &EdgeKind) -> String {
    match kind {
        EdgeKind::Plain => "without a label".into(),
        EdgeKind::Primary => "primary".into(),
        EdgeKind::Label(label) => format!("`{label}`"),
    }
}

/// Finds out what is missing. Reads only.
///
/// # Errors
/// When the portal cannot be read, or when something that exists contradicts the mapping: a property of another
/// type, a sync key that is not unique, a primary association that HubSpot does not offer.
pub async fn plan(client: &Client, requirements: &Requirements) -> Result<Vec<Step>, DestinationError> {
    let mut steps = Vec::new();
    let customs = if requirements.objects.iter().any(|spec| !is_standard(spec.object.as_str())) {
        client.schemas().list().await.map_err(destination_error)?
    } else {
        Vec::new()
    };
    let exists = |object: &ObjectType| {
        is_standard(object.as_str())
            || customs.iter().any(|schema| {
                schema.name == object.as_str() || schema.fully_qualified_name == object.as_str()
            })
    };
    let destination = HubSpotDestination::new(client.clone());
    for spec in &requirements.objects {
        if exists(&spec.object) {
            let objects = destination.resolve(&spec.object).await?;
            let definitions = client.properties(&objects).list().await.map_err(destination_error)?;
            plan_properties(spec, &definitions, &mut steps)?;
        } else {
            plan_object(spec, &mut steps)?;
        }
    }
    for label in &requirements.labels {
        let is_there = if exists(&label.from) && exists(&label.to) {
            destination.types(&label.from, &label.to, Lane::Live).await?.get(&label.kind).is_some()
        } else {
            false
        };
        match (&label.kind, is_there) {
            (_, true) => {}
            // Between a custom object and another type the plain association comes with the definition.
            (EdgeKind::Plain, false) if !exists(&label.from) || !exists(&label.to) => {}
            (EdgeKind::Label(_) | EdgeKind::Plain, false) => steps.push(Step::Label(label.clone())),
            (EdgeKind::Primary, false) => {
                return Err(contradiction(format!(
                    "HubSpot has no primary association from {} to {}: use a label in the mapping",
                    label.from, label.to
                )));
            }
        }
    }
    Ok(steps)
}

fn plan_object(spec: &ObjectSpec, steps: &mut Vec<Step>) -> Result<(), DestinationError> {
    let Some(schema) = &spec.schema else {
        return Err(contradiction(format!(
            "the portal has no object type `{}`: define it in the mapping under [[objects]], or correct the name",
            spec.object
        )));
    };
    let display = spec.properties.iter().find(|property| property.name == schema.primary_display);
    let Some(display) = display else {
        return Err(contradiction(format!(
            "`{}`, the title of {}, is mapped by no field: map it",
            schema.primary_display, spec.object
        )));
    };
    steps.push(Step::Object {
        object: spec.object.clone(),
        schema: schema.clone(),
        display: display.clone(),
    });
    for property in spec.properties.iter().filter(|property| property.name != schema.primary_display) {
        steps.push(Step::Property { object: spec.object.clone(), property: property.clone() });
    }
    Ok(())
}

fn plan_properties(
    spec: &ObjectSpec,
    definitions: &[PropertyDefinition],
    steps: &mut Vec<Step>,
) -> Result<(), DestinationError> {
    for property in &spec.properties {
        let place = format!("{}.{}", spec.object, property.name);
        let Some(found) = definitions.iter().find(|definition| definition.name == property.name) else {
            if property.create.is_none() {
                return Err(contradiction(format!(
                    "HubSpot has no property {place}: correct the name, or say in the mapping how to create it"
                )));
            }
            steps.push(Step::Property { object: spec.object.clone(), property: property.clone() });
            continue;
        };
        if property.unique && !found.has_unique_value {
            return Err(contradiction(format!(
                "{place} exists but is not unique, and that cannot be changed: choose another sync key"
            )));
        }
        if found.is_read_only() {
            return Err(contradiction(format!(
                "{place} is read-only in HubSpot: take it out of the mapping"
            )));
        }
        let theirs = kind(found);
        if !agrees(property.kind, theirs) {
            return Err(contradiction(format!(
                "{place} holds {} in HubSpot, not {}: correct `kind` in the mapping or choose another property",
                kind_name(theirs),
                kind_name(property.kind)
            )));
        }
        if found.external_options {
            continue;
        }
        let missing: Vec<OptionSpec> = property
            .options
            .iter()
            .filter(|option| !found.options.iter().any(|known| known.value == option.value))
            .cloned()
            .collect();
        if !missing.is_empty() {
            steps.push(Step::Options {
                object: spec.object.clone(),
                property: property.name.clone(),
                options: missing,
            });
        }
    }
    Ok(())
}

/// Text is also written to properties of HubSpot's own that the kit has no closer word for.
fn agrees(ours: PropertyKind, theirs: PropertyKind) -> bool {
    ours == theirs
        || ours == PropertyKind::Json
        || (ours == PropertyKind::Text && theirs == PropertyKind::Option)
}

fn contradiction(message: String) -> DestinationError {
    DestinationError::new(DestinationErrorKind::NotProvisioned, message)
}

/// Makes what is missing, in order. May be repeated: what an interrupted `apply` has made, a new plan leaves out.
///
/// # Errors
/// At the first step that HubSpot refuses; earlier steps stay done.
pub async fn apply(client: &Client, steps: &[Step]) -> Result<(), DestinationError> {
    for step in steps {
        let destination = HubSpotDestination::new(client.clone());
        match step {
            Step::Object { object, schema, display } => define(client, object, schema, display).await?,
            Step::Property { object, property } => {
                let objects = destination.resolve(object).await?;
                make_property(client, object, &objects, property).await?;
            }
            Step::Options { object, property, options } => {
                let properties = client.properties(&destination.resolve(object).await?);
                let found = properties.find(property).await.map_err(destination_error)?;
                let mut all = found.map(|found| found.options).unwrap_or_default();
                // HubSpot replaces the whole list: what is there must be said again.
                all.extend(options.iter().map(option));
                properties.replace_options(property, &all).await.map_err(destination_error)?;
            }
            Step::Label(label) => {
                let from = destination.resolve(&label.from).await?;
                let to = destination.resolve(&label.to).await?;
                let text = match &label.kind {
                    EdgeKind::Label(text) => text.clone(),
                    EdgeKind::Plain | EdgeKind::Primary => String::new(),
                };
                let new = NewLabel {
                    name: label_name(label, &text),
                    label: text,
                    inverse_label: label.inverse.clone(),
                };
                client.associations(&from, &to).create_label(&new).await.map_err(destination_error)?;
            }
        }
    }
    Ok(())
}

async fn define(
    client: &Client,
    object: &ObjectType,
    schema: &SchemaSpec,
    display: &PropertySpec,
) -> Result<(), DestinationError> {
    let group = format!("{object}_information");
    let new = NewSchema {
        name: object.to_string(),
        labels: SchemaLabels { singular: schema.singular.clone(), plural: schema.plural.clone() },
        primary_display_property: schema.primary_display.clone(),
        required_properties: Vec::new(),
        searchable_properties: vec![schema.primary_display.clone()],
        secondary_display_properties: Vec::new(),
        properties: vec![new_property(display, &group)],
        associated_objects: schema.associated.iter().map(ToString::to_string).collect(),
    };
    match client.schemas().create(&new).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(destination_error(error)),
    }
}

async fn make_property(
    client: &Client,
    object: &ObjectType,
    objects: &hubspot_client::ObjectType,
    property: &PropertySpec,
) -> Result<(), DestinationError> {
    let properties = client.properties(objects);
    let group = match property.create.as_ref().and_then(|create| create.group.clone()) {
        Some(group) => {
            let new = NewGroup { name: group.clone(), label: words(&group) };
            match properties.create_group(&new).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(destination_error(error)),
            }
            group
        }
        None => information_group(object),
    };
    match properties.create(&new_property(property, &group)).await {
        Ok(_) => Ok(()),
        Err(error) if already(&error) => Ok(()),
        Err(error) => Err(destination_error(error)),
    }
}

fn already(error: &Error) -> bool {
    error.kind() == ErrorKind::AlreadyExists
}

fn new_property(property: &PropertySpec, group: &str) -> NewProperty {
    let (value_type, field_type) = types_of(property.kind);
    let options = if property.kind == PropertyKind::Bool {
        // HubSpot demands exactly these two (observed live).
        [("true", "Yes"), ("false", "No")]
            .into_iter()
            .enumerate()
            .map(|(place, (value, label))| made_option(value, label, place))
            .collect()
    } else {
        property.options.iter().enumerate().map(|(place, o)| made_option(&o.value, &o.label, place)).collect()
    };
    let create = property.create.as_ref();
    NewProperty {
        name: property.name.clone(),
        label: create.map_or_else(|| words(&property.name), |create| create.label.clone()),
        value_type: value_type.into(),
        field_type: field_type.into(),
        group_name: group.to_owned(),
        description: create.map_or_else(String::new, |create| create.description.clone()),
        options,
        has_unique_value: property.unique,
        hidden: false,
    }
}

fn made_option(value: &str, label: &str, place: usize) -> PropertyOption {
    let display_order = i32::try_from(place).unwrap_or(-1);
    PropertyOption { label: label.to_owned(), value: value.to_owned(), display_order, hidden: false }
}

fn option(spec: &OptionSpec) -> PropertyOption {
    PropertyOption { label: spec.label.clone(), value: spec.value.clone(), display_order: -1, hidden: false }
}

/// The group that a type's own properties stand in: `contactinformation` for HubSpot's types, `{name}_information`
/// for custom objects (observed live for the latter).
fn information_group(object: &ObjectType) -> String {
    let name = object.as_str().to_ascii_lowercase();
    let singular = match name.as_str() {
        "companies" | "company" | "0-2" => "company",
        "contacts" | "contact" | "0-1" => "contact",
        "deals" | "deal" | "0-3" => "deal",
        "tickets" | "ticket" | "0-5" => "ticket",
        "products" | "product" | "0-7" => "product",
        "line_items" | "line_item" | "0-8" => "lineitem",
        _ => return format!("{name}_information"),
    };
    format!("{singular}information")
}

/// `order_status` as `Order status`.
fn words(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A label's internal name: letters, digits and underscores, a letter first, unique in the portal.
fn label_name(label: &LabelSpec, text: &str) -> String {
    let joined = format!("{}_to_{}_{}", label.from, label.to, text);
    let mut name: String = joined
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 't');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_hubspot_takes() {
        let label = LabelSpec {
            from: "contacts".into(),
            to: "0-2".into(),
            kind: EdgeKind::Label("Billing contact".into()),
            inverse: None,
        };
        assert_eq!(label_name(&label, "Billing contact"), "contacts_to_0_2_billing_contact");
        assert_eq!(words("order_status"), "Order status");
        assert_eq!(information_group(&"contacts".into()), "contactinformation");
        assert_eq!(information_group(&"line_items".into()), "lineiteminformation");
        assert_eq!(information_group(&"machines".into()), "machines_information");
    }
}
