//! Laws of the field decision table.

use std::sync::LazyLock;

use fastrand::Rng;
use jiff::Timestamp;
use sync_core::decide::{
    Contest, Decision, Field, Held, HoldCause, Overrides, Side, decide, may_carry, settle,
};
use sync_types::{
    Conflict, Direction, FieldBase, Fingerprint, FirstContact, MappedProperty, NameId, PropertyKind, Value,
};

use super::ensure;
use super::model::{End, Rule, Seen, end as model_end};

const NULL: Fingerprint = Fingerprint(0);
const NAME: NameId = NameId(1);

/// Values by their number; 0 is the empty one.
static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let number = |n: usize| n.to_string().parse().map_or(Value::Null, Value::Number);
    std::iter::once(Value::Null).chain((1..5).map(number)).collect()
});

fn print(value: u8) -> Fingerprint {
    Fingerprint(u64::from(value))
}

fn value(number: u8) -> &'static Value {
    VALUES.get(usize::from(number)).unwrap_or(&Value::Null)
}

fn rule(rng: &mut Rng) -> Rule {
    let directions = [Direction::ToRight, Direction::ToLeft, Direction::Both, Direction::Both];
    let conflicts = [
        Conflict::Left,
        Conflict::Right,
        Conflict::Newest,
        Conflict::Filled,
        Conflict::Furthest,
        Conflict::Ask,
    ];
    let ratchet = rng.u8(0..4) == 0;
    Rule {
        direction: directions[rng.usize(0..directions.len())],
        conflict: conflicts[rng.usize(0..conflicts.len())],
        ratchet,
        // A value that only goes forward is kept by that already.
        overwrite: ratchet || rng.u8(0..5) > 0,
        first: if rng.bool() { FirstContact::Source } else { FirstContact::FillEmpty },
    }
}

fn seen(rng: &mut Rng) -> Seen {
    let small = |rng: &mut Rng| rng.u8(0..5);
    Seen {
        left: small(rng),
        right: small(rng),
        agreed: (rng.u8(0..4) > 0).then(|| (small(rng), small(rng))),
        left_at: (rng.u8(0..4) > 0).then(|| rng.u8(0..3)),
        right_at: (rng.u8(0..4) > 0).then(|| rng.u8(0..3)),
    }
}

fn property(rule: &Rule) -> MappedProperty {
    MappedProperty {
        direction: rule.direction,
        conflict: rule.conflict,
        ratchet: rule.ratchet,
        overwrite: rule.overwrite,
        ..MappedProperty::to_right("points", PropertyKind::Number)
    }
}

fn base(agreed: (u8, u8)) -> FieldBase {
    FieldBase { property: NAME, left: print(agreed.0), right: print(agreed.1) }
}

fn decided(rule: &Rule, property: &MappedProperty, seen: &Seen, held: Option<&Held>) -> Decision {
    let field = Field {
        property,
        name: NAME,
        base: seen.agreed.map(base),
        left: Some(print(seen.left)),
        right: Some(print(seen.right)),
        held,
    };
    decide(&field, rule.first, NULL)
}

fn settled(property: &MappedProperty, seen: &Seen) -> Result<Side, HoldCause> {
    let at = |moment: Option<u8>| moment.and_then(|at| Timestamp::from_second(i64::from(at)).ok());
    let moved = seen.agreed.map_or((true, true), |(left, right)| (left != seen.left, right != seen.right));
    let contest = Contest {
        left: value(seen.left),
        right: value(seen.right),
        moved,
        left_at: at(seen.left_at),
        right_at: at(seen.right_at),
    };
    settle(property, &contest, seen.agreed.is_none())
}

/// Does what was decided, as the engine does; says whether anything was done, and whether a person is asked.
fn step(rule: &Rule, seen: &mut Seen) -> (bool, bool) {
    let property = property(rule);
    let take = |side: Side, seen: &mut Seen| {
        let value = if side == Side::Left { seen.left } else { seen.right };
        (seen.left, seen.right, seen.agreed) = (value, value, Some((value, value)));
    };
    match decided(rule, &property, seen, None) {
        Decision::Nothing | Decision::Read | Decision::Waiting => (false, false),
        Decision::Agree(_) => {
            seen.agreed = Some((seen.left, seen.right));
            (true, false)
        }
        Decision::WriteRight(_) => {
            take(Side::Left, seen);
            (true, false)
        }
        Decision::WriteLeft(_) => {
            take(Side::Right, seen);
            (true, false)
        }
        Decision::Hold(_) => (false, true),
        Decision::Contest => match settled(&property, seen) {
            Ok(side) if may_carry(rule.direction, side) => {
                take(side, seen);
                (true, false)
            }
            Ok(_) => {
                seen.agreed = Some((seen.left, seen.right));
                (true, false)
            }
            Err(_) => (false, true),
        },
    }
}

