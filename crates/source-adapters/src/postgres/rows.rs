//! Rows of text to records, and values of the kit to text that the server casts.
//!
//! Every column is asked for as text and cast back by the server where it is written: one road for all types, with
//! the server's own reading and writing of each.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use sync_types::{BadRecord, ExternalId, PropertyKind, Record, Rejection, Shape, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{Kind, Type};

use super::error::rejection;

/// How a column is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Number,
    Bool,
    Date,
    DateTime,
    /// JSON, and any other that is read by way of it.
    Json,
    /// An array, by way of JSON.
    Array,
}

/// One column of a collection.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) kind: PropertyKind,
    /// The type's name in SQL.
    pub(super) sql_type: String,
    /// The labels of an enumeration.
    pub(super) options: Vec<String>,
    /// It holds something in every row.
    pub(super) not_null: bool,
    /// The server sets it, and nobody else may.
    pub(super) read_only: bool,
    /// A new row gets a value if nobody brings one.
    pub(super) has_default: bool,
    /// It is unique by itself.
    pub(super) unique: bool,
    /// The most characters.
    pub(super) length_max: Option<usize>,
}

/// A collection as it is read.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// `collection NAME`, for messages.
    pub(super) place: String,
    pub(super) shape: Arc<Shape>,
    pub(super) columns: Vec<Column>,
    /// Where the key stands.
    pub(super) key: usize,
    /// The relation: a table's name in quotes with its schema, or a query in brackets.
    pub(super) relation: String,
    /// What must hold of a row that is there, in SQL; `true` for all.
    pub(super) live: String,
    /// Whether no two rows have the same key and none has none, by the word of the table.
    pub(super) is_keyed: bool,
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Column {
    /// The column with what its type says; `None` for binary data, which is left out.
    pub(super) fn new(name: &str, of: &Type) -> Option<Column> {
        let mut inner = of;
        while let Kind::Domain(base) = inner.kind() {
            inner = base;
        }
        let mut options = Vec::new();
        let (form, kind) = match (inner.kind(), inner.name()) {
            (_, "bytea") => return None,
            (Kind::Enum(labels), _) => {
                options.clone_from(labels);
                (Form::Text, PropertyKind::Option)
            }
            (Kind::Array(_), _) => (Form::Array, PropertyKind::Json),
            (_, "bool") => (Form::Bool, PropertyKind::Bool),
            (_, "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "oid") => {
                (Form::Number, PropertyKind::Number)
            }
            (_, "date") => (Form::Date, PropertyKind::Date),
            (_, "timestamptz") => (Form::DateTime, PropertyKind::DateTime),
            (_, "json" | "jsonb") => (Form::Json, PropertyKind::Json),
            (Kind::Simple | Kind::Pseudo, _) => (Form::Text, PropertyKind::Text),
            _ => (Form::Json, PropertyKind::Json),
        };
        Some(Column {
            name: name.to_owned(),
            form,
            kind,
            sql_type: format!("{}.{}", quoted(of.schema()), quoted(of.name())),
            options,
            not_null: false,
            read_only: false,
            has_default: false,
            unique: false,
            length_max: None,
        })
    }

    /// The column as text, in SQL.
    pub(super) fn shown(&self) -> String {
        match self.form {
            Form::Json | Form::Array => format!("to_jsonb({})::text", quoted(&self.name)),
            _ => format!("{}::text", quoted(&self.name)),
        }
    }

    /// A parameter of text as the column's type, in SQL.
    pub(super) fn cast(&self, place: usize) -> String {
        match self.form {
            // Not the server's own notation of arrays: elements may hold commas and braces.
            Form::Array => format!(
                "(CASE WHEN ${place}::text IS NULL THEN NULL ELSE ARRAY(SELECT jsonb_array_elements_text(${place}::text::jsonb))::{} END)",
                self.sql_type
            ),
            _ => format!("${place}::text::{}", self.sql_type),
        }
    }

    fn value(&self, text: &str) -> Result<Value, &'static str> {
        match self.form {
            Form::Text => Ok(Value::text(text)),
            Form::Bool => Ok(Value::Bool(text == "true")),
            Form::Number => decimal(text).map(Value::Number),
            Form::Date => text.parse::<Date>().map(Value::Date).map_err(|_| "the date is out of range"),
            Form::DateTime => {
                text.parse::<Timestamp>().map(Value::DateTime).map_err(|_| "the time is out of range")
            }
            Form::Json | Form::Array => {
                let json = serde_json::from_str(text).map_err(|_| "the JSON is nested too deeply")?;
                from_json(json)
            }
        }
    }

    /// A value as text to be cast, or why it cannot be.
    pub(super) fn text(&self, value: &Value) -> Result<Option<String>, Rejection> {
        let refuse = |code, reason| Err(rejection(code, Some(&self.name), reason));
        if self.read_only {
            return refuse("read-only", "the database sets this column itself");
        }
        Ok(match (self.form, value) {
            // Read, the empty text is empty; so it is where the column must hold something.
            (Form::Text, Value::Null) if self.not_null && self.options.is_empty() => Some(String::new()),
            (_, Value::Null) => None,
            (Form::Json | Form::Array, value) => {
                let json = to_json(value);
                let json =
                    if self.form == Form::Array && !json.is_array() { vec![json].into() } else { json };
                Some(json.to_string())
            }
            (_, Value::Bool(value)) => Some(value.to_string()),
            (_, Value::Number(number)) => Some(number.normalize().to_string()),
            (_, Value::Date(date)) => Some(date.to_string()),
            (_, Value::DateTime(time)) => Some(time.to_string()),
            (_, Value::Text(text)) if text.contains('\0') => {
                return refuse("bad-value", "the text holds a character that PostgreSQL does not keep");
            }
            (_, Value::Text(text)) => Some(text.to_string()),
            (_, Value::List(_) | Value::Object(_)) => {
                return refuse("bad-kind", "the column holds one value, and this is a list or an object");
            }
        })
    }
}

