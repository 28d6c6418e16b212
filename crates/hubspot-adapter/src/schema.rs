//! HubSpot's property definitions in the kit's words.

use hubspot_client::PropertyDefinition;
use sync_types::{ObjectType, Property, PropertyKind, Schema};

/// HubSpot docs: a text property holds up to 65,536 characters.
const TEXT_CHARS_MAX: usize = 65_536;

/// An object type's schema.
pub(crate) fn schema(object: &ObjectType, definitions: &[PropertyDefinition]) -> Schema {
    Schema { name: object.to_string(), properties: definitions.iter().map(property).collect() }
}

fn property(definition: &PropertyDefinition) -> Property {
    let kind = kind(definition);
    Property {
        unique: definition.has_unique_value,
        read_only: definition.is_read_only(),
        // Options that come from elsewhere, such as owners, are not listed here: nothing can be said of them.
        options: if definition.external_options {
            Vec::new()
        } else {
            definition.options.iter().map(|option| option.value.clone()).collect()
        },
        length_max: (kind == PropertyKind::Text).then_some(TEXT_CHARS_MAX),
        ..Property::new(definition.name.as_str(), kind)
    }
}

/// What a definition's values are (HubSpot docs: properties, types).
pub(crate) fn kind(definition: &PropertyDefinition) -> PropertyKind {
    match (definition.value_type.as_str(), definition.field_type.as_str()) {
        ("string" | "phone_number", _) => PropertyKind::Text,
        ("number", _) => PropertyKind::Number,
        ("bool", _) => PropertyKind::Bool,
        ("date", _) => PropertyKind::Date,
        ("datetime", _) => PropertyKind::DateTime,
        ("enumeration", "checkbox") => PropertyKind::Options,
        ("enumeration", _) => PropertyKind::Option,
        _ => PropertyKind::Json,
    }
}

/// The type and field type of a property that is to be made; the reverse of [`kind`].
pub(crate) fn types_of(kind: PropertyKind) -> (&'static str, &'static str) {
    match kind {
        PropertyKind::Number => ("number", "number"),
        PropertyKind::Bool => ("bool", "booleancheckbox"),
        PropertyKind::Date => ("date", "date"),
        PropertyKind::DateTime => ("datetime", "date"),
        PropertyKind::Option => ("enumeration", "select"),
        PropertyKind::Options => ("enumeration", "checkbox"),
        _ => ("string", "text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_reads_back_as_what_was_asked_for() {
        for asked in [
            PropertyKind::Text,
            PropertyKind::Number,
            PropertyKind::Bool,
            PropertyKind::Date,
            PropertyKind::DateTime,
            PropertyKind::Option,
            PropertyKind::Options,
        ] {
            let (value_type, field_type) = types_of(asked);
            let made = serde_json::json!({ "name": "p", "type": value_type, "fieldType": field_type });
            let made: PropertyDefinition = serde_json::from_value(made).unwrap();
            assert_eq!(kind(&made), asked);
        }
    }
}
