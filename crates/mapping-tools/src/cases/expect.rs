//! What a case expects, as the file says it and as a run gives it.

use std::collections::BTreeMap;

use sync_types::Value;
use toml_edit::{Array, Item, Table, value};

use super::Difference;
use super::read::columns;
use crate::values::to_toml;

/// What a mapping makes of a case's input. Values are compared by their text, so that a number, a date and the
/// texts that write them are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The record is not in the link's scope.
    pub out_of_scope: bool,
    /// The properties that are written; the empty value empties one. Those that are left alone do not stand here.
    pub properties: BTreeMap<String, Value>,
    /// The other records' ids, by rule.
    pub associations: BTreeMap<String, Vec<String>>,
    /// The fields that the source is given, by path.
    pub source: BTreeMap<String, Value>,
    /// Why the record is refused, each as `property code`, sorted.
    pub refused: Vec<String>,
    /// Values left out because they are bad, each as `property code`, sorted.
    pub left_out: Vec<String>,
}

impl Expectation {
    pub(super) fn read(item: &Item) -> Result<Expectation, Vec<String>> {
        let Some(table) = item.as_table_like() else {
            return Err(vec!["`expect` is a table".to_owned()]);
        };
        let mut expect = Expectation::default();
        let mut problems = Vec::new();
        for (key, item) in table.iter() {
            let understood = match key {
                "out_of_scope" => item.as_bool().map(|said| expect.out_of_scope = said),
                "properties" => {
                    columns(Some(item)).map(|found| expect.properties = found.into_iter().collect())
                }
                "source" => columns(Some(item)).map(|found| expect.source = found.into_iter().collect()),
                "associations" => item.as_table_like().and_then(|rules| {
                    let rules = rules.iter().map(|(rule, keys)| Some((rule.to_owned(), texts(keys)?)));
                    rules.collect::<Option<_>>().map(|found| expect.associations = found)
                }),
                "refused" => texts(item).map(|found| expect.refused = sorted(found)),
                "left_out" => texts(item).map(|found| expect.left_out = sorted(found)),
                _ => None,
            };
            if understood.is_none() {
                problems.push(format!(
                    "`expect.{key}` is not understood; there is `properties`, `associations`, `source` (tables), \
                     `refused`, `left_out` (lists of `property code`) and `out_of_scope` (true or false)"
                ));
            }
        }
        if problems.is_empty() { Ok(expect) } else { Err(problems) }
    }

    /// As the file says it; what is empty is left out.
    pub(super) fn to_item(&self) -> Item {
        let mut table = Table::new();
        let mut values = |key: &str, entries: &BTreeMap<String, Value>| {
            if !entries.is_empty() {
                let inner: Table =
                    entries.iter().map(|(name, shown)| (name.as_str(), value(to_toml(shown)))).collect();
                table.insert(key, Item::Table(inner));
            }
        };
        values("properties", &self.properties);
        values("source", &self.source);
        if !self.associations.is_empty() {
            let rules: Table =
                self.associations.iter().map(|(rule, keys)| (rule.as_str(), list(keys))).collect();
            table.insert("associations", Item::Table(rules));
        }
        for (key, entries) in [("refused", &self.refused), ("left_out", &self.left_out)] {
            if !entries.is_empty() {
                table.insert(key, list(entries));
            }
        }
        if self.out_of_scope {
            table.insert("out_of_scope", value(true));
        }
        if table.is_empty() {
            // An expectation of nothing is one all the same.
            table.insert("properties", Item::Table(Table::new()));
        }
        // A heading of its own would say nothing.
        table.set_implicit(true);
        Item::Table(table)
    }

    /// Where what was found differs, in the order of names. `hidden` says whose values are not shown.
    pub(super) fn differences(&self, found: &Expectation, hidden: impl Fn(&str) -> bool) -> Vec<Difference> {
        let mut all = Vec::new();
        let mut tell = |what: String, expected: Option<String>, found: Option<String>| {
            if expected != found {
                all.push(Difference { what, expected, found });
            }
        };
        let scope = |out: bool| Some(if out { "out of scope" } else { "in scope" }.to_owned());
        tell("the record".to_owned(), scope(self.out_of_scope), scope(found.out_of_scope));
        for (what, expected, found) in
            [("refused", &self.refused, &found.refused), ("left out", &self.left_out, &found.left_out)]
        {
            tell(what.to_owned(), joined(expected), joined(found));
        }
        let mut compare = |name: String, expected: Option<String>, found: Option<String>| {
            if expected != found && hidden(&name) {
                let masked = |side: &Option<String>, word: &str| side.as_ref().map(|_| word.to_owned());
                tell(name, masked(&expected, "••• (expected)"), masked(&found, "••• (found)"));
            } else {
                tell(name, expected, found);
            }
        };
        for (expected, found) in [(&self.properties, &found.properties), (&self.source, &found.source)] {
            for name in names(expected, found) {
                compare(name.clone(), expected.get(name).map(plain), found.get(name).map(plain));
            }
        }
        for rule in names(&self.associations, &found.associations) {
            let side = |of: &Expectation| of.associations.get(rule).and_then(|keys| joined(keys));
            compare(association(rule), side(self), side(found));
        }
        all
    }
}

/// What a difference calls an association.
pub(super) fn association(rule: &str) -> String {
    format!("association {rule}")
}

fn names<'a, T>(one: &'a BTreeMap<String, T>, other: &'a BTreeMap<String, T>) -> Vec<&'a String> {
    let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
    names.sort();
    names.dedup();
    names
}

/// A value's text; the empty one is said to be empty.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) if text.trim() == text.as_str() && !text.contains(char::is_control) => {
            text.to_string()
        }
        Value::Text(text) => format!("{:?}", text.as_str()),
        other => other.reveal().to_string(),
    }
}

fn joined(entries: &[String]) -> Option<String> {
    (!entries.is_empty()).then(|| entries.join(", "))
}

fn sorted(mut entries: Vec<String>) -> Vec<String> {
    entries.sort();
    entries
}

fn texts(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn list(entries: &[String]) -> Item {
    value(entries.iter().map(String::as_str).collect::<Array>())
}
