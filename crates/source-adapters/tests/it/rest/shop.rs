//! A JSON API in memory, with one list for every kind of paging, behind the adapter's transport.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_transport::{Clock, TokioClock, Transport, TransportError};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use source_adapters::rest::{Description, RestOptions, RestSource};

/// The most records of one page, whatever is asked for.
pub(crate) const PAGE_MAX: usize = 1_000;

/// Something that happens at the shop just before a request is answered.
pub(crate) type Event = Box<dyn FnMut(&mut Stock, &Asked) + Send>;

#[derive(Clone)]
pub(crate) struct Shop {
    stock: Arc<Mutex<Stock>>,
    pub(crate) clock: Arc<TokioClock>,
}

/// What the shop holds and how it behaves.
pub(crate) struct Stock {
    /// By id, in the order of their making.
    pub(crate) people: BTreeMap<u64, Json>,
    next: u64,
    /// Seconds since 1970 that changes are marked with.
    pub(crate) now: i64,
    pub(crate) page_max: usize,
    /// Token that is taken; `None`: none is asked for.
    pub(crate) token: Option<String>,
    pub(crate) tokens_given: u32,
    keys: HashMap<String, u64>,
    pub(crate) requests: Vec<Asked>,
    pub(crate) event: Option<Event>,
    /// Answers to give in place of the right ones, the last one first.
    pub(crate) instead: Vec<Option<Response<Bytes>>>,
}

/// A request as the shop saw it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.parse().ok()
    }

    fn count(&self, name: &str, otherwise: usize) -> usize {
        self.query.get(name).and_then(|count| count.parse().ok()).unwrap_or(otherwise)
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shop")
    }
}

impl Shop {
    /// A shop with people 1 to `count`, all made at the same second.
    pub(crate) fn with(count: u64) -> Shop {
        let stock = Stock {
            people: BTreeMap::new(),
            next: 1,
            now: 1_800_000_000,
            page_max: PAGE_MAX,
            token: None,
            tokens_given: 0,
            keys: HashMap::new(),
            requests: Vec::new(),
            event: None,
            instead: Vec::new(),
        };
        let now = jiff::Timestamp::from_second(stock.now).unwrap();
        let shop = Shop { stock: Arc::new(Mutex::new(stock)), clock: Arc::new(TokioClock::starting_at(now)) };
        for _ in 0..count {
            shop.stock().make(json!({ "name": "Ann", "city": "Ulm" }));
        }
        shop
    }

    pub(crate) fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens before each request from now on.
    pub(crate) fn before(&self, event: impl FnMut(&mut Stock, &Asked) + Send + 'static) {
        self.stock().event = Some(Box::new(event));
    }

    /// The adapter of a description whose secrets are all `s3cret`.
    pub(crate) fn open(&self, description: &str) -> RestSource {
        let parsed = Description::parse("shop.toml", description).unwrap();
        let mut options = RestOptions::default();
        options.write = true;
        let secrets = |_: &str| Some(SecretString::from("s3cret"));
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        RestSource::open(parsed, options, &secrets, Arc::new(self.clone()), clock).unwrap()
    }
}

/// A description of the shop with these lines about its people.
pub(crate) fn described(lines: &str) -> String {
    format!(
        r#"
[api]
name = "shop"
base_url = "https://shop.example/api"
[collections.people]
key = "/id"
modified = {{ at = "/changed", format = "epoch" }}
fields = {{ id = "number", name = "text", city = "text", changed = "number", token = "text" }}
{lines}
"#
    )
}

impl Stock {
    pub(crate) fn make(&mut self, mut record: Json) -> u64 {
        let id = self.next;
        self.next += 1;
        self.touch(&mut record, id);
        self.people.insert(id, record);
        id
    }

    fn touch(&self, record: &mut Json, id: u64) {
        record["id"] = json!(id);
        record["changed"] = json!(self.now);
    }

    /// Sets fields of a record, or makes the record under this id.
    pub(crate) fn set(&mut self, id: u64, fields: &Json) {
        let mut record = self.people.remove(&id).unwrap_or_else(|| json!({}));
        for (name, value) in fields.as_object().unwrap() {
            record[name] = value.clone();
        }
        self.touch(&mut record, id);
        self.people.insert(id, record);
    }

    fn list(&self) -> Vec<Json> {
        self.people.values().cloned().collect()
    }

