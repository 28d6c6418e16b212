//! A table of histories, newest first.

use sync_types::Value;

use super::*;

/// Versions an hour apart: `Ax` is our value x, anything else somebody's.
fn history(moves: &[&str]) -> Vec<Version> {
    let versions = moves.iter().enumerate().map(|(place, version)| {
        let (by, value) = version.split_at(1);
        let hours_ago = i64::try_from(place).unwrap_or_default();
        Version {
            value: Value::text(value),
            at: Timestamp::from_second(1_000_000 - hours_ago * 3_600).unwrap(),
            by: by.into(),
        }
    });
    versions.collect()
}

fn fought(moves: &[&str], hours: i64, flips: u32) -> Option<String> {
    let history = history(moves);
    let print = |version: &Version| {
        let text = version.value.as_text().unwrap_or_default();
        Fingerprint(text.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)))
    };
    let since = Timestamp::from_second(1_000_000 - hours * 3_600).unwrap();
    opponent(&history, print, |version| version.by == "A", since, flips).map(str::to_owned)
}

#[test]
fn who_sets_it_back_again_and_again_is_named_and_nobody_else() {
    let table: [(&[&str], Option<&str>); 11] = [
        (&["A1", "W2", "A1", "W2", "A1", "W2", "A1"], Some("W")),
        // Not often enough.
        (&["A1", "W2", "A1", "W2", "A1"], None),
        // Each time to another value: people work with it.
        (&["A1", "W2", "A1", "W3", "A1", "W4", "A1"], None),
        // We write another one each time: the source changes, and they answer.
        (&["A1", "W2", "A3", "W2", "A4", "W2", "A5"], None),
        // Several in a row are one move.
        (&["A1", "W2", "W2", "A1", "W2", "A1", "A1", "W2", "A1"], Some("W")),
        // Several names, one fight: the last is named.
        (&["A1", "X2", "A1", "W2", "A1", "W2", "A1"], Some("X")),
        // The newest is not ours.
        (&["W2", "A1", "W2", "A1", "W2", "A1", "W2", "A1"], None),
        // They set what we set.
        (&["A1", "W1", "A1", "W1", "A1", "W1", "A1"], None),
        (&["A1", "A1", "A1", "A1", "A1"], None),
        (&["A1"], None),
        (&[], None),
    ];
    for (moves, wanted) in table {
        assert_eq!(fought(moves, 24, 3).as_deref(), wanted, "{moves:?}");
    }
}

#[test]
fn only_what_happened_lately_counts_and_nothing_where_nobody_counts() {
    let moves = ["A1", "W2", "A1", "W2", "A1", "W2", "A1"];
    assert_eq!(fought(&moves, 5, 3), None);
    assert_eq!(fought(&moves, 6, 3).as_deref(), Some("W"));
    assert_eq!(fought(&moves, 24, 4), None);
    assert_eq!(fought(&moves, 24, 0), None);
}
