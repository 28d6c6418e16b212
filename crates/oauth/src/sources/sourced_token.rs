//! A static token that others rotate: read again when it is refused.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http_transport::{TokenError, TokenProvider};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::SecretSource;
use crate::static_credential::StaticCredential;

/// A private app's token or service key out of a [`SecretSource`].
///
/// HubSpot docs: rotating such a token leaves the former one alive for seven days, or ends it at once. Either way the
/// new one is picked up here without a restart, at the latest when the former one is refused.
pub struct SourcedToken {
    source: Arc<dyn SecretSource>,
    held: Mutex<Option<SecretString>>,
}

impl SourcedToken {
    /// The token in `source`; it is read when the first one is asked for.
    #[must_use]
    pub fn new(source: Arc<dyn SecretSource>) -> Self {
        Self { source, held: Mutex::default() }
    }

    async fn read(&self) -> Result<SecretString, TokenError> {
        let unavailable =
            |error: Box<dyn std::error::Error + Send + Sync>| TokenError::Unavailable(Some(error));
        let read = self.source.read().await.map_err(|error| unavailable(Box::new(error)))?;
        let checked = StaticCredential::new(&read).map_err(|error| unavailable(Box::new(error)))?;
        checked.token().await
    }
}

#[async_trait]
impl TokenProvider for SourcedToken {
    async fn token(&self) -> Result<SecretString, TokenError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref() {
            return Ok(token.clone());
        }
        let token = self.read().await?;
        *held = Some(token.clone());
        Ok(token)
    }

    async fn rejected(&self, token: &SecretString) -> bool {
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| !same(held, token)) {
            return true;
        }
        match self.read().await {
            Ok(read) if !same(&read, token) => {
                *held = Some(read);
                true
            }
            // Still the refused one, or none that can be read.
            _ => false,
        }
    }
}

impl fmt::Debug for SourcedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourcedToken").field("source", &self.source).finish_non_exhaustive()
    }
}
