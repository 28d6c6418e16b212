//! One property value on its way in: is it allowed, and what does HubSpot store for it?

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::error::Refusal;
use crate::owners::Owners;
use crate::properties::definition::{Property, PropertyType, Semantics};
use crate::router::Version;
use crate::time::{DAY_MS, Millis, iso, iso_date, parse_day, parse_iso};

/// HubSpot docs: the longest string value.
const MAX_TEXT: usize = 65_536;

/// A value that 2026-09 stored differently from how it was sent.
#[derive(Clone, Serialize)]
pub(crate) struct Warning {
    category: &'static str,
    message: String,
    context: WarningContext,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WarningContext {
    property_name: String,
    raw_value: String,
    normalized_value: String,
}

/// What the check of a value needs to know beside the definition.
#[derive(Clone, Copy)]
pub(crate) struct ValueRules<'a> {
    pub(crate) version: Version,
    pub(crate) owners: &'a Owners,
    /// The value the record holds now; a leading semicolon appends to it.
    pub(crate) current: Option<&'a str>,
}

/// The stored form of `raw`, or why it is refused. An empty value clears and is always allowed here.
pub(crate) fn normalise<'r>(
    property: &Property,
    raw: &'r str,
    rules: ValueRules<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Cow<'r, str>, Refusal> {
    if raw.is_empty() {
        return Ok(Cow::Borrowed(raw));
    }
    let refuse =
        |code: &'static str, message: String| Refusal { property: property.name.clone(), code, message };
    match property.semantics {
        Semantics::Email => {
            return email(raw)
                .ok_or_else(|| refuse("INVALID_EMAIL", format!("Email address {raw} is invalid")));
        }
        Semantics::AdditionalEmails => {
            return emails(raw)
                .map(Cow::Owned)
                .ok_or_else(|| refuse("INVALID_EMAIL", format!("Email address {raw} is invalid")));
        }
        Semantics::Domain => return Ok(domain(raw)),
        Semantics::Owner => {
            // HubSpot docs: a user id is refused. A deactivated owner may be refused too; the portal refuses it.
            let known = raw.parse().is_ok_and(|id| rules.owners.is_active(id));
            return if known {
                Ok(Cow::Borrowed(raw))
            } else {
                Err(refuse(
                    "INVALID_OWNER_ID",
                    format!("The owner id {raw} is not a valid owner in this portal"),
                ))
            };
        }
        // Checked against the record's pipeline once all values are known.
        Semantics::Pipeline | Semantics::Stage => return Ok(Cow::Borrowed(raw)),
        Semantics::None | Semantics::LifecycleStage => {}
    }
    match property.kind {
        PropertyType::String | PropertyType::PhoneNumber => {
            if raw.chars().count() > MAX_TEXT {
                // The code of this refusal is not documented.
                return Err(refuse(
                    "PROPERTY_VALUE_TOO_LONG",
                    format!("The value is longer than the maximum of {MAX_TEXT} characters"),
                ));
            }
            Ok(Cow::Borrowed(raw))
        }
        PropertyType::Number => {
            number(raw).ok_or_else(|| refuse("INVALID_INTEGER", format!("{raw} was not a valid number.")))
        }
        PropertyType::Bool => match raw {
            "true" | "false" => Ok(Cow::Borrowed(raw)),
            _ if raw.eq_ignore_ascii_case("true") => Ok(Cow::Borrowed("true")),
            _ if raw.eq_ignore_ascii_case("false") => Ok(Cow::Borrowed("false")),
            _ => Err(refuse("INVALID_OPTION", not_an_option(property, raw))),
        },
        PropertyType::Enumeration if property.is_multi() => options(property, raw, rules.current)
            .map_err(|bad| refuse("INVALID_OPTION", not_an_option(property, bad))),
        PropertyType::Enumeration => {
            if has_option(property, raw) {
                Ok(Cow::Borrowed(raw))
            } else {
                Err(refuse("INVALID_OPTION", not_an_option(property, raw)))
            }
        }
        PropertyType::Date => {
            let (at, exact) = day(raw, rules.version)
                .ok_or_else(|| refuse("INVALID_DATE", format!("{raw} was not a valid date.")))?;
            let stored = iso_date(at);
            if !exact {
                warnings.push(Warning::normalised(&property.name, raw, &stored));
            }
            Ok(Cow::Owned(stored))
        }
        PropertyType::DateTime => {
            let (at, exact) = instant(raw, rules.version)
                .ok_or_else(|| refuse("INVALID_DATE", format!("{raw} was not a valid date.")))?;
            let stored = iso(at);
            if !exact {
                warnings.push(Warning::normalised(&property.name, raw, &stored));
            }
            Ok(Cow::Owned(stored))
        }
    }
}

