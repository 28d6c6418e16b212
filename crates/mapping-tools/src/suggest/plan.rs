//! Tables become links: which object type, which key, which columns become which properties and associations.

mod aside;
mod link;
mod object;

use sync_types::{PropertyKind, Schema};

use super::Request;
use super::chain::{chain, natural_kind};
use super::evidence::{Evidence, Form, look};
use super::table::{Column, Table};
use super::target::{Fit, Target, fit, targets};
use crate::draft::{self, AssociationDraft, Chain, FieldDraft, LinkDraft, Source};
use crate::names;
use crate::standard::{self, Meaning};

use object::object_schema;

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
pub(super) fn plan_links(request: Request<'_>, hubspot: &[Schema]) -> Vec<LinkDraft> {
    let seen: Vec<Seen<'_>> =
        request.tables.iter().filter(|table| !table.columns.is_empty()).map(Seen::of).collect();
    let keys: Vec<Option<String>> = seen.iter().map(object::key_column).collect();
    let mut links: Vec<LinkDraft> = seen
        .iter()
        .zip(&keys)
        .map(|(seen, key)| {
            let guess = object::guess(seen, hubspot);
            LinkDraft {
                name: draft::link_name(&seen.table.name),
                collection: seen.table.name.clone(),
                object: guess.object,
                reason: guess.reason,
                custom: guess.custom,
                key: key.clone(),
                questions: guess.question.into_iter().collect(),
                ..LinkDraft::default()
            }
        })
        .collect();
    let ends: Vec<aside::End> =
        links.iter().zip(&seen).map(|(link, seen)| aside::End::of(link, seen)).collect();
    for (link, seen) in links.iter_mut().zip(&seen) {
        link::fill(link, seen, &ends, request, hubspot);
    }
    links
}
