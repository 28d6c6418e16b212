//! Scripted sources, crash points and conformance suites for the role traits.
//!
//! A suite fails by panicking with the promise that was broken, because it is meant to be called from a test.
#![doc = include_str!("../README.md")]

pub mod conformance;
mod crash;
mod memory_source;
mod memory_store;
#[cfg(feature = "servers")]
mod postgres_server;

pub use crash::{Crash, CrashPlan, CrashingDestination, CrashingStore, CrashingWriter, When};
pub use memory_source::{MemorySource, SourceCalls};
pub use memory_store::{Memory, MemoryStore};
#[cfg(feature = "servers")]
pub use postgres_server::{PostgresServer, Stop};
