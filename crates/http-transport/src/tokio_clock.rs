//! The kit's clock over tokio's time.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sync_types::Clock;

/// [`Clock`] over tokio's timer.
///
/// The wall clock is read once, at [`start`](Self::start); from then on it advances with tokio's time. So
/// `tokio::time::pause` makes all time virtual, and no jump of the system clock disturbs a running process. A process
/// that runs for months drifts from the system clock as far as the monotonic clock does:
/// [`SystemClock`](crate::SystemClock) is for that.
#[derive(Clone, Debug)]
pub struct TokioClock {
    start: tokio::time::Instant,
    wall_at_start: Timestamp,
}

impl TokioClock {
    /// A clock whose wall time is the system's.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place where the wall clock enters the kit")]
    pub fn start() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock whose wall time begins at `wall`, for tests that need known dates.
    #[must_use]
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: tokio::time::Instant::now(), wall_at_start: wall }
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.monotonic()).unwrap_or(SignedDuration::MAX);
        self.wall_at_start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[allow(clippy::disallowed_methods, reason = "the one place where waiting is done")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
