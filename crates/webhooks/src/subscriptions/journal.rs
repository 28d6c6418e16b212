//! Subscriptions to the webhooks journal: for one portal and one object type each, with a list of actions and
//! properties.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{SubscriptionError, Wanted};
use crate::event::PortalId;

/// What a journal subscription is about, in HubSpot's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum JournalSubscriptionKind {
    /// `OBJECT`: records.
    Object,
    /// `ASSOCIATION`.
    Association,
    /// `GDPR_PRIVACY_DELETION`.
    PrivacyDeletion,
}

impl JournalSubscriptionKind {
    /// HubSpot's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            JournalSubscriptionKind::Object => "OBJECT",
            JournalSubscriptionKind::Association => "ASSOCIATION",
            JournalSubscriptionKind::PrivacyDeletion => "GDPR_PRIVACY_DELETION",
        }
    }

    /// The kind with HubSpot's name; `None` for those that this crate does not manage.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Object, Self::Association, Self::PrivacyDeletion].into_iter().find(|kind| kind.name() == name)
    }
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalSubscription {
    /// What it is about.
    pub kind: JournalSubscriptionKind,
    /// The portal.
    pub portal: PortalId,
    /// The object type, by type id.
    pub object_type_id: String,
    /// `CREATE`, `UPDATE`, `ASSOCIATION_ADDED` and so on.
    pub actions: BTreeSet<String>,
    /// Properties whose changes matter; with `OBJECT` only.
    pub properties: BTreeSet<String>,
    /// Object types at the other end; with `ASSOCIATION` only.
    pub associated_object_type_ids: BTreeSet<String>,
}

/// A subscription that the app has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJournalSubscription {
    /// HubSpot's id.
    pub id: u64,
    /// What it is to.
    pub subscription: JournalSubscription,
}

/// The calls that manage journal subscriptions; whoever has a client for HubSpot's API implements them.
#[async_trait]
pub trait JournalSubscriptionApi: Send + Sync {
    /// Every subscription of the app, in all portals, of a kind that has a [`JournalSubscriptionKind`].
    ///
    /// # Errors
    /// [`SubscriptionError::Api`], here and everywhere.
    async fn list(&self) -> Result<Vec<StoredJournalSubscription>, SubscriptionError>;

    /// Makes one and returns its id.
    async fn create(&self, subscription: &JournalSubscription) -> Result<u64, SubscriptionError>;

    /// Deletes one.
    async fn delete(&self, id: u64) -> Result<(), SubscriptionError>;
}

/// What is to be done for one portal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalPlan {
    /// Subscriptions to make.
    pub create: Vec<JournalSubscription>,
    /// Subscriptions to delete afterwards.
    pub delete: Vec<StoredJournalSubscription>,
}

impl JournalPlan {
    /// Nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.delete.is_empty()
    }
}

/// The subscriptions that `wanted` comes to in one portal.
#[must_use]
pub fn wanted_journal(portal: PortalId, wanted: &[Wanted]) -> BTreeSet<JournalSubscription> {
    let mut list = BTreeSet::new();
    for wanted in wanted {
        let subscription = |kind, actions: &[(bool, &str)]| JournalSubscription {
            kind,
            portal,
            object_type_id: wanted.object.as_str().to_owned(),
            actions: actions.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()).collect(),
            properties: BTreeSet::new(),
            associated_object_type_ids: BTreeSet::new(),
        };
        let mut records = subscription(
            JournalSubscriptionKind::Object,
            &[
                (wanted.creations, "CREATE"),
                (!wanted.properties.is_empty(), "UPDATE"),
                (wanted.deletions, "DELETE"),
                (wanted.merges, "MERGE"),
                (wanted.restores, "RESTORE"),
            ],
        );
        records.properties = wanted.properties.iter().map(|name| name.as_str().to_owned()).collect();
        let mut edges = subscription(
            JournalSubscriptionKind::Association,
            &[
                (!wanted.associations.is_empty(), "ASSOCIATION_ADDED"),
                (!wanted.associations.is_empty(), "ASSOCIATION_REMOVED"),
            ],
        );
        edges.associated_object_type_ids =
            wanted.associations.iter().map(|object| object.as_str().to_owned()).collect();
        // Only persons are erased on a person's demand.
        let erased = wanted.erasures && wanted.object.as_str() == "0-1";
        let erasures = subscription(JournalSubscriptionKind::PrivacyDeletion, &[(erased, "GDPR_DELETE")]);
        list.extend([records, edges, erasures].into_iter().filter(|made| !made.actions.is_empty()));
    }
    list
}

/// Compares what should be in one portal with what is. A journal subscription cannot be changed, so another takes its
/// place.
#[must_use]
pub fn plan_journal(
    portal: PortalId,
    wanted: &[Wanted],
    current: &[StoredJournalSubscription],
) -> JournalPlan {
    let desired = wanted_journal(portal, wanted);
    let mut kept = BTreeSet::new();
    let mut delete: Vec<StoredJournalSubscription> = current
        .iter()
        .filter(|stored| stored.subscription.portal == portal)
        // The first of equal ones stays.
        .filter(|stored| !desired.contains(&stored.subscription) || !kept.insert(&stored.subscription))
        .cloned()
        .collect();
    delete.sort_by_key(|stored| stored.id);
    let create = desired.iter().filter(|wanted| !kept.contains(wanted)).cloned().collect();
    JournalPlan { create, delete }
}

/// Does what a plan says. The new ones are made before the old ones go: some events then come twice, none is missed.
/// After an error, plan again: what was done is done.
///
/// # Errors
/// [`SubscriptionError::Api`] from the call that failed.
pub async fn apply_journal(
    plan: &JournalPlan,
    api: &dyn JournalSubscriptionApi,
) -> Result<(), SubscriptionError> {
    for subscription in &plan.create {
        api.create(subscription).await?;
    }
    for stored in &plan.delete {
        api.delete(stored.id).await?;
    }
    Ok(())
}
