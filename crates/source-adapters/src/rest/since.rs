//! Reading what changed: spans of time, how far each goes back, and the cursor behind them. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::description::{SinceSpec, TimeFormat};
use super::paging::Place;

/// How far a reading of changes got; outlives the process.
///
/// `high` is the newest change that was told, by the API's own clock, so that a difference between the clocks costs
/// nothing. Every reading begins `overlap` before it: records with the same time, and such as are committed late, are met
/// again rather than missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Course {
    /// Everything up to here was told.
    pub(super) high: Timestamp,
    /// A reading that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) span: Option<Span>,
}

/// A span of time that is being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    from: Timestamp,
    to: Timestamp,
    /// Where the whole reading ends: the time at which it began.
    end: Timestamp,
    /// The newest change that was met so far.
    newest: Timestamp,
    /// Where in the pages of this span.
    pub(super) place: Place,
}

impl Course {
    /// A course that begins now.
    pub(super) fn from_now(now: Timestamp) -> Course {
        Course { high: now, span: None }
    }

    /// The newest change that was met.
    pub(super) fn newest(&self) -> Timestamp {
        self.span.as_ref().map_or(self.high, |span| span.newest.max(self.high))
    }

    /// The span that is read next.
    pub(super) fn span(&self, spec: &SinceSpec, now: Timestamp) -> Span {
        if let Some(span) = &self.span {
            return span.clone();
        }
        let from = back(self.high, spec.overlap);
        Span { from, to: bounded(spec, from, now), end: now, newest: self.high, place: Place::default() }
    }

    /// The course behind a page of a span: `newest` is the newest change on it, `next` where its pages go on. Also
    /// whether there is nothing more for now.
    pub(super) fn after(
        &self,
        spec: &SinceSpec,
        span: Span,
        newest: Option<Timestamp>,
        next: Option<Place>,
    ) -> (Course, bool) {
        // A time that has not come yet would hide what changes until then.
        let newest = newest.map_or(span.newest, |newest| span.newest.max(newest.min(span.end)));
        if let Some(place) = next {
            return (Course { high: self.high, span: Some(Span { newest, place, ..span }) }, false);
        }
        if span.to >= span.end {
            return (Course { high: newest.max(self.high), span: None }, true);
        }
        // The border itself may be left out on one side: both sides ask for it.
        let from = back(span.to, std::time::Duration::from_secs(1)).max(span.from);
        let to = bounded(spec, span.to, span.end);
        let next = Span { from, to, newest, place: Place::default(), end: span.end };
        (Course { high: self.high, span: Some(next) }, false)
    }
}

impl Span {
    /// What is filled in for `{from}` and `{to}`.
    pub(super) fn bounds(&self, format: TimeFormat) -> (String, String) {
        (super::moment::format(self.from, format), super::moment::format(self.to, format))
    }
}

fn back(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::ZERO);
    at.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH)
}

/// The end of a span that begins at `from`, which is no longer than the API allows.
fn bounded(spec: &SinceSpec, from: Timestamp, end: Timestamp) -> Timestamp {
    let Some(range) = spec.range_max.and_then(|range| SignedDuration::try_from(range).ok()) else {
        return end;
    };
    // The second that the next span goes back belongs to its length.
    let range = range - SignedDuration::from_secs(1);
    from.checked_add(range).map_or(end, |to| to.min(end)).max(from)
}
