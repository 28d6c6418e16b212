//! What to do with one property that both sides hold: the field decision table. Pure and total.
//!
//! A side has *changed* when it shows another value than at the last agreement. Values are compared as
//! fingerprints; only a conflict that a policy settles by value needs the values themselves.

pub mod absence;

use jiff::Timestamp;
use sync_types::{Conflict, Direction, FieldBase, Fingerprint, FirstContact, MappedProperty, NameId, Value};

use crate::mutation::{self, Bug};

/// What is known of one property of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// How it is kept in step.
    pub property: &'a MappedProperty,
    /// The store's number for it.
    pub name: NameId,
    /// What both sides showed when they last agreed.
    pub base: Option<FieldBase>,
    /// What the left shows, as the mapping brings it over; `None`: not known, or to be left alone.
    pub left: Option<Fingerprint>,
    /// What the right shows, in canonical form; `None`: not read.
    pub right: Option<Fingerprint>,
    /// A conflict about it that is held for a person, and what she said.
    pub held: Option<&'a Held>,
}

/// A conflict that was held for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the left showed.
    pub left: Fingerprint,
    /// What the right showed.
    pub right: Fingerprint,
    /// Whose value she took; `None`: not decided yet.
    pub decision: Option<Side>,
    /// Whether the property is left alone until she says something, whatever either side shows meanwhile.
    pub is_frozen: bool,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The customer's system.
    Left,
    /// HubSpot.
    Right,
}

/// Why a value is written over another one that somebody had set since the two last agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overrides {
    /// Nothing was overwritten that both sides had not agreed to leave behind.
    Nothing,
    /// Both sides had changed it; policy or a person chose this one.
    OtherChange,
}

/// What to do with one property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both are as agreed, or nothing may be done about it.
    Nothing,
    /// Both hold the same now, each in its own form: only the agreement is to be noted.
    Agree(FieldBase),
    /// Write the left's value to the right.
    WriteRight(Overrides),
    /// Write the right's value to the left.
    WriteLeft(Overrides),
    /// Both have changed, or never agreed; [`settle`] says who wins, by the values.
    Contest,
    /// A step back in an order that only goes forward: held for a person.
    Hold(HoldCause),
    /// A person has not decided yet, and nothing has moved since she was asked.
    Waiting,
    /// One side is not known: it has to be read first.
    Read,
}

/// Why something is held for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldCause {
    /// Both sides changed it, to different values.
    BothChanged,
    /// Both sides had a value before they first met.
    FirstContact,
    /// The change is a step back in an order that only goes forward.
    StepBack,
    /// Somebody changed it in HubSpot between our reading and our writing.
    LostUpdate,
    /// One side changes it back as often as the other sets it.
    Oscillation,
}

/// Decides one property.
#[must_use]
pub fn decide(field: &Field<'_>, first_contact: FirstContact, null: Fingerprint) -> Decision {
    let direction = field.property.direction;
    let unread = if mutation::is(Bug::NotReadIsEmpty) { Some(null) } else { None };
    let (Some(left), Some(right)) = (field.left.or(unread), field.right.or(unread)) else {
        return match (field.left, direction.to_left()) {
            // The mapping leaves it alone, and nothing comes back: there is nothing to do.
            (None, false) => Decision::Nothing,
            _ => Decision::Read,
        };
    };
    let agreed = FieldBase { property: field.name, left, right };
    if let Some(held) = field.held.filter(|held| held.is_frozen) {
        // Two who fight over it change it as she looks: her word holds for what is there now.
        return match held.decision {
            None => Decision::Waiting,
            Some(_) if left == right => Decision::Agree(agreed),
            Some(side) => carried(direction, side, agreed),
        };
    }
    let decision = match field.base {
        None => first_meeting(field, direction, agreed, first_contact, null),
        Some(base) => later_meeting(field, direction, agreed, base),
    };
    // What somebody has filled in stays; the left's value is noted, so that it is not looked at for ever.
    let is_kept = !field.property.overwrite && right != null && !mutation::is(Bug::FillsTheFull);
    if is_kept && matches!(decision, Decision::WriteRight(_) | Decision::Contest) {
        return Decision::Agree(agreed);
    }
    decision
}

