//! Adding durations to moments without a way to fail.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// `by` after `now`, or the end of time.
pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// From `from` to `to`, zero if that lies in the past.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
