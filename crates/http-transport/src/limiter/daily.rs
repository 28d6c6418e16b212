//! A quota for the day, counted down between the server's words about it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::queue::Readiness;
use super::{BudgetStatus, Lane, Observed};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long "nothing left" is believed when nobody said when the day ends.
const BELIEVED: Duration = Duration::from_secs(15 * 60);

/// A daily quota. Without a maximum and without a word from the server it allows everything.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DailyConfig {
    /// Calls per day, if known beforehand.
    pub max: Option<u64>,
    /// The part of the day's calls we take, above 0 and up to 1. Default 1.
    pub share: f64,
    /// The part of the day's calls that only [`Lane::Live`] may use, from 0 up to 1. Default 0.02.
    pub live_reserve: f64,
    /// When the day ends, if known beforehand; it is then taken to last 24 h until told otherwise.
    pub resets_at: Option<Timestamp>,
}

impl Default for DailyConfig {
    fn default() -> Self {
        Self { max: None, share: 1.0, live_reserve: 0.02, resets_at: None }
    }
}

#[derive(Debug)]
pub(super) struct DailyQuota {
    config: DailyConfig,
    max: Option<u64>,
    remaining: Option<u64>,
    observed_at: Duration,
    resets_at: Option<Timestamp>,
    used: u64,
}

impl DailyQuota {
    pub(super) fn new(config: DailyConfig) -> Self {
        Self {
            config,
            max: config.max,
            remaining: config.max,
            observed_at: Duration::ZERO,
            resets_at: config.resets_at,
            used: 0,
        }
    }

    /// Calls that must stay untouched for a call of `lane` to start.
    fn floor(&self, lane: Lane) -> u64 {
        let max = self.max.unwrap_or(0);
        let left_to_others = part(max, 1.0 - self.config.share.clamp(0.0, 1.0));
        match lane {
            Lane::Live => left_to_others,
            Lane::Verify | Lane::Backfill => {
                left_to_others + part(max, self.config.live_reserve.clamp(0.0, 1.0))
            }
        }
    }

    pub(super) fn check(&mut self, lane: Lane, now: Duration, wall: Timestamp) -> Readiness {
        if self.resets_at.is_some_and(|reset| wall >= reset) {
            self.remaining = self.max;
            self.used = 0;
            self.resets_at = self.resets_at.and_then(|reset| {
                let mut next = reset;
                while next <= wall {
                    next = next.checked_add(DAY).ok()?;
                }
                Some(next)
            });
        }
        match self.remaining {
            Some(remaining) if remaining <= self.floor(lane) => {}
            _ => return Readiness::Ready,
        }
        match self.resets_at {
            Some(reset) => {
                let wait = reset.duration_since(wall);
                Readiness::Exhausted(Duration::try_from(wait).unwrap_or(Duration::ZERO))
            }
            None => match (self.observed_at + BELIEVED).checked_sub(now) {
                Some(wait) if !wait.is_zero() => Readiness::Exhausted(wait),
                _ => Readiness::Ready,
            },
        }
    }

    pub(super) fn start(&mut self) {
        self.used += 1;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
    }

    pub(super) fn observe(&mut self, observed: Observed, now: Duration) {
        if observed.max.is_some() {
            self.max = observed.max;
        }
        if observed.remaining.is_some() {
            self.remaining = observed.remaining;
            self.observed_at = now;
        }
    }

    pub(super) fn throttled(&mut self, now: Duration, _wait: Option<Duration>) {
        self.remaining = Some(0);
        self.observed_at = now;
    }

    pub(super) fn resets_at(&mut self, resets_at: Option<Timestamp>) {
        self.resets_at = resets_at;
    }

    pub(super) fn status(&self, wall: Timestamp) -> BudgetStatus {
        let over = self.remaining.is_some_and(|remaining| remaining <= self.floor(Lane::Live));
        let wait = self.resets_at.and_then(|reset| Duration::try_from(reset.duration_since(wall)).ok());
        BudgetStatus {
            max: self.max,
            allowed: self.max.map(|max| max.saturating_sub(self.floor(Lane::Live))),
            used: self.used,
            remaining: self.remaining,
            paused_for: wait.filter(|_| over),
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a day's calls are far below 2^52, and the part is between 0 and 1"
)]
fn part(max: u64, share: f64) -> u64 {
    (max as f64 * share).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn keeps_a_part_for_live_calls_and_a_part_for_others() {
        let mut quota =
            DailyQuota::new(DailyConfig { max: Some(1_000), share: 0.9, ..DailyConfig::default() });
        let wall = at("2026-11-21T12:00:00Z");
        quota.resets_at(Some(at("2026-11-21T13:00:00Z")));
        let hour = Readiness::Exhausted(Duration::from_secs(3_600));
        for (remaining, live, backfill) in
            [(121, Readiness::Ready, Readiness::Ready), (120, Readiness::Ready, hour), (100, hour, hour)]
        {
            quota.observe(Observed { remaining: Some(remaining), ..Observed::default() }, Duration::ZERO);
            assert_eq!(quota.check(Lane::Live, Duration::ZERO, wall), live, "{remaining}");
            assert_eq!(quota.check(Lane::Backfill, Duration::ZERO, wall), backfill, "{remaining}");
        }
    }

    #[test]
    fn starts_a_new_day_at_the_reset() {
        let mut quota = DailyQuota::new(DailyConfig { max: Some(1), ..DailyConfig::default() });
        quota.resets_at(Some(at("2026-11-22T00:00:00Z")));
        let evening = at("2026-11-21T23:59:00Z");
        assert_eq!(quota.check(Lane::Live, Duration::ZERO, evening), Readiness::Ready);
        quota.start();
        assert_eq!(
            quota.check(Lane::Live, Duration::ZERO, evening),
            Readiness::Exhausted(Duration::from_secs(60))
        );
        assert_eq!(quota.check(Lane::Live, Duration::ZERO, at("2026-11-22T00:00:00Z")), Readiness::Ready);
        quota.start();
        let next_day = quota.check(Lane::Live, Duration::ZERO, at("2026-11-24T23:00:00Z"));
        assert_eq!(next_day, Readiness::Ready, "days without a call are skipped");
    }

    #[test]
    fn without_a_known_end_nothing_left_is_believed_for_a_while() {
        let mut quota = DailyQuota::new(DailyConfig::default());
        let wall = at("2026-11-21T12:00:00Z");
        assert_eq!(quota.check(Lane::Backfill, Duration::ZERO, wall), Readiness::Ready);
        quota.throttled(Duration::from_secs(100), None);
        let rest = Readiness::Exhausted(Duration::from_secs(800));
        assert_eq!(quota.check(Lane::Live, Duration::from_secs(200), wall), rest);
        assert_eq!(quota.check(Lane::Live, Duration::from_secs(1_000), wall), Readiness::Ready);
    }
}
