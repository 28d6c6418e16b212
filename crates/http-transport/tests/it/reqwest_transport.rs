//! The reqwest transport against loopback servers.

use std::time::Duration;

use bytes::Bytes;
use http_transport::{ReqwestTransport, Sent, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn transport() -> ReqwestTransport {
    ReqwestTransport::builder().request_timeout(Duration::from_millis(300)).build().unwrap()
}

fn get(url: String) -> http::Request<Bytes> {
    http::Request::get(url).body(Bytes::new()).unwrap()
}

/// Accepts one connection, reads the request, answers with `bytes` and closes.
async fn raw_server(bytes: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(bytes).await;
    });
    format!("http://{address}/x?secret=1")
}

#[tokio::test]
async fn any_status_is_an_answer_and_redirects_are_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "http://elsewhere.invalid/");
    Mock::given(method("GET")).and(path("/moved")).respond_with(elsewhere).mount(&server).await;
    Mock::given(method("GET"))
        .and(path("/broken"))
        .respond_with(ResponseTemplate::new(500).set_body_string("oh"))
        .mount(&server)
        .await;
    let moved = transport().send(get(format!("{}/moved", server.uri()))).await.unwrap();
    assert_eq!(moved.status(), 302);
    let broken = transport().send(get(format!("{}/broken", server.uri()))).await.unwrap();
    assert_eq!((broken.status().as_u16(), broken.body().as_ref()), (500, &b"oh"[..]));
}

#[tokio::test]
async fn failures_say_whether_the_request_left_and_hide_the_query() {
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/x?secret=1", listener.local_addr().unwrap())
    };
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    Mock::given(path("/slow")).respond_with(slow).mount(&server).await;
    for (url, sent, time_out) in [
        (nobody, Sent::No, false),
        (format!("{}/slow?secret=1", server.uri()), Sent::Perhaps, true),
        (raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await, Sent::Perhaps, false),
        (raw_server(b"").await, Sent::Perhaps, false),
    ] {
        let error = transport().send(get(url.clone())).await.unwrap_err();
        assert_eq!((error.sent(), error.is_time_out()), (sent, time_out), "{url}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn long_answers_are_refused_and_large_requests_compressed_only_on_request() {
    let server = MockServer::start().await;
    Mock::given(path("/long"))
        .respond_with(ResponseTemplate::new(200).set_body_string("x".repeat(2_000)))
        .mount(&server)
        .await;
    Mock::given(path("/echo")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let careful = ReqwestTransport::builder().answer_bytes_max(1_000).build().unwrap();
    assert_eq!(careful.send(get(format!("{}/long", server.uri()))).await.unwrap_err().sent(), Sent::Perhaps);

    let body = Bytes::from(vec![b'a'; 200 * 1024]);
    for gzip in [false, true] {
        let request = http::Request::post(format!("{}/echo", server.uri())).body(body.clone()).unwrap();
        ReqwestTransport::builder().gzip_requests(gzip).build().unwrap().send(request).await.unwrap();
        let received = server.received_requests().await.unwrap().pop().unwrap();
        assert_eq!(received.headers.contains_key("content-encoding"), gzip);
        assert_eq!(received.body.len() < 10_000, gzip);
    }
}
