//! The way a run ends early and cleanly: no new call gets a token, and calls under way are answered and recorded.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http_transport::{TokenError, TokenProvider};
use secrecy::SecretString;
use tokio::sync::watch;

/// Tokens until the service is to stop. A run that is refused one halts, and commits what its last calls came to.
pub(crate) struct StoppingTokens {
    inner: Arc<dyn TokenProvider>,
    stop: watch::Receiver<bool>,
}

impl StoppingTokens {
    pub(crate) fn new(inner: Arc<dyn TokenProvider>, stop: watch::Receiver<bool>) -> StoppingTokens {
        StoppingTokens { inner, stop }
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("this service is stopping")]
struct Stopping;

#[async_trait]
impl TokenProvider for StoppingTokens {
    async fn token(&self) -> Result<SecretString, TokenError> {
        if *self.stop.borrow() {
            return Err(TokenError::Unavailable(Some(Box::new(Stopping))));
        }
        self.inner.token().await
    }

    async fn rejected(&self, token: &SecretString) -> bool {
        self.inner.rejected(token).await
    }
}

impl fmt::Debug for StoppingTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoppingTokens")
    }
}
