//! The laws of the engine's pure parts, for a moment; and the book that says what proves which invariant.

use sync_core::mutation::Bug;
use workspace_tests::laws;

const BOOK: &str = include_str!("../../docs/simulation.md");

#[test]
fn the_laws_hold() {
    let tried = laws::hold_all(20_000)
        .unwrap_or_else(|broken| panic!("{}, case {}: {}", broken.law, broken.case, broken.what));
    assert!(tried > 200_000, "{tried}");
}

/// The rows of the book's tables whose first cell is this.
fn row(first: &str) -> Vec<&'static str> {
    let begins = |line: &&str| line.trim_start_matches("| ").trim_start_matches('`').starts_with(first);
    let is_it = |line: &&str| {
        let rest = line.trim_start_matches("| ").trim_start_matches('`').strip_prefix(first);
        rest.is_some_and(|rest| rest.starts_with('`') || rest.starts_with(' '))
    };
    BOOK.lines().filter(|line| line.starts_with('|')).filter(begins).filter(is_it).collect()
}

#[test]
fn every_planted_bug_stands_in_the_book_with_what_it_breaks() {
    for bug in Bug::ALL {
        let rows = row(bug.name());
        let [line] = rows.as_slice() else {
            panic!("{} has {} rows in docs/simulation.md", bug.name(), rows.len())
        };
        assert!(line.contains(&format!("| {} |", bug.breaks())), "{}: {line}", bug.name());
    }
}

#[test]
fn every_invariant_has_a_row_and_every_law_stands_in_it() {
    for number in 1..=30 {
        assert_eq!(row(&format!("I{number}")).len(), 1, "I{number}");
    }
    for law in laws::ALL {
        for invariant in law.keeps.split(' ') {
            let rows = row(invariant);
            assert!(
                rows.iter().any(|line| line.contains(law.name)),
                "{} is not in the row of {invariant}",
                law.name
            );
        }
    }
    for bug in Bug::ALL {
        assert!(
            row(bug.breaks()).iter().any(|line| line.contains(bug.name())),
            "{} is not in its row",
            bug.name()
        );
    }
}
