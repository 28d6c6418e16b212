//! An exact rolling window: never more than `max` starts in any interval, corrected by the server's own count.

use std::collections::VecDeque;
use std::time::Duration;

use super::queue::Readiness;
use super::{BudgetStatus, Lane, Observed};

/// The smallest part of the window kept in use after refusals, so that recovery is noticed.
const FACTOR_MIN: f64 = 0.1;
/// What one undisturbed interval gives back after a refusal.
const RECOVERY_PER_INTERVAL: f64 = 0.1;
/// Calls under way at once when others are known to use the window and no recent answer says how much is left.
const FEELERS: u32 = 4;

/// An allowance of `max` starts in any interval.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WindowConfig {
    /// Starts per interval; replaced by what the server says.
    pub max: u32,
    /// Length of the window; replaced by what the server says.
    pub interval: Duration,
    /// The part of `max` we take, above 0 and up to 1; the rest is left to other programs. Default 1.
    pub share: f64,
    /// Starts kept for [`Lane::Live`], at most a quarter of the window. Default 2.
    pub live_reserve: u32,
    /// Added to the interval, because requests do not reach the server as evenly as they leave. Default 20 ms.
    pub margin: Duration,
}

impl WindowConfig {
    /// `max` starts per `interval`, all ours.
    #[must_use]
    pub fn new(max: u32, interval: Duration) -> Self {
        Self { max, interval, share: 1.0, live_reserve: 2, margin: Duration::from_millis(20) }
    }

    /// Takes only this part of the allowance.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Keeps this many starts for live calls.
    #[must_use]
    pub fn live_reserve(mut self, starts: u32) -> Self {
        self.live_reserve = starts;
        self
    }

    /// Counts each start for this much longer than the interval.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }
}

#[derive(Clone, Copy, Debug)]
struct Start {
    seq: u64,
    at: Duration,
    /// Counts against the part of the window that bulk work may use in one go.
    burst: bool,
}

/// The server's count as of one call.
#[derive(Clone, Copy, Debug)]
struct Seen {
    seq: u64,
    at: Duration,
    remaining: u64,
}

#[derive(Debug)]
pub(super) struct RollingWindow {
    config: WindowConfig,
    max: u32,
    interval: Duration,
    /// Starts of the last two intervals, oldest first: the older half explains what a past answer counted.
    starts: VecDeque<Start>,
    next_trickle: Duration,
    seen: Option<Seen>,
    factor: f64,
    factor_at: Duration,
    /// Refusals of calls up to this one belong to a cut already made.
    cut_seq: Option<u64>,
    refusals: u32,
    paused_until: Duration,
    contended_until: Duration,
    outstanding: u32,
}

impl RollingWindow {
    pub(super) fn new(config: WindowConfig) -> Self {
        Self {
            config,
            max: config.max.max(1),
            interval: config.interval,
            starts: VecDeque::new(),
            next_trickle: Duration::ZERO,
            seen: None,
            factor: 1.0,
            factor_at: Duration::ZERO,
            cut_seq: None,
            refusals: 0,
            paused_until: Duration::ZERO,
            contended_until: Duration::ZERO,
            outstanding: 0,
        }
    }

    /// How long a start counts.
    fn span(&self) -> Duration {
        self.interval + self.config.margin
    }

    fn factor(&self, now: Duration) -> f64 {
        let undisturbed = now.saturating_sub(self.factor_at).as_secs_f64() / self.interval.as_secs_f64();
        (self.factor + undisturbed * RECOVERY_PER_INTERVAL).min(1.0)
    }

