//! Values as HubSpot spells them: everything is text, and the empty text clears a property.

use std::borrow::Cow;

use sync_types::Value;

/// A value in HubSpot's spelling (HubSpot docs: properties, value formats): booleans `true` and `false`, numbers
/// with a decimal point, dates `YYYY-MM-DD`, instants ISO 8601 in UTC, several options joined by `;`.
#[must_use]
pub(crate) fn to_hubspot(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Owned(number.normalize().to_string()),
        Value::Date(date) => Cow::Owned(date.to_string()),
        Value::DateTime(instant) => Cow::Owned(instant.to_string()),
        Value::Text(text) => Cow::Borrowed(text),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(to_hubspot).collect();
            Cow::Owned(items.join(";"))
        }
        Value::Object(_) => Cow::Owned(to_json(value).to_string()),
    }
}

/// What HubSpot shows, as it spells it; the mapping brings it to canonical form.
#[must_use]
pub(crate) fn from_hubspot(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| (name.to_string(), to_json(value)));
            serde_json::Value::Object(entries.collect())
        }
        other => to_hubspot(other).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_hubspots_spelling() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let cases = [
            (Value::Null, ""),
            (Value::Bool(true), "true"),
            (Value::Bool(false), "false"),
            (number("1500.00"), "1500"),
            (number("-0.50"), "-0.5"),
            (Value::Date(jiff::civil::date(2026, 2, 3)), "2026-02-03"),
            (Value::DateTime("2026-02-03T04:05:06.789Z".parse().unwrap()), "2026-02-03T04:05:06.789Z"),
            (Value::text("a;b"), "a;b"),
            (Value::List(vec!["A".into(), "B".into()]), "A;B"),
            (Value::Object(vec![("n".into(), Value::Bool(true))]), r#"{"n":true}"#),
        ];
        for (value, spelling) in cases {
            assert_eq!(to_hubspot(&value), spelling, "{value:?}");
        }
        assert_eq!(from_hubspot(Some("")), Value::Null);
        assert_eq!(from_hubspot(None), Value::Null);
    }
}
