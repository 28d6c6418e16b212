//! A SQLite file: tables or named queries are collections.
//!
//! The file is opened for reading only. Pages follow the key, so rows may come and go between two pages without
//! others being missed or read twice.

mod config;
mod error;
mod reader;
mod rows;

pub use config::{CollectionConfig, SqliteConfig};
pub use reader::SqliteFile;

#[cfg(test)]
mod tests;
