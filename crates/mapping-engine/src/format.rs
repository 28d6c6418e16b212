//! The mapping's files as they are written, before anything in them is compared with a schema.

pub(crate) mod chain;
mod consent;
mod doc;
pub(crate) mod environment;
mod field;
mod link;
mod lookup;
pub(crate) mod pipeline;
mod rates;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use sync_types::{Conflict, Direction, Value};
use toml::de::{DeTable, DeValue};

use crate::document::{At, Node, Table, placed, text, wrong_type};
use crate::files::{Files, Sources, check_include};
use crate::functions::Functions;
use crate::objects::object_name;
use crate::portal::Portal;
use crate::problem::{Report, nearest};
use crate::steps::currency::RateTable;
use crate::steps::lookup::Lookup;
use crate::steps::phone::{Region, find_region, region_codes};
use crate::steps::picklist::Picklist;
use crate::steps::place;

pub(crate) use doc::*;
use environment::Environment;
use pipeline::Pipelines;

/// What reading a part of the file needs to know of the rest.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) picklists: HashMap<String, Arc<Picklist>>,
    pub(crate) used_picklists: HashSet<String>,
    pub(crate) lookups: HashMap<String, Arc<Lookup>>,
    pub(crate) rates: HashMap<String, Arc<RateTable>>,
    pub(crate) functions: Functions,
    pub(crate) used_lookups: HashSet<String>,
    pub(crate) used_rates: HashSet<String>,
    /// How much text the lookup tables have so far.
    pub(crate) lookup_bytes: usize,
    /// What each lookup table holds, for the fingerprint.
    pub(crate) digests: Vec<(String, u64)>,
    pub(crate) pipelines: Pipelines,
    pub(crate) environment: Environment,
    /// Whether a picklist names owners whose ids are not known.
    pub(crate) asks_owners: bool,
    /// Whether the source's schema is inferred from samples.
    pub(crate) inferred: bool,
    /// Whether what is known of HubSpot's properties is only a part.
    pub(crate) in_part: bool,
    pub(crate) region: Option<&'static Region>,
    pub(crate) zone: Option<TimeZone>,
    zones: TimeZoneDatabase,
    /// The files' content in one writing, for the fingerprint.
    pub(crate) canonical: String,
    pub(crate) report: Report,
}

impl Context {
    pub(crate) fn zone(&mut self, name: &At<String>) -> Option<TimeZone> {
        match self.zones.get(&name.value) {
            Ok(zone) => Some(zone),
            Err(_) => {
                // `Vienna` is `Europe/Vienna`.
                let known: Vec<String> = self.zones.available().map(|zone| zone.to_string()).collect();
                let wanted = name.value.trim().replace(' ', "_");
                let ends = |zone: &&String| {
                    zone.rsplit('/').next().is_some_and(|town| town.eq_ignore_ascii_case(&wanted))
                };
                let near = known.iter().find(ends).map(String::as_str);
                let near = near.or_else(|| nearest(&name.value, known.iter().map(String::as_str)));
                let remedy = near.map_or_else(
                    || String::from("use a name of the IANA database, such as `Europe/Berlin` or `UTC`"),
                    |zone| format!("did you mean `{zone}`?"),
                );
                self.report.error(
                    "bad-argument",
                    &name.span,
                    format!("there is no time zone `{}`", name.value),
                    remedy,
                );
                None
            }
        }
    }

    pub(crate) fn region(&mut self, code: &At<String>) -> Option<&'static Region> {
        let found = find_region(&code.value);
        if found.is_none() {
            // `Austria` is `AT`.
            let meant = place::country(&code.value, place::CountryForm::Alpha2).ok();
            let meant = meant.filter(|meant| *meant != code.value && find_region(meant).is_some());
            let otherwise = "use an ISO 3166 code in capitals, or write numbers with their country code";
            let remedy = meant.map_or_else(
                || self.report.suggest(&code.value, region_codes(), otherwise),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.report.error(
                "bad-argument",
                &code.span,
                format!("the region `{}` is not known here", code.value),
                remedy,
            );
        }
        found
    }

    /// Tells a name that another file of the mapping has given already; in one file TOML itself refuses that.
    pub(crate) fn once(&mut self, what: &str, name: &At<String>, known: bool) {
        if known {
            self.report.error(
                "duplicate-name",
                &name.span,
                format!("the {what} `{}` stands in another file of the mapping too", name.value),
                "keep one of the two, or give them different names",
            );
        }
    }

