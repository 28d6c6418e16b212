//! One call to a secret store over HTTP, with a token that is asked for again when it is refused.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_transport::{TokenProvider, Transport};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;

use crate::endpoints::is_safe;
use crate::sources::SourceError;

/// A call to be made.
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    /// The header of the token, in small letters, and what stands before the token in it.
    pub(crate) header: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) body: Bytes,
}

impl<'a> Asked<'a> {
    pub(crate) fn get(url: &'a str) -> Self {
        Self {
            method: Method::GET,
            url,
            header: "authorization",
            scheme: "",
            namespace: None,
            body: Bytes::new(),
        }
    }
}

/// An answer of any status but those that refuse the token.
pub(crate) struct Answered(Response<Bytes>);

impl Answered {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.0.body()
    }

    /// Reads a successful answer.
    pub(crate) fn read<T: DeserializeOwned>(&self, place: &str) -> Result<T, SourceError> {
        let what = match self.status() {
            StatusCode::OK => {
                // The parser's own words could quote the secret.
                return serde_json::from_slice(self.body())
                    .map_err(|_| SourceError::new(place, "the answer is not as documented"));
            }
            StatusCode::NOT_FOUND => "there is no such secret",
            status if status.is_server_error() => "the secret store is in trouble",
            _ => "the secret store refuses the request",
        };
        Err(SourceError::new(place, what))
    }
}

pub(crate) async fn ask(
    transport: &dyn Transport,
    tokens: &dyn TokenProvider,
    asked: Asked<'_>,
) -> Result<Answered, SourceError> {
    let place = asked.url;
    if !is_safe(place) {
        return Err(SourceError::new(place, "must be an https:// URL, or http:// on this machine"));
    }
    let mut healed = false;
    loop {
        let token = tokens.token().await.map_err(|error| {
            SourceError::new(place, "there is no token for the secret store").with_source(error)
        })?;
        let mut value = HeaderValue::from_str(&format!("{}{}", asked.scheme, token.expose_secret()))
            .map_err(|_| SourceError::new(place, "the token has characters that no header may have"))?;
        value.set_sensitive(true);
        let mut request =
            Request::builder().method(asked.method.clone()).uri(place).header(asked.header, value);
        if let Some(namespace) = asked.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if !asked.body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request
            .body(asked.body.clone())
            .map_err(|_| SourceError::new(place, "the address is malformed"))?;
        let answer = transport.send(request).await.map_err(|error| {
            SourceError::new(place, "the secret store cannot be reached").with_source(error)
        })?;
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                if healed || !tokens.rejected(&token).await {
                    return Err(SourceError::new(place, "the secret store refuses the token"));
                }
                healed = true;
            }
            _ => return Ok(Answered(answer)),
        }
    }
}
