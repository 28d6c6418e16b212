//! The association types of a portal: HubSpot's own, labels made by users, plain types of custom objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::associations::catalog::{ROWS, RowKind};
use crate::objects::types::{ObjectType, TypeKey};

/// Who defined an association type. Ids of different categories overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Category {
    #[serde(rename = "HUBSPOT_DEFINED")]
    HubSpot,
    #[serde(rename = "USER_DEFINED")]
    User,
    #[serde(rename = "INTEGRATOR_DEFINED")]
    Integrator,
}

impl Category {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Category::HubSpot => "HUBSPOT_DEFINED",
            Category::User => "USER_DEFINED",
            Category::Integrator => "INTEGRATOR_DEFINED",
        }
    }
}

/// What tells association types apart: direction, category and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LinkKey {
    pub(crate) from: TypeKey,
    pub(crate) category: Category,
    pub(crate) type_id: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LinkKind {
    Plain,
    /// Held by at most one company per record; this direction leads to the company.
    Primary,
    /// The opposite direction of a primary type.
    PrimaryReverse,
    Label,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinkType {
    pub(crate) key: LinkKey,
    pub(crate) to: TypeKey,
    /// Number of the opposite direction, in the same category.
    pub(crate) inverse: u32,
    pub(crate) kind: LinkKind,
    /// Slug in inline reads and in v3, e.g. `contact_to_company`.
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    /// Most records of the other side that one record may hold by this type.
    pub(crate) max: Option<u32>,
}

impl LinkType {
    pub(crate) fn inverse_key(&self) -> LinkKey {
        LinkKey { from: self.to, category: self.key.category, type_id: self.inverse }
    }
}

/// All association types, by key. Iteration is in the order of keys and so the same every time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LinkTypes {
    #[serde(with = "crate::snapshot::pairs")]
    map: BTreeMap<LinkKey, LinkType>,
    next_user_type: u32,
}

impl LinkTypes {
    pub(crate) fn standard(types: &[ObjectType]) -> LinkTypes {
        let mut table = LinkTypes { map: BTreeMap::new(), next_user_type: 1 };
        let find = |name: &str| {
            let index = types.iter().position(|ty| ty.name == name)?;
            u32::try_from(index).ok().map(TypeKey)
        };
        for (from_name, to_name, type_id, inverse, kind) in ROWS {
            let (Some(from), Some(to)) = (find(from_name), find(to_name)) else { continue };
            let has_primary =
                ROWS.iter().any(|row| (row.0, row.1) == (*from_name, *to_name) && row.4 == RowKind::Primary);
            // The slugs of the old API: where a primary type exists it has the bare name.
            let suffix = if has_primary && *kind == RowKind::Plain { "_unlabeled" } else { "" };
            let (kind, back_kind, label, back_label) = match kind {
                RowKind::Plain => (LinkKind::Plain, LinkKind::Plain, None, None),
                RowKind::Primary => {
                    (LinkKind::Primary, LinkKind::PrimaryReverse, Some("Primary"), Some("Primary"))
                }
                RowKind::Label(label, back) => (LinkKind::Label, LinkKind::Label, Some(*label), Some(*back)),
            };
            let slug = |a: &str, b: &str, label: Option<&str>| match (kind, label) {
                (LinkKind::Label, Some(label)) => {
                    format!("{}_{a}_to_{b}", label.to_lowercase().replace(' ', "_"))
                }
                _ => format!("{a}_to_{b}{suffix}"),
            };
            let category = Category::HubSpot;
            table.insert(LinkType {
                key: LinkKey { from, category, type_id: *type_id },
                to,
                inverse: *inverse,
                kind,
                name: slug(from_name, to_name, label),
                label: label.map(str::to_owned),
                max: None,
            });
            if from != to || type_id != inverse {
                table.insert(LinkType {
                    key: LinkKey { from: to, category, type_id: *inverse },
                    to: from,
                    inverse: *type_id,
                    kind: back_kind,
                    name: slug(to_name, from_name, back_label),
                    label: back_label.map(str::to_owned),
                    max: None,
                });
            }
        }
        table
    }

    fn insert(&mut self, link_type: LinkType) {
        self.map.insert(link_type.key, link_type);
    }

    pub(crate) fn get(&self, key: LinkKey) -> Option<&LinkType> {
        self.map.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: LinkKey) -> Option<&mut LinkType> {
        self.map.get_mut(&key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &LinkType> {
        self.map.values()
    }

    /// Types of one direction.
    pub(crate) fn between(&self, from: TypeKey, to: TypeKey) -> impl Iterator<Item = &LinkType> {
        let first = LinkKey { from, category: Category::HubSpot, type_id: 0 };
        let last = LinkKey { from, category: Category::Integrator, type_id: u32::MAX };
        self.map
            .range(first..=last)
            .map(|(_, link_type)| link_type)
            .filter(move |link_type| link_type.to == to)
    }

    /// The unlabelled type of one direction, if the two types can be associated at all.
    pub(crate) fn plain(&self, from: TypeKey, to: TypeKey) -> Option<&LinkType> {
        self.between(from, to).find(|link_type| link_type.kind == LinkKind::Plain)
    }

    /// The type that leads to a record's primary company.
    pub(crate) fn primary(&self, from: TypeKey, to: TypeKey) -> Option<&LinkType> {
        self.between(from, to).find(|link_type| link_type.kind == LinkKind::Primary)
    }

    /// Makes a type in both directions and says their numbers. A pair within one object type with the same label on
    /// both sides is one type.
    pub(crate) fn define(
        &mut self,
        from: TypeKey,
        to: TypeKey,
        category: Category,
        kind: LinkKind,
        names: (String, String),
        labels: (Option<String>, Option<String>),
    ) -> (u32, u32) {
        let type_id = self.next_user_type;
        let symmetric = from == to && labels.0 == labels.1;
        let inverse = if symmetric { type_id } else { type_id + 1 };
        self.next_user_type = inverse + 1;
        let key = LinkKey { from, category, type_id };
        self.insert(LinkType { key, to, inverse, kind, name: names.0, label: labels.0, max: None });
        if !symmetric {
            let key = LinkKey { from: to, category, type_id: inverse };
            self.insert(LinkType {
                key,
                to: from,
                inverse: type_id,
                kind,
                name: names.1,
                label: labels.1,
                max: None,
            });
        }
        (type_id, inverse)
    }

    pub(crate) fn remove(&mut self, key: LinkKey) -> Option<LinkType> {
        let removed = self.map.remove(&key)?;
        self.map.remove(&removed.inverse_key());
        Some(removed)
    }
}
