//! The app that asks for access: its credentials, its redirect address and the scopes it wants.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::endpoints::is_safe;
use crate::scopes::WantedScopes;

/// An OAuth app as HubSpot's developer portal shows it. `Debug` hides the secret.
#[derive(Clone)]
pub struct App {
    client_id: String,
    client_secret: SecretString,
    redirect_uri: String,
    scopes: WantedScopes,
}

/// What is wrong with an app's settings. Shows no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApp {
    /// Empty, or with characters that no client id has.
    #[error("the client id is empty or has characters beside letters, digits, `-`, `_` and `.`")]
    ClientId,
    /// Empty, or with characters that a copy left behind.
    #[error("the client secret is empty or has spaces or control characters; was it copied whole?")]
    ClientSecret,
    /// Not an address that HubSpot would send a code to.
    #[error("the redirect address must be an https:// URL, or http:// on this machine, without a `#` part")]
    RedirectUri,
    /// An endpoint would get secrets over an open network.
    #[error("every OAuth endpoint must be an https:// URL, or http:// on this machine")]
    Endpoint,
}

impl App {
    /// Checks the settings of an app. `redirect_uri` must equal a registered one, byte for byte.
    ///
    /// # Errors
    /// The first of the settings that cannot be.
    pub fn new(
        client_id: &str,
        client_secret: &SecretString,
        redirect_uri: &str,
        scopes: WantedScopes,
    ) -> Result<Self, InvalidApp> {
        let client_id = client_id.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if client_id.is_empty() || client_id.len() > 200 || !client_id.bytes().all(plain) {
            return Err(InvalidApp::ClientId);
        }
        let secret = client_secret.expose_secret().trim();
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidApp::ClientSecret);
        }
        let fragment = Url::parse(redirect_uri).map(|url| url.fragment().is_some());
        if !is_safe(redirect_uri) || fragment != Ok(false) {
            return Err(InvalidApp::RedirectUri);
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            client_secret: SecretString::from(secret),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
        })
    }

    /// The client id, which is no secret.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Where HubSpot sends the browser after consent.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// What the app asks for.
    #[must_use]
    pub fn scopes(&self) -> &WantedScopes {
        &self.scopes
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.client_secret
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let app = |id: &str, secret: &str, redirect: &str| {
            App::new(id, &SecretString::from(secret), redirect, WantedScopes::default()).err()
        };
        let good = "https://example.com/oauth/callback";
        for (id, secret, redirect, expected) in [
            ("an-id", "a-secret", good, None),
            (" an-id\n", " a-secret\n", "http://localhost:3000/callback", None),
            ("", "a-secret", good, Some(InvalidApp::ClientId)),
            ("../id", "a-secret", good, Some(InvalidApp::ClientId)),
            ("an-id", " ", good, Some(InvalidApp::ClientSecret)),
            ("an-id", "a secret", good, Some(InvalidApp::ClientSecret)),
            ("an-id", "a-secret", "http://example.com/callback", Some(InvalidApp::RedirectUri)),
            ("an-id", "a-secret", "https://example.com/#callback", Some(InvalidApp::RedirectUri)),
        ] {
            assert_eq!(app(id, secret, redirect), expected, "{id:?} {secret:?} {redirect}");
        }
    }
}
