//! The record browser: small read-only pages, so that a person can see what arrived in the portal.
//!
//! It asks for no credential and counts against no limit. Everything is rendered here; the pages load nothing from
//! elsewhere and work without scripts.

mod read;
mod render;
mod route;
#[cfg(test)]
mod tests;
mod view;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;

use self::route::Route;
use crate::Portal;

const HTML: &str = "text/html; charset=utf-8";

/// Nothing but our own style, script and icon; no frames, no inline code. A record's values can never run.
const SECURITY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The answer to a request for one of the browser's pages at portal time `now`; `None` if the request is for the API.
pub(crate) fn page(portal: &Portal, now: Timestamp, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let (status, content_type, body) = match Route::of(request.uri())? {
        Route::Asset(asset) => (StatusCode::OK, asset.content_type(), Ok(asset.text().to_owned())),
        Route::Overview => (StatusCode::OK, HTML, render::overview(&read::overview(portal, now))),
        Route::Table { object_type, query, page } => {
            match read::table(portal, now, &object_type, &query, page) {
                Some(table) => (StatusCode::OK, HTML, render::table(&table)),
                None => missing(portal, now, "There is no such object type in this portal."),
            }
        }
        Route::Record { object_type, id } => match read::record(portal, now, &object_type, &id) {
            Some(record) => (StatusCode::OK, HTML, render::record(&record)),
            None => missing(
                portal,
                now,
                "There is no such record in this portal. It may have been merged or deleted.",
            ),
        },
    };
    let (status, content_type, body) = match body {
        Ok(body) => (status, content_type, body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", format!("{error:#}")),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

type Page = (StatusCode, &'static str, Result<String, render::Error>);

fn missing(portal: &Portal, now: Timestamp, what: &'static str) -> Page {
    (StatusCode::NOT_FOUND, HTML, render::missing(&read::missing(portal, now, what)))
}
