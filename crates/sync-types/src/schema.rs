//! What a side says about its records' properties.

use crate::PropertyName;

/// The properties of a collection or an object type.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Schema {
    /// The collection's or object type's name.
    pub name: String,
    /// Its properties, in the side's order.
    pub properties: Vec<Property>,
}

impl Schema {
    /// A property by its internal name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name.as_str() == name)
    }
}

/// One property's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Internal name.
    pub name: PropertyName,
    /// What its values are.
    pub kind: PropertyKind,
    /// A record cannot be created without it.
    pub required: bool,
    /// No two records may hold the same value.
    pub unique: bool,
    /// Cannot be written: calculated, or set by the system.
    pub read_only: bool,
    /// The only values allowed, for [`PropertyKind::Option`] and [`PropertyKind::Options`]; empty when the side
    /// does not list them.
    pub options: Vec<String>,
    /// Longest text, in characters, where the side states one.
    pub length_max: Option<usize>,
}

impl Property {
    /// A plain, optional, writable property.
    #[must_use]
    pub fn new(name: impl Into<PropertyName>, kind: PropertyKind) -> Property {
        Property {
            name: name.into(),
            kind,
            required: false,
            unique: false,
            read_only: false,
            options: Vec::new(),
            length_max: None,
        }
    }
}

/// What a property's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PropertyKind {
    /// Text.
    Text,
    /// Exact decimal number.
    Number,
    /// True or false.
    Bool,
    /// Calendar day.
    Date,
    /// Instant.
    DateTime,
    /// One of a list of options.
    Option,
    /// Several of a list of options.
    Options,
    /// Nested data, or anything else the side does not describe further.
    Json,
}