    /// Starts per interval that we allow ourselves now.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and max, which is a u32"
    )]
    fn limit(&self, now: Duration) -> u32 {
        let part = self.config.share.clamp(0.0, 1.0) * self.factor(now);
        // The small addend undoes rounding below a whole number, as in 0.9 x 100.
        ((f64::from(self.max) * part + 1e-9) as u32).clamp(1, self.max)
    }

    fn reserve(&self, limit: u32) -> u32 {
        self.config.live_reserve.min(limit / 4)
    }

    /// Index of the first start that still counts.
    fn first_counting(&self, now: Duration) -> usize {
        let span = self.span();
        self.starts.partition_point(|start| start.at + span <= now)
    }

    pub(super) fn check(&mut self, lane: Lane, now: Duration) -> Readiness {
        if now < self.paused_until {
            return Readiness::At(self.paused_until);
        }
        let limit = self.limit(now);
        let reserve = self.reserve(limit);
        let (cap, needed) = if lane == Lane::Live { (limit, 1) } else { (limit - reserve, reserve + 1) };
        let cap = cap as usize;
        let first = self.first_counting(now);
        let used = self.starts.len() - first;
        if used >= cap {
            return self.expiry_of(self.starts.len() - cap, now);
        }
        if lane != Lane::Live
            && let Some(at) = self.burst_blocked(cap, first, now)
        {
            return Readiness::At(at);
        }
        self.check_server(needed, now)
    }

    fn expiry_of(&self, index: usize, now: Duration) -> Readiness {
        self.starts.get(index).map_or(Readiness::At(now), |start| Readiness::At(start.at + self.span()))
    }

    /// The last tenth of the window goes to bulk work evenly, so that a slot frees for a live call soon at any moment.
    fn burst_blocked(&self, cap: usize, first: usize, now: Duration) -> Option<Duration> {
        let trickle = cap / 10;
        let burst_cap = cap - trickle;
        if trickle == 0 || now >= self.next_trickle || self.starts.len() - first < burst_cap {
            return None;
        }
        let mut bursts = self.starts.range(first..).filter(|start| start.burst);
        let burst_used = bursts.clone().count();
        let frees = bursts.nth(burst_used.checked_sub(burst_cap)?)?;
        Some(self.next_trickle.min(frees.at + self.span()))
    }

    /// What the server's last count leaves: its remainder, less what started since, plus what left its window since.
    fn check_server(&self, needed: u32, now: Duration) -> Readiness {
        let span = self.span();
        let Some(seen) = self.seen.filter(|seen| now < seen.at + span) else {
            // Others may have used the window up meanwhile: feel before bursting.
            let blind = now < self.contended_until && self.outstanding >= FEELERS;
            return if blind { Readiness::At(self.contended_until) } else { Readiness::Ready };
        };
        let after = self.starts.iter().rev().take_while(|start| start.seq > seen.seq).count();
        let known = self.starts.len() - after;
        // Starts that the answer counted: up to an interval before it.
        let counted = self.starts.partition_point(|start| start.at + self.interval <= seen.at).min(known);
        let returned = self.first_counting(now).clamp(counted, known) - counted;
        // While others call too, part of what the answer left is theirs by the time our next call arrives.
        let headroom = if now < self.contended_until { u64::from(self.max / 20) } else { 0 };
        if seen.remaining + returned as u64 >= u64::from(needed) + headroom + after as u64 {
            return Readiness::Ready;
        }
        let next_return = self.starts.range(counted + returned..known).next().map(|start| start.at + span);
        Readiness::At(next_return.unwrap_or(Duration::MAX).min(seen.at + span))
    }

    pub(super) fn start(&mut self, lane: Lane, seq: u64, now: Duration) {
        let keep = self.span() * 2;
        while self.starts.front().is_some_and(|start| start.at + keep <= now) {
            self.starts.pop_front();
        }
        let burst = lane != Lane::Live && {
            let limit = self.limit(now);
            let cap = (limit - self.reserve(limit)) as usize;
            let trickle = cap / 10;
            let first = self.first_counting(now);
            let burst_cap = cap - trickle;
            let full = trickle > 0
                && self.starts.len() - first >= burst_cap
                && self.starts.range(first..).filter(|start| start.burst).count() >= burst_cap;
            if full {
                let spacing = self.interval / u32::try_from(trickle).unwrap_or(u32::MAX);
                // From the planned moment rather than from now, so that late wake-ups do not add up.
                let planned = self.next_trickle + spacing;
                self.next_trickle = if planned > now { planned } else { now + spacing };
                false
            } else {
                true
            }
        };
        self.starts.push_back(Start { seq, at: now, burst });
        self.outstanding += 1;
    }

    pub(super) fn finish(&mut self, answered: bool) {
        self.outstanding = self.outstanding.saturating_sub(1);
        if answered {
            self.refusals = 0;
        }
    }

    pub(super) fn observe(&mut self, seq: u64, at: Duration, observed: Observed, now: Duration) {
        if let Some(interval) = observed.interval
            && (Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&interval)
        {
            self.interval = interval;
        }
        if let Some(max) = observed.max.and_then(|max| u32::try_from(max).ok())
            && max > 0
        {
            self.max = max;
        }
        let Some(remaining) = observed.remaining else { return };
        let newer = self.seen.is_none_or(|seen| seq > seen.seq || now >= seen.at + self.span());
        if newer {
            self.seen = Some(Seen { seq, at, remaining });
        }
        // More used than all we started: somebody else calls with this credential.
        // A start may reach the server as late as this call's answer came, so older ones may still be in its count.
        let late = now.saturating_sub(at);
        let older = self.starts.partition_point(|start| start.at + self.interval + late <= at);
        let ours = (self.starts.len() - older) as u64;
        if u64::from(self.max).saturating_sub(remaining) > ours {
            self.contended_until = now + self.interval * 3;
        }
    }

    pub(super) fn throttled(&mut self, seq: u64, latest_seq: u64, now: Duration, wait: Option<Duration>) {
        // Calls already under way when the first was refused say nothing new.
        if self.cut_seq.is_none_or(|cut| seq > cut) {
            self.factor = (self.factor(now) / 2.0).max(FACTOR_MIN);
            self.cut_seq = Some(latest_seq);
            self.refusals = self.refusals.saturating_add(1);
        }
        self.factor_at = now;
        self.contended_until = now + self.interval * 3;
        let first_guess = (self.interval / 10).clamp(Duration::from_millis(100), Duration::from_secs(1));
        let guess = (first_guess * (1 << self.refusals.saturating_sub(1).min(6))).min(self.interval);
        self.pause(now.saturating_add(wait.unwrap_or(guess)));
    }

    pub(super) fn pause(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    pub(super) fn status(&self, now: Duration) -> BudgetStatus {
        BudgetStatus {
            max: Some(u64::from(self.max)),
            allowed: Some(u64::from(self.limit(now))),
            used: (self.starts.len() - self.first_counting(now)) as u64,
            remaining: None,
            paused_for: self.paused_until.checked_sub(now).filter(|wait| !wait.is_zero()),
        }
    }
}
