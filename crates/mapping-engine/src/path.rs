//! Source paths: a column, or a place inside a nested value.

use sync_types::{Record, Shape, Value};

/// A path as the mapping names it: `email`, `address.city`, `lines.0.sku`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) text: String,
}

/// Where a path leads in records of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    column: usize,
    /// The steps inside the column's value.
    inside: Vec<Box<str>>,
}

impl Path {
    pub(crate) fn new(text: &str) -> Path {
        Path { text: text.to_owned() }
    }

    /// The column the path begins with is the longest one that exists, so that a column may have dots in its name.
    pub(crate) fn resolve(&self, shape: &Shape) -> Option<Place> {
        let mut end = self.text.len();
        loop {
            let column = self.text.get(..end)?;
            if let Some(column) = shape.place(column) {
                let rest = self.text.get(end..).unwrap_or_default();
                let inside = rest.split('.').filter(|step| !step.is_empty()).map(Into::into).collect();
                return Some(Place { column, inside });
            }
            end = column.rfind('.')?;
        }
    }
}

impl Place {
    /// The value at the place; `None` where a nested value does not have it.
    pub(crate) fn value<'r>(&self, record: &'r Record) -> Option<&'r Value> {
        let mut value = record.values().get(self.column)?;
        for step in &self.inside {
            value = match value {
                Value::Object(entries) => &entries.iter().find(|(name, _)| **name == **step)?.1,
                Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}
