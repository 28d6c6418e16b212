//! The mapping book: everything that a mapping says, field by field, for people who decide and do not read TOML.
//!
//! The same mapping gives the same book, byte for byte, so that it can be kept beside the mapping and compared.

mod html;
mod markdown;

use mapping_engine::CheckedMapping;
use serde::Serialize;
use sync_types::{EdgeKind, EdgeRule, Link, Mapper, OnDelete, PropertySpec};

use crate::outline::{AssociationOutline, FieldOutline, LinkOutline, Outline};
use crate::{kinds, standard, words};

/// Keys of a field that the book tells in its own columns.
const TOLD_OF_FIELDS: [&str; 6] = ["kind", "create", "direction", "conflict", "owner", "sensitivity"];
/// Options, each as its value or as `value` (label).
fn option_words(options: &toml::Value) -> String {
    let word = |option: &toml::Value| match option.as_table() {
        Some(table) => {
            let of = |key| table.get(key).map(words::plain);
            let label = of("label").map(|label| format!(" ({label})")).unwrap_or_default();
            format!("`{}`{label}", of("value").unwrap_or_default())
        }
        None => format!("`{}`", words::plain(option)),
    };
    options.as_array().into_iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}

/// The rules of `match`, the best evidence first.
fn match_rules(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Array(items) => items.iter().flat_map(match_rules).collect(),
        toml::Value::Table(table) => {
            let property = table.get("property").map(words::plain).unwrap_or_default();
            let weak = table.get("evidence").and_then(toml::Value::as_str) == Some("weak");
            vec![if weak { format!("`{property}` (a hint for a person)") } else { format!("`{property}`") }]
        }
        other => vec![format!("`{}`", words::plain(other))],
    }
}

/// Keys of a link that the book tells in its own lines.
const TOLD_OF_LINKS: [&str; 5] = ["sync_key", "match", "first_contact", "direction", "creates"];

/// A mapping, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Book {
    name: String,
    version: u32,
    description: Option<String>,
    defaults: Vec<String>,
    links: Vec<Chapter>,
    objects: Vec<String>,
    picklists: Vec<WordTable>,
    tables: Vec<FactTable>,
    at_home: Vec<String>,
    questions: Vec<String>,
    /// How much there is, in words.
    size: String,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Chapter {
    name: String,
    collection: String,
    object: String,
    direction: &'static str,
    description: Option<String>,
    /// What holds for the link as a whole: what and what of it.
    facts: Vec<(String, String)>,
    fields: Vec<Row>,
    edges: Vec<Edge>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    property: String,
    label: Option<String>,
    is_new: bool,
    source: String,
    steps: Vec<String>,
    kind: &'static str,
    direction: &'static str,
    owner: &'static str,
    sensitivity: &'static str,
    empty: String,
    bad: &'static str,
    notes: Vec<String>,
}

/// One association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Edge {
    name: String,
    to: String,
    kind: String,
    key: String,
    when: Option<String>,
    rules: Vec<String>,
}

/// A table of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct WordTable {
    name: String,
    words: Vec<(String, String)>,
    otherwise: String,
    facts: Vec<(String, String)>,
}

/// A lookup, a table of rates, a pipeline or an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct FactTable {
    name: String,
    facts: Vec<(String, String)>,
}

impl Book {
    /// Writes the book of a mapping.
    #[must_use]
    pub fn of(mapping: &CheckedMapping) -> Book {
        let outline = &Outline::of(mapping);
        let links: Vec<Chapter> = mapping
            .links()
            .iter()
            .map(|link| {
                let default = LinkOutline::default();
                chapter(mapping, link, outline.link(&link.name).unwrap_or(&default), outline)
            })
            .collect();
        let defaults = [("region of telephone numbers", &outline.region), ("time zone", &outline.zone)];
        let defaults =
            defaults.into_iter().filter_map(|(what, value)| Some(format!("{what}: {}", value.as_ref()?)));
        let objects = mapping.requirements().objects.iter().filter_map(|object| {
            let schema = object.schema.as_ref()?;
            let with: Vec<&str> = schema.associated.iter().map(sync_types::ObjectType::as_str).collect();
            let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
            Some(format!(
                "`{}`: {} / {}, shown by `{}`{with}",
                object.object, schema.singular, schema.plural, schema.primary_display
            ))
        });
        let at_home = outline.never_leaves_source.iter().flat_map(|(collection, paths)| {
            let of = if collection == "*" { "any collection".to_owned() } else { format!("`{collection}`") };
            paths.iter().map(move |path| format!("`{path}` of {of}"))
        });
        let of_links = outline.links.iter().flat_map(|link| {
            link.never_leaves_source.iter().map(move |path| format!("`{path}` of `{}`", link.name))
        });
        let questions = questions(mapping, outline);
        Book {
            name: mapping.name().to_owned(),
            version: mapping.version(),
            description: outline.description.clone(),
            defaults: defaults.collect(),
            objects: objects.collect(),
            picklists: picklists(outline),
            tables: tables(outline),
            at_home: at_home.chain(of_links).collect(),
            size: size(&links, questions.len()),
            questions,
            links,
        }
    }

