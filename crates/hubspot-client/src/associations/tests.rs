//! Accounting for links.

use serde_json::{Value, json};

use super::*;
use crate::outcome::RowOutcome;

fn run(pairs: &[(&str, &str)], answer: Value) -> String {
    let inputs: Vec<LinkInput<'_>> = pairs
        .iter()
        .map(|(from, to)| LinkInput { from: Id { id: from }, to: Id { id: to }, types: None })
        .collect();
    let rows = account_links(&inputs, serde_json::from_value(answer).unwrap()).rows();
    rows.iter()
        .map(|row| match row {
            RowOutcome::Written(()) => 'w',
            RowOutcome::Rejected(_) => 'r',
            RowOutcome::Unknown(_) => '?',
        })
        .collect()
}

#[test]
fn links_are_matched_by_both_ids() {
    let pairs = [("1", "8"), ("1", "9"), ("2", "9")];
    let no_from = json!({"category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.FROM_OBJECT_NOT_FOUND",
        "context": {"objectType": ["CONTACT"], "id": ["1"]}});
    let no_to = json!({"category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.TO_OBJECT_NOT_FOUND",
        "context": {"id": ["9"]}});
    for (name, answer, expected) in [
        (
            "both shapes of a result, shuffled",
            json!({"results": [{"fromObjectId": 2, "toObjectId": 9}, {"from": {"id": "1"}, "to": {"id": "8"}}]}),
            "w?w",
        ),
        (
            "answered from the other end",
            json!({"results": [{"from": {"id": "8"}, "to": {"id": "1"}}]}),
            "w??",
        ),
        (
            "a missing first record takes all its pairs",
            json!({"results": [{"fromObjectId": "2", "toObjectId": "9"}], "errors": [no_from]}),
            "rrw",
        ),
        (
            "a missing second record takes all its pairs",
            json!({"results": [{"fromObjectId": "1", "toObjectId": "8"}], "errors": [no_to]}),
            "wrr",
        ),
        (
            "the pair named",
            json!({"results": [], "errors": [{"context": {"fromObjectId": ["1"], "toObjectId": ["9"]}}]}),
            "?r?",
        ),
        ("nothing said", json!({}), "???"),
    ] {
        assert_eq!(run(&pairs, answer), expected, "{name}");
    }
}
