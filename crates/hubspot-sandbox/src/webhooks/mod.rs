//! Webhooks: what apps subscribe to, what happened, and the requests that tell them, with retries and faults.
//!
//! The portal decides what is sent when; whoever has sockets carries it: [`Portal::webhook_requests`] hands out what is
//! due, [`Portal::webhook_answered`] takes what came of it.

pub(crate) mod api;
pub(crate) mod changes;
mod courier;
mod delivery;
mod events;
pub(crate) mod signing;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Rng;
use crate::journal;
use crate::portal::Portal;
use crate::state::State;
use crate::time::Millis;

pub(crate) use courier::Courier;
use delivery::Queue;

/// How webhooks of an app are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookSignature {
    /// SHA-256 of secret and body.
    V1,
    /// SHA-256 of secret, method, URL and body.
    V2,
    /// HMAC-SHA256 of method, URL, body and time, with v1 beside it, as CRM webhooks carry both.
    #[default]
    V3,
}

/// An app that may subscribe.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookApp {
    /// Its id: the one in paths, and that of its credentials.
    pub app_id: u64,
    /// Its client secret, which signs.
    pub client_secret: String,
    /// The developer API key that manages its subscriptions as `hapikey`, beside credentials of the app.
    #[serde(default)]
    pub developer_key: Option<String>,
    /// How its webhooks are signed.
    #[serde(default)]
    pub signature: WebhookSignature,
}

impl fmt::Debug for WebhookApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookApp")
            .field("app_id", &self.app_id)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// What goes wrong with webhooks, beside what their receiver does. Shares lie between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Share of events that never leave.
    pub drop: f64,
    /// Share of events that are sent twice.
    pub duplicate: f64,
    /// Share of events that are late, by up to a minute, and so overtaken by others.
    pub shuffle: f64,
}

/// A request to an app's target URL, signed for the time at which it was handed out.
#[derive(Clone)]
pub struct WebhookRequest {
    /// Names it in [`Portal::webhook_answered`].
    pub id: u64,
    /// The app that it is for.
    pub app_id: u64,
    /// Method, target URL, headers and body.
    pub request: http::Request<Bytes>,
}

impl fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("id", &self.id)
            .field("app_id", &self.app_id)
            .field("bytes", &self.request.body().len())
            .finish_non_exhaustive()
    }
}

/// Counts of events and requests since the portal began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStats {
    /// Events that matched an active subscription.
    pub events: u64,
    /// Events that a fault dropped.
    pub dropped: u64,
    /// Events that a fault sent twice.
    pub duplicated: u64,
    /// Requests handed out, retries too.
    pub requests: u64,
    /// Events in requests that were answered with 2xx.
    pub delivered: u64,
    /// Events given up after the last retry.
    pub lost: u64,
}

/// Apps with their subscriptions, and what is on its way to them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Webhooks {
    pub(crate) apps: BTreeMap<u64, App>,
    next_subscription: u64,
    next_event: u64,
    queue: Queue,
    /// Chance of its own, so that subscribing changes no record id.
    rng: Rng,
    faults: WebhookFaults,
    stats: WebhookStats,
}

impl Default for Webhooks {
    fn default() -> Webhooks {
        Webhooks {
            apps: BTreeMap::new(),
            next_subscription: 1_000_000,
            next_event: 3_000_000_000,
            queue: Queue::default(),
            rng: Rng::new(0x5eed),
            faults: WebhookFaults::default(),
            stats: WebhookStats::default(),
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) app: WebhookApp,
    pub(crate) settings: Option<Settings>,
    pub(crate) subscriptions: BTreeMap<u64, Subscription>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) target_url: String,
    pub(crate) concurrent_max: u32,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) event_type: String,
    pub(crate) property_name: Option<String>,
    pub(crate) object_type_id: Option<String>,
    pub(crate) active: bool,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

impl Webhooks {
    fn is_listening(&self) -> bool {
        self.apps
            .values()
            .any(|app| app.settings.is_some() && app.subscriptions.values().any(|one| one.active))
    }
}

/// Starts or stops the log of changes, which costs nothing while nobody listens.
pub(crate) fn update_listening(state: &mut State) {
    let on = state.webhooks.is_listening() || state.journals.is_listening();
    state.changes.switch(on);
    state.links.watch(on);
}

/// Goes on after a snapshot was read.
pub(crate) fn resume(state: &mut State) {
    state.webhooks.queue.resume();
    update_listening(state);
}

/// Whether an app hears of this portal: an OAuth app once it is installed, any other from the beginning.
pub(crate) fn hears(state: &State, app_id: u64) -> bool {
    let by_oauth = state.config.apps.iter().any(|app| app.app_id == app_id);
    !by_oauth || state.oauth.installed_apps().any(|installed| installed == app_id)
}

/// Tells everybody who listens what has happened since the last time.
pub(crate) fn spread(state: &mut State, now: Millis) {
    let changes = changes::take(state, now);
    if changes.is_empty() {
        return;
    }
    events::queue(state, &changes, now);
    journal::append(state, &changes, now);
}

impl Portal {
    /// Lets an app subscribe to webhooks, or replaces its secret and key; its subscriptions stay.
    pub fn set_webhook_app(&mut self, app: WebhookApp) {
        let apps = &mut self.state.webhooks.apps;
        let known = apps.remove(&app.app_id);
        let (settings, subscriptions) =
            known.map(|known| (known.settings, known.subscriptions)).unwrap_or_default();
        apps.insert(app.app_id, App { app, settings, subscriptions });
    }

    /// What goes wrong with webhooks from now on.
    pub fn set_webhook_faults(&mut self, faults: WebhookFaults) {
        self.state.webhooks.faults = faults;
    }

    /// Counts of webhooks.
    pub fn webhook_stats(&self) -> WebhookStats {
        self.state.webhooks.stats
    }

    /// The requests that are due, up to what each app may have under way. Each must be answered.
    pub fn webhook_requests(&mut self, now: Timestamp) -> Vec<WebhookRequest> {
        delivery::due(&mut self.state.webhooks, now)
    }

    /// What came of a request: its status, or `None` if there was no answer within 5 s. Anything but 2xx leads to another
    /// try, ten times within 24 hours (HubSpot docs: error handling).
    pub fn webhook_answered(&mut self, now: Timestamp, id: u64, status: Option<u16>) {
        delivery::answered(&mut self.state.webhooks, now.as_millisecond(), id, status);
    }

    /// When the next request is due; `None` if nothing waits, or only for answers.
    pub fn next_webhook_at(&self) -> Option<Timestamp> {
        delivery::next_at(&self.state.webhooks).and_then(|at| Timestamp::from_millisecond(at).ok())
    }
}

/// HubSpot docs: a receiver has 5 s to answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
