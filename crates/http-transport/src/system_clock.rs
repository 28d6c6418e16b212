//! The clock of a process that lives for months: its wall time is the system's, at every reading.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_types::Clock;

/// [`Clock`] whose wall time follows the system's, however it is corrected.
///
/// [`TokioClock`](crate::TokioClock) reads the wall once and counts from there, which a machine that is suspended, or
/// whose counter runs fast, leaves behind: signatures and tokens would be judged by a wrong time after weeks. Durations
/// are measured and waited for by tokio's time, so that a correction of the wall stretches none of them.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    /// The system's clock; its monotonic reading begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "with `TokioClock`, where the wall clock enters the kit")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[allow(clippy::disallowed_methods, reason = "with `TokioClock`, where waiting is done")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
