//! The crates together, against a portal in the same process and in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod api_source;
mod blackouts;
mod both_ways;
mod canary;
mod certificate;
mod crash;
mod explain;
mod faults;
mod fights;
mod following;
mod hearing;
mod laws;
mod limits;
mod mapping;
mod oauth;
mod oauth_processes;
mod one_way;
mod parents;
mod plans;
mod rules_one_way;
mod scope;
mod search_feed;
mod undo;
mod undo_cut_off;
mod webhooks;
