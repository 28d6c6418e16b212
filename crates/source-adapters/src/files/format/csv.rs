//! CSV, by the strict reader of CSV folders.

use std::io::Read;
use std::sync::Arc;

use super::{BadRow, Cell, FileFault, Row, Rows, bad_encoding, named, too_long};
use crate::csv_folder::Encoding;
use crate::csv_folder::row::Dialect;
use crate::csv_folder::scan::{Bad, Found, Scan};
use crate::files::config::{FileCollection, Limits};
use crate::files::limits::Utf8;

pub(super) struct Csv<R> {
    scan: Scan<Utf8<R>>,
    encoding: Encoding,
    columns: Vec<Arc<str>>,
    key: usize,
}

impl<R: Read> Csv<R> {
    pub(super) fn open(
        text: Utf8<R>,
        collection: &FileCollection,
        limits: &Limits,
    ) -> Result<Self, FileFault> {
        let dialect = dialect(collection)?;
        let encoding = if text.is_utf16() { Encoding::Utf8 } else { collection.encoding };
        let mut scan = Scan::new(text, dialect, limits.row_bytes_max);
        scan.skip_mark(b"\xef\xbb\xbf")?;
        for _ in 0..collection.skip {
            scan.skip_line()?;
        }
        let names = if collection.columns.is_empty() {
            header(&mut scan, encoding)?
        } else {
            collection.columns.iter().map(|column| column.name.clone()).collect()
        };
        let columns = named(names, &collection.key, limits.columns_max)?;
        let key = columns.iter().position(|name| **name == *collection.key).unwrap_or(0);
        Ok(Csv { scan, encoding, columns, key })
    }

    fn row(&self, line: u64) -> Result<Row, BadRow> {
        let (row, fields) = (self.scan.row(), &self.scan.fields);
        let decode = |field| self.encoding.decode(field);
        if fields.len() != self.columns.len() {
            return Err(BadRow {
                line,
                code: "wrong-field-count",
                // With another number of fields it is not certain which one is the key.
                key: None,
                reason: format!("the row has {} fields instead of {}", fields.len(), self.columns.len()),
                remedy: "look for a delimiter inside a field without quotes, or for a missing field",
            });
        }
        let key = || fields.get(self.key, row).and_then(decode).map(|key| key.into_owned());
        let mut cells = Vec::with_capacity(self.columns.len());
        for (name, field) in self.columns.iter().zip(fields.iter(row)).filter(|(name, _)| !name.is_empty()) {
            let text =
                decode(field).ok_or_else(|| bad_encoding(line, key().filter(|key| !key.is_empty())))?;
            cells.push((Arc::clone(name), Cell::Text(text.into_owned())));
        }
        Ok(Row { line, cells })
    }
}

fn dialect(collection: &FileCollection) -> Result<Dialect, FileFault> {
    let plain =
        |c: char| u8::try_from(c).ok().filter(|byte| byte.is_ascii() && !matches!(byte, b'\r' | b'\n'));
    let quote = match collection.quote.chars().collect::<Vec<_>>().as_slice() {
        [] => Some(None),
        [one] => plain(*one).map(Some),
        _ => None,
    };
    match (plain(collection.delimiter), quote) {
        (Some(delimiter), Some(quote)) if Some(delimiter) != quote => Ok(Dialect { delimiter, quote }),
        _ => Err(FileFault::refused(
            "`delimiter` and `quote` must be two different ASCII characters",
            "set them to such as \";\" and \"'\"; an empty `quote` is none",
        )),
    }
}

fn header<R: Read>(scan: &mut Scan<R>, encoding: Encoding) -> Result<Vec<String>, FileFault> {
    match scan.next()? {
        Found::Row { .. } => {
            let names = scan.fields.iter(scan.row()).map(|field| encoding.decode(field));
            let names: Option<Vec<String>> =
                names.map(|name| name.map(|name| name.trim().to_owned())).collect();
            names.ok_or_else(|| {
                FileFault::refused("its header is no text in the configured encoding", "set `encoding`")
            })
        }
        Found::Bad { .. } => {
            Err(FileFault::refused("its header cannot be taken apart", "look at its quotes, or set `skip`"))
        }
        Found::End => Err(FileFault::refused("it has no header row", "look whether its export went through")),
    }
}

impl<R: Read> Rows for Csv<R> {
    fn columns(&self) -> Option<Vec<Arc<str>>> {
        Some(self.columns.iter().filter(|name| !name.is_empty()).cloned().collect())
    }

    fn next(&mut self) -> Result<Option<Result<Row, BadRow>>, FileFault> {
        Ok(match self.scan.next()? {
            Found::End => None,
            Found::Row { line } => Some(self.row(line)),
            Found::Bad { line, why: Bad::TooLong } => Some(Err(too_long(line))),
            Found::Bad { line, why: Bad::Quote } => Some(Err(BadRow {
                line,
                code: "bad-quote",
                key: None,
                reason: "a quote stands inside a field without quotes, or is never closed".to_owned(),
                remedy: "put quotes around the whole field and double the quotes inside it",
            })),
        })
    }
}