    /// One of a set of words.
    pub(crate) fn choice<T: Copy>(&mut self, word: &At<String>, choices: &[(&'static str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == word.value).map(|(_, choice)| *choice);
        if found.is_none() {
            self.report.error(
                "bad-value",
                &word.span,
                format!("`{}` is not one of the words that this key takes", word.value),
                self.report.suggest(&word.value, choices.iter().map(|(name, _)| *name), "use one of them"),
            );
        }
        found
    }
}

/// Most links of a file.
const LINKS_MAX: usize = 500;

/// Most custom objects of a file.
const OBJECTS_MAX: usize = 100;

/// What reading depends on beside the files.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) portal: Portal<'a>,
    pub(crate) environment: Option<&'a str>,
    pub(crate) functions: Option<&'a Functions>,
    /// Whether ids that are not known yet must be known now.
    pub(crate) final_ids: bool,
}

/// Reads all files. What is returned may be incomplete when the report has errors.
pub(crate) fn read(sources: &Sources, given: Given<'_>, report: Report) -> (Option<MappingDoc>, Context) {
    let mut context = Context {
        picklists: HashMap::new(),
        used_picklists: HashSet::new(),
        lookups: HashMap::new(),
        rates: HashMap::new(),
        functions: given.functions.cloned().unwrap_or_default(),
        used_lookups: HashSet::new(),
        used_rates: HashSet::new(),
        lookup_bytes: 0,
        digests: Vec::new(),
        pipelines: Pipelines::default(),
        environment: Environment::default(),
        asks_owners: false,
        inferred: false,
        in_part: false,
        region: None,
        zone: None,
        zones: TimeZoneDatabase::bundled(),
        canonical: String::new(),
        report,
    };
    let roots: Vec<DeTable<'_>> =
        sources.files().iter().map(|file| parse(file.base, &file.text, &mut context)).collect();
    let mut tables: Vec<Table<'_>> = roots
        .iter()
        .zip(sources.files())
        .map(|(root, file)| Table::new("the file", root, file.base..file.base))
        .collect();
    for (root, table) in roots.iter().zip(&mut tables) {
        crate::fingerprint::canonical_text(root, &mut context.canonical);
        if let Some(node) = table.take("include") {
            check_include(node, &mut context.report);
        }
    }
    let (name, version) = match tables.first_mut() {
        Some(main) => read_mapping(main, &mut context),
        None => (None, 1),
    };
    // Names come before what uses them: environments, pipelines, tables, then the links' chains.
    environment::read_environments(&mut tables, given, &mut context);
    pipeline::read_pipelines(&mut tables, given, &mut context);
    for node in taken(&mut tables, "picklists") {
        tables::read_picklists(node, given, &mut context);
    }
    for node in taken(&mut tables, "lookups") {
        lookup::read_lookups(node, sources, given.files, &mut context);
    }
    for node in taken(&mut tables, "rates") {
        rates::read_rates(node, &mut context);
    }
    let mut secret = Vec::new();
    for node in taken(&mut tables, "never_leaves_source") {
        secret.extend(tables::read_secret(node, &mut context));
    }
    let mut objects = Vec::new();
    let mut links = Vec::new();
    for table in &mut tables {
        let found = table.tables_up_to("objects", "an object", OBJECTS_MAX, &mut context.report);
        objects.extend(found.into_iter().filter_map(|table| tables::read_object(table, &mut context)));
        let found = table.tables_up_to("links", "a link", LINKS_MAX, &mut context.report);
        links.extend(found.into_iter().map(|table| link::read_link(table, &mut context)));
    }
    if links.is_empty()
        && let Some(main) = tables.first()
    {
        main.missing("links", &mut context.report);
    }
    let mut links: Vec<LinkDoc> = links.into_iter().flatten().collect();
    name_objects(&mut links, &objects);
    for table in tables {
        table.finish(&mut context.report);
    }
    for root in &roots {
        tables::warn_of_unused(root, &mut context);
    }
    tables::warn_of_unused_pipelines(&mut context);
    context.environment.add_to(&mut context.canonical);
    let doc = name.map(|name| MappingDoc { name, version, links, objects, secret });
    (doc, context)
}

/// HubSpot's own object types have one name each from here on. A custom object is called as the file defines it.
fn name_objects(links: &mut [LinkDoc], objects: &[ObjectDoc]) {
    for link in links {
        if !objects.iter().any(|object| object.name.value == link.object.value) {
            link.object.value = object_name(&link.object.value).to_owned();
        }
    }
}

/// Reads one file by itself.
#[cfg(test)]
pub(crate) fn read_alone(
    text: &str,
    functions: &Functions,
) -> (Option<MappingDoc>, crate::problem::Problems) {
    let mut report = Report::default();
    let sources = Sources::load("file", text, &crate::files::NoFiles, &mut report);
    let given = Given {
        files: &crate::files::NoFiles,
        portal: Portal::default(),
        environment: None,
        functions: Some(functions),
        final_ids: false,
    };
    let (doc, context) = read(&sources, given, report);
    (doc, context.report.finish(sources))
}

fn parse<'a>(base: usize, text: &'a str, context: &mut Context) -> DeTable<'a> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or_default();
        context.report.error(
            "syntax",
            &(span.start + base..span.end + base),
            format!("not valid TOML: {}", error.message()),
            "see https://toml.io for how keys, texts and tables are written",
        );
    }
    placed(root.into_inner(), base)
}

