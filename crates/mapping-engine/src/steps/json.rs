//! Nested data: JSON in text, and a place inside nested values by JSON pointer (RFC 6901).

use std::borrow::Cow;

use rust_decimal::Decimal;
use sync_types::Value;

use crate::flow::Failure;

/// A JSON pointer, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Pointer(Vec<Box<str>>);

impl Pointer {
    /// `None`: neither empty nor begun by `/`.
    pub(crate) fn parse(text: &str) -> Option<Pointer> {
        let rest = match text.strip_prefix('/') {
            Some(rest) => rest,
            None if text.is_empty() => return Some(Pointer(Vec::new())),
            None => return None,
        };
        Some(Pointer(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~").into()).collect()))
    }

    /// The value at the place; empty where there is none.
    pub(crate) fn of(&self, value: Value) -> Value {
        let mut value = value;
        for step in &self.0 {
            let inside = match value {
                Value::Object(entries) => {
                    entries.into_iter().find(|(name, _)| name == step).map(|(_, value)| value)
                }
                Value::List(mut items) => step
                    .parse::<usize>()
                    .ok()
                    .filter(|place| *place < items.len())
                    .map(|place| items.swap_remove(place)),
                _ => None,
            };
            match inside {
                Some(inside) => value = inside,
                None => return Value::Null,
            }
        }
        value
    }
}

/// The value that a JSON text stands for. Numbers that no exact decimal holds stay texts.
///
/// # Errors
/// Text that is no JSON, or is nested more than 127 deep.
pub(crate) fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str::<serde_json::Value>(text)
        .map(value_of)
        .map_err(|_| Failure::new("bad-json", "not a JSON text", "correct it at the source"))
}

fn value_of(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => {
            let text = number.to_string();
            let exact = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
            exact.map_or_else(|_| Value::text(text), Value::Number)
        }
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(value_of).collect()),
        serde_json::Value::Object(entries) => {
            Value::Object(entries.into_iter().map(|(name, value)| (name.into(), value_of(value))).collect())
        }
    }
}

/// The JSON text of a value: objects in the source's order.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(_) | Value::Number(_) => {
            text.push_str(&crate::step::scalar_text(value).unwrap_or_default())
        }
        Value::Text(_) | Value::Date(_) | Value::DateTime(_) => {
            push_text(text, &crate::step::scalar_text(value).unwrap_or(Cow::Borrowed("")));
        }
        Value::List(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                push(text, item);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (place, (name, value)) in entries.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                push_text(text, name);
                text.push(':');
                push(text, value);
            }
            text.push('}');
        }
    }
}

fn push_text(text: &mut String, part: &str) {
    // A text always has a JSON form.
    text.push_str(&serde_json::to_string(part).unwrap_or_default());
}
