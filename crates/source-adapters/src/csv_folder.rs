//! A folder of CSV files: each `*.csv` file is a collection.
//!
//! A row that cannot be read becomes a [`BadRecord`](sync_types::BadRecord) with its file and line; the others go
//! on. Memory does not grow with the file. A file that is replaced while a scan of it runs ends the scan with
//! [`StaleToken`](sync_types::SourceErrorKind::StaleToken).

mod config;
mod error;
mod reader;
pub(crate) mod row;
pub(crate) mod scan;
mod text;

pub use config::{CollectionConfig, CsvConfig, Encoding};
pub use reader::CsvFolder;

#[cfg(test)]
mod tests;
