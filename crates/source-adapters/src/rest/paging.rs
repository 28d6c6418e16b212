//! How a scan goes from page to page: what to ask for, and what a page says about the next one. Pure.
//!
//! A list that is read in pages moves while it is read. What each kind of paging does about it:
//!
//! - A page that is shorter than asked for ends nothing, for a server may give less than it was asked for: the end is an
//!   empty page, or the server's own word.
//! - A page that comes a second time is asked for once more; then the scan fails instead of going round for ever.
//! - Where records are counted off (`page`, `offset`), one that is deleted lets another slip over the border between two
//!   pages. Offsets overlap by one record, and pages are read again after the next one, so that it is met all the same.
//! - Where records follow a time that several share, the next page begins with that time again.

mod step;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::description::{NextPlace, PageKind, Pages, Slot};
use super::moment;
use super::pointer::{Pointer, scalar};

pub(super) use step::{Turn, step};

/// Ids of a page that are kept to recognise it by: so many from its beginning, and so many from its end.
const ANCHORS: usize = 8;

/// A place within a scan: everything that the next step needs to know. It holds no record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// What is asked for next, after `check`.
    at: At,
    /// A page that is read a second time first.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Border>,
    /// The page that was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Border>,
    /// Which records the page before held.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// Records so far.
    seen: u64,
    /// The page size that the scan began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<u64>,
    /// The shortest and the longest page so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<(u64, u64)>,
    /// How often this was asked for without getting on.
    tries: u8,
    /// Whether the next request does not go back.
    flat: bool,
    /// Empty pages in a row.
    empty: u32,
    guard: Guard,
}

/// Where a page is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    #[default]
    Start,
    Page(u64),
    /// Behind so many records.
    Offset(u64),
    Cursor(String),
    Url(String),
    /// Behind this value.
    After(String),
    End,
}

/// A page that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Border {
    at: At,
    /// Which records it held, in one number.
    page: Option<u64>,
    /// Whether it was shorter than others, so that nothing stood behind it.
    short: bool,
    /// Some of its records, or all where the next page may begin with them.
    #[serde(with = "packed")]
    ids: Vec<u64>,
}

/// Numbers as one short text.
mod packed {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD_NO_PAD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(ids: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        serializer.serialize_str(&BASE64_STANDARD_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)?;
        let (ids, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("a number is cut off"));
        }
        Ok(ids.iter().map(|id| u64::from_le_bytes(*id)).collect())
    }
}

/// Brent's way to see a cycle of cursors in constant memory: one of them is remembered, after twice as many each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Guard {
    mark: u64,
    steps: u32,
    power: u32,
}

impl Guard {
    /// The guard behind one more cursor; `None` when it was there before.
    fn after(self, cursor: u64) -> Option<Guard> {
        if self.power > 0 && self.mark == cursor {
            return None;
        }
        Some(if self.steps >= self.power {
            Guard { mark: cursor, steps: 1, power: self.power.saturating_mul(2).max(1) }
        } else {
            Guard { steps: self.steps + 1, ..self }
        })
    }
}

/// What a request for a page says beside the call itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Values and where they go.
    pub(super) slots: Vec<(Slot, String)>,
    /// The whole address, where the server gave one.
    pub(super) url: Option<String>,
}

impl Place {
    /// The same place with the size of its pages fixed, to at most `max` records.
    pub(super) fn sized(mut self, pages: &Pages, max: usize) -> Place {
        // Pages of one record could not overlap.
        let max = u64::try_from(max.max(2)).unwrap_or(u64::MAX);
        // Those who share a time have to fit on a page, however few are wanted.
        let max = if matches!(pages.kind, PageKind::Keyset { ties: Some(_), .. }) { u64::MAX } else { max };
        if self.asked.is_none() {
            self.asked = pages.size.as_ref().map(|(_, size)| (*size).min(max));
        }
        self
    }
}

