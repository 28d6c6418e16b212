//! What a CSV folder looks like: settings of the engagement.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Settings of a CSV folder. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CsvConfig {
    /// The folder with the files.
    pub folder: PathBuf,
    /// What stands between two fields: one ASCII character that is no quote and no line end. Default `,`.
    #[serde(default = "default_delimiter")]
    pub delimiter: char,
    /// How the files are encoded. Default UTF-8, with or without a byte order mark.
    #[serde(default)]
    pub encoding: Encoding,
    /// The column that identifies a row, in collections that name none of their own. Default `id`.
    #[serde(default = "default_key")]
    pub key: String,
    /// Longest row in bytes, line ends inside quotes included; a longer one is a bad record. Default 1 MiB.
    #[serde(default = "default_row_bytes_max")]
    pub row_bytes_max: usize,
    /// Collections that differ from the defaults, by name: the file's name without `.csv`.
    #[serde(default)]
    pub collections: BTreeMap<String, CollectionConfig>,
}

/// Settings of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CollectionConfig {
    /// The column that identifies a row.
    pub key: Option<String>,
    /// The file inside the folder, where it is not the collection's name with `.csv`.
    pub file: Option<String>,
}

/// How the bytes of the files are text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1.
    #[serde(rename = "latin-1")]
    Latin1,
    /// Windows-1252, which older spreadsheets write in western Europe and America.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl CsvConfig {
    /// A folder with every default.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> CsvConfig {
        CsvConfig {
            folder: folder.into(),
            delimiter: default_delimiter(),
            encoding: Encoding::Utf8,
            key: default_key(),
            row_bytes_max: default_row_bytes_max(),
            collections: BTreeMap::new(),
        }
    }

    /// The same with another key column for one collection.
    #[must_use]
    pub fn with_key(mut self, collection: impl Into<String>, column: impl Into<String>) -> CsvConfig {
        self.collections.entry(collection.into()).or_default().key = Some(column.into());
        self
    }

    /// The key column of a collection.
    pub(super) fn key_of(&self, collection: &str) -> &str {
        self.collections.get(collection).and_then(|config| config.key.as_deref()).unwrap_or(&self.key)
    }
}

fn default_delimiter() -> char {
    ','
}

fn default_key() -> String {
    String::from("id")
}

fn default_row_bytes_max() -> usize {
    1 << 20
}
