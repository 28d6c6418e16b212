//! The portal as its clients see it: requests in, answers out, time by hand.

// Clippy's leave for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod associations;
mod batches;
mod control;
mod journal;
mod laws;
mod limits;
mod merges;
mod metadata;
mod objects;
mod pipelines;
mod properties;
mod search;
mod serve;
mod support;
mod values;
mod webhooks;
