//! Hostile files, patterns and expressions with their verdicts: each is accepted or refused as it says, at once, and
//! what is accepted runs in time that the length of its input bounds.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mapping_engine::{Check, CheckedMapping, Problems};
use sync_types::{LinkId, Mapper, Value};

use super::support::record;

const PATTERNS: &str = include_str!("../corpus/patterns.txt");
const EXPRESSIONS: &str = include_str!("../corpus/expressions.txt");

/// Far above what any of them takes without optimisation, far below what a person calls a hang.
const AT_ONCE: Duration = Duration::from_secs(20);

#[allow(clippy::disallowed_methods, reason = "a hang is what is looked for")]
pub(crate) fn at_once<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = run();
    assert!(start.elapsed() < AT_ONCE, "{what} took {:?}", start.elapsed());
    done
}

fn with_field(field: &str) -> Result<CheckedMapping, Problems> {
    let text = format!(
        "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'c'\nobject = 'contacts'\nsync_key = 'k'\n\
         fields = [{{ {field}, to = 'y' }}]\n"
    );
    Check::new("mapping.toml", &text).run()
}

/// The verdict and the rest of each line behind the first.
fn lines(text: &'static str) -> impl Iterator<Item = (bool, &'static str)> {
    text.lines().skip(1).map(|line| {
        let (verdict, rest) = line.split_once(' ').unwrap_or((line, ""));
        assert!(["accepted", "refused"].contains(&verdict), "{line}");
        (verdict == "accepted", rest)
    })
}

#[test]
fn every_mapping_file_is_accepted_or_refused_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/mappings");
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let outcome = at_once(name, || Check::new("mapping.toml", &text).run());
        match outcome {
            Ok(_) if !name.starts_with("accepted-") => wrong.push(format!("{name} is accepted")),
            Ok(_) => {}
            Err(problems) => {
                if name.starts_with("accepted-") {
                    wrong.push(format!("{name}\n{problems}"));
                }
                let places = problems.list().iter().all(|problem| problem.span.end <= text.len());
                assert!(places && !problems.to_string().is_empty(), "{name}");
            }
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 50, "{count} files");
}

#[test]
fn every_pattern_is_refused_or_linear() {
    let long = ["a".repeat(1 << 20), "ab ".repeat(349_000), "=".repeat(1 << 20), "ä".repeat(1 << 19)];
    let mut count = 0;
    for (accepted, pattern) in lines(PATTERNS) {
        let quoted = serde_json::to_string(pattern).unwrap();
        let mapping =
            at_once(pattern, || with_field(&format!("from = 'a', transform = {{ extract = {quoted} }}")));
        assert_eq!(mapping.is_ok(), accepted, "{pattern}");
        let Ok(mapping) = mapping else { continue };
        for text in &long {
            let record = record(&[("a", Value::text(text.as_str()))]);
            let outcome = at_once(pattern, || mapping.map(LinkId(0), &record));
            drop(outcome);
        }
        count += 1;
    }
    assert!(count >= 30, "{count} patterns");
    let mapping = with_field("from = 'a', transform = { extract = 'a' }").unwrap();
    let longer = record(&[("a", Value::text("a".repeat((1 << 20) + 1)))]);
    assert_eq!(mapping.map(LinkId(0), &longer).unwrap_err().problems[0].code, "too-long");
}

#[test]
fn every_expression_is_accepted_or_refused_as_it_says() {
    let mut count = 0;
    for (accepted, expression) in lines(EXPRESSIONS) {
        let quoted = serde_json::to_string(expression).unwrap();
        let mapping =
            at_once(expression, || with_field(&format!("expression = {quoted}, transform = 'write_json'")));
        match mapping {
            Ok(mapping) => {
                assert!(accepted, "{expression} is accepted");
                drop(mapping.map(LinkId(0), &record(&[("a", "x".into()), ("b", Value::Null)])));
            }
            Err(problems) => assert!(!accepted, "{expression}\n{problems}"),
        }
        count += 1;
    }
    assert!(count >= 50, "{count} expressions");
}
