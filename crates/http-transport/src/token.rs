//! Where a bearer token comes from.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

/// Gives a bearer token for each request.
///
/// Flow: the caller asks [`token`](Self::token) before every request. When the server refuses the token (401), it calls
/// [`rejected`](Self::rejected) with the refused one; on `true` it asks for a token again and repeats the request once.
///
/// Both calls may come from many tasks at the same time. An implementation serves a cached token quickly, renews it
/// ahead of its expiry and never runs two renewals of one grant at once. `Debug` must not show any token.
#[async_trait]
pub trait TokenProvider: fmt::Debug + Send + Sync {
    /// A token believed to be valid now.
    async fn token(&self) -> Result<SecretString, TokenError>;

    /// Says that the server refused `token`. Returns whether another token can now be had; a static credential has no
    /// other and returns `false`. Reporting an old token that was replaced meanwhile is harmless and returns `true`.
    async fn rejected(&self, token: &SecretString) -> bool;
}

/// Why no token could be had. Holds no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The grant behind the token is gone: somebody must connect the account again.
    #[error("the credential is revoked or no longer valid")]
    Revoked,
    /// Trying again later may work, for example because the token endpoint is down.
    #[error("no token could be had at the moment")]
    Unavailable(#[source] Option<Box<dyn Error + Send + Sync>>),
}