fn later_meeting(field: &Field<'_>, direction: Direction, agreed: FieldBase, base: FieldBase) -> Decision {
    let (left, right) = (agreed.left, agreed.right);
    match (base.left != left, base.right != right) {
        (false, false) => Decision::Nothing,
        _ if left == right && !mutation::is(Bug::SameIsContested) => Decision::Agree(agreed),
        (true, false) if direction.to_right() => write(field, Side::Left, agreed),
        (false, true) if direction.to_left() || mutation::is(Bug::AgainstDirection) => {
            write(field, Side::Right, agreed)
        }
        // The side that nobody reads from has changed: it is left as it is until the other side speaks.
        (true, false) | (false, true) => Decision::Nothing,
        (true, true) => contest(field, direction, agreed),
    }
}

fn first_meeting(
    field: &Field<'_>,
    direction: Direction,
    agreed: FieldBase,
    first_contact: FirstContact,
    null: Fingerprint,
) -> Decision {
    let (left, right) = (agreed.left, agreed.right);
    if left == right {
        return Decision::Agree(agreed);
    }
    if field.property.ratchet && left != null && right != null {
        return asked(field, agreed).unwrap_or(Decision::Contest);
    }
    match direction {
        // Nothing is no step forward.
        Direction::ToRight if field.property.ratchet && left == null => Decision::Agree(agreed),
        // One side owns it. "Fill empty" keeps what the other side has, as agreed.
        Direction::ToRight if first_contact == FirstContact::Source || right == null => {
            Decision::WriteRight(Overrides::Nothing)
        }
        Direction::ToLeft if left == null => Decision::WriteLeft(Overrides::Nothing),
        Direction::ToRight | Direction::ToLeft => Decision::Agree(agreed),
        // An empty value never clears what somebody filled in before the two met.
        Direction::Both if left == null && !mutation::is(Bug::EmptyClears) => {
            Decision::WriteLeft(Overrides::Nothing)
        }
        Direction::Both if right == null => Decision::WriteRight(Overrides::Nothing),
        Direction::Both if first_contact == FirstContact::Source => {
            Decision::WriteRight(Overrides::OtherChange)
        }
        Direction::Both => contest(field, direction, agreed),
    }
}

/// One side has changed and the other has not.
fn write(field: &Field<'_>, from: Side, now: FieldBase) -> Decision {
    if field.property.ratchet {
        // Whether it is a step forward is told by the values.
        return match asked(field, now) {
            Some(decision) => decision,
            None => Decision::Contest,
        };
    }
    match from {
        Side::Left => Decision::WriteRight(Overrides::Nothing),
        Side::Right => Decision::WriteLeft(Overrides::Nothing),
    }
}

fn contest(field: &Field<'_>, direction: Direction, now: FieldBase) -> Decision {
    match direction {
        Direction::ToRight if !field.property.ratchet && mutation::is(Bug::OverridesUnsaid) => {
            Decision::WriteRight(Overrides::Nothing)
        }
        Direction::ToRight if !field.property.ratchet => Decision::WriteRight(Overrides::OtherChange),
        Direction::ToLeft if !field.property.ratchet => Decision::WriteLeft(Overrides::OtherChange),
        _ => asked(field, now).unwrap_or(Decision::Contest),
    }
}

/// What a person said about exactly these two values, if she was asked.
fn asked(field: &Field<'_>, now: FieldBase) -> Option<Decision> {
    let is_about = |held: &Held| held.left == now.left && held.right == now.right;
    let held = field.held.filter(|held| is_about(held) || mutation::is(Bug::SaidForEver))?;
    Some(match held.decision {
        None => Decision::Waiting,
        Some(side) => carried(field.property.direction, side, now),
    })
}

