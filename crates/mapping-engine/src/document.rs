//! Walks a TOML document with places, so that every key and type mistake is told at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Report, Span};

/// A value and where it stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A value of the document.
pub(crate) type Node<'a> = &'a Spanned<DeValue<'a>>;

/// Moves every place in a file's table to where the file begins among all files.
pub(crate) fn placed<'a>(table: DeTable<'a>, base: usize) -> DeTable<'a> {
    if base == 0 {
        return table;
    }
    table
        .into_iter()
        .map(|(key, node)| {
            let span = key.span();
            let key = Spanned::new(span.start + base..span.end + base, key.into_inner());
            (key, place_node(node, base))
        })
        .collect()
}

fn place_node<'a>(node: Spanned<DeValue<'a>>, base: usize) -> Spanned<DeValue<'a>> {
    let span = node.span();
    let value = match node.into_inner() {
        DeValue::Table(table) => DeValue::Table(placed(table, base)),
        DeValue::Array(items) => {
            DeValue::Array(items.into_iter().map(|item| place_node(item, base)).collect())
        }
        value => value,
    };
    Spanned::new(span.start + base..span.end + base, value)
}

/// A table that is being read. Keys that nobody asked for are problems when the reading is finished.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// What the table is, for messages: `a field`.
    what: &'static str,
    span: Span,
    entries: Vec<Entry<'a>>,
    known: Vec<&'static str>,
}

#[derive(Debug)]
struct Entry<'a> {
    key: &'a str,
    key_span: Span,
    node: Node<'a>,
    used: bool,
}

impl<'a> Table<'a> {
    pub(crate) fn new(what: &'static str, table: &'a DeTable<'a>, span: Span) -> Table<'a> {
        let mut entries: Vec<Entry<'a>> = table
            .iter()
            .map(|(key, node)| Entry { key: key.get_ref(), key_span: key.span(), node, used: false })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        Table { what, span, entries, known: Vec::new() }
    }

    /// Reads a value as a table, or tells that it is none.
    pub(crate) fn of(what: &'static str, node: Node<'a>, report: &mut Report) -> Option<Table<'a>> {
        if let DeValue::Table(table) = node.get_ref() {
            return Some(Table::new(what, table, node.span()));
        }
        wrong_type(node, "a table", report);
        None
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// The value of a key, which is known from now on.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.known.push(key);
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        entry.used = true;
        Some(entry.node)
    }

    /// All entries in the order of the file, for tables whose keys are the user's own.
    pub(crate) fn take_all(&mut self) -> Vec<(At<&'a str>, Node<'a>)> {
        self.entries
            .iter_mut()
            .map(|entry| {
                entry.used = true;
                (At { value: entry.key, span: entry.key_span.clone() }, entry.node)
            })
            .collect()
    }

