//! What a mapping needs of each column and property.

use std::collections::BTreeSet;

use mapping_engine::CheckedMapping;
use sync_types::{LinkId, Mapper};

use super::Side;
use crate::outline::{FieldOutline, Outline, SourceOutline};

/// Everything that the mapping uses, on both sides.
pub(super) struct Uses {
    list: Vec<Use>,
}

/// One use of a column or property.
pub(super) struct Use {
    side: Side,
    schema: String,
    path: String,
    pub(super) role: Role,
    /// What uses it, in words.
    pub(super) by: String,
}

/// What something is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Records are found again by it.
    SyncKey,
    /// Records are recognised by it.
    Match,
    /// Records are in or out by it.
    Scope,
    /// A field of a property.
    Field {
        /// Records are refused without it.
        required: bool,
        /// The words of the source that the field's table has something for; `None`: any word goes.
        knows: Option<BTreeSet<String>>,
        /// The values that the field can give; `None`: not known.
        gives: Option<BTreeSet<String>>,
    },
    /// The key of an association.
    Edge {
        /// Records are refused without it.
        required: bool,
    },
}

impl Role {
    /// Whether records cannot be synced without it.
    pub(super) fn is_vital(&self) -> bool {
        match self {
            Role::SyncKey | Role::Scope => true,
            Role::Match => false,
            Role::Field { required, .. } | Role::Edge { required } => *required,
        }
    }
}

impl Uses {
    pub(super) fn of(mapping: &CheckedMapping, outline: &Outline) -> Uses {
        let mut list = Vec::new();
        for (link, id) in mapping.links().iter().zip(0..) {
            let (collection, object) = (link.collection.as_str(), link.object.as_str());
            let mut add = |side, path: &str, role, by: String| {
                let schema = if side == Side::Source { collection } else { object }.to_owned();
                list.push(Use { side, schema, path: path.to_owned(), role, by });
            };
            let name = &link.name;
            add(Side::HubSpot, link.sync_key.as_str(), Role::SyncKey, format!("the sync key of `{name}`"));
            for property in
                link.match_on.iter().chain(&link.propose_on).filter_map(|place| link.properties.get(*place))
            {
                add(Side::HubSpot, property.name.as_str(), Role::Match, format!("a match rule of `{name}`"));
            }
            for property in &link.right_reads {
                add(
                    Side::HubSpot,
                    property.as_str(),
                    Role::Scope,
                    format!("the scope of `{name}` in HubSpot"),
                );
            }
            let (Some(written), Some(reads)) = (outline.link(name), mapping.reads(LinkId(id))) else {
                continue;
            };
            for path in reads.scope {
                add(Side::Source, path, Role::Scope, format!("the scope of `{name}`"));
            }
            for (property, paths) in link.properties.iter().zip(reads.properties) {
                let Some(field) = written.field(property.name.as_str()) else { continue };
                let role = field_role(field, outline);
                for path in paths {
                    add(Side::Source, path, role.clone(), format!("`{name}.{}`", field.to));
                }
                add(Side::HubSpot, &field.to, role, format!("`{name}.{}`", field.to));
            }
            for (rule, paths) in reads.associations {
                let Some(rule) = mapping.edge_rules().get(usize::from(rule.0)) else { continue };
                let required =
                    written.associations.iter().any(|said| said.name == rule.name && said.required);
                for path in paths {
                    add(
                        Side::Source,
                        path,
                        Role::Edge { required },
                        format!("the association `{}`", rule.name),
                    );
                }
            }
        }
        Uses { list }
    }

    /// The uses of a column or property.
    pub(super) fn of_property<'u>(&'u self, side: Side, schema: &'u str, name: &'u str) -> Vec<&'u Use> {
        let uses = self.list.iter().filter(|one| one.side == side && one.schema == schema);
        uses.filter(|one| leads_into(&one.path, name)).collect()
    }
}

fn field_role(field: &FieldOutline, outline: &Outline) -> Role {
    let table = field.picklist().and_then(|name| outline.picklists.get(name));
    // Only a table that comes first sees the source's own words.
    let first = field.chain.first().is_some_and(|step| step.name == "picklist");
    let knows = table.filter(|table| first && table.default.is_none()).map(|table| {
        let fold = |word: &String| if table.ignore_case { word.to_lowercase() } else { word.clone() };
        table.map.keys().map(fold).collect()
    });
    let gives = match (&field.source, table) {
        // Names of stages and addresses of owners, whose ids the portal knows.
        (_, Some(table)) if table.rest.contains_key("pipeline") || table.rest.contains_key("owners") => None,
        (_, Some(table)) => Some(table.map.values().chain(&table.default).cloned().collect()),
        (SourceOutline::Constant(value), None) => {
            value.as_str().map(|text| BTreeSet::from([text.to_owned()]))
        }
        _ => None,
    };
    Role::Field { required: field.required, knows, gives }
}

/// Whether a path is a column, or leads into the nested values of one.
fn leads_into(path: &str, column: &str) -> bool {
    path == column || path.strip_prefix(column).is_some_and(|rest| rest.starts_with('.'))
}
