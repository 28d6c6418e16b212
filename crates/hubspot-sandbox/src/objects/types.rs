//! An object type of this portal: identity, properties, records and pipelines together.

use serde::{Deserialize, Serialize};

use crate::catalog::types::StandardType;
use crate::ids::Rng;
use crate::objects::record::Record;
use crate::objects::store::Records;
use crate::pipelines::Pipelines;
use crate::properties::definition::{PropKey, PropertyTable, Role, Semantics};
use crate::time::Millis;

/// Place of a type in the portal's list. Types are never removed from it, so a key stays good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct TypeKey(pub(crate) u32);

/// What a custom type has beyond a standard one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CustomSchema {
    pub(crate) fully_qualified_name: String,
    pub(crate) description: Option<String>,
    pub(crate) secondary_display: Vec<String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) archived: bool,
    /// Deleted for good: no name leads here any more.
    pub(crate) purged: bool,
}

/// A rule of the portal's administrators. Only 2026-09 enforces them on API writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AdminRule {
    /// The property must have a value when a record is created.
    RequiredOnCreate {
        /// Name of the property.
        property: String,
    },
    /// The property must have a value while another has a certain one.
    RequiredWhen {
        /// Name of the property that becomes required.
        property: String,
        /// Name of the property that decides.
        controller: String,
        /// The deciding value.
        value: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ObjectType {
    /// `0-1`, `2-123456`.
    pub(crate) id: String,
    /// Singular name of a standard type, the schema's name of a custom one.
    pub(crate) name: String,
    pub(crate) plural: String,
    /// As error texts name the type.
    pub(crate) legacy: String,
    pub(crate) label_singular: String,
    pub(crate) label_plural: String,
    pub(crate) created_prop: String,
    pub(crate) modified_prop: String,
    pub(crate) defaults: Vec<String>,
    pub(crate) required: Vec<String>,
    pub(crate) required_any: Vec<String>,
    pub(crate) searchable: Vec<String>,
    pub(crate) primary_display: Option<String>,
    pub(crate) scope: String,
    pub(crate) umbrella_scope: Option<String>,
    pub(crate) custom: Option<CustomSchema>,
    pub(crate) admin_rules: Vec<AdminRule>,
    pub(crate) props: PropertyTable,
    pub(crate) records: Records,
    pub(crate) pipelines: Pipelines,
    /// Addresses of people who were deleted for good; they must not come back.
    pub(crate) blocked_emails: std::collections::BTreeSet<String>,
}

impl ObjectType {
    pub(crate) fn standard(row: &StandardType, rng: &mut Rng) -> ObjectType {
        let own = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        ObjectType {
            id: row.id.to_owned(),
            name: row.singular.to_owned(),
            plural: row.plural.to_owned(),
            legacy: row.legacy.to_owned(),
            label_singular: row.label.0.to_owned(),
            label_plural: row.label.1.to_owned(),
            created_prop: row.created.to_owned(),
            modified_prop: row.modified.to_owned(),
            defaults: own(row.defaults),
            required: own(row.required),
            required_any: own(row.required_any),
            searchable: own(row.searchable),
            primary_display: Some(row.primary_display.to_owned()),
            scope: row.scope.to_owned(),
            umbrella_scope: row.umbrella.map(str::to_owned),
            custom: None,
            admin_rules: Vec::new(),
            props: PropertyTable::standard(
                row.singular,
                &format!("{}information", row.singular.replace('_', "")),
                row.label.0,
                row.created,
                row.modified,
            ),
            records: Records::new(rng),
            pipelines: Pipelines::standard(row.singular),
            blocked_emails: std::collections::BTreeSet::new(),
        }
    }

    /// Whether a path may name the type so. HubSpot docs: standard types by singular or plural in any case or by
    /// type id; custom ones by type id or fully qualified name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        match &self.custom {
            None => {
                self.id == name
                    || self.name.eq_ignore_ascii_case(name)
                    || self.plural.eq_ignore_ascii_case(name)
            }
            Some(schema) => {
                !schema.purged && (self.id == name || schema.fully_qualified_name.eq_ignore_ascii_case(name))
            }
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.custom.as_ref().is_none_or(|schema| !schema.archived && !schema.purged)
    }

    pub(crate) fn is_contact(&self) -> bool {
        self.id == "0-1"
    }

    pub(crate) fn is_company(&self) -> bool {
        self.id == "0-2"
    }

    pub(crate) fn is_activity(&self) -> bool {
        matches!(self.id.as_str(), "0-46" | "0-27" | "0-48" | "0-49" | "0-47")
    }

    /// Values of one property that are remembered. Not documented; 20, and 45 on contacts, is common knowledge.
    pub(crate) fn revisions_kept(&self) -> usize {
        if self.is_contact() { 45 } else { 20 }
    }

    /// Properties by which a record can be found: unique ones, not archived.
    pub(crate) fn unique_key(&self, name: &str) -> Option<PropKey> {
        self.props.find_active(name).filter(|(_, property)| property.unique).map(|(key, _)| key)
    }

    /// The unique values that a stored text claims under a property: itself, or each address of the additional
    /// e-mails, which live in the name space of `email`.
    pub(crate) fn claims<'t>(&self, prop: PropKey, text: &'t str) -> Vec<(PropKey, &'t str)> {
        let Some(property) = self.props.get(prop) else { return Vec::new() };
        if property.semantics == Semantics::AdditionalEmails {
            let Some(email) = self.props.with_semantics(Semantics::Email) else { return Vec::new() };
            return text.split(';').filter(|part| !part.is_empty()).map(|part| (email, part)).collect();
        }
        if property.unique && !property.is_archived() && !text.is_empty() {
            vec![(prop, text)]
        } else {
            Vec::new()
        }
    }

    /// Enters all values of a live record into the unique index, or takes them out.
    pub(crate) fn index_unique(&mut self, id: u64, enter: bool) {
        let Some(record) = self.records.get(id) else { return };
        let claims: Vec<(PropKey, String)> = record
            .cells()
            .iter()
            .flat_map(|cell| self.claims(cell.prop, &cell.text))
            .map(|(prop, text)| (prop, text.to_owned()))
            .collect();
        for (prop, text) in claims {
            if enter {
                self.records.claim(prop, &text, id);
            } else {
                self.records.release(prop, &text, id);
            }
        }
    }

    /// Rebuilds the indexes that a snapshot leaves out.
    pub(crate) fn rebuild(&mut self) {
        self.records.rebuild();
        let ids: Vec<u64> =
            self.records.iter().filter(|record| record.is_live()).map(|record| record.id).collect();
        for id in ids {
            self.index_unique(id, true);
        }
    }

    /// The value of any property of a record as it was at `time`, as answers show it.
    pub(crate) fn value_at<'s>(
        &self,
        record: &'s Record,
        prop: PropKey,
        time: Millis,
    ) -> Option<std::borrow::Cow<'s, str>> {
        use std::borrow::Cow;
        let role = self.props.get(prop)?.role;
        match role {
            Role::Stored => record.value_at(prop, time).map(Cow::Borrowed),
            Role::RecordId => Some(Cow::Owned(record.id.to_string())),
            Role::CreatedAt => Some(Cow::Owned(crate::time::iso(record.created_at))),
            Role::ModifiedAt => Some(Cow::Owned(crate::time::iso(record.updated_at(time)))),
            // Their texts stand in the portal's table of sources.
            Role::SourceType | Role::SourceId => None,
        }
    }
}