/// A key's values over all files.
pub(crate) fn taken<'a>(tables: &mut [Table<'a>], key: &'static str) -> Vec<Node<'a>> {
    tables.iter_mut().filter_map(|table| table.take(key)).collect()
}

/// `[mapping]`, which stands in the main file alone.
fn read_mapping(main: &mut Table<'_>, context: &mut Context) -> (Option<At<String>>, u32) {
    let mapping = main.require("mapping", &mut context.report);
    let Some(mut mapping) = mapping.and_then(|node| Table::of("`[mapping]`", node, &mut context.report))
    else {
        return (None, 1);
    };
    let name = mapping.require_text("name", &mut context.report);
    let version = mapping.count("version", &mut context.report).map_or(1, |version| version.value);
    if let Some(code) = mapping.text("region", &mut context.report) {
        context.region = context.region(&code);
    }
    if let Some(zone) = mapping.text("zone", &mut context.report) {
        context.zone = context.zone(&zone);
    }
    // Free text for people.
    mapping.text("description", &mut context.report);
    mapping.finish(&mut context.report);
    (name, version)
}

/// A word of a table, as a value.
pub(crate) fn word<T: Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    choices: &[(&'static str, T)],
    context: &mut Context,
) -> Option<At<T>> {
    let word = table.text(key, &mut context.report)?;
    let value = context.choice(&word, choices)?;
    Some(At { value, span: word.span })
}

/// The words for directions.
pub(crate) const DIRECTIONS: [(&str, Direction); 3] =
    [("to-hubspot", Direction::ToRight), ("from-hubspot", Direction::ToLeft), ("both", Direction::Both)];

/// The words for who wins.
pub(crate) const CONFLICTS: [(&str, Conflict); 6] = [
    ("source", Conflict::Left),
    ("hubspot", Conflict::Right),
    ("newest", Conflict::Newest),
    ("filled", Conflict::Filled),
    ("furthest", Conflict::Furthest),
    ("ask", Conflict::Ask),
];

/// A text, number or truth value of the file.
pub(crate) fn scalar(node: Node<'_>, report: &mut Report) -> Option<At<Value>> {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::text(text.as_ref()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(value) if value.radix() == 10 => {
            rust_decimal::Decimal::from_str_exact(value.as_str()).map(Value::Number).unwrap_or(Value::Null)
        }
        DeValue::Float(value) => {
            rust_decimal::Decimal::from_str_exact(value.as_str()).map(Value::Number).unwrap_or(Value::Null)
        }
        DeValue::Datetime(value) => date_value(&value.to_string()),
        _ => Value::Null,
    };
    if value.is_null() {
        wrong_type(node, "a text, number, date or truth value that is not empty", report);
        return None;
    }
    Some(At { value, span: node.span() })
}

fn date_value(text: &str) -> Value {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Value::DateTime(instant);
    }
    jiff::civil::Date::strptime("%Y-%m-%d", text).map_or(Value::Null, Value::Date)
}

/// The texts of a condition: one value or a list of them, compared by their text.
fn condition_texts(node: Node<'_>, report: &mut Report) -> HashSet<String> {
    let one = |node: Node<'_>, report: &mut Report| {
        if let DeValue::String(_) = node.get_ref() {
            return text(node, report).map(|text| text.value);
        }
        let value = scalar(node, report)?;
        crate::step::scalar_text(&value.value).map(|text| text.into_owned())
    };
    match node.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(|item| one(item, report)).collect(),
        _ => one(node, report).into_iter().collect(),
    }
}
