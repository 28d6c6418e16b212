//! Real sockets: what a stranger can hold, and an end that loses nothing.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use webhooks::{Inbox as _, PortalId, Receiver, ServeLimits, SqliteInbox, serve};

use crate::support::{TestClock, creations, endpoint, now, signed, verifier};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn start(inbox: Arc<SqliteInbox>, limits: ServeLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::new(endpoint(), verifier(), inbox, clock.clone());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, receiver, limits, clock, async move {
        let _ = stopped.await;
    }));
    Running { address, stop, task }
}

fn in_memory() -> Arc<SqliteInbox> {
    Arc::new(SqliteInbox::in_memory().unwrap())
}

/// Sends a request over an open connection and reads the answer's status; answers have no body to speak of.
pub(crate) async fn post(stream: &mut TcpStream, request: Request<Full<bytes::Bytes>>) -> io::Result<u16> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\r\n", value.to_str().map_err(io::Error::other)?);
    }
    text += "\r\n";
    stream.write_all(&[text.as_bytes(), &body].concat()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    let text = String::from_utf8(answer).map_err(io::Error::other)?;
    text.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| io::Error::other("no status"))
}

async fn closed(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap_or(0);
    answer
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let limits = ServeLimits { head_within: Duration::from_millis(50), ..ServeLimits::default() };
    let server = start(in_memory(), limits).await;
    for sent in ["", "POST /hubspot/events HTTP/1.1\r\nhost: ho"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let answer = closed(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    // An idle connection is no reason to be kept either.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(post(&mut stream, signed(&creations([1]), now())).await.unwrap(), 200);
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn too_many_headers_and_too_large_ones_are_refused() {
    let server = start(in_memory(), ServeLimits::default()).await;
    let many: String = (0..100).map(|number| format!("x-{number}: a\r\n")).collect();
    let large = format!("x: {}\r\n", "a".repeat(200_000));
    for headers in [many, large] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("POST /hubspot/events HTTP/1.1\r\nhost: hooks.example.com\r\n{headers}\r\n");
        // It may close before all of it is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = closed(&mut stream).await;
        assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_is_free() {
    let limits = ServeLimits { connections_max: 1, ..ServeLimits::default() };
    let server = start(in_memory(), limits).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(post(&mut first, signed(&creations([1]), now())).await.unwrap(), 200);
    let mut second = TcpStream::connect(server.address).await.unwrap();
    let mut answer = Box::pin(post(&mut second, signed(&creations([2]), now())));
    assert!(timeout(Duration::from_millis(100), &mut answer).await.is_err(), "it is not served yet");
    drop(first);
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap(), 200);
}

#[tokio::test]
async fn who_asks_and_never_reads_holds_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // More than the buffers between the two sides hold.
    let large = axum::routing::get(|| async { vec![b'x'; 64 * 1024 * 1024] });
    let pages = axum::Router::new().route("/large", large).route("/", axum::routing::get(|| async {}));
    let clock = TestClock::new();
    let limits = ServeLimits { connections_max: 1, ..ServeLimits::default() };
    let server = tokio::spawn(serve(listener, pages, limits, clock.clone(), std::future::pending()));
    let mut deaf = TcpStream::connect(address).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    deaf.readable().await.unwrap();

    let mut next = TcpStream::connect(address).await.unwrap();
    let get = Request::get("/").header("host", "h").body(Full::default()).unwrap();
    let mut answer = Box::pin(post(&mut next, get));
    let served = async {
        loop {
            tokio::select! {
                biased;
                status = &mut answer => return status,
                () = clock.advance(limits.taken_within) => {}
            }
        }
    };
    assert_eq!(timeout(PATIENCE, served).await.expect("its turn comes").unwrap(), 200);
    drop(deaf);
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_under_load_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = Arc::new(SqliteInbox::open(&path).unwrap());
    let server = start(inbox.clone(), ServeLimits::default()).await;
    let mut arrivals = inbox.arrivals();
    let clients: Vec<_> = (0..8_u64)
        .map(|client| {
            let address = server.address;
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                let mut stream = TcpStream::connect(address).await.unwrap();
                for number in 0.. {
                    let id = client * 1_000_000 + number;
                    match post(&mut stream, signed(&creations([id]), now())).await {
                        Ok(200) => acknowledged.push(id),
                        _ => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    timeout(PATIENCE, arrivals.wait_for(|count| *count > 300)).await.unwrap().unwrap();
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.task).await.expect("it ends by itself").unwrap();
    let mut acknowledged = BTreeSet::new();
    for client in clients {
        acknowledged.extend(client.await.unwrap());
    }
    assert!(acknowledged.len() > 300);
    drop(arrivals);
    Arc::into_inner(inbox).expect("nobody holds it any more").close().await;

    let inbox = SqliteInbox::open(&path).unwrap();
    let stored = stored_ids(&inbox).await;
    let lost = acknowledged.difference(&stored).count();
    assert_eq!(lost, 0, "of {}", acknowledged.len());
}

/// Ids of the records whose creation waits in portal 33.
pub(crate) async fn stored_ids(inbox: &SqliteInbox) -> BTreeSet<u64> {
    let events = inbox.take(PortalId(33), usize::MAX).await.unwrap();
    events
        .into_iter()
        .map(|event| match event.change {
            webhooks::Change::Created(record) => record.id.as_str().parse().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
}
