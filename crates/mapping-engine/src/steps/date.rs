//! Days and instants from text and numbers, by declared formats and zones.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::flow::Failure;

/// How date-times are written at the source.
#[derive(Clone, Debug)]
pub(crate) struct DateTimeRule {
    /// Accepted formats, tried in order; none: ISO 8601.
    pub(crate) formats: Vec<String>,
    /// The zone of texts that name no offset.
    pub(crate) zone: Option<TimeZone>,
}

/// The first format that fits decides; without formats, ISO 8601 (`2026-07-15`).
pub(crate) fn parse_date(text: &str, formats: &[String]) -> Result<Date, Failure> {
    let text = text.trim();
    let found = if formats.is_empty() {
        Date::strptime("%Y-%m-%d", text).ok()
    } else {
        formats.iter().find_map(|format| Date::strptime(format, text).ok().filter(|date| plausible(*date)))
    };
    found.ok_or_else(|| {
        Failure::new(
            "bad-date",
            format!("not a date of the form {}", listed(formats, "%Y-%m-%d")),
            "correct it at the source, or add its format: `{ date = [\"%d.%m.%Y\"] }`",
        )
    })
}

/// `%Y` also takes `26` and reads the year 26: a year of two digits is for `%y`, which the next format may have.
fn plausible(date: Date) -> bool {
    date.year() >= 1000
}

impl DateTimeRule {
    pub(crate) fn parse(&self, text: &str) -> Result<Timestamp, Failure> {
        let text = text.trim();
        if self.formats.is_empty() {
            if let Ok(instant) = text.parse::<Timestamp>() {
                return Ok(instant);
            }
            let local = text.parse::<jiff::civil::DateTime>().map_err(|_| self.bad())?;
            return self.in_zone(local);
        }
        for format in &self.formats {
            let Ok(parts) = BrokenDownTime::parse(format, text) else { continue };
            if !parts.to_date().is_ok_and(plausible) && parts.to_timestamp().is_err() {
                continue;
            }
            if let Ok(instant) = parts.to_timestamp() {
                return Ok(instant);
            }
            if let Ok(local) = parts.to_datetime() {
                return self.in_zone(local);
            }
            if let Ok(day) = parts.to_date() {
                return self.midnight(day);
            }
        }
        Err(self.bad())
    }

    /// The first format that writes every whole minute so that it is read as the same one, apart from the hour
    /// that a change of the clocks repeats.
    pub(crate) fn writable_format(&self) -> Option<String> {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        let same = |format: &&String| {
            MOMENTS.iter().all(|second| {
                let Ok(moment) = Timestamp::from_second(*second) else { return false };
                let written = jiff::fmt::strtime::format(format.as_str(), &moment.to_zoned(zone.clone()));
                written.is_ok_and(|written| self.parse(&written).is_ok_and(|read| read == moment))
            })
        };
        self.formats.iter().find(same).cloned()
    }

    /// The first instant of a day in the zone, or in UTC without one.
    pub(crate) fn midnight(&self, day: Date) -> Result<Timestamp, Failure> {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        day.to_zoned(zone).map(|zoned| zoned.timestamp()).map_err(|_| self.bad())
    }

    /// A local time that a change of the clocks skips or repeats is read as before the change.
    fn in_zone(&self, local: jiff::civil::DateTime) -> Result<Timestamp, Failure> {
        let Some(zone) = &self.zone else {
            return Err(Failure::new(
                "bad-date-time",
                "the time has no offset, and the mapping names no zone for it",
                "add the zone: `{ date_time = { zone = \"Europe/Berlin\" } }`, or `zone = …` under `[mapping]`",
            ));
        };
        zone.to_ambiguous_timestamp(local).compatible().map_err(|_| self.bad())
    }

    fn bad(&self) -> Failure {
        Failure::new(
            "bad-date-time",
            format!("not a date-time of the form {}", listed(&self.formats, "2026-07-15T12:30:00Z")),
            "correct it at the source, or add its format: `{ date_time = { formats = [\"%d.%m.%Y %H:%M\"] } }`",
        )
    }
}

/// Whole minutes of many years, months, days and hours; none in an hour that a zone's clocks repeat.
const MOMENTS: [i64; 8] = [
    -2_208_945_600,
    -1_000_000_020,
    0,
    951_782_340,
    1_000_000_020,
    1_782_924_360,
    2_208_988_740,
    4_102_401_600,
];

