//! Points in time as APIs write them.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::description::TimeFormat;

/// Reads a time.
pub(super) fn parse(text: &str, format: TimeFormat) -> Option<Timestamp> {
    let text = text.trim();
    match format {
        TimeFormat::Rfc3339 => text.parse().ok(),
        TimeFormat::Utc => {
            let civil: DateTime = text.trim_end_matches('Z').parse().ok()?;
            civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }
        TimeFormat::Epoch => match text.split_once('.') {
            None => Timestamp::from_second(text.parse().ok()?).ok(),
            // Parts of a second: read as milliseconds, which is as fine as anybody gives them.
            Some((seconds, part)) => {
                let part: String = part.chars().chain("000".chars()).take(3).collect();
                Timestamp::from_millisecond(format!("{seconds}{part}").parse().ok()?).ok()
            }
        },
        TimeFormat::EpochMillis => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        TimeFormat::Day => {
            let day: Date = text.get(..10).unwrap_or(text).parse().ok()?;
            day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }
    }
}

/// Writes a time. What is finer than the format can say is cut off, so that a span begins no later than meant.
pub(super) fn format(at: Timestamp, format: TimeFormat) -> String {
    match format {
        TimeFormat::Rfc3339 => at.to_string(),
        TimeFormat::Utc => TimeZone::UTC.to_datetime(at).to_string(),
        TimeFormat::Epoch => at.as_second().to_string(),
        TimeFormat::EpochMillis => at.as_millisecond().to_string(),
        TimeFormat::Day => TimeZone::UTC.to_datetime(at).date().to_string(),
    }
}

/// A time in its own way of writing, moved back; `None` if it cannot be read.
pub(super) fn earlier(text: &str, how: TimeFormat, back: Duration) -> Option<String> {
    if back.is_zero() {
        return Some(text.to_owned());
    }
    let at = parse(text, how)?;
    let back = SignedDuration::try_from(back).ok()?;
    Some(format(at.checked_sub(back).ok()?, how))
}
