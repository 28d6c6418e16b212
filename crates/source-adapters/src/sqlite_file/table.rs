//! What must be known of a table to write it, and values of the kit in the types of the file.

use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sync_types::{PropertyKind, Rejection, Value};

use super::error::rejection;
use super::rows::Columns;

/// A table that is written.
#[derive(Debug)]
pub(super) struct Table<'c> {
    pub(super) columns: &'c Columns,
    /// Columns that hold something in every row.
    not_null: Vec<String>,
    /// Columns that the file calculates.
    generated: Vec<String>,
}

impl<'c> Table<'c> {
    pub(super) fn read(connection: &Connection, columns: &'c Columns) -> rusqlite::Result<Table<'c>> {
        let mut table = Table { columns, not_null: Vec::new(), generated: Vec::new() };
        let mut statement =
            connection.prepare_cached("SELECT name, \"notnull\", hidden FROM pragma_table_xinfo(?1)")?;
        let mut rows = statement.query([&columns.table])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            if row.get(1)? {
                table.not_null.push(name.clone());
            }
            // SQLite docs: 2 and 3 are generated columns, 1 is hidden in a virtual table.
            if row.get::<_, i64>(2)? > 0 {
                table.generated.push(name);
            }
        }
        Ok(table)
    }

    /// A value as the column takes it.
    pub(super) fn value(&self, column: &str, value: &Value) -> Result<SqlValue, Rejection> {
        let refuse = |code, reason| Err(rejection(code, Some(column), reason));
        let kind = self.columns.shape.place(column).and_then(|place| self.columns.kinds.get(place));
        let Some(kind) = kind else {
            return refuse("no-such-field", "the table has no such column, or it holds binary data");
        };
        if self.generated.iter().any(|name| name == column) {
            return refuse("read-only", "the file calculates this column");
        }
        let is_number = *kind == PropertyKind::Number;
        Ok(match value {
            // Read, the empty text is empty; so it is where the column must hold something.
            Value::Null if !is_number && self.not_null.iter().any(|name| name == column) => {
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
