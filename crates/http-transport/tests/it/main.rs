//! Tests of the crate from outside: the limiter under virtual time, the transport on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

#[cfg(feature = "reqwest")]
mod reqwest_transport;

mod limiter;
mod server;