/// What to ask for at a place.
pub(super) fn asked(pages: &Pages, place: &Place) -> Asked {
    let mut asked = Asked::default();
    let at = place.check.as_ref().map_or(&place.at, |border| &border.at);
    match (&pages.kind, at) {
        (PageKind::Page { parameter, first, .. }, at) => {
            let number = if let At::Page(number) = at { *number } else { *first };
            asked.slots.push((parameter.clone(), number.to_string()));
        }
        (PageKind::Offset { parameter }, at) => {
            let behind = if let At::Offset(behind) = at { *behind } else { 0 };
            let from = behind - overlap(pages, place, behind);
            asked.slots.push((parameter.clone(), from.to_string()));
        }
        (PageKind::Cursor { parameter, .. }, At::Cursor(cursor)) => {
            asked.slots.push((parameter.clone(), cursor.clone()));
        }
        (PageKind::Keyset { parameter, ties, .. }, At::After(value)) => {
            let value = match ties {
                Some(ties) => moment::earlier(value, ties.format, ties.back).unwrap_or_else(|| value.clone()),
                None => value.clone(),
            };
            asked.slots.push((parameter.clone(), value));
        }
        (_, At::Url(url)) => {
            asked.url = Some(url.clone());
            return asked;
        }
        _ => {}
    }
    if let (Some((slot, size)), false) = (&pages.size, matches!(pages.kind, PageKind::None)) {
        asked.slots.push((slot.clone(), place.asked.unwrap_or(*size).to_string()));
    }
    asked
}

/// By how many records a request goes back behind the last one that was met.
fn overlap(pages: &Pages, place: &Place, behind: u64) -> u64 {
    let is_small = place.asked == Some(1);
    u64::from(!pages.stable && !is_small && !place.flat && behind > 0)
}

/// What a page says that matters for going on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// Which records it holds, good and bad, as numbers.
    pub(super) ids: Vec<u64>,
    /// Whether the server says that there is more.
    pub(super) more: Option<bool>,
    /// The number of the last page.
    pub(super) last: Option<u64>,
    /// How many records there are in all.
    pub(super) total: Option<u64>,
    /// The next cursor or address.
    pub(super) next: Option<String>,
    /// The last record's value that the next page follows.
    pub(super) after: Option<String>,
}

impl Met {
    /// Reads an answer.
    pub(super) fn of(
        pages: &Pages,
        key: &Pointer,
        records: &[Json],
        json: &Json,
        headers: &HeaderMap,
    ) -> Met {
        let number = |at: &Option<Pointer>| at.as_ref()?.text(json)?.parse::<u64>().ok();
        let next = match &pages.kind {
            PageKind::Cursor { next: NextPlace::Body(at), .. } | PageKind::Url { next: at } => at.text(json),
            PageKind::Cursor { next: NextPlace::Header(name), .. } => {
                headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
            }
            PageKind::Link => next_link(headers),
            _ => None,
        };
        let (last, after) = match &pages.kind {
            PageKind::Page { last, .. } => (number(last), None),
            PageKind::Keyset { from, .. } => (None, records.last().and_then(|record| from.text(record))),
            _ => (None, None),
        };
        // One that changed and comes again is another one where records come by their time of change.
        let by_all = matches!(pages.kind, PageKind::Keyset { ties: Some(_), .. });
        Met {
            ids: records
                .iter()
                .map(|record| if by_all { digest(&record.to_string()) } else { digest_of(record, key) })
                .collect(),
            more: pages.more.as_ref().and_then(|at| at.get(json)).map(is_true),
            last,
            total: number(&pages.total),
            next: next.filter(|next| !next.is_empty()),
            after,
        }
    }
}

/// Whether a value says yes: `true`, a number but 0, a text but those that say no.
pub(super) fn is_true(json: &Json) -> bool {
    match json {
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !matches!(text.as_str(), "" | "0" | "false" | "no"),
        Json::Null => false,
        Json::Array(_) | Json::Object(_) => true,
    }
}

fn digest_of(record: &Json, key: &Pointer) -> u64 {
    match key.get(record).and_then(scalar) {
        Some(id) => digest(&id),
        // A record without an id is recognised by all of it.
        None => digest(&record.to_string()),
    }
}

/// A number for a text; the same within one build of the program, which is as long as a scan lives.
fn digest(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The address with `rel="next"` of a `Link` header (RFC 8288), which may be given in several lines.
fn next_link(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok());
    for line in lines {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once('<') {
            let (url, after) = after.split_once('>')?;
            let parameters = after.split('<').next().unwrap_or_default();
            let is_next = parameters.split([';', ',']).any(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or_default();
                let mut words = value.trim().trim_matches('"').split_ascii_whitespace();
                name.trim().eq_ignore_ascii_case("rel") && words.any(|word| word.eq_ignore_ascii_case("next"))
            });
            if is_next {
                return Some(url.to_owned());
            }
            rest = after;
        }
    }
    None
}
