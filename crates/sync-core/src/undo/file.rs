//! An undo as a file: what would be taken back and what would not, one JSON object a line, without values.

use std::io::{BufRead, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kept, UndoEdge, UndoPlan, UndoRow};
use crate::error::EngineError;

const FORMAT: &str = "hubspot-integration-kit undo 1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    pub(super) engagement: String,
    pub(super) portal: String,
    /// The mapping's fingerprint.
    pub(super) mapping: String,
    pub(super) run: u64,
    made: Timestamp,
}

impl Header {
    pub(super) fn new(engagement: &str, portal: &str, mapping: String, run: u64, made: Timestamp) -> Header {
        Header {
            format: FORMAT.into(),
            engagement: engagement.into(),
            portal: portal.into(),
            mapping,
            run,
            made,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
enum Line {
    Record(UndoRow),
    Association(UndoEdge),
    Keep(Kept),
    /// The last line: so many lines came before it.
    End {
        lines: u64,
    },
}

impl UndoPlan {
    /// Whether a file that begins with this line is an undo.
    #[must_use]
    pub fn begins_with(line: &str) -> bool {
        serde_json::from_str::<Header>(line).is_ok_and(|header| header.format == FORMAT)
    }

    /// Writes the undo as a file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, mut out: impl Write) -> Result<(), EngineError> {
        let records = self.rows.iter().cloned().map(Line::Record);
        let edges = self.edges.iter().cloned().map(Line::Association);
        let kept = self.kept.iter().cloned().map(Line::Keep);
        let mut lines = 0;
        put(&mut out, &self.header)?;
        for line in records.chain(edges).chain(kept) {
            put(&mut out, &line)?;
            lines += 1;
        }
        put(&mut out, &Line::End { lines })?;
        out.flush().map_err(unwritable)
    }

    /// Reads an undo.
    ///
    /// # Errors
    /// When it cannot be read, is no undo, or was cut off: the line is named.
    pub fn read(input: impl BufRead) -> Result<UndoPlan, EngineError> {
        let bad = |line: u64, why: &str| {
            EngineError::Plan(format!("undo file line {line}: {why}; make it again with `undo RUN --out`"))
        };
        let mut lines = input.lines();
        let unreadable = |source| EngineError::Io { message: "the undo file cannot be read".into(), source };
        let first = lines.next().transpose().map_err(unreadable)?.unwrap_or_default();
        let header: Header =
            serde_json::from_str(&first).map_err(|_| bad(1, "this is not the head of an undo"))?;
        if header.format != FORMAT {
            return Err(bad(1, &format!("unknown format `{}`", header.format)));
        }
        let mut plan = UndoPlan { header, rows: Vec::new(), edges: Vec::new(), kept: Vec::new() };
        let mut count = 0;
        for line in lines {
            let line = line.map_err(unreadable)?;
            match serde_json::from_str(&line).map_err(|error| bad(count + 2, &error.to_string()))? {
                Line::Record(row) => plan.rows.push(row),
                Line::Association(edge) => plan.edges.push(edge),
                Line::Keep(kept) => plan.kept.push(kept),
                Line::End { lines } if lines == count => return Ok(plan),
                Line::End { .. } => return Err(bad(count + 2, "lines are missing")),
            }
            count += 1;
        }
        Err(bad(count + 2, "the file was cut off"))
    }
}

fn put(out: &mut impl Write, line: &impl Serialize) -> Result<(), EngineError> {
    let written = serde_json::to_writer(&mut *out, line)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"));
    written.map_err(unwritable)
}

fn unwritable(source: std::io::Error) -> EngineError {
    EngineError::Io {
        message: "the undo file cannot be written: check the folder and the free space".into(),
        source,
    }
}
