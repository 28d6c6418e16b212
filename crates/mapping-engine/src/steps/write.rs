//! Numbers, days and moments written as text in a declared form; what is written reads back as the same value.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::number::NumberRule;
use crate::flow::Failure;

/// How numbers are written.
#[derive(Clone, Debug)]
pub(crate) struct NumberFormat {
    pub(crate) decimal: char,
    /// The mark between groups of three digits, if wanted.
    pub(crate) group: Option<char>,
    /// At least so many digits behind the mark; a number that has more keeps them.
    pub(crate) places: usize,
}

impl NumberFormat {
    /// The plain writing of numbers that are read by this rule.
    pub(crate) fn of(rule: &NumberRule) -> NumberFormat {
        NumberFormat { decimal: rule.decimal, group: None, places: 0 }
    }

    /// The rule that reads what is written.
    pub(crate) fn rule(&self) -> NumberRule {
        NumberRule { decimal: self.decimal, group: self.group, strip: Vec::new() }
    }

    pub(crate) fn write(&self, value: Decimal) -> String {
        let plain = value.normalize().to_string();
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut text = String::with_capacity(plain.len() + 8);
        text.push_str(sign);
        for (place, digit) in whole.chars().enumerate() {
            if let Some(group) = self.group
                && place > 0
                && (whole.len() - place).is_multiple_of(3)
            {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() || self.places > 0 {
            text.push(self.decimal);
            text.push_str(fraction);
            text.extend(std::iter::repeat_n('0', self.places.saturating_sub(fraction.len())));
        }
        text
    }
}

/// How days and moments are written.
#[derive(Clone, Debug)]
pub(crate) struct DateFormat {
    /// Codes of `strftime`.
    pub(crate) format: String,
    /// The zone in which a moment is written.
    pub(crate) zone: Option<TimeZone>,
}

impl DateFormat {
    pub(crate) fn day(&self, day: Date) -> Result<String, Failure> {
        jiff::fmt::strtime::format(&self.format, day).map_err(|_| self.bad())
    }

    pub(crate) fn moment(&self, moment: Timestamp) -> Result<String, Failure> {
        let Some(zone) = &self.zone else {
            return Err(Failure::new(
                "bad-date-time",
                "the mapping names no zone in which the moment is written",
                "add the zone: `{ format_date = { format = \"…\", zone = \"Europe/Berlin\" } }`",
            ));
        };
        jiff::fmt::strtime::format(&self.format, &moment.to_zoned(zone.clone())).map_err(|_| self.bad())
    }

    fn bad(&self) -> Failure {
        Failure::new(
            "bad-date",
            format!("the format `{}` asks for a part that the value does not have", self.format),
            "use codes of the day only for dates, or bring the value to a date-time first",
        )
    }
}
