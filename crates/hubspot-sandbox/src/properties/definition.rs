//! A property definition, the table of one object type, and the definitions every type starts with.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::catalog::properties::{COMMON, Kind, of_type};
use crate::time::{Millis, iso};

/// Place of a property in its type's table. Properties are archived, never removed, so a key stays good.
pub(crate) type PropKey = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PropertyType {
    Bool,
    Enumeration,
    Date,
    #[serde(rename = "datetime")]
    DateTime,
    String,
    Number,
    PhoneNumber,
}

impl PropertyType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            PropertyType::Bool => "bool",
            PropertyType::Enumeration => "enumeration",
            PropertyType::Date => "date",
            PropertyType::DateTime => "datetime",
            PropertyType::String => "string",
            PropertyType::Number => "number",
            PropertyType::PhoneNumber => "phone_number",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<PropertyType> {
        Some(match name {
            "bool" => PropertyType::Bool,
            "enumeration" => PropertyType::Enumeration,
            "date" => PropertyType::Date,
            "datetime" => PropertyType::DateTime,
            "string" => PropertyType::String,
            "number" => PropertyType::Number,
            "phone_number" => PropertyType::PhoneNumber,
            _ => return None,
        })
    }

    /// HubSpot docs: the field types that go with a type.
    pub(crate) fn allows_field(self, field_type: &str) -> bool {
        let allowed: &[&str] = match self {
            PropertyType::Bool => &["booleancheckbox", "calculation_equation"],
            PropertyType::Enumeration => {
                &["select", "radio", "checkbox", "booleancheckbox", "calculation_equation"]
            }
            PropertyType::Date | PropertyType::DateTime => &["date", "calculation_equation"],
            PropertyType::String => {
                &["text", "textarea", "html", "phonenumber", "file", "calculation_equation"]
            }
            PropertyType::Number => &["number", "calculation_equation"],
            PropertyType::PhoneNumber => &["phonenumber"],
        };
        allowed.contains(&field_type)
    }
}

/// Where a value comes from when it is not stored with the record's other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Role {
    #[default]
    Stored,
    RecordId,
    CreatedAt,
    ModifiedAt,
    /// How the record came to be, e.g. INTEGRATION.
    SourceType,
    /// Who made the record, e.g. the app's id.
    SourceId,
}

/// Special treatment of a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Semantics {
    #[default]
    None,
    /// The contact's e-mail address: lower-cased, unique across primary and secondary addresses.
    Email,
    /// A contact's other addresses, separated by semicolons.
    AdditionalEmails,
    /// A company's domain: stored without scheme and `www.`.
    Domain,
    /// Forward only.
    LifecycleStage,
    /// An owner id.
    Owner,
    /// A pipeline id of the type.
    Pipeline,
    /// A stage id of the record's pipeline.
    Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PropertyOption {
    pub(crate) label: String,
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) display_order: i64,
    #[serde(default)]
    pub(crate) hidden: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: PropertyType,
    pub(crate) field_type: String,
    pub(crate) group: String,
    pub(crate) description: String,
    pub(crate) display_order: i64,
    pub(crate) options: Vec<PropertyOption>,
    pub(crate) unique: bool,
    pub(crate) hidden: bool,
    pub(crate) form_field: bool,
    pub(crate) calculated: bool,
    pub(crate) hubspot_defined: bool,
    pub(crate) read_only_value: bool,
    pub(crate) data_sensitivity: String,
    /// Optional fields of the definition that the portal stores and shows without acting on them.
    pub(crate) extra: Map<String, Value>,
    pub(crate) role: Role,
    pub(crate) semantics: Semantics,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) archived_at: Option<Millis>,
}

impl Property {
    /// A writable string property of HubSpot's own, to be adjusted.
    fn standard(name: &str, label: &str, group: &str) -> Property {
        Property {
            name: name.to_owned(),
            label: label.to_owned(),
            kind: PropertyType::String,
            field_type: "text".to_owned(),
            group: group.to_owned(),
            description: String::new(),
            display_order: -1,
            options: Vec::new(),
            unique: false,
            hidden: false,
            form_field: false,
            calculated: false,
            hubspot_defined: true,
            read_only_value: false,
            data_sensitivity: "non_sensitive".to_owned(),
            extra: Map::new(),
            role: Role::Stored,
            semantics: Semantics::None,
            created_at: 0,
            updated_at: 0,
            archived_at: None,
        }
    }

