//! A call and what is filled in become a request. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value as Json};
use url::Url;

use super::description::{Body, CallSpec, Slot};
use super::origin::Base;
use super::paging::Asked;
use super::template::{Escape, Values};

/// A request but for its credential. `Debug` shows neither query nor body.
#[derive(Clone)]
pub(super) struct Prepared {
    /// `customers.list`.
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared({} {}, {} bytes)", self.method, self.name, self.body.len())
    }
}

/// What a call is filled in with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling<'f> {
    pub(super) base: &'f Base,
    /// Headers of every call, their secrets filled in.
    pub(super) headers: &'f HeaderMap,
    pub(super) variables: &'f BTreeMap<String, String>,
}

impl Filling<'_> {
    /// The request of a call with values of its own, a place in its pages, and what is to be written.
    ///
    /// # Errors
    /// A value that cannot stand where it is to go, in words without the value.
    pub(super) fn request(
        &self,
        call: &CallSpec,
        own: &[(&str, &str)],
        asked: &Asked,
        written: Option<Json>,
    ) -> Result<Prepared, String> {
        let values = Values { own, variables: self.variables };
        let mut url = self.base.at(&call.path.fill(&values, Escape::Path)?)?;
        let mut query = Vec::new();
        for (name, value) in &call.query {
            query.push((name.clone(), value.fill(&values, Escape::No)?));
        }
        let mut body = call.body.as_ref().map(|body| filled(body, &values)).transpose()?;
        for (slot, value) in &asked.slots {
            match slot {
                Slot::Query(name) => {
                    query.retain(|(known, _)| known != name);
                    query.push((name.clone(), value.clone()));
                }
                Slot::Body(at) => {
                    let json = body.get_or_insert_with(|| Json::Object(Map::new()));
                    // Numbers are numbers there: `{"page": 2}`.
                    let value = match value.parse::<i64>() {
                        Ok(number) if number.to_string() == *value => Json::from(number),
                        _ => Json::from(value.as_str()),
                    };
                    at.set(json, value);
                }
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        if let Some(next) = &asked.url {
            url = self.base.follow(next)?;
        }
        if let Some(written) = written {
            body = Some(match body {
                Some(template) => merged(template, written),
                None => written,
            });
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        for (name, value) in &call.headers {
            let value = value.fill(&values, Escape::No)?;
            let (name, value) = header(name, &value)?;
            headers.insert(name, value);
        }
        if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = body.map(|json| Bytes::from(json.to_string())).unwrap_or_default();
        Ok(Prepared { name: call.name.clone(), method: call.method.clone(), url, headers, body })
    }
}

/// A header from a name and value.
///
/// # Errors
/// One of them cannot stand in a header.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let refused = || format!("the header `{name}` cannot hold its value");
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    Ok((name, HeaderValue::from_str(value).map_err(|_| refused())?))
}

fn filled(body: &Body, values: &Values<'_>) -> Result<Json, String> {
    Ok(match body {
        Body::Object(entries) => {
            let mut object = Map::new();
            for (name, body) in entries {
                object.insert(name.clone(), filled(body, values)?);
            }
            Json::Object(object)
        }
        Body::List(items) => {
            Json::Array(items.iter().map(|body| filled(body, values)).collect::<Result<_, _>>()?)
        }
        Body::Text(text) => Json::String(text.fill(values, Escape::No)?),
        Body::Plain(json) => json.clone(),
    })
}

/// What the description always sends, with what is written laid over it.
fn merged(under: Json, over: Json) -> Json {
    match (under, over) {
        (Json::Object(mut under), Json::Object(over)) => {
            for (name, value) in over {
                let below = under.remove(&name);
                let value = below.map_or_else(|| value.clone(), |below| merged(below, value.clone()));
                under.insert(name, value);
            }
            Json::Object(under)
        }
        (_, over) => over,
    }
}
