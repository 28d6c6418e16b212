//! The mapping file as it is written, before anything in it is compared with a schema.

mod chain;
mod data;
mod field;
mod link;
mod tables;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use sync_types::{FirstContact, PropertyKind, Value};
use toml::de::{DeTable, DeValue};

use crate::document::{At, Node, Table, text, wrong_type};
use crate::functions::Functions;
use crate::problem::{Report, suggest};
use crate::step::Step;
use crate::steps::currency::RateTable;
use crate::steps::lookup::Lookup;
use crate::steps::phone::{Region, find_region, region_codes};
use crate::steps::picklist::Picklist;

/// A mapping file.
#[derive(Debug)]
pub(crate) struct MappingDoc {
    pub(crate) name: At<String>,
    pub(crate) version: u32,
    pub(crate) links: Vec<LinkDoc>,
    pub(crate) objects: Vec<ObjectDoc>,
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
    pub(crate) sync_key: Option<At<String>>,
    pub(crate) match_on: Vec<At<String>>,
    pub(crate) first_contact: FirstContact,
    pub(crate) scope: Vec<ConditionDoc>,
    /// Whether every field could be read, so that what misses among them is certain.
    pub(crate) whole: bool,
    pub(crate) fields: Vec<FieldDoc>,
    pub(crate) associations: Vec<AssociationDoc>,
}

/// A condition on the source record.
#[derive(Debug)]
pub(crate) struct ConditionDoc {
    pub(crate) path: At<String>,
    pub(crate) test: Test,
}

/// What a condition asks of a value. Values are compared by their text.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
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
    pub(crate) when: Vec<ConditionDoc>,
    pub(crate) required: bool,
}

/// What reading a part of the file needs to know of the rest.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) picklists: HashMap<String, Arc<Picklist>>,
    pub(crate) used_picklists: Vec<String>,
    pub(crate) lookups: HashMap<String, Arc<Lookup>>,
    pub(crate) rates: HashMap<String, Arc<RateTable>>,
    pub(crate) functions: Functions,
    pub(crate) region: Option<&'static Region>,
    pub(crate) zone: Option<TimeZone>,
    zones: TimeZoneDatabase,
    /// The file's content in one writing, for its fingerprint.
    pub(crate) canonical: String,
    pub(crate) report: Report,
}

impl Context {
    pub(crate) fn zone(&mut self, name: &At<String>) -> Option<TimeZone> {
        match self.zones.get(&name.value) {
            Ok(zone) => Some(zone),
            Err(_) => {
                self.report.error(
                    "bad-argument",
                    &name.span,
                    format!("there is no time zone `{}`", name.value),
                    "use a name of the IANA database, such as `Europe/Berlin` or `UTC`",
                );
                None
            }
        }
    }

    pub(crate) fn region(&mut self, code: &At<String>) -> Option<&'static Region> {
        let found = find_region(&code.value);
        if found.is_none() {
            self.report.error(
                "bad-argument",
                &code.span,
                format!("the region `{}` is not known here", code.value),
                suggest(
                    &code.value,
                    region_codes(),
                    "use an ISO 3166 code in capitals, or write numbers with their country code",
                ),
            );
        }
        found
    }

    /// One of a set of words.
    pub(crate) fn choice<T: Copy>(&mut self, word: &At<String>, choices: &[(&'static str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == word.value).map(|(_, choice)| *choice);
        if found.is_none() {
            self.report.error(
                "bad-value",
                &word.span,
                format!("`{}` is not one of the words that this key takes", word.value),
                suggest(&word.value, choices.iter().map(|(name, _)| *name), "use one of them"),
            );
        }
        found
    }
}

/// Reads a whole file. What is returned may be incomplete when the report has errors.
pub(crate) fn read(source: &str, functions: &Functions) -> (Option<MappingDoc>, Context) {
    let (root, errors) = DeTable::parse_recoverable(source);
    let mut context = Context {
        picklists: HashMap::new(),
        used_picklists: Vec::new(),
        lookups: HashMap::new(),
        rates: HashMap::new(),
        functions: functions.clone(),
        region: None,
        zone: None,
        zones: TimeZoneDatabase::bundled(),
        canonical: crate::fingerprint::canonical_text(root.get_ref()),
        report: Report::default(),
    };
    for error in errors {
        let span = error.span().unwrap_or_default();
        context.report.error(
            "syntax",
            &span,
            format!("not valid TOML: {}", error.message()),
            "see https://toml.io for how keys, texts and tables are written",
        );
    }
    let mut table = Table::new("the file", root.get_ref(), 0..0);
    let mapping = table.require("mapping", &mut context.report);
    let mapping = mapping.and_then(|node| Table::of("`[mapping]`", node, &mut context.report));
    let (name, version) = mapping.map_or((None, 1), |mut mapping| {
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
    });
    // Tables come first, because chains name them.
    if let Some(node) = table.take("picklists") {
        tables::read_picklists(node, &mut context);
    }
    if let Some(node) = table.take("lookups") {
        data::read_lookups(node, &mut context);
    }
    if let Some(node) = table.take("rates") {
        data::read_rates(node, &mut context);
    }
    let objects = table.tables("objects", "an object", &mut context.report);
    let objects = objects.into_iter().filter_map(|table| tables::read_object(table, &mut context)).collect();
    let links = table.tables("links", "a link", &mut context.report);
    if links.is_empty() {
        table.missing("links", &mut context.report);
    }
    let links = links.into_iter().filter_map(|table| link::read_link(table, &mut context)).collect();
    table.finish(&mut context.report);
    tables::warn_of_unused_picklists(&root, &mut context);
    let doc = name.map(|name| MappingDoc { name, version, links, objects });
    (doc, context)
}

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
fn condition_texts(node: Node<'_>, report: &mut Report) -> Vec<String> {
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
