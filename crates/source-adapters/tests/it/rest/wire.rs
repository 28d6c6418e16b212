//! Over a socket: what only the real transport can show.

use std::sync::Arc;

use http_transport::TokioClock;
use serde_json::json;
use sync_types::{ReadRequest, Source as _, SourceErrorKind};
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use source_adapters::rest::{Description, RestOptions, RestSource, transport};

fn open(server: &MockServer, more: &str) -> RestSource {
    let text = format!(
        "[api]\nname = 'wire'\nbase_url = '{}/v1'\nprivate_network = true\nanswer_bytes_max = 2000\n{more}\n\
         [collections.people]\nkey = '/id'\n[collections.people.list]\npath = '/people'\nrecords = '/data'\n\
         query = {{ q = 'a b&c' }}\npaging = {{ kind = 'link' }}\n",
        server.uri()
    );
    let description = Description::parse("wire.toml", &text).unwrap();
    let none = |_: &str| None;
    let transport = Arc::new(transport(&description, &none).unwrap());
    RestSource::open(description, RestOptions::default(), &none, transport, Arc::new(TokioClock::start()))
        .unwrap()
}

fn request() -> ReadRequest {
    ReadRequest { collection: "people".into(), after: None, max: 100 }
}

#[tokio::test]
async fn a_scan_over_a_socket() {
    let server = MockServer::start().await;
    let next = format!("<{}/v1/people?page=2>; rel=\"next\", <x>; rel=last", server.uri());
    Mock::given(method("GET"))
        .and(path("/v1/people"))
        .and(query_param("q", "a b&c"))
        .and(header("accept", "application/json"))
        .respond_with(
            ResponseTemplate::new(200)
                .insert_header("link", next.as_str())
                .set_body_json(json!({ "data": [{ "id": 1, "name": "Ann" }] })),
        )
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/v1/people"))
        .and(query_param("page", "2"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 2, "name": "Bea" }] })),
        )
        .mount(&server)
        .await;
    let source = open(&server, "");
    let page = source.read_page(&request()).await.unwrap();
    assert_eq!(page.records.len(), 1);
    let page = source.read_page(&ReadRequest { after: page.next, ..request() }).await.unwrap();
    assert_eq!(page.records[0].as_ref().unwrap().id().as_str(), "2");
    assert!(page.next.is_none());
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed_and_a_long_answer_is_not_read() {
    let elsewhere = MockServer::start().await;
    let server = MockServer::start().await;
    let redirect = ResponseTemplate::new(307).insert_header("location", elsewhere.uri().as_str());
    Mock::given(path("/v1/people")).respond_with(redirect).up_to_n_times(1).mount(&server).await;
    let long = ResponseTemplate::new(200).set_body_string("x".repeat(3_000));
    Mock::given(path("/v1/people")).respond_with(long).mount(&server).await;
    let source = open(&server, "timeout = '5s'");
    let error = source.read_page(&request()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Structure, "{error}");
    assert!(error.message.contains("elsewhere"), "{error}");
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}
