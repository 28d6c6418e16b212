//! What a HubSpot property can hold, and the one form in which its values are compared.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use sync_types::{CompactString, ObjectType, PropertyKind, Value};

use crate::flow::{Failure, Flow};
use crate::steps::{text, web};

/// HubSpot docs: a text property holds up to 65,536 characters.
pub(crate) const TEXT_CHARS_MAX: usize = 65_536;

/// The form in which both sides' values of one property are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// HubSpot trims e-mail addresses and brings them to lower case.
    Email,
    /// HubSpot stores company domains without scheme and `www.`.
    Domain,
    Number,
    Bool,
    Date,
    DateTime,
    Options,
    Json,
}

impl Form {
    pub(crate) fn of(object: &ObjectType, property: &str, kind: PropertyKind) -> Form {
        match kind {
            PropertyKind::Text => match (object.as_str(), property) {
                ("contacts", "email") => Form::Email,
                ("companies", "domain") => Form::Domain,
                _ => Form::Text,
            },
            PropertyKind::Number => Form::Number,
            PropertyKind::Bool => Form::Bool,
            PropertyKind::Date => Form::Date,
            PropertyKind::DateTime => Form::DateTime,
            PropertyKind::Option => Form::Text,
            PropertyKind::Options => Form::Options,
            _ => Form::Json,
        }
    }

    /// Brings a value to the form. What does not have the form stays as it is, and so counts as different.
    /// Idempotent.
    pub(crate) fn canonical(self, value: Value) -> Value {
        match (self, value) {
            (_, Value::Null) => Value::Null,
            (Form::Email, Value::Text(text)) => rewrite(text, |text| text::lower(text::trim(text))),
            (Form::Domain, Value::Text(text)) => {
                rewrite(text, |text| web::domain(text.clone()).unwrap_or(text))
            }
            (Form::Number, Value::Text(text)) => match read_number(text.trim()) {
                Some(number) => Value::Number(number.normalize()),
                None => Value::text(text),
            },
            (Form::Number, Value::Number(number)) => Value::Number(number.normalize()),
            (Form::Bool, Value::Text(text)) => match &*text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::text(text),
            },
            (Form::Date, Value::Text(text)) => match read_date(&text) {
                Some(date) => Value::Date(date),
                None => Value::text(text),
            },
            (Form::DateTime, Value::Text(text)) => match read_instant(&text) {
                Some(instant) => Value::DateTime(instant),
                None => Value::text(text),
            },
            (Form::DateTime, Value::DateTime(instant)) => Value::DateTime(millis(instant)),
            (Form::Options, Value::Text(text)) => {
                options(text.split(';').map(|option| Value::text(option.trim())).collect())
            }
            (Form::Options, Value::List(items)) => options(items),
            (_, Value::Text(text)) => Value::text(text),
            (_, other) => other,
        }
    }
}

fn rewrite(text: CompactString, change: impl for<'a> Fn(Cow<'a, str>) -> Cow<'a, str>) -> Value {
    match change(Cow::Borrowed(&text)) {
        Cow::Borrowed(same) if same.len() == text.len() => Value::text(text),
        changed => Value::text(changed.into_owned()),
    }
}

/// The options of a multiple choice have no order and no repeats.
fn options(mut items: Vec<Value>) -> Value {
    items.retain(|item| !item.is_null());
    items.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    items.dedup();
    if items.is_empty() { Value::Null } else { Value::List(items) }
}

/// Digits with a decimal point, or the writing with an exponent that programs give very great and small numbers.
fn read_number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// HubSpot shows dates as `YYYY-MM-DD`, older versions as milliseconds at midnight UTC.
fn read_date(text: &str) -> Option<Date> {
    if let Ok(date) = Date::strptime("%Y-%m-%d", text) {
        return Some(date);
    }
    let instant = read_instant(text)?;
    Some(jiff::tz::Offset::UTC.to_datetime(instant).date())
}

/// HubSpot shows instants as ISO 8601 in UTC, older versions as milliseconds.
fn read_instant(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return Timestamp::from_millisecond(number).ok();
    }
    text.parse::<Timestamp>().ok().map(millis)
}

/// HubSpot keeps milliseconds.
fn millis(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

/// What a value must be to be written to a property.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) kind: PropertyKind,
    pub(crate) form: Form,
    /// In characters.
    pub(crate) length_max: usize,
    /// The options that HubSpot takes; `None` where they are not known.
    pub(crate) options: Option<HashSet<Box<str>>>,
}

impl Limits {
    /// Whether the property holds this text as it is: the usual case, which needs no more than the look at its length.
    pub(crate) fn holds_as_it_is(&self, text: &str) -> bool {
        self.form == Form::Text
            && self.options.is_none()
            && text.len() <= self.length_max
            && matches!(self.kind, PropertyKind::Text | PropertyKind::Option)
    }

    /// The value in canonical form, or why the property cannot hold it.
    pub(crate) fn admit(&self, flow: Flow<'_>) -> Result<Value, Failure> {
        let flow = match (self.kind, flow) {
            (PropertyKind::Options, Flow::Text(text)) => {
                Flow::Other(Value::List(vec![Value::Text(text.into())]))
            }
            (_, flow) => flow,
        };
        let fits = matches!(
            (&flow, self.kind),
            (Flow::Null, _)
                | (_, PropertyKind::Json)
                | (Flow::Text(_), PropertyKind::Text | PropertyKind::Option)
                | (Flow::Other(Value::Number(_)), PropertyKind::Number)
                | (Flow::Other(Value::Bool(_)), PropertyKind::Bool)
                | (Flow::Other(Value::Date(_)), PropertyKind::Date)
                | (Flow::Other(Value::DateTime(_)), PropertyKind::DateTime)
                | (Flow::Other(Value::List(_)), PropertyKind::Options)
        );
        if !fits {
            return Err(Failure::new(
                "bad-type",
                format!("the value is {}, but the property holds {}", flow.kind_name(), kind_name(self.kind)),
                format!("add {} to the field's transforms", converter(self.kind)),
            ));
        }
        if let Flow::Text(text) = &flow
            && text.len() > self.length_max
            && text.chars().count() > self.length_max
        {
            return Err(text::too_long(self.length_max));
        }
        let value = self.form.canonical(flow.into_value());
        self.check_options(&value)?;
        Ok(value)
    }

    fn check_options(&self, value: &Value) -> Result<(), Failure> {
        let Some(options) = &self.options else { return Ok(()) };
        let known = |value: &Value| value.as_text().is_some_and(|text| options.contains(text));
        let fine = match value {
            Value::Null => true,
            Value::List(items) => items.iter().all(known),
            value => known(value),
        };
        if fine {
            return Ok(());
        }
        Err(Failure::new(
            "unknown-option",
            "the value is none of the property's options in HubSpot",
            "add the option in HubSpot, or translate the value with a picklist table",
        ))
    }
}

/// A kind in words.
pub(crate) fn kind_name(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Text => "text",
        PropertyKind::Number => "a number",
        PropertyKind::Bool => "true or false",
        PropertyKind::Date => "a date",
        PropertyKind::DateTime => "a date-time",
        PropertyKind::Option => "one of its options",
        PropertyKind::Options => "several of its options",
        _ => "nested data",
    }
}

/// The transform that makes values of a kind.
pub(crate) fn converter(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Number => "`number`",
        PropertyKind::Bool => "`boolean`",
        PropertyKind::Date => "`date`",
        PropertyKind::DateTime => "`date_time`",
        PropertyKind::Options => "`split`",
        _ => "`text`",
    }
}
