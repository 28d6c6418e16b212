//! The decision table, row by row, and its laws.

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;
use sync_types::PropertyKind;

use super::*;

const NULL: Fingerprint = Fingerprint(0);
const NAME: NameId = NameId(1);

fn property(direction: Direction, conflict: Conflict) -> MappedProperty {
    MappedProperty { direction, conflict, ..MappedProperty::to_right("city", PropertyKind::Text) }
}

fn base(left: u64, right: u64) -> FieldBase {
    FieldBase { property: NAME, left: Fingerprint(left), right: Fingerprint(right) }
}

/// Decides with small numbers for values; 0 is the empty one.
fn decided(
    property: &MappedProperty,
    agreed: Option<(u64, u64)>,
    left: Option<u64>,
    right: Option<u64>,
) -> Decision {
    let field = Field {
        property,
        name: NAME,
        base: agreed.map(|(left, right)| base(left, right)),
        left: left.map(Fingerprint),
        right: right.map(Fingerprint),
        held: None,
    };
    decide(&field, FirstContact::FillEmpty, NULL)
}

#[test]
fn the_table() {
    use Decision::{Agree, Contest, Nothing, Read, WriteLeft, WriteRight};
    use Direction::{Both, ToLeft, ToRight};
    use Overrides::{Nothing as None_, OtherChange};
    // 11 is how the right shows the left's 1.
    #[rustfmt::skip]
    let rows = [
        //  which way, agreed,        left,    right,    what
        (Both,    Some((1, 11)), Some(1), Some(11), Nothing),
        (Both,    Some((1, 11)), Some(2), Some(11), WriteRight(None_)),
        (Both,    Some((1, 11)), Some(1), Some(12), WriteLeft(None_)),
        (Both,    Some((1, 11)), Some(2), Some(2),  Agree(base(2, 2))),
        (Both,    Some((1, 11)), Some(2), Some(3),  Contest),
        (Both,    Some((1, 11)), Some(1), Some(1),  Agree(base(1, 1))),
        (ToRight, Some((1, 11)), Some(2), Some(11), WriteRight(None_)),
        (ToRight, Some((1, 11)), Some(1), Some(12), Nothing),
        (ToRight, Some((1, 11)), Some(2), Some(3),  WriteRight(OtherChange)),
        (ToLeft,  Some((1, 11)), Some(2), Some(11), Nothing),
        (ToLeft,  Some((1, 11)), Some(1), Some(12), WriteLeft(None_)),
        (ToLeft,  Some((1, 11)), Some(2), Some(3),  WriteLeft(OtherChange)),
        // What was not read is never a reason to write.
        (Both,    Some((1, 11)), None,    Some(12), Read),
        (Both,    Some((1, 11)), Some(2), None,     Read),
        (ToLeft,  Some((1, 11)), None,    Some(12), Read),
        (ToRight, Some((1, 11)), None,    Some(12), Nothing),
        (ToRight, Some((1, 11)), Some(2), None,     Read),
        // They meet for the first time.
        (Both,    None,          Some(0), Some(0),  Agree(base(0, 0))),
        (Both,    None,          Some(1), Some(1),  Agree(base(1, 1))),
        (Both,    None,          Some(1), Some(0),  WriteRight(None_)),
        (Both,    None,          Some(0), Some(1),  WriteLeft(None_)),
        (Both,    None,          Some(1), Some(2),  Contest),
        (ToRight, None,          Some(1), Some(0),  WriteRight(None_)),
        (ToRight, None,          Some(1), Some(2),  Agree(base(1, 2))),
        (ToRight, None,          Some(0), Some(2),  Agree(base(0, 2))),
        (ToLeft,  None,          Some(0), Some(2),  WriteLeft(None_)),
        (ToLeft,  None,          Some(1), Some(2),  Agree(base(1, 2))),
    ];
    for (direction, agreed, left, right, expected) in rows {
        let property = property(direction, Conflict::Ask);
        let found = decided(&property, agreed, left, right);
        assert_eq!(found, expected, "{direction:?} {agreed:?} {left:?} {right:?}");
    }
}

