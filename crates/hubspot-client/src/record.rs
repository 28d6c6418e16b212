//! A record as HubSpot answers it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::object_type::RecordId;
use crate::wire::{null_as_default, optional_text};

/// A record. `Debug` shows ids and property names, never values.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Record {
    /// The record's id. On a single get by an id that was merged away, it is the survivor's.
    pub id: RecordId,
    /// Values by property name. A property that was asked for and is empty may be `None` or absent: both mean empty.
    #[serde(default)]
    pub properties: PropertyMap,
    /// When it was created, ISO 8601 UTC.
    #[serde(default, deserialize_with = "optional_text")]
    pub created_at: Option<Box<str>>,
    /// When it was last changed, ISO 8601 UTC.
    #[serde(default, deserialize_with = "optional_text")]
    pub updated_at: Option<Box<str>>,
    /// Whether it is in the recycling bin.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
    /// When it was archived.
    #[serde(default, deserialize_with = "optional_text")]
    pub archived_at: Option<Box<str>>,
    /// Upsert answers only: whether the record was created.
    #[serde(default)]
    pub new: Option<bool>,
    /// The trace id of the input that this answers, on writes.
    #[serde(default, deserialize_with = "optional_text")]
    pub object_write_trace_id: Option<Box<str>>,
    /// Associated ids by object type, when asked for; truncated and without labels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub associations: BTreeMap<String, AssociatedIds>,
    /// Earlier values by property, newest first, when asked for.
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties_with_history: BTreeMap<String, Vec<PropertyVersion>>,
    /// What HubSpot changed in the values written (from 2026-09 on).
    #[serde(default, deserialize_with = "null_as_default")]
    pub warnings: Vec<Warning>,
}

impl Record {
    /// A property's value; `None` when empty, absent or not asked for.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("properties", &self.properties)
            .field("archived", &self.archived)
            .field("new", &self.new)
            .finish_non_exhaustive()
    }
}

/// Property values in the order of the answer, all in one text: a record of thirty properties is two allocations, not
/// sixty, and a linear look-up among so few beats a tree. `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertyMap {
    text: String,
    entries: Vec<Entry>,
}

/// Where a property's name and value lie in the text: the value follows the name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: usize,
    name_end: usize,
    /// The end of the value; `None` when it is empty.
    value_end: Option<usize>,
}

impl PropertyMap {
    fn entry(&self, entry: &Entry) -> (&str, Option<&str>) {
        let name = self.text.get(entry.start..entry.name_end).unwrap_or_default();
        (name, entry.value_end.and_then(|end| self.text.get(entry.name_end..end)))
    }

