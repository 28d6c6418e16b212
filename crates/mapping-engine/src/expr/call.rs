//! The functions of expressions: what they take and give, and how they run.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use sync_types::Value;

use super::budget::Budget;
use crate::flow::{Failure, Ty};
use crate::step::scalar_text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Has,
    Size,
    StartsWith,
    EndsWith,
    Contains,
    Lower,
    Upper,
    Trim,
    Replace,
    Split,
    Join,
    Substring,
    String,
    Number,
    Bool,
    Date,
    Timestamp,
    Round,
    Abs,
    Min,
    Max,
    Coalesce,
    Year,
    Month,
    Day,
    AddDays,
    DaysBetween,
}

/// A function's name and kinds; a method's target is its first value.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) takes: &'static [&'static [Ty]],
    pub(super) optional: &'static [&'static [Ty]],
    pub(super) gives: Ty,
    example: &'static str,
}

const TEXT: &[Ty] = &[Ty::Text];
const NUMBER: &[Ty] = &[Ty::Number];
const LIST: &[Ty] = &[Ty::List];
const DAY: &[Ty] = &[Ty::Date, Ty::DateTime];
const ANY: &[Ty] = &[Ty::Any];

const fn of(
    name: &'static str,
    function: Function,
    takes: &'static [&'static [Ty]],
    optional: &'static [&'static [Ty]],
    gives: Ty,
    example: &'static str,
) -> Signature {
    Signature { name, function, takes, optional, gives, example }
}

static SIGNATURES: [Signature; 29] = [
    of("has", Function::Has, &[ANY], &[], Ty::Bool, "has(email)"),
    of("size", Function::Size, &[&[Ty::Text, Ty::List]], &[], Ty::Number, "size(tags)"),
    of("startsWith", Function::StartsWith, &[TEXT, TEXT], &[], Ty::Bool, "name.startsWith(\"A\")"),
    of("endsWith", Function::EndsWith, &[TEXT, TEXT], &[], Ty::Bool, "name.endsWith(\"z\")"),
    of("contains", Function::Contains, &[TEXT, TEXT], &[], Ty::Bool, "name.contains(\"GmbH\")"),
    of("lowerAscii", Function::Lower, &[TEXT], &[], Ty::Text, "name.lowerAscii()"),
    of("upperAscii", Function::Upper, &[TEXT], &[], Ty::Text, "name.upperAscii()"),
    of("trim", Function::Trim, &[TEXT], &[], Ty::Text, "name.trim()"),
    of("replace", Function::Replace, &[TEXT, TEXT, TEXT], &[], Ty::Text, "name.replace(\"_\", \" \")"),
    of("split", Function::Split, &[TEXT, TEXT], &[], Ty::List, "tags.split(\";\")"),
    of("join", Function::Join, &[LIST], &[TEXT], Ty::Text, "[first, last].join(\" \")"),
    of("substring", Function::Substring, &[TEXT, NUMBER], &[NUMBER], Ty::Text, "code.substring(0, 2)"),
    of("string", Function::String, &[ANY], &[], Ty::Text, "string(amount)"),
    of("number", Function::Number, &[&[Ty::Text, Ty::Number]], &[], Ty::Number, "number(amount)"),
    of("double", Function::Number, &[&[Ty::Text, Ty::Number]], &[], Ty::Number, "number(amount)"),
    of("bool", Function::Bool, &[&[Ty::Text, Ty::Bool]], &[], Ty::Bool, "bool(flag)"),
    of("date", Function::Date, &[&[Ty::Text, Ty::Date]], &[], Ty::Date, "date(\"2026-01-31\")"),
    of(
        "timestamp",
        Function::Timestamp,
        &[&[Ty::Text, Ty::DateTime]],
        &[],
        Ty::DateTime,
        "timestamp(\"2026-01-31T12:00:00Z\")",
    ),
    of("round", Function::Round, &[NUMBER], &[NUMBER], Ty::Number, "round(amount, 2)"),
    of("abs", Function::Abs, &[NUMBER], &[], Ty::Number, "abs(amount)"),
    of("min", Function::Min, &[NUMBER, NUMBER], &[], Ty::Number, "min(a, b)"),
    of("max", Function::Max, &[NUMBER, NUMBER], &[], Ty::Number, "max(a, b)"),
    of("coalesce", Function::Coalesce, &[ANY, ANY], &[], Ty::Any, "coalesce(work_email, email)"),
    of("getFullYear", Function::Year, &[DAY], &[], Ty::Number, "ordered.getFullYear()"),
    of("getMonth", Function::Month, &[DAY], &[], Ty::Number, "ordered.getMonth()"),
    of("getDate", Function::Day, &[DAY], &[], Ty::Number, "ordered.getDate()"),
    of("addDays", Function::AddDays, &[&[Ty::Date], NUMBER], &[], Ty::Date, "ordered.addDays(30)"),
    of(
        "daysBetween",
        Function::DaysBetween,
        &[&[Ty::Date], &[Ty::Date]],
        &[],
        Ty::Number,
        "daysBetween(ordered, paid)",
    ),
    of("int", Function::Number, &[&[Ty::Text, Ty::Number]], &[], Ty::Number, "number(amount)"),
];

