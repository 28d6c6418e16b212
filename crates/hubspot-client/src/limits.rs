//! HubSpot's request limits as budgets, and its rate headers as observations.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http_transport::{
    BudgetId, BudgetSet, BudgetStatus, Clock, DailyConfig, Limiter, Observed, PaceConfig, Permit,
    WindowConfig,
};
use jiff::Timestamp;

use crate::call::CallKind;

/// Request limits of one portal and credential.
///
/// They only need to be roughly right: the burst limit and the daily quota are corrected by the headers of every answer.
/// The limits of the search and association endpoints are not in any header.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Calls per rolling 10 s, searches aside.
    pub burst_max: u32,
    /// Searches per second, shared by all programs of the account.
    pub search_max: u32,
    /// Calls to association endpoints per rolling 10 s; they count against the burst as well.
    pub association_max: u32,
    /// Calls per day, if known; learned from headers otherwise.
    pub daily_max: Option<u64>,
    /// The part of every limit that we take, above 0 and up to 1. Default 1.
    pub share: f64,
    /// Starts per window and calls in flight that are kept for live calls. Default 2.
    pub live_reserve: u32,
    /// Calls under way at once, those kept for live calls included. Default 32.
    pub in_flight_max: usize,
    /// No limits of ours at all; for local portals and measurements.
    pub unlimited: bool,
}

impl Limits {
    /// Private app, Free or Starter: 100 per 10 s (HubSpot docs: usage guidelines).
    #[must_use]
    pub fn starter() -> Self {
        Self { burst_max: 100, association_max: 100, in_flight_max: 48, ..Self::professional() }
    }

    /// Private app, Professional or Enterprise: 190 per 10 s (HubSpot docs: usage guidelines). The default.
    #[must_use]
    pub fn professional() -> Self {
        Self {
            burst_max: 190,
            search_max: 5,
            association_max: 150,
            daily_max: None,
            share: 1.0,
            live_reserve: 2,
            in_flight_max: 90,
            unlimited: false,
        }
    }

    /// Private app with the API limit increase: 250 per 10 s (HubSpot docs: usage guidelines).
    #[must_use]
    pub fn increased() -> Self {
        Self { burst_max: 250, association_max: 200, in_flight_max: 120, ..Self::professional() }
    }

    /// OAuth app: 110 per 10 s and installing account, no daily limit (HubSpot docs: usage guidelines).
    #[must_use]
    pub fn oauth() -> Self {
        Self { burst_max: 110, association_max: 100, in_flight_max: 52, ..Self::professional() }
    }

    /// No limits of ours; the server's refusals are still obeyed.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { unlimited: true, ..Self::professional() }
    }

    /// Leaves a part of every limit to other programs: takes only `share` of it.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// The most calls under way at once.
    #[must_use]
    pub fn in_flight_max(mut self, calls: usize) -> Self {
        self.in_flight_max = calls;
        self
    }

    /// How long `calls` bulk calls take at least when nothing else uses the burst limit and each takes `latency`:
    /// the window is used in bursts, so the time grows in steps.
    #[must_use]
    pub fn forecast(&self, calls: u64, latency: Duration) -> Duration {
        if calls == 0 {
            return Duration::ZERO;
        }
        // What is kept for live calls is not there for bulk ones.
        let kept = usize::try_from(self.live_reserve).unwrap_or(usize::MAX);
        let in_flight = u64::try_from(self.in_flight_max.saturating_sub(kept).max(1)).unwrap_or(u64::MAX);
        let rounds =
            |calls: u64| latency.saturating_mul(u32::try_from(calls.div_ceil(in_flight)).unwrap_or(u32::MAX));
        if self.unlimited {
            return rounds(calls);
        }
        let share = f64::from(self.burst_max) * self.share.clamp(0.01, 1.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and burst_max, a u32"
        )]
        let allowed = (share as u64).max(1);
        let per_window = (allowed - u64::from(self.live_reserve).min(allowed / 4)).max(1);
        let full = (calls - 1) / per_window;
        // With few in flight and slow answers the window is not what limits.
        let windows = WINDOW.saturating_mul(u32::try_from(full).unwrap_or(u32::MAX));
        (windows + rounds(calls - full * per_window)).max(rounds(calls))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::professional()
    }
}

/// The budgets as they are now, for status pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitsStatus {
    /// The rolling 10 s window.
    pub burst: BudgetStatus,
    /// The window of the association endpoints.
    pub associations: BudgetStatus,
    /// The search pace.
    pub search: BudgetStatus,
    /// The day's calls.
    pub daily: BudgetStatus,
    /// Calls under way.
    pub in_flight: usize,
}

const WINDOW: Duration = Duration::from_secs(10);