#[test]
fn who_wins() {
    let time = |second| Timestamp::from_second(second).ok();
    let text = |text: &str| Value::text(text);
    let number = |number: i64| Value::Number(Decimal::from(number));
    let moved = (true, true);
    let contest = |left: &Value, right: &Value, at: (Option<Timestamp>, Option<Timestamp>), conflict| {
        let contest = Contest { left, right, moved, left_at: at.0, right_at: at.1 };
        settle(&property(Direction::Both, conflict), &contest, false)
    };
    let never = (None, None);
    let ask = Err(HoldCause::BothChanged);
    let (a, b) = (text("a"), text("b"));
    assert_eq!(contest(&a, &b, never, Conflict::Left), Ok(Side::Left));
    assert_eq!(contest(&a, &b, never, Conflict::Right), Ok(Side::Right));
    assert_eq!(contest(&a, &b, never, Conflict::Ask), ask);
    assert_eq!(contest(&a, &b, (time(5), time(4)), Conflict::Newest), Ok(Side::Left));
    assert_eq!(contest(&a, &b, (time(4), time(5)), Conflict::Newest), Ok(Side::Right));
    assert_eq!(contest(&a, &b, (time(4), time(4)), Conflict::Newest), ask, "a tie is no proof");
    assert_eq!(contest(&a, &b, (None, time(4)), Conflict::Newest), ask);
    assert_eq!(contest(&a, &Value::Null, never, Conflict::Filled), Ok(Side::Left));
    assert_eq!(contest(&Value::Null, &b, never, Conflict::Filled), Ok(Side::Right));
    assert_eq!(contest(&a, &b, never, Conflict::Filled), ask);
    assert_eq!(contest(&number(2), &number(10), never, Conflict::Furthest), Ok(Side::Right));
    assert_eq!(contest(&number(2), &Value::Null, never, Conflict::Furthest), Ok(Side::Left));
    assert_eq!(contest(&a, &b, never, Conflict::Furthest), ask, "text without an order has none");
}

#[test]
fn an_order_only_goes_forward() {
    let order = ["none", "asked", "refused"].map(Value::text).to_vec();
    let consent = MappedProperty {
        order,
        ratchet: true,
        // Whatever the policy says.
        ..property(Direction::Both, Conflict::Left)
    };
    let settled = |left: &str, right: &str, moved| {
        let (left, right) = (Value::text(left), Value::text(right));
        let contest = Contest { left: &left, right: &right, moved, left_at: None, right_at: None };
        settle(&consent, &contest, false)
    };
    let (left, right, both) = ((true, false), (false, true), (true, true));
    assert_eq!(settled("refused", "asked", left), Ok(Side::Left));
    assert_eq!(settled("none", "asked", left), Err(HoldCause::StepBack));
    assert_eq!(settled("asked", "refused", right), Ok(Side::Right));
    assert_eq!(settled("asked", "none", right), Err(HoldCause::StepBack));
    assert_eq!(settled("asked", "refused", both), Ok(Side::Right));
    assert_eq!(settled("refused", "none", both), Ok(Side::Left));
    assert_eq!(settled("odd", "none", both), Err(HoldCause::BothChanged));
    assert_eq!(settled("odd", "none", left), Err(HoldCause::StepBack));
    assert_eq!(decided(&consent, Some((1, 1)), Some(2), Some(1)), Decision::Contest);
}

#[test]
fn what_a_person_said_holds_for_the_values_she_saw() {
    let property = property(Direction::Both, Conflict::Ask);
    let decide_with = |left, right, decision| {
        let held = Held { left: Fingerprint(2), right: Fingerprint(3), decision, is_frozen: false };
        let field = Field {
            property: &property,
            name: NAME,
            base: Some(base(1, 1)),
            left: Some(Fingerprint(left)),
            right: Some(Fingerprint(right)),
            held: Some(&held),
        };
        decide(&field, FirstContact::FillEmpty, NULL)
    };
    assert_eq!(decide_with(2, 3, None), Decision::Waiting);
    assert_eq!(decide_with(2, 3, Some(Side::Left)), Decision::WriteRight(Overrides::OtherChange));
    assert_eq!(decide_with(2, 3, Some(Side::Right)), Decision::WriteLeft(Overrides::OtherChange));
    assert_eq!(decide_with(2, 4, Some(Side::Left)), Decision::Contest, "the other value has moved");
    assert_eq!(decide_with(2, 2, None), Decision::Agree(base(2, 2)), "they agree by now");
}

fn directions() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::ToRight, Direction::ToLeft, Direction::Both])
}

