//! The name of an event: equal for every delivery of the same thing, different for everything else.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Names an event. HubSpot's own `eventId` is not unique (HubSpot docs), so this is made of what the event says: of a
/// push event portal, subscription, record, property, time and value, as HubSpot advises.
///
/// Names sort by the time of the event. A value takes part in it only through SHA-256 cut to ten bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// The name with these bytes, as an inbox has kept it.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The name's bytes, in the order in which names sort.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first name that an event of that time can have.
    #[must_use]
    pub fn first_at(time: Timestamp) -> Self {
        Self::new(time, &[0; 10])
    }

    /// The time of the event, to the millisecond; not before 1970.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let millis = self.0.iter().take(6).fold(0_i64, |millis, byte| (millis << 8) | i64::from(*byte));
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    fn new(time: Timestamp, rest: &[u8]) -> Self {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or(0).to_be_bytes();
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(millis.iter().skip(2).chain(rest)) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Makes an [`EventId`] of parts; each is set off from the next, so that no two lists of parts look alike.
pub(crate) struct EventHasher(Vec<u8>);

impl EventHasher {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Absent is unlike zero.
    pub(crate) fn maybe(&mut self, number: Option<u64>) {
        self.0.push(u8::from(number.is_some()));
        if let Some(number) = number {
            self.number(number);
        }
    }

    /// Absent is unlike empty.
    pub(crate) fn maybe_text(&mut self, text: Option<&str>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(crate) fn finish(self, time: Timestamp) -> EventId {
        EventId::new(time, Sha256::digest(&self.0).get(..10).unwrap_or_default())
    }
}
