//! Proving who a call is from: keys, basic, bearer, OAuth 2 tokens that are renewed, signatures.

mod sign;
mod token;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use http_transport::TokenError;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::description::{Auth, KeyPlace, SecretText};
use super::request::{Prepared, header};
use super::template::{Escape, Values};
pub(super) use sign::{Signer, code, hex};
pub use token::{GrantKeeper, KeptGrant};
pub(super) use token::{TokenRequest, Tokens};

/// Secrets by name, all of them there.
pub(super) type Secrets = BTreeMap<String, SecretString>;

/// How this side proves itself. `Debug` shows the kind alone.
pub(super) enum Credential {
    None,
    Header(HeaderName, HeaderValue),
    Query(String, SecretString),
    Tokens(Box<Tokens>),
    Sign(Signer),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::None => "None",
            Credential::Header(..) => "Header(…)",
            Credential::Query(..) => "Query(…)",
            Credential::Tokens(_) => "Tokens(…)",
            Credential::Sign(_) => "Sign(…)",
        })
    }
}

impl Credential {
    /// The credential of a description whose secrets are known; `tokens` makes what OAuth needs.
    ///
    /// # Errors
    /// A secret is missing or cannot stand in a header.
    pub(super) fn new(
        auth: &Auth,
        secrets: &Secrets,
        variables: &BTreeMap<String, String>,
        tokens: impl FnOnce() -> Result<Tokens, String>,
    ) -> Result<Credential, String> {
        let secret = |name: &str| secret(secrets, name);
        Ok(match auth {
            Auth::None => Credential::None,
            Auth::ApiKey { place: KeyPlace::Header(name), prefix, secret: value } => {
                hidden(name, &format!("{prefix}{}", secret(value)?.expose_secret()))?
            }
            Auth::ApiKey { place: KeyPlace::Query(name), prefix, secret: value } => {
                let value = format!("{prefix}{}", secret(value)?.expose_secret());
                Credential::Query(name.clone(), SecretString::from(value))
            }
            Auth::Basic { user, password } => {
                let (user, password) =
                    (shown(user, secrets, variables)?, shown(password, secrets, variables)?);
                let pair = format!("{}:{}", user.expose_secret(), password.expose_secret());
                hidden(AUTHORIZATION.as_str(), &format!("Basic {}", BASE64_STANDARD.encode(pair)))?
            }
            Auth::Bearer { secret: value } => {
                hidden(AUTHORIZATION.as_str(), &format!("Bearer {}", secret(value)?.expose_secret()))?
            }
            Auth::Tokens(_) => Credential::Tokens(Box::new(tokens()?)),
            Auth::Hmac(spec) => Credential::Sign(Signer::new(spec.clone(), secret(&spec.secret)?)),
        })
    }

    /// The request with its credential, and the token that it carries where that may expire.
    ///
    /// # Errors
    /// No token could be had.
    pub(super) async fn signed(
        &self,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<(Request<Bytes>, Option<SecretString>), TokenError> {
        let mut url = prepared.url.clone();
        let mut headers = prepared.headers.clone();
        let mut token = None;
        match self {
            Credential::None => {}
            Credential::Header(name, value) => {
                headers.insert(name.clone(), value.clone());
            }
            Credential::Query(name, value) => {
                // An address that the API gave may carry the key already.
                let kept: Vec<(String, String)> =
                    url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
                url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value.expose_secret());
            }
            Credential::Tokens(tokens) => {
                let current = tokens.token().await?;
                let value = format!("Bearer {}", current.expose_secret());
                if let Ok((name, mut value)) = header(AUTHORIZATION.as_str(), &value) {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
                token = Some(current);
            }
            Credential::Sign(signer) => signer.sign(prepared, &mut headers, now),
        }
        let mut request = Request::new(prepared.body.clone());
        *request.method_mut() = prepared.method.clone();
        *request.headers_mut() = headers;
        match url.as_str().parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return Err(TokenError::Unavailable(Some(Box::new(error)))),
        }
        Ok((request, token))
    }

    /// Tells that a token was refused; whether another one can be had.
    pub(super) async fn rejected(&self, token: Option<&SecretString>) -> bool {
        match (self, token) {
            (Credential::Tokens(tokens), Some(token)) => tokens.rejected(token).await,
            _ => false,
        }
    }
}

fn hidden(name: &str, value: &str) -> Result<Credential, String> {
    let (name, mut value) = header(name, value.trim())?;
    value.set_sensitive(true);
    Ok(Credential::Header(name, value))
}

pub(super) fn secret(secrets: &Secrets, name: &str) -> Result<SecretString, String> {
    let found = secrets.get(name).cloned();
    found.ok_or_else(|| format!("the secret {name} is not set; set it in the environment of the program"))
}

/// What a text that may be a secret says.
pub(super) fn shown(
    text: &SecretText,
    secrets: &Secrets,
    variables: &BTreeMap<String, String>,
) -> Result<SecretString, String> {
    match text {
        SecretText::Secret(name) => secret(secrets, name),
        SecretText::Plain(template) => {
            template.fill(&Values { own: &[], variables }, Escape::No).map(SecretString::from)
        }
    }
}
