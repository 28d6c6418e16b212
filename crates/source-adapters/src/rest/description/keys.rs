//! Walks a TOML document with places, so that every mistake in it is told at once.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::pointer::Pointer;
use super::super::problem::Report;
use super::super::template::Template;

/// A value and where it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A value of the document.
pub(super) type Node<'a> = &'a Spanned<DeValue<'a>>;

/// A table that is being read. When it is dropped, keys that nobody asked for are told.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    /// What the table is, for messages: "a collection".
    what: &'static str,
    pub(super) span: Range<usize>,
    pub(super) report: &'a Report,
    entries: Vec<Entry<'a>>,
    known: RefCell<Vec<&'static str>>,
}

#[derive(Debug)]
struct Entry<'a> {
    key: &'a str,
    span: Range<usize>,
    node: Node<'a>,
    used: Cell<bool>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        what: &'static str,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        report: &'a Report,
    ) -> Keys<'a> {
        let entry = |(key, node): (&'a Spanned<_>, Node<'a>)| {
            let key: &'a Spanned<std::borrow::Cow<'a, str>> = key;
            Entry { key: key.get_ref(), span: key.span(), node, used: Cell::new(false) }
        };
        let entries = table.iter().map(entry).collect();
        Keys { what, span, report, entries, known: RefCell::default() }
    }

    /// Reads a value as a table, or tells that it is none.
    pub(super) fn of(what: &'static str, node: Node<'a>, report: &'a Report) -> Option<Keys<'a>> {
        if let DeValue::Table(table) = node.get_ref() {
            return Some(Keys::new(what, table, node.span(), report));
        }
        wrong_type(node, "a table", report);
        None
    }

    /// The value of a key, which is known from now on.
    pub(super) fn take(&self, key: &'static str) -> Option<Node<'a>> {
        self.known.borrow_mut().push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        entry.used.set(true);
        Some(entry.node)
    }

    /// All entries in the order of the file, for tables whose keys are the user's own.
    pub(super) fn take_all(&self) -> Vec<(At<&'a str>, Node<'a>)> {
        let mut entries: Vec<&Entry<'a>> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.span.start);
        let all = entries.into_iter().map(|entry| {
            entry.used.set(true);
            (At { value: entry.key, span: entry.span.clone() }, entry.node)
        });
        all.collect()
    }

    /// Tells something about the table as a whole.
    pub(super) fn tell(&self, code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) {
        self.report.tell(self.span.clone(), code, reason, remedy);
    }

    /// Tells something about the value of a key, or about the table where the key is not there.
    pub(super) fn tell_at(
        &self,
        key: &str,
        code: &'static str,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let at = entry.map_or_else(|| self.span.clone(), |entry| entry.node.span());
        self.report.tell(at, code, reason, remedy);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    fn require(&self, key: &'static str) -> Option<Node<'a>> {
        let node = self.take(key);
        if node.is_none() {
            self.tell(
                "missing-key",
                format!("{} needs the key `{key}`", self.what),
                format!("add `{key} = …`"),
            );
        }
        node
    }

    pub(super) fn text(&self, key: &'static str) -> Option<At<String>> {
        self.take(key).and_then(|node| text(node, self.report))
    }

    pub(super) fn required_text(&self, key: &'static str) -> Option<At<String>> {
        self.require(key).and_then(|node| text(node, self.report))
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        if let DeValue::Boolean(value) = node.get_ref() {
            return Some(*value);
        }
        wrong_type(node, "true or false", self.report);
        None
    }

    /// A whole number of at least `least`.
    pub(super) fn count(&self, key: &'static str, least: u64) -> Option<u64> {
        let node = self.take(key)?;
        if let DeValue::Integer(value) = node.get_ref()
            && value.radix() == 10
            && let Ok(value) = value.as_str().parse::<u64>()
            && value >= least
        {
            return Some(value);
        }
        wrong_type(node, &format!("a whole number from {least}"), self.report);
        None
    }

    /// A length of time, such as `"30s"`, `"5m"`, `"2h"` or `"7d"`.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        let read = self.text(key)?;
        let parsed = duration(&read.value);
        if parsed.is_none() {
            let remedy = "write a number and a unit: \"30s\", \"5m\", \"2h\" or \"7d\"";
            self.report.tell(read.span, "bad-duration", format!("`{key}` is no length of time"), remedy);
        }
        parsed
    }

    /// A JSON pointer, such as `/data/0/id`; empty for the whole document.
    pub(super) fn pointer(&self, key: &'static str) -> Option<Pointer> {
        let read = self.text(key)?;
        self.as_pointer(key, read)
    }

    pub(super) fn required_pointer(&self, key: &'static str) -> Option<Pointer> {
        let read = self.required_text(key)?;
        self.as_pointer(key, read)
    }

    fn as_pointer(&self, key: &'static str, read: At<String>) -> Option<Pointer> {
        let parsed = Pointer::parse(&read.value);
        if parsed.is_none() {
            let remedy = "write a JSON pointer such as \"/data/items\", or \"\" for the whole answer";
            self.report.tell(read.span, "bad-pointer", format!("`{key}` is no JSON pointer"), remedy);
        }
        parsed
    }

    /// One of these words, with its meaning.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let read = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == read.value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let reason = format!("`{key}` is `{}`, which is none of its words", read.value);
            self.report.tell(read.span, "unknown-word", reason, nearest(&read.value, &names, "choose one"));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// As [`Keys::word`], told when it is missing. Without the word nobody knows which other keys there are, so that they
    /// are not told.
    pub(super) fn required_word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        if !self.has(key) {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let reason = format!("{} needs the key `{key}`", self.what);
            self.tell("missing-key", reason, format!("add `{key} = …`: `{}`", names.join("`, `")));
        }
        let found = self.word(key, words);
        if found.is_none() {
            self.entries.iter().for_each(|entry| entry.used.set(true));
        }
        found
    }

    /// A text with places to be filled in, whose names have to be among `allowed`.
    pub(super) fn template(&self, key: &'static str, allowed: &[&str]) -> Option<Template> {
        let read = self.text(key)?;
        template(&read, allowed, self.report)
    }

    pub(super) fn required_template(&self, key: &'static str, allowed: &[&str]) -> Option<Template> {
        let read = self.required_text(key)?;
        template(&read, allowed, self.report)
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &'static str, what: &'static str) -> Option<Keys<'a>> {
        self.take(key).and_then(|node| Keys::of(what, node, self.report))
    }

    /// The tables of an array of tables.
    pub(super) fn tables(&self, key: &'static str, what: &'static str) -> Vec<Keys<'a>> {
        let Some(node) = self.take(key) else { return Vec::new() };
        match node.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| Keys::of(what, item, self.report)).collect()
            }
            _ => {
                wrong_type(node, "an array of tables", self.report);
                Vec::new()
            }
        }
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        let known = self.known.borrow();
        for entry in self.entries.iter().filter(|entry| !entry.used.get()) {
            let reason = format!("{} has no key `{}`", self.what, entry.key);
            self.report.tell(
                entry.span.clone(),
                "unknown-key",
                reason,
                nearest(entry.key, &known, "remove it"),
            );
        }
    }
}

