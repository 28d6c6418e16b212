//! Every adapter keeps what it declares: the conformance suites over a system that they change.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "csv")]
mod csv_folder;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "rest")]
mod rest;
#[cfg(feature = "sqlite")]
mod sqlite_file;
