//! The escape hatch: any route with the same token, limits, retries, breaker and log.

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_transport::Idempotency;
use serde::{Deserialize, Serialize};

use crate::call::{Call, CallKind, decode};
use crate::client::Client;
use crate::error::Error;
use crate::wire;

/// A request to any route below the base URL.
#[derive(Debug)]
pub struct RawRequest(Call);

/// Its successful answer. `Debug` shows no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct RawAnswer {
    /// The status, 2xx.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl RawRequest {
    /// A request without a body. `path` begins with `/` and may have a query. GET and HEAD are taken as safe to repeat,
    /// PUT, PATCH and DELETE as idempotent, POST as not repeatable; see [`idempotency`](Self::idempotency).
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let idempotency = match method {
            Method::GET | Method::HEAD => Idempotency::Safe,
            Method::POST => Idempotency::Once,
            _ => Idempotency::Idempotent,
        };
        Self(Call::new(method, path.into(), Bytes::new()).idempotency(idempotency))
    }

    /// Adds a JSON body.
    ///
    /// # Errors
    /// When `body` cannot be written as JSON.
    pub fn json<T: Serialize>(mut self, body: &T) -> Result<Self, Error> {
        self.0.body = wire::to_body(body, 256)?;
        Ok(self)
    }

    /// Says what repeating the request does, for example that a POST only reads.
    #[must_use]
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.0.idempotency = idempotency;
        self
    }

    /// Says which limits it counts against. Default [`CallKind::General`].
    #[must_use]
    pub fn kind(mut self, kind: CallKind) -> Self {
        self.0.kind = kind;
        self
    }
}

impl RawAnswer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// Kind [`Unreadable`](crate::ErrorKind::Unreadable), naming the place.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        decode(&self.body)
    }
}

impl std::fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Sends a request to any route, with everything a typed call has.
    ///
    /// # Errors
    /// As any call; an answer with an error status is an error.
    pub async fn raw(&self, request: RawRequest) -> Result<RawAnswer, Error> {
        if !request.0.path.starts_with('/') {
            return Err(Error::invalid_request("the path must begin with `/`"));
        }
        let answer = self.send(&request.0).await?;
        Ok(RawAnswer { status: answer.status, headers: answer.headers, body: answer.body })
    }
}
