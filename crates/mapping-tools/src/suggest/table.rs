//! What is known of a source before there is a mapping: its tables, their columns and some of their values.

use std::fmt;

use sync_types::{PropertyKind, Record, Schema, Value};

/// How many values of a column are looked at.
pub const SAMPLES_MAX: usize = 500;

/// One table, file or collection of the source.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name at the source.
    pub name: String,
    /// The column that identifies a row, where that is known.
    pub key: Option<String>,
    /// Whether the source itself says what identifies a row, so that the settings have nothing to say about it.
    pub is_keyed: bool,
    /// What separates its columns, for a file in which that is no comma.
    pub delimiter: Option<char>,
    /// Its columns, in the source's order.
    pub columns: Vec<Column>,
}

/// One column. `Debug` shows no values.
#[derive(Clone, Default)]
pub struct Column {
    /// Its path: a name, or several with dots between them where values are nested.
    pub path: String,
    /// What people call it, where a data dictionary says so.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What its values are, where the source knows.
    pub kind: Option<PropertyKind>,
    /// A row cannot be without it.
    pub required: bool,
    /// No two rows have the same.
    pub unique: bool,
    /// Its only values, where the source knows.
    pub options: Vec<String>,
    /// Some of its values, empty ones among them.
    pub samples: Vec<Value>,
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("path", &self.path)
            .field("kind", &self.kind)
            .field("samples", &self.samples.len())
            .finish_non_exhaustive()
    }
}

impl Column {
    /// A column of which only the name is known.
    #[must_use]
    pub fn named(path: impl Into<String>) -> Column {
        Column { path: path.into(), ..Column::default() }
    }

    /// The values that are not empty.
    pub(super) fn filled(&self) -> impl Iterator<Item = &Value> {
        self.samples.iter().filter(|value| match value {
            Value::Null => false,
            Value::Text(text) => !text.trim().is_empty(),
            _ => true,
        })
    }
}

impl Table {
    /// A table as an adapter describes it.
    #[must_use]
    pub fn of_schema(schema: &Schema) -> Table {
        let columns = schema.properties.iter().map(|property| Column {
            path: property.name.to_string(),
            kind: Some(property.kind),
            required: property.required,
            unique: property.unique,
            options: property.options.clone(),
            ..Column::default()
        });
        Table { name: schema.name.clone(), columns: columns.collect(), ..Table::default() }
    }

    /// Adds the values of records that were read from the source. Columns that are nested are taken apart.
    pub fn sample<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) {
        for record in records {
            for (name, value) in record.shape().names().iter().zip(record.values()) {
                self.add(name, value.clone());
            }
        }
        // A column that only holds others has no value of its own.
        let paths: Vec<String> = self.columns.iter().map(|column| column.path.clone()).collect();
        self.columns.retain(|column| {
            column.filled().next().is_some()
                || !paths.iter().any(|path| path.starts_with(&format!("{}.", column.path)))
        });
    }

    /// Adds one value of a column, which is made where it is new.
    pub(super) fn add(&mut self, path: &str, value: Value) {
        if let Value::Object(entries) = value {
            for (name, value) in entries {
                self.add(&format!("{path}.{name}"), value);
            }
            return;
        }
        let place = match self.columns.iter().position(|column| column.path == path) {
            Some(place) => place,
            None => {
                self.columns.push(Column::named(path));
                self.columns.len() - 1
            }
        };
        if let Some(column) = self.columns.get_mut(place)
            && column.samples.len() < SAMPLES_MAX
        {
            column.samples.push(value);
        }
    }
}
