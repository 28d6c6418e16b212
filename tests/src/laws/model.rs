//! What must come of one property that two sides hold, said a second time and as plainly as possible: the engine's
//! tables are held against this.

use sync_core::decide::{Side, may_carry};
use sync_types::{Conflict, Direction, FirstContact};

/// How a property is kept in step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) direction: Direction,
    pub(super) conflict: Conflict,
    /// It only goes forward.
    pub(super) ratchet: bool,
    /// It may replace what HubSpot has.
    pub(super) overwrite: bool,
    pub(super) first: FirstContact,
}

/// What is known of it. Values are small numbers, 0 the empty one; moments are, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) left: u8,
    pub(super) right: u8,
    /// What both showed when they last agreed.
    pub(super) agreed: Option<(u8, u8)>,
    pub(super) left_at: Option<u8>,
    pub(super) right_at: Option<u8>,
}

/// What each side must show in the end, and whether a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) left: u8,
    pub(super) right: u8,
    pub(super) asked: bool,
}

/// What must come of it.
pub(super) fn end(rule: &Rule, seen: &Seen) -> End {
    let stays = End { left: seen.left, right: seen.right, asked: false };
    let asks = End { asked: true, ..stays };
    let takes = |side: Option<Side>| match side {
        None => asks,
        // A value that the property's direction does not carry stays where it is.
        Some(side) if !may_carry(rule.direction, side) => stays,
        Some(Side::Left) if !rule.overwrite && seen.right != 0 => stays,
        Some(Side::Left) => End { right: seen.left, ..stays },
        Some(Side::Right) => End { left: seen.right, ..stays },
    };
    let moved = (
        seen.agreed.is_none_or(|(left, _)| left != seen.left),
        seen.agreed.is_none_or(|(_, right)| right != seen.right),
    );
    if seen.left == seen.right || moved == (false, false) {
        return stays;
    }
    let is_first = seen.agreed.is_none();
    let further = if seen.left > seen.right { Side::Left } else { Side::Right };
    let is_filled = seen.left != 0 && seen.right != 0;
    // An empty value never clears what was there before the two met.
    if is_first && !is_filled && (rule.direction == Direction::Both || rule.first == FirstContact::FillEmpty)
    {
        let filled = if seen.left == 0 { Side::Right } else { Side::Left };
        return takes(Some(filled));
    }
    if is_first && !is_filled && rule.direction == Direction::ToRight {
        // Nothing is no step forward.
        return takes(Some(if rule.ratchet { further } else { Side::Left }));
    }
    if is_first && !is_filled {
        return if seen.left == 0 { takes(Some(Side::Right)) } else { stays };
    }
    if rule.ratchet {
        let has_moved = if further == Side::Left { moved.0 } else { moved.1 };
        let is_heard = is_first || (moved.0 && moved.1) || may_carry(rule.direction, mover(moved));
        return match (is_heard, has_moved) {
            (false, _) => stays,
            (true, true) => takes(Some(further)),
            // The side that has not moved is ahead: the other one stepped back.
            (true, false) => asks,
        };
    }
    match (is_first, rule.direction) {
        (true, Direction::ToRight) if rule.first == FirstContact::Source => takes(Some(Side::Left)),
        (true, Direction::Both) if rule.first == FirstContact::Source => takes(Some(Side::Left)),
        (true, Direction::ToRight | Direction::ToLeft) => stays,
        (true, Direction::Both) => contest(rule, seen, further, is_filled, takes),
        (false, _) if moved != (true, true) => takes(Some(mover(moved))),
        (false, Direction::ToRight) => takes(Some(Side::Left)),
        (false, Direction::ToLeft) => takes(Some(Side::Right)),
        (false, Direction::Both) => contest(rule, seen, further, is_filled, takes),
    }
}

fn mover(moved: (bool, bool)) -> Side {
    if moved.0 { Side::Left } else { Side::Right }
}

fn contest(
    rule: &Rule,
    seen: &Seen,
    further: Side,
    is_filled: bool,
    takes: impl Fn(Option<Side>) -> End,
) -> End {
    // What only fills is not asked about either: what HubSpot has stays.
    if !rule.overwrite && seen.right != 0 {
        return takes(Some(Side::Left));
    }
    takes(match rule.conflict {
        Conflict::Left => Some(Side::Left),
        Conflict::Right => Some(Side::Right),
        Conflict::Newest => match (seen.left_at, seen.right_at) {
            (Some(left), Some(right)) if left > right => Some(Side::Left),
            (Some(left), Some(right)) if left < right => Some(Side::Right),
            _ => None,
        },
        Conflict::Filled if is_filled => None,
        Conflict::Filled | Conflict::Furthest => Some(further),
        Conflict::Ask => None,
    })
}
