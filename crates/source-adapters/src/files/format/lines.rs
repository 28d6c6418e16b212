//! JSON Lines: an object on every line. Objects inside are columns with a dot; lists stay as they are.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::{BadRow, Cell, FileFault, Line, Lines, Row, Rows, bad_encoding, too_long};
use crate::files::config::{FileCollection, Limits};

/// Objects and lists inside each other, counted before anything is parsed.
const DEPTH_MAX: usize = 32;

pub(super) struct JsonLines<R> {
    lines: Lines<R>,
    buffer: Vec<u8>,
    columns_max: usize,
}

impl<R: Read> JsonLines<R> {
    pub(super) fn open(text: R, collection: &FileCollection, limits: &Limits) -> Result<Self, FileFault> {
        let mut lines = Lines::new(text, limits.row_bytes_max);
        let mut buffer = Vec::new();
        for _ in 0..collection.skip {
            lines.next(&mut buffer)?;
        }
        Ok(JsonLines { lines, buffer, columns_max: limits.columns_max })
    }

    fn row(&self, line: u64) -> Result<Row, BadRow> {
        let bytes = self.buffer.as_slice();
        let bytes = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        let text = std::str::from_utf8(bytes).map_err(|_| bad_encoding(line, None))?;
        let bad = |reason: String| BadRow {
            line,
            code: "bad-row",
            key: None,
            reason,
            remedy: "write one JSON object on each line",
        };
        if depth(bytes) > DEPTH_MAX {
            return Err(bad(format!("objects and lists stand inside each other more than {DEPTH_MAX} deep")));
        }
        let mut cells = Vec::new();
        flatten(text, "", self.columns_max, &mut cells).map_err(|reason| bad(reason.to_owned()))?;
        Ok(Row { line, cells })
    }
}

/// The fields of an object, those of objects inside it under both names.
fn flatten(
    text: &str,
    prefix: &str,
    columns_max: usize,
    cells: &mut Vec<(Arc<str>, Cell)>,
) -> Result<(), &'static str> {
    // The parser's own words could quote a value.
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|_| "the line is no JSON object")?;
    for (name, raw) in fields {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        let raw = raw.get();
        match raw.as_bytes().first() {
            Some(b'{') => flatten(raw, &name, columns_max, cells)?,
            Some(b'"') => {
                let text = serde_json::from_str(raw).map_err(|_| "a text cannot be read")?;
                cells.push((name.into(), Cell::Text(text)));
            }
            _ => cells.push((name.into(), Cell::Json(raw.to_owned()))),
        }
        if cells.len() > columns_max {
            return Err("the row has more fields than `limits.columns_max`");
        }
    }
    Ok(())
}

/// How many brackets are open at once, those in texts aside.
fn depth(json: &[u8]) -> usize {
    let (mut open, mut deepest, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !in_text => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<R: Read> Rows for JsonLines<R> {
    fn columns(&self) -> Option<Vec<Arc<str>>> {
        None
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
