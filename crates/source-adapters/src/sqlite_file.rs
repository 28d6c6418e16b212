//! A SQLite file: tables or named queries are collections; tables can be written.
//!
//! The file is opened for reading only unless the settings say otherwise. Pages follow the key, so rows may come and go between two pages without
//! others being missed or read twice.

mod config;
mod error;
mod reader;
mod rows;
mod schema;
mod table;
mod writer;

pub use config::{CollectionConfig, SqliteConfig};
pub use reader::SqliteFile;

#[cfg(test)]
mod tests;
