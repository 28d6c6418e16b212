//! An API with so many people, page by page.

use std::convert::Infallible;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{Failure, PAGE, until_input_ends};

/// Serves it, and says where, until the standard input ends.
pub(crate) async fn serve(rows: u64) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "address": format!("http://{}", listener.local_addr()?) }));
    let accepting = async {
        while let Ok((stream, _)) = listener.accept().await {
            let service =
                service_fn(move |request| async move { Ok::<_, Infallible>(answer(&request, rows)) });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    };
    tokio::select! {
        () = accepting => {}
        () = until_input_ends() => {}
    }
    Ok(())
}

fn answer(request: &Request<Incoming>, rows: u64) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let number = |name: &str, default: u64| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name);
        found.and_then(|(_, value)| value.parse().ok()).unwrap_or(default)
    };
    let after = number("after", 0);
    let end = (after + number("limit", 100)).min(rows);
    let mut response = Response::new(Full::new(Bytes::from(page(after, end, rows))));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn page(after: u64, end: u64, rows: u64) -> String {
    let mut out = String::with_capacity(320 * PAGE);
    out.push_str("{\"data\":[");
    for n in after + 1..=end {
        let comma = if n == after + 1 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{comma}{{\"id\":{n},\"email\":\"person{n}@example.com\",\"first_name\":\"First {n}\",\"last_name\":\"Last {n}\",\
             \"phone\":\"+44 20 {n}\",\"street\":\"{n} High Street\",\"town\":\"Town {}\",\"country\":\"GB\",\
             \"balance\":{}.{:02},\"active\":{},\"born\":\"{}-07-14\",\"updated_at\":\"2026-01-01T00:00:{:02}Z\"}}",
            n % 977,
            n % 1_000,
            n % 100,
            n % 3 > 0,
            1960 + n % 40,
            n % 60,
        );
    }
    let next = if end < rows { format!("\"{end}\"") } else { "null".to_owned() };
    let _ = write!(out, "],\"next\":{next}}}");
    out
}
