//! Fixed width: every column so many characters, blanks around a value are none of it.

use std::io::Read;
use std::sync::Arc;

use super::{BadRow, Cell, FileFault, Line, Lines, Row, Rows, bad_encoding, named, too_long};
use crate::csv_folder::Encoding;
use crate::files::config::{FileCollection, Limits};
use crate::files::limits::Utf8;

pub(super) struct FixedWidth<R> {
    lines: Lines<Utf8<R>>,
    buffer: Vec<u8>,
    encoding: Encoding,
    columns: Vec<(Arc<str>, usize)>,
    key: Arc<str>,
}

impl<R: Read> FixedWidth<R> {
    pub(super) fn open(
        text: Utf8<R>,
        collection: &FileCollection,
        limits: &Limits,
    ) -> Result<Self, FileFault> {
        let encoding = if text.is_utf16() { Encoding::Utf8 } else { collection.encoding };
        let widths: Option<Vec<usize>> = collection.columns.iter().map(|column| column.width).collect();
        let widths = widths.filter(|widths| !widths.is_empty() && !widths.contains(&0)).ok_or_else(|| {
            FileFault::refused("the widths of its columns are not known", "set `columns` with a `width` each")
        })?;
        let names = collection.columns.iter().map(|column| column.name.clone()).collect();
        let names = named(names, &collection.key, limits.columns_max)?;
        let mut lines = Lines::new(text, limits.row_bytes_max);
        let mut buffer = Vec::new();
        for _ in 0..collection.skip {
            lines.next(&mut buffer)?;
        }
        let columns = names.into_iter().zip(widths).collect();
        Ok(FixedWidth { lines, buffer, encoding, columns, key: collection.key.as_str().into() })
    }

    fn row(&self, line: u64) -> Result<Row, BadRow> {
        let bytes = self.buffer.as_slice();
        let bytes = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        let text = self.encoding.decode(bytes).ok_or_else(|| bad_encoding(line, None))?;
        let mut characters = text.chars();
        let mut cells = Vec::with_capacity(self.columns.len());
        for (name, width) in &self.columns {
            // Blanks at the end of a line are often left out.
            let value: String = characters.by_ref().take(*width).collect();
            cells.push((Arc::clone(name), Cell::Text(value.trim().to_owned())));
        }
        if characters.any(|c| !c.is_whitespace()) {
            let key = cells.iter().find(|(name, _)| *name == self.key);
            return Err(BadRow {
                line,
                code: "wrong-width",
                key: key.and_then(|(_, cell)| match cell {
                    Cell::Text(text) if !text.is_empty() => Some(text.clone()),
                    _ => None,
                }),
                reason: "the row is longer than its columns together".to_owned(),
                remedy: "correct the widths in `columns`, or the row",
            });
        }
        Ok(Row { line, cells })
    }
}

impl<R: Read> Rows for FixedWidth<R> {
    fn columns(&self) -> Option<Vec<Arc<str>>> {
        Some(self.columns.iter().map(|(name, _)| Arc::clone(name)).collect())
    }

    fn next(&mut self) -> Result<Option<Result<Row, BadRow>>, FileFault> {
        loop {
            return Ok(match self.lines.next(&mut self.buffer)? {
                Line::End => None,
                Line::TooLong(line) => Some(Err(too_long(line))),
                Line::Whole(_) if self.buffer.iter().all(u8::is_ascii_whitespace) => continue,
                Line::Whole(line) => Some(self.row(line)),
            });
        }
    }
}