    /// The book in Markdown, for a repository.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::write(self)
    }

    /// The book as one HTML file, for a browser or a printer. It loads nothing from anywhere.
    ///
    /// # Errors
    /// The page cannot be rendered, which would be a fault of the kit.
    pub fn to_html(&self) -> Result<String, BookError> {
        html::write(self)
    }
}

/// Why a book could not be rendered.
#[derive(Debug)]
pub struct BookError(minijinja::Error);

impl std::fmt::Display for BookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the mapping book cannot be rendered")
    }
}

impl std::error::Error for BookError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn size(links: &[Chapter], questions: usize) -> String {
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    [
        counted(links.len(), "link", "links"),
        counted(links.iter().map(|link| link.fields.len()).sum(), "field", "fields"),
        counted(links.iter().map(|link| link.edges.len()).sum(), "association", "associations"),
        counted(questions, "open question", "open questions"),
    ]
    .join(", ")
}

fn chapter(mapping: &CheckedMapping, link: &Link, written: &LinkOutline, outline: &Outline) -> Chapter {
    let fields = link.properties.iter().map(|property| {
        let field = written.field(property.name.as_str());
        let made = made(mapping, link, property.name.as_str());
        // Without a portal's schemas the mapping takes what is not said for text; HubSpot's own are known better.
        let known =
            standard::object(link.object.as_str()).and_then(|object| object.property(property.name.as_str()));
        let label = made
            .and_then(|made| made.create.as_ref().map(|create| create.label.clone()))
            .or_else(|| known.map(|known| known.label.to_owned()));
        let mut row = Row {
            property: property.name.to_string(),
            label,
            is_new: made.is_some_and(|made| made.create.is_some()),
            source: String::new(),
            steps: Vec::new(),
            kind: kinds::spoken(known.map_or(property.kind, |known| known.kind)),
            direction: words::direction(property.direction),
            owner: words::owner(property.direction, property.conflict),
            sensitivity: words::sensitivity(property.sensitivity),
            empty: String::new(),
            bad: "",
            notes: Vec::new(),
        };
        if let Some(field) = field {
            say_field(&mut row, field);
        }
        if property.ratchet {
            row.notes.push("only ever moves forward".to_owned());
        }
        row
    });
    let rules = mapping.edge_rules();
    let edges = rules.iter().filter(|rule| from(mapping, rule) == Some(link)).map(|rule| {
        let default = AssociationOutline::default();
        let said = written.associations.iter().find(|said| said.name == rule.name).unwrap_or(&default);
        edge(mapping, rule, said)
    });
    Chapter {
        name: link.name.clone(),
        collection: link.collection.to_string(),
        object: link.object.to_string(),
        direction: words::direction(link.direction),
        description: written.description.clone(),
        facts: facts(link, written, outline),
        fields: fields.collect(),
        edges: edges.collect(),
    }
}

fn say_field(row: &mut Row, field: &FieldOutline) {
    row.source = words::source(field);
    row.steps = field.chain.iter().map(words::step).collect();
    row.empty = words::when_empty(field);
    row.bad = words::on_bad(field);
    row.notes.extend(field.note.clone());
    if let Some(create) = field.rest.get("create").and_then(toml::Value::as_table) {
        row.notes.extend(create.get("description").map(words::plain));
        row.notes.extend(create.get("group").map(|group| format!("in the group `{}`", words::plain(group))));
        row.notes.extend(create.get("options").map(|options| format!("options: {}", option_words(options))));
    }
    let others = field.rest.iter().filter(|(key, _)| !TOLD_OF_FIELDS.contains(&key.as_str()));
    row.notes.extend(others.map(|(key, value)| format!("{key}: {}", words::plain(value))));
}

fn facts(link: &Link, written: &LinkOutline, outline: &Outline) -> Vec<(String, String)> {
    let mut facts = vec![("found again by".to_owned(), format!("`{}`", link.sync_key))];
    let mut add = |what: &str, of_it: String| facts.push((what.to_owned(), of_it));
    let matched = written.rest.get("match").map(match_rules).unwrap_or_default();
    let recognised = if matched.is_empty() { "nothing else".to_owned() } else { matched.join(", then ") };
    add("recognised by", recognised);
    add("at first contact", words::first_contact(link.first_contact).to_owned());
    let scope = written.scope.as_ref().map_or_else(|| "every record".to_owned(), words::conditions);
    add("in scope", scope);
    if link.on_scope_exit != OnDelete::Keep {
        add("when a record leaves the scope", words::on_delete(link.on_scope_exit).to_owned());
    }
    if link.direction.to_left() || link.on_left_delete != OnDelete::Keep {
        add("when the source deletes", words::on_delete(link.on_left_delete).to_owned());
    }
    if link.direction.to_left() {
        add("when HubSpot deletes", words::on_delete(link.on_right_delete).to_owned());
        add("deleted here, changed there", words::on_delete_conflict(link.on_delete_conflict).to_owned());
    }
    if !link.creates_right {
        add("new records of the source", "are not made in HubSpot".to_owned());
    }
    if link.creates_left {
        add("new records of HubSpot", "are made in the source".to_owned());
    }
    let unsaid = written.rest.iter().filter(|(key, _)| !TOLD_OF_LINKS.contains(&key.as_str()));
    for (key, value) in unsaid {
        add(key, words::plain(value));
    }
    let at_home: Vec<String> = outline.at_home(written).map(|path| format!("`{path}`")).collect();
    if !at_home.is_empty() {
        add("never leaves the source", at_home.join(", "));
    }
    facts
}

