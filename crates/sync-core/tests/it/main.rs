//! The engine's parts against the suites of their roles.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod store;