    fn shaped(name: &str, label: &str, group: &str, kind: Kind) -> Property {
        let mut property = Property::standard(name, label, group);
        let mut set = |kind: PropertyType, field: &str, read_only: bool| {
            property.kind = kind;
            property.field_type = field.to_owned();
            property.read_only_value = read_only;
            property.calculated = read_only;
        };
        match kind {
            Kind::Text => set(PropertyType::String, "text", false),
            Kind::LongText => set(PropertyType::String, "textarea", false),
            Kind::Html => set(PropertyType::String, "html", false),
            Kind::Phone => set(PropertyType::String, "phonenumber", false),
            Kind::Number => set(PropertyType::Number, "number", false),
            Kind::Bool => set(PropertyType::Bool, "booleancheckbox", false),
            Kind::DateTime => set(PropertyType::DateTime, "date", false),
            Kind::Owner | Kind::PipelineRef | Kind::StageRef | Kind::Select(_) => {
                set(PropertyType::Enumeration, "select", false);
            }
            Kind::Checkbox(_) => set(PropertyType::Enumeration, "checkbox", false),
            Kind::ReadText => set(PropertyType::String, "text", true),
            Kind::ReadNumber => set(PropertyType::Number, "number", true),
            Kind::ReadBool => set(PropertyType::Bool, "booleancheckbox", true),
            Kind::ReadDateTime => set(PropertyType::DateTime, "date", true),
            Kind::ReadEnum(_) => set(PropertyType::Enumeration, "select", true),
        }
        match kind {
            Kind::Select(options) | Kind::Checkbox(options) | Kind::ReadEnum(options) => {
                property.options = options_from(options);
            }
            Kind::Bool | Kind::ReadBool => property.options = options_from(YES_NO),
            Kind::Owner => {
                property.semantics = Semantics::Owner;
                property.extra.insert("externalOptions".to_owned(), Value::from(true));
                property.extra.insert("referencedObjectType".to_owned(), Value::from("OWNER"));
            }
            Kind::PipelineRef => property.semantics = Semantics::Pipeline,
            Kind::StageRef => property.semantics = Semantics::Stage,
            _ => {}
        }
        property
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    /// Multi-checkbox: several options joined by semicolons.
    pub(crate) fn is_multi(&self) -> bool {
        self.kind == PropertyType::Enumeration && self.field_type == "checkbox"
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = Map::new();
        let mut put = |key: &str, value: Value| {
            json.insert(key.to_owned(), value);
        };
        put("name", Value::from(self.name.as_str()));
        put("label", Value::from(self.label.as_str()));
        put("type", Value::from(self.kind.name()));
        put("fieldType", Value::from(self.field_type.as_str()));
        put("description", Value::from(self.description.as_str()));
        put("groupName", Value::from(self.group.as_str()));
        put("options", self.options.iter().map(option_json).collect());
        put("displayOrder", Value::from(self.display_order));
        put("calculated", Value::from(self.calculated));
        put("externalOptions", Value::from(false));
        put("hasUniqueValue", Value::from(self.unique));
        put("hidden", Value::from(self.hidden));
        put("hubspotDefined", Value::from(self.hubspot_defined));
        put("formField", Value::from(self.form_field));
        put("dataSensitivity", Value::from(self.data_sensitivity.as_str()));
        put(
            "modificationMetadata",
            json!({
                "archivable": !self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only_value,
                "readOnlyOptions": self.hubspot_defined && self.options.is_empty(),
            }),
        );
        // HubSpot leaves `archived` and the times out on its own properties.
        if !self.hubspot_defined {
            put("archived", Value::from(self.is_archived()));
            put("createdAt", Value::from(iso(self.created_at)));
            put("updatedAt", Value::from(iso(self.updated_at)));
        }
        if let Some(at) = self.archived_at {
            put("archivedAt", Value::from(iso(at)));
        }
        for (key, value) in &self.extra {
            put(key, value.clone());
        }
        Value::Object(json)
    }
}

const YES_NO: &[(&str, &str)] = &[("true", "True"), ("false", "False")];

fn options_from(rows: &[(&str, &str)]) -> Vec<PropertyOption> {
    (0_i64..)
        .zip(rows)
        .map(|(display_order, (value, label))| PropertyOption {
            label: (*label).to_owned(),
            value: (*value).to_owned(),
            display_order,
            hidden: false,
            description: None,
        })
        .collect()
}

fn option_json(option: &PropertyOption) -> Value {
    json!({
        "label": option.label,
        "value": option.value,
        "displayOrder": option.display_order,
        "hidden": option.hidden,
        "description": option.description.as_deref().unwrap_or_default(),
    })
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) display_order: i64,
    pub(crate) archived: bool,
    pub(crate) hubspot_defined: bool,
}