fn edge(mapping: &CheckedMapping, rule: &EdgeRule, said: &AssociationOutline) -> Edge {
    let kind = match (&rule.kind, &said.inverse) {
        (EdgeKind::Plain, _) => "plain".to_owned(),
        (EdgeKind::Primary, _) => "primary".to_owned(),
        (EdgeKind::Label(label), Some(inverse)) => format!("“{label}”, seen from there “{inverse}”"),
        (EdgeKind::Label(label), None) => format!("“{label}”"),
    };
    let steps: Vec<String> = said.chain.iter().map(words::step).collect();
    let key = if steps.is_empty() {
        format!("`{}`", said.key)
    } else {
        format!("`{}`, {}", said.key, steps.join(", "))
    };
    let mut rules = Vec::new();
    if said.required {
        rules.push("a record without it is refused".to_owned());
    }
    if rule.single {
        rules.push("at most one".to_owned());
    }
    if rule.parent_first {
        rules.push("the other record is made first".to_owned());
    }
    if rule.direction != sync_types::Direction::ToRight {
        rules.push(words::direction(rule.direction).to_owned());
    }
    rules.extend(said.note.clone());
    let far = mapping.links().get(usize::from(rule.to.0));
    Edge {
        name: rule.name.clone(),
        to: far.map(|far| far.name.clone()).unwrap_or_default(),
        kind,
        key,
        when: said.when.as_ref().map(words::conditions),
        rules,
    }
}

fn from<'m>(mapping: &'m CheckedMapping, rule: &EdgeRule) -> Option<&'m Link> {
    mapping.links().get(usize::from(rule.from.0))
}

/// What `init` has to see to for a property.
fn made<'m>(mapping: &'m CheckedMapping, link: &Link, property: &str) -> Option<&'m PropertySpec> {
    let object = mapping.requirements().objects.iter().find(|object| object.object == link.object)?;
    object.properties.iter().find(|known| known.name == property)
}

fn picklists(outline: &Outline) -> Vec<WordTable> {
    let tables = outline.picklists.iter().map(|(name, table)| WordTable {
        name: name.clone(),
        words: table.map.iter().map(|(word, option)| (word.clone(), option.clone())).collect(),
        otherwise: match (&table.default, table.ignore_case) {
            (Some(default), _) => format!("every other word becomes `{default}`"),
            (None, true) => "another word is refused; case does not matter".to_owned(),
            (None, false) => "another word is refused".to_owned(),
        },
        facts: facts_of(&table.rest),
    });
    tables.collect()
}

fn tables(outline: &Outline) -> Vec<FactTable> {
    let kinds = outline.others.iter().flat_map(|(kind, tables)| {
        tables.iter().filter_map(move |(name, table)| {
            Some(FactTable { name: format!("{kind}.{name}"), facts: facts_of(table.as_table()?) })
        })
    });
    kinds.collect()
}

/// A table's entries, those of nested tables one by one.
fn facts_of(table: &toml::Table) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => {
                facts.extend(
                    facts_of(inner).into_iter().map(|(below, said)| (format!("{key}, {below}"), said)),
                );
            }
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                facts.extend(items.iter().map(|item| (key.clone(), words::plain(item))));
            }
            // A table in the mapping itself is as long as it likes.
            toml::Value::String(text) if key == "csv" => {
                facts.push((
                    key.clone(),
                    format!("{} rows in the mapping", text.trim().lines().count().max(1) - 1),
                ));
            }
            other => facts.push((key.clone(), words::plain(other))),
        }
    }
    facts
}

/// Notes that ask, and what the checker warns of.
fn questions(mapping: &CheckedMapping, outline: &Outline) -> Vec<String> {
    let asks = |note: &str| note.contains('?') || note.contains("to decide") || note.contains("TBD");
    let mut questions = Vec::new();
    for link in &outline.links {
        if let Some(said) = link.description.as_ref().filter(|said| asks(said)) {
            questions.push(format!("`{}`: {said}", link.name));
        }
        let fields = link.fields.iter().map(|field| (&field.to, &field.note));
        let edges = link.associations.iter().map(|edge| (&edge.name, &edge.note));
        for (what, note) in fields.chain(edges) {
            if let Some(note) = note.as_ref().filter(|note| asks(note)) {
                questions.push(format!("`{}.{what}`: {note}", link.name));
            }
        }
    }
    let warnings = mapping.warnings().list().iter();
    questions.extend(warnings.map(|warning| format!("{} ({})", warning.reason, warning.remedy)));
    questions
}

#[cfg(test)]
mod tests;
