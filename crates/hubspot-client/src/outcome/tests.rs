//! The law of row accounting, on chosen and on random answers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn run(keys: &[Option<&str>], id_property: Option<&str>, results: &Value, errors: &Value) -> Vec<String> {
    let results = serde_json::from_value(results.clone()).unwrap();
    let errors: Vec<ErrorBody> = serde_json::from_value(errors.clone()).unwrap();
    let names = InputNames::new(keys.iter().copied(), id_property);
    account(&names, results, &errors, false)
        .iter()
        .map(|row| match row {
            RowOutcome::Written(written) => format!("written {}", written.id),
            RowOutcome::Rejected(refusal) => format!("rejected {:?}", refusal.kind),
            RowOutcome::Unknown(reason) => format!("unknown {reason:?}"),
        })
        .collect()
}

#[test]
fn rows_are_matched_by_trace_id_id_or_key_and_never_by_place() {
    let invalid = json!({"category": "VALIDATION_ERROR", "message": "x"});
    let traced = json!([{"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["1"]}}]);
    for (name, keys, id_property, results, errors, expected) in [
        (
            "trace ids, shuffled",
            vec![None, None, None],
            None,
            json!([{"id": "9", "objectWriteTraceId": "2"}, {"id": "8", "objectWriteTraceId": "0"}]),
            traced.clone(),
            vec!["written 8", "rejected Validation", "written 9"],
        ),
        (
            "record ids without trace ids",
            vec![Some("5"), Some("6")],
            None,
            json!([{"id": "6"}, {"id": "5"}]),
            json!([]),
            vec!["written 5", "written 6"],
        ),
        (
            "keys without trace ids, as HubSpot normalises them",
            vec![Some("Ann@Example.com "), Some("bob@example.com")],
            Some("email"),
            json!([{"id": "2", "properties": {"email": "bob@example.com"}},
                   {"id": "1", "properties": {"email": "ann@example.com"}}]),
            json!([]),
            vec!["written 1", "written 2"],
        ),
        (
            "a key shared by two inputs names neither",
            vec![Some("k"), Some("k")],
            Some("key"),
            json!([{"id": "1", "properties": {"key": "k"}}]),
            json!([]),
            vec!["unknown MissingFromAnswer", "unknown MissingFromAnswer"],
        ),
        (
            "success without a word about a row",
            vec![Some("5"), Some("6")],
            None,
            json!([{"id": "5"}]),
            json!([]),
            vec!["written 5", "unknown MissingFromAnswer"],
        ),
        (
            "result and error for one row",
            vec![None, None],
            None,
            json!([{"id": "8", "objectWriteTraceId": "1"}, {"id": "7", "objectWriteTraceId": "0"}]),
            traced,
            vec!["written 7", "unknown Contradictory"],
        ),
        (
            "ids in the error's context",
            vec![Some("5"), Some("6"), Some("7")],
            None,
            json!([{"id": "6"}]),
            json!([{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["5", "7"]}}]),
            vec!["rejected NotFound", "written 6", "rejected NotFound"],
        ),
        (
            "one row left and one error that names none",
            vec![Some("5"), Some("6")],
            None,
            json!([{"id": "5"}]),
            json!([invalid]),
            vec!["written 5", "rejected Validation"],
        ),
        (
            "two rows left and one error that names none",
            vec![Some("5"), Some("6")],
            None,
            json!([]),
            json!([invalid]),
            vec!["unknown MissingFromAnswer", "unknown MissingFromAnswer"],
        ),
        (
            "trace ids that are not ours",
            vec![None],
            None,
            json!([{"id": "1", "objectWriteTraceId": "7"}, {"id": "2", "objectWriteTraceId": "x"}]),
            json!([]),
            vec!["unknown MissingFromAnswer"],
        ),
    ] {
        assert_eq!(run(&keys, id_property, &results, &errors), expected, "{name}");
    }
}

prop_compose! {
    fn any_result()(id in 0_u8..12, trace in prop::option::of(0_u8..12), key in prop::option::of(0_u8..12)) -> Value {
        json!({"id": id, "objectWriteTraceId": trace.map(|t| t.to_string()), "properties": {"key": key}})
    }
}

prop_compose! {
    fn any_error()(trace in prop::option::of(0_u8..12), ids in prop::collection::vec(0_u8..12, 0..3)) -> Value {
        json!({"category": "VALIDATION_ERROR",
               "context": {"objectWriteTraceId": trace.map(|t| vec![t.to_string()]), "ids": ids}})
    }
}

proptest! {
    #[test]
    fn inputs_are_written_plus_rejected_plus_unknown(
        keys in prop::collection::vec(prop::option::of("[0-9]{1,2}"), 0..10),
        by_property: bool,
        results in prop::collection::vec(any_result(), 0..14),
        errors in prop::collection::vec(any_error(), 0..6),
    ) {
        let records: Vec<Record> = serde_json::from_value(Value::Array(results.clone())).unwrap();
        let errors: Vec<ErrorBody> = serde_json::from_value(Value::Array(errors)).unwrap();
        let names = InputNames::new(keys.iter().map(Option::as_deref), by_property.then_some("key"));
        let rows = account(&names, records, &errors, false);
        prop_assert_eq!(rows.len(), keys.len());
        let counts = BatchOutcome { rows: rows.clone(), cause: None }.counts();
        prop_assert_eq!(counts.written + counts.rejected + counts.unknown, keys.len());
        // Nothing is called written that the answer did not name.
        for (index, row) in rows.iter().enumerate() {
            if let RowOutcome::Written(written) = row {
                let named = results.iter().any(|result| {
                    result["objectWriteTraceId"].as_str() == Some(&*index.to_string()) || {
                        let key = if by_property { &result["properties"]["key"] } else { &result["id"] };
                        result["objectWriteTraceId"].is_null() && Some(key.to_string()) == keys[index]
                    }
                });
                prop_assert!(named, "{:?}", written);
            }
        }
    }
}
