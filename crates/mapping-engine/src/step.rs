//! One transform, compiled: its name, what it takes and gives, and how it runs.

use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};
use sync_types::Value;

use crate::flow::{Failure, Flow, Ty};
use crate::steps::{boolean, date, email, number, phone, picklist, text, web, write};

/// A transform with its arguments.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Trim,
    CollapseSpaces,
    Lower,
    Upper,
    Title,
    Nfc,
    Email,
    Domain,
    Url,
    Phone(phone::PhoneRule),
    Replace { find: Box<str>, with: Box<str> },
    Extract(Box<regex::Regex>),
    MaxLength { chars: usize, cut: bool },
    Picklist(Arc<picklist::Picklist>),
    Split(Box<str>),
    Join(Box<str>),
    Default(Value),
    ToText,
    Number(number::NumberRule),
    FormatNumber(write::NumberFormat),
    Round(u32),
    Boolean(boolean::BoolWords),
    FormatBoolean { yes: Box<str>, no: Box<str> },
    Date(Arc<[String]>),
    DateTime(date::DateTimeRule),
    UnixTime(date::UnixUnit),
    ToUnixTime(date::UnixUnit),
    ToDate(jiff::tz::TimeZone),
    FormatDate(write::DateFormat),
}

impl Step {
    /// The name in the mapping file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Step::Trim => "trim",
            Step::CollapseSpaces => "collapse_spaces",
            Step::Lower => "lower",
            Step::Upper => "upper",
            Step::Title => "title",
            Step::Nfc => "nfc",
            Step::Email => "email",
            Step::Domain => "domain",
            Step::Url => "url",
            Step::Phone(_) => "phone",
            Step::Replace { .. } => "replace",
            Step::Extract(_) => "extract",
            Step::MaxLength { .. } => "max_length",
            Step::Picklist(_) => "picklist",
            Step::Split(_) => "split",
            Step::Join(_) => "join",
            Step::Default(_) => "default",
            Step::ToText => "text",
            Step::Number(_) => "number",
            Step::FormatNumber(_) => "format_number",
            Step::Round(_) => "round",
            Step::Boolean(_) => "boolean",
            Step::FormatBoolean { .. } => "format_boolean",
            Step::Date(_) => "date",
            Step::DateTime(_) => "date_time",
            Step::UnixTime(_) => "unix_time",
            Step::ToUnixTime(_) => "to_unix_time",
            Step::ToDate(_) => "to_date",
            Step::FormatDate(_) => "format_date",
        }
    }

    /// What the step gives for a value of this kind, or what it would take instead.
    pub(crate) fn gives(&self, taken: Ty) -> Result<Ty, Ty> {
        let (takes, gives): (&[Ty], Ty) = match self {
            Step::Trim
            | Step::CollapseSpaces
            | Step::Lower
            | Step::Upper
            | Step::Title
            | Step::Nfc
            | Step::Email
            | Step::Domain
            | Step::Url
            | Step::Phone(_)
            | Step::Replace { .. }
            | Step::Extract(_)
            | Step::MaxLength { .. }
            | Step::Picklist(_) => {
                // These run on every item of a list.
                return match taken {
                    Ty::Text | Ty::List | Ty::Any => Ok(taken),
                    _ => Err(Ty::Text),
                };
            }
            Step::Split(_) => (&[Ty::Text], Ty::List),
            Step::Join(_) => (&[Ty::List, Ty::Text], Ty::Text),
            Step::Default(value) => {
                let given = Ty::of_value(value);
                return match taken {
                    Ty::Any => Ok(Ty::Any),
                    taken if taken == given => Ok(taken),
                    taken => Err(taken),
                };
            }
            Step::ToText => (&[Ty::Text, Ty::Number, Ty::Bool, Ty::Date, Ty::DateTime], Ty::Text),
            Step::Number(_) => (&[Ty::Text, Ty::Number], Ty::Number),
            Step::FormatNumber(_) => (&[Ty::Number], Ty::Text),
            Step::Round(_) => (&[Ty::Number], Ty::Number),
            Step::Boolean(_) => (&[Ty::Text, Ty::Number, Ty::Bool], Ty::Bool),
            Step::FormatBoolean { .. } => (&[Ty::Bool], Ty::Text),
            Step::Date(_) => (&[Ty::Text, Ty::Date], Ty::Date),
            Step::DateTime(_) => (&[Ty::Text, Ty::Date, Ty::DateTime], Ty::DateTime),
            Step::UnixTime(_) => (&[Ty::Text, Ty::Number], Ty::DateTime),
            Step::ToUnixTime(_) => (&[Ty::DateTime], Ty::Number),
            Step::ToDate(_) => (&[Ty::DateTime], Ty::Date),
            Step::FormatDate(_) => (&[Ty::Date, Ty::DateTime], Ty::Text),
        };
        if taken == Ty::Any || takes.contains(&taken) {
            Ok(gives)
        } else {
            Err(takes.first().copied().unwrap_or(Ty::Any))
        }
    }

    /// Runs the step. Empty stays empty, but for `default`.
    pub(crate) fn run<'a>(&'a self, flow: Flow<'a>) -> Result<Flow<'a>, Failure> {
        match (self, flow) {
            (Step::Default(value), Flow::Null) => Ok(Flow::owned(value.clone())),
            (Step::Default(_), flow) => Ok(flow),
            (_, Flow::Null) => Ok(Flow::Null),
            (Step::Split(separator), Flow::Text(text)) => Ok(split(&text, separator)),
            (Step::Join(separator), Flow::Other(Value::List(items))) => join(&items, separator),
            (Step::Join(_), flow @ Flow::Text(_)) => Ok(flow),
            (Step::ToText, flow) => to_text(flow),
            (Step::Number(rule), Flow::Text(text)) => rule.parse(&text).map(decimal),
            (Step::Number(_), flow @ Flow::Other(Value::Number(_))) => Ok(flow),
            (Step::FormatNumber(format), Flow::Other(Value::Number(value))) => {
                Ok(Flow::text(Cow::Owned(format.write(value))))
            }
            (Step::Round(places), Flow::Other(Value::Number(value))) => {
                Ok(decimal(value.round_dp_with_strategy(*places, RoundingStrategy::MidpointAwayFromZero)))
            }
            (Step::Boolean(words), flow) => words.read(&flow).map(|value| Flow::Other(Value::Bool(value))),
            (Step::FormatBoolean { yes, no }, Flow::Other(Value::Bool(value))) => {
                Ok(Flow::text(Cow::Borrowed(if value { yes } else { no })))
            }
            (Step::Date(formats), Flow::Text(text)) => {
                date::parse_date(&text, formats).map(|date| Flow::Other(Value::Date(date)))
            }
            (Step::Date(_), flow @ Flow::Other(Value::Date(_))) => Ok(flow),
            (Step::DateTime(rule), Flow::Text(text)) => rule.parse(&text).map(instant),
            (Step::DateTime(rule), Flow::Other(Value::Date(date))) => rule.midnight(date).map(instant),
            (Step::DateTime(_), flow @ Flow::Other(Value::DateTime(_))) => Ok(flow),
            (Step::UnixTime(unit), Flow::Other(Value::Number(value))) => unit.read(value).map(instant),
            (Step::UnixTime(unit), Flow::Text(text)) => unit.parse(&text).map(instant),
            (Step::ToDate(zone), Flow::Other(Value::DateTime(value))) => {
                Ok(Flow::Other(Value::Date(zone.to_datetime(value).date())))
            }
            (Step::ToUnixTime(unit), Flow::Other(Value::DateTime(value))) => Ok(decimal(unit.write(value))),
            (Step::FormatDate(format), Flow::Other(Value::Date(value))) => {
                Ok(Flow::text(Cow::Owned(format.day(value)?)))
            }
            (Step::FormatDate(format), Flow::Other(Value::DateTime(value))) => {
                Ok(Flow::text(Cow::Owned(format.moment(value)?)))
            }
            (_, Flow::Text(text)) => Ok(Flow::text(self.run_text(text)?)),
            (_, Flow::Other(Value::List(items))) => self.run_items(items),
            (_, flow) => Err(self.refuse(flow.kind_name())),
        }
    }

    fn refuse(&self, found: &str) -> Failure {
        let wanted = match self.gives(Ty::Bool) {
            Err(wanted) => wanted,
            Ok(_) => Ty::Text,
        };
        Failure::bad_type(self.name(), wanted, found)
    }

    /// Runs a text-to-text step.
    fn run_text<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Failure> {
        match self {
            Step::Trim => Ok(text::trim(text)),
            Step::CollapseSpaces => Ok(text::collapse_spaces(text)),
            Step::Lower => Ok(text::lower(text)),
            Step::Upper => Ok(text::upper(text)),
            Step::Title => Ok(text::title(text)),
            Step::Nfc => Ok(text::nfc(text)),
            Step::Email => email::email(text),
            Step::Domain => web::domain(text),
            Step::Url => web::url(text),
            Step::Phone(rule) => rule.read(text),
            Step::Replace { find, with } => Ok(text::replace(text, find, with)),
            Step::Extract(pattern) => text::extract(text, pattern),
            Step::MaxLength { chars, cut } => text::max_length(text, *chars, *cut),
            Step::Picklist(table) => table.translate(text),
            _ => Err(self.refuse("text")),
        }
    }

    /// Runs a text-to-text step on every item of a list; items that become empty are dropped.
    fn run_items<'a>(&self, items: Vec<Value>) -> Result<Flow<'a>, Failure> {
        if self.gives(Ty::List) != Ok(Ty::List) {
            return Err(self.refuse("list"));
        }
        let mut done = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::Text(text) => {
                    let text = self.run_text(Cow::Owned(text.into()))?;
                    if !text.is_empty() {
                        done.push(Value::Text(text.into()));
                    }
                }
                Value::Null => {}
                other => return Err(self.refuse(other.kind_name())),
            }
        }
        Ok(list(done))
    }
}