    fn answer(&mut self, asked: &Asked) -> Response<Bytes> {
        if asked.path == "/api/token" {
            self.tokens_given += 1;
            self.token = Some(format!("token-{}", self.tokens_given));
            return ok(json!({ "access_token": self.token, "expires_in": 3600 }));
        }
        if let Some(token) = &self.token {
            let said = asked.headers.get("authorization").and_then(|value| value.to_str().ok());
            if said != Some(format!("Bearer {token}").as_str()) {
                return status(401, json!({ "error": "expired" }));
            }
        }
        let size = asked.count("limit", 3);
        let size = size.min(self.page_max);
        let all = self.list();
        let page = |from: usize| all.iter().skip(from).take(size).cloned().collect::<Vec<Json>>();
        let after = |id: u64| {
            all.iter()
                .filter(|record| record["id"].as_u64() > Some(id))
                .take(size)
                .cloned()
                .collect::<Vec<_>>()
        };
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/all") => ok(json!(all)),
            ("GET", "/api/page") => {
                let number = asked.count("page", 1);
                ok(json!({ "data": page((number - 1) * size), "total": all.len() }))
            }
            ("GET", "/api/offset") => ok(json!({ "data": page(asked.count("offset", 0)) })),
            ("GET", "/api/cursor") | ("POST", "/api/search") => {
                let body: Json = serde_json::from_str(&asked.body).unwrap_or(Json::Null);
                let from =
                    asked.query.get("after").cloned().or_else(|| body["after"].as_str().map(str::to_owned));
                let from =
                    from.and_then(|cursor| cursor.strip_prefix("c-")?.parse::<u64>().ok()).unwrap_or(0);
                let data = after(from);
                let next = data.last().and_then(|record| record["id"].as_u64());
                let next = next.filter(|_| data.len() == size).map(|id| format!("c-{id}"));
                ok(json!({ "data": data, "next": next }))
            }
            ("GET", "/api/link") => {
                let number = asked.count("page", 1);
                let data = page((number - 1) * size);
                let mut answer = ok(json!(data));
                if data.len() == size {
                    let next = format!(
                        "<https://shop.example/api/link?limit={size}&page={}>; rel=\"next\"",
                        number + 1
                    );
                    answer.headers_mut().insert("link", next.parse().unwrap());
                }
                answer
            }
            ("GET", "/api/url") => {
                let data = after(asked.number("from").unwrap_or(0));
                let next = data.last().map(|record| format!("/api/url?limit={size}&from={}", record["id"]));
                ok(json!({ "data": data, "next": next }))
            }
            ("GET", "/api/after") => ok(json!({ "data": after(asked.number("since").unwrap_or(0)) })),
            ("GET", "/api/changed") => {
                let from = asked.number("from").unwrap_or(0);
                let to = asked.number("to").unwrap_or(u64::MAX);
                let exclusive = asked.query.contains_key("exclusive");
                let is_in = |record: &&Json| {
                    let at = record["changed"].as_u64().unwrap();
                    at <= to && if exclusive { at > from } else { at >= from }
                };
                let mut found: Vec<Json> = all.iter().filter(is_in).cloned().collect();
                found.sort_by_key(|record| (record["changed"].as_u64(), record["id"].as_u64()));
                let skip = asked.count("skip", 0);
                ok(json!({ "data": found.into_iter().skip(skip).take(size).collect::<Vec<_>>() }))
            }
            ("GET", "/api/token-of") => {
                let token = asked.query.get("token");
                let is_it = |record: &&Json| record["token"].as_str() == token.map(String::as_str);
                ok(json!({ "data": all.iter().filter(is_it).cloned().collect::<Vec<_>>() }))
            }
            ("GET", "/api/some") => {
                let ids: Vec<&str> =
                    asked.query.get("ids").map(|ids| ids.split(',').collect()).unwrap_or_default();
                let is_it = |record: &&Json| ids.contains(&record["id"].to_string().as_str());
                ok(json!({ "data": all.iter().rev().filter(is_it).cloned().collect::<Vec<_>>() }))
            }
            ("POST", "/api/people") => {
                let key = asked.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
                if let Some(id) = key.as_ref().and_then(|key| self.keys.get(key)) {
                    let mut answer = status(201, json!({ "person": { "id": id } }));
                    answer.headers_mut().insert("idempotent-replayed", "true".parse().unwrap());
                    return answer;
                }
                let body: Json = serde_json::from_str(&asked.body).unwrap();
                let id = self.make(body["person"].clone());
                self.keys.extend(key.map(|key| (key, id)));
                status(201, json!({ "person": self.people[&id] }))
            }
            (method, path) => self.person(method, path, asked),
        }
    }

    fn person(&mut self, method: &str, path: &str, asked: &Asked) -> Response<Bytes> {
        let id = path.strip_prefix("/api/people/").and_then(|id| id.parse::<u64>().ok());
        let Some(id) = id.filter(|id| self.people.contains_key(id)) else {
            return status(404, json!({ "error": "no such person" }));
        };
        let mut hasher = std::hash::DefaultHasher::new();
        self.people[&id].to_string().hash(&mut hasher);
        let etag = format!("\"{}\"", hasher.finish());
        let condition = asked.headers.get("if-match").map(|value| value.to_str().unwrap().to_owned());
        if condition.is_some_and(|condition| condition != etag) {
            return status(412, json!({ "error": "changed meanwhile" }));
        }
        match method {
            "GET" => {
                let mut answer = ok(self.people[&id].clone());
                answer.headers_mut().insert("etag", etag.parse().unwrap());
                answer
            }
            "PATCH" => {
                let body: Json = serde_json::from_str(&asked.body).unwrap();
                self.set(id, &body["person"]);
                ok(json!({}))
            }
            "DELETE" => {
                self.people.remove(&id);
                status(204, Json::Null)
            }
            _ => status(405, json!({ "error": "no such method" })),
        }
    }
}

pub(crate) fn ok(json: Json) -> Response<Bytes> {
    status(200, json)
}

pub(crate) fn status(status: u16, json: Json) -> Response<Bytes> {
    let body = if json.is_null() { Bytes::new() } else { Bytes::from(json.to_string()) };
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

#[async_trait]
impl Transport for Shop {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let url = url::Url::parse(&parts.uri.to_string()).unwrap();
        assert_eq!(url.host_str(), Some("shop.example"), "a call left the shop");
        let asked = Asked {
            method: parts.method,
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        let mut stock = self.stock();
        stock.requests.push(asked.clone());
        if let Some(mut event) = stock.event.take() {
            event(&mut stock, &asked);
            stock.event.get_or_insert(event);
        }
        match stock.instead.pop() {
            Some(Some(answer)) => Ok(answer),
            Some(None) => Err(TransportError::timed_out()),
            None => Ok(stock.answer(&asked)),
        }
    }
}
