//! A portal with a hand-moved clock, and short ways to call it.

use std::time::Duration;

use bytes::Bytes;
use hubspot_sandbox::{Limits, Portal, PortalConfig, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "pat-na1-test";
pub(crate) const CONTACTS: &str = "/crm/objects/2026-09/contacts";
pub(crate) const COMPANIES: &str = "/crm/objects/2026-09/companies";

/// A portal and the time it is there.
pub(crate) struct Bench {
    pub(crate) portal: Portal,
    pub(crate) now: Timestamp,
}

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: http::HeaderMap,
}

pub(crate) fn config() -> PortalConfig {
    let mut config = PortalConfig::new(TOKEN);
    config.limits = Limits::Off;
    config
}

impl Bench {
    /// Without limits, with a search lag of 5 s.
    pub(crate) fn new() -> Bench {
        Bench::with(config())
    }

    pub(crate) fn with(config: PortalConfig) -> Bench {
        Bench { portal: Portal::new(config), now: "2026-11-02T09:30:00Z".parse().unwrap() }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now = self.now.checked_add(SignedDuration::try_from(by).unwrap()).unwrap();
    }

    pub(crate) fn reply(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        self.reply_as(TOKEN, method, path, body)
    }

    pub(crate) fn reply_as(&mut self, token: &str, method: &str, path: &str, body: &Value) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        self.portal.handle(self.now, &request.body(body).unwrap())
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: Value) -> Answer {
        Answer::from(self.reply(method, path, &body))
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, Value::Null)
    }

    /// Calls and insists on a status.
    #[track_caller]
    pub(crate) fn ok(&mut self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        answer.body
    }

    /// Makes a record and says its id.
    #[track_caller]
    pub(crate) fn make(&mut self, object_type: &str, properties: Value) -> String {
        let path = format!("/crm/objects/2026-09/{object_type}");
        let made = self.ok(201, "POST", &path, json!({"properties": properties}));
        made["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn contact(&mut self, email: &str) -> String {
        self.make("contacts", json!({"email": email}))
    }

    #[track_caller]
    pub(crate) fn company(&mut self, name: &str) -> String {
        self.make("companies", json!({"name": name}))
    }

    /// One property of a record as GET shows it.
    #[track_caller]
    pub(crate) fn value(&mut self, object_type: &str, id: &str, property: &str) -> Value {
        let path = format!("/crm/objects/2026-09/{object_type}/{id}?properties={property}");
        self.ok(200, "GET", &path, Value::Null)["properties"][property].clone()
    }

    /// A unique text property named `key` on a type.
    #[track_caller]
    pub(crate) fn unique_key(&mut self, object_type: &str) {
        let group = if object_type == "contacts" { "contactinformation" } else { "companyinformation" };
        self.ok(
            201,
            "POST",
            &format!("/crm/properties/2026-09/{object_type}"),
            json!({
                "name": "key", "label": "Key", "type": "string", "fieldType": "text",
                "groupName": group, "hasUniqueValue": true,
            }),
        );
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        let (parts, body) = reply.response.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), body, headers: parts.headers }
    }
}

/// The ids of `results`, sorted, because batches answer in any order.
pub(crate) fn ids(body: &Value) -> Vec<String> {
    let mut ids: Vec<String> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