fn conflicts() -> impl Strategy<Value = Conflict> {
    use Conflict::{Ask, Filled, Furthest, Left, Newest, Right};
    prop::sample::select(vec![Left, Right, Newest, Filled, Furthest, Ask])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// Doing what was decided leaves nothing to decide; nothing goes against its direction; what was not read is
    /// never written over; nothing that the other side changed goes without being called so.
    #[test]
    fn one_step_is_enough(
        direction in directions(),
        conflict in conflicts(),
        agreed in prop::option::of((0..4_u64, 0..4_u64)),
        left in prop::option::of(0..4_u64),
        right in prop::option::of(0..4_u64),
        source_first in any::<bool>(),
    ) {
        let property = property(direction, conflict);
        let first = if source_first { FirstContact::Source } else { FirstContact::FillEmpty };
        let field = |base: Option<FieldBase>, left: Option<u64>, right: Option<u64>| Field {
            property: &property,
            name: NAME,
            base,
            left: left.map(Fingerprint),
            right: right.map(Fingerprint),
            held: None,
        };
        let was = agreed.map(|(left, right)| base(left, right));
        let decision = decide(&field(was, left, right), first, NULL);
        // After the write both hold the winner's value, and are noted as agreed.
        let after = match (decision, left, right) {
            (Decision::Agree(base), left, right) => Some((Some(base), left, right)),
            (Decision::WriteRight(over), Some(left), Some(right)) => {
                prop_assert!(direction.to_right());
                let is_foreign = was.is_some_and(|base| base.right != Fingerprint(right));
                prop_assert_eq!(is_foreign || (was.is_none() && right != 0 && direction == Direction::Both),
                    over == Overrides::OtherChange);
                Some((Some(base(left, left)), Some(left), Some(left)))
            }
            (Decision::WriteLeft(over), Some(left), Some(right)) => {
                prop_assert!(direction.to_left());
                let is_foreign = was.is_some_and(|base| base.left != Fingerprint(left));
                prop_assert_eq!(is_foreign, over == Overrides::OtherChange);
                Some((Some(base(right, right)), Some(right), Some(right)))
            }
            (Decision::WriteRight(_) | Decision::WriteLeft(_), ..) => {
                return Err(TestCaseError::fail("a write over something that was not read"));
            }
            (Decision::Contest, ..) => {
                prop_assert_eq!(direction, Direction::Both);
                None
            }
            (Decision::Read, left, right) => {
                prop_assert!(left.is_none() || right.is_none());
                None
            }
            _ => None,
        };
        if let Some((base, left, right)) = after {
            prop_assert_eq!(decide(&field(base, left, right), first, NULL), Decision::Nothing);
        }
    }

    /// A mirrored world gets the mirrored decision.
    #[test]
    fn both_sides_are_treated_alike(
        agreed in (0..4_u64, 0..4_u64),
        left in 0..4_u64,
        right in 0..4_u64,
    ) {
        let property = property(Direction::Both, Conflict::Ask);
        let one = decided(&property, Some(agreed), Some(left), Some(right));
        let other = decided(&property, Some((agreed.1, agreed.0)), Some(right), Some(left));
        let mirrored = match one {
            Decision::WriteRight(over) => Decision::WriteLeft(over),
            Decision::WriteLeft(over) => Decision::WriteRight(over),
            Decision::Agree(was) => Decision::Agree(FieldBase { left: was.right, right: was.left, ..was }),
            same => same,
        };
        prop_assert_eq!(other, mirrored);
    }
}

#[test]
fn what_a_person_said_never_goes_where_nothing_is_brought() {
    let one_way = MappedProperty { ratchet: true, ..property(Direction::ToRight, Conflict::Left) };
    let said = |decision| Held { left: Fingerprint(1), right: Fingerprint(3), decision, is_frozen: false };
    let decided = |held: &Held| {
        let field = Field {
            property: &one_way,
            name: NAME,
            base: Some(base(2, 2)),
            left: Some(Fingerprint(1)),
            right: Some(Fingerprint(3)),
            held: Some(held),
        };
        decide(&field, FirstContact::Source, NULL)
    };
    assert_eq!(decided(&said(None)), Decision::Waiting);
    assert_eq!(decided(&said(Some(Side::Left))), Decision::WriteRight(Overrides::OtherChange));
    assert_eq!(decided(&said(Some(Side::Right))), Decision::Agree(base(1, 3)));
}

#[test]
fn what_only_fills_the_empty_never_replaces() {
    for direction in [Direction::ToRight, Direction::Both] {
        let fills = MappedProperty { overwrite: false, ..property(direction, Conflict::Left) };
        assert_eq!(decided(&fills, Some((1, 1)), Some(2), Some(1)), Decision::Agree(base(2, 1)));
        assert_eq!(decided(&fills, Some((1, 1)), Some(2), Some(3)), Decision::Agree(base(2, 3)));
        assert_eq!(decided(&fills, None, Some(2), Some(0)), Decision::WriteRight(Overrides::Nothing));
    }
}

#[test]
fn what_is_frozen_stays_as_it_is_until_a_person_says_something() {
    let property =
        MappedProperty { direction: Direction::Both, ..MappedProperty::to_right("city", PropertyKind::Text) };
    let decided = |left: u64, right: u64, decision: Option<Side>| {
        let held = Held { left: Fingerprint(8), right: Fingerprint(9), decision, is_frozen: true };
        let field = Field {
            property: &property,
            name: NAME,
            base: Some(base(1, 1)),
            left: Some(Fingerprint(left)),
            right: Some(Fingerprint(right)),
            held: Some(&held),
        };
        decide(&field, FirstContact::FillEmpty, NULL)
    };
    for (left, right) in [(1, 1), (2, 1), (1, 2), (2, 3), (2, 2)] {
        assert_eq!(decided(left, right, None), Decision::Waiting, "{left} {right}");
    }
    assert_eq!(decided(1, 2, Some(Side::Left)), Decision::WriteRight(Overrides::OtherChange));
    assert_eq!(decided(2, 1, Some(Side::Right)), Decision::WriteLeft(Overrides::OtherChange));
    assert!(matches!(decided(2, 2, Some(Side::Left)), Decision::Agree(_)));
}
