//! JSON to records, and fields back to JSON.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use sync_types::{BadRecord, ExternalId, PropertyKind, Record, Shape, Value};

use super::description::{FieldSpec, TimeFormat};
use super::moment;
use super::pointer::{Pointer, scalar};

/// Whole numbers from here on are not exact in a binary fraction, which is how JSON numbers with a dot or an exponent
/// are read.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// How the records of a collection are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// `shop customers`, for messages.
    pub(super) place: String,
    pub(super) key: Pointer,
    pub(super) fields: Arc<Vec<FieldSpec>>,
    pub(super) shape: Arc<Shape>,
    /// Whether the fields were found out rather than described, so that a record may have more.
    pub(super) open: bool,
}

impl Reading {
    pub(super) fn new(place: String, key: Pointer, fields: Vec<FieldSpec>, open: bool) -> Reading {
        let shape = Shape::new(fields.iter().map(|field| field.name.as_str()));
        Reading { place, key, fields: Arc::new(fields), shape, open }
    }

    /// The reading of a page, whose records may have fields that were not met before.
    pub(super) fn widened(&self, records: &[Json]) -> Reading {
        if !self.open {
            return self.clone();
        }
        let names = records.iter().filter_map(Json::as_object).flat_map(Map::keys);
        let mut more: Vec<FieldSpec> = Vec::new();
        for name in names {
            if self.shape.place(name).is_none() && more.iter().all(|field| field.name != *name) {
                more.push(undescribed(name, PropertyKind::Json));
            }
        }
        if more.is_empty() {
            return self.clone();
        }
        let fields = self.fields.iter().cloned().chain(more).collect();
        Reading::new(self.place.clone(), self.key.clone(), fields, true)
    }

    /// The record's id: a text, a whole number, or a truth value as text.
    pub(super) fn id(&self, json: &Json) -> Option<ExternalId> {
        let key = self.key.get(json)?;
        let is_exact = !matches!(key, Json::Number(number) if number.is_f64());
        scalar(key).filter(|id| is_exact && !id.is_empty()).map(ExternalId::from)
    }

    /// The record of an item.
    pub(super) fn record(&self, json: &Json) -> Result<Record, BadRecord> {
        let Some(id) = self.id(json) else {
            let reason = format!("there is no usable id at `{}`", self.key.as_str());
            return Err(self.bad("missing-key", None, reason, "correct `key`, or give every record an id"));
        };
        let Json::Object(entries) = json else {
            let remedy = "correct `records`: it names a list of objects";
            return Err(self.bad("bad-row", Some(id), String::from("the record is no object"), remedy));
        };
        let mut values = Vec::with_capacity(self.fields.len());
        for field in self.fields.iter() {
            let read = entries.get(&field.name).map_or(Ok(Value::Null), |json| value(json, field));
            match read {
                Ok(value) => values.push(value),
                Err(why) => {
                    let reason = format!("the field `{}` cannot be used: {why}", field.name);
                    let remedy = "correct the value, or the field's `kind` in the description";
                    return Err(self.bad("bad-value", Some(id), reason, remedy));
                }
            }
        }
        Ok(Record::new(id, Arc::clone(&self.shape), values))
    }

    fn bad(&self, code: &'static str, id: Option<ExternalId>, reason: String, remedy: &str) -> BadRecord {
        let which = id.as_ref().map_or_else(|| String::from("without an id"), |id| format!("id {id}"));
        BadRecord { code, id, place: format!("{} {which}", self.place), reason, remedy: remedy.to_owned() }
    }

    /// A field by its name.
    pub(super) fn field(&self, name: &str) -> Option<&FieldSpec> {
        self.shape.place(name).and_then(|place| self.fields.get(place))
    }
}

/// A field of which nothing but the name is known.
pub(super) fn undescribed(name: &str, kind: PropertyKind) -> FieldSpec {
    FieldSpec {
        name: name.to_owned(),
        kind,
        format: TimeFormat::Rfc3339,
        required: false,
        read_only: false,
        options: Vec::new(),
    }
}

/// The value of a field of a kind.
fn value(json: &Json, field: &FieldSpec) -> Result<Value, &'static str> {
    match (field.kind, json) {
        (_, Json::Null) => Ok(Value::Null),
        (PropertyKind::DateTime | PropertyKind::Date | PropertyKind::Number, Json::String(text))
            if text.trim().is_empty() =>
        {
            Ok(Value::Null)
        }
        (PropertyKind::DateTime, json) => scalar(json)
            .and_then(|text| moment::parse(&text, field.format))
            .map(Value::DateTime)
            .ok_or("it is no time of the format that is described"),
        (PropertyKind::Date, json) => scalar(json)
            .and_then(|text| day(&text, field.format))
            .map(Value::Date)
            .ok_or("it is no day of the format that is described"),
        (PropertyKind::Number, Json::String(text)) => {
            text.trim().parse::<Decimal>().map(Value::Number).map_err(|_| "it is no number")
        }
        (PropertyKind::Bool, Json::String(text)) => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("it is neither true nor false"),
        },
        (PropertyKind::Text | PropertyKind::Option, Json::Number(_)) => {
            plain(json).map(|_| scalar(json).map_or(Value::Null, Value::from))
        }
        (_, json) => plain(json),
    }
}

