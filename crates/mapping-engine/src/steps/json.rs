//! Nested data: JSON in text, and a place inside nested values by JSON pointer (RFC 6901).

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
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

/// How deep a JSON text may be nested.
const DEPTH_MAX: usize = 100;

/// The value that a JSON text stands for, with its objects in the text's order. Numbers that no exact decimal holds stay
/// texts.
///
/// # Errors
/// Text that is no JSON, or is nested more than 100 deep.
pub(crate) fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str::<&RawValue>(text)
        .ok()
        .and_then(|raw| value_of(raw, DEPTH_MAX))
        .ok_or_else(|| Failure::new("bad-json", "not a JSON text", "correct it at the source"))
}

/// Level by level, because only a number's own text is exact.
fn value_of(raw: &RawValue, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let text = raw.get();
    Some(match text.bytes().next()? {
        b'{' => {
            let Entries(entries) = serde_json::from_str(text).ok()?;
            let entry = |(name, raw): (String, &RawValue)| Some((name.into(), value_of(raw, depth)?));
            Value::Object(entries.into_iter().map(entry).collect::<Option<_>>()?)
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Value::List(items.into_iter().map(|raw| value_of(raw, depth)).collect::<Option<_>>()?)
        }
        b'"' => Value::text(serde_json::from_str::<String>(text).ok()?),
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' => Value::Null,
        _ => {
            let exact = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
            exact.map_or_else(|_| Value::text(text), Value::Number)
        }
    })
}

/// An object's entries in the text's order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'de>, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
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
