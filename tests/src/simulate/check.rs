//! What must hold: after each run, and when the world is at rest.

use std::collections::BTreeSet;
use std::time::Duration;

use sync_core::report::RunReport;
use sync_core::{Options, Which};
use sync_testkit::CrashPlan;
use sync_types::{Fingerprint, Fingerprinter, Value};

use super::machine::Machine;
use super::people::{Edit, FIELDS, MARK, OnLeft, OnRight, People, text};
use super::tally::Tally;

/// Something that must not be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The invariant.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, what: String) -> Violation {
        Violation { invariant, what }
    }
}

/// Every record that was looked at is in exactly one class.
pub(super) fn adds_up(report: &RunReport, tally: &mut Tally, violations: &mut Vec<Violation>) {
    tally.check("adds-up");
    for link in &report.links {
        if link.unexplained() != 0 {
            let what = format!("{} records are in no class: {link:?}", link.unexplained());
            violations.push(Violation::new("adds-up", what));
        }
    }
}

/// Whom a run has deleted on a side, a person had deleted on the other, and long enough ago.
pub(super) fn deletions(
    people: &People,
    before: &(OnLeft, OnRight),
    absence: Duration,
    tally: &mut Tally,
    violations: &mut Vec<Violation>,
) {
    tally.check("deletions-have-evidence");
    let (left, right) = (people.on_left(), people.on_right());
    let ids =
        |side: &OnLeft| -> BTreeSet<String> { side.values().flatten().map(|(id, _)| id.clone()).collect() };
    // By id on the left, where a merge may give the loser's record the survivor's address.
    let here = ids(&left);
    let gone_left = before.0.iter().filter(|(_, rows)| rows.iter().any(|(id, _)| !here.contains(id)));
    let gone_left = gone_left.map(|(email, _)| (email, "left"));
    let gone_right =
        before.1.keys().filter(|email| !right.contains_key(*email)).map(|email| (email, "right"));
    for (email, side) in gone_left.chain(gone_right) {
        let of = |email: &String| people.deleted_for(email, side == "right");
        // Of merged people the survivor's record stands for both.
        let age = match people.merged.contains(email) {
            true if side == "right" => continue,
            true => people.merged.iter().filter_map(of).max(),
            false => of(email),
        };
        match age {
            Some(age) if age >= absence => {}
            age => violations.push(Violation::new(
                "deletions-have-evidence",
                format!(
                    "{email} was deleted on the {side}, {age:?} after a person deleted it on the other side"
                ),
            )),
        }
    }
}