/// The first format that writes every day so that it is read as the same one.
pub(crate) fn writable_date_format(formats: &[String]) -> Option<String> {
    let days = [(1900, 2, 28), (1969, 12, 31), (2000, 2, 29), (2026, 7, 1), (2068, 11, 12), (2099, 12, 31)];
    let same = |format: &&String| {
        days.iter().all(|(year, month, day)| {
            let day = jiff::civil::date(*year, *month, *day);
            let written = jiff::fmt::strtime::format(format.as_str(), day);
            written.is_ok_and(|written| parse_date(&written, formats).is_ok_and(|read| read == day))
        })
    };
    formats.iter().find(same).cloned()
}

fn listed(formats: &[String], otherwise: &str) -> String {
    if formats.is_empty() { format!("`{otherwise}`") } else { format!("`{}`", formats.join("` or `")) }
}

/// Units of time since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnixUnit {
    Seconds,
    Milliseconds,
}

impl UnixUnit {
    pub(crate) fn read(self, value: Decimal) -> Result<Timestamp, Failure> {
        let factor = match self {
            UnixUnit::Seconds => 1000,
            UnixUnit::Milliseconds => 1,
        };
        value
            .checked_mul(Decimal::from(factor))
            .and_then(|millis| millis.trunc().to_i64())
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
            .ok_or_else(UnixUnit::bad)
    }

    /// The number of a moment, with a fraction where it has one.
    pub(crate) fn write(self, moment: Timestamp) -> Decimal {
        let millis = Decimal::from(moment.as_millisecond());
        match self {
            UnixUnit::Seconds => millis / Decimal::ONE_THOUSAND,
            UnixUnit::Milliseconds => millis,
        }
    }

    pub(crate) fn parse(self, text: &str) -> Result<Timestamp, Failure> {
        let value = Decimal::from_str_exact(text.trim()).map_err(|_| UnixUnit::bad())?;
        self.read(value)
    }

    fn bad() -> Failure {
        Failure::new(
            "bad-date-time",
            "not a number of seconds or milliseconds since 1970",
            "correct it at the source, or use `date_time` with its format",
        )
    }
}

/// Why a date format cannot be used, or nothing. A good format brings a day through writing and reading.
pub(crate) fn bad_date_format(format: &str) -> Option<String> {
    let day = jiff::civil::date(2026, 7, 15);
    let written = match jiff::fmt::strtime::format(format, day) {
        Ok(written) => written,
        Err(error) => return Some(error.to_string()),
    };
    match Date::strptime(format, &written) {
        Ok(read) if read == day => None,
        Ok(_) => Some(String::from("it loses a part of the date")),
        Err(error) => Some(error.to_string()),
    }
}

/// Why a format cannot be written, or nothing.
pub(crate) fn bad_output_format(format: &str) -> Option<String> {
    let moment = jiff::civil::date(2026, 7, 15).at(13, 45, 0, 0).to_zoned(TimeZone::UTC);
    match moment.map(|moment| jiff::fmt::strtime::format(format, &moment)) {
        Ok(Ok(written)) if written.is_empty() => Some(String::from("it is empty")),
        Ok(Ok(_)) => None,
        Ok(Err(error)) | Err(error) => Some(error.to_string()),
    }
}

/// Why a date-time format cannot be used, or nothing. It has to name at least the day.
pub(crate) fn bad_date_time_format(format: &str) -> Option<String> {
    let moment = jiff::civil::date(2026, 7, 15).at(13, 45, 0, 0);
    let zoned = match moment.to_zoned(TimeZone::fixed(jiff::tz::offset(2))) {
        Ok(zoned) => zoned,
        Err(error) => return Some(error.to_string()),
    };
    let written = match jiff::fmt::strtime::format(format, &zoned) {
        Ok(written) => written,
        Err(error) => return Some(error.to_string()),
    };
    match BrokenDownTime::parse(format, &written) {
        Ok(parts) => match (parts.to_timestamp(), parts.to_datetime(), parts.to_date()) {
            (Err(_), Err(_), Err(_)) => Some(String::from("it does not name the whole day")),
            _ => None,
        },
        Err(error) => Some(error.to_string()),
    }
}
