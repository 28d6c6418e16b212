//! The receiver: believes a request, makes its events durable, and only then answers 200.

mod body;
mod stats;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::Full;
use sync_types::Clock;
use tokio::sync::Semaphore;

use crate::endpoint::Endpoint;
use crate::event::{ParseLimits, parse_events};
use crate::inbox::Inbox;
use crate::signature::{SignatureError, SignatureHeaders, SignedRequest, Verifier};

pub(crate) use body::{BodyError, read};
use stats::Counters;
pub use stats::ReceiverStats;

/// What a receiver takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverLimits {
    /// The largest body. A hundred events are about 40 kB.
    pub body_max: usize,
    /// All bodies that are being read or stored. Beyond it, requests are answered with 503 at once.
    pub bytes_max: usize,
    /// Events in a body, and its nesting.
    pub parse: ParseLimits,
    /// When an answer is given at the latest. HubSpot counts what takes longer than 5 s as failed (HubSpot docs).
    pub answer_within: Duration,
    /// What `Retry-After` says with a 503. HubSpot keeps its own schedule; a proxy may heed it.
    pub retry_after: Duration,
}

impl Default for ReceiverLimits {
    fn default() -> Self {
        Self {
            body_max: 1024 * 1024,
            bytes_max: 64 * 1024 * 1024,
            parse: ParseLimits::default(),
            answer_within: Duration::from_secs(4),
            retry_after: Duration::from_secs(5),
        }
    }
}

/// Takes what HubSpot pushes to one endpoint. A clone is the same receiver.
///
/// It is a [`tower_service::Service`] that any router or server can be given; [`Receiver::receive`] is the same as a
/// function.
///
/// | Answer | When |
/// |---|---|
/// | 200 | the events are durable |
/// | 400 | the signature is right, the body is no list of events |
/// | 401 | the signature is not believed; why is counted and logged, not told |
/// | 405, 408, 413, 421 | not POST, body too slow, body too large, meant for another host |
/// | 503 | too much under way, or the events could not be made durable in time |
///
/// HubSpot repeats whatever is not answered with 200. What was durable by then is recognised.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    verifier: Verifier,
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
    limits: ReceiverLimits,
    bytes: Semaphore,
    counters: Counters,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("endpoint", &self.shared.endpoint).finish_non_exhaustive()
    }
}

/// Why a request gets no 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Method,
    Host,
    Signature(SignatureError),
    TooLarge,
    TooSlow,
    Broken,
    Malformed,
    Overloaded,
    NotDurable,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Signature(_) => StatusCode::UNAUTHORIZED,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Broken | Refusal::Malformed => StatusCode::BAD_REQUEST,
            Refusal::Overloaded | Refusal::NotDurable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Receiver {
    /// A receiver for one endpoint of one app, with the default [`ReceiverLimits`].
    #[must_use]
    pub fn new(endpoint: Endpoint, verifier: Verifier, inbox: Arc<dyn Inbox>, clock: Arc<dyn Clock>) -> Self {
        Self::with_limits(endpoint, verifier, inbox, clock, ReceiverLimits::default())
    }

    /// A receiver with limits of your own.
    #[must_use]
    pub fn with_limits(
        endpoint: Endpoint,
        verifier: Verifier,
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
        limits: ReceiverLimits,
    ) -> Self {
        let bytes = Semaphore::new(limits.bytes_max.min(Semaphore::MAX_PERMITS));
        let counters = Counters::default();
        Self { shared: Arc::new(Shared { endpoint, verifier, inbox, clock, limits, bytes, counters }) }
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> ReceiverStats {
        self.shared.counters.read()
    }

    /// Answers one request. If the future is dropped, events that were on their way to the inbox may still be stored.
    pub async fn receive<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
    {
        let shared = &*self.shared;
        let outcome = shared.take(request).await;
        shared.counters.count(outcome);
        let mut response = Response::new(Full::default());
        if let Err(refusal) = outcome {
            *response.status_mut() = refusal.status();
            let headers = response.headers_mut();
            match refusal {
                Refusal::Method => {
                    headers.insert(ALLOW, HeaderValue::from_static("POST"));
                }
                Refusal::Overloaded | Refusal::NotDurable => {
                    headers.insert(RETRY_AFTER, HeaderValue::from(shared.limits.retry_after.as_secs()));
                }
                Refusal::Signature(reason) => tracing::warn!(%reason, "a webhook is not believed"),
                _ => {}
            }
            if matches!(refusal, Refusal::Malformed) {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                *response.body_mut() = Full::from("not a list of events");
            }
        }
        response
    }
}

impl Shared {
    /// Cheap refusals first: nothing is read of a request that no body could make acceptable.
    async fn take<B>(&self, request: Request<B>) -> Result<crate::Stored, Refusal>
    where
        B: Body<Data = Bytes>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(Refusal::Method);
        }
        if !self.endpoint.is_meant(&head.uri, &head.headers) {
            return Err(Refusal::Host);
        }
        let signature = SignatureHeaders::of(&head.headers).map_err(Refusal::Signature)?;
        let received = self.clock.now();
        self.verifier.screen(&signature, received).map_err(Refusal::Signature)?;
        let announced = announced_length(&head);
        if announced.is_some_and(|length| length > self.limits.body_max) {
            return Err(Refusal::TooLarge);
        }

        let mut deadline = self.clock.sleep(self.limits.answer_within);
        let reading = pin!(read(body, announced.unwrap_or(0), self.limits.body_max, &self.bytes));
        let (body, _held) = match select(reading, &mut deadline).await {
            Either::Left((read, _)) => read.map_err(|error| match error {
                BodyError::TooLarge => Refusal::TooLarge,
                BodyError::NoRoom => Refusal::Overloaded,
                BodyError::Broken => Refusal::Broken,
            })?,
            Either::Right(_) => return Err(Refusal::TooSlow),
        };

        let url = self.endpoint.called(&head.uri);
        let signed =
            SignedRequest { method: head.method.as_str(), url: &url, body: &body, headers: signature };
        self.verifier.verify(&signed, received).map_err(Refusal::Signature)?;
        let events = parse_events(&body, &self.limits.parse).map_err(|error| {
            tracing::error!(%error, bytes = body.len(), "a webhook with a right signature cannot be read");
            Refusal::Malformed
        })?;
        if events.is_empty() {
            return Ok(crate::Stored::default());
        }
        match select(self.inbox.store(events, received), deadline).await {
            Either::Left((Ok(stored), _)) => Ok(stored),
            Either::Left((Err(error), _)) => {
                tracing::error!(%error, "webhooks cannot be stored");
                Err(Refusal::NotDurable)
            }
            Either::Right(_) => {
                tracing::error!("webhooks were not stored in time");
                Err(Refusal::NotDurable)
            }
        }
    }
}

fn announced_length(head: &request::Parts) -> Option<usize> {
    head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl<B> tower_service::Service<Request<B>> for Receiver
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move { Ok(receiver.receive(request).await) })
    }
}
