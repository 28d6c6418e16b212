//! Events in line, requests under way, and tries again: all in the portal's own time.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{App, WebhookRequest, Webhooks, signing};
use crate::time::Millis;

/// HubSpot docs: events in one request.
const EVENTS_MAX: usize = 100;

/// Pauses before each further try, in minutes: ten within 24 hours, spaced out (HubSpot docs: error handling). The
/// spacing itself is not documented.
const PAUSES_MIN: [Millis; 10] = [1, 2, 5, 10, 30, 60, 120, 240, 360, 480];

/// How late a shuffled event may be.
const LATE_MS: u64 = 60_000;

/// Everything that waits, for all apps.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Queue {
    /// By due time and number.
    #[serde(with = "crate::snapshot::pairs")]
    events: BTreeMap<(Millis, u64), (u64, Map<String, Value>)>,
    #[serde(with = "crate::snapshot::pairs")]
    again: BTreeMap<(Millis, u64), Batch>,
    under_way: BTreeMap<u64, Batch>,
    next: u64,
}

/// The events of one request.
#[derive(Clone, Serialize, Deserialize)]
struct Batch {
    app_id: u64,
    events: Vec<Map<String, Value>>,
    attempt: usize,
}

/// Puts an event in line, unless a fault drops it.
pub(super) fn enqueue(webhooks: &mut Webhooks, app_id: u64, mut event: Map<String, Value>, now: Millis) {
    let faults = webhooks.faults;
    webhooks.stats.events += 1;
    if hits(webhooks, faults.drop) {
        webhooks.stats.dropped += 1;
        return;
    }
    webhooks.next_event += 1;
    event.insert("eventId".to_owned(), json!(webhooks.next_event));
    let copies = if hits(webhooks, faults.duplicate) {
        webhooks.stats.duplicated += 1;
        2
    } else {
        1
    };
    for _ in 0..copies {
        let late = if hits(webhooks, faults.shuffle) { webhooks.rng.below(LATE_MS) } else { 0 };
        let due = now.saturating_add(Millis::try_from(late).unwrap_or(0));
        let number = webhooks.queue.number();
        webhooks.queue.events.insert((due, number), (app_id, event.clone()));
    }
}

/// Whether something with this share happens now.
fn hits(webhooks: &mut Webhooks, share: f64) -> bool {
    // Nothing is drawn where nothing can happen, so that other chances stay as they were.
    share > 0.0 && (webhooks.rng.below(1_000_000) as f64) < share * 1_000_000.0
}

impl Queue {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn under_way(&self, app_id: u64) -> usize {
        self.under_way.values().filter(|batch| batch.app_id == app_id).count()
    }

    /// Requests whose answers never came, because the portal was stopped, are tried again.
    pub(super) fn resume(&mut self) {
        for (id, batch) in std::mem::take(&mut self.under_way) {
            self.again.insert((0, id), batch);
        }
    }
}

pub(super) fn due(webhooks: &mut Webhooks, now: Timestamp) -> Vec<WebhookRequest> {
    let at = now.as_millisecond();
    let apps: Vec<u64> = webhooks.apps.keys().copied().collect();
    let mut requests = Vec::new();
    for app_id in apps {
        let Some((url, free)) = free(webhooks, app_id) else {
            // Nowhere to send it to: HubSpot keeps nothing for later either.
            webhooks.queue.events.retain(|_, (app, _)| *app != app_id);
            webhooks.queue.again.retain(|_, batch| batch.app_id != app_id);
            continue;
        };
        for _ in 0..free {
            let Some(batch) = next_batch(&mut webhooks.queue, app_id, at) else { break };
            let id = webhooks.queue.number();
            if let Some(request) = webhooks.apps.get(&app_id).and_then(|app| request(app, &url, &batch, at)) {
                webhooks.stats.requests += 1;
                requests.push(WebhookRequest { id, app_id, request });
                webhooks.queue.under_way.insert(id, batch);
            }
        }
    }
    requests
}

/// The target and how many more requests may be under way; `None` without a target.
fn free(webhooks: &Webhooks, app_id: u64) -> Option<(String, usize)> {
    let settings = webhooks.apps.get(&app_id)?.settings.as_ref()?;
    let max = usize::try_from(settings.concurrent_max).unwrap_or(usize::MAX);
    Some((settings.target_url.clone(), max.saturating_sub(webhooks.queue.under_way(app_id))))
}

/// Tries again go first; then up to a hundred events.
fn next_batch(queue: &mut Queue, app_id: u64, now: Millis) -> Option<Batch> {
    let due = ..=(now, u64::MAX);
    let again = queue.again.range(due).find(|(_, batch)| batch.app_id == app_id).map(|(key, _)| *key);
    if let Some(batch) = again.and_then(|key| queue.again.remove(&key)) {
        return Some(batch);
    }
    let mine = queue.events.range(due).filter(|(_, (app, _))| *app == app_id).map(|(key, _)| *key);
    let keys: Vec<(Millis, u64)> = mine.take(EVENTS_MAX).collect();
    let events: Vec<_> =
        keys.iter().filter_map(|key| queue.events.remove(key)).map(|(_, event)| event).collect();
    (!events.is_empty()).then_some(Batch { app_id, events, attempt: 0 })
}

fn request(app: &App, url: &str, batch: &Batch, now: Millis) -> Option<http::Request<Bytes>> {
    let events: Vec<Value> = batch
        .events
        .iter()
        .map(|event| {
            let mut event = event.clone();
            event.insert("attemptNumber".to_owned(), json!(batch.attempt));
            Value::Object(event)
        })
        .collect();
    let body = Value::Array(events).to_string();
    let mut builder = http::Request::post(url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::USER_AGENT, "HubSpot Connect 2.0 (sandbox)");
    let signature = signing::headers(app.app.signature, &app.app.client_secret, url, body.as_bytes(), now);
    for (name, value) in signature {
        builder = builder.header(name, value);
    }
    // The URL was checked when it was set.
    builder.body(Bytes::from(body)).ok()
}

pub(super) fn answered(webhooks: &mut Webhooks, now: Millis, id: u64, status: Option<u16>) {
    let Some(mut batch) = webhooks.queue.under_way.remove(&id) else { return };
    let events = batch.events.len() as u64;
    if status.is_some_and(|status| (200..300).contains(&status)) {
        webhooks.stats.delivered += events;
        return;
    }
    let Some(minutes) = PAUSES_MIN.get(batch.attempt) else {
        webhooks.stats.lost += events;
        return;
    };
    let pause = minutes * 60_000;
    // A tenth more or less.
    let jitter = webhooks.rng.below(u64::try_from(pause / 5).unwrap_or(0));
    let due = now + pause - pause / 10 + Millis::try_from(jitter).unwrap_or(0);
    batch.attempt += 1;
    webhooks.queue.again.insert((due, id), batch);
}

pub(super) fn next_at(webhooks: &Webhooks) -> Option<Millis> {
    let has_room = |app_id: &u64| free(webhooks, *app_id).is_none_or(|(_, free)| free > 0);
    let events = webhooks.queue.events.iter().find(|(_, (app, _))| has_room(app)).map(|((at, _), _)| *at);
    let again =
        webhooks.queue.again.iter().find(|(_, batch)| has_room(&batch.app_id)).map(|((at, _), _)| *at);
    events.into_iter().chain(again).min()
}
