//! Where an engagement's records come from: one folder and feature per source, with the same file names in each.
#![doc = include_str!("../README.md")]

#[cfg(feature = "csv")]
pub mod csv_folder;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "rest")]
pub mod rest;
#[cfg(feature = "sqlite")]
pub mod sqlite_file;

/// The guide's example is compiled, and keeps what it declares.
#[cfg(doctest)]
#[doc = include_str!("../docs/write-an-adapter.md")]
mod guide {}