impl Warning {
    fn normalised(property: &str, raw: &str, stored: &str) -> Warning {
        Warning {
            category: "PROPERTY_VALUE_NORMALIZED",
            message: format!("The value of {property} was normalized from '{raw}' to '{stored}'"),
            context: WarningContext {
                property_name: property.to_owned(),
                raw_value: raw.to_owned(),
                normalized_value: stored.to_owned(),
            },
        }
    }
}

/// Trimmed and lower-cased, if it has the shape of an address.
pub(crate) fn email(raw: &str) -> Option<Cow<'_, str>> {
    let trimmed = raw.trim();
    let (local, host) = trimmed.rsplit_once('@')?;
    let host_ok =
        host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
    let local_ok = !local.is_empty() && !local.contains('@');
    let clean = |c: char| !c.is_whitespace() && !matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '[' | ']');
    if !(host_ok && local_ok && trimmed.chars().all(clean)) {
        return None;
    }
    Some(lower(trimmed))
}

fn emails(raw: &str) -> Option<String> {
    let all: Option<Vec<Cow<'_, str>>> =
        raw.split(';').filter(|part| !part.trim().is_empty()).map(email).collect();
    Some(all?.join(";"))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// Without scheme, `www.`, path and upper case.
fn domain(raw: &str) -> Cow<'_, str> {
    let mut rest = raw.trim();
    for prefix in ["https://", "http://", "www."] {
        if let Some(head) = rest.get(..prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            rest = rest.get(prefix.len()..).unwrap_or(rest);
        }
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    lower(rest.get(..end).unwrap_or(rest))
}

/// Without superfluous zeros. Whether HubSpot trims `1500.00` is uncertain; trimming makes a client that compares
/// text instead of numbers fail here rather than there.
fn number(raw: &str) -> Option<Cow<'_, str>> {
    let text = raw.trim();
    let plain = text.strip_prefix('-').unwrap_or(text);
    let canonical_integer = !plain.is_empty()
        && plain.bytes().all(|b| b.is_ascii_digit())
        && (plain.len() == 1 || !plain.starts_with('0'));
    if canonical_integer && text != "-0" {
        return Some(Cow::Borrowed(text));
    }
    let value = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(Cow::Owned(value.normalize().to_string()))
}

fn has_option(property: &Property, value: &str) -> bool {
    property.options.iter().any(|option| option.value == value)
}

fn not_an_option(property: &Property, value: &str) -> String {
    let allowed: Vec<&str> = property.options.iter().map(|option| option.value.as_str()).collect();
    format!("{value} was not one of the allowed options: [{}]", allowed.join(", "))
}

/// Several options; a leading semicolon adds to the current ones. The error is the first value that is no option.
fn options<'r>(property: &Property, raw: &'r str, current: Option<&str>) -> Result<Cow<'r, str>, &'r str> {
    let given = || raw.split(';').filter(|part| !part.is_empty());
    if let Some(bad) = given().find(|value| !has_option(property, value)) {
        return Err(bad);
    }
    if !raw.starts_with(';') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut all: Vec<&str> = current.unwrap_or_default().split(';').filter(|part| !part.is_empty()).collect();
    for value in given() {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    Ok(Cow::Owned(all.join(";")))
}

/// A day as midnight UTC, and whether it was sent as HubSpot wants it.
///
/// HubSpot docs: before 2026-09 only `YYYY-MM-DD` and midnight in epoch milliseconds are taken; 2026-09 also takes
/// other instants and seconds, and says so in a warning.
fn day(raw: &str, version: Version) -> Option<(Millis, bool)> {
    if let Some(at) = parse_day(raw) {
        return Some((at, true));
    }
    if let Ok(number) = raw.parse::<Millis>() {
        if number % DAY_MS == 0 {
            return Some((number, true));
        }
        let at = if looks_like_seconds(number) { number.checked_mul(1000)? } else { number };
        return forgiving(version, at - at.rem_euclid(DAY_MS));
    }
    let at = parse_iso(raw)?;
    forgiving(version, at - at.rem_euclid(DAY_MS))
}

/// An instant, and whether it was sent as HubSpot wants it.
fn instant(raw: &str, version: Version) -> Option<(Millis, bool)> {
    if let Some(at) = parse_iso(raw).or_else(|| parse_day(raw)) {
        return Some((at, true));
    }
    let number = raw.parse::<Millis>().ok()?;
    if looks_like_seconds(number) && version == Version::V2026_09 {
        return Some((number.checked_mul(1000)?, false));
    }
    Some((number, true))
}

fn forgiving(version: Version, at: Millis) -> Option<(Millis, bool)> {
    (version == Version::V2026_09).then_some((at, false))
}

/// Milliseconds of this size would lie in the first months of 1970; nobody means them.
fn looks_like_seconds(number: Millis) -> bool {
    (100_000_000..10_000_000_000).contains(&number)
}
