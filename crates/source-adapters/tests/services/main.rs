//! Adapters against real servers, which are started for the test and say aloud when they are not installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod bench;
#[cfg(feature = "object-storage")]
mod bucket;
mod hidden;
mod server;
mod tls;
mod values;
