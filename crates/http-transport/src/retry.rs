//! Whether to repeat a failed call: a pure function over what is known, and the intervals between tries.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::transport::Sent;

/// What repeating a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It reads: repeating changes nothing, and a lost answer loses nothing.
    Safe,
    /// It writes, and doing it twice leaves the same state as doing it once.
    Idempotent,
    /// Doing it twice may do it twice.
    Once,
}

/// What an answer with an error status says about the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Refused for good: repeating the same call gives the same answer.
    Refused,
    /// The credential was refused; only another token can help.
    Unauthorized,
    /// Not executed because of a rate limit.
    Throttled,
    /// Not executed now (a lock, a migration); wait at least this long.
    NotNow(Duration),
    /// The server or something before it failed: a write may have happened.
    Broken,
}

impl Meaning {
    /// The meaning of a status by HTTP's own rules. A vendor with statuses of its own looks at those first.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            423 | 425 => Self::NotNow(Duration::from_secs(2)),
            429 => Self::Throttled,
            408 | 500..=599 => Self::Broken,
            _ => Self::Refused,
        }
    }
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No whole answer came.
    Transport(Sent),
    /// An answer came, and it was an error.
    Answer(Meaning),
}

/// What is known about the tries so far.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Number of the try that just failed, from 1.
    pub number: u32,
    /// Time since the first try began.
    pub elapsed: Duration,
    /// What repeating does.
    pub idempotency: Idempotency,
    /// Whether an earlier try of the same call may have been executed.
    pub earlier_unknown: bool,
    /// Whether another token can be had after a refused one, and has not been tried.
    pub fresh_token: bool,
    /// How long the server asks to wait.
    pub hint: Option<Duration>,
    /// Our own interval before the next try, jitter included.
    pub interval: Duration,
}

/// Bounds of repeating.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Tries in all. Default 5.
    pub attempts_max: u32,
    /// Tries in all when the rate limit refused the call; such a try costs little and says "later". Default 10.
    pub throttled_attempts_max: u32,
    /// No try starts later than this after the first. Default 2 min.
    pub elapsed_max: Duration,
    /// The longest wait a server may ask for inside one call; if it asks for more, the call ends. Default 60 s.
    pub hint_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            throttled_attempts_max: 10,
            elapsed_max: Duration::from_secs(120),
            hint_max: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One try, for callers that repeat on their own.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts_max: 1, throttled_attempts_max: 1, ..Self::default() }
    }
}

/// What to do after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Give up: the call was definitely not executed, or it only reads.
    Never,
    /// Repeat at once.
    Now,
    /// Repeat after this long.
    After(Duration),
    /// Give up: the call may have been executed. Look before writing again.
    OutcomeUnknown,
}

/// Decides what to do after a failed try.
///
/// A wait that the server asks for outranks our own interval, in both directions, and is bounded by
/// [`RetryPolicy::hint_max`]. Where it refuses again after that, the longer of both counts. A call that may have been executed is repeated only if that is harmless; when tries run out,
/// it ends as [`Verdict::OutcomeUnknown`] if this or an earlier try may have been executed.
#[must_use]
pub fn decide(attempt: &Attempt, failure: Failure, policy: &RetryPolicy) -> Verdict {
    let this_unknown = match failure {
        Failure::Transport(sent) => sent == Sent::Perhaps,
        Failure::Answer(meaning) => meaning == Meaning::Broken,
    };
    let writes = attempt.idempotency != Idempotency::Safe;
    let give_up = if writes && (this_unknown || attempt.earlier_unknown) {
        Verdict::OutcomeUnknown
    } else {
        Verdict::Never
    };

    if this_unknown && attempt.idempotency == Idempotency::Once {
        return Verdict::OutcomeUnknown;
    }
    let attempts_max = match failure {
        Failure::Answer(Meaning::Refused) => return give_up,
        Failure::Answer(Meaning::Unauthorized) => {
            let again = attempt.fresh_token && attempt.number < policy.attempts_max;
            return if again { Verdict::Now } else { give_up };
        }
        Failure::Answer(Meaning::Throttled) => policy.throttled_attempts_max,
        Failure::Answer(Meaning::NotNow(_) | Meaning::Broken) | Failure::Transport(_) => policy.attempts_max,
    };
    if attempt.number >= attempts_max {
        return give_up;
    }
    // A connection that could not be made is often a pooled one gone stale: the first repeat need not wait.
    if failure == Failure::Transport(Sent::No) && attempt.number == 1 && attempt.elapsed < policy.elapsed_max
    {
        return Verdict::Now;
    }
    let wait = match (attempt.hint, failure) {
        (Some(hint), _) if hint > policy.hint_max => return give_up,
        (Some(hint), _) if attempt.number == 1 => hint,
        // Some servers round a part of a second down to nothing (observed: Directus 11).
        (Some(hint), _) => hint.max(attempt.interval),
        (None, Failure::Answer(Meaning::NotNow(least))) => attempt.interval.max(least),
        (None, _) => attempt.interval,
    };
    if attempt.elapsed.saturating_add(wait) > policy.elapsed_max { give_up } else { Verdict::After(wait) }
}

/// The wait that a `Retry-After` header asks for: seconds, or an HTTP date seen from `now`. `None` when there is none or
/// it is unreadable; a date in the past is zero; never more than 24 h.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(24 * 60 * 60);
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // Some servers send fractions; a negative or absurd number is no hint.
        return Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MOST));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = date.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)).min(MOST))
}

/// Growing intervals between tries: doubling from `first`, never over `longest`.
///
/// Deterministic: spread comes from [`SplitMix64`](crate::SplitMix64) on top.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    first: Duration,
    longest: Duration,
}

impl Default for Intervals {
    /// From 500 ms to 20 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(20))
    }
}

impl Intervals {
    /// Intervals from `first`, doubling, up to `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The interval after the failed try `attempt`, counted from 1.
    #[must_use]
    pub fn after(&self, attempt: u32) -> Duration {
        // Only the interval arithmetic is used: no elapsed time (it would read a clock) and no randomness.
        let mut backoff: ExponentialBackoff = ExponentialBackoffBuilder::new()
            .with_initial_interval(self.first)
            .with_multiplier(2.0)
            .with_max_interval(self.longest)
            .with_randomization_factor(0.0)
            .with_max_elapsed_time(None)
            .build();
        let mut interval = self.first;
        // Beyond 64 doublings nothing changes any more.
        for _ in 0..attempt.clamp(1, 64) {
            interval = backoff.next_backoff().unwrap_or(self.longest);
        }
        interval.min(self.longest)
    }
}

#[cfg(test)]
mod tests;
