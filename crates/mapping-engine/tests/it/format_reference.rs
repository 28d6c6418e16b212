//! The format's reference holds what it says: every example is a whole mapping without a problem, every key and
//! transform of the reference is in an example.

use mapping_engine::{Schemas, check};

const REFERENCE: &str = include_str!("../../docs/format.md");

fn examples() -> Vec<&'static str> {
    let mut examples = Vec::new();
    let mut rest = REFERENCE;
    while let Some((_, after)) = rest.split_once("```toml\n") {
        let (example, after) = after.split_once("```").unwrap();
        examples.push(example);
        rest = after;
    }
    examples
}

#[test]
fn every_example_is_a_mapping_without_a_problem() {
    let examples = examples();
    assert!(examples.len() >= 8);
    for example in examples {
        let mapping =
            check("example", example, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(mapping.warnings().list().is_empty(), "{}", mapping.warnings());
    }
}

#[test]
fn every_key_and_transform_of_the_tables_has_an_example() {
    let all = examples().concat();
    let rows = REFERENCE.lines().filter(|line| line.starts_with("| `"));
    let mut keys = 0;
    for row in rows {
        let cell = row.split(" | ").next().unwrap();
        for name in cell.split('`').skip(1).step_by(2) {
            let word = name.trim_start_matches(['{', ' ']).split([' ', '=']).next().unwrap();
            let shown =
                [format!("{word} ="), format!("\"{word}\""), format!(".{word}]]"), format!("{word}.")];
            assert!(shown.iter().any(|shown| all.contains(shown)), "no example shows `{word}`");
            keys += 1;
        }
    }
    assert!(keys > 60, "only {keys} names were found in the tables");
}
