//! A push event as HubSpot writes it, read with tolerance: documents and observed payloads differ.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The fields that any kind of event needs. Unknown ones are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEvent<'a> {
    #[serde(deserialize_with = "required_u64")]
    pub(super) portal_id: u64,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) app_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) subscription_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) occurred_at: Option<u64>,
    // The old documents' sample says eventType, payloads say subscriptionType.
    #[serde(borrow, default, alias = "eventType")]
    pub(super) subscription_type: Cow<'a, str>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) object_id: Option<u64>,
    #[serde(borrow, default)]
    pub(super) object_type_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) property_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) property_value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) change_source: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) source_id: Option<Text<'a>>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) from_object_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) to_object_id: Option<u64>,
    #[serde(borrow, default)]
    pub(super) from_object_type_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) to_object_type_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) association_type: Option<Text<'a>>,
    #[serde(default)]
    pub(super) association_removed: Option<bool>,
    #[serde(default)]
    pub(super) is_primary_association: Option<bool>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) primary_object_id: Option<u64>,
    #[serde(default)]
    pub(super) merged_object_ids: Option<Ids>,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) new_object_id: Option<u64>,
    #[serde(borrow, default)]
    pub(super) message_id: Option<Text<'a>>,
}

/// What is left to ask of an event whose other fields have types that nobody foresaw.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Barest<'a> {
    #[serde(deserialize_with = "required_u64")]
    pub(super) portal_id: u64,
    #[serde(default, deserialize_with = "lenient_u64")]
    pub(super) occurred_at: Option<u64>,
    #[serde(borrow, default, alias = "eventType")]
    pub(super) subscription_type: Option<&'a RawValue>,
}

/// A text, borrowed where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A list of ids, numbers or texts of digits. What is neither makes the event one of the unknown.
pub(super) struct Ids(pub(super) Vec<u64>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;

        impl<'de> Visitor<'de> for Elements {
            type Value = Ids;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ids, A::Error> {
                let mut ids = Vec::new();
                while let Some(Id(id)) = list.next_element()? {
                    ids.push(id.ok_or_else(|| A::Error::custom("not an id"))?);
                }
                Ok(Ids(ids))
            }
        }

        deserializer.deserialize_seq(Elements)
    }
}

/// An id as a number or a text of digits; anything else is `None`.
struct Id(Option<u64>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl<'de> Visitor<'de> for NumberOrText {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or its digits")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
                Ok(Id(Some(number)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Id, E> {
                Ok(Id(u64::try_from(number).ok()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Id, E> {
                Ok(Id(None))
            }

            fn visit_str<E>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.parse().ok()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Id, E> {
                Ok(Id(None))
            }

            fn visit_unit<E>(self) -> Result<Id, E> {
                Ok(Id(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Id, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Id(None))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Id, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Id(None))
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

/// A number, its digits, or nothing.
pub(crate) fn lenient_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Id::deserialize(deserializer).map(|id| id.0)
}

fn required_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    lenient_u64(deserializer)?.ok_or_else(|| D::Error::custom("not an id"))
}