    /// A property's value; `None` when empty or absent.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.named(property)?
    }

    /// A property's value, `Some(None)` when it is named and empty, `None` when the answer does not name it.
    #[must_use]
    pub fn named(&self, property: &str) -> Option<Option<&str>> {
        // Lengths first: most names differ in it, and cutting a name out of the text costs more than that.
        let fits = |entry: &&Entry| entry.name_end - entry.start == property.len();
        let mut entries = self.entries.iter().filter(fits).map(|entry| self.entry(entry));
        entries.find(|(name, _)| *name == property).map(|(_, value)| value)
    }

    /// As [`PropertyMap::named`], for many answers of one shape: `guess` is where the property stood in the last one,
    /// and is moved to where it stands in this one.
    #[must_use]
    pub fn named_near(&self, property: &str, guess: &mut usize) -> Option<Option<&str>> {
        if let Some(entry) = self.entries.get(*guess) {
            let (name, value) = self.entry(entry);
            if name == property {
                return Some(value);
            }
        }
        let at = self.iter().position(|(name, _)| name == property)?;
        *guess = at;
        self.iter().nth(at).map(|(_, value)| value)
    }

    /// Whether the answer names the property, empty or not.
    #[must_use]
    pub fn contains(&self, property: &str) -> bool {
        self.named(property).is_some()
    }

    /// Names and values in the order of the answer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.entries.iter().map(|entry| self.entry(entry))
    }

    /// How many properties the answer names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the answer names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for PropertyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de> Deserialize<'de> for PropertyMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = PropertyMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of property values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PropertyMap, A::Error> {
                // Records of one answer mostly have two dozen properties or fewer, of some thirty letters each.
                let mut all = PropertyMap {
                    text: String::with_capacity(1024),
                    entries: Vec::with_capacity(map.size_hint().unwrap_or(24)),
                };
                loop {
                    let start = all.text.len();
                    if map.next_key_seed(Append(&mut all.text))?.is_none() {
                        return Ok(all);
                    }
                    let name_end = all.text.len();
                    let has_value = map.next_value_seed(Append(&mut all.text))?;
                    let value_end = has_value.then_some(all.text.len());
                    all.entries.push(Entry { start, name_end, value_end });
                }
            }

            fn visit_unit<E>(self) -> Result<PropertyMap, E> {
                Ok(PropertyMap::default())
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

/// Reads a text, or what HubSpot writes in place of one, onto the end of another; false for null.
struct Append<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Append<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number, boolean or null")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<bool, E> {
        self.0.push_str(text);
        Ok(true)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<bool, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// An earlier value of a property. `Debug` hides the value.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PropertyVersion {
    /// The value; empty text when cleared.
    #[serde(default, deserialize_with = "optional_text")]
    pub value: Option<Box<str>>,
    /// When it was set, ISO 8601 UTC.
    #[serde(default, deserialize_with = "optional_text")]
    pub timestamp: Option<Box<str>>,
    /// Kind of writer, such as `CRM_UI` or `INTEGRATION`.
    #[serde(default, deserialize_with = "optional_text")]
    pub source_type: Option<Box<str>>,
    /// Which writer of that kind.
    #[serde(default, deserialize_with = "optional_text")]
    pub source_id: Option<Box<str>>,
}

impl fmt::Debug for PropertyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropertyVersion")
            .field("timestamp", &self.timestamp)
            .field("source_type", &self.source_type)
            .finish_non_exhaustive()
    }
}

/// Associated ids of one object type, as listed inside a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AssociatedIds {
    /// The first of them. More than one entry per record when several types hold.
    #[serde(default, deserialize_with = "null_as_default")]
    pub results: Vec<AssociatedId>,
}

/// One associated record, as listed inside a record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AssociatedId {
    /// The other record.
    pub id: RecordId,
    /// A slug such as `contact_to_company`.
    #[serde(rename = "type", default, deserialize_with = "optional_text")]
    pub slug: Option<Box<str>>,
}

/// Something HubSpot changed in a value it took. Values are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// Such as `PROPERTY_VALUE_NORMALIZED`.
    #[serde(default, deserialize_with = "optional_text")]
    pub category: Option<Box<str>>,
    /// Which property.
    #[serde(default, rename = "context", deserialize_with = "property_of_context")]
    pub property: Option<Box<str>>,
}

fn property_of_context<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    let context = Option::<crate::wire::Context>::deserialize(deserializer)?.unwrap_or_default();
    Ok(context.get("propertyName").and_then(|names| names.0.first()).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_record_with_everything_odd_about_it() {
        let record: Record = serde_json::from_str(
            r#"{"id":100451,"properties":{"email":"ann@example.com","n":5,"b":true,"empty":null},
                "archived":null,"createdAt":"2026-01-17T19:55:04.281Z","new":true,"unknown":{"x":[1]},
                "warnings":[{"category":"PROPERTY_VALUE_NORMALIZED","context":{"propertyName":["d"],"rawValue":"x"}}],
                "associations":{"companies":{"results":[{"id":"7","type":"contact_to_company"}]}}}"#,
        )
        .unwrap();
        assert_eq!(record.id.as_str(), "100451");
        assert_eq!(
            [
                record.get("email"),
                record.get("n"),
                record.get("b"),
                record.get("empty"),
                record.get("absent")
            ],
            [Some("ann@example.com"), Some("5"), Some("true"), None, None]
        );
        assert!(record.properties.contains("empty"));
        assert_eq!(record.warnings[0].property.as_deref(), Some("d"));
        assert_eq!(record.associations["companies"].results[0].id.as_str(), "7");
        let shown = format!("{record:?}");
        assert!(shown.contains("email") && !shown.contains("ann@"), "{shown}");
    }
}