/// One property comes to the end that the model gives it, in one step, and rests there.
pub(super) fn end(rng: &mut Rng) -> Result<(), String> {
    let (rule, before) = (rule(rng), seen(rng));
    let expected = model_end(&rule, &before);
    let mut now = before;
    let (_, asked) = step(&rule, &mut now);
    let found = End { left: now.left, right: now.right, asked };
    ensure(found == expected, || {
        format!("{rule:?} {before:?}: {found:?}, where the model says {expected:?}")
    })?;
    let (done, asked_again) = step(&rule, &mut now);
    ensure(!done && asked_again == asked, || format!("{rule:?} {before:?}: it does not rest at {now:?}"))
}

/// A batch of properties comes to the same end in whatever order it is carried out.
pub(super) fn shuffled(rng: &mut Rng) -> Result<(), String> {
    let rules: Vec<Rule> = (0..4).map(|_| rule(rng)).collect();
    let before: Vec<Seen> = (0..4).map(|_| seen(rng)).collect();
    let mut ends = Vec::new();
    for _ in 0..2 {
        let mut world = before.clone();
        let mut order: Vec<usize> = (0..world.len()).collect();
        rng.shuffle(&mut order);
        let mut rounds = 0;
        while order.iter().any(|at| step(&rules[*at], &mut world[*at]).0) {
            rounds += 1;
            ensure(rounds < 200, || format!("{rules:?} {before:?}: still moving"))?;
        }
        ends.push(world);
    }
    ensure(ends[0] == ends[1], || format!("{rules:?} {before:?}: {ends:?}"))
}

/// A side that was not read is no reason to write anything anywhere.
pub(super) fn unread(rng: &mut Rng) -> Result<(), String> {
    let (rule, seen) = (rule(rng), seen(rng));
    let property = property(&rule);
    let is_left_known = rng.bool();
    let field = Field {
        property: &property,
        name: NAME,
        base: seen.agreed.map(base),
        left: is_left_known.then(|| print(seen.left)),
        right: (!is_left_known && rng.bool()).then(|| print(seen.right)),
        held: None,
    };
    let decision = decide(&field, rule.first, NULL);
    ensure(matches!(decision, Decision::Read | Decision::Nothing), || {
        format!("{rule:?} {seen:?}, left {:?}, right {:?}: {decision:?}", field.left, field.right)
    })
}

/// A write over a value that somebody has set since the last agreement says so, and no other does.
pub(super) fn overrides(rng: &mut Rng) -> Result<(), String> {
    let (rule, seen) = (rule(rng), seen(rng));
    let Some((left, right)) = seen.agreed else { return Ok(()) };
    let (over, is_foreign) = match decided(&rule, &property(&rule), &seen, None) {
        Decision::WriteRight(over) => (over, right != seen.right),
        Decision::WriteLeft(over) => (over, left != seen.left),
        _ => return Ok(()),
    };
    ensure((over == Overrides::OtherChange) == is_foreign, || {
        format!("{rule:?} {seen:?}: a write over a foreign value ({is_foreign}) is called {over:?}")
    })
}

/// Whatever the policy, what only goes forward never goes back.
pub(super) fn forward(rng: &mut Rng) -> Result<(), String> {
    let rule = Rule { ratchet: true, overwrite: true, ..rule(rng) };
    let before = seen(rng);
    let mut now = before;
    step(&rule, &mut now);
    ensure(now.left >= before.left && now.right >= before.right, || {
        format!("{rule:?} {before:?}: became {now:?}")
    })
}

/// What a person said holds for exactly the two values that she was shown.
pub(super) fn said(rng: &mut Rng) -> Result<(), String> {
    let rule = Rule {
        direction: Direction::Both,
        conflict: Conflict::Ask,
        ratchet: false,
        overwrite: true,
        ..rule(rng)
    };
    let seen = Seen { agreed: Some((0, 0)), left: rng.u8(1..5), right: rng.u8(1..5), ..seen(rng) };
    let shown = (rng.u8(1..5), rng.u8(1..5));
    let decision = [None, Some(Side::Left), Some(Side::Right)][rng.usize(0..3)];
    let held = Held { left: print(shown.0), right: print(shown.1), decision, is_frozen: false };
    let found = decided(&rule, &property(&rule), &seen, Some(&held));
    let expected = match decision {
        _ if seen.left == seen.right => Decision::Agree(base((seen.left, seen.right))),
        _ if shown != (seen.left, seen.right) => Decision::Contest,
        None => Decision::Waiting,
        Some(Side::Left) => Decision::WriteRight(Overrides::OtherChange),
        Some(Side::Right) => Decision::WriteLeft(Overrides::OtherChange),
    };
    ensure(found == expected, || format!("{seen:?}, asked about {shown:?}, said {decision:?}: {found:?}"))
}