    pub(crate) fn require(&mut self, key: &'static str, report: &mut Report) -> Option<Node<'a>> {
        let node = self.take(key);
        if node.is_none() {
            self.missing(key, report);
        }
        node
    }

    pub(crate) fn missing(&self, key: &str, report: &mut Report) {
        report.error(
            "missing-key",
            &self.span,
            format!("{} needs the key `{key}`", self.what),
            format!("add `{key} = …`"),
        );
    }

    pub(crate) fn text(&mut self, key: &'static str, report: &mut Report) -> Option<At<String>> {
        let node = self.take(key)?;
        text(node, report)
    }

    pub(crate) fn require_text(&mut self, key: &'static str, report: &mut Report) -> Option<At<String>> {
        let node = self.require(key, report)?;
        text(node, report)
    }

    pub(crate) fn flag(&mut self, key: &'static str, report: &mut Report) -> Option<bool> {
        let node = self.take(key)?;
        if let DeValue::Boolean(value) = node.get_ref() {
            return Some(*value);
        }
        wrong_type(node, "true or false", report);
        None
    }

    pub(crate) fn count(&mut self, key: &'static str, report: &mut Report) -> Option<At<u32>> {
        let node = self.take(key)?;
        count(node, report)
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<At<String>>> {
        let node = self.take(key)?;
        Some(texts(node, report))
    }

    /// As [`Table::tables`], but not more than so many.
    pub(crate) fn tables_up_to(
        &mut self,
        key: &'static str,
        what: &'static str,
        max: usize,
        report: &mut Report,
    ) -> Vec<Table<'a>> {
        let mut tables = self.tables(key, what, report);
        if let Some(first) = tables.get(max) {
            report.error(
                "too-many",
                &first.span,
                format!("{} has at most {max} `{key}`", self.what),
                "leave out what nobody uses, or spread it over several links",
            );
            tables.truncate(max);
        }
        tables
    }

    /// The tables of an array of tables.
    pub(crate) fn tables(
        &mut self,
        key: &'static str,
        what: &'static str,
        report: &mut Report,
    ) -> Vec<Table<'a>> {
        let Some(node) = self.take(key) else { return Vec::new() };
        match node.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| Table::of(what, item, report)).collect(),
            _ => {
                wrong_type(node, "an array of tables", report);
                Vec::new()
            }
        }
    }

    /// Tells every key that nobody asked for.
    pub(crate) fn finish(self, report: &mut Report) {
        #[cfg(test)]
        seen::note(
            self.what,
            &self.known,
            self.entries.iter().filter(|entry| entry.used).map(|entry| entry.key),
        );
        for entry in self.entries.iter().filter(|entry| !entry.used) {
            let remedy = report.suggest(entry.key, self.known.iter().copied(), "remove it");
            let reason = format!("{} has no key `{}`", self.what, entry.key);
            report.error("unknown-key", &entry.key_span, reason, remedy);
        }
    }
}

pub(crate) fn text(node: Node<'_>, report: &mut Report) -> Option<At<String>> {
    if let DeValue::String(value) = node.get_ref() {
        return Some(At { value: value.clone().into_owned(), span: node.span() });
    }
    wrong_type(node, "a text in quotes", report);
    None
}

/// Longest list of texts: paths of one field, words of one state.
const TEXTS_MAX: usize = 1_000;

pub(crate) fn texts(node: Node<'_>, report: &mut Report) -> Vec<At<String>> {
    match node.get_ref() {
        DeValue::Array(items) if items.len() > TEXTS_MAX => {
            let reason = format!("a list has at most {TEXTS_MAX} texts");
            report.error("too-many", &node.span(), reason, "leave out what nobody uses");
            Vec::new()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| text(item, report)).collect(),
        DeValue::String(_) => text(node, report).into_iter().collect(),
        _ => {
            wrong_type(node, "a text or a list of texts", report);
            Vec::new()
        }
    }
}

pub(crate) fn count(node: Node<'_>, report: &mut Report) -> Option<At<u32>> {
    if let DeValue::Integer(value) = node.get_ref()
        && value.radix() == 10
        && let Ok(value) = value.as_str().parse::<u32>()
    {
        return Some(At { value, span: node.span() });
    }
    wrong_type(node, "a whole number from 0", report);
    None
}

pub(crate) fn wrong_type(node: Node<'_>, wanted: &str, report: &mut Report) {
    report.error(
        "wrong-type",
        &node.span(),
        format!("this is {}, not {wanted}", article(node.get_ref().type_str())),
        format!("write {wanted}"),
    );
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Which tables and keys were read, for the test that holds the reader against the schema and the reference.
#[cfg(test)]
pub(crate) mod seen {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    /// By table: the keys that it may have, and those that some file had.
    type Seen = BTreeMap<&'static str, (BTreeSet<String>, BTreeSet<String>)>;

    thread_local! {
        static SEEN: RefCell<Seen> = const { RefCell::new(BTreeMap::new()) };
    }

    pub(super) fn note<'a>(what: &'static str, known: &[&'static str], used: impl Iterator<Item = &'a str>) {
        SEEN.with_borrow_mut(|seen| {
            let (all, found) = seen.entry(what).or_default();
            all.extend(known.iter().map(|key| (*key).to_owned()));
            found.extend(used.map(str::to_owned));
        });
    }

    pub(crate) fn forget() {
        SEEN.with_borrow_mut(BTreeMap::clear);
    }

    pub(crate) fn all() -> Seen {
        SEEN.with_borrow(Clone::clone)
    }
}
