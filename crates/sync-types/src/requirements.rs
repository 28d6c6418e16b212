//! What a mapping needs to exist in HubSpot before the first record can be written.

use serde::{Deserialize, Serialize};

use crate::{EdgeKind, ObjectType, PropertyKind};

/// Everything that `init` must find or create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirements {
    /// Object types with their properties, in the mapping's order; an object type stands once.
    pub objects: Vec<ObjectSpec>,
    /// Association labels.
    pub labels: Vec<LabelSpec>,
}

/// One object type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectSpec {
    /// The object type, by the name the mapping uses.
    pub object: ObjectType,
    /// For a custom object: how to define it where it is missing.
    pub schema: Option<SchemaSpec>,
    /// The properties that are written, the sync key among them.
    pub properties: Vec<PropertySpec>,
}

/// How to define a custom object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaSpec {
    /// Label for one record.
    pub singular: String,
    /// Label for several.
    pub plural: String,
    /// The property shown as a record's title.
    pub primary_display: String,
    /// The object types it may be associated with.
    pub associated: Vec<ObjectType>,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertySpec {
    /// Internal name.
    pub name: String,
    /// What its values are.
    pub kind: PropertyKind,
    /// No two records may hold the same value.
    pub unique: bool,
    /// How to define it where it is missing; `None`: it must be there already.
    pub create: Option<PropertyLabels>,
    /// Options that must exist, for option kinds.
    pub options: Vec<OptionSpec>,
}

/// The words of a property that is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyLabels {
    /// Label that people see.
    pub label: String,
    /// What the property is for.
    pub description: String,
    /// Group's internal name; `None`: the object type's own information group.
    pub group: Option<String>,
}

/// One option of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionSpec {
    /// Internal value.
    pub value: String,
    /// Label that people see.
    pub label: String,
}

/// One association label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSpec {
    /// Near object type.
    pub from: ObjectType,
    /// Far object type.
    pub to: ObjectType,
    /// Which association must exist.
    pub kind: EdgeKind,
    /// The label in the other direction; `None`: the same.
    pub inverse: Option<String>,
}
