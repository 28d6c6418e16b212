//! Walks a file row by row with a buffer that holds one row at the least.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::row::{Dialect, Fields, Row};

/// Bytes read from the file at once.
const CHUNK_BYTES: usize = 128 << 10;

/// What the scan found next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row; its fields are in [`Scan::fields`] and its bytes in [`Scan::row`].
    Row { line: u64 },
    /// A row that cannot be taken apart.
    Bad { line: u64, why: Bad },
    /// The end of the file.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// A quote stands where none may stand, or is never closed.
    Quote,
    /// The row is longer than allowed.
    TooLong,
}

/// An open file and the place in it. `Debug` shows the place only, because the buffer holds people's data.
pub(crate) struct Scan<R> {
    file: R,
    dialect: Dialect,
    row_bytes_max: usize,
    buffer: Vec<u8>,
    /// The part of the buffer that is not read yet.
    start: usize,
    end: usize,
    at_end: bool,
    /// The place of `start` in the file, and the number of its line, from 1.
    offset: u64,
    line: u64,
    /// The row that was found last, in the buffer.
    row: (usize, usize),
    pub(crate) fields: Fields,
}

impl<R> fmt::Debug for Scan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scan { offset, line, .. } = self;
        f.debug_struct("Scan").field("offset", offset).field("line", line).finish_non_exhaustive()
    }
}

impl Scan<File> {
    /// Goes on at a place of an earlier scan of the same file.
    pub(super) fn seek(&mut self, offset: u64, line: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        (self.start, self.end, self.at_end) = (0, 0, false);
        (self.offset, self.line) = (offset, line);
        Ok(())
    }
}

impl<R: Read> Scan<R> {
    /// `row_bytes_max` bounds the buffer.
    pub(crate) fn new(file: R, dialect: impl Into<Dialect>, row_bytes_max: usize) -> Scan<R> {
        Scan {
            file,
            dialect: dialect.into(),
            row_bytes_max,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            at_end: false,
            offset: 0,
            line: 1,
            row: (0, 0),
            fields: Fields::default(),
        }
    }

    /// Where the next row begins: byte and line.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    /// The bytes of the row that was found last.
    pub(crate) fn row(&self) -> &[u8] {
        self.buffer.get(self.row.0..self.row.1).unwrap_or_default()
    }

    /// The first bytes of the file if they are `mark`, which is skipped.
    pub(crate) fn skip_mark(&mut self, mark: &[u8]) -> io::Result<bool> {
        while self.end - self.start < mark.len() && !self.at_end {
            self.fill()?;
        }
        let there = self.unread().starts_with(mark);
        if there {
            self.advance(mark.len(), 0);
        }
        Ok(there)
    }

    /// Finds the next row. Blank lines are skipped.
    pub(crate) fn next(&mut self) -> io::Result<Found> {
        loop {
            if self.start == self.end {
                if self.at_end {
                    return Ok(Found::End);
                }
                self.fill()?;
                continue;
            }
            let (line, begin) = (self.line, self.start);
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let long = unread.len() > self.row_bytes_max;
            let why = match self.fields.read(unread, self.dialect, self.at_end) {
                Row::Whole { bytes, lines } if bytes <= self.row_bytes_max => {
                    self.row = (begin, begin + bytes);
                    self.advance(bytes, lines);
                    if self.fields.is_blank() {
                        continue;
                    }
                    return Ok(Found::Row { line });
                }
                Row::Whole { .. } => Bad::TooLong,
                Row::BadQuote => Bad::Quote,
                Row::Partial if self.at_end => Bad::Quote,
                Row::Partial if long => Bad::TooLong,
                Row::Partial => {
                    self.fill()?;
                    continue;
                }
            };
            self.skip_line()?;
            return Ok(Found::Bad { line, why });
        }
    }

    /// Skips to the next line, over as many bytes as it takes.
    pub(crate) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.unread()) {
                self.advance(at + 1, 1);
                return Ok(());
            }
            self.advance(self.end - self.start, 0);
            if self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Reads more behind what is unread. The buffer grows only for a row that does not fit, up to the bound.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK_BYTES {
            self.buffer.resize(self.end + CHUNK_BYTES, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.file.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.at_end = read == 0;
        Ok(())
    }
}
