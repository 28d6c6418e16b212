//! Installs, renewals and stores, against an authorization server in memory and with time moved by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[cfg(feature = "sqlite")]
mod canary;
mod disconnect;
mod install;
mod keys;
mod refresh;
mod server;
mod sharing;
#[cfg(feature = "sqlite")]
mod stores;
#[cfg(all(feature = "vault", feature = "google", feature = "aws-agent"))]
mod vendors;