/// What she has said, carried out as far as the property travels that way.
fn carried(direction: Direction, side: Side, now: FieldBase) -> Decision {
    match side {
        // Nothing is brought there: the two differ, and she has said that they may.
        side if !may_carry(direction, side) => Decision::Agree(now),
        Side::Left => Decision::WriteRight(Overrides::OtherChange),
        Side::Right => Decision::WriteLeft(Overrides::OtherChange),
    }
}

/// The two values of a [`Decision::Contest`], and when each was set, where that is known.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// The left's value.
    pub left: &'a Value,
    /// The right's value.
    pub right: &'a Value,
    /// Whether each side has changed since the last agreement; both, where they never agreed.
    pub moved: (bool, bool),
    /// When the left's value was set.
    pub left_at: Option<Timestamp>,
    /// When the right's value was set.
    pub right_at: Option<Timestamp>,
}

/// Who wins; an error says why a person has to decide.
///
/// # Errors
/// The cause for which the property is held.
pub fn settle(property: &MappedProperty, contest: &Contest<'_>, first: bool) -> Result<Side, HoldCause> {
    let cause = if first { HoldCause::FirstContact } else { HoldCause::BothChanged };
    let further = furthest(&property.order, contest.left, contest.right);
    if property.ratchet {
        // Only forward, whoever changed it and whatever the policy.
        let winner = match further {
            Some(side) => side,
            None if contest.moved.0 && contest.moved.1 => return Err(cause),
            None => return Err(HoldCause::StepBack),
        };
        let moved = match winner {
            Side::Left => contest.moved.0,
            Side::Right => contest.moved.1,
        };
        // The side that has not moved is ahead: the other one stepped back.
        return if moved {
            Ok(winner)
        } else if mutation::is(Bug::StepsBack) {
            Ok(if winner == Side::Left { Side::Right } else { Side::Left })
        } else {
            Err(HoldCause::StepBack)
        };
    }
    match property.conflict {
        Conflict::Left => Ok(Side::Left),
        Conflict::Right => Ok(Side::Right),
        Conflict::Newest => match (contest.left_at, contest.right_at) {
            (Some(left), Some(right)) if left > right => Ok(Side::Left),
            (Some(left), Some(right)) if right > left => Ok(Side::Right),
            (Some(_), Some(_)) if mutation::is(Bug::TieGoesLeft) => Ok(Side::Left),
            _ => Err(cause),
        },
        Conflict::Filled => match (contest.left.is_null(), contest.right.is_null()) {
            (true, false) => Ok(Side::Right),
            (false, true) => Ok(Side::Left),
            _ => Err(cause),
        },
        Conflict::Furthest => further.ok_or(cause),
        Conflict::Ask => Err(cause),
    }
}

/// Whether a property that travels this way can be brought over from a side.
#[must_use]
pub fn may_carry(direction: Direction, from: Side) -> bool {
    match from {
        Side::Left => direction.to_right(),
        Side::Right => direction.to_left(),
    }
}

/// Which of two different values stands later in an order; numbers and dates have one of their own. An empty value
/// stands before all others.
fn furthest(order: &[Value], left: &Value, right: &Value) -> Option<Side> {
    let rank = |value: &Value| {
        if value.is_null() { Some(0) } else { order.iter().position(|known| known == value).map(|at| at + 1) }
    };
    let is_left = match (left, right) {
        (Value::Null, Value::Null) => return None,
        (Value::Null, _) => false,
        (_, Value::Null) => true,
        _ if !order.is_empty() => match (rank(left)?, rank(right)?) {
            (left, right) if left == right => return None,
            (left, right) => left > right,
        },
        (Value::Number(left), Value::Number(right)) if left != right => left > right,
        (Value::Date(left), Value::Date(right)) if left != right => left > right,
        (Value::DateTime(left), Value::DateTime(right)) if left != right => left > right,
        (Value::Bool(left), Value::Bool(right)) if left != right => *left,
        _ => return None,
    };
    Some(if is_left { Side::Left } else { Side::Right })
}

#[cfg(test)]
mod tests;