/// Faults have stopped and people rest: both sides agree, and nothing is gone without a word.
pub(super) fn at_rest(
    machine: &Machine,
    people: &People,
    tally: &mut Tally,
    violations: &mut Vec<Violation>,
) {
    let mut fail = |invariant, what| violations.push(Violation::new(invariant, what));
    let (left, right) = (people.on_left(), people.on_right());
    let engine = match machine.engine(&CrashPlan::count(), Options::default()) {
        Ok(engine) => engine,
        Err(error) => return fail("no-error", format!("the engine cannot be started: {error}")),
    };
    let named = |settled| engine.conflicts(&Which { settled, ..Which::default() }).unwrap_or_default();
    let (open, settled) = (named(false), named(true));
    let totals = engine.totals().unwrap_or_default();
    drop(engine);

    tally.check("nothing-in-doubt");
    if totals.open_intents != 0 {
        fail("nothing-in-doubt", format!("{} intents are open", totals.open_intents));
    }
    tally.check("nobody-doubled");
    for (email, rows) in &left {
        // A merge may give the loser's left record the survivor's address.
        if rows.len() > 1 && !people.restored.contains(email) && !people.merged.contains(email) {
            fail("nobody-doubled", format!("{email} stands {} times on the left", rows.len()));
        }
    }
    tally.check("nobody-lost");
    for email in &people.everybody {
        let is_here = (left.contains_key(email), right.contains_key(email));
        let is_touched =
            people.deleted.contains(email) || people.merged.contains(email) || people.erased.contains(email);
        match is_here {
            (true, true) => {}
            // Who was deleted, merged away or erased before the other side had heard of them.
            (true, false) if people.restored.contains(email) => {}
            (false, false) if is_touched => {}
            // A merge's loser stays on the left, and has no record of its own on the right. So does who was erased.
            (true, false) if people.merged.contains(email) || people.erased.contains(email) => {}
            // Nothing says what the deletion of a merged or erased record's counterpart means.
            (false, true) if people.merged.contains(email) && people.deleted.contains(email) => {}
            _ => fail(
                "nobody-lost",
                format!("{email} is {is_here:?}, touched by a deletion, merge or erasure: {is_touched}"),
            ),
        }
    }

    let prints = Fingerprinter::new(crate::FINGERPRINT_KEY);
    tally.check("sides-agree");
    for (email, rows) in &left {
        let (Some((id, row)), Some(contact)) = (rows.first(), right.get(email)) else { continue };
        if people.merged.contains(email) || people.erased.contains(email) {
            continue;
        }
        for (place, (column, property)) in FIELDS.iter().enumerate() {
            let here = row.get(place + 1).map(text).unwrap_or_default();
            let there = contact.properties.get(*property).cloned().unwrap_or_default();
            let is_held = open.iter().any(|(_, held, conflict)| {
                held.as_str() == *property && conflict.external.as_str() == id.as_str()
            });
            if here != there && !is_held {
                fail(
                    "sides-agree",
                    format!("{email}: {column} is {here} on the left and {there} on the right"),
                );
            }
        }
    }

    // Every value that somebody entered is still there, or was replaced by somebody who saw it, or is told of.
    tally.check("no-silent-loss");
    let told: BTreeSet<(String, Fingerprint)> = open
        .iter()
        .chain(&settled)
        .flat_map(|(_, property, conflict)| {
            [(property.clone(), conflict.left), (property.clone(), conflict.right)]
        })
        .collect();
    let edits = people.edits();
    for (at, edit) in edits.iter().enumerate() {
        if edit.value.is_empty()
            || people.deleted.contains(&edit.email)
            || people.merged.contains(&edit.email)
            || people.erased.contains(&edit.email)
        {
            continue;
        }
        let (column, property) = FIELDS[edit.field];
        let shows = |side: &str| side == edit.value;
        let here =
            left.get(&edit.email).and_then(|rows| rows.first()).map(|(_, row)| text(&row[edit.field + 1]));
        let there = right.get(&edit.email).and_then(|contact| contact.properties.get(property).cloned());
        let is_there = shows(&here.unwrap_or_default()) || shows(&there.unwrap_or_default());
        let is_replaced = edits[at + 1..]
            .iter()
            .any(|later| later.email == edit.email && later.field == edit.field && later.over == edit.value);
        let value = match column {
            "points" => edit.value.parse().map(Value::Number).unwrap_or(Value::Null),
            _ => Value::text(edit.value.as_str()),
        };
        let is_told = told.contains(&(property.to_owned(), prints.value(&value)));
        if !is_there && !is_replaced && !is_told {
            let side = if edit.on_left { "left" } else { "right" };
            fail(
                "no-silent-loss",
                format!("{}: {column} {} of the {side} is gone without a word", edit.email, edit.value),
            );
        }
    }

    // What waits for a person or was put back by a merge or deletion aside, the last word is had by whom the policy names.
    tally.check("policy-decides");
    for (email, field, favoured_left) in
        people.everybody.iter().flat_map(|email| [(email, 1, true), (email, 2, false)])
    {
        let is_touched =
            [&people.deleted, &people.merged, &people.erased].iter().any(|set| set.contains(email));
        let of = |edit: &&Edit| edit.email == *email && edit.field == field;
        let last = edits.iter().rposition(|edit| of(&edit) && edit.on_left == favoured_left);
        let (Some(at), false) = (last, is_touched) else { continue };
        let edit = &edits[at];
        let is_replaced = edits[at + 1..].iter().any(|later| of(&later) && later.over == edit.value);
        let here = left.get(email).and_then(|rows| rows.first()).map(|(_, row)| text(&row[field + 1]));
        if !is_replaced && !edit.value.is_empty() && here.as_deref() != Some(edit.value.as_str()) {
            let side = if favoured_left { "left" } else { "right" };
            fail(
                "policy-decides",
                format!("{email}: {} of the {side}, {}, gave way to {here:?}", FIELDS[field].0, edit.value),
            );
        }
    }

    tally.check("erased-stay-away");
    let is_back = |email: &&String| right.contains_key(*email) && !people.brought_back.contains(*email);
    for email in people.erased.iter().filter(is_back) {
        fail("erased-stay-away", format!("{email} was erased, and is back on the right"));
    }

    tally.check("no-values-kept");
    if machine.state_holds(MARK) {
        fail("no-values-kept", "the state holds a value that a person entered".into());
    }
}
