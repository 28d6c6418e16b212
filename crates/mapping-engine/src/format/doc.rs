//! A mapping as it is written: what the reader gives to the checker.

use std::collections::HashSet;

use sync_types::{
    Conflict, Direction, FirstContact, OnDelete, OnDeleteConflict, PropertyKind, Sensitivity, Value,
};

use crate::document::At;
use crate::step::Step;

/// A mapping: all its files together.
#[derive(Debug)]
pub(crate) struct MappingDoc {
    pub(crate) name: At<String>,
    pub(crate) version: u32,
    pub(crate) links: Vec<LinkDoc>,
    pub(crate) objects: Vec<ObjectDoc>,
    /// `[never_leaves_source]`: a collection's name, or `*` for all, and a source path.
    pub(crate) secret: Vec<(String, At<String>)>,
}

/// `[[objects]]`: a custom object that `init` may define.
#[derive(Debug)]
pub(crate) struct ObjectDoc {
    pub(crate) name: At<String>,
    pub(crate) singular: String,
    pub(crate) plural: String,
    pub(crate) primary_display: At<String>,
    pub(crate) associated: Vec<String>,
}

/// `[[links]]`.
#[derive(Debug)]
pub(crate) struct LinkDoc {
    pub(crate) name: At<String>,
    pub(crate) collection: At<String>,
    pub(crate) object: At<String>,
    pub(crate) direction: Direction,
    pub(crate) sync_key: Option<At<String>>,
    pub(crate) match_on: Vec<MatchDoc>,
    pub(crate) first_contact: FirstContact,
    pub(crate) creates: Option<At<Creates>>,
    pub(crate) conflict: Option<At<Conflict>>,
    pub(crate) scope: ScopeDoc,
    pub(crate) hubspot_scope: ScopeDoc,
    pub(crate) on_exit: OnDelete,
    pub(crate) on_delete: OnDeleteDoc,
    pub(crate) secret: Vec<At<String>>,
    /// Whether every field could be read, so that what misses among them is certain.
    pub(crate) whole: bool,
    pub(crate) fields: Vec<FieldDoc>,
    pub(crate) associations: Vec<AssociationDoc>,
}

/// One of `match`.
#[derive(Debug)]
pub(crate) struct MatchDoc {
    pub(crate) property: At<String>,
    /// The evidence is a hint for a person, not enough to adopt a record.
    pub(crate) weak: bool,
}

/// Where records that one side alone has are made on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Creates {
    pub(crate) hubspot: bool,
    pub(crate) source: bool,
}

/// `on_delete`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnDeleteDoc {
    pub(crate) source: OnDelete,
    pub(crate) hubspot: OnDelete,
    pub(crate) conflict: OnDeleteConflict,
}

/// Which records belong to a link, or to an association.
#[derive(Debug)]
pub(crate) enum ScopeDoc {
    /// Those for which all of these hold.
    Conditions(Vec<ConditionDoc>),
    /// Those for which this expression is true.
    Expression(At<String>),
}

/// A condition on a record.
#[derive(Debug)]
pub(crate) struct ConditionDoc {
    pub(crate) path: At<String>,
    pub(crate) test: Test,
}

/// What a condition asks of a value. Values are compared by their text.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    In(HashSet<String>),
    NotIn(HashSet<String>),
    Present(bool),
}

/// `[[links.fields]]`.
#[derive(Debug)]
pub(crate) struct FieldDoc {
    pub(crate) source: SourceDoc,
    pub(crate) to: At<String>,
    pub(crate) kind: Option<At<PropertyKind>>,
    pub(crate) chain: Vec<At<Step>>,
    pub(crate) when_empty: WhenEmpty,
    pub(crate) on_bad: OnBad,
    pub(crate) required: bool,
    pub(crate) create: Option<CreateDoc>,
    pub(crate) direction: Option<At<Direction>>,
    pub(crate) conflict: Option<At<Conflict>>,
    pub(crate) order: Vec<At<Value>>,
    pub(crate) ratchet: bool,
    /// Whether the field may write over a value that HubSpot has.
    pub(crate) overwrite: bool,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) consent: Option<ConsentDoc>,
}

/// What a field says of a person's consent, beyond its state.
#[derive(Clone, Debug)]
pub(crate) struct ConsentDoc {
    pub(crate) name: String,
    pub(crate) subscription: Option<String>,
    pub(crate) basis: Option<String>,
    pub(crate) explanation: Option<String>,
}

/// Where a field's value begins.
#[derive(Debug)]
pub(crate) enum SourceDoc {
    /// The first of these paths that is not empty.
    Paths(Vec<At<String>>),
    /// Text with paths in braces.
    Template(At<String>, Vec<TemplatePart>),
    /// These paths' values that are not empty, with a separator between them.
    Concat(Vec<At<String>>, String),
    /// Always the same.
    Constant(At<Value>),
    /// Computed from the record.
    Expression(At<String>),
    /// The id of a pipeline or stage of the file; [`None`] where it is not known yet.
    Named(At<String>, Option<String>),
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum TemplatePart {
    Text(String),
    Path(String),
}

/// What an empty value means.
#[derive(Clone, Debug)]
pub(crate) enum WhenEmpty {
    /// The property is emptied.
    Clear,
    /// The property is left alone.
    Ignore,
    /// This is written.
    Default(At<Value>),
}

/// What a value that a transform or the property refuses means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnBad {
    /// The record is not synced.
    Reject,
    /// The record is synced without this property.
    Leave,
}

/// How to define a property that is missing in HubSpot.
#[derive(Debug)]
pub(crate) struct CreateDoc {
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) group: Option<String>,
    pub(crate) options: Vec<(String, String)>,
}

/// `[[links.associations]]`.
#[derive(Debug)]
pub(crate) struct AssociationDoc {
    pub(crate) name: At<String>,
    pub(crate) to: At<String>,
    pub(crate) key: At<String>,
    pub(crate) chain: Vec<At<Step>>,
    pub(crate) kind: sync_types::EdgeKind,
    pub(crate) inverse: Option<String>,
    pub(crate) when: ScopeDoc,
    pub(crate) required: bool,
    pub(crate) direction: Option<At<Direction>>,
    pub(crate) single: bool,
    pub(crate) parent_first: bool,
}
