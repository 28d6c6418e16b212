//! Subscriptions of an app to push events: for all portals that installed it, one for each property.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{SubscriptionError, Wanted};

/// Subscriptions that an app may have (HubSpot docs: limits of apps).
const SUBSCRIPTIONS_MAX: usize = 1_000;

/// Properties whose changes push does not offer (HubSpot docs: webhooks).
const NOT_OFFERED: [&str; 2] = ["hs_lastmodifieddate", "num_unique_conversion_events"];

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushSubscription {
    /// Such as `contact.propertyChange` or `object.creation`.
    pub event_type: String,
    /// With `object.*` only.
    pub object_type_id: Option<String>,
    /// With `*.propertyChange` only.
    pub property_name: Option<String>,
}

/// A subscription that the app has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPushSubscription {
    /// HubSpot's id.
    pub id: u64,
    /// What it is to.
    pub subscription: PushSubscription,
    /// Paused if not.
    pub active: bool,
}

/// Where push events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSettings {
    /// The URL that HubSpot calls: the same text as the receiver's [`Endpoint`](crate::Endpoint).
    pub target_url: String,
    /// Requests that HubSpot may have under way for one portal. More than 5; its default is 10 (HubSpot docs).
    pub concurrent_max: u32,
}

/// What becomes of subscriptions that nobody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// They stay: somebody else may want them.
    Keep,
    /// They are paused, to be deleted by a person.
    Pause,
    /// They are deleted.
    Delete,
}

/// The calls that manage push subscriptions; whoever has a client for HubSpot's API implements them.
#[async_trait]
pub trait PushSubscriptionApi: Send + Sync {
    /// Where events go; `None` before it was set.
    ///
    /// # Errors
    /// [`SubscriptionError::Api`], here and everywhere.
    async fn settings(&self) -> Result<Option<PushSettings>, SubscriptionError>;

    /// Sets where events go. HubSpot may take 5 minutes to heed it (HubSpot docs).
    async fn set_settings(&self, settings: &PushSettings) -> Result<(), SubscriptionError>;

    /// Every subscription of the app.
    async fn list(&self) -> Result<Vec<StoredPushSubscription>, SubscriptionError>;

    /// Makes one, active if HubSpot lets it be; says what came out.
    async fn create(
        &self,
        subscription: &PushSubscription,
    ) -> Result<StoredPushSubscription, SubscriptionError>;

    /// Starts or pauses those with these ids.
    async fn set_active(&self, ids: &[u64], active: bool) -> Result<(), SubscriptionError>;

    /// Deletes one.
    async fn delete(&self, id: u64) -> Result<(), SubscriptionError>;
}

/// What is to be done, each list in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushPlan {
    /// Settings to set.
    pub settings: Option<PushSettings>,
    /// Subscriptions to make.
    pub create: Vec<PushSubscription>,
    /// Subscriptions to start.
    pub start: Vec<StoredPushSubscription>,
    /// Subscriptions to pause.
    pub pause: Vec<StoredPushSubscription>,
    /// Subscriptions to delete: surplus ones, and all but one of those that are there twice.
    pub delete: Vec<StoredPushSubscription>,
    /// What push does not offer, for a person to know: such changes are found by comparison.
    pub not_offered: Vec<PushSubscription>,
}

impl PushPlan {
    /// Nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settings.is_none()
            && self.create.is_empty()
            && self.start.is_empty()
            && self.pause.is_empty()
            && self.delete.is_empty()
    }
}

/// The subscriptions that `wanted` comes to.
#[must_use]
pub fn wanted_push(wanted: &[Wanted]) -> BTreeSet<PushSubscription> {
    wanted.iter().flat_map(subscriptions).collect()
}

