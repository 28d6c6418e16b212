//! Small readers of JSON as HubSpot writes it, tolerant where its answers vary.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use crate::error::Error;

/// A string, or a number or boolean as its text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    optional_text(deserializer)?.ok_or_else(|| D::Error::custom("a text was expected, not null"))
}

/// As [`text`], with null as `None`. For `deserialize_with` together with `default`.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<str>>, D::Error> {
    struct Scalar;
    impl Visitor<'_> for Scalar {
        type Value = Option<Box<str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string, number, boolean or null")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(text.into()))
        }

        fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
            Ok(Some(text.into()))
        }

        fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
            Ok(Some(if value { "true".into() } else { "false".into() }))
        }

        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Some(value.to_string().into()))
        }

        fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
            Ok(Some(value.to_string().into()))
        }

        fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
            Ok(Some(value.to_string().into()))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Scalar)
}

/// `null` read as the type's default, as absent is.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The `context` of an error: lists of texts by name, where HubSpot sometimes writes a single text.
pub(crate) type Context = BTreeMap<String, Texts>;

/// One text or a list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) Vec<Box<str>>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.into()]))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Texts, E> {
                Ok(Texts(vec![value.to_string().into()]))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Texts, E> {
                Ok(Texts(vec![value.to_string().into()]))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Texts, E> {
                Ok(Texts(vec![value.to_string().into()]))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Texts, E> {
                Ok(Texts(vec![value.to_string().into()]))
            }

            fn visit_unit<E>(self) -> Result<Texts, E> {
                Ok(Texts::default())
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Texts::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(nested) = seq.next_element::<Texts>()? {
                    texts.extend(nested.0);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// A list answer: `{"results": […], "paging": {"next": {"after": …}}}`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Collection<T> {
    #[serde(default = "Vec::new")]
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    next: Option<Next>,
}

#[derive(Debug, Default, serde::Deserialize)]
struct Next {
    #[serde(default, deserialize_with = "optional_text")]
    after: Option<Box<str>>,
}

impl Paging {
    /// The token of the next page. Only `after` counts; the `link` beside it can point to another version's path.
    pub(crate) fn after(paging: Option<Self>) -> Option<Box<str>> {
        paging?.next?.after.filter(|after| !after.is_empty())
    }
}

/// JSON text of a request body. Only types of this crate are written, none of which can fail.
pub(crate) fn to_body<T: serde::Serialize>(value: &T, capacity: usize) -> Result<bytes::Bytes, Error> {
    let mut body = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut body, value)
        .map_err(|_| Error::invalid_request("the request cannot be written as JSON"))?;
    Ok(body.into())
}

/// Percent-encodes a path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// Builds a query string, leaving out what is absent.
#[derive(Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&encode(value));
    }

    pub(crate) fn push_list(&mut self, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.push(name, &values.join(","));
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_could_change_the_path() {
        for (text, expected) in [
            ("a/b?c", "a%2Fb%3Fc"),
            ("ann@example.com", "ann%40example.com"),
            ("é", "%C3%A9"),
            ("a-b_1.~", "a-b_1.~"),
        ] {
            assert_eq!(encode(text), expected);
        }
    }

    #[test]
    fn contexts_are_read_in_every_shape_seen() {
        let context: Context =
            serde_json::from_str(r#"{"a":["x",1],"b":"y","c":{"d":1},"e":null,"f":[["z"]],"g":true}"#)
                .unwrap();
        let list = |name: &str| context[name].0.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        assert_eq!(list("a"), ["x", "1"]);
        assert_eq!(list("b"), ["y"]);
        assert_eq!(list("c"), [""; 0]);
        assert_eq!(list("f"), ["z"]);
        assert_eq!(list("g"), ["true"]);
    }
}
