//! What a source declares of one collection: which promises it keeps beyond those that every source keeps.
//!
//! `sync_testkit::conformance` asks of an adapter exactly what it declares here, promise by promise. The least is the
//! default, so that an adapter that says nothing is believed nothing.

/// What a source promises for one collection beyond the [`Source`](crate::Source) trait itself.
///
/// No order of records or changes is ever promised, and the engine needs none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// What a scan promises while the collection changes.
    pub scan: ScanPromise,
    /// What reading by id costs.
    pub read: ReadCost,
    /// What [`Source::changes`](crate::Source::changes) tells of; `None`: it cannot be asked.
    pub changes: Option<ChangesPromise>,
}

/// What a scan promises while people add, change and delete records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScanPromise {
    /// Pages are counted off, so that a record may slip past between two of them. A scan finds what is there; what
    /// it did not find proves nothing.
    Shifting,
    /// A scan that ends has seen every record that existed, unchanged, all the while. A change in its midst may end
    /// it with [`StaleToken`](crate::SourceErrorKind::StaleToken).
    #[default]
    Whole,
    /// As [`ScanPromise::Whole`], and no change ends a scan: records may come and go between two pages without others
    /// being missed or given twice, and the page size may change from page to page.
    Steady,
}

impl ScanPromise {
    /// Whether a record that a whole scan has not met is evidence that it is gone.
    #[must_use]
    pub fn proves_absence(self) -> bool {
        self != ScanPromise::Shifting
    }
}

/// What it costs to read records by their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadCost {
    /// As much as a scan of the collection, whatever is asked.
    #[default]
    Scan,
    /// As much as is asked.
    Keyed,
}

/// What a source that can be asked for changes tells of: records that were made or changed, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangesPromise {
    /// Whether it tells of deletions too. Where it does not, only a scan finds them.
    pub deletes: bool,
}

/// What may be written to one collection, and how safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    /// Records can be made.
    pub create: bool,
    /// Records can be changed.
    pub update: bool,
    /// Records can be deleted.
    pub delete: bool,
    /// What keeps a change by somebody else from being overwritten unseen.
    pub guard: Guard,
}

impl Writes {
    /// Everything, compared and written in one step.
    pub const ALL: Writes = Writes { create: true, update: true, delete: true, guard: Guard::Atomic };

    /// Nothing: the collection is only read.
    pub const NONE: Writes = Writes { create: false, update: false, delete: false, guard: Guard::Atomic };
}

/// What keeps a change by somebody else from being overwritten unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The system compares and writes in one step: a transaction, a condition, an entity tag.
    Atomic,
    /// The adapter reads and compares just before it writes. What somebody writes in that moment is overwritten and
    /// nobody is told.
    Checked,
}
