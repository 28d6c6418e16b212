//! The decision tables of the planner.

use sync_types::{Fingerprinter, PairId, Value};

use super::*;

fn print(text: &str) -> Fingerprint {
    Fingerprinter::new([7; 16]).value(&Value::text(text))
}

fn pair(bases: &[(u16, &str)]) -> Pair {
    Pair {
        id: PairId(1),
        external: "a".into(),
        record: Some("100".into()),
        generation: 0,
        state: PairState::Linked,
        since: None,
        row: print("row"),
        bases: bases
            .iter()
            .map(|(n, v)| FieldBase { property: NameId(*n), left: print(v), right: print(v) })
            .collect(),
    }
}

fn plan(pair: Option<&Pair>, edges: &[Edge], values: &[Option<&str>], wants: &[&str]) -> RowPlan {
    let prints: Vec<_> = values.iter().map(|v| v.map(print)).collect();
    let names: Vec<_> = (1..=values.len()).map(|n| NameId(u16::try_from(n).unwrap())).collect();
    let wants: Vec<_> = wants.iter().map(|to| (NameId(50), ExternalId::from(*to))).collect();
    plan_row(pair, edges, &Wanted { properties: &names, prints: &prints, edges: &wants, null: print("") })
}

#[test]
fn a_new_record_is_written_whole_but_for_its_empty_properties() {
    let made = plan(None, &[], &[Some("x"), Some(""), None], &["p"]);
    assert!(made.create);
    assert_eq!(made.write, [0]);
    assert_eq!(made.want, [(NameId(50), "p".into())]);
}

#[test]
fn only_what_moved_at_the_source_is_written() {
    let known = pair(&[(1, "x"), (2, "y"), (3, "z")]);
    let cases: [(&[Option<&str>], &[u16]); 5] = [
        (&[Some("x"), Some("y"), Some("z")], &[]),
        (&[Some("x"), Some("Y"), Some("z")], &[1]),
        (&[Some("x"), Some(""), Some("z")], &[1]), // cleared at the source: cleared here
        (&[None, Some("y"), Some("Z")], &[2]),     // "leave alone" is never written
        (&[Some("x"), Some("y"), Some("z"), Some("new")], &[3]), // a property new to the mapping
    ];
    for (values, write) in cases {
        let made = plan(Some(&known), &[], values, &[]);
        assert_eq!((made.write.as_slice(), made.create), (write, false), "{values:?}");
    }
}

#[test]
fn a_pair_whose_record_is_gone_is_created_anew() {
    let mut gone = pair(&[(1, "x")]);
    gone.record = None;
    assert_eq!(plan(Some(&gone), &[], &[Some("x")], &[]).write, [0]);
    assert!(plan(Some(&gone), &[], &[Some("x")], &[]).create);
}

#[test]
fn edges_are_a_set_difference() {
    let known = pair(&[]);
    let edge = |to: &str, state| Edge { rule: NameId(50), to: to.into(), state };
    let edges = [
        edge("there", EdgeState::There),
        edge("wanted", EdgeState::Wanted),
        edge("leaving", EdgeState::Unwanted),
    ];
    let made = plan(Some(&known), &edges, &[], &["there", "wanted", "leaving", "new", "new"]);
    assert_eq!(made.want, [(NameId(50), "leaving".into()), (NameId(50), "new".into())]);
    assert!(made.unwant.is_empty());
    let made = plan(Some(&known), &edges, &[], &[]);
    assert_eq!(made.unwant, [(NameId(50), "there".into()), (NameId(50), "wanted".into())]);
}

#[test]
fn planning_what_was_just_agreed_plans_nothing() {
    let known = pair(&[(1, "x"), (2, "")]);
    let edges = [Edge { rule: NameId(50), to: "p".into(), state: EdgeState::There }];
    assert!(plan(Some(&known), &edges, &[Some("x"), Some("")], &["p"]).is_nothing());
}

#[test]
fn first_contact_follows_its_policy() {
    let names = [NameId(1)];
    // source value, HubSpot's value, written under (source, fill-empty)
    let cases = [
        ("a", "a", (false, false)),
        ("a", "", (true, true)),
        ("a", "b", (true, false)),
        ("", "b", (true, false)),
        ("", "", (false, false)),
    ];
    for (ours, theirs, expected) in cases {
        let prints = [Some(print(ours))];
        let wanted = Wanted { properties: &names, prints: &prints, edges: &[], null: print("") };
        let written = |policy| {
            let (write, bases) = plan_first_contact(policy, &wanted, &[print(theirs)]);
            assert_eq!(write.is_empty(), !bases.is_empty(), "a property is written or agreed");
            !write.is_empty()
        };
        assert_eq!(
            (written(FirstContact::Source), written(FirstContact::FillEmpty)),
            expected,
            "{ours} {theirs}"
        );
    }
}
