//! What a history tells, as a table: versions are `value:author`, the newest first.

use jiff::Timestamp;
use sync_types::{Fingerprint, Value, Version};

use super::{Known, read};

fn print(value: &str) -> Fingerprint {
    Fingerprint(value.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)))
}

fn prints(values: &str) -> Vec<Fingerprint> {
    values.split_whitespace().map(print).collect()
}

#[test]
fn what_was_overwritten_is_found_above_what_was_shown_before() {
    for (history, was, has_say, chosen, told, lost, buried, arrived) in [
        // It arrived, and nobody was in the way.
        ("back:us run:us old:ann", "run", true, "", "", None, "", true),
        ("back:us run:ann old:ann", "run", true, "", "", None, "", true),
        // Somebody was: her value is put back, or told where she has no say, once.
        ("back:us hers:ann run:us old:ann", "run", true, "", "", Some("hers"), "", false),
        ("back:us hers:ann run:us old:ann", "run", true, "", "hers", Some("hers"), "", false),
        ("back:us hers:ann run:us old:ann", "run", false, "", "", Some("hers"), "", false),
        ("back:us hers:ann run:us old:ann", "run", false, "", "hers", None, "", true),
        // Overwritten by choice.
        ("back:us hers:ann run:us", "run", true, "hers", "", None, "", true),
        // It is back, and somebody was in the way of that too.
        ("hers:us back:us hers:ann run:us", "run", true, "", "hers", None, "", false),
        ("hers:us his:bob back:us hers:ann run:us", "run", true, "", "hers", Some("his"), "", false),
        // Somebody has set it again: too late to put anything back.
        ("new:bob back:us hers:ann run:us", "run", true, "", "", None, "hers", false),
        ("new:bob back:us hers:ann run:us", "run", true, "", "hers", None, "", false),
        // It did not arrive. An old version of the same value is no write of ours.
        ("run:us old:ann", "run", true, "", "", None, "", false),
        ("run:us back:us older:ann", "run", true, "", "", None, "", false),
        ("hers:ann run:us back:us older:ann", "run", true, "", "", None, "", false),
        // She set it away and back: what is there is what was known.
        ("back:us run:ann x:ann run:us", "run", true, "", "", None, "", true),
        ("", "run", true, "", "", None, "", false),
    ] {
        let versions: Vec<Version> = history
            .split_whitespace()
            .filter_map(|version| version.split_once(':'))
            .map(|(value, by)| Version {
                value: Value::text(value),
                at: Timestamp::UNIX_EPOCH,
                by: by.into(),
            })
            .collect();
        let (chosen, told) = (prints(chosen), prints(told));
        let known = Known { was: Some(print(was)), chosen: &chosen, told: &told, has_say, nothing: None };
        let of = |version: &Version| print(version.value.as_text().unwrap_or_default());
        let found = read(&versions, known, of, |version| version.by == "us");
        let text = |version: &Version| version.value.as_text().unwrap_or_default().to_owned();
        let seen =
            (found.lost.map(text), found.buried.into_iter().map(text).collect::<Vec<_>>(), found.arrived);
        let expected = (
            lost.map(str::to_owned),
            buried.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            arrived,
        );
        assert_eq!(seen, expected, "{history}, was {was}, has a say: {has_say}, told: {told:?}");
    }
}

#[test]
fn emptying_a_property_is_a_loss_only_where_it_counts_as_one() {
    let version = |value: &str, by: &str| Version {
        value: if value.is_empty() { Value::Null } else { Value::text(value) },
        at: Timestamp::UNIX_EPOCH,
        by: by.into(),
    };
    let history = [version("back", "us"), version("", "ann"), version("run", "us")];
    let of = |version: &Version| print(version.value.as_text().unwrap_or_default());
    for (nothing, is_lost) in [(Some(print("")), false), (None, true)] {
        let known = Known { was: Some(print("run")), chosen: &[], told: &[], has_say: true, nothing };
        assert_eq!(read(&history, known, of, |version| version.by == "us").lost.is_some(), is_lost);
    }
}
