//! Where single secrets come from: the master key, a client secret, a static token. One file each.
//!
//! A source is read-only and read rarely. It is where a platform's own secret store belongs: the master key rests there,
//! and what changes twice an hour rests sealed in a [`SealedStore`](crate::SealedStore).

#[cfg(feature = "aws-agent")]
pub(crate) mod aws_agent;
#[cfg(feature = "google")]
pub(crate) mod google;
pub(crate) mod mounted;
pub(crate) mod sourced_token;
#[cfg(feature = "vault")]
pub(crate) mod vault;

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

/// Reads one secret.
#[async_trait]
pub trait SecretSource: fmt::Debug + Send + Sync {
    /// The secret as it is now, without blanks around it. May be called again, to see whether it was changed.
    async fn read(&self) -> Result<SecretString, SourceError>;
}

/// A secret could not be read. Shows nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct SourceError {
    place: String,
    what: &'static str,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SourceError {
    /// An error at `place`, with what is wrong there.
    #[must_use]
    pub fn new(place: impl Into<String>, what: &'static str) -> Self {
        Self { place: place.into(), what, source: None }
    }

    /// Adds the error underneath, which must show no secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// The secret in `text`, which must not be empty.
pub(crate) fn clean(place: &str, text: &str) -> Result<SecretString, SourceError> {
    match text.trim() {
        "" => Err(SourceError::new(place, "the secret is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}
