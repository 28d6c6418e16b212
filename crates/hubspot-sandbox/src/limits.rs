//! Request limits: rolling windows per app, the search window of the account and the day of the portal.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::config::{CredentialKind, LimitTable};

const BURST_WINDOW: Duration = Duration::from_secs(10);
const SEARCH_WINDOW: Duration = Duration::from_secs(1);

/// Which limit refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RatePolicy {
    /// The rolling 10 seconds of one app.
    TenSecondlyRolling,
    /// The second of the search endpoint.
    Secondly,
    /// The day of the account.
    Daily,
}

impl RatePolicy {
    /// As `policyName` in the body.
    pub fn name(self) -> &'static str {
        match self {
            RatePolicy::TenSecondlyRolling => "TEN_SECONDLY_ROLLING",
            RatePolicy::Secondly => "SECONDLY",
            RatePolicy::Daily => "DAILY",
        }
    }

    /// As `message` in the body.
    pub(crate) fn message(self) -> &'static str {
        match self {
            RatePolicy::TenSecondlyRolling => "You have reached your ten_secondly_rolling limit.",
            RatePolicy::Secondly => "You have reached your secondly limit.",
            RatePolicy::Daily => "You have reached your daily limit.",
        }
    }
}

/// Which windows a call counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallClass {
    Ordinary,
    /// Counts in the association windows as well as in the ordinary ones. The docs give the association endpoints
    /// limits of their own without saying that they leave the others alone; counting in both is the stricter reading.
    Association,
    /// Outside the 10-second window; counts in the day.
    Search,
}

/// What the rate headers of one answer say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    pub(crate) burst: Option<(u32, u32)>,
    pub(crate) daily: Option<(u32, u32)>,
}

/// Calls accepted within one rolling window. Exact: any window of the given length holds at most `max` of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Window(VecDeque<Timestamp>);

impl Window {
    /// Forgets calls that are a whole window old and counts the rest.
    fn used(&mut self, now: Timestamp, window: Duration) -> u32 {
        while let Some(first) = self.0.front() {
            if now.duration_since(*first).unsigned_abs() < window || *first > now {
                break;
            }
            self.0.pop_front();
        }
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

/// The calls of one portal day.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Day {
    date: Option<jiff::civil::Date>,
    calls: u32,
    association_calls: u32,
}

/// The counters of one portal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RateLimiter {
    burst: BTreeMap<u64, Window>,
    association: BTreeMap<u64, Window>,
    search: Window,
    day: Day,
    /// Share of every burst window that somebody else's calls with the same app hold, in 0..=1.
    pub(crate) foreign_share: f64,
}

impl RateLimiter {
    /// Counts a call or refuses it. A refused call is not counted.
    pub(crate) fn admit(
        &mut self,
        now: Timestamp,
        zone: &TimeZone,
        app_id: u64,
        kind: CredentialKind,
        class: CallClass,
        table: &LimitTable,
    ) -> Result<RateHeaders, (RatePolicy, RateHeaders)> {
        let today = now.to_zoned(zone.clone()).date();
        if self.day.date != Some(today) {
            self.day = Day { date: Some(today), calls: 0, association_calls: 0 };
        }
        let refusal = self.refusal(now, app_id, class, table);
        if refusal.is_none() {
            self.count(now, app_id, kind, class, table);
        }
        let headers = self.headers(now, app_id, class, table);
        refusal.map_or(Ok(headers), |policy| Err((policy, headers)))
    }

    fn refusal(
        &mut self,
        now: Timestamp,
        app_id: u64,
        class: CallClass,
        table: &LimitTable,
    ) -> Option<RatePolicy> {
        if table.daily.is_some_and(|max| self.day.calls >= max) {
            return Some(RatePolicy::Daily);
        }
        if class == CallClass::Search {
            let used = self.search.used(now, SEARCH_WINDOW);
            return table.search_per_second.is_some_and(|max| used >= max).then_some(RatePolicy::Secondly);
        }
        if class == CallClass::Association {
            if table.association_daily.is_some_and(|max| self.day.association_calls >= max) {
                return Some(RatePolicy::Daily);
            }
            let used = self.association.entry(app_id).or_default().used(now, BURST_WINDOW);
            if table.association_burst.is_some_and(|max| used >= max) {
                return Some(RatePolicy::TenSecondlyRolling);
            }
        }
        let used = self.burst.entry(app_id).or_default().used(now, BURST_WINDOW);
        table
            .burst
            .is_some_and(|max| used.saturating_add(self.foreign_calls(max)) >= max)
            .then_some(RatePolicy::TenSecondlyRolling)
    }

    fn count(
        &mut self,
        now: Timestamp,
        app_id: u64,
        kind: CredentialKind,
        class: CallClass,
        table: &LimitTable,
    ) {
        if kind != CredentialKind::OAuth {
            self.day.calls = self.day.calls.saturating_add(1);
        }
        if class == CallClass::Search {
            if table.search_per_second.is_some() {
                self.search.0.push_back(now);
            }
            return;
        }
        if class == CallClass::Association {
            self.day.association_calls = self.day.association_calls.saturating_add(1);
            if table.association_burst.is_some() {
                self.association.entry(app_id).or_default().0.push_back(now);
            }
        }
        if table.burst.is_some() {
            self.burst.entry(app_id).or_default().0.push_back(now);
        }
    }

    fn headers(&mut self, now: Timestamp, app_id: u64, class: CallClass, table: &LimitTable) -> RateHeaders {
        if class == CallClass::Search {
            // HubSpot docs: search answers carry no rate headers.
            return RateHeaders::default();
        }
        let used = self.burst.entry(app_id).or_default().used(now, BURST_WINDOW);
        let left = |max: u32, foreign: u32| (max, max.saturating_sub(used).saturating_sub(foreign));
        RateHeaders {
            burst: table.burst.map(|max| left(max, self.foreign_calls(max))),
            daily: table.daily.map(|max| (max, max.saturating_sub(self.day.calls))),
        }
    }

    /// Calls of the current portal day made by private apps and service keys.
    pub(crate) fn calls_today(&self, now: Timestamp, zone: &TimeZone) -> u32 {
        let today = now.to_zoned(zone.clone()).date();
        if self.day.date == Some(today) { self.day.calls } else { 0 }
    }

    fn foreign_calls(&self, max: u32) -> u32 {
        let held = (f64::from(max) * self.foreign_share.clamp(0.0, 1.0)).floor();
        // In 0..=max by construction, so the conversion keeps the value.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let held = held as u32;
        held
    }
}
