//! A bearer token that never changes: a private app's, a static-auth app's or a service key.

use std::fmt;

use async_trait::async_trait;
use http_transport::{TokenError, TokenProvider};
use secrecy::{ExposeSecret as _, SecretString};

/// A static bearer token. `Debug` hides it, and it is wiped from memory when dropped.
#[derive(Clone)]
pub struct StaticCredential {
    token: SecretString,
}

/// The token is empty, or has characters that no header may have. The token is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is empty or has spaces or control characters; was it copied whole?")]
pub struct UnusableToken;

impl StaticCredential {
    /// Checks that `token` can be one; blanks around it, as a copy or a file leaves them, are taken off.
    ///
    /// # Errors
    /// [`UnusableToken`] when nothing usable is left.
    pub fn new(token: &SecretString) -> Result<Self, UnusableToken> {
        let text = token.expose_secret().trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UnusableToken);
        }
        Ok(Self { token: SecretString::from(text) })
    }
}

#[async_trait]
impl TokenProvider for StaticCredential {
    async fn token(&self) -> Result<SecretString, TokenError> {
        Ok(self.token.clone())
    }

    async fn rejected(&self, _token: &SecretString) -> bool {
        // There is no other one.
        false
    }
}

impl fmt::Debug for StaticCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredential").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(text: &str) -> Result<StaticCredential, UnusableToken> {
        StaticCredential::new(&SecretString::from(text))
    }

    #[test]
    fn tokens_that_no_header_can_carry_are_refused() {
        for text in ["", "  \n", "pat eu1", "pat\r\nx: y", "pät"] {
            assert_eq!(credential(text).err(), Some(UnusableToken), "{text:?}");
        }
        assert_eq!(credential(" pat-eu1-1\n").unwrap().token.expose_secret(), "pat-eu1-1");
    }

    #[test]
    fn debug_hides_the_token() {
        assert!(!format!("{:?}", credential("pat-eu1-1").unwrap()).contains("pat"));
    }
}
