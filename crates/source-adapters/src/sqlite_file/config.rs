//! What is read from a SQLite file: settings of the engagement.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Settings of a SQLite file. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The file.
    pub path: PathBuf,
    /// Whether tables may be written. Default: no, and then the file is opened for reading only.
    #[serde(default)]
    pub write: bool,
    /// How long to wait for another program's write to end, in milliseconds. Default 5,000. Rows that could not be
    /// written for it are written by the next run.
    #[serde(default = "default_busy_wait_ms")]
    pub busy_wait_ms: u64,
    /// The collections by name. Tables that are not named here are collections as well if they have a primary key
    /// of one column.
    #[serde(default)]
    pub collections: BTreeMap<String, CollectionConfig>,
}

/// Settings of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CollectionConfig {
    /// A `SELECT` statement. Default: the table with the collection's name.
    pub query: Option<String>,
    /// The table, where it does not have the collection's name; not beside `query`.
    pub table: Option<String>,
    /// The column that identifies a row. Default: the table's primary key; a query has to name it.
    pub key: Option<String>,
}

impl SqliteConfig {
    /// A file whose tables are the collections.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> SqliteConfig {
        SqliteConfig {
            path: path.into(),
            write: false,
            busy_wait_ms: default_busy_wait_ms(),
            collections: BTreeMap::new(),
        }
    }

    /// The same, allowed to write tables.
    #[must_use]
    pub fn with_writing(self) -> SqliteConfig {
        SqliteConfig { write: true, ..self }
    }

    /// The same with a query as a collection.
    #[must_use]
    pub fn with_query(
        mut self,
        collection: impl Into<String>,
        query: impl Into<String>,
        key: impl Into<String>,
    ) -> SqliteConfig {
        let config = CollectionConfig { query: Some(query.into()), table: None, key: Some(key.into()) };
        self.collections.insert(collection.into(), config);
        self
    }
}

fn default_busy_wait_ms() -> u64 {
    5_000
}
