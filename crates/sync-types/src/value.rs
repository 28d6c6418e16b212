//! One value of one property, typed, in the form both sides agree on.

use std::fmt;

use compact_str::CompactString;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// A property's value in canonical form.
///
/// "Not fetched" is not a value: a record that was read without a property does not hold it at all, see
/// [`Record::get`](crate::Record::get). [`Value::Null`] means: looked at, and empty.
///
/// `Debug` shows the kind and the size only, because values are personal data; tests and files written for a
/// person on request use [`Value::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Looked at, and empty. Written, it clears the property.
    Null,
    /// A truth value.
    Bool(bool),
    /// An exact decimal number; `1.50` and `1.5` are equal.
    Number(Decimal),
    /// A calendar day without a time or zone.
    Date(Date),
    /// An instant.
    DateTime(Timestamp),
    /// Text; the empty text is [`Value::Null`] in canonical form.
    Text(CompactString),
    /// Several values, such as the chosen options of a multiple-choice property.
    List(Vec<Value>),
    /// A nested object as a source may hold it, in the source's order.
    Object(Vec<(Box<str>, Value)>),
}

impl Value {
    /// Text, or [`Value::Null`] for the empty text.
    #[must_use]
    pub fn text(text: impl Into<CompactString>) -> Value {
        let text = text.into();
        if text.is_empty() { Value::Null } else { Value::Text(text) }
    }

    /// Whether this is [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value's kind, for messages: never the value itself.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Date(_) => "date",
            Value::DateTime(_) => "date-time",
            Value::Text(_) => "text",
            Value::List(_) => "list",
            Value::Object(_) => "object",
        }
    }

    /// Shows the value in clear. For output that a person asked for, never for logs or errors.
    #[must_use]
    pub fn reveal(&self) -> Revealed<'_> {
        Revealed(self)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "text({} bytes)", text.len()),
            Value::List(items) => write!(f, "list({} items)", items.len()),
            Value::Object(entries) => write!(f, "object({} entries)", entries.len()),
            other => f.write_str(other.kind_name()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Number(Decimal::from(value))
    }
}

impl From<Decimal> for Value {
    fn from(value: Decimal) -> Value {
        Value::Number(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Value {
        Value::Date(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Value {
        Value::DateTime(value)
    }
}

/// A value shown in clear; see [`Value::reveal`].
pub struct Revealed<'a>(&'a Value);

impl fmt::Display for Revealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("(empty)"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{}", value.normalize()),
            Value::Date(value) => write!(f, "{value}"),
            Value::DateTime(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(";")?;
                    }
                    write!(f, "{}", item.reveal())?;
                }
                Ok(())
            }
            Value::Object(entries) => {
                f.write_str("{")?;
                for (index, (name, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{name}: {}", value.reveal())?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Debug for Revealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