impl Signature {
    pub(super) fn find(name: &str) -> Option<&'static Signature> {
        SIGNATURES.iter().find(|signature| signature.name == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        SIGNATURES.iter().map(|signature| signature.name)
    }

    pub(super) fn example(name: &str) -> &'static str {
        Signature::find(name).map_or("", |signature| signature.example)
    }
}

fn bad(reason: &'static str) -> Failure {
    Failure::new(
        "bad-expression-value",
        reason,
        "correct the value at the source, or guard it with `has(…)` or a comparison",
    )
}

fn wrong(wanted: Ty, found: &Value) -> Failure {
    Failure::new(
        "bad-expression-value",
        format!("the expression takes {}, but the value is {}", wanted.name(), found.kind_name()),
        "convert it with `string(…)` or `number(…)`, or correct the source",
    )
}

/// The text of a value; empty is the empty text.
pub(super) fn text(value: &Value) -> Result<&str, Failure> {
    match value {
        Value::Null => Ok(""),
        Value::Text(text) => Ok(text),
        other => Err(wrong(Ty::Text, other)),
    }
}

/// The number of a value; `None` for an empty one.
pub(super) fn number(value: &Value) -> Result<Option<Decimal>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Number(value) => Ok(Some(*value)),
        other => Err(wrong(Ty::Number, other)),
    }
}

pub(super) fn items(value: &Value) -> Result<&[Value], Failure> {
    match value {
        Value::Null => Ok(&[]),
        Value::List(items) => Ok(items),
        other => Err(wrong(Ty::List, other)),
    }
}

fn day(value: &Value) -> Result<Option<Date>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Date(day) => Ok(Some(*day)),
        Value::DateTime(moment) => Ok(Some(jiff::tz::Offset::UTC.to_datetime(*moment).date())),
        other => Err(wrong(Ty::Date, other)),
    }
}

/// A place or count from a number, bounded by what texts can have.
fn count(value: Decimal) -> Result<usize, Failure> {
    value
        .trunc()
        .to_usize()
        .filter(|_| value.is_integer())
        .ok_or_else(|| bad("a place is a whole number from 0"))
}

