//! The token provider of an app itself: client credentials, kept in memory only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_transport::{Clock, TokenError, TokenProvider};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::failure::{EndpointError, EndpointErrorKind};
use crate::scopes::WantedScopes;
use crate::time::later;
use crate::token_endpoint::TokenEndpoint;

/// As for portals: five minutes ahead, or after four fifths of a short life.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// A token that is refused this soon after it was made is not refused for its age.
const HEALING: Duration = Duration::from_secs(60);

/// Tokens for APIs that belong to the app and to no portal, such as the webhooks journal.
///
/// Such a token costs nothing to make again and carries no refresh token, so nothing is stored, and processes need not
/// agree: one request at a time per provider, and one token for all its callers.
pub struct AppTokens {
    endpoint: Arc<TokenEndpoint>,
    clock: Arc<dyn Clock>,
    scopes: String,
    held: Mutex<Option<Held>>,
}

struct Held {
    access: SecretString,
    made_at: Duration,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

impl AppTokens {
    /// Tokens with these scopes, required and optional alike.
    #[must_use]
    pub fn new(endpoint: Arc<TokenEndpoint>, clock: Arc<dyn Clock>, scopes: &WantedScopes) -> Self {
        let scopes = format!("{} {}", scopes.required_text(), scopes.optional_text()).trim().to_owned();
        Self { endpoint, clock, scopes, held: Mutex::default() }
    }

    /// A usable token.
    ///
    /// # Errors
    /// The server cannot be had or refuses, and no earlier token is alive.
    pub async fn get(&self) -> Result<SecretString, EndpointError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.access.clone());
        }
        match self.endpoint.client_credentials(&self.scopes).await {
            Ok(answer) => {
                let ahead = AHEAD.min(answer.life / 5);
                let made = Held {
                    access: answer.access,
                    made_at: self.clock.monotonic(),
                    renew_at: later(now, answer.life.saturating_sub(ahead)),
                    expires_at: later(now, answer.life),
                };
                let access = made.access.clone();
                *held = Some(made);
                Ok(access)
            }
            Err(error) => match held.as_ref().filter(|held| self.clock.now() < held.expires_at) {
                Some(held) => {
                    tracing::warn!(%error, "the app's token could not be renewed ahead of time; the present one still serves");
                    Ok(held.access.clone())
                }
                None => Err(error),
            },
        }
    }
}

#[async_trait]
impl TokenProvider for AppTokens {
    async fn token(&self) -> Result<SecretString, TokenError> {
        self.get().await.map_err(|error| match error.kind() {
            EndpointErrorKind::AppRefused | EndpointErrorKind::GrantRefused => TokenError::Revoked,
            _ => TokenError::Unavailable(Some(Box::new(error))),
        })
    }

    async fn rejected(&self, token: &SecretString) -> bool {
        let mut held = self.held.lock().await;
        let Some(present) = held.as_ref() else { return true };
        if present.access.expose_secret() != token.expose_secret() {
            return true;
        }
        let young = self.clock.monotonic().saturating_sub(present.made_at) < HEALING;
        *held = None;
        !young
    }
}

impl fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppTokens").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
