//! Tables become links: which object type, which key, which columns become which properties and associations.

mod link;
mod object;

use sync_types::{PropertyKind, Schema};

use super::chain::{Chain, chain, natural_kind};
use super::evidence::{Evidence, Form, look};
use super::table::{Column, Table};
use super::target::{Fit, Target, fit, targets};
use super::{Request, write};
use crate::names;
use crate::standard::{self, Meaning};

pub(super) use object::object_schema;

/// Below this a suggestion is a guess, and its field says so to whoever reads the mapping.
const LIKELY: f64 = 0.65;
/// From here on nobody needs to look twice.
const SURE: f64 = 0.85;

/// One link of the mapping to be.
#[derive(Debug)]
pub(super) struct LinkPlan {
    pub(super) name: String,
    pub(super) collection: String,
    pub(super) object: String,
    pub(super) object_reason: String,
    /// Labels of a custom object.
    pub(super) custom: Option<(String, String)>,
    pub(super) key: Option<String>,
    pub(super) match_on: Option<&'static str>,
    pub(super) fields: Vec<FieldPlan>,
    pub(super) associations: Vec<AssociationPlan>,
    /// Columns that become nothing, and why.
    pub(super) unmapped: Vec<(String, String)>,
    pub(super) questions: Vec<String>,
}

/// One field.
#[derive(Debug)]
pub(super) struct FieldPlan {
    pub(super) source: Source,
    pub(super) to: String,
    pub(super) kind: PropertyKind,
    pub(super) chain: Chain,
    /// Label and description of a property that `init` makes.
    pub(super) create: Option<(String, Option<String>)>,
    pub(super) confidence: f64,
    pub(super) reason: String,
    /// Why the checker would refuse the field.
    pub(super) dropped: Option<String>,
}

/// Where a field's value begins.
#[derive(Debug)]
pub(super) enum Source {
    Column(String),
    Template(String),
    Constant(String),
}

/// One association.
#[derive(Debug)]
pub(super) struct AssociationPlan {
    pub(super) name: String,
    pub(super) to: String,
    pub(super) key: String,
    pub(super) primary: bool,
    pub(super) reason: String,
}

impl Source {
    pub(super) fn shown(&self) -> String {
        match self {
            Source::Column(path) => path.clone(),
            Source::Template(text) | Source::Constant(text) => format!("({text})"),
        }
    }
}

impl FieldPlan {
    /// What a person has to decide before the field can be trusted.
    pub(super) fn question(&self) -> Option<String> {
        if let Some(why) = &self.dropped {
            return Some(format!("left out, because the checker would refuse it: {why}"));
        }
        let mut parts = self.chain.doubts.clone();
        if self.confidence < LIKELY {
            parts.insert(0, format!("a guess ({:.2})", self.confidence));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    pub(super) fn sureness(&self) -> &'static str {
        if self.confidence >= SURE {
            "sure"
        } else if self.confidence >= LIKELY {
            "likely"
        } else {
            "guess"
        }
    }
}

impl LinkPlan {
    /// Takes a field out of use; whether it was in use.
    pub(super) fn drop_field(&mut self, field: usize, why: &str) -> bool {
        match self.fields.get_mut(field) {
            Some(field) if field.dropped.is_none() => {
                field.dropped = Some(why.to_owned());
                true
            }
            _ => false,
        }
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &FieldPlan> {
        self.fields.iter().filter(|field| field.dropped.is_none())
    }

    pub(super) fn writes(&self, property: &str) -> bool {
        self.live().any(|field| field.to == property)
    }
}

/// What a table's columns look like.
pub(super) struct Seen<'t> {
    pub(super) table: &'t Table,
    /// The words of the table's name.
    pub(super) words: Vec<String>,
    pub(super) columns: Vec<(&'t Column, Evidence)>,
}

impl Seen<'_> {
    fn of(table: &Table) -> Seen<'_> {
        let words = names::words(&table.name);
        let columns = table.columns.iter().map(|column| {
            let mut name = names::words(&column.path);
            name.extend(column.label.as_deref().map(names::words).unwrap_or_default());
            (column, look(column, &name))
        });
        Seen { table, words, columns: columns.collect() }
    }
}

/// Plans a link for every table that has columns.
pub(super) fn plan_links(request: Request<'_>, hubspot: &[Schema]) -> Vec<LinkPlan> {
    let seen: Vec<Seen<'_>> =
        request.tables.iter().filter(|table| !table.columns.is_empty()).map(Seen::of).collect();
    let keys: Vec<Option<String>> = seen.iter().map(object::key_column).collect();
    let mut links: Vec<LinkPlan> = seen
        .iter()
        .zip(&keys)
        .map(|(seen, key)| {
            let guess = object::guess(seen, hubspot);
            LinkPlan {
                name: unique_link_name(&seen.table.name),
                collection: seen.table.name.clone(),
                object: guess.object,
                object_reason: guess.reason,
                custom: guess.custom,
                key: key.clone(),
                match_on: None,
                fields: Vec::new(),
                associations: Vec::new(),
                unmapped: Vec::new(),
                questions: guess.question.into_iter().collect(),
            }
        })
        .collect();
    let ends: Vec<link::End> =
        links.iter().zip(&seen).map(|(link, seen)| link::End::of(link, seen)).collect();
    for (link, seen) in links.iter_mut().zip(&seen) {
        link::fill(link, seen, &ends, request, hubspot);
    }
    number_doubles(&mut links);
    links
}

/// A name that may be part of a sync key.
fn unique_link_name(table: &str) -> String {
    names::internal_name(table).chars().take(36).collect()
}

/// Tables whose names differ only in their marks.
fn number_doubles(links: &mut [LinkPlan]) {
    let mut taken: Vec<String> = Vec::new();
    for link in links {
        let wanted = link.name.clone();
        let mut number = 2;
        while taken.contains(&link.name) {
            link.name = format!("{wanted}_{number}");
            number += 1;
        }
        taken.push(link.name.clone());
    }
}
