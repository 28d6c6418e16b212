//! What the pages show, already picked and ordered; the templates only lay it out.

use serde::Serialize;

/// What every page shows around its own part.
#[derive(Debug, Serialize)]
pub(super) struct Shell {
    pub(super) portal_id: u64,
    pub(super) tier: String,
    /// Portal time, for a person.
    pub(super) now: String,
    pub(super) types: Vec<TypeCount>,
}

/// One object type and how many records of it there are.
#[derive(Debug, Serialize)]
pub(super) struct TypeCount {
    /// Its name in paths.
    pub(super) name: String,
    pub(super) type_id: String,
    pub(super) label: String,
    pub(super) count: u64,
}

/// A page's own part inside the shell.
#[derive(Debug, Serialize)]
pub(super) struct View<T> {
    pub(super) shell: Shell,
    /// The name of the type whose pages these are; empty for the overview.
    pub(super) current: String,
    pub(super) page: T,
}

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    pub(super) total: u64,
    pub(super) associations: usize,
    pub(super) calls: Vec<Stat>,
}

#[derive(Debug, Serialize)]
pub(super) struct Stat {
    pub(super) label: &'static str,
    pub(super) count: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) query: String,
    pub(super) total: u64,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// Positions of the first and the last row shown, from 1.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Numbers of the pages before and after, from 1.
    pub(super) previous: Option<usize>,
    pub(super) next: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) number: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) number: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) archived: bool,
    /// ISO 8601.
    pub(super) created: String,
    /// ISO 8601.
    pub(super) updated: String,
    pub(super) properties: Vec<Property>,
    pub(super) association_count: usize,
    pub(super) associations: Vec<Links>,
    pub(super) history: Vec<Change>,
}

#[derive(Debug, Serialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) value: String,
}

/// Associated records of one type.
#[derive(Debug, Serialize)]
pub(super) struct Links {
    pub(super) name: String,
    pub(super) label: String,
    /// How many there are; not all of them may be listed.
    pub(super) total: usize,
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) labels: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Change {
    /// ISO 8601.
    pub(super) when: String,
    pub(super) property: String,
    pub(super) value: String,
    pub(super) source: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Missing {
    pub(super) what: &'static str,
}
