//! Splits bytes into the fields of one row, strictly by RFC 4180.
//!
//! Strict, because a lenient reader takes a stray quote for the start of a field that swallows the rows behind it
//! up to the next quote. Here such a row is refused alone, and reading goes on at the next line.

use memchr::{memchr, memchr2};

/// What separates fields and what stands around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Nothing stands around fields where there is none.
    pub(crate) quote: Option<u8>,
}

impl From<u8> for Dialect {
    /// Double quotes, as in RFC 4180.
    fn from(delimiter: u8) -> Dialect {
        Dialect { delimiter, quote: Some(b'"') }
    }
}

/// What stands at the start of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A row of this many bytes, its line end included, over so many line ends.
    Whole { bytes: usize, lines: u64 },
    /// A misplaced quote: skip to the next line.
    BadQuote,
    /// The row is not complete in the bytes.
    Partial,
}

/// The fields of a row as byte ranges of the row, or of what is kept here for fields with doubled quotes.
#[derive(Default)]
pub(crate) struct Fields {
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
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The fields' bytes, in order; `row` is what the fields were read from.
    pub(crate) fn iter<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.ranges.iter().map(move |range| self.bytes(*range, row))
    }

    pub(crate) fn get<'a>(&'a self, index: usize, row: &'a [u8]) -> Option<&'a [u8]> {
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
    pub(crate) fn read(&mut self, bytes: &[u8], dialect: impl Into<Dialect>, last: bool) -> Row {
        let Dialect { delimiter, quote } = dialect.into();
        self.ranges.clear();
        self.unescaped.clear();
        let mut at = 0;
        let mut lines = 0;
        loop {
            let opening = quote.filter(|quote| bytes.get(at) == Some(quote));
            let end = if let Some(quote) = opening {
                match self.quoted(bytes, at, quote, &mut lines) {
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
                if quote.is_some_and(|quote| memchr(quote, field).is_some()) {
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
    fn quoted(&mut self, bytes: &[u8], at: usize, mark: u8, lines: &mut u64) -> Option<usize> {
        let start = at + 1;
        let mut from = start;
        let mut piece = start;
        let unescaped_start = self.unescaped.len();
        let mut escaped = false;
        loop {
            let rest = bytes.get(from..)?;
            let quote = from + memchr(mark, rest)?;
            *lines += count_lines(bytes.get(from..quote).unwrap_or_default());
            if bytes.get(quote + 1) != Some(&mark) {
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
