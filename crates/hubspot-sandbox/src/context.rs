//! One call as the endpoints see it, and the answer they give.

use std::fmt;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::router::Version;
use crate::time::Millis;

/// Place of a change source in the portal's table of sources.
pub(crate) type SourceKey = u32;

/// What an endpoint knows about the call beside the path's arguments.
pub(crate) struct Ctx<'r> {
    pub(crate) now: Millis,
    pub(crate) version: Version,
    pub(crate) path: &'r str,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: &'r [u8],
    pub(crate) source: SourceKey,
    /// How far search is behind for this call.
    pub(crate) lag: Millis,
    /// Row of a batch that an injected fault refuses.
    pub(crate) refused_row: Option<usize>,
}

impl Ctx<'_> {
    /// The first query parameter of that name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// In any case: HubSpot's own Python SDK writes `True`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A list parameter, given as one comma-separated value or repeated.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// The `limit` parameter, refused above `max`.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, ApiError> {
        let Some(text) = self.query("limit") else { return Ok(default) };
        let limit: usize = text
            .parse()
            .map_err(|_| ApiError::validation(format!("Invalid integer passed for limit: {text}")))?;
        if limit == 0 || limit > max {
            return Err(ApiError::validation(format!("limit must be between 1 and {max}, but was {limit}")));
        }
        Ok(limit)
    }

    /// The JSON body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(self.body).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            // The parser's own text could quote the input, but says what was wrong; HubSpot's does so too.
            ApiError::validation(format!("Invalid input JSON on {place}: {error}"))
        })
    }

    pub(crate) fn paging(&self, after: &str) -> Value {
        json!({"next": {"after": after, "link": format!("https://api.hubapi.com{}?after={after}", self.path)}})
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) location: Option<String>,
}

impl Answer {
    pub(crate) fn json<T: Serialize + ?Sized>(status: u16, body: &T) -> Answer {
        // Only maps with non-string keys and failing writers make this fail; neither occurs here.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Answer { status, body: Bytes::from(body), location: None }
    }

    pub(crate) fn no_content() -> Answer {
        Answer { status: 204, body: Bytes::new(), location: None }
    }

    pub(crate) fn at(mut self, location: String) -> Answer {
        self.location = Some(location);
        self
    }
}

/// A JSON string, number, boolean or null, as text. HubSpot takes all of them where its documents say string.
/// What `null` does to a property is not documented; here it clears, as the empty string does.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, number, boolean or null")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Text, E> {
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// Property values as sent.
pub(crate) type PropertyMap = IndexMap<String, Text>;

/// `{id}` in many bodies; the id may be a number.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IdRef {
    pub(crate) id: Text,
}

/// `{inputs: [..]}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Inputs<T> {
    pub(crate) inputs: Vec<T>,
}

/// Refuses an empty list and one above `max` entries.
pub(crate) fn check_size(len: usize, max: usize) -> Result<(), ApiError> {
    if len == 0 {
        return Err(ApiError::validation("Invalid input: inputs must not be empty"));
    }
    if len > max {
        return Err(ApiError::validation(format!(
            "Invalid input: the batch has {len} inputs, the maximum batch size is {max}"
        )));
    }
    Ok(())
}