fn decimal<'a>(value: Decimal) -> Flow<'a> {
    Flow::Other(Value::Number(value))
}

fn instant<'a>(value: jiff::Timestamp) -> Flow<'a> {
    Flow::Other(Value::DateTime(value))
}

fn list<'a>(items: Vec<Value>) -> Flow<'a> {
    if items.is_empty() { Flow::Null } else { Flow::Other(Value::List(items)) }
}

fn split<'a>(text: &str, separator: &str) -> Flow<'a> {
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    list(parts.map(|part| Value::Text(part.into())).collect())
}

fn join<'a>(items: &[Value], separator: &str) -> Result<Flow<'a>, Failure> {
    let mut text = String::new();
    for item in items {
        let part = scalar_text(item)
            .ok_or_else(|| Failure::bad_type("join", Ty::List, "a list that holds lists or objects"))?;
        if part.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push_str(&part);
    }
    Ok(Flow::text(Cow::Owned(text)))
}

fn to_text(flow: Flow<'_>) -> Result<Flow<'_>, Failure> {
    match flow {
        Flow::Other(value) => match scalar_text(&value) {
            Some(text) => Ok(Flow::text(Cow::Owned(text.into_owned()))),
            None => Err(Failure::bad_type("text", Ty::Text, value.kind_name())),
        },
        flow => Ok(flow),
    }
}

/// The text of a value that is no list or object; empty for [`Value::Null`].
pub(crate) fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(value) => Some(Cow::Owned(value.normalize().to_string())),
        Value::Date(value) => Some(Cow::Owned(value.to_string())),
        Value::DateTime(value) => Some(Cow::Owned(value.to_string())),
        Value::List(_) | Value::Object(_) => None,
    }
}
