//! Readers that stop before a file fills memory or disk.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::config::Limits;

/// What a compressed file may become before its ratio counts: small files compress well by nature.
const FREE_BYTES: u64 = 16 << 20;

/// Counts what is read.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// What a compressed file holds, as long as it stays within bounds.
pub(super) struct Unpacked<R> {
    inner: MultiGzDecoder<Counted<R>>,
    bytes: u64,
    limits: Limits,
}

impl<R: Read> Unpacked<R> {
    pub(super) fn new(inner: R, limits: Limits) -> Unpacked<R> {
        Unpacked { inner: MultiGzDecoder::new(Counted { inner, bytes: 0 }), bytes: 0, limits }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        let packed = self.inner.get_ref().bytes.max(1);
        if self.bytes > self.limits.unpacked_bytes_max {
            return Err(io::Error::other("it unpacks to more than `limits.unpacked_bytes_max`"));
        }
        if self.bytes > FREE_BYTES && self.bytes / packed > self.limits.ratio_max {
            return Err(io::Error::other("it unpacks to more than `limits.ratio_max` times its size"));
        }
        Ok(read)
    }
}

/// Text in UTF-16 as UTF-8; other text as it is. Told apart by the mark at the start.
pub(super) struct Utf8<R> {
    inner: R,
    order: Option<ByteOrder>,
    /// Read and not yet given out: bytes of the source at the start, then text of ours.
    ready: Vec<u8>,
    given: usize,
    /// Half a character that waits for its other half.
    half: Vec<u8>,
    high: Option<u16>,
    at_end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl<R: Read> Utf8<R> {
    /// Looks at the first bytes.
    pub(super) fn new(mut inner: R) -> io::Result<Utf8<R>> {
        let mut mark = Vec::with_capacity(2);
        inner.by_ref().take(2).read_to_end(&mut mark)?;
        let order = match mark.as_slice() {
            [0xff, 0xfe] => Some(ByteOrder::Little),
            [0xfe, 0xff] => Some(ByteOrder::Big),
            _ => None,
        };
        let ready = if order.is_some() { Vec::new() } else { mark };
        Ok(Utf8 { inner, order, ready, given: 0, half: Vec::new(), high: None, at_end: false })
    }

    /// Whether it is UTF-16 that is read.
    pub(super) fn is_utf16(&self) -> bool {
        self.order.is_some()
    }

    fn fill(&mut self, order: ByteOrder) -> io::Result<()> {
        let mut chunk = vec![0; 32 * 1024];
        let read = self.inner.read(&mut chunk)?;
        self.at_end = read == 0;
        self.half.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let units = self.half.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
        let units: Vec<u16> = units
            .map(|pair| match order {
                ByteOrder::Little => u16::from_le_bytes(pair),
                ByteOrder::Big => u16::from_be_bytes(pair),
            })
            .collect();
        self.half.drain(..units.len() * 2);
        let (mut text, mut units) = (String::with_capacity(units.len()), units);
        if let Some(high) = self.high.take() {
            units.insert(0, high);
        }
        // A pair may be cut by the end of what was read.
        if !self.at_end && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        for read in char::decode_utf16(units) {
            text.push(read.map_err(|_| io::Error::other("it is no UTF-16, although it begins so"))?);
        }
        if self.at_end && !self.half.is_empty() {
            return Err(io::Error::other("it ends in the middle of a character of UTF-16"));
        }
        (self.ready, self.given) = (text.into_bytes(), 0);
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            match self.order {
                None => return self.inner.read(buffer),
                Some(order) => {
                    while self.given == self.ready.len() && !self.at_end {
                        self.fill(order)?;
                    }
                }
            }
        }
        let rest = self.ready.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}
