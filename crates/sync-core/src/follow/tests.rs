//! Tables: how much of the source is read, and the mark that says so.

use super::*;

const MAPPING: u64 = 7;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A link in the midst of its life: loaded, marked, with a source that tells everything.
fn usual() -> Situation {
    Situation {
        is_run: true,
        is_for_right: false,
        is_loaded: true,
        mark: Some(Mark { due: at(1_000), mapping: MAPPING }),
        promise: Some(ChangesPromise { deletes: true }),
        has_place: true,
        acts_on_deletions: true,
        mapping: MAPPING,
        now: at(999),
    }
}

#[test]
fn the_source_is_read_in_full_whenever_its_changes_alone_would_not_do() {
    let blind = Some(ChangesPromise { deletes: false });
    let table = [
        (usual(), Reading::Changes),
        (Situation { is_run: false, ..usual() }, Reading::Full),
        (Situation { is_loaded: false, ..usual() }, Reading::First),
        (Situation { mark: None, ..usual() }, Reading::First),
        (Situation { has_place: false, ..usual() }, Reading::First),
        (Situation { mapping: 8, ..usual() }, Reading::NewMapping),
        (Situation { promise: None, ..usual() }, Reading::Full),
        (Situation { promise: blind, ..usual() }, Reading::Deletions),
        (Situation { promise: blind, acts_on_deletions: false, ..usual() }, Reading::Changes),
        (Situation { now: at(1_000), ..usual() }, Reading::Due),
        // For the right side alone: what can wait does.
        (Situation { is_for_right: true, now: at(1_000), ..usual() }, Reading::Changes),
        (Situation { is_for_right: true, promise: blind, ..usual() }, Reading::Changes),
        (Situation { is_for_right: true, promise: None, ..usual() }, Reading::Nothing),
        (Situation { is_for_right: true, promise: None, mark: None, ..usual() }, Reading::First),
        (Situation { is_for_right: true, promise: None, mapping: 8, ..usual() }, Reading::NewMapping),
    ];
    for (situation, wanted) in table {
        assert_eq!(reading(&situation), wanted, "{situation:?}");
    }
}

#[test]
fn a_mark_is_read_as_it_was_written_and_nonsense_is_none() {
    let mark = Mark { due: at(1_772_615_000), mapping: u64::MAX };
    assert_eq!(mark.to_string().parse(), Ok(mark));
    for text in ["", "soon", "2026-03-04T09:03:20Z", "2026-03-04T09:03:20Z zz", "later 0f"] {
        assert!(text.parse::<Mark>().is_err(), "{text}");
    }
}
