//! One request: method, path, query, headers, body, limits of its own.

use http::Method;
use serde_json::Value as Json;
use toml::de::DeValue;

use super::super::template::Template;
use super::keys::{At, Keys, Node, template, wrong_type};
use super::{Body, CallSpec, auth, limits};

const METHODS: [(&str, Verb); 5] = [
    ("GET", Verb::Get),
    ("POST", Verb::Post),
    ("PUT", Verb::Put),
    ("PATCH", Verb::Patch),
    ("DELETE", Verb::Delete),
];

#[derive(Clone, Copy)]
enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Reads a call; `places` are the names that may be filled in.
pub(super) fn read(name: &str, keys: &Keys<'_>, method: Method, places: &[&str]) -> Option<CallSpec> {
    let method = match keys.word("method", &METHODS) {
        None => method,
        Some(Verb::Get) => Method::GET,
        Some(Verb::Post) => Method::POST,
        Some(Verb::Put) => Method::PUT,
        Some(Verb::Patch) => Method::PATCH,
        Some(Verb::Delete) => Method::DELETE,
    };
    let path = path(keys, places);
    let query = keys.table("query", "`query`").map(|table| auth::pairs(&table, places)).unwrap_or_default();
    let headers = keys
        .table("headers", "`headers`")
        .map(|table| auth::header_pairs(&table, places))
        .unwrap_or_default();
    let body = keys.take("body").and_then(|node| body(node, keys, places));
    if body.is_some() && matches!(method, Method::GET | Method::DELETE) {
        keys.tell_at("body", "no-body", "this request has no body", "set another `method`, or use `query`");
    }
    let limits = keys.table("limits", "`limits`").map(|table| limits::of_call(&table)).unwrap_or_default();
    Some(CallSpec { name: name.to_owned(), method, path: path?, query, headers, body, limits })
}

fn path(keys: &Keys<'_>, places: &[&str]) -> Option<Template> {
    let read = keys.required_text("path")?;
    let goes_up = read.value.split('/').any(|segment| matches!(segment, "." | ".."));
    if !read.value.starts_with('/') || goes_up || read.value.contains(['?', '#', '\\']) {
        let remedy = "write it as \"/customers\", below the base URL; a query goes into `query`";
        keys.tell_at("path", "bad-path", "this is no path of the API", remedy);
        return None;
    }
    template(&read, places, keys.report)
}

fn body(node: Node<'_>, keys: &Keys<'_>, places: &[&str]) -> Option<Body> {
    Some(match node.get_ref() {
        DeValue::Table(_) => {
            let table = Keys::of("`body`", node, keys.report)?;
            let entries = table.take_all().into_iter();
            Body::Object(
                entries
                    .filter_map(|(name, node)| Some((name.value.to_owned(), body(node, keys, places)?)))
                    .collect(),
            )
        }
        DeValue::Array(items) => {
            Body::List(items.iter().filter_map(|item| body(item, keys, places)).collect())
        }
        DeValue::String(text) => {
            let read = At { value: text.clone().into_owned(), span: node.span() };
            Body::Text(template(&read, places, keys.report)?)
        }
        DeValue::Boolean(value) => Body::Plain(Json::Bool(*value)),
        DeValue::Integer(number) if number.radix() == 10 => {
            Body::Plain(serde_json::from_str(number.as_str()).ok()?)
        }
        DeValue::Float(number) => Body::Plain(serde_json::from_str(number.as_str()).ok()?),
        DeValue::Integer(_) | DeValue::Datetime(_) => {
            wrong_type(node, "a text, a number, true, false, a list or a table", keys.report);
            return None;
        }
    })
}
