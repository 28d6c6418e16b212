//! The default transport: reqwest over rustls with ring.

use std::io::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::transport::{Transport, TransportError};

const GZIP_FROM_BYTES: usize = 100 * 1024;

/// [`Transport`] over a pooled reqwest client. Cloning shares the pool.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    gzip_requests: bool,
    answer_bytes_max: usize,
}

/// Settings of a [`ReqwestTransport`].
#[derive(Clone, Debug)]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    request_timeout: Duration,
    gzip_requests: bool,
    answer_bytes_max: usize,
    user_agent: String,
    client_certificate: Option<SecretString>,
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            gzip_requests: false,
            answer_bytes_max: 64 * 1024 * 1024,
            user_agent: concat!("hubspot-integration-kit/", env!("CARGO_PKG_VERSION")).to_owned(),
            client_certificate: None,
        }
    }
}

impl ReqwestTransportBuilder {
    /// How long connecting may take, TLS included. Default 5 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a request may take from start to the last byte of its answer. Default 30 s; 10-30 s is sensible.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Compress request bodies over 100 KiB. Off by default: switch it on only for a server that documents it.
    #[must_use]
    pub fn gzip_requests(mut self, on: bool) -> Self {
        self.gzip_requests = on;
        self
    }

    /// Refuse longer answers (after decompression), so that a broken server cannot fill memory. Default 64 MiB.
    #[must_use]
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// The `User-Agent` header. Default: this kit and its version.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The certificate that this side shows (mutual TLS): PEM text of the certificate, its chain and its private key.
    #[must_use]
    pub fn client_certificate(mut self, pem: SecretString) -> Self {
        self.client_certificate = Some(pem);
        self
    }

    /// Builds the transport and installs the process-wide TLS provider unless one is installed already.
    ///
    /// # Errors
    /// When TLS cannot be set up, the client certificate cannot be read, or the user agent is no header value.
    #[allow(clippy::disallowed_methods, reason = "the one place where a reqwest client is built")]
    pub fn build(self) -> Result<ReqwestTransport, TransportError> {
        // An error means that the program installed a provider of its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder();
        if let Some(pem) = &self.client_certificate {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes()).map_err(|error| {
                TransportError::not_sent("the client certificate cannot be read").with_source(error)
            })?;
            builder = builder.identity(identity);
        }
        let client = builder
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            // Small requests wait for no full packet: latency counts more than packets.
            .tcp_nodelay(true)
            .user_agent(self.user_agent)
            .build()
            .map_err(|error| TransportError::not_sent("client set-up failed").with_source(error))?;
        Ok(ReqwestTransport {
            client,
            gzip_requests: self.gzip_requests,
            answer_bytes_max: self.answer_bytes_max,
        })
    }
}

impl ReqwestTransport {
    /// Settings, all with defaults.
    #[must_use]
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }

    fn prepare(&self, request: http::Request<Bytes>) -> http::Request<Bytes> {
        if !self.gzip_requests
            || request.body().len() <= GZIP_FROM_BYTES
            || request.headers().contains_key(CONTENT_ENCODING)
        {
            return request;
        }
        let (mut parts, body) = request.into_parts();
        match gzip(&body) {
            Some(compressed) => {
                parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                parts.headers.remove(CONTENT_LENGTH);
                http::Request::from_parts(parts, compressed)
            }
            None => http::Request::from_parts(parts, body),
        }
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(self.prepare(request)).map_err(|error| {
            TransportError::not_sent("the request is malformed").with_source(error.without_url())
        })?;
        let mut response = self.client.execute(request).await.map_err(classify)?;

        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(TransportError::too_long());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let verdict = if error.is_connect() {
        TransportError::not_sent("could not connect")
    } else if error.is_builder() {
        TransportError::not_sent("the request is malformed")
    } else if error.is_timeout() {
        TransportError::timed_out()
    } else {
        TransportError::no_answer("the connection broke or the answer is unreadable")
    };
    verdict.with_source(error)
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
