//! What must be known of a table to write it, and values of the kit in the types of the file.

use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sync_types::{PropertyKind, Rejection, Value};

use super::error::rejection;
use super::rows::Columns;
use super::schema::{Column, columns_of};

/// A table that is written.
#[derive(Debug)]
pub(super) struct Table<'c> {
    pub(super) columns: &'c Columns,
    known: Vec<Column>,
}

impl<'c> Table<'c> {
    pub(super) fn read(connection: &Connection, columns: &'c Columns) -> rusqlite::Result<Table<'c>> {
        Ok(Table { columns, known: columns_of(connection, columns)? })
    }

    /// A value as the column takes it.
    pub(super) fn value(&self, column: &str, value: &Value) -> Result<SqlValue, Rejection> {
        let refuse = |code, reason| Err(rejection(code, Some(column), reason));
        let kind = self.columns.shape.place(column).and_then(|place| self.columns.kinds.get(place));
        let Some(kind) = kind else {
            return refuse("no-such-field", "the table has no such column, or it holds binary data");
        };
        let known = self.known.iter().find(|known| known.name == column);
        if known.is_some_and(|known| known.is_generated) {
            return refuse("read-only", "the file calculates this column");
        }
        let is_number = *kind == PropertyKind::Number;
        Ok(match value {
            // Read, the empty text is empty; so it is where the column must hold something.
            Value::Null if !is_number && known.is_some_and(|known| known.not_null) => {
                SqlValue::Text(String::new())
            }
            Value::Null => SqlValue::Null,
            Value::Bool(value) => SqlValue::Integer(i64::from(*value)),
            Value::Number(number) => match number.to_i64().filter(|whole| Decimal::from(*whole) == *number) {
                Some(whole) => SqlValue::Integer(whole),
                // As text it keeps every digit; the column's affinity makes a number of it.
                None => SqlValue::Text(number.normalize().to_string()),
            },
            Value::Date(date) => SqlValue::Text(date.to_string()),
            Value::DateTime(time) => SqlValue::Text(time.to_string()),
            Value::Text(text) if is_number && text.trim().parse::<Decimal>().is_err() => {
                return refuse("bad-number", "the column holds numbers, and this is none");
            }
            Value::Text(text) => SqlValue::Text(text.to_string()),
            Value::List(_) | Value::Object(_) => {
                return refuse("bad-kind", "a column holds one value, and this is a list or an object");
            }
        })
    }
}
