//! Values between the files that people write, JSON answers and the mapping.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value as Json;
use sync_types::{ExternalId, Record, Shape, Value};
use toml_edit::{Array, InlineTable};

/// The longest text that a table's cell shows, in characters.
const CELL_CHARS_MAX: usize = 40;

/// A value as JSON. Numbers that a JSON reader would round are texts.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => {
            let text = number.normalize().to_string();
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => Json::from(whole),
                (_, Ok(float)) if float.to_string() == text => Json::from(float),
                _ => Json::String(text),
            }
        }
        Value::Date(date) => Json::String(date.to_string()),
        Value::DateTime(instant) => Json::String(instant.to_string()),
        Value::Text(text) => Json::String(text.to_string()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Object(entries) => {
            Json::Object(entries.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect())
        }
    }
}

/// What a JSON document says, as a source would show it.
#[must_use]
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            let text = number.to_string();
            // What no decimal holds, such as 1e300, stays the text that it was.
            let exact = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
            exact.map_or_else(|_| Value::text(text), Value::Number)
        }
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Object(
            entries.iter().map(|(name, value)| (name.as_str().into(), from_json(value))).collect(),
        ),
    }
}

/// A record of a JSON object: its names are the columns.
#[must_use]
pub fn record(id: &str, columns: impl IntoIterator<Item = (String, Value)>) -> Record {
    let (names, values): (Vec<String>, Vec<Value>) = columns.into_iter().unzip();
    Record::new(ExternalId::new(id), Shape::new(names), values)
}

/// What a TOML value says, as a source would show it.
pub(crate) fn from_toml(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::text(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::Number(Decimal::from(*number.value())),
        toml_edit::Value::Float(number) => {
            let text = number.value().to_string();
            Decimal::from_str_exact(&text).map_or_else(|_| Value::text(text), Value::Number)
        }
        toml_edit::Value::Boolean(value) => Value::Bool(*value.value()),
        toml_edit::Value::Datetime(time) => {
            let text = time.value().to_string();
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                Value::DateTime(instant)
            } else if let Ok(date) = jiff::civil::Date::strptime("%Y-%m-%d", &text) {
                Value::Date(date)
            } else {
                Value::text(text)
            }
        }
        toml_edit::Value::Array(items) => Value::List(items.iter().map(from_toml).collect()),
        toml_edit::Value::InlineTable(entries) => {
            Value::Object(entries.iter().map(|(name, value)| (name.into(), from_toml(value))).collect())
        }
    }
}

/// A value as TOML; empty is the empty text.
pub(crate) fn to_toml(value: &Value) -> toml_edit::Value {
    match value {
        Value::Null => "".into(),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => {
            let text = number.normalize().to_string();
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(float)) if float.to_string() == text => float.into(),
                _ => text.into(),
            }
        }
        Value::Date(date) => date.to_string().into(),
        Value::DateTime(instant) => instant.to_string().into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(to_toml).collect::<Array>().into(),
        Value::Object(entries) => {
            entries.iter().map(|(name, value)| (&**name, to_toml(value))).collect::<InlineTable>().into()
        }
    }
}

/// A value in a table's cell: one line, cut, and quoted where its ends would not be seen.
pub(crate) fn cell(value: &Value) -> String {
    let shown = match value {
        Value::Null => return "(empty)".to_owned(),
        Value::Text(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.reveal().to_string()),
    };
    let cut: String = shown.chars().take(CELL_CHARS_MAX).collect();
    let more = if cut.len() < shown.len() { "…" } else { "" };
    let hidden = cut.trim() != cut || cut.chars().any(char::is_control) || cut == "(empty)";
    if hidden { format!("{cut:?}{more}") } else { format!("{cut}{more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_toml_come_back_as_they_were() {
        let text = r#"{"a":null,"b":true,"c":12,"d":0.5,"e":"x","f":[1,"y"],"g":{"h":"z"}}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(to_json(&from_json(&json)), json);
        for toml in ["true", "12", "0.5", "\"x\"", "[1, \"y\"]", "{ h = \"z\" }"] {
            let value: toml_edit::Value = toml.parse().unwrap();
            assert_eq!(to_toml(&from_toml(&value)).to_string().trim(), toml);
        }
    }

    #[test]
    fn a_number_that_a_float_would_round_is_a_text() {
        let number = Value::Number(Decimal::from_str_exact("12345678901234567890.12").unwrap());
        assert_eq!(to_json(&number), Json::from("12345678901234567890.12"));
    }

    #[test]
    fn a_cell_shows_what_would_not_be_seen() {
        assert_eq!(cell(&Value::text(" a")), "\" a\"");
        assert_eq!(cell(&Value::text("a\nb")), "\"a\\nb\"");
        assert_eq!(cell(&Value::text("a b")), "a b");
        assert_eq!(cell(&Value::text("x".repeat(99))).chars().count(), 41);
    }
}
