//! An even pace: calls spaced so that no second holds more than its share.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sync_types::Clock;

use super::BudgetStatus;
use super::queue::Readiness;

/// An allowance that is handed out one call at a time, evenly spaced: for limits so short (a second) that a burst only
/// invites refusals, and for limits shared with callers that we do not see.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PaceConfig {
    /// Calls per interval.
    pub max: u32,
    /// Length of the interval.
    pub interval: Duration,
    /// The part of `max` we take, above 0 and up to 1; the rest is left to other programs. Default 1.
    pub share: f64,
}

impl PaceConfig {
    /// `max` calls per `interval`, all ours.
    #[must_use]
    pub fn new(max: u32, interval: Duration) -> Self {
        Self { max, interval, share: 1.0 }
    }

    /// Takes only this part of the allowance.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    fn spacing(&self) -> Duration {
        let max = f64::from(self.max.max(1)) * self.share.clamp(0.01, 1.0);
        // Two per cent longer than exact, so that the network's jitter does not push a sixth call into a second of five.
        Duration::try_from_secs_f64(self.interval.as_secs_f64() * 1.02 / max)
            .unwrap_or(self.interval)
            .max(Duration::from_nanos(1))
    }
}

/// The kit's clock in governor's terms; governor's own ignores virtual time.
#[derive(Debug)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

pub(super) struct Pace {
    spacing: Duration,
    limiter: RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>,
    paused_until: Duration,
    refusals: u32,
}

impl Pace {
    pub(super) fn new(config: &PaceConfig, clock: &Arc<dyn Clock>) -> Self {
        let spacing = config.spacing();
        let quota = Quota::with_period(spacing)
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
            .allow_burst(NonZeroU32::MIN);
        Self {
            spacing,
            limiter: RateLimiter::direct_with_clock(quota, Monotonic(Arc::clone(clock))),
            paused_until: Duration::ZERO,
            refusals: 0,
        }
    }

    /// Takes a slot, or says when there will be one.
    pub(super) fn take(&mut self, now: Duration) -> Readiness {
        if now < self.paused_until {
            return Readiness::At(self.paused_until);
        }
        match self.limiter.check() {
            Ok(()) => Readiness::Ready,
            Err(not_until) => Readiness::At(now + not_until.wait_time_from(now)),
        }
    }

    pub(super) fn finish(&mut self, answered: bool) {
        if answered {
            self.refusals = 0;
        }
    }

    pub(super) fn throttled(&mut self, now: Duration, wait: Option<Duration>) {
        self.refusals = self.refusals.saturating_add(1);
        // Others use the same allowance: leave them a second, then two, four, eight.
        let guess = Duration::from_secs(1 << self.refusals.saturating_sub(1).min(3));
        self.pause(now.saturating_add(wait.unwrap_or(guess)));
    }

    pub(super) fn pause(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    pub(super) fn status(&self, now: Duration) -> BudgetStatus {
        BudgetStatus {
            max: None,
            allowed: None,
            used: 0,
            remaining: None,
            paused_for: self.paused_until.checked_sub(now).filter(|wait| !wait.is_zero()),
        }
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("spacing", &self.spacing).finish_non_exhaustive()
    }
}
