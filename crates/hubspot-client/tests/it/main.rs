//! Tests of the crate from outside: the wire against a mock server, everything else against a scripted transport.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod batches;
mod calls;
mod definitions;
mod limits;
mod paging;
mod scripted;
mod wire;
