//! Files to rows, whatever their format: one row at a time, and nothing that grows with the file but a workbook's words.

mod csv;
mod fixed;
mod lines;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::config::{FileCollection, Format, Limits};
use super::limits::{Unpacked, Utf8};

/// A row.
pub(super) struct Row {
    /// Its line, or its row in a sheet, from 1.
    pub(super) line: u64,
    /// What its columns hold.
    pub(super) cells: Vec<(Arc<str>, Cell)>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Text, empty or not.
    Text(String),
    /// Anything else, as JSON.
    Json(String),
}

/// A row that cannot be used.
pub(super) struct BadRow {
    pub(super) line: u64,
    pub(super) code: &'static str,
    /// The key, where that much could be read.
    pub(super) key: Option<String>,
    /// Without values.
    pub(super) reason: String,
    pub(super) remedy: &'static str,
}

/// Why a file as a whole cannot be used.
#[derive(Debug)]
pub(super) enum FileFault {
    /// It cannot be read.
    Io(io::Error),
    /// It is not what was declared.
    Refused { reason: String, remedy: String },
}

impl FileFault {
    pub(super) fn refused(reason: impl Into<String>, remedy: impl Into<String>) -> FileFault {
        FileFault::Refused { reason: reason.into(), remedy: remedy.into() }
    }
}

impl From<io::Error> for FileFault {
    fn from(cause: io::Error) -> FileFault {
        // Of ours and of unpacking, about what the file holds; the system's errors are of other kinds.
        let ours = [
            io::ErrorKind::Other,
            io::ErrorKind::InvalidInput,
            io::ErrorKind::InvalidData,
            io::ErrorKind::UnexpectedEof,
        ];
        if ours.contains(&cause.kind()) {
            return FileFault::refused(cause.to_string(), "look at the file, or raise the limit");
        }
        FileFault::Io(cause)
    }
}

/// The rows of a file.
pub(super) trait Rows {
    /// The columns that every row has; `None` where each row names its own.
    fn columns(&self) -> Option<Vec<Arc<str>>>;

    /// The next row, good or bad; `None` at the end.
    fn next(&mut self) -> Result<Option<Result<Row, BadRow>>, FileFault>;
}

/// Opens a file of a collection. `name` is told in no error.
pub(super) fn open(
    name: &str,
    file: File,
    collection: &FileCollection,
    limits: &Limits,
) -> Result<Box<dyn Rows + Send>, FileFault> {
    let is_packed = name.ends_with(".gz");
    let format = collection.format_of(name).ok_or_else(|| {
        FileFault::refused("its name does not tell how it is written", "set the collection's `format`")
    })?;
    if format == Format::Xlsx {
        if is_packed {
            return Err(FileFault::refused("a workbook is packed already", "put it there without `.gz`"));
        }
        return workbook(file, collection, limits);
    }
    let bytes: Box<dyn Read + Send> =
        if is_packed { Box::new(Unpacked::new(file, *limits)) } else { Box::new(file) };
    let text = Utf8::new(bytes)?;
    Ok(match format {
        Format::JsonLines => Box::new(lines::JsonLines::open(text, collection, limits)?),
        Format::FixedWidth => Box::new(fixed::FixedWidth::open(text, collection, limits)?),
        _ => Box::new(csv::Csv::open(text, collection, limits)?),
    })
}

#[cfg(feature = "xlsx")]
fn workbook(
    file: File,
    collection: &FileCollection,
    limits: &Limits,
) -> Result<Box<dyn Rows + Send>, FileFault> {
    Ok(Box::new(xlsx::Sheet::open(file, collection, limits)?))
}

#[cfg(not(feature = "xlsx"))]
fn workbook(_: File, _: &FileCollection, _: &Limits) -> Result<Box<dyn Rows + Send>, FileFault> {
    Err(FileFault::refused(
        "this program was built without Excel workbooks",
        "build it with the feature `xlsx`",
    ))
}

/// Names of columns as a header gives them, or why they cannot be.
fn named(names: Vec<String>, key: &str, columns_max: usize) -> Result<Vec<Arc<str>>, FileFault> {
    if names.len() > columns_max {
        let reason = format!("it has {} columns", names.len());
        return Err(FileFault::refused(reason, "look for a wrong delimiter, or raise `limits.columns_max`"));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = names.iter().position(|name| !name.is_empty() && !seen.insert(name.as_str())) {
        // By its number: without a header row, it is somebody's value.
        let reason = format!("column {} of its header has the name of one before it", twice + 1);
        return Err(FileFault::refused(
            reason,
            "give every column a name, or set `columns` if there is no header",
        ));
    }
    if !names.iter().any(|name| name == key) {
        let reason = format!("it has no column `{key}`, which is the collection's `key`");
        return Err(FileFault::refused(reason, "correct `key`, `delimiter`, `skip` or `columns`"));
    }
    Ok(names.into_iter().map(Arc::from).collect())
}

/// Lines of text, each within a bound, with their numbers.
struct Lines<R> {
    inner: io::BufReader<R>,
    line: u64,
    bytes_max: usize,
}

enum Line {
    /// Its bytes are in the buffer, without the line end.
    Whole(u64),
    TooLong(u64),
    End,
}

impl<R: Read> Lines<R> {
    fn new(inner: R, bytes_max: usize) -> Lines<R> {
        Lines { inner: io::BufReader::with_capacity(128 << 10, inner), line: 0, bytes_max }
    }

    /// Reads the next line into `buffer`.
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Line> {
        use std::io::BufRead as _;
        buffer.clear();
        let mut is_long = false;
        let mut is_any = false;
        loop {
            let unread = self.inner.fill_buf()?;
            if unread.is_empty() {
                break;
            }
            is_any = true;
            let end = memchr::memchr(b'\n', unread);
            let piece = unread.get(..end.unwrap_or(unread.len())).unwrap_or_default();
            is_long |= buffer.len() + piece.len() > self.bytes_max;
            if !is_long {
                buffer.extend_from_slice(piece);
            }
            let count = piece.len() + usize::from(end.is_some());
            self.inner.consume(count);
            if end.is_some() {
                break;
            }
        }
        if !is_any {
            return Ok(Line::End);
        }
        self.line += 1;
        if buffer.last() == Some(&b'\r') {
            buffer.pop();
        }
        Ok(if is_long { Line::TooLong(self.line) } else { Line::Whole(self.line) })
    }
}

fn too_long(line: u64) -> BadRow {
    BadRow {
        line,
        code: "row-too-long",
        key: None,
        reason: "the row is longer than `limits.row_bytes_max`".to_owned(),
        remedy: "look for a line end that is missing, or raise the limit",
    }
}

fn bad_encoding(line: u64, key: Option<String>) -> BadRow {
    BadRow {
        line,
        code: "bad-encoding",
        key,
        reason: "the row has bytes that are no text in the configured encoding".to_owned(),
        remedy: "save the file as UTF-8, or set `encoding`, such as \"windows-1252\"",
    }
}
