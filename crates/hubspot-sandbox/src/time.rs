//! Times inside the portal: milliseconds since 1970 in UTC, as HubSpot shows them.

use jiff::Timestamp;

/// Milliseconds since the epoch.
pub(crate) type Millis = i64;

pub(crate) const DAY_MS: Millis = 86_400_000;

/// `2026-01-17T19:55:04.281Z`.
pub(crate) fn iso(at: Millis) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => String::from("1970-01-01T00:00:00.000Z"),
    }
}

/// `2026-01-17`, the UTC day.
pub(crate) fn iso_date(at: Millis) -> String {
    let mut text = iso(at);
    text.truncate(text.find('T').unwrap_or(text.len()));
    text
}

/// Reads an ISO 8601 instant or day, or epoch milliseconds.
pub(crate) fn parse_instant(text: &str) -> Option<Millis> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    parse_iso(text).or_else(|| parse_day(text))
}

/// Reads an ISO 8601 instant with an offset or `Z`.
pub(crate) fn parse_iso(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Reads `YYYY-MM-DD` as midnight UTC.
pub(crate) fn parse_day(text: &str) -> Option<Millis> {
    // The parser would also take a date-time; only the ten characters of a day are meant here.
    if text.len() != 10 {
        return None;
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond())
}
