//! A value on its way through a chain: borrowed from the source record until a step has to change it.

use std::borrow::Cow;

use sync_types::{PropertyKind, Value};

/// A value between two steps. Text stays borrowed as long as no step changes it.
#[derive(Clone)]
pub(crate) enum Flow<'a> {
    /// Empty.
    Null,
    /// Text, never empty.
    Text(Cow<'a, str>),
    /// Anything else, never [`Value::Null`] or [`Value::Text`].
    Other(Value),
}

impl<'a> Flow<'a> {
    pub(crate) fn borrowed(value: &'a Value) -> Flow<'a> {
        match value {
            Value::Null => Flow::Null,
            Value::Text(text) => Flow::text(Cow::Borrowed(text)),
            other => Flow::Other(other.clone()),
        }
    }

    pub(crate) fn owned(value: Value) -> Flow<'a> {
        match value {
            Value::Null => Flow::Null,
            Value::Text(text) => Flow::text(Cow::Owned(text.into())),
            other => Flow::Other(other),
        }
    }

    pub(crate) fn text(text: Cow<'a, str>) -> Flow<'a> {
        if text.is_empty() { Flow::Null } else { Flow::Text(text) }
    }

    pub(crate) fn into_value(self) -> Value {
        match self {
            Flow::Null => Value::Null,
            Flow::Text(text) => Value::Text(text.into()),
            Flow::Other(value) => value,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Flow::Null)
    }

    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Flow::Null => "empty",
            Flow::Text(_) => "text",
            Flow::Other(value) => value.kind_name(),
        }
    }
}

/// What is known of a value before it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// Nothing: it is decided value by value.
    Any,
    Text,
    Number,
    Bool,
    Date,
    DateTime,
    /// Texts.
    List,
}

impl Ty {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Ty::Any => "a value of any kind",
            Ty::Text => "text",
            Ty::Number => "a number",
            Ty::Bool => "a truth value",
            Ty::Date => "a date",
            Ty::DateTime => "a date-time",
            Ty::List => "a list",
        }
    }

    /// What a source's property holds.
    pub(crate) fn of_source(kind: PropertyKind) -> Ty {
        match kind {
            PropertyKind::Text | PropertyKind::Option => Ty::Text,
            PropertyKind::Number => Ty::Number,
            PropertyKind::Bool => Ty::Bool,
            PropertyKind::Date => Ty::Date,
            PropertyKind::DateTime => Ty::DateTime,
            PropertyKind::Options => Ty::List,
            _ => Ty::Any,
        }
    }

    pub(crate) fn of_value(value: &Value) -> Ty {
        match value {
            Value::Text(_) => Ty::Text,
            Value::Number(_) => Ty::Number,
            Value::Bool(_) => Ty::Bool,
            Value::Date(_) => Ty::Date,
            Value::DateTime(_) => Ty::DateTime,
            Value::List(_) => Ty::List,
            Value::Null | Value::Object(_) => Ty::Any,
        }
    }

    /// The property kind that such values fit without more being said.
    pub(crate) fn natural_kind(self) -> PropertyKind {
        match self {
            Ty::Any | Ty::Text => PropertyKind::Text,
            Ty::Number => PropertyKind::Number,
            Ty::Bool => PropertyKind::Bool,
            Ty::Date => PropertyKind::Date,
            Ty::DateTime => PropertyKind::DateTime,
            Ty::List => PropertyKind::Options,
        }
    }

    /// Whether a property of this kind can hold such values.
    pub(crate) fn fits(self, kind: PropertyKind) -> bool {
        match self {
            Ty::Any => true,
            Ty::Text => matches!(
                kind,
                PropertyKind::Text | PropertyKind::Option | PropertyKind::Options | PropertyKind::Json
            ),
            Ty::Number => matches!(kind, PropertyKind::Number | PropertyKind::Json),
            Ty::Bool => matches!(kind, PropertyKind::Bool | PropertyKind::Json),
            Ty::Date => matches!(kind, PropertyKind::Date | PropertyKind::Json),
            Ty::DateTime => matches!(kind, PropertyKind::DateTime | PropertyKind::Json),
            Ty::List => matches!(kind, PropertyKind::Options | PropertyKind::Json),
        }
    }
}

/// Why a step refused a value: never with the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) remedy: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(
        code: &'static str,
        reason: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Failure {
        Failure { code, reason: reason.into(), remedy: remedy.into() }
    }

    pub(crate) fn bad_type(step: &str, wanted: Ty, found: &str) -> Failure {
        Failure::new(
            "bad-type",
            format!("`{step}` takes {}, but the value is {found}", wanted.name()),
            "put a transform before it that makes the kind it takes, or correct the source",
        )
    }
}
