//! `[limits]`, `[errors]` and maintenance windows.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::keys::{Keys, text};
use super::{CallLimits, ErrorRule, Errors, Maintenance, Means, WaitForm, auth};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const MEANINGS: [(&str, Means); 8] = [
    ("ok", Means::Ok),
    ("refused", Means::Refused),
    ("unauthorized", Means::Unauthorized),
    ("throttled", Means::Throttled),
    ("not-now", Means::NotNow),
    ("broken", Means::Broken),
    ("gone", Means::Gone),
    ("moved", Means::Moved),
];

const WAITS: [(&str, WaitForm); 3] =
    [("seconds", WaitForm::Seconds), ("ms", WaitForm::Millis), ("epoch", WaitForm::Epoch)];

/// Most budgets that one limiter holds.
const BUDGETS_MAX: usize = 32;

/// The limits of one call. How many calls are under way is a matter of the whole API.
pub(super) fn of_call(keys: &Keys<'_>) -> CallLimits {
    if keys.has("concurrent") {
        let remedy = "move it to [limits]";
        keys.tell_at("concurrent", "no-meaning", "`concurrent` is a limit of the whole API", remedy);
    }
    read(keys)
}

/// Tells when there are more limits than can be kept to at once.
pub(super) fn count(top: &Keys<'_>, all: &[&CallLimits]) {
    let budgets: usize = all.iter().map(|one| one.windows.len() + usize::from(one.per_day.is_some())).sum();
    if budgets > BUDGETS_MAX {
        let reason = format!("there are {budgets} limits; at most {BUDGETS_MAX} can be kept to at once");
        top.tell("too-many", reason, "set those of the whole API, and only the strictest of single calls");
    }
}

pub(super) fn read(keys: &Keys<'_>) -> CallLimits {
    let spans = [("per_second", 1), ("per_minute", 60), ("per_hour", 3_600)];
    let windows = spans.into_iter().filter_map(|(key, seconds)| {
        let max = keys.count(key, 1)?;
        Some((u32::try_from(max).unwrap_or(u32::MAX), Duration::from_secs(seconds)))
    });
    CallLimits {
        windows: windows.collect(),
        per_day: keys.count("per_day", 1),
        concurrent: keys.count("concurrent", 1).map(|calls| usize::try_from(calls).unwrap_or(usize::MAX)),
    }
}

pub(super) fn errors(keys: &Keys<'_>) -> Errors {
    let wait = keys.table("wait", "`wait`").and_then(|keys| {
        let header = auth::header(&keys, "header");
        let form = keys.required_word("as", &WAITS);
        if !keys.has("header") {
            keys.tell("missing-key", "`wait` needs the key `header`", "add `header = \"X-RateLimit-Reset\"`");
        }
        Some((header?, form?))
    });
    let rules = keys.tables("when", "a rule of errors");
    Errors { message: keys.pointer("message"), wait, rules: rules.iter().filter_map(rule).collect() }
}

fn rule(keys: &Keys<'_>) -> Option<ErrorRule> {
    let mut statuses = Vec::new();
    if let Some(node) = keys.take("status") {
        let items = match node.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![node],
        };
        for item in items {
            let status = match item.get_ref() {
                DeValue::Integer(status) => status.as_str().parse::<u16>().ok(),
                _ => None,
            };
            match status.filter(|status| (200..600).contains(status)) {
                Some(status) => statuses.push(status),
                None => keys.report.tell(
                    item.span(),
                    "bad-status",
                    "this is no status of an answer",
                    "write a number from 200 to 599, or a list of them",
                ),
            }
        }
    }
    let pointer = keys.pointer("at");
    let equals = keys.text("equals").map(|equals| equals.value);
    if equals.is_some() && pointer.is_none() && !keys.has("at") {
        keys.tell(
            "missing-key",
            "`equals` needs the key `at`",
            "say where it has to stand: `at = \"/code\"`",
        );
    }
    if statuses.is_empty()
        && pointer.is_none()
        && !keys.has("at")
        && !keys.has("status")
        && !keys.has("equals")
    {
        let remedy = "add `status = 409` or `at = \"/error/code\"`";
        keys.tell("missing-key", "the rule says nothing of when it holds", remedy);
    }
    let means = keys.required_word("means", &MEANINGS)?;
    Some(ErrorRule { statuses, at: pointer.map(|pointer| (pointer, equals)), means })
}

pub(super) fn maintenance(keys: &Keys<'_>) -> Option<Maintenance> {
    let mut days = Vec::new();
    if let Some(node) = keys.take("days") {
        let items = match node.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![node],
        };
        for read in items.into_iter().filter_map(|item| text(item, keys.report)) {
            match DAYS.iter().find(|(word, _)| *word == read.value) {
                Some((_, day)) => days.push(*day),
                None => keys.report.tell(
                    read.span,
                    "unknown-word",
                    format!("`{}` is no day", read.value),
                    "write mon, tue, wed, thu, fri, sat or sun",
                ),
            }
        }
    }
    let time = |key| {
        let read = keys.required_text(key)?;
        let time = Time::strptime("%H:%M", &read.value).ok();
        if time.is_none() {
            let reason = format!("`{key}` is no time of day");
            keys.report.tell(read.span, "bad-time", reason, "write it as \"02:30\"");
        }
        time
    };
    let (from, to) = (time("from"), time("to"));
    let zone = match keys.text("zone") {
        None => Some(TimeZone::UTC),
        Some(read) => {
            let zone = TimeZone::get(&read.value).ok();
            if zone.is_none() {
                let reason = format!("there is no time zone `{}`", read.value);
                keys.report.tell(read.span, "unknown-zone", reason, "write it as \"Europe/Berlin\"");
            }
            zone
        }
    };
    Some(Maintenance { days, from: from?, to: to?, zone: zone? })
}
