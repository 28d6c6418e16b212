//! The contract of both schemas, pinned when the mapping was agreed, and what has moved since.
//!
//! Every difference is classified by what it does to this mapping: nothing, a field that goes wrong, or an object
//! whose records cannot be synced at all.

mod classify;
mod uses;

use std::fmt;

use mapping_engine::CheckedMapping;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sync_types::{Mapper, Property, PropertyKind, Schema};

use crate::outline::Outline;

/// The version of the contract file that is written.
const VERSION: u32 = 1;

/// What both sides said of the collections and object types that a mapping uses, when it was pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    version: u32,
    /// The mapping's name.
    mapping: String,
    source: Vec<Pinned>,
    hubspot: Vec<Pinned>,
}

/// One collection or object type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    name: String,
    properties: Vec<PinnedProperty>,
}

/// One column or property; what is not said is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedProperty {
    name: String,
    kind: PropertyKind,
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    read_only: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length_max: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Why a contract file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError(String);

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ContractError {}

impl Contract {
    /// The contract as both sides stand now. Only what the mapping uses is part of it.
    #[must_use]
    pub fn now(mapping: &CheckedMapping, source: &[Schema], hubspot: &[Schema]) -> Contract {
        let links = mapping.links();
        let pin = |schemas: &[Schema], used: &dyn Fn(&str) -> bool| {
            let mut pinned: Vec<Pinned> =
                schemas.iter().filter(|schema| used(&schema.name)).map(Pinned::of).collect();
            pinned.sort_by(|one, other| one.name.cmp(&other.name));
            pinned
        };
        Contract {
            version: VERSION,
            mapping: mapping.name().to_owned(),
            source: pin(source, &|name| links.iter().any(|link| link.collection.as_str() == name)),
            hubspot: pin(hubspot, &|name| links.iter().any(|link| link.object.as_str() == name)),
        }
    }

    /// Reads a contract file.
    ///
    /// # Errors
    /// It is no contract, or one of a later version.
    pub fn from_json(text: &str) -> Result<Contract, ContractError> {
        let contract: Contract = serde_json::from_str(text)
            .map_err(|error| ContractError(format!("not a pinned contract: {error}")))?;
        if contract.version > VERSION {
            return Err(ContractError(format!(
                "the contract was pinned by a later version of the kit (format {}, this one reads {VERSION})",
                contract.version
            )));
        }
        Ok(contract)
    }

    /// The contract file's text: the same for the same schemas, with a line for each property.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Plain data with text keys always becomes JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Pinned {
    fn of(schema: &Schema) -> Pinned {
        let mut properties: Vec<PinnedProperty> = schema.properties.iter().map(PinnedProperty::of).collect();
        properties.sort_by(|one, other| one.name.cmp(&other.name));
        Pinned { name: schema.name.clone(), properties }
    }

    fn property(&self, name: &str) -> Option<&PinnedProperty> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl PinnedProperty {
    fn of(property: &Property) -> PinnedProperty {
        PinnedProperty {
            name: property.name.to_string(),
            kind: property.kind,
            required: property.required,
            unique: property.unique,
            read_only: property.read_only,
            options: property.options.clone(),
            length_max: property.length_max,
        }
    }
}

/// What a difference does to the mapping, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing.
    Safe,
    /// Fields or associations go wrong; the rest of the record is synced.
    Degrades,
    /// Records of a link cannot be synced at all.
    Halts,
}

impl Effect {
    /// `safe`, `degrades` or `halts`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Safe => "safe",
            Effect::Degrades => "degrades",
            Effect::Halts => "halts",
        }
    }
}

/// A side of the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The customer's system.
    Source,
    /// HubSpot.
    HubSpot,
}

impl Side {
    /// `source` or `HubSpot`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Source => "source",
            Side::HubSpot => "HubSpot",
        }
    }
}

/// One difference between the pinned contract and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it does.
    pub effect: Effect,
    /// Where it is.
    pub side: Side,
    /// The collection or object type.
    pub schema: String,
    /// The column or property; `None`: the whole.
    pub property: Option<String>,
    /// What has moved.
    pub what: String,
    /// What it does to this mapping.
    pub why: String,
    /// What to do about it; empty where nothing is to be done.
    pub remedy: String,
}

impl Change {
    /// The difference for a machine.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "effect": self.effect.as_str(),
            "side": self.side.as_str(),
            "schema": self.schema,
            "property": self.property,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.side.as_str(), self.schema)?;
        if let Some(property) = &self.property {
            write!(f, ".{property}")?;
        }
        write!(f, ": {}", self.what)?;
        if self.effect > Effect::Safe {
            write!(f, "; {}\n    what to do: {}", self.why, self.remedy)?;
        }
        Ok(())
    }
}

/// What has moved between two contracts, the worst first, each with what it does to the mapping.
#[must_use]
pub fn drift(pinned: &Contract, now: &Contract, mapping: &CheckedMapping) -> Vec<Change> {
    let uses = uses::Uses::of(mapping, &Outline::of(mapping));
    let mut changes = classify::side(Side::Source, &pinned.source, &now.source, &uses);
    changes.extend(classify::side(Side::HubSpot, &pinned.hubspot, &now.hubspot, &uses));
    changes.sort_by(|one, other| {
        let key = |change: &Change| (change.side, change.schema.clone(), change.property.clone());
        other.effect.cmp(&one.effect).then_with(|| key(one).cmp(&key(other)))
    });
    changes
}

#[cfg(test)]
mod tests;