pub(super) fn text(node: Node<'_>, report: &Report) -> Option<At<String>> {
    if let DeValue::String(value) = node.get_ref() {
        return Some(At { value: value.clone().into_owned(), span: node.span() });
    }
    wrong_type(node, "a text in quotes", report);
    None
}

pub(super) fn template(read: &At<String>, allowed: &[&str], report: &Report) -> Option<Template> {
    let parsed = match Template::parse(&read.value) {
        Ok(parsed) => parsed,
        Err(reason) => {
            let remedy = "write `{name}` for what is filled in, and `{{` for a brace";
            report.tell(read.span.clone(), "bad-template", reason, remedy);
            return None;
        }
    };
    for name in parsed.names().filter(|name| !allowed.contains(name)) {
        let reason = format!("there is nothing to put in place of `{{{name}}}` here");
        let remedy = nearest(name, allowed, "write it without braces, or name it in [variables]");
        report.tell(read.span.clone(), "unknown-place", reason, remedy);
    }
    Some(parsed)
}

pub(super) fn wrong_type(node: Node<'_>, wanted: &str, report: &Report) {
    let reason = format!("here stands something of the type {}, not {wanted}", node.get_ref().type_str());
    report.tell(node.span(), "wrong-type", reason, format!("write {wanted}"));
}

/// The known name most like a wrong one, or all that there are.
pub(super) fn nearest(wrong: &str, known: &[&str], otherwise: &str) -> String {
    let measured = known.iter().map(|name| (strsim::damerau_levenshtein(wrong, name), *name));
    match measured.min() {
        Some((distance, name)) if distance <= 2.max(wrong.len() / 4) => format!("did you mean `{name}`?"),
        Some(_) => format!("{otherwise}; there is `{}`", known.join("`, `")),
        None => otherwise.to_owned(),
    }
}

/// A number and a unit of seconds, minutes, hours or days.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    // Ten years are longer than anything that a description has to say.
    number.checked_mul(unit).filter(|seconds| *seconds <= 315_360_000).map(Duration::from_secs)
}
