//! AWS Secrets Manager, through the agent that AWS offers for it.
//!
//! The agent runs beside the program on the same machine, signs the calls to AWS, and answers plain HTTP on loopback to
//! whoever holds its own token. So no AWS credential and no signing is in this process.

use std::sync::Arc;

use async_trait::async_trait;
use http_transport::{TokenProvider, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::{SecretSource, SourceError, clean};
use crate::vendor::{Asked, ask};

/// A secret in AWS Secrets Manager.
#[derive(Debug)]
pub struct AwsSecret {
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenProvider>,
    address: String,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "SecretString")]
    secret: Option<SecretString>,
}

impl AwsSecret {
    /// The secret `id`, a name or ARN, from the agent at `base`, which is `http://localhost:2773` unless it was set
    /// otherwise. `tokens` gives the agent's token, which it takes from a file: see [`SourcedToken`](crate::SourcedToken).
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, tokens: Arc<dyn TokenProvider>, base: &str, id: &str) -> Self {
        let id: String = byte_serialize(id.as_bytes()).collect();
        Self { transport, tokens, address: format!("{base}/secretsmanager/get?secretId={id}") }
    }
}

#[async_trait]
impl SecretSource for AwsSecret {
    async fn read(&self) -> Result<SecretString, SourceError> {
        let place = self.address.as_str();
        let request = Asked { header: "x-aws-parameters-secrets-token", ..Asked::get(place) };
        let answer = ask(&*self.transport, &*self.tokens, request).await?;
        let answered: Answered = answer.read(place)?;
        let secret =
            answered.secret.ok_or_else(|| SourceError::new(place, "the secret is binary, not text"))?;
        clean(place, secret.expose_secret())
    }
}