/// Runs a function on its values, of which there are as many as its signature says.
pub(super) fn run(
    function: Function,
    values: &[Cow<'_, Value>],
    budget: &mut Budget,
) -> Result<Value, Failure> {
    let value = |place: usize| values.get(place).map_or(&Value::Null, |value| &**value);
    for value in values {
        match &**value {
            Value::Text(text) => budget.bytes(text.len())?,
            Value::List(items) => budget.spend(items.len())?,
            _ => budget.step()?,
        }
    }
    let numbers = |combine: fn(Decimal, Decimal) -> Decimal| -> Result<Value, Failure> {
        Ok(match (number(value(0))?, number(value(1))?) {
            (Some(a), Some(b)) => Value::Number(combine(a, b)),
            (Some(one), None) | (None, Some(one)) => Value::Number(one),
            (None, None) => Value::Null,
        })
    };
    let part_of_day = |part: fn(Date) -> i64| -> Result<Value, Failure> {
        Ok(day(value(0))?.map_or(Value::Null, |day| Value::from(part(day))))
    };
    match function {
        Function::Has => Ok(Value::Bool(!value(0).is_null())),
        Function::Size => match value(0) {
            Value::List(items) => Ok(length(items.len())),
            other => Ok(length(text(other)?.chars().count())),
        },
        Function::StartsWith => Ok(Value::Bool(text(value(0))?.starts_with(text(value(1))?))),
        Function::EndsWith => Ok(Value::Bool(text(value(0))?.ends_with(text(value(1))?))),
        Function::Contains => Ok(Value::Bool(text(value(0))?.contains(text(value(1))?))),
        Function::Lower => Ok(Value::text(text(value(0))?.to_ascii_lowercase())),
        Function::Upper => Ok(Value::text(text(value(0))?.to_ascii_uppercase())),
        Function::Trim => Ok(Value::text(text(value(0))?.trim())),
        Function::Replace => replace(text(value(0))?, text(value(1))?, text(value(2))?, budget),
        Function::Split => {
            let separator = text(value(1))?;
            if separator.is_empty() {
                return Err(bad("the separator of `split` is empty"));
            }
            let parts: Vec<Value> = text(value(0))?.split(separator).map(Value::text).collect();
            budget.spend(parts.len())?;
            Ok(Value::List(parts))
        }
        Function::Join => join(items(value(0))?, text(value(1))?, budget),
        Function::Substring => substring(value(0), value(1), values.get(2).map(|value| &**value)),
        Function::String => match scalar_text(value(0)) {
            Some(text) => Ok(Value::text(&*text)),
            None => Err(wrong(Ty::Text, value(0))),
        },
        Function::Number => match value(0) {
            Value::Text(text) => Decimal::from_str_exact(text.trim())
                .map(Value::Number)
                .map_err(|_| bad("`number` got a text that is no number")),
            other => Ok(number(other)?.map_or(Value::Null, Value::Number)),
        },
        Function::Bool => match value(0) {
            Value::Text(text) if *text == "true" => Ok(Value::Bool(true)),
            Value::Text(text) if *text == "false" => Ok(Value::Bool(false)),
            Value::Null => Ok(Value::Null),
            Value::Bool(value) => Ok(Value::Bool(*value)),
            _ => Err(bad("`bool` got neither `true` nor `false`")),
        },
        Function::Date => match value(0) {
            Value::Text(text) => Date::strptime("%Y-%m-%d", &**text)
                .map(Value::Date)
                .map_err(|_| bad("`date` got a text that is not of the form `2026-01-31`")),
            other => Ok(day(other)?.map_or(Value::Null, Value::Date)),
        },
        Function::Timestamp => match value(0) {
            Value::Text(text) => text
                .parse()
                .map(Value::DateTime)
                .map_err(|_| bad("`timestamp` got a text that is not of the form `2026-01-31T12:00:00Z`")),
            Value::Null => Ok(Value::Null),
            Value::DateTime(moment) => Ok(Value::DateTime(*moment)),
            other => Err(wrong(Ty::DateTime, other)),
        },
        Function::Round => {
            let places = number(value(1))?.map_or(Ok(0), count)?;
            let places = u32::try_from(places).ok().filter(|places| *places <= 28);
            let places = places.ok_or_else(|| bad("a number has at most 28 places"))?;
            let round =
                |value: Decimal| value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
            Ok(number(value(0))?.map_or(Value::Null, |value| Value::Number(round(value))))
        }
        Function::Abs => Ok(number(value(0))?.map_or(Value::Null, |value| Value::Number(value.abs()))),
        Function::Min => numbers(std::cmp::Ord::min),
        Function::Max => numbers(std::cmp::Ord::max),
        Function::Coalesce => Ok(values
            .iter()
            .find(|value| !value.is_null())
            .map_or(Value::Null, |value| value.clone().into_owned())),
        Function::Year => part_of_day(|day| i64::from(day.year())),
        // CEL counts months from 0.
        Function::Month => part_of_day(|day| i64::from(day.month()) - 1),
        Function::Day => part_of_day(|day| i64::from(day.day())),
        Function::AddDays => match (day(value(0))?, number(value(1))?) {
            (Some(day), Some(days)) => days
                .to_i64()
                .filter(|_| days.is_integer())
                .and_then(|days| jiff::Span::new().try_days(days).ok())
                .and_then(|days| day.checked_add(days).ok())
                .map(Value::Date)
                .ok_or_else(|| bad("`addDays` leaves the calendar, or gets a part of a day")),
            _ => Ok(Value::Null),
        },
        Function::DaysBetween => match (day(value(0))?, day(value(1))?) {
            (Some(from), Some(to)) => match from.until(to) {
                Ok(span) => Ok(Value::from(i64::from(span.get_days()))),
                Err(_) => Err(bad("the days are too far apart")),
            },
            _ => Ok(Value::Null),
        },
    }
}

fn length(count: usize) -> Value {
    Value::Number(Decimal::from(count))
}

fn replace(text: &str, find: &str, with: &str, budget: &mut Budget) -> Result<Value, Failure> {
    if find.is_empty() {
        return Err(bad("`replace` looks for an empty text"));
    }
    let found = text.matches(find).count();
    budget.bytes(found.saturating_mul(with.len()))?;
    Ok(Value::text(text.replace(find, with)))
}

fn join(items: &[Value], separator: &str, budget: &mut Budget) -> Result<Value, Failure> {
    let mut joined = String::new();
    for (place, item) in items.iter().enumerate() {
        let part = scalar_text(item).ok_or_else(|| wrong(Ty::Text, item))?;
        budget.bytes(part.len() + separator.len())?;
        if place > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&part);
    }
    Ok(Value::text(joined))
}

/// By characters; an end beyond the text is its end.
fn substring(whole: &Value, start: &Value, end: Option<&Value>) -> Result<Value, Failure> {
    let whole = text(whole)?;
    let start = number(start)?.map_or(Ok(0), count)?;
    let end = match end {
        Some(end) => number(end)?.map_or(Ok(0), count)?,
        None => usize::MAX,
    };
    Ok(Value::text(whole.chars().skip(start).take(end.saturating_sub(start)).collect::<String>()))
}
