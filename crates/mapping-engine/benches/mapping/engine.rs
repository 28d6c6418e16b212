//! The mapping engine: JSON to a record, the checked mapping, HubSpot's JSON.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use mapping_engine::{Check, CheckedMapping};
use rust_decimal::Decimal;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sync_types::{CompactString, ExternalId, LinkId, Mapper, Record, Shape, Value};

use crate::Failure;

const MAPPING: &str = include_str!("mapping.toml");

/// The columns that the mapping reads; a source asks for no others.
const COLUMNS: [&str; 16] = [
    "id",
    "firstName",
    "lastName",
    "mail",
    "phone",
    "mobile",
    "company",
    "website",
    "address",
    "status",
    "limit",
    "discount",
    "created",
    "birthday",
    "newsletter",
    "tags",
];

pub(crate) struct Program {
    mapping: CheckedMapping,
    shape: Arc<Shape>,
    /// The beginning of each property in the output: `,"name":`.
    names: Vec<String>,
}

impl Program {
    pub(crate) fn new() -> Result<Program, Failure> {
        let mapping = Check::new("mapping.toml", MAPPING).run()?;
        let names =
            mapping.links()[0].properties.iter().map(|property| format!(",\"{}\":", property.name)).collect();
        Ok(Program { mapping, shape: Shape::new(COLUMNS), names })
    }
}

impl crate::Program for Program {
    fn map(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mut json = serde_json::Deserializer::from_str(line);
        let values = Columns(&self.shape).deserialize(&mut json)?;
        let id = ExternalId::new(values[0].as_text().unwrap_or_default());
        let record = Record::new(id, self.shape.clone(), values);
        let mapped = self.mapping.map(LinkId(0), &record)?;
        out.extend_from_slice(b"{\"properties\":{");
        let mut first = true;
        for (name, value) in self.names.iter().zip(&mapped.values) {
            let Some(value) = value else { continue };
            out.extend_from_slice(&name.as_bytes()[usize::from(first)..]);
            first = false;
            write_value(out, value)?;
        }
        out.extend_from_slice(b"}}");
        Ok(())
    }
}

/// A value in HubSpot's spelling: everything is a text.
fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), Failure> {
    match value {
        Value::Null => out.extend_from_slice(b"\"\""),
        Value::Text(text) => serde_json::to_writer(out, text.as_str())?,
        Value::Bool(value) => write!(out, "\"{value}\"")?,
        Value::Number(value) => write!(out, "\"{value}\"")?,
        Value::Date(value) => write!(out, "\"{value}\"")?,
        Value::DateTime(value) => write!(out, "\"{value}\"")?,
        Value::List(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_text).collect();
            serde_json::to_writer(out, &items.join(";"))?;
        }
        Value::Object(_) => return Err("HubSpot has no objects".into()),
    }
    Ok(())
}

/// Reads an object's columns into their places.
struct Columns<'s>(&'s Shape);

impl<'de> DeserializeSeed<'de> for Columns<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Value>, A::Error> {
        let mut values = vec![Value::Null; self.0.names().len()];
        while let Some(place) = map.next_key_seed(Name(self.0))? {
            match place.and_then(|place| values.get_mut(place)) {
                Some(value) => *value = map.next_value_seed(AnyValue)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

/// The place of a column's name, without a copy of it.
struct Name<'s>(&'s Shape);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.place(name))
    }
}

/// Any JSON value.
struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Decimal::try_from(value).map(Value::Number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(CompactString::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(AnyValue)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<Box<str>>()? {
            entries.push((name, map.next_value_seed(AnyValue)?));
        }
        Ok(Value::Object(entries))
    }
}
