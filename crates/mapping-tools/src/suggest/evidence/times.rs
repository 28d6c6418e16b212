//! How the days and times of a column are written.

use jiff::civil::{Date, DateTime};

use super::Form;

/// Tried in this order; of equals the first counts.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
];
const TIMES: &[&str] = &[
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
];
/// Only columns that say so hold days without marks.
const BARE: &str = "%Y%m%d";
/// A column has at most so many ways to write a day; more are a mess to be looked at.
const FORMATS_MAX: usize = 4;

pub(super) fn look(texts: &[&str], words: &[String], doubts: &mut Vec<String>) -> Option<(Form, usize)> {
    let named = words.iter().any(|word| ["date", "day", "birthdate"].contains(&word.as_str()));
    let offset = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
    if texts.iter().filter(|text| offset(text)).count() * 10 >= texts.len() * 9 {
        let unfit = texts.iter().filter(|text| !offset(text)).count();
        return Some((Form::DateTime(Vec::new()), unfit));
    }
    let dates: Vec<&'static str> =
        if named { DATES.iter().copied().chain([BARE]).collect() } else { DATES.to_vec() };
    let is_date = |text: &str, format: &str| Date::strptime(format, text).is_ok();
    let is_time = |text: &str, format: &str| DateTime::strptime(format, text).is_ok();
    let (date_formats, no_dates) = cover(texts, &dates, is_date);
    let (time_formats, no_times) = cover(texts, TIMES, is_time);
    if no_dates.min(no_times) * 2 > texts.len() {
        return None;
    }
    if no_times < no_dates {
        swapped(texts, &time_formats, is_time, doubts);
        Some((Form::DateTime(time_formats), no_times))
    } else {
        swapped(texts, &date_formats, is_date, doubts);
        Some((Form::Date(date_formats), no_dates))
    }
}

/// The formats that read most of the values, the most useful first, and how many values none of them reads.
fn cover(
    texts: &[&str],
    formats: &[&'static str],
    reads: impl Fn(&str, &str) -> bool,
) -> (Vec<&'static str>, usize) {
    let mut left: Vec<&str> = texts.to_vec();
    let mut chosen = Vec::new();
    while !left.is_empty() && chosen.len() < FORMATS_MAX {
        let read = |format: &str| left.iter().filter(|text| reads(text, format)).count();
        // Of equals the first of the list.
        let best = formats.iter().rev().map(|format| (read(format), *format)).max_by_key(|(count, _)| *count);
        let Some((count, format)) = best.filter(|(count, _)| *count > 0) else { break };
        // A stray value does not make a way of writing.
        if !chosen.is_empty() && count * 50 < texts.len() {
            break;
        }
        chosen.push(format);
        left.retain(|text| !reads(text, format));
    }
    (chosen, left.len())
}

/// Says so when no value tells the day from the month.
fn swapped(texts: &[&str], formats: &[&str], reads: impl Fn(&str, &str) -> bool, doubts: &mut Vec<String>) {
    for format in formats {
        let other = if format.starts_with("%d/%m") {
            format.replacen("%d/%m", "%m/%d", 1)
        } else if format.starts_with("%m/%d") {
            format.replacen("%m/%d", "%d/%m", 1)
        } else {
            continue;
        };
        let mut read = texts.iter().filter(|text| reads(text, format));
        if read.all(|text| reads(text, &other)) {
            doubts.push(format!("no value tells day from month: `{format}` might be `{other}`"));
        }
    }
}
