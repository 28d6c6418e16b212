//! Rows of SQLite to records, and keys to page tokens and back.

use std::sync::Arc;

use rusqlite::types::{Value as SqlValue, ValueRef};
use rust_decimal::Decimal;
use sync_types::{BadRecord, ExternalId, PageToken, PropertyKind, Record, Shape, Value};

/// A collection as it is read: its columns and which of them is the key.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// `FILE collection NAME`, for messages.
    pub(super) place: String,
    pub(super) shape: Arc<Shape>,
    pub(super) kinds: Vec<PropertyKind>,
    pub(super) key: usize,
    pub(super) key_name: String,
    /// The inner statement: a table's name in quotes, or a query in brackets.
    pub(super) relation: String,
    /// The table's name as it is; empty for a query.
    pub(super) table: String,
}

/// What a declared column type holds, by SQLite's rules of affinity.
pub(super) fn kind_of(declared: Option<&str>) -> PropertyKind {
    let declared = declared.unwrap_or_default().to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        PropertyKind::Number
    } else if has("CHAR") || has("CLOB") || has("TEXT") || has("DATE") || has("TIME") {
        PropertyKind::Text
    } else if declared.is_empty() || has("BLOB") || has("JSON") {
        PropertyKind::Json
    } else {
        // REAL, DOUBLE, NUMERIC, DECIMAL, BOOLEAN and what else has numeric affinity.
        PropertyKind::Number
    }
}

impl Columns {
    /// The record of a row.
    pub(super) fn record(&self, row: &rusqlite::Row<'_>) -> Result<Record, BadRecord> {
        let key = row.get_ref(self.key).ok().and_then(key_text);
        let Some(id) = key.map(|key| ExternalId::new(&*key)) else {
            let reason = format!("the key `{}` is neither a text nor a whole number", self.key_name);
            return Err(self.bad(
                "missing-key",
                None,
                "?",
                reason,
                "name a column that identifies every row",
            ));
        };
        let names = self.shape.names();
        let mut values = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            let read = row.get_ref(place).map_err(|_| "the column cannot be read").and_then(value);
            match read {
                Ok(value) => values.push(value),
                Err(why) => {
                    let text = id.as_str().to_owned();
                    let reason = format!("the column `{name}` cannot be used: {why}");
                    let remedy = "correct the value, or leave the column out with a `query`";
                    return Err(self.bad("bad-value", Some(id), &text, reason, remedy));
                }
            }
        }
        Ok(Record::new(id, self.shape.clone(), values))
    }

    pub(super) fn bad(
        &self,
        code: &'static str,
        id: Option<ExternalId>,
        key: &str,
        reason: String,
        remedy: &str,
    ) -> BadRecord {
        BadRecord { code, id, place: format!("{} key {key}", self.place), reason, remedy: remedy.to_owned() }
    }
}

fn value(value: ValueRef<'_>) -> Result<Value, &'static str> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::from(number)),
        // The shortest decimal that gives the same binary number is what was meant: 0.99, not 0.98999999999999999.
        ValueRef::Real(number) => number
            .to_string()
            .parse::<Decimal>()
            .map(Value::Number)
            .map_err(|_| "the number is outside of what an exact decimal of 28 digits holds"),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(Value::from).map_err(|_| "the text is not UTF-8")
        }
        ValueRef::Blob(_) => Err("it holds binary data"),
    }
}

/// The external id of a key; `None` for what cannot be one.
fn key_text(key: ValueRef<'_>) -> Option<String> {
    match key {
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).ok().filter(|text| !text.is_empty()).map(str::to_owned)
        }
        _ => None,
    }
}

/// The place behind a key, with its type, because `1` and `'1'` sort apart. Keys that no record can have are
/// passed as well.
pub(super) fn token_of(key: ValueRef<'_>) -> Option<PageToken> {
    let token = match key {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => format!("i{number}"),
        ValueRef::Text(text) => format!("t{}", hex(text)),
        ValueRef::Real(number) => format!("r{}", number.to_bits()),
        ValueRef::Blob(bytes) => format!("b{}", hex(bytes)),
    };
    Some(PageToken(token))
}

/// The key that a token stands behind.
pub(super) fn key_of(token: &PageToken) -> Option<SqlValue> {
    let (kind, rest) = token.0.split_at_checked(1)?;
    match kind {
        "i" => rest.parse().ok().map(SqlValue::Integer),
        "r" => rest.parse().ok().map(|bits| SqlValue::Real(f64::from_bits(bits))),
        "t" => String::from_utf8(unhex(rest)?).ok().map(SqlValue::Text),
        "b" => unhex(rest).map(SqlValue::Blob),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The forms in which an id may stand in the database.
pub(super) fn forms_of(id: &ExternalId) -> (SqlValue, SqlValue) {
    let text = SqlValue::Text(id.as_str().to_owned());
    let number = id.as_str().parse::<i64>().ok().filter(|number| number.to_string() == id.as_str());
    (number.map_or_else(|| text.clone(), SqlValue::Integer), text)
}
