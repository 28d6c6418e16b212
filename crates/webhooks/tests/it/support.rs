//! What the tests share: a clock, a secret, signed requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use jiff::Timestamp;
use secrecy::SecretString;
use sync_types::Clock;
use tokio::sync::watch;
use webhooks::{Endpoint, Verifier, sign_v3};

pub(crate) const SECRET: &str = "the-app's-secret";
pub(crate) const URL: &str = "https://hooks.example.com/hubspot/events";

/// A clock that stands still until a test moves it, whatever the inbox's thread is doing.
#[derive(Debug)]
pub(crate) struct TestClock(watch::Sender<Duration>);

impl TestClock {
    pub(crate) fn new() -> Arc<TestClock> {
        Arc::new(TestClock(watch::Sender::new(Duration::ZERO)))
    }

    /// Moves time, and lets everything that waited for it go on.
    pub(crate) async fn advance(&self, by: Duration) {
        settle().await;
        self.0.send_modify(|time| *time += by);
        settle().await;
    }
}

/// Lets every task of the runtime run until it waits.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// When every test begins.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        now() + self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        *self.0.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let end = self.monotonic() + duration;
        // The clock lives as long as whoever sleeps by it.
        let _ = self.0.subscribe().wait_for(|time| *time >= end).await;
    }
}

pub(crate) fn secret() -> SecretString {
    SecretString::from(SECRET)
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new(vec![secret()])
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint::at(URL).unwrap()
}

/// A request as HubSpot sends it at `at`.
pub(crate) fn signed(body: &[u8], at: Timestamp) -> Request<Full<Bytes>> {
    let headers = sign_v3(&secret(), "POST", URL, body, at);
    Request::post("/hubspot/events")
        .header("host", "hooks.example.com")
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .header("x-hubspot-signature-v3", headers.signature)
        .header("x-hubspot-request-timestamp", headers.timestamp)
        .body(Full::new(Bytes::copy_from_slice(body)))
        .unwrap()
}

/// A body with one creation for each id, in portal 33.
pub(crate) fn creations(ids: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let events: Vec<_> = ids
        .into_iter()
        .map(|id| {
            serde_json::json!({
                "eventId": id, "subscriptionId": 1, "portalId": 33, "appId": 7, "attemptNumber": 0,
                "occurredAt": now().as_millisecond(), "subscriptionType": "contact.creation",
                "objectId": id, "changeFlag": "CREATED", "changeSource": "CRM_UI", "sourceId": "userId:1",
            })
        })
        .collect();
    serde_json::to_vec(&events).unwrap()
}
