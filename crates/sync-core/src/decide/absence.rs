//! When an absence counts as a deletion, and what it comes to. Pure and total.

use std::time::Duration;

use sync_types::{OnDelete, OnDeleteConflict};

use crate::mutation::{self, Bug};

/// Missing records that are too few to be a sign of something else, however small the collection.
const FEW: u64 = 3;

/// What a deletion on one side means for the other: by policy, unless the counterpart has changed since both last
/// agreed.
#[must_use]
pub fn verdict(policy: OnDelete, conflict: OnDeleteConflict, has_moved: bool) -> OnDelete {
    match (policy, has_moved && !mutation::is(Bug::EditDoesNotCount), conflict) {
        (OnDelete::Delete, true, OnDeleteConflict::Edit) => OnDelete::Keep,
        (OnDelete::Delete, true, OnDeleteConflict::Ask) => OnDelete::Ask,
        (policy, ..) => policy,
    }
}

/// Whether so many missing records of so many are more likely a sign of something else than deletions: more than
/// `max`, or than a twentieth. `u64::MAX`: no such limit.
#[must_use]
pub fn is_too_much(missing: u64, pairs: u64, max: u64) -> bool {
    max != u64::MAX && missing > FEW && missing > max.min(pairs / 20) && !mutation::is(Bug::NoFuse)
}

/// Whether an absence of this age has lasted as long as it must to be evidence.
#[must_use]
pub fn has_lasted(age: Duration, needed: Duration) -> bool {
    age >= needed || mutation::is(Bug::PatienceOfAMoment) && !age.is_zero()
}