fn decimal(text: &str) -> Result<Decimal, &'static str> {
    let number = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { text.parse() };
    number.map_err(|_| "the number is outside of what an exact decimal of 28 digits holds")
}

fn from_json(json: serde_json::Value) -> Result<Value, &'static str> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(decimal(&number.to_string())?),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::List(items.into_iter().map(from_json).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            let entries =
                entries.into_iter().map(|(name, value)| Ok((name.into_boxed_str(), from_json(value)?)));
            Value::Object(entries.collect::<Result<_, &'static str>>()?)
        }
    })
}

fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => {
            let text = number.normalize().to_string();
            serde_json::from_str(&text).unwrap_or(Json::String(text))
        }
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Object(entries) => {
            entries.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect()
        }
        other => Json::String(other.reveal().to_string()),
    }
}

impl Columns {
    pub(super) fn key_column(&self) -> Option<&Column> {
        self.columns.get(self.key)
    }

    pub(super) fn key_name(&self) -> &str {
        self.key_column().map_or("", |column| &column.name)
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.shape.place(name).and_then(|place| self.columns.get(place))
    }

    /// All columns as text, in SQL.
    pub(super) fn list(&self) -> String {
        let shown: Vec<String> = self.columns.iter().map(Column::shown).collect();
        shown.join(", ")
    }

    /// The key's text of a row that was read with [`Columns::list`].
    pub(super) fn key_of<'r>(&self, row: &'r Row) -> Option<&'r str> {
        row.try_get::<_, Option<&str>>(self.key).ok().flatten()
    }

    /// The record of a row that was read with [`Columns::list`].
    pub(super) fn record(&self, row: &Row) -> Result<Record, BadRecord> {
        let Some(key) = self.key_of(row).filter(|key| !key.is_empty()) else {
            let reason = format!("the key `{}` is empty", self.key_name());
            return Err(self.bad("missing-key", None, reason, "name a column that identifies every row"));
        };
        let id = ExternalId::new(key);
        let mut values = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let read = match row.try_get::<_, Option<&str>>(place) {
                Ok(None) => Ok(Value::Null),
                Ok(Some(text)) => column.value(text),
                Err(_) => Err("it is no text"),
            };
            match read {
                Ok(value) => values.push(value),
                Err(why) => {
                    let reason = format!("the column `{}` cannot be used: {why}", column.name);
                    let remedy = "correct the value, or leave the column out with a `query`";
                    return Err(self.bad("bad-value", Some(id), reason, remedy));
                }
            }
        }
        Ok(Record::new(id, Arc::clone(&self.shape), values))
    }

    pub(super) fn bad(
        &self,
        code: &'static str,
        id: Option<ExternalId>,
        reason: String,
        remedy: &str,
    ) -> BadRecord {
        let key = id.as_ref().map_or("?", ExternalId::as_str);
        let place = format!("{} key {key}", self.place);
        BadRecord { code, id, place, reason, remedy: remedy.to_owned() }
    }
}
