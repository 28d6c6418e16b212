//! Every situation that a written value can be in.

use proptest::prelude::*;

use super::*;

const NULL: Fingerprint = Fingerprint(0);

fn print(version: &Version) -> Fingerprint {
    match &version.value {
        Value::Null => NULL,
        value => Fingerprint(value.as_text().map_or(99, |text| u64::from(text.as_bytes()[0]))),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

/// Versions from a text of one letter each, the newest first; `-` is empty.
fn history(letters: &str) -> Vec<Version> {
    letters
        .chars()
        .enumerate()
        .map(|(age, letter)| Version {
            value: if letter == '-' { Value::Null } else { Value::text(letter.to_string()) },
            at: at(-i64::try_from(age).unwrap()),
            by: "CRM_UI userId:5".into(),
        })
        .collect()
}

fn of(letter: char) -> Fingerprint {
    if letter == '-' { NULL } else { Fingerprint(u64::from(u32::from(letter))) }
}

#[test]
fn the_table() {
    let restore = |letter: char| match letter {
        '-' => Verdict::Restore(Value::Null),
        letter => Verdict::Restore(Value::text(letter.to_string())),
    };
    // History, what was there before where known, what we wrote, how HubSpot shows it, verdict.
    for (letters, before, after, shown_as, verdict) in [
        ("ba", Some('a'), 'b', None, restore('a')),
        ("ba", None, 'b', None, restore('a')),
        // Somebody had changed it in the moment before us: what was below ours is what goes back.
        ("bca", Some('a'), 'b', None, restore('c')),
        // It was empty before.
        ("b", Some('-'), 'b', None, restore('-')),
        ("b", None, 'b', None, restore('-')),
        ("b-a", Some('-'), 'b', None, restore('-')),
        // We emptied it.
        ("-a", Some('a'), '-', None, restore('a')),
        // HubSpot shows it in a form of its own.
        ("Ba", Some('a'), 'b', Some('B'), restore('a')),
        // Written twice with the same value.
        ("bba", Some('a'), 'b', None, restore('a')),
        // Back already, by hand or by an earlier undo.
        ("aba", Some('a'), 'b', None, Verdict::Already),
        ("-b", Some('-'), 'b', None, Verdict::Already),
        ("", Some('-'), 'b', None, Verdict::Already),
        ("", None, '-', None, Verdict::Already),
        ("-", None, '-', None, Verdict::Already),
    ] {
        let wrote = Wrote { before: before.map(of), after: of(after), shown_as: shown_as.map(of) };
        assert_eq!(of_value(&history(letters), wrote, NULL, print), verdict, "{letters} {wrote:?}");
    }
}

#[test]
fn what_somebody_changed_since_stays_and_is_told_with_its_author() {
    let wrote = Wrote { before: Some(of('a')), after: of('b'), shown_as: None };
    let Verdict::Keep(why) = of_value(&history("cba"), wrote, NULL, print) else { panic!("not kept") };
    assert!(why.contains("CRM_UI userId:5"), "{why}");
    // She changed it, and then to the very value that we had written.
    let Verdict::Keep(why) = of_value(&history("bcba"), wrote, NULL, print) else { panic!("not kept") };
    assert!(why.contains("set back since"), "{why}");
    let Verdict::Keep(why) = of_value(&[], wrote, NULL, print) else { panic!("not kept") };
    assert!(why.contains("no history"), "{why}");
    // The record was made anew meanwhile: its history begins with ours, and what was there before is not in it.
    let Verdict::Keep(why) = of_value(&history("b"), wrote, NULL, print) else { panic!("not kept") };
    assert!(why.contains("does not reach back"), "{why}");
}

proptest! {
    /// Whatever happened: what goes back is never what we wrote, and comes from right below the newest version of ours.
    #[test]
    fn only_what_was_below_ours_goes_back(letters in "[abc-]{0,6}", before in proptest::option::of("[abc-]"), after in "[abc-]") {
        let letter = |text: &String| text.chars().next().unwrap();
        let after = of(letter(&after));
        let wrote = Wrote { before: before.as_ref().map(|text| of(letter(text))), after, shown_as: None };
        let versions = history(&letters);
        if let Verdict::Restore(value) = of_value(&versions, wrote, NULL, print) {
            let back = print(&Version { value, ..history("a").remove(0) });
            prop_assert_ne!(back, after);
            prop_assert_eq!(print(&versions[0]), after);
            let below = versions.iter().map(print).find(|print| *print != after);
            prop_assert_eq!(below.unwrap_or(NULL), back);
        }
    }
}

#[test]
fn a_record_goes_only_while_nobody_has_touched_it() {
    let version = |second: i64, by: &str| Version { value: Value::text("x"), at: at(second), by: by.into() };
    let us = "INTEGRATION 7";
    let key = PropertyName::from("acme_key");
    let judged = |others: Vec<Version>, keys: Vec<Version>| {
        let histories = [(PropertyName::from("city"), others), (key.clone(), keys)];
        of_birth(&histories, &key, |version| version.value.as_text() == Some("x"), at(0))
    };
    // Ours alone, what HubSpot set in making it, and what we wrote later.
    assert_eq!(judged(vec![version(0, us)], vec![version(0, us)]), Ok(()));
    assert_eq!(judged(vec![version(900, us), version(1, "CRM_SETTING")], vec![version(0, us)]), Ok(()));
    for (others, keys, words) in [
        (vec![version(60, "CRM_UI userId:5"), version(0, us)], vec![version(0, us)], "CRM_UI userId:5"),
        (vec![version(60, "INTEGRATION 8")], vec![version(0, us)], "INTEGRATION 8"),
        (vec![version(0, us), version(-60, us)], vec![version(0, us)], "before the run"),
        (vec![version(0, us)], vec![version(-400, us)], "before the run"),
        (vec![version(0, us)], vec![], "sync key"),
        (
            vec![version(0, us)],
            vec![Version { value: Value::text("y"), ..version(9, us) }, version(0, us)],
            "sync key",
        ),
    ] {
        let why = judged(others, keys).unwrap_err();
        assert!(why.contains(words), "{why} lacks {words}");
    }
}
