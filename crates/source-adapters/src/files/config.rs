//! What is dropped where, and what is to become of it: settings of the engagement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sync_types::{SourceError, SourceErrorKind};

use super::error;
use crate::csv_folder::Encoding;

/// Settings of dropped files, mostly a TOML file of their own. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FilesConfig {
    /// Where the files are.
    pub place: PlaceConfig,
    /// The file in which this program keeps what it took in, with the customer's values: protect it as the files.
    pub staging: PathBuf,
    /// When a file is complete.
    #[serde(default)]
    pub ready: Ready,
    /// What no file may exceed.
    #[serde(default)]
    pub limits: Limits,
    /// The collections, by name.
    pub collections: BTreeMap<String, FileCollection>,
}

/// Where files are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
#[non_exhaustive]
pub enum PlaceConfig {
    /// A folder of this machine or of a share.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Where files go once they were taken in, on the same file system; without it they stay and are not read again.
        archive: Option<PathBuf>,
    },
    /// A bucket of an object storage, with the feature `object-storage`.
    Bucket {
        /// Its address with the prefix, such as `s3://exports/crm`; `gs://`, `az://` and `https://` addresses of the
        /// same work too. Credentials come from the environment, by the names that the storage's own tools use.
        bucket: String,
        /// The prefix, beside the other one and not below it, under which files are put once they were taken in; without it
        /// they stay and are not read again.
        archive: Option<String>,
        /// Settings of the storage that are no secrets, such as `region`, `endpoint` or `allow_http`.
        #[serde(default)]
        options: BTreeMap<String, String>,
    },
}

/// When a file is complete: that its writer is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, tag = "rule", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ready {
    /// When its size and time of change have rested for so many seconds. For writers that promise nothing else; one that
    /// pauses for longer is read too early.
    Settled {
        /// How long.
        #[serde(default = "thirty")]
        seconds: u64,
    },
    /// When a second file is there, of the same name with this behind it, such as `.done`.
    Marker {
        /// What stands behind the name.
        suffix: String,
    },
    /// When it has its name: the writer writes under another one, which no pattern matches, and renames it at the end. Uploads
    /// to object storages are of this kind by nature.
    Named,
}

impl Default for Ready {
    fn default() -> Ready {
        Ready::Settled { seconds: thirty() }
    }
}

/// What no file may exceed, so that none fills memory or disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a file as it lies there. Default 2 GiB.
    pub file_bytes_max: u64,
    /// Bytes of a compressed file once unpacked. Default 8 GiB.
    pub unpacked_bytes_max: u64,
    /// How many times larger than itself a compressed file may become. Default 200.
    pub ratio_max: u64,
    /// Bytes of a row. Default 1 MiB.
    pub row_bytes_max: usize,
    /// Fields of a row. Default 2,000.
    pub columns_max: usize,
    /// Bytes of a workbook once unpacked, of which a part is held in memory. Default 512 MiB.
    pub workbook_bytes_max: u64,
    /// Sheets of a workbook. Default 200.
    pub sheets_max: usize,
    /// Rows of a file that cannot be read; with more of them the file is refused as a whole. Default 1,000.
    pub bad_rows_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes_max: 2 << 30,
            unpacked_bytes_max: 8 << 30,
            ratio_max: 200,
            row_bytes_max: 1 << 20,
            columns_max: 2_000,
            workbook_bytes_max: 512 << 20,
            sheets_max: 200,
            bad_rows_max: 1_000,
        }
    }
}

/// One kind of file, which gives one collection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileCollection {
    /// The names of its files, with `*` for any characters but `/`, such as `customers-*.csv`.
    pub files: String,
    /// The column that identifies a record.
    pub key: String,
    /// Whether a file holds everything, or what has changed.
    #[serde(default)]
    pub holds: Holds,
    /// In which order files were written.
    #[serde(default)]
    pub order: Order,
    /// How a file is written; by its ending unless set. `.gz` behind it is unpacked.
    pub format: Option<Format>,
    /// CSV: what stands between two fields. Default a comma.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// CSV: what stands around a field; empty for nothing. Default a double quote.
    #[serde(default = "double_quote")]
    pub quote: String,
    /// How bytes are text. UTF-16 is recognised by its mark, whatever stands here.
    #[serde(default)]
    pub encoding: Encoding,
    /// The columns: of a fixed-width file with their widths, of another one that has no header row.
    #[serde(default)]
    pub columns: Vec<ColumnConfig>,
    /// Lines or rows before the header row, or before the first row where there is none.
    #[serde(default)]
    pub skip: u64,
    /// XLSX: the sheet. Default the first.
    pub sheet: Option<String>,
    /// Whether a file that holds everything may hold nothing. Default false: an export that failed looks the same.
    #[serde(default)]
    pub may_be_empty: bool,
}

/// One column of a file that does not name them itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ColumnConfig {
    /// Its name.
    pub name: String,
    /// Fixed width: how many characters.
    pub width: Option<usize>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Records that were made or changed: what is missing from a file stays as it was. The newest row of a key counts, within
    /// a file the last.
    #[default]
    Changes,
    /// All records there are: what is missing from the newest file is gone.
    Everything,
}

/// In which order files were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By name, numbers in it by their value: `orders-9.csv` comes before `orders-10.csv`.
    #[default]
    Name,
    /// By the time of change.
    Changed,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// CSV (RFC 4180), `.csv`, `.tsv`, `.txt`.
    Csv,
    /// One JSON object a line, `.jsonl`, `.ndjson`.
    JsonLines,
    /// Columns of so many characters.
    FixedWidth,
    /// A sheet of an Excel workbook, `.xlsx`, with the feature `xlsx`.
    Xlsx,
}

impl FilesConfig {
    /// Reads a file of settings. Paths in it count from the folder in which it lies.
    ///
    /// # Errors
    /// The file cannot be read, or as [`from_toml`](Self::from_toml).
    pub fn from_file(path: &Path) -> Result<FilesConfig, SourceError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| error::io(&format!("{} cannot be read", path.display()), cause))?;
        let mut config = FilesConfig::from_toml(&text)?;
        let base = path.parent().unwrap_or(Path::new(""));
        config.staging = base.join(&config.staging);
        if let PlaceConfig::Folder { folder, archive } = &mut config.place {
            *folder = base.join(&*folder);
            if let Some(archive) = archive {
                *archive = base.join(&*archive);
            }
        }
        Ok(config)
    }

    /// Reads settings from TOML.
    ///
    /// # Errors
    /// [`SourceErrorKind::Structure`] with the place and what is expected there.
    pub fn from_toml(text: &str) -> Result<FilesConfig, SourceError> {
        toml::from_str(text).map_err(|cause| {
            let message = format!("the description of the files cannot be used: {cause}");
            SourceError::new(SourceErrorKind::Structure, message)
        })
    }
}

impl FileCollection {
    /// The format of a file of this name, without `.gz`.
    pub(super) fn format_of(&self, name: &str) -> Option<Format> {
        self.format.or_else(|| {
            let bare = name.strip_suffix(".gz").unwrap_or(name);
            match bare.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?.as_str() {
                "csv" | "tsv" | "txt" => Some(Format::Csv),
                "jsonl" | "ndjson" => Some(Format::JsonLines),
                "xlsx" => Some(Format::Xlsx),
                _ => None,
            }
        })
    }
}

fn thirty() -> u64 {
    30
}

fn comma() -> char {
    ','
}

fn double_quote() -> String {
    "\"".to_owned()
}