fn subscriptions(wanted: &Wanted) -> Vec<PushSubscription> {
    let id = wanted.object.as_str();
    let name = match id {
        "0-1" => "contact",
        "0-2" => "company",
        "0-3" => "deal",
        "0-5" => "ticket",
        "0-7" => "product",
        "0-8" => "line_item",
        _ => "object",
    };
    let to = |what: &str, property: Option<&str>| PushSubscription {
        event_type: format!("{name}.{what}"),
        object_type_id: (name == "object").then(|| id.to_owned()),
        property_name: property.map(str::to_owned),
    };
    let kinds = [
        (wanted.creations, "creation"),
        (wanted.deletions, "deletion"),
        (wanted.restores, "restore"),
        (wanted.merges, "merge"),
        // Only persons are erased on a person's demand (HubSpot docs: webhooks).
        (wanted.erasures && name == "contact", "privacyDeletion"),
        (!wanted.associations.is_empty() && name != "product", "associationChange"),
    ];
    let kinds = kinds.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, what)| to(what, None));
    kinds
        .chain(wanted.properties.iter().map(|property| to("propertyChange", Some(property.as_str()))))
        .collect()
}

/// Compares what should be with what is.
///
/// # Errors
/// [`SubscriptionError::TooMany`] when HubSpot would not allow so many.
pub fn plan_push(
    settings: &PushSettings,
    wanted: &[Wanted],
    current_settings: Option<&PushSettings>,
    current: &[StoredPushSubscription],
    surplus: Surplus,
) -> Result<PushPlan, SubscriptionError> {
    let mut plan = PushPlan {
        settings: (current_settings != Some(settings)).then(|| settings.clone()),
        ..PushPlan::default()
    };
    let (not_offered, desired): (BTreeSet<_>, BTreeSet<_>) = wanted_push(wanted)
        .into_iter()
        .partition(|wanted| wanted.property_name.as_deref().is_some_and(|name| NOT_OFFERED.contains(&name)));
    plan.not_offered = not_offered.into_iter().collect();

    let mut present: BTreeMap<&PushSubscription, Vec<&StoredPushSubscription>> = BTreeMap::new();
    for stored in current {
        present.entry(&stored.subscription).or_default().push(stored);
    }
    for (subscription, stored) in &mut present {
        // Of several, an active one stays; of several active ones the oldest.
        stored.sort_by_key(|stored| (!stored.active, stored.id));
        let Some((first, twins)) = stored.split_first() else { continue };
        if desired.contains(*subscription) {
            if !first.active {
                plan.start.push((*first).clone());
            }
            plan.delete.extend(twins.iter().map(|twin| (*twin).clone()));
            continue;
        }
        for stored in stored.iter() {
            match surplus {
                Surplus::Keep => {}
                Surplus::Pause if !stored.active => {}
                Surplus::Pause => plan.pause.push((*stored).clone()),
                Surplus::Delete => plan.delete.push((*stored).clone()),
            }
        }
    }
    plan.create = desired.into_iter().filter(|wanted| !present.contains_key(wanted)).collect();
    let total = current.len() + plan.create.len() - plan.delete.len();
    if total > SUBSCRIPTIONS_MAX {
        return Err(SubscriptionError::TooMany { wanted: total, max: SUBSCRIPTIONS_MAX });
    }
    Ok(plan)
}

/// Does what a plan says: settings, deletes, creates, starts, pauses. After an error, plan again: what was done is
/// done.
///
/// # Errors
/// [`SubscriptionError::Api`] from the call that failed.
pub async fn apply_push(plan: &PushPlan, api: &dyn PushSubscriptionApi) -> Result<(), SubscriptionError> {
    if let Some(settings) = &plan.settings {
        api.set_settings(settings).await?;
    }
    let ids = |list: &[StoredPushSubscription]| list.iter().map(|stored| stored.id).collect::<Vec<_>>();
    // Twins and surplus go first: an app at its limit could not make anything new.
    for stored in &plan.delete {
        api.delete(stored.id).await?;
    }
    let mut start = ids(&plan.start);
    for subscription in &plan.create {
        let made = api.create(subscription).await?;
        if !made.active {
            start.push(made.id);
        }
    }
    if !start.is_empty() {
        api.set_active(&start, true).await?;
    }
    if !plan.pause.is_empty() {
        api.set_active(&ids(&plan.pause), false).await?;
    }
    Ok(())
}
