//! The reader, the published schema and the reference know the same keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::checker::Check;
use crate::document::seen;

const REFERENCE: &str = include_str!("../../docs/format.md");
const TRANSFORMS: &str = include_str!("../../docs/transforms.md");
const SCHEMA: &str = include_str!("../../docs/mapping.schema.json");

/// Fenced blocks of a language with the name of the file that they are, empty for a whole mapping.
fn blocks(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```") {
        let (first, after) = after.split_once('\n').unwrap();
        let (block, after) = after.split_once("```").unwrap();
        let (language, file) = first.split_once(" file=").unwrap_or((first, ""));
        if ["toml", "csv"].contains(&language) {
            blocks.push((file, block));
        }
        rest = after;
    }
    blocks
}

/// Every transform of the reference, as it is written in a mapping: what stands in backquotes in the first column.
fn transforms() -> Vec<&'static str> {
    let rows = TRANSFORMS.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2))
        .filter(|code| code.starts_with('{'))
        .collect()
}

/// Keys of each table as the schema has them, by the table's name in messages.
fn schema_keys() -> BTreeMap<String, BTreeSet<String>> {
    fn walk(node: &Value, all: &mut BTreeMap<String, BTreeSet<String>>) {
        if let (Some(title), Some(properties)) = (node["title"].as_str(), node["properties"].as_object()) {
            all.insert(title.to_owned(), properties.keys().cloned().collect());
        }
        match node {
            Value::Object(entries) => entries.values().for_each(|node| walk(node, all)),
            Value::Array(items) => items.iter().for_each(|node| walk(node, all)),
            _ => {}
        }
    }
    let mut all = BTreeMap::new();
    walk(&serde_json::from_str(SCHEMA).unwrap(), &mut all);
    all
}

#[test]
fn every_key_stands_in_the_schema_and_in_an_example() {
    let blocks = blocks(REFERENCE);
    let file = |path: &str| {
        let found = blocks.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| String::from("the reference has no such file"))
    };
    seen::forget();
    for (_, example) in blocks.iter().filter(|(name, _)| name.is_empty()) {
        // Whether the example is free of problems is tested from outside.
        let _ = Check::new("example", example).files(&file).run();
    }
    assert!(transforms().len() > 40);
    for transform in transforms() {
        let text = format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'x'\ncollection = 'x'\nobject = 'x'\nsync_key = 'x'\n\
             fields = [{{ from = 'x', to = 'x', transform = [{transform}] }}]\n"
        );
        let _ = Check::new("transform", &text).run();
    }
    let mut schema = schema_keys();
    let transforms = schema.remove("a transform").unwrap();
    let known: BTreeSet<String> = super::chain::TRANSFORMS
        .iter()
        .filter(|(_, example)| !example.is_empty())
        .map(|(name, _)| (*name).to_owned())
        .collect();
    // These may be written without an argument too, and so have no example of one.
    let bare = ["phone", "number", "boolean", "date", "date_time", "round", "split", "join", "to_date"];
    for name in transforms.difference(&known) {
        assert!(
            bare.contains(&name.as_str()),
            "the schema has a transform `{name}`, which the reader has not"
        );
    }
    let lacking: Vec<_> = known.difference(&transforms).collect();
    assert!(lacking.is_empty(), "the schema lacks {lacking:?}");
    let seen = seen::all();
    for (table, keys) in &schema {
        // A row of rates has the user's own keys beside `on`.
        if table == "a row of rates" {
            continue;
        }
        let (known, used) = seen.get(table.as_str()).unwrap_or_else(|| panic!("no example has {table}"));
        assert_eq!(keys, known, "{table}: the schema and the reader differ");
        // Of a transform's keys the reference tells more than it shows.
        if !transforms.contains(table.trim_matches('`')) {
            assert_eq!(known, used, "{table}: a key without an example");
        }
    }
    for (table, (known, _)) in &seen {
        assert!(known.is_empty() || schema.contains_key(*table), "the schema lacks {table}");
    }
}

#[test]
fn every_problem_stands_in_the_list_of_problems() {
    let list = include_str!("../../docs/problems.md");
    let rows: Vec<&str> = list.lines().filter(|line| line.starts_with("| `")).collect();
    let known: Vec<String> = crate::codes::codes()
        .map(|code| {
            format!("| `{code}` | {} |", crate::codes::explain_code(code).unwrap().replace('|', "\\|"))
        })
        .collect();
    assert_eq!(rows, known);
    assert!(crate::codes::codes().is_sorted());
}
