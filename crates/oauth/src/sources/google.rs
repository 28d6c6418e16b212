//! Google Secret Manager: one version of one secret.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_transport::{TokenProvider, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{SecretSource, SourceError, clean};
use crate::vendor::{Asked, ask};

/// A secret in Google Secret Manager, by its resource name.
#[derive(Debug)]
pub struct GoogleSecret {
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenProvider>,
    address: String,
}

#[derive(Deserialize)]
struct Accessed {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: SecretString,
}

impl GoogleSecret {
    /// The secret `resource`, such as `projects/p/secrets/s/versions/latest`, at `base`, which is
    /// `https://secretmanager.googleapis.com`. `tokens` gives access tokens of a service account that may read it.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenProvider>,
        base: &str,
        resource: &str,
    ) -> Self {
        Self { transport, tokens, address: format!("{base}/v1/{resource}:access") }
    }
}

#[async_trait]
impl SecretSource for GoogleSecret {
    async fn read(&self) -> Result<SecretString, SourceError> {
        let place = self.address.as_str();
        let request = Asked { header: "authorization", scheme: "Bearer ", ..Asked::get(place) };
        let answer = ask(&*self.transport, &*self.tokens, request).await?;
        let accessed: Accessed = answer.read(place)?;
        let decoded = STANDARD.decode(accessed.payload.data.expose_secret());
        let decoded =
            Zeroizing::new(decoded.map_err(|_| SourceError::new(place, "the payload is no base64"))?);
        let text =
            std::str::from_utf8(&decoded).map_err(|_| SourceError::new(place, "the secret is no text"))?;
        clean(place, text)
    }
}
