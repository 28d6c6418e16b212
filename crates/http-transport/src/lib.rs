//! Sending HTTP politely. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod breaker;
mod jitter;
mod limiter;
mod redact;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod retry;
mod system_clock;
mod token;
mod tokio_clock;
mod transport;

pub use breaker::{Breaker, BreakerConfig, BreakerSignal, CircuitOpen, Pass};
pub use jitter::SplitMix64;
pub use limiter::{
    BudgetId, BudgetSet, BudgetStatus, DailyConfig, Lane, LimitError, Limiter, LimiterBuilder, Observed,
    PaceConfig, Permit, WindowConfig,
};
pub use redact::{redact_path, redact_text};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use retry::{
    Attempt, Failure, Idempotency, Intervals, Meaning, RetryPolicy, Verdict, decide, retry_after,
};
pub use sync_types::Clock;
pub use system_clock::SystemClock;
pub use token::{TokenError, TokenProvider};
pub use tokio_clock::TokioClock;
pub use transport::{Sent, Transport, TransportError};
