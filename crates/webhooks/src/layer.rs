//! A layer that lets signed requests through and no others: for cards, workflow actions and everything else that
//! HubSpot calls and that is not a list of events.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use sync_types::Clock;
use tokio::sync::Semaphore;

use crate::endpoint::Endpoint;
use crate::receiver::{BodyError, ReceiverLimits, read};
use crate::signature::{SignatureHeaders, SignatureVersion, SignedRequest, Verifier};

/// Verifies every request before the service behind it sees it.
///
/// The service gets the body whole, and [`SignatureVersion`] among the request's extensions. Refused are, as by
/// [`Receiver`](crate::Receiver), requests for another host (421), without a believable signature (401), with a body
/// that is too large (413) or too slow (408), and all while too much is under way (503).
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    verifier: Verifier,
    clock: Arc<dyn Clock>,
    limits: ReceiverLimits,
    bytes: Semaphore,
}

impl VerifyLayer {
    /// A layer for requests to `endpoint`, mostly an [`Endpoint::below`]. Of the limits, those on bodies and time hold.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        verifier: Verifier,
        clock: Arc<dyn Clock>,
        limits: ReceiverLimits,
    ) -> Self {
        let bytes = Semaphore::new(limits.bytes_max.min(Semaphore::MAX_PERMITS));
        Self { shared: Arc::new(Shared { endpoint, verifier, clock, limits, bytes }) }
    }
}

impl<S> tower_layer::Layer<S> for VerifyLayer {
    type Service = Verified<S>;

    fn layer(&self, inner: S) -> Verified<S> {
        Verified { inner, shared: Arc::clone(&self.shared) }
    }
}

/// A service that sees verified requests only. Made by [`VerifyLayer`].
#[derive(Clone, Debug)]
pub struct Verified<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl Shared {
    async fn verify<B: Body<Data = Bytes>>(
        &self,
        request: Request<B>,
    ) -> Result<Request<Full<Bytes>>, StatusCode> {
        let (mut head, body) = request.into_parts();
        if !self.endpoint.is_meant(&head.uri, &head.headers) {
            return Err(StatusCode::MISDIRECTED_REQUEST);
        }
        let now = self.clock.now();
        let refuse = |reason| {
            tracing::warn!(%reason, "a request is not believed");
            StatusCode::UNAUTHORIZED
        };
        let headers = SignatureHeaders::of(&head.headers).map_err(refuse)?;
        self.verifier.screen(&headers, now).map_err(refuse)?;
        let reading = pin!(read(body, 0, self.limits.body_max, &self.bytes));
        let (body, _held) = match select(reading, self.clock.sleep(self.limits.answer_within)).await {
            Either::Left((read, _)) => read.map_err(|error| match error {
                BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                BodyError::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
                BodyError::Broken => StatusCode::BAD_REQUEST,
            })?,
            Either::Right(_) => return Err(StatusCode::REQUEST_TIMEOUT),
        };
        let url = self.endpoint.called(&head.uri);
        let signed = SignedRequest { method: head.method.as_str(), url: &url, body: &body, headers };
        let version: SignatureVersion = self.verifier.verify(&signed, now).map_err(refuse)?;
        head.extensions.insert(version);
        Ok(Request::from_parts(head, Full::new(body)))
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for Verified<S>
where
    S: tower_service::Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was polled ready is the one to call.
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            match shared.verify(request).await {
                Ok(request) => inner.call(request).await,
                Err(status) => {
                    let mut response = Response::new(R::default());
                    *response.status_mut() = status;
                    Ok(response)
                }
            }
        })
    }
}
