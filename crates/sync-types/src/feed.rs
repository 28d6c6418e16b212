//! The role of what tells that something changed on the right side.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{DestinationError, Lane, ObjectType, RecordId};

/// Tells which records of the right side to look at.
///
/// A feed says *where*, never *what*: values are always read from the record. It may repeat itself, shuffle and be
/// late; what it may not do is go past a change that it [sees](Feed::sees) without telling it, unless it says so by
/// a [`FeedPage::gap`].
#[async_trait]
pub trait Feed: fmt::Debug + Send + Sync {
    /// What kinds of change the feed tells of. What it does not see is found by `verify` and by closed scans only.
    fn sees(&self) -> FeedSees;

    /// The changes of an object type after a cursor; without a cursor, from now on: what was before is found by the
    /// first load. The cursor of the answer may be used once its changes are durable, and any older one may be used
    /// again.
    ///
    /// # Errors
    /// When the feed cannot be read now. The cursor stays good.
    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError>;
}

/// What a feed tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedSees {
    /// Records that were deleted.
    pub deletes: bool,
    /// Records that were merged.
    pub merges: bool,
    /// Associations that were added or removed.
    pub edges: bool,
    /// Each single change of a property, not only that a record changed since it was last looked at.
    pub every_change: bool,
}

/// A page of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPage {
    /// What to look at.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub cursor: String,
    /// Whether there is nothing more for now.
    pub caught_up: bool,
    /// The feed lost sight of what happened in this span, and nothing but reading both sides brings it back.
    pub gap: Option<(Timestamp, Timestamp)>,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record.
    pub record: RecordId,
    /// What is said to have happened.
    pub kind: ChangeKind,
    /// When it happened, where the feed tells.
    pub at: Option<Timestamp>,
}

/// What is said to have happened to a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Made, restored, or changed in some property.
    Changed,
    /// Deleted. Its restoration is a [`ChangeKind::Changed`].
    Deleted,
    /// Merged into another record, which may be a new one.
    MergedInto(RecordId),
    /// Erased for privacy: it must not be made anew.
    Erased,
    /// Some association of it changed.
    Edges,
}
