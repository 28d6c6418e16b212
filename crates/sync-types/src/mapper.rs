//! The mapping's role: source records in, canonical values and wanted associations out.

use std::fmt;

use crate::{
    Collection, EdgeRuleId, ExternalId, LinkId, ObjectType, PropertyKind, PropertyName, Record, Value,
};

/// A checked mapping.
///
/// Pure and synchronous: same record, same answer; no I/O. Implementations may be called from several threads.
pub trait Mapper: fmt::Debug + Send + Sync {
    /// The object links, in the order in which they should be synced: parents before children where it helps.
    /// [`LinkId`]s are places in this list.
    fn links(&self) -> &[Link];

    /// The association rules. [`EdgeRuleId`]s are places in this list.
    fn edge_rules(&self) -> &[EdgeRule];

    /// Changes whenever the mapping would map some record differently, so that every record is mapped anew.
    fn fingerprint(&self) -> u64;

    /// Maps one record of a link's collection.
    ///
    /// # Errors
    /// Every problem of the record at once, each with the property and the reason and without the value.
    fn map(&self, link: LinkId, record: &Record) -> Result<Mapped, MapError>;

    /// Brings a value that the right side showed into the canonical form that [`Mapper::map`] gives for the same
    /// property, so that a side's own formatting is no difference.
    fn canonical(&self, link: LinkId, property: usize, shown: Value) -> Value;
}

/// One source collection joined to one HubSpot object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's name in the mapping; stable, unique, part of every sync key.
    pub name: String,
    /// Where records come from.
    pub collection: Collection,
    /// Where they go.
    pub object: ObjectType,
    /// The unique property in HubSpot that holds the sync key.
    pub sync_key: PropertyName,
    /// The properties this link writes, in the order of [`Mapped::values`].
    pub properties: Vec<MappedProperty>,
    /// How a record that carries no sync key yet may be recognised, best evidence first: places in `properties`.
    pub match_on: Vec<usize>,
    /// What happens to a recognised record's differing values the first time.
    pub first_contact: FirstContact,
}

/// One property that a link writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedProperty {
    /// HubSpot's internal name.
    pub name: PropertyName,
    /// What its values are.
    pub kind: PropertyKind,
}

/// What to do with a property that both sides hold and that they never agreed on, when a record that already
/// was in HubSpot is first linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstContact {
    /// The source's value is written.
    Source,
    /// HubSpot's value stays; only empty properties are filled.
    FillEmpty,
}

/// Which association a rule makes between two records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// The plain, unlabelled association.
    Plain,
    /// The primary one, such as a contact's primary company; at most one per record.
    Primary,
    /// A custom label, by its text in the direction of the rule.
    Label(String),
}

/// Associations that records of one link ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRule {
    /// The rule's name in the mapping; stable and unique.
    pub name: String,
    /// The link whose records ask.
    pub from: LinkId,
    /// The link whose records are asked for.
    pub to: LinkId,
    /// Which association.
    pub kind: EdgeKind,
}

/// A record as the mapping wants it in HubSpot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// One entry for each of [`Link::properties`]: the wanted value, or `None` where the mapping says to leave
    /// the property alone.
    pub values: Vec<Option<Value>>,
    /// The wanted associations: the rule and the other record's id in its collection.
    pub edges: Vec<(EdgeRuleId, ExternalId)>,
    /// Whether the record is in the link's scope; a record outside it is left alone and counted as excluded.
    pub in_scope: bool,
    /// Properties left alone although the record has a value for them, because the value is bad and the mapping
    /// says that this must not keep the rest of the record back. To be counted and shown, not retried.
    pub skipped: Vec<FieldProblem>,
}

/// Why a record could not be mapped: every problem of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.describe())]
pub struct MapError {
    /// At least one problem.
    pub problems: Vec<FieldProblem>,
}

impl MapError {
    fn describe(&self) -> String {
        let parts: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        parts.join("; ")
    }
}

/// One property that could not be mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property}: {reason} [{code}]")]
pub struct FieldProblem {
    /// Stable code, such as `bad-date`.
    pub code: &'static str,
    /// The property the value was meant for.
    pub property: String,
    /// The source path it came from.
    pub path: String,
    /// The reason, without the value.
    pub reason: String,
    /// What a person can do about it.
    pub remedy: String,
}
