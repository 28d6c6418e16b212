//! Time as a dependency: the only way any crate of the kit reads a clock or waits.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Reads time and waits for it.
///
/// The wall clock may jump; the monotonic reading never goes back. Durations, deadlines and rate windows use
/// [`Clock::monotonic`]; only what a person or another system reads as a date uses [`Clock::now`].
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that is fixed for the life of this clock. Never decreases.
    fn monotonic(&self) -> Duration;

    /// Returns no earlier than `duration` from now by [`Clock::monotonic`]. Dropping the future cancels the wait.
    async fn sleep(&self, duration: Duration);
}
