//! The webhooks journal: what happened in the portal, in files that an app reads at its own pace, for three days.

pub(crate) mod api;
mod events;
mod subscriptions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::Rng;
use crate::portal::Portal;
use crate::state::State;
use crate::time::{DAY_MS, Millis, iso};
use crate::webhooks::changes::Change;
use subscriptions::Subscription;

/// HubSpot docs: how long a file is kept.
const RETENTION_MS: Millis = 3 * DAY_MS;

/// HubSpot docs: events in one file, since July 2026.
const EVENTS_MAX: usize = 10_000;

/// How events become files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JournalTiming {
    /// Milliseconds from an event to the file that it stands in. HubSpot names no figure.
    pub publish_after_ms: u32,
    /// Milliseconds for which the URL of a file is good. HubSpot names no figure.
    pub url_life_ms: u32,
}

impl Default for JournalTiming {
    fn default() -> JournalTiming {
        JournalTiming { publish_after_ms: 1_000, url_life_ms: 300_000 }
    }
}

/// The journals of all apps.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Journals {
    apps: BTreeMap<u64, Journal>,
    next_subscription: u64,
    /// Chance of its own, so that subscribing changes no record id.
    rng: Rng,
    timing: JournalTiming,
    /// Where files are fetched from: the base of their URLs.
    base_url: String,
    /// Apps that were installed when last looked at.
    #[serde(default)]
    installed: BTreeSet<u64>,
}

impl Default for Journals {
    fn default() -> Journals {
        Journals {
            apps: BTreeMap::new(),
            next_subscription: 100_000,
            rng: Rng::new(0x10a1),
            timing: JournalTiming::default(),
            base_url: "https://files.sandbox.hubspot.com".to_owned(),
            installed: BTreeSet::new(),
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Journal {
    subscriptions: BTreeMap<u64, Subscription>,
    /// Events that stand in no file yet.
    pending: Vec<Value>,
    pending_since: Millis,
    files: VecDeque<File>,
}

#[derive(Clone, Serialize, Deserialize)]
struct File {
    offset: String,
    published_at: Millis,
    events: Vec<Value>,
}

impl File {
    fn to_json(&self) -> Value {
        json!({"offset": self.offset, "publishedAt": iso(self.published_at), "journalEvents": self.events})
    }
}

impl Journals {
    pub(crate) fn is_listening(&self) -> bool {
        self.apps.values().any(|journal| !journal.subscriptions.is_empty())
    }

    /// Publishes what has waited long enough and drops what is too old.
    fn settle(&mut self, now: Millis) {
        let wait = Millis::from(self.timing.publish_after_ms);
        for journal in self.apps.values_mut() {
            let published_at = journal.pending_since.saturating_add(wait);
            if !journal.pending.is_empty() && published_at <= now {
                for events in std::mem::take(&mut journal.pending).chunks(EVENTS_MAX) {
                    let offset = self.rng.uuid();
                    journal.files.push_back(File { offset, published_at, events: events.to_vec() });
                }
            }
            while journal.files.front().is_some_and(|file| file.published_at < now - RETENTION_MS) {
                journal.files.pop_front();
            }
        }
    }

    fn push(&mut self, app_id: u64, event: Value, now: Millis) {
        // What waited before is published first, with its own time.
        self.settle(now);
        let Some(journal) = self.apps.get_mut(&app_id) else { return };
        if journal.pending.is_empty() {
            journal.pending_since = now;
        }
        journal.pending.push(event);
    }
}

/// Writes changes into the journal of every app that subscribed to them.
pub(crate) fn append(state: &mut State, changes: &[Change], now: Millis) {
    for (app_id, event) in events::of(state, changes) {
        state.journals.push(app_id, event, now);
    }
}

/// Writes installs and uninstalls since the last time into the journals of those apps.
pub(crate) fn note_installs(state: &mut State, now: Millis) {
    if state.oauth.installed_apps().eq(state.journals.installed.iter().copied()) {
        return;
    }
    let current: BTreeSet<u64> = state.oauth.installed_apps().collect();
    let before = std::mem::replace(&mut state.journals.installed, current.clone());
    for app_id in current.symmetric_difference(&before) {
        if let Some(event) = events::lifecycle(state, *app_id, current.contains(app_id), now) {
            state.journals.push(*app_id, event, now);
        }
    }
}

impl Portal {
    /// How fast events come into the journal, and how long URLs of files are good.
    pub fn set_journal_timing(&mut self, timing: JournalTiming) {
        self.state.journals.timing = timing;
    }

    /// Where files of the journal are fetched from: this portal's address, without a slash at the end. A
    /// [`Server`](crate::Server) sets it itself.
    pub fn set_file_base_url(&mut self, url: impl Into<String>) {
        self.state.journals.base_url = url.into();
    }
}
