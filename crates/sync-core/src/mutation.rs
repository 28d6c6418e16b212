//! Planted bugs: what the simulation must catch. Without the feature `mutations` none can be
//! planted.

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident: $breaks:literal,)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Bug {
            /// Every bug.
            pub const ALL: &[Bug] = &[$(Bug::$name,)+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Bug::$name => stringify!($name),)+
                }
            }

            /// The invariants that it breaks, by the numbers in the book of the simulation.
            #[must_use]
            pub fn breaks(self) -> &'static str {
                match self {
                    $(Bug::$name => $breaks,)+
                }
            }
        }
    };
}

bugs! {
    /// Writes to properties that flow both ways are not looked up afterwards.
    NoAudit: "I6",
    /// The first sign of an absence is taken for evidence.
    DeleteAtOnce: "I9",
    /// A record that is nowhere to be found is taken for deleted.
    ActOnUnknown: "I9",
    /// The source's record of a merge's loser is deleted.
    MergeDeletes: "I10",
    /// The feed's cursor moves without its sightings.
    CursorWithoutSightings: "I8",
    /// Sightings are dropped when they are taken up, not when they are done with.
    SightingsDroppedEarly: "I8",
    /// What both sides changed goes to the right without a word.
    LeftAlwaysWins: "I6",
    /// A conflict that waits for a person is settled for the right.
    NobodyAsked: "I6",
    /// A value that the right shows empty is never brought to the left.
    SeenBeforeAgreed: "I25",
    /// An unknown outcome on the right is taken for written.
    UnknownIsWritten: "I7",
    /// A restored record is compared as if it had never been away, and counted as gone.
    GoneForGood: "I25",
    /// The place in the source's changes moves without what was told.
    PlaceWithoutKeys: "I8",
    /// What the source told is forgotten as soon as it is looked at.
    KeysDroppedEarly: "I8",

    /// A value that was not read is taken for an empty one.
    NotReadIsEmpty: "I22",
    /// An empty value is believed of a property that is not there any more.
    EmptyIsBelieved: "I22",
    /// A change is brought back although its property flows the other way.
    AgainstDirection: "I15",
    /// Where both sides meet, the left's empty value clears what the right has.
    EmptyClears: "I6",
    /// What a person said about two values holds for whatever comes after.
    SaidForEver: "I6",
    /// What only moves forward follows whoever changed it, back as well.
    StepsBack: "I21",
    /// Two values of the same time: the left's is taken for the newer one.
    TieGoesLeft: "I6",
    /// What only fills the empty replaces what is there.
    FillsTheFull: "I15",
    /// A write over somebody's change does not say that it is one.
    OverridesUnsaid: "I6",
    /// Both sides moved to the same value, and that is called a conflict.
    SameIsContested: "I26",

    /// An association that is wanted again while it waits for its removal is removed.
    WantedAgainUnheard: "I12",
    /// What nobody wants any more stays associated.
    NeverUnwanted: "I12",
    /// An association that is there is asked for in every run.
    WantedForEver: "I26",
    /// An empty value of the source clears what a recognised record has.
    FirstContactClears: "I6",
    /// A pair that has lost its right record counts as unchanged.
    PartedIsUnchanged: "I25",
    /// A new agreement stands beside the old one, which is found first.
    BaseBeside: "I7",
    /// A deletion counts although its counterpart was edited.
    EditDoesNotCount: "I9",
    /// However many records are missing at once, they are deleted.
    NoFuse: "I9",
    /// An absence of a moment has lasted long enough.
    PatienceOfAMoment: "I9",

    /// A record made anew gets the key of the one that was deleted.
    KeyWithoutGeneration: "I1",
    /// Two records of the source get one key, if their names run together.
    KeyRunsTogether: "I1",
    /// A record that is there twice vanishes from a certificate's sum.
    RootCancels: "I20",

    /// A request leaves before its intent is on disk.
    SentBeforeIntent: "I3",
    /// The number of an operation is given out again after a crash.
    NumberTwice: "I3",
    /// An open intent is taken up while its request may still arrive.
    NoSettling: "I4",
    /// A write without an answer is sent again at once.
    AgainAtOnce: "I4",
    /// What an earlier run may have overwritten is not looked up.
    DoubtForgotten: "I6",
    /// A refused row is taken for written.
    RefusedIsAgreed: "I7",
    /// Overwritten values are told of, and not put back.
    NotPutBack: "I6",
    /// A conflict is settled for one side without a line about the other.
    OverriddenUntold: "I6",
    /// What waits for a person is not kept.
    HeldUnkept: "I6",
    /// A conflict that waits is let go of at the next look.
    ReleasedEarly: "I6",
    /// A left record that an earlier run made counts as agreed in whatever it shows.
    FoundIsAsBrought: "I6",
    /// An unknown outcome on the left is taken for done.
    LeftUnknownIsDone: "I7",
    /// All creations on the left bear one token.
    OneTokenForAll: "I2",
    /// A feed that cannot be read stops the run.
    DeafHalts: "I30",
    /// A gap in what the feed heard is not told.
    GapUntold: "I29",
    /// A record that is nowhere to be found is made anew.
    MadeAnewUnasked: "I16",
    /// The survivor of a merge is linked although it is another pair's.
    CollisionLinked: "I2",
    /// What two updates left in doubt about one record is put back by two requests at once.
    DoubtTwice: "I14",
    /// What was not looked at before a halt is not counted.
    HaltUncounted: "I20",
    /// The value that somebody set is kept where her name should stand.
    ValueKept: "I16",
    /// A record made anew has its associations by hearsay.
    EdgesNotRenewed: "I25",
    /// An association without an outcome is taken for made.
    EdgeUnknownIsThere: "I7",
    /// A record that was made anew from a change alone is not written whole.
    RemadeInPart: "I25",
    /// A first load that was cut off counts as done.
    LoadedByHalf: "I1",
    /// Two processes may hold one state file.
    NoLock: "I18",
    /// The store forgets which generation a pair's key is of.
    GenerationUnkept: "I19",
}

impl Bug {
    /// Bugs that only a rare day shows: several unlikely things have to meet. A hunt of some minutes may miss them.
    pub const RARE: &[Bug] = &[
        Bug::SightingsDroppedEarly,
        Bug::AgainAtOnce,
        Bug::FoundIsAsBrought,
        Bug::LeftUnknownIsDone,
        Bug::GapUntold,
        Bug::MadeAnewUnasked,
        Bug::EdgeUnknownIsThere,
        Bug::DeafHalts,
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
#[inline]
pub(crate) const fn is(_bug: Bug) -> bool {
    false
}
