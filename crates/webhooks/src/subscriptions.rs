//! Subscriptions as code: what an app should hear of, what it hears of, and the steps from one to the other.

mod journal;
mod push;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use sync_types::{ObjectType, PropertyName};

pub use journal::{
    JournalPlan, JournalSubscription, JournalSubscriptionApi, JournalSubscriptionKind,
    StoredJournalSubscription, apply_journal, plan_journal, wanted_journal,
};
pub use push::{
    PushPlan, PushSettings, PushSubscription, PushSubscriptionApi, StoredPushSubscription, Surplus,
    apply_push, plan_push, wanted_push,
};

/// What to hear of one object type. Derived from a mapping: its object type, the properties that it reads, and the
/// object types that it follows associations to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The object type, by type id (`0-1`, `2-4711`).
    pub object: ObjectType,
    /// Properties whose changes matter.
    pub properties: BTreeSet<PropertyName>,
    /// Records that are made.
    pub creations: bool,
    /// Records that are deleted.
    pub deletions: bool,
    /// Records that come back from the recycling bin.
    pub restores: bool,
    /// Records that become one.
    pub merges: bool,
    /// Records that are erased on a person's demand.
    pub erasures: bool,
    /// Associations with these object types; the push feed cannot tell them apart and tells of all.
    pub associations: BTreeSet<ObjectType>,
}

impl Wanted {
    /// Everything about records of a type but property changes and associations.
    #[must_use]
    pub fn lifecycle(object: impl Into<ObjectType>) -> Self {
        Self {
            object: object.into(),
            properties: BTreeSet::new(),
            creations: true,
            deletions: true,
            restores: true,
            merges: true,
            erasures: true,
            associations: BTreeSet::new(),
        }
    }

    /// Also changes of these properties.
    #[must_use]
    pub fn with_properties(mut self, names: impl IntoIterator<Item = impl Into<PropertyName>>) -> Self {
        self.properties.extend(names.into_iter().map(Into::into));
        self
    }

    /// Also associations with these object types.
    #[must_use]
    pub fn with_associations(mut self, objects: impl IntoIterator<Item = impl Into<ObjectType>>) -> Self {
        self.associations.extend(objects.into_iter().map(Into::into));
        self
    }
}

/// Why subscriptions could not be brought about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// HubSpot allows an app this many (HubSpot docs: limits of apps).
    #[error(
        "{wanted} subscriptions are wanted, and an app may have {max}: map fewer properties, or use the journal"
    )]
    TooMany {
        /// How many there would be.
        wanted: usize,
        /// How many there may be.
        max: usize,
    },
    /// A call failed. What was done before it stays done; planning and applying again goes on from there.
    #[error("{0}")]
    Api(String),
}
