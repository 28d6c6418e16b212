//! What gets a 200, what does not, and what is held meanwhile.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Full;
use jiff::Timestamp;
use secrecy::SecretString;
use sync_types::Clock as _;
use tokio::sync::{mpsc, watch};
use webhooks::{
    Event, EventId, Inbox, InboxError, InboxErrorKind, ParseLimits, PortalId, Receiver, ReceiverLimits,
    Replay, SqliteInbox, Stored, Verifier, Waiting, sign_v3,
};

use crate::support::{TestClock, URL, creations, endpoint, now, secret, settle, signed, verifier};

fn receiver(inbox: Arc<dyn Inbox>) -> Receiver {
    Receiver::new(endpoint(), verifier(), inbox, TestClock::new())
}

async fn waiting(inbox: &dyn Inbox) -> u64 {
    inbox.waiting().await.unwrap().iter().map(|portal| portal.events).sum()
}

fn with_header(mut request: Request<Full<Bytes>>, name: &str, value: &str) -> Request<Full<Bytes>> {
    request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    request
}

#[tokio::test]
async fn what_is_signed_is_stored_once_however_often_it_comes() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = receiver(inbox.clone());
    for _ in 0..3 {
        let response = receiver.receive(signed(&creations(1..=3), now())).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let stats = receiver.stats();
    assert_eq!((stats.accepted, stats.events, stats.repeated), (3, 3, 6));
    let events = inbox.take(PortalId(33), 10).await.unwrap();
    assert_eq!(events.len(), 3);
    let ids = events.iter().map(|event| event.id).collect();
    inbox.done(PortalId(33), ids, now()).await.unwrap();
    receiver.receive(signed(&creations(1..=3), now())).await;
    assert_eq!(waiting(&*inbox).await, 0, "a replay of what is done has no effect");
    assert_eq!(receiver.receive(signed(b"[]", now())).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_believed_or_not_readable_is_not_stored() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = receiver(inbox.clone());
    let body = creations(1..=2);
    let good = || signed(&body, now());
    let at = |seconds: i64| now() + jiff::SignedDuration::from_secs(seconds);
    let without = |name: &str| {
        let mut request = good();
        request.headers_mut().remove(name);
        request
    };
    let twice = |name: &str| {
        let mut request = good();
        let name: HeaderName = name.parse().unwrap();
        let value = request.headers()[&name].clone();
        request.headers_mut().append(name, value);
        request
    };
    let v1 = {
        let mut request = without("x-hubspot-signature-v3");
        // SHA-256 of secret and body, as version 1 has it.
        let hash = <sha2::Sha256 as sha2::Digest>::digest([b"the-app's-secret".as_slice(), &body].concat());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        request.headers_mut().insert("x-hubspot-signature", hex.parse().unwrap());
        request
    };
    let other_app = {
        let headers = sign_v3(&SecretString::from("another"), "POST", URL, &body, now());
        with_header(good(), "x-hubspot-signature-v3", &headers.signature)
    };
    let other_url = {
        let headers = sign_v3(&secret(), "POST", "https://evil.example/hubspot/events", &body, now());
        with_header(good(), "x-hubspot-signature-v3", &headers.signature)
    };
    let altered = {
        let mut bytes = body.clone();
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
        let (head, _) = good().into_parts();
        Request::from_parts(head, Full::new(Bytes::from(bytes)))
    };
    let get = {
        let mut request = good();
        *request.method_mut() = http::Method::GET;
        request
    };
    let large = with_header(good(), "content-length", "1048577");
    let really_large = {
        let mut request = signed(&vec![b' '; 1024 * 1024 + 1], now());
        request.headers_mut().remove("content-length");
        request
    };
    let later = with_header(good(), "x-hubspot-request-timestamp", "1790000000001");
    for (name, request, status) in [
        ("no signature", without("x-hubspot-signature-v3"), 401),
        ("no timestamp", without("x-hubspot-request-timestamp"), 401),
        ("version 1 only", v1, 401),
        ("another app's secret", other_app, 401),
        ("signed for another URL", other_url, 401),
        ("an altered bit", altered, 401),
        ("an altered time", later, 401),
        ("six minutes old", signed(&body, at(-360)), 401),
        ("six minutes ahead", signed(&body, at(360)), 401),
        ("two signatures", twice("x-hubspot-signature-v3"), 401),
        ("two timestamps", twice("x-hubspot-request-timestamp"), 401),
        ("GET", get, 405),
        (
            "method override",
            with_header(
                with_header(good(), "x-http-method-override", "PUT"),
                "x-hubspot-signature-v3",
                "AAAA",
            ),
            401,
        ),
        ("another host", with_header(good(), "host", "evil.example"), 421),
        ("no host", without("host"), 421),
        ("two hosts", twice("host"), 421),
        ("announced too large", large, 413),
        ("too large", really_large, 413),
        ("not JSON", signed(b"hello", now()), 400),
        ("an object", signed(b"{}", now()), 400),
        ("no portal", signed(b"[{}]", now()), 400),
        ("nested", signed("[".repeat(100).as_bytes(), now()), 400),
    ] {
        let response = receiver.receive(request).await;
        assert_eq!(response.status(), status, "{name}");
        let told = response.into_body().size_hint().exact();
        assert!(status == 400 || told == Some(0), "{name}: a stranger is told nothing");
    }
    assert_eq!(waiting(&*inbox).await, 0);
    let stats = receiver.stats();
    assert_eq!((stats.accepted, stats.unbelieved, stats.out_of_time), (0, 12, 2));
    assert_eq!((stats.misdirected, stats.bad_body, stats.malformed), (4, 2, 4));
    assert_eq!(receiver.receive(good()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn two_secrets_are_good_until_the_old_one_ends() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let clock = TestClock::new();
    let ends = now() + jiff::SignedDuration::from_secs(60);
    let verifier = Verifier::new(vec![SecretString::from("the new one")]).also_until(secret(), ends);
    let receiver = Receiver::new(endpoint(), verifier, inbox, clock.clone());
    let body = creations([1]);
    assert_eq!(receiver.receive(signed(&body, now())).await.status(), StatusCode::OK);
    clock.advance(Duration::from_secs(60)).await;
    assert_eq!(receiver.receive(signed(&body, clock.now())).await.status(), StatusCode::UNAUTHORIZED);
    let headers = sign_v3(&SecretString::from("the new one"), "POST", URL, &body, clock.now());
    let request = with_header(signed(&body, clock.now()), "x-hubspot-signature-v3", &headers.signature);
    assert_eq!(receiver.receive(request).await.status(), StatusCode::OK);
}

/// A body whose frames the test sends.
struct Trickle(mpsc::UnboundedReceiver<Bytes>);

impl Body for Trickle {
    type Data = Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|frame| frame.map(|frame| Ok(Frame::data(frame))))
    }
}

fn trickle(body: &[u8]) -> (mpsc::UnboundedSender<Bytes>, Request<Trickle>) {
    let (send, frames) = mpsc::unbounded_channel();
    let (head, _) = signed(body, now()).into_parts();
    (send, Request::from_parts(head, Trickle(frames)))
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_whole_and_one_that_never_ends_is_given_up() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let clock = TestClock::new();
    let receiver = Receiver::new(endpoint(), verifier(), inbox.clone(), clock.clone());
    let body = creations(1..=3);
    let (send, request) = trickle(&body);
    body.chunks(7).for_each(|piece| send.send(Bytes::copy_from_slice(piece)).unwrap());
    drop(send);
    assert_eq!(receiver.receive(request).await.status(), StatusCode::OK);
    assert_eq!(waiting(&*inbox).await, 3);

    let (send, request) = trickle(&body);
    send.send(Bytes::from_static(b"[")).unwrap();
    let slow = tokio::spawn(async move { receiver.receive(request).await.status() });
    clock.advance(Duration::from_millis(3_999)).await;
    assert!(!slow.is_finished());
    clock.advance(Duration::from_millis(1)).await;
    assert_eq!(slow.await.unwrap(), StatusCode::REQUEST_TIMEOUT);
    drop(send);
}

#[tokio::test]
async fn beyond_the_room_for_bodies_requests_are_turned_away_and_the_room_comes_back() {
    let body = creations(1..=3);
    let limits = ReceiverLimits { bytes_max: body.len() + 10, ..ReceiverLimits::default() };
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = Receiver::with_limits(endpoint(), verifier(), inbox, TestClock::new(), limits);
    let (send, request) = trickle(&body);
    let (first, rest) = body.split_at(100);
    send.send(Bytes::copy_from_slice(first)).unwrap();
    let slow = tokio::spawn({
        let receiver = receiver.clone();
        async move { receiver.receive(request).await.status() }
    });
    settle().await;
    let refused = receiver.receive(signed(&body, now())).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(receiver.stats().overloaded, 1);
    send.send(Bytes::copy_from_slice(rest)).unwrap();
    drop(send);
    assert_eq!(slow.await.unwrap(), StatusCode::OK);
    assert_eq!(receiver.receive(signed(&body, now())).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn many_slow_bodies_hold_only_what_they_sent() {
    let body = creations(1..=3);
    let limits = ReceiverLimits { bytes_max: 10_000 + body.len(), ..ReceiverLimits::default() };
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = Receiver::with_limits(endpoint(), verifier(), inbox, TestClock::new(), limits);
    let mut senders = Vec::new();
    for _ in 0..10_000 {
        let (send, mut request) = trickle(&body);
        // They announce a megabyte each and send one byte.
        request.headers_mut().insert("content-length", "1048576".parse().unwrap());
        send.send(Bytes::from_static(b"[")).unwrap();
        senders.push(send);
        let receiver = receiver.clone();
        tokio::spawn(async move { receiver.receive(request).await.status() });
    }
    settle().await;
    assert_eq!(receiver.receive(signed(&body, now())).await.status(), StatusCode::OK);
}

/// An inbox that fails, or never answers.
#[derive(Debug)]
struct Stuck {
    fails: Option<InboxErrorKind>,
    asked: AtomicU64,
}

#[async_trait]
impl Inbox for Stuck {
    async fn store(&self, _: Vec<Event>, _: Timestamp) -> Result<Stored, InboxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.fails {
            Some(kind) => Err(InboxError { kind, message: "as the test wants it".to_owned() }),
            None => std::future::pending().await,
        }
    }
    async fn take(&self, _: PortalId, _: usize) -> Result<Vec<Event>, InboxError> {
        Ok(Vec::new())
    }
    async fn done(&self, _: PortalId, _: Vec<EventId>, _: Timestamp) -> Result<(), InboxError> {
        Ok(())
    }
    async fn waiting(&self) -> Result<Vec<Waiting>, InboxError> {
        Ok(Vec::new())
    }
    async fn replay(&self, _: Replay) -> Result<u64, InboxError> {
        Ok(0)
    }
    async fn reopen(&self, _: PortalId, _: Timestamp) -> Result<u64, InboxError> {
        Ok(0)
    }
    async fn expire(&self, _: Timestamp) -> Result<u64, InboxError> {
        Ok(0)
    }
    async fn forget_portal(&self, _: PortalId) -> Result<u64, InboxError> {
        Ok(0)
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
    fn arrivals_of(&self, _: PortalId) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

#[tokio::test]
async fn without_a_durable_store_there_is_no_200_and_the_answer_is_in_time() {
    for fails in [Some(InboxErrorKind::Full), Some(InboxErrorKind::Broken), None] {
        let inbox = Arc::new(Stuck { fails, asked: AtomicU64::new(0) });
        let clock = TestClock::new();
        let receiver = Receiver::new(endpoint(), verifier(), inbox.clone(), clock.clone());
        let answer = tokio::spawn({
            let receiver = receiver.clone();
            async move { receiver.receive(signed(&creations([1]), now())).await }
        });
        clock.advance(Duration::from_millis(3_999)).await;
        assert_eq!(answer.is_finished(), fails.is_some());
        // HubSpot waits for 5 s.
        clock.advance(Duration::from_millis(1)).await;
        let response = answer.await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(inbox.asked.load(Ordering::SeqCst), 1);
        assert_eq!(receiver.stats().not_durable, 1);
    }
}

#[tokio::test]
async fn events_of_several_portals_in_one_body_go_to_each() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = receiver(inbox.clone());
    let event = |portal: u64, kind: &str| serde_json::json!({"portalId": portal, "occurredAt": 1, "subscriptionType": kind, "objectId": 5});
    let body = serde_json::json!([
        event(1, "contact.creation"),
        event(2, "contact.creation"),
        event(2, "brand.new"),
        event(1, "contact.creation"),
    ]);
    assert_eq!(receiver.receive(signed(body.to_string().as_bytes(), now())).await.status(), StatusCode::OK);
    for (portal, count) in [(1, 1), (2, 2), (3, 0)] {
        assert_eq!(inbox.take(PortalId(portal), 10).await.unwrap().len(), count, "{portal}");
    }
}

#[tokio::test]
async fn a_thousand_events_fit_and_one_more_does_not() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = receiver(inbox.clone());
    assert_eq!(receiver.receive(signed(&creations(1..=1_000), now())).await.status(), StatusCode::OK);
    assert_eq!(waiting(&*inbox).await, 1_000);
    let more = receiver.receive(signed(&creations(1..=1_001), now())).await;
    assert_eq!(more.status(), StatusCode::BAD_REQUEST);
    assert_eq!(ParseLimits::default().events_max, 1_000);
}
