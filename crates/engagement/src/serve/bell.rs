//! What a source's webhooks reach: a bell that wakes a portal's worker.
//!
//! Nothing that a call says is used. It has to be proved all the same, or a stranger could have the source read over and
//! over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use http_transport::Clock;
use source_adapters::rest::{WebhookCall, WebhookRefusal, WebhookVerifier};
use tokio::sync::{Semaphore, watch};

use super::pages;

/// The largest body that is read to prove a call. A large order of a shop is a tenth of it.
const BODY_MAX: usize = 1024 * 1024;

/// Bodies that are read at a time; further calls are asked to come again.
const BODIES_MAX: usize = 16;

/// How long a body may take. Few services wait longer for an answer.
const BODY_WITHIN: Duration = Duration::from_secs(4);

/// Takes the calls of one portal's source.
pub(crate) struct Bell {
    verifier: WebhookVerifier,
    rung: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    bodies: Semaphore,
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Why nobody is woken.
enum Refusal {
    Method,
    Unproved(WebhookRefusal),
    TooLarge,
    TooSlow,
    Broken,
    Busy,
}

impl Bell {
    pub(crate) fn new(verifier: WebhookVerifier, rung: watch::Sender<u64>, clock: Arc<dyn Clock>) -> Bell {
        Bell { verifier, rung, clock, bodies: Semaphore::new(BODIES_MAX) }
    }

    /// Answers one call, and wakes the worker if it is proved. 200 says that it was heard, not that anything was done.
    pub(crate) async fn ring<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let refusal = match self.hear(request).await {
            Ok(()) => {
                self.rung.send_modify(|rung| *rung += 1);
                return pages::respond(StatusCode::OK, "text/plain; charset=utf-8", Bytes::new());
            }
            Err(refusal) => refusal,
        };
        let status = match refusal {
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Unproved(_) => StatusCode::UNAUTHORIZED,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Broken => StatusCode::BAD_REQUEST,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut answer = pages::respond(status, "text/plain; charset=utf-8", Bytes::new());
        match refusal {
            Refusal::Unproved(why) => tracing::warn!(%why, "a call in the source's name is not believed"),
            Refusal::Method => {
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            _ => {}
        }
        answer
    }

    async fn hear<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Result<(), Refusal> {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(Refusal::Method);
        }
        let (now, query) = (self.clock.now(), head.uri.query().unwrap_or_default());
        self.verifier.screen(&head.headers, query, now).map_err(Refusal::Unproved)?;
        if !self.verifier.needs_body() {
            return Ok(());
        }
        let _held = self.bodies.try_acquire().map_err(|_| Refusal::Busy)?;
        let body = body.map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let whole = tokio::select! {
            whole = Limited::new(body, BODY_MAX).collect() => whole,
            () = self.clock.sleep(BODY_WITHIN) => return Err(Refusal::TooSlow),
        };
        let body = whole.map_err(|error| match error.is::<LengthLimitError>() {
            true => Refusal::TooLarge,
            false => Refusal::Broken,
        })?;
        let body = body.to_bytes();
        let call = WebhookCall { headers: &head.headers, query, body: &body };
        self.verifier.verify(&call, now).map_err(Refusal::Unproved)
    }
}
