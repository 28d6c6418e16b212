//! Planted bugs: what the simulation must catch. Without the feature `mutations` none can be
//! planted.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bug {
    /// Writes to properties that flow both ways are not looked up afterwards.
    NoAudit,
    /// The first sign of an absence is taken for evidence.
    DeleteAtOnce,
    /// A record that is nowhere to be found is taken for deleted.
    ActOnUnknown,
    /// The source's record of a merge's loser is deleted.
    MergeDeletes,
    /// The feed's cursor moves without its sightings.
    CursorWithoutSightings,
    /// Sightings are dropped when they are taken up, not when they are done with.
    SightingsDroppedEarly,
    /// What both sides changed goes to the right without a word.
    LeftAlwaysWins,
    /// A conflict that waits for a person is settled for the right.
    NobodyAsked,
    /// A value that the right shows empty is never brought to the left.
    SeenBeforeAgreed,
    /// An unknown outcome on the right is taken for written.
    UnknownIsWritten,
    /// A restored record is compared as if it had never been away, and counted as gone.
    GoneForGood,
    /// The place in the source's changes moves without what was told.
    PlaceWithoutKeys,
    /// What the source told is forgotten as soon as it is looked at.
    KeysDroppedEarly,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Bug; 13] = [
        Bug::NoAudit,
        Bug::DeleteAtOnce,
        Bug::ActOnUnknown,
        Bug::MergeDeletes,
        Bug::CursorWithoutSightings,
        Bug::SightingsDroppedEarly,
        Bug::LeftAlwaysWins,
        Bug::NobodyAsked,
        Bug::SeenBeforeAgreed,
        Bug::UnknownIsWritten,
        Bug::GoneForGood,
        Bug::PlaceWithoutKeys,
        Bug::KeysDroppedEarly,
    ];
}

#[cfg(feature = "mutations")]
std::thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in this thread, or takes the last one out.
#[cfg(feature = "mutations")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this bug is planted.
#[cfg(feature = "mutations")]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Whether this bug is planted: never.
#[cfg(not(feature = "mutations"))]
pub(crate) fn is(_bug: Bug) -> bool {
    false
}