fn day(text: &str, format: TimeFormat) -> Option<Date> {
    match format {
        // The day as it is written: an offset or a time behind it says nothing about it.
        TimeFormat::Day | TimeFormat::Rfc3339 | TimeFormat::Utc => text.get(..10)?.parse().ok(),
        TimeFormat::Epoch | TimeFormat::EpochMillis => {
            let at = moment::parse(text, format)?;
            Some(jiff::tz::TimeZone::UTC.to_datetime(at).date())
        }
    }
}

/// A value as JSON has it.
fn plain(json: &Json) -> Result<Value, &'static str> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) => Ok(Value::Bool(*value)),
        Json::String(text) => Ok(Value::text(text.as_str())),
        Json::Number(number) => {
            if number.is_f64() && number.as_f64().is_none_or(|number| number.abs() >= EXACT_MAX) {
                return Err("the number has more digits than can be read exactly; have it sent as a text");
            }
            let text = number.to_string();
            text.parse::<Decimal>()
                .or_else(|_| Decimal::from_scientific(&text))
                .map(Value::Number)
                .map_err(|_| "the number is outside of what an exact decimal of 28 digits holds")
        }
        Json::Array(items) => items.iter().map(plain).collect::<Result<_, _>>().map(Value::List),
        Json::Object(entries) => {
            let read = entries.iter().map(|(name, json)| Ok((name.as_str().into(), plain(json)?)));
            read.collect::<Result<_, _>>().map(Value::Object)
        }
    }
}

/// A value as the field's kind is written in JSON.
pub(super) fn to_json(value: &Value, field: Option<&FieldSpec>) -> Json {
    let format = field.map_or(TimeFormat::Rfc3339, |field| field.format);
    let numbers = matches!(format, TimeFormat::Epoch | TimeFormat::EpochMillis);
    let number = |text: String| serde_json::from_str(&text).unwrap_or(Json::String(text));
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(decimal) => {
            let text = decimal.normalize().to_string();
            let as_text = field.is_some_and(|field| field.kind == PropertyKind::Text);
            if as_text { Json::String(text) } else { number(text) }
        }
        Value::Date(date) if numbers => {
            let at = date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
            at.map_or(Json::Null, |at| number(moment::format(at, format)))
        }
        Value::Date(date) => Json::String(date.to_string()),
        Value::DateTime(at) if numbers => number(moment::format(*at, format)),
        Value::DateTime(at) => Json::String(moment::format(*at, format)),
        Value::Text(text) => Json::String(text.to_string()),
        Value::List(items) => Json::Array(items.iter().map(|item| to_json(item, None)).collect()),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| (name.to_string(), to_json(value, None)));
            Json::Object(entries.collect())
        }
    }
}

/// Puts a field's value at its path: a field's whole name, or steps between dots below one.
///
/// # Errors
/// There is no such field, or it cannot be written.
pub(super) fn put(body: &mut Json, reading: &Reading, path: &str, value: &Value) -> Result<(), String> {
    let mut end = path.len();
    // The longest name that exists, as in the mapping, so that a field may have dots in its name.
    let field = loop {
        let name = path.get(..end).unwrap_or_default();
        if let Some(field) = reading.field(name) {
            break field;
        }
        match name.rfind('.') {
            Some(dot) => end = dot,
            None => return Err(format!("the collection has no field `{path}`")),
        }
    };
    if field.read_only {
        return Err(format!("the field `{}` cannot be written", field.name));
    }
    let mut here = child(body, &field.name);
    let steps: Vec<&str> =
        path.get(end..).unwrap_or_default().split('.').filter(|step| !step.is_empty()).collect();
    let whole = steps.is_empty();
    for step in steps {
        here = match (step.parse::<usize>(), here) {
            (Ok(place), Json::Array(items)) => {
                items.get_mut(place).ok_or_else(|| format!("there is no place `{path}` in the record"))?
            }
            (_, here) => child(here, step),
        };
    }
    *here = to_json(value, whole.then_some(field));
    Ok(())
}

/// The entry of an object; what is no object becomes one.
fn child<'j>(json: &'j mut Json, name: &str) -> &'j mut Json {
    if !json.is_object() {
        *json = Json::Object(Map::new());
    }
    match json {
        Json::Object(entries) => entries.entry(name.to_owned()).or_insert(Json::Null),
        other => other,
    }
}
