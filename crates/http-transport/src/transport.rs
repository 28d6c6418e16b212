//! The one-method trait through which every request leaves, and its errors.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// Sends one request and returns the whole answer, whatever its status.
///
/// An implementation does not retry, does not follow redirects to other hosts, bounds every request in time and every
/// answer in size, and classifies a failure honestly: [`Sent::No`] only when it knows that no byte of the request
/// reached the server. Dropping the future may leave the request executed.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends `request`; an answer with an error status is an `Ok`.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;
}

/// Whether a failed request may have been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing reached the server: repeating is always safe.
    No,
    /// The request left and no whole answer came back: the server may or may not have acted on it.
    Perhaps,
}

/// A request that got no whole answer. Never shows a URL's query, a header or a body.
#[derive(Debug)]
pub struct TransportError {
    sent: Sent,
    timed_out: bool,
    too_long: bool,
    what: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// The request never left; `what` says at which step, as "could not connect".
    #[must_use]
    pub fn not_sent(what: &'static str) -> Self {
        Self { sent: Sent::No, timed_out: false, too_long: false, what, source: None }
    }

    /// The request left, and the answer is missing or incomplete.
    #[must_use]
    pub fn no_answer(what: &'static str) -> Self {
        Self { sent: Sent::Perhaps, timed_out: false, too_long: false, what, source: None }
    }

    /// The request left, and no whole answer came in time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self {
            sent: Sent::Perhaps,
            timed_out: true,
            too_long: false,
            what: "no whole answer in time",
            source: None,
        }
    }

    /// The request left, and the answer was given up because it is longer than the transport takes.
    #[must_use]
    pub fn too_long() -> Self {
        Self {
            sent: Sent::Perhaps,
            timed_out: false,
            too_long: true,
            what: "the answer is longer than allowed",
            source: None,
        }
    }

    /// Adds the error underneath. It must not show a URL's query or a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the request may have been executed.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Whether the answer was too long, so that asking again brings the same.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// Whether time ran out rather than the connection.
    #[must_use]
    pub fn is_time_out(&self) -> bool {
        self.timed_out
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sent {
            Sent::No => write!(f, "request not sent: {}", self.what),
            Sent::Perhaps => write!(f, "request sent, outcome unknown: {}", self.what),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
