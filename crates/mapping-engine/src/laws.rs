//! The laws of a field that flows both ways, tried on values that are likely to break them.
//!
//! The way back proves every single value as it goes (see [`crate::inverse`]), so a broken law costs no data; it
//! would cost a person's time, one refused value after the other. Here a field is tried before it runs:
//!
//! 1. what the source holds comes back: for every source value that maps at all, the property's value has a way back
//!    that maps to it again;
//! 2. what HubSpot offers comes back: every option, and ordinary values of the property's kind.

mod probes;
#[cfg(test)]
mod tests;

use std::fmt;

use sync_types::{PropertyKind, Record, Shape, Value};

use crate::inverse::BackPlan;
use crate::plan::{FieldPlan, LinkPlan};

/// A value that breaks a law.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Counterexample {
    /// The value: one that the schema or this module names. `None` for a value of a sample record.
    pub(crate) value: Option<Value>,
    /// Which side holds it, in words.
    pub(crate) side: &'static str,
    /// Why it does not come back.
    pub(crate) reason: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "`{}` {}", value.reveal(), self.side)?,
            None => write!(f, "a value {}", self.side)?,
        }
        write!(f, ": {}", self.reason)
    }
}

impl fmt::Debug for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tries both laws on a field with its way back: on the options of the property (empty where they are not known), on
/// boundary values of its kind, on usual values of the source, and on sample records of the source.
///
/// # Errors
/// The first value that breaks a law.
pub(crate) fn prove(
    link: &LinkPlan,
    field: &FieldPlan,
    back: &BackPlan,
    options: &[String],
    samples: &[Record],
) -> Result<(), Counterexample> {
    let returns = |value: &Value| {
        let value = link.respelled_by(field, back, field.limits.form.canonical(value.clone()));
        link.write_back(field, back, &value).map(drop).map_err(|failure| failure.reason.into_owned())
    };
    for option in options {
        let value = match field.limits.kind {
            PropertyKind::Options => Value::List(vec![Value::text(option.as_str())]),
            _ => Value::text(option.as_str()),
        };
        returns(&value).map_err(|reason| Counterexample {
            value: Some(value),
            side: "in HubSpot",
            reason,
        })?;
    }
    for value in probes::ordinary(field.limits.kind) {
        returns(&value).map_err(|reason| Counterexample {
            value: Some(value),
            side: "in HubSpot",
            reason,
        })?;
    }
    let source = |record: &Record, shown: Option<&Value>| {
        let Ok(Some(value)) = link.run_field(field, record, &link.places(record.shape()), None) else {
            return Ok(());
        };
        if value.is_null() && field.required {
            return Ok(());
        }
        let counterexample =
            |reason: String| Counterexample { value: shown.cloned(), side: "in the source", reason };
        if link.respelled_by(field, back, value.clone()) != value {
            return Err(counterexample(String::from("what it maps to comes back as the value of another")));
        }
        returns(&value).map_err(counterexample)
    };
    for value in
        probes::source(&field.steps, &field.limits).into_iter().filter(|value| back.may_start_with(value))
    {
        source(&record_of(link, field, &value), Some(&value))?;
    }
    for record in samples {
        source(record, None)?;
    }
    Ok(())
}

/// A record that has the value in each of the field's paths.
fn record_of(link: &LinkPlan, field: &FieldPlan, value: &Value) -> Record {
    let paths = field.source.paths();
    let shape = Shape::new(paths.iter().map(|path| link.path_text(*path)));
    let values = vec![value.clone(); shape.names().len()];
    Record::new(sync_types::ExternalId::new("sample"), shape, values)
}
