//! Splits bytes into the fields of one row, strictly by RFC 4180.
//!
//! Strict, because a lenient reader takes a stray quote for the start of a field that swallows the rows behind it
//! up to the next quote. Here such a row is refused alone, and reading goes on at the next line.

use memchr::{memchr, memchr2};

/// What stands at the start of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A row of this many bytes, its line end included, over so many line ends.
    Whole { bytes: usize, lines: u64 },
    /// A misplaced quote: skip to the next line.
    BadQuote,
    /// The row is not complete in the bytes.
    Partial,
}

/// The fields of a row as byte ranges of the row, or of what is kept here for fields with doubled quotes.
#[derive(Default)]
pub(super) struct Fields {
    ranges: Vec<Range>,
    /// The text of fields in which doubled quotes had to be taken apart.
    unescaped: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    start: usize,
    end: usize,
    unescaped: bool,
}

impl Fields {
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The fields' bytes, in order; `row` is what the fields were read from.
    pub(super) fn iter<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.ranges.iter().map(move |range| self.bytes(*range, row))
    }

    pub(super) fn get<'a>(&'a self, index: usize, row: &'a [u8]) -> Option<&'a [u8]> {
        self.ranges.get(index).map(|range| self.bytes(*range, row))
    }

    fn bytes<'a>(&'a self, range: Range, row: &'a [u8]) -> &'a [u8] {
        let from = if range.unescaped { self.unescaped.as_slice() } else { row };
        from.get(range.start..range.end).unwrap_or_default()
    }

    /// Whether the row is a line without anything on it.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.ranges.as_slice(), [range] if range.start == range.end && range.start == 0 && !range.unescaped)
    }

    /// Reads the row at the start of `bytes`. `last`: nothing follows the bytes, so a missing line end is one.
    pub(super) fn read(&mut self, bytes: &[u8], delimiter: u8, last: bool) -> Row {
        self.ranges.clear();
        self.unescaped.clear();
        let mut at = 0;
        let mut lines = 0;
        loop {
            let end = if bytes.get(at) == Some(&b'"') {
                match self.quoted(bytes, at, &mut lines) {
                    Some(end) => end,
                    None => return Row::Partial,
                }
            } else {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = memchr2(delimiter, b'\n', rest).map_or(bytes.len(), |found| at + found);
                let mut stop = end;
                if bytes.get(end) != Some(&delimiter) && end > at && bytes.get(end - 1) == Some(&b'\r') {
                    stop -= 1;
                }
                let field = bytes.get(at..stop).unwrap_or_default();
                if memchr(b'"', field).is_some() {
                    return Row::BadQuote;
                }
                self.ranges.push(Range { start: at, end: stop, unescaped: false });
                end
            };
            match bytes.get(end) {
                Some(byte) if *byte == delimiter => at = end + 1,
                Some(b'\n') => return Row::Whole { bytes: end + 1, lines: lines + 1 },
                Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => {
                    return Row::Whole { bytes: end + 2, lines: lines + 1 };
                }
                Some(b'\r') if end + 1 == bytes.len() => {
                    return if last { Row::Whole { bytes: end + 1, lines } } else { Row::Partial };
                }
                Some(_) => return Row::BadQuote,
                None => return if last { Row::Whole { bytes: end, lines } } else { Row::Partial },
            }
        }
    }

    /// Reads the quoted field at `at`; the place behind its closing quote.
    fn quoted(&mut self, bytes: &[u8], at: usize, lines: &mut u64) -> Option<usize> {
        let start = at + 1;
        let mut from = start;
        let mut piece = start;
        let unescaped_start = self.unescaped.len();
        let mut escaped = false;
        loop {
            let rest = bytes.get(from..)?;
            let quote = from + memchr(b'"', rest)?;
            *lines += count_lines(bytes.get(from..quote).unwrap_or_default());
            if bytes.get(quote + 1) != Some(&b'"') {
                let range = if escaped {
                    self.unescaped.extend_from_slice(bytes.get(piece..quote).unwrap_or_default());
                    Range { start: unescaped_start, end: self.unescaped.len(), unescaped: true }
                } else {
                    Range { start, end: quote, unescaped: false }
                };
                self.ranges.push(range);
                return Some(quote + 1);
            }
            escaped = true;
            self.unescaped.extend_from_slice(bytes.get(piece..=quote).unwrap_or_default());
            piece = quote + 2;
            from = quote + 2;
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
