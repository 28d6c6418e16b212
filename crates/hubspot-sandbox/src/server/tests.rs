//! The face over a real socket: what is delivered, what is not, and that stopping ends it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{Fault, FaultKind, Matcher, PortalConfig};

const TOKEN: &str = "server-test-token";

async fn server() -> Server {
    let mut config = PortalConfig::new(TOKEN);
    config.search_lag = Duration::ZERO;
    Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Portal::new(config)).await.unwrap()
}

/// Everything that arrives until the server closes the connection.
async fn send(server: &Server, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let length = body.len();
    let head = format!(
        "{head} HTTP/1.1\r\nHost: portal\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn create_contact(server: &Server) -> String {
    send(server, "POST /crm/v3/objects/contacts", br#"{"properties":{"email":"ada@example.com"}}"#).await
}

fn inject(server: &Server, kind: FaultKind) {
    let matcher = Matcher { method: Some("POST".to_owned()), ..Matcher::default() };
    lock(&server.portal()).inject(Fault::once(matcher, kind)).unwrap();
}

#[tokio::test]
async fn a_call_and_a_page_are_answered_on_one_socket() {
    let server = server().await;
    let created = create_contact(&server).await;
    assert!(created.starts_with("HTTP/1.1 201 Created\r\n"), "{created}");
    let list = send(&server, "GET /crm/v3/objects/contacts", b"").await;
    assert!(list.contains("ada@example.com"), "{list}");
    let page = send(&server, "GET /records/contacts", b"").await;
    assert!(page.contains("content-type: text/html") && page.contains("ada@example.com"), "{page}");
}

#[tokio::test]
async fn an_answer_lost_after_the_write_leaves_the_record_and_no_byte() {
    let server = server().await;
    inject(&server, FaultKind::LostAfterApply);
    assert_eq!(create_contact(&server).await, "");
    let again = create_contact(&server).await;
    assert!(again.starts_with("HTTP/1.1 409 Conflict\r\n"), "{again}");
}

#[tokio::test]
async fn an_answer_lost_before_the_write_leaves_nothing() {
    let server = server().await;
    inject(&server, FaultKind::LostBeforeApply);
    assert_eq!(create_contact(&server).await, "");
    let again = create_contact(&server).await;
    assert!(again.starts_with("HTTP/1.1 201 Created\r\n"), "{again}");
}

#[tokio::test]
async fn a_cut_body_announces_more_than_it_delivers() {
    let server = server().await;
    inject(&server, FaultKind::CutBody { bytes: 7 });
    let answer = create_contact(&server).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(length.parse::<usize>().unwrap() > 7, "{head}");
    assert_eq!(body.len(), 7, "{body}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = server().await;
    let answer = send(&server, "POST /crm/v3/objects/contacts", &vec![b' '; MAX_BODY_BYTES + 1]).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_its_portal_stays() {
    let server = server().await;
    create_contact(&server).await;
    let (address, portal) = (server.address(), server.portal());
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert!(Portal::from_snapshot(&lock(&portal).snapshot()).is_ok());
}