/// The properties and groups of one object type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct PropertyTable {
    defs: IndexMap<String, Property>,
    pub(crate) groups: IndexMap<String, Group>,
}

impl PropertyTable {
    /// The table of a standard type (`singular` from the catalogue) or, with a name the catalogue lacks, of a custom one.
    pub(crate) fn standard(singular: &str, group: &str, label: &str, created: &str, modified: &str) -> Self {
        let mut table = PropertyTable::default();
        table.groups.insert(
            group.to_owned(),
            Group {
                name: group.to_owned(),
                label: format!("{label} information"),
                display_order: 0,
                archived: false,
                hubspot_defined: true,
            },
        );
        let roles = [
            ("hs_object_id", "Record ID", Kind::ReadNumber, Role::RecordId),
            (created, "Create date", Kind::ReadDateTime, Role::CreatedAt),
            (modified, "Last modified date", Kind::ReadDateTime, Role::ModifiedAt),
            ("hs_object_source", "Record source", Kind::ReadText, Role::SourceType),
            ("hs_object_source_id", "Record source ID", Kind::ReadText, Role::SourceId),
        ];
        for (name, label, kind, role) in roles {
            let mut property = Property::shaped(name, label, group, kind);
            property.role = role;
            table.insert(property);
        }
        for (name, label, kind) in COMMON.iter().chain(of_type(singular)) {
            let mut property = Property::shaped(name, label, group, *kind);
            match (singular, *name) {
                ("contact", "email") => {
                    property.semantics = Semantics::Email;
                    property.unique = true;
                }
                ("contact", "hs_additional_emails") => property.semantics = Semantics::AdditionalEmails,
                ("company", "domain") => property.semantics = Semantics::Domain,
                ("ticket", "hs_ticket_id") => property.role = Role::RecordId,
                (_, "lifecyclestage") => property.semantics = Semantics::LifecycleStage,
                _ => {}
            }
            table.insert(property);
        }
        table
    }

    /// Observed live: the first pipeline of a custom type brings these properties.
    pub(crate) fn add_pipeline_properties(&mut self) {
        let Some(group) = self.groups.keys().next().cloned() else { return };
        let rows = [
            ("hs_pipeline", "Pipeline", Kind::PipelineRef, Semantics::Pipeline),
            ("hs_pipeline_stage", "Pipeline stage", Kind::StageRef, Semantics::Stage),
        ];
        for (name, label, kind, semantics) in rows {
            let mut property = Property::shaped(name, label, &group, kind);
            property.semantics = semantics;
            self.insert(property);
        }
    }

    /// Adds a definition, or replaces the one with its name in place.
    pub(crate) fn insert(&mut self, property: Property) -> PropKey {
        let (index, _) = self.defs.insert_full(property.name.clone(), property);
        key_of(index)
    }

    /// Names are matched in lower case: HubSpot stores them so.
    pub(crate) fn find(&self, name: &str) -> Option<(PropKey, &Property)> {
        let (index, _, property) = self.defs.get_full(name)?;
        Some((key_of(index), property))
    }

    pub(crate) fn find_active(&self, name: &str) -> Option<(PropKey, &Property)> {
        self.find(name).filter(|(_, property)| !property.is_archived())
    }

    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut Property> {
        self.defs.get_mut(name)
    }

    pub(crate) fn get(&self, key: PropKey) -> Option<&Property> {
        self.defs.get_index(key as usize).map(|(_, property)| property)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PropKey, &Property)> {
        self.defs.values().enumerate().map(|(index, property)| (key_of(index), property))
    }

    pub(crate) fn with_semantics(&self, semantics: Semantics) -> Option<PropKey> {
        self.iter().find(|(_, property)| property.semantics == semantics).map(|(key, _)| key)
    }
}

/// A table never comes near 2^32 properties; HubSpot stops at 1,000 custom ones.
fn key_of(index: usize) -> PropKey {
    PropKey::try_from(index).unwrap_or(PropKey::MAX)
}
