//! A schema from sample rows: what values are, what they look like, and how far that can be trusted.

use mapping_engine::{Check, Schemas, infer};
use sync_types::{ExternalId, PropertyKind, Record, Shape, Value};

use super::support::{number, people};

/// Rows with one column `x`.
fn rows(values: &[Value]) -> Vec<Record> {
    let shape = Shape::new(["x"]);
    let record = |value: &Value| Record::new(ExternalId::new("1"), shape.clone(), vec![value.clone()]);
    values.iter().map(record).collect()
}

fn texts(values: &[&str]) -> Vec<Record> {
    rows(&values.iter().map(|text| Value::text(*text)).collect::<Vec<_>>())
}

#[test]
fn texts_look_like_what_all_of_them_are() {
    use PropertyKind::{Bool, Date, DateTime, Number, Option, Text};
    let table: [(&[&str], PropertyKind, PropertyKind); 12] = [
        (&["1", "2.5", "-3,25"], Text, Number),
        (&["01", "02", "33"], Text, Text),
        (&["0.5", "0"], Text, Number),
        (&["yes", "No", "yes"], Text, Bool),
        (&["1", "0", "1"], Text, Bool),
        (&["2026-01-31", "01.02.2026"], Text, Date),
        (&["2026-01-31T10:00:00Z", "2026-02-01T10:00:00Z"], Text, DateTime),
        (&["a", "b", "a", "b", "a", "b"], Option, Option),
        (&["a", "b", "c", "d", "a", "b"], Text, Text),
        (&["1", "x"], Text, Text),
        (&["", " ", "7"], Text, Number),
        (&["2026-01-31", "soon"], Text, Text),
    ];
    for (values, kind, looks_like) in table {
        let found = infer::schema("c", &texts(values));
        assert_eq!(found.schema.properties[0].kind, kind, "{values:?}");
        assert_eq!(found.columns[0].looks_like, looks_like, "{values:?}");
        assert!(!found.columns[0].reason.is_empty());
    }
}

#[test]
fn other_kinds_are_what_the_source_gives() {
    let table = [
        (vec![number("1"), number("2")], PropertyKind::Number),
        (vec![Value::Bool(true), Value::Null], PropertyKind::Bool),
        (vec![number("1"), "1".into()], PropertyKind::Json),
        (vec![Value::Null], PropertyKind::Json),
        (vec![Value::List(vec!["a".into()])], PropertyKind::Json),
    ];
    for (values, kind) in table {
        assert_eq!(infer::schema("c", &rows(&values)).schema.properties[0].kind, kind, "{kind:?}");
    }
}

#[test]
fn confidence_grows_with_what_was_seen() {
    let confidence = |count: usize| infer::schema("c", &texts(&vec!["a"; count])).columns[0].confidence;
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(confidence(1), 2.0 / 3.0));
    assert!(near(confidence(98), 0.99));
    let empty = infer::schema("c", &texts(&["", ""]));
    assert!(near(empty.columns[0].confidence, 0.5));
    assert_eq!((empty.rows, empty.columns[0].filled), (2, 0));
}

#[test]
fn keys_are_distinct_and_never_empty() {
    assert!(infer::schema("c", &texts(&["a", "b", "c"])).columns[0].distinct);
    assert!(!infer::schema("c", &texts(&["a", "b", "a"])).columns[0].distinct);
    assert!(!infer::schema("c", &texts(&["a", "b", ""])).columns[0].distinct);
    assert!(!infer::schema("c", &texts(&["a"])).columns[0].distinct, "one row proves nothing");
    assert!(infer::schema("c", &[]).schema.properties.is_empty());
}

#[test]
fn what_only_samples_say_is_a_warning() {
    let found = vec![infer::schema("people", &texts(&["on", "off", "on", "off", "on", "off"])).schema];
    let check = |file: &str, guessed: bool| {
        let schemas = Schemas { source: Some(&found), hubspot: None };
        let mut check = Check::new("m", file).schemas(schemas);
        if guessed {
            check = check.source_is_inferred();
        }
        check.run().map(|mapping| mapping.warnings().clone())
    };
    let file = people("fields = [{ from = 'y', to = 'p' }]");
    assert_eq!(check(&file, false).unwrap_err().list()[0].code, "unknown-column");
    let warnings = check(&file, true).unwrap();
    assert_eq!(warnings.list()[0].code, "unknown-column");
    let table = people("fields = [{ from = 'x', to = 'p', transform = { picklist = 't' } }]")
        + "[picklists.t]\nmap = { on = 'a' }\n";
    assert_eq!(check(&table, true).unwrap_err().list()[0].code, "picklist-not-total", "this word was seen");
}
