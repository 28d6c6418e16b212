//! The crate as its users meet it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

mod fuzz;
mod inbox;
mod journal;
mod kill;
mod layer;
mod receiver;
mod serve;
mod support;
