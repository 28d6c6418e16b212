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

    /// Brings a property's canonical value back to the source: the fields to write there, by their paths, and what
    /// to write. Empty for a property that does not flow to the left.
    ///
    /// For a property that flows both ways, mapping a record with these fields gives the same canonical value
    /// again: the checker has proved it.
    ///
    /// # Errors
    /// The value has no counterpart in the source, such as an option that its table does not know.
    fn back(&self, link: LinkId, property: usize, value: &Value) -> Result<Vec<LeftField>, FieldProblem>;

    /// Brings an association back to the source: the fields of the near record that name the far one. `None` names
    /// no record. Empty for a rule that does not flow to the left.
    ///
    /// # Errors
    /// The source cannot hold this id in that field.
    fn back_edge(&self, rule: EdgeRuleId, to: Option<&ExternalId>) -> Result<Vec<LeftField>, FieldProblem>;

    /// Whether a record of the right side belongs to the link. `shown` holds the canonical values of
    /// [`Link::properties`], then those of [`Link::right_reads`].
    fn right_in_scope(&self, link: LinkId, shown: &[Value]) -> bool;
}

/// One field of a source record that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftField {
    /// The field's path in the source record, such as `email` or `address.city`.
    pub path: Box<str>,
    /// What to write; [`Value::Null`] clears.
    pub value: Value,
}

/// Which way values travel. Left is the customer's system, right is HubSpot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the customer's system to HubSpot.
    ToRight,
    /// From HubSpot to the customer's system.
    ToLeft,
    /// Both ways.
    Both,
}

impl Direction {
    /// Whether changes of the left are written to the right.
    #[must_use]
    pub fn to_right(self) -> bool {
        self != Direction::ToLeft
    }

    /// Whether changes of the right are written to the left.
    #[must_use]
    pub fn to_left(self) -> bool {
        self != Direction::ToRight
    }
}

/// Who wins when both sides have changed a property to different values since they last agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// The customer's system.
    Left,
    /// HubSpot.
    Right,
    /// The value that was set last, by the property's own history and the source record's time of change; a person
    /// where either is unknown.
    Newest,
    /// The side that has a value; a person where both have.
    Filled,
    /// The value that stands later in [`MappedProperty::order`], or, without an order, the greater number or the
    /// later date; a person where neither can be told.
    Furthest,
    /// A person.
    Ask,
}

/// How far a value may be shown.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// To anybody who may read the mapping.
    Public,
    /// Personal data: in clear only to a person who asked.
    #[default]
    Personal,
    /// Never shown, not even on request; plans and explanations say that it differs, not how.
    Sensitive,
}

/// What the disappearance of one record means for its counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDelete {
    /// The counterpart stays as it is, and is no longer synced.
    Keep,
    /// The counterpart is deleted too; in HubSpot: archived.
    Delete,
    /// A person decides.
    Ask,
}

/// What to do when one record was deleted and its counterpart has changed since they last agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDeleteConflict {
    /// The deletion counts.
    Delete,
    /// The change counts: the deleted record is made anew.
    Edit,
    /// A person decides.
    Ask,
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
    /// Weaker evidence, tried after `match_on`: a record that has the same value in one of these properties is only
    /// proposed to a person as the counterpart. Places in `properties`.
    pub propose_on: Vec<usize>,
    /// What happens to a recognised record's differing values the first time.
    pub first_contact: FirstContact,
    /// Which way the link's records travel; no property travels another way.
    pub direction: Direction,
    /// Whether a record that only the left has is made on the right.
    pub creates_right: bool,
    /// Whether a record that only the right has is made on the left.
    pub creates_left: bool,
    /// Properties that are read on the right beside the mapped ones, for [`Mapper::right_in_scope`].
    pub right_reads: Vec<PropertyName>,
    /// What a deletion on the left means for the right.
    pub on_left_delete: OnDelete,
    /// What a deletion on the right means for the left.
    pub on_right_delete: OnDelete,
    /// What a deletion means for a counterpart that has changed.
    pub on_delete_conflict: OnDeleteConflict,
    /// What leaving the link's scope on one side means for the counterpart.
    pub on_scope_exit: OnDelete,
}

impl Link {
    /// A link from left to right that makes records there and deletes nothing.
    #[must_use]
    pub fn to_right(
        name: impl Into<String>,
        collection: Collection,
        object: ObjectType,
        sync_key: PropertyName,
    ) -> Link {
        Link {
            name: name.into(),
            collection,
            object,
            sync_key,
            properties: Vec::new(),
            match_on: Vec::new(),
            propose_on: Vec::new(),
            first_contact: FirstContact::FillEmpty,
            direction: Direction::ToRight,
            creates_right: true,
            creates_left: false,
            right_reads: Vec::new(),
            on_left_delete: OnDelete::Keep,
            on_right_delete: OnDelete::Keep,
            on_delete_conflict: OnDeleteConflict::Ask,
            on_scope_exit: OnDelete::Keep,
        }
    }
}

/// One property that a link keeps in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedProperty {
    /// HubSpot's internal name.
    pub name: PropertyName,
    /// What its values are.
    pub kind: PropertyKind,
    /// Which way its values travel.
    pub direction: Direction,
    /// Who wins when both sides have changed it.
    pub conflict: Conflict,
    /// The property's values from first to last, for [`Conflict::Furthest`] and [`MappedProperty::ratchet`]; empty
    /// where numbers and dates order themselves.
    pub order: Vec<Value>,
    /// Whether the engine only ever moves the property forward in its order: a step back on one side is not carried
    /// to the other but held for a person. For consent, and for stages that HubSpot does not move back.
    pub ratchet: bool,
    /// How far its values may be shown.
    pub sensitivity: Sensitivity,
    /// Whether a value that the right side has may be replaced. If not, the property is written only while it is
    /// empty there: for what another link, or people in HubSpot, own.
    pub overwrite: bool,
}

impl MappedProperty {
    /// A property that is written from left to right.
    #[must_use]
    pub fn to_right(name: impl Into<PropertyName>, kind: PropertyKind) -> MappedProperty {
        MappedProperty {
            name: name.into(),
            kind,
            direction: Direction::ToRight,
            conflict: Conflict::Left,
            order: Vec::new(),
            ratchet: false,
            sensitivity: Sensitivity::default(),
            overwrite: true,
        }
    }
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
    /// Which way it travels.
    pub direction: Direction,
    /// Whether a near record has at most one such association, so that another one replaces it.
    pub single: bool,
    /// Whether a near record is not made on the right before its far record is there.
    pub parent_first: bool,
}

impl EdgeRule {
    /// A rule from left to right, for any number of far records, that lets the near record go first.
    #[must_use]
    pub fn to_right(name: impl Into<String>, from: LinkId, to: LinkId, kind: EdgeKind) -> EdgeRule {
        EdgeRule {
            name: name.into(),
            from,
            to,
            kind,
            direction: Direction::ToRight,
            single: false,
            parent_first: false,
        }
    }
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