/// A limiter with HubSpot's budgets.
#[derive(Debug)]
pub(crate) struct Budgets {
    pub(crate) limiter: Limiter,
    burst: BudgetId,
    associations: BudgetId,
    search: BudgetId,
    daily: BudgetId,
}

impl Budgets {
    pub(crate) fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        let mut builder = Limiter::builder(clock);
        let free = u32::MAX / 2;
        let (burst_max, association_max) =
            if limits.unlimited { (free, free) } else { (limits.burst_max, limits.association_max) };
        let window =
            |max: u32| WindowConfig::new(max, WINDOW).share(limits.share).live_reserve(limits.live_reserve);
        let burst = builder.window(window(burst_max));
        let associations = builder.window(window(association_max));
        let per_second = if limits.unlimited { 1_000_000 } else { limits.search_max };
        let search = builder.pace(PaceConfig::new(per_second, Duration::from_secs(1)).share(limits.share));
        let mut day = DailyConfig::default();
        day.max = limits.daily_max;
        day.share = limits.share;
        let daily = builder.daily(day);
        let limiter = builder
            .in_flight_max(limits.in_flight_max)
            .live_reserve(usize::try_from(limits.live_reserve).unwrap_or(0))
            .build();
        Self { limiter, burst, associations, search, daily }
    }

    pub(crate) fn of(&self, kind: CallKind) -> BudgetSet {
        match kind {
            CallKind::General => BudgetSet::from(self.burst) | self.daily,
            CallKind::Association => BudgetSet::from(self.burst) | self.associations | self.daily,
            CallKind::Search => BudgetSet::from(self.search) | self.daily,
        }
    }

    /// Passes on the rate headers of an answer. Searches carry none.
    pub(crate) fn observe(&self, permit: &Permit, kind: CallKind, headers: &HeaderMap) {
        let burst = Observed {
            max: number(headers, "x-hubspot-ratelimit-max"),
            remaining: number(headers, "x-hubspot-ratelimit-remaining"),
            interval: number(headers, "x-hubspot-ratelimit-interval-milliseconds").map(Duration::from_millis),
        };
        if burst.max.is_some() || burst.remaining.is_some() {
            let known = self.limiter.status(self.burst).and_then(|status| status.max);
            // Association endpoints have a limit of their own, and may be reporting that one.
            let budget = match kind {
                CallKind::Association if burst.max.is_some() && burst.max != known => self.associations,
                _ => self.burst,
            };
            permit.observe(budget, burst);
        }
        let daily = Observed {
            max: number(headers, "x-hubspot-ratelimit-daily"),
            remaining: number(headers, "x-hubspot-ratelimit-daily-remaining"),
            interval: None,
        };
        if daily != Observed::default() {
            permit.observe(self.daily, daily);
        }
    }

    /// The budgets that a 429 is about, by the policy it names.
    pub(crate) fn throttled(&self, kind: CallKind, policy: Option<&str>) -> BudgetSet {
        match policy {
            Some("DAILY") => self.daily.into(),
            Some("SECONDLY") => self.search.into(),
            _ => match kind {
                CallKind::General => self.burst.into(),
                CallKind::Association => BudgetSet::from(self.burst) | self.associations,
                CallKind::Search => self.search.into(),
            },
        }
    }

    pub(crate) fn all(&self) -> BudgetSet {
        BudgetSet::from(self.burst) | self.associations | self.search
    }

    pub(crate) fn set_daily(&self, max: Option<u64>, remaining: Option<u64>, resets_at: Option<Timestamp>) {
        self.limiter.set_daily(self.daily, Observed { max, remaining, interval: None }, resets_at);
    }

    pub(crate) fn status(&self) -> Option<LimitsStatus> {
        Some(LimitsStatus {
            burst: self.limiter.status(self.burst)?,
            associations: self.limiter.status(self.associations)?,
            search: self.limiter.status(self.search)?,
            daily: self.limiter.status(self.daily)?,
            in_flight: self.limiter.in_flight(),
        })
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_grow_by_windows() {
        let limits = Limits::professional();
        let latency = Duration::from_millis(300);
        for (calls, seconds) in
            [(0, 0.0), (1, 0.3), (88, 0.3), (89, 0.6), (188, 0.9), (189, 10.3), (1_000, 50.3)]
        {
            assert_eq!(limits.forecast(calls, latency).as_secs_f64(), seconds, "{calls}");
        }
        let slow = Limits::professional().in_flight_max(1);
        assert_eq!(
            slow.forecast(100, latency),
            Duration::from_secs(30),
            "one in flight is slower than the limit"
        );
        assert_eq!(Limits::unlimited().forecast(100, latency), Duration::from_millis(600));
    }
}
