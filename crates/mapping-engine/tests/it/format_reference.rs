//! The format's reference holds what it says: every example is a whole mapping without a problem, every key and
//! transform of the reference is in an example.

use mapping_engine::{Check, Portal};
use serde_json::Value;

use super::json_schema;

const REFERENCE: &str = include_str!("../../docs/format.md");
const TRANSFORMS: &str = include_str!("../../docs/transforms.md");
const SCHEMA: &str = include_str!("../../docs/mapping.schema.json");

/// Fenced blocks: the language, the file that it is (empty for a whole mapping), and the text.
fn blocks() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = REFERENCE;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (first, after) = after.split_once('\n').unwrap();
        let (block, after) = after.split_once("```").unwrap();
        let (language, file) = first.split_once(" file=").unwrap_or((first, ""));
        blocks.push((language, file, block));
        rest = after;
    }
    blocks
}

fn examples() -> Vec<&'static str> {
    blocks()
        .into_iter()
        .filter(|(language, file, _)| *language == "toml" && file.is_empty())
        .map(|block| block.2)
        .collect()
}

fn file(path: &str) -> Result<String, String> {
    let found = blocks().into_iter().find(|(_, file, _)| *file == path);
    found.map(|(_, _, text)| text.to_owned()).ok_or_else(|| String::from("the reference shows no such file"))
}

#[test]
fn every_example_is_a_mapping_without_a_problem() {
    assert!(examples().len() >= 16);
    for example in examples() {
        let mut check = Check::new("example", example).files(&file);
        if example.contains("portal = 7654321") {
            check = check.portal(Portal { id: Some(7_654_321), ..Portal::default() });
        } else if example.contains("[environments.") {
            check = check.environment("production");
        }
        let mapping = check.run().unwrap_or_else(|problems| panic!("{problems}"));
        assert!(mapping.warnings().list().is_empty(), "{}", mapping.warnings());
    }
}

/// A TOML value as editors hold it against a schema: dates are texts.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        other => serde_json::to_value(other).unwrap(),
    }
}

#[test]
fn every_example_has_the_form_of_the_published_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let files = blocks().into_iter().filter(|(language, ..)| *language == "toml");
    for (_, _, text) in files {
        let value = json(toml::Value::Table(text.parse().unwrap()));
        assert_eq!(json_schema::faults(&schema, &schema, &value, "file"), [""; 0], "{text}");
    }
    let chain = &schema["$defs"]["transform"];
    let rows = TRANSFORMS.lines().filter(|line| line.starts_with("| `"));
    let mut transforms = 0;
    for code in rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2)) {
        if code.starts_with('{') {
            let table: toml::Table =
                format!("t = {code}").parse().unwrap_or_else(|error| panic!("{code}: {error}"));
            let value = json(table["t"].clone());
            assert_eq!(json_schema::faults(&schema, chain, &value, code), [""; 0], "{code}");
            transforms += 1;
        }
    }
    assert!(transforms > 40, "only {transforms} transforms were found in their reference");
    for (wrong, place) in [
        ("[mapping]\nnam = 'x'", "file.mapping"),
        ("[mapping]\nname = 'X Y'", "file.mapping.name"),
        ("[[links]]\nname = 'a'\ncollection = 'c'\nobject = 'o'", "file.links[0]"),
        ("[picklists.p]\nmap = { a = 1 }", "file.picklists.p.map.a"),
        ("include = 3", "file.include"),
        ("[environments.e]\nportal = 0", "file.environments.e.portal"),
    ] {
        let value = json(toml::Value::Table(wrong.parse().unwrap()));
        let faults = json_schema::faults(&schema, &schema, &value, "file");
        assert!(faults.iter().any(|fault| fault.starts_with(place)), "{wrong}: {faults:?}");
    }
}

#[test]
fn every_key_and_transform_of_the_tables_has_an_example() {
    let all = examples().concat();
    let rows = REFERENCE.lines().filter(|line| line.starts_with("| `"));
    let mut keys = 0;
    for row in rows {
        let cell = row.split(" | ").next().unwrap();
        for name in cell.split('`').skip(1).step_by(2).filter(|name| !name.starts_with(['"', '['])) {
            let word = name.trim_start_matches(['{', ' ']).split([' ', '=']).next().unwrap();
            let shown =
                [format!("{word} ="), format!("\"{word}\""), format!(".{word}]]"), format!("{word}.")];
            assert!(shown.iter().any(|shown| all.contains(shown)), "no example shows `{word}`");
            keys += 1;
        }
    }
    assert!(keys > 60, "only {keys} names were found in the tables");
}
