//! OAuth 2 access tokens (RFC 6749): had by client credentials or a refresh token, renewed ahead of their end, once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_transport::{Clock, TokenError, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::Serializer;

/// How long before its end a token is renewed.
const AHEAD: Duration = Duration::from_secs(60);

/// How long a token is taken to last when nobody says.
const LIFE: Duration = Duration::from_secs(600);

/// How long a refused grant is not tried again. Mostly it stays refused; a firewall's refusal passes.
const REFUSED_FOR: Duration = Duration::from_secs(300);

/// Keeps a refresh token that the API replaces with every use.
///
/// Some APIs take a refresh token once and give the next one with the answer: who loses that has to connect the account
/// again. Both calls may be repeated.
pub trait GrantKeeper: fmt::Debug + Send + Sync {
    /// The token that was kept last, if there is one.
    ///
    /// # Errors
    /// What is kept cannot be read.
    fn load(&self) -> Result<Option<KeptGrant>, String>;

    /// Keeps a token in place of the one before. It has to be durable when this returns.
    ///
    /// # Errors
    /// It could not be kept, in words without the token.
    fn save(&self, grant: &KeptGrant) -> Result<(), String>;
}

/// A refresh token and what it came from.
#[derive(Clone, Debug)]
pub struct KeptGrant {
    /// The token to use next.
    pub refresh_token: SecretString,
    /// Recognises the refresh token that was set by hand: where another one was set since, that one counts.
    pub origin: String,
}

/// What a token request says beside the grant.
pub(in crate::rest) struct TokenRequest {
    pub(in crate::rest) url: Url,
    pub(in crate::rest) client_id: SecretString,
    pub(in crate::rest) client_secret: SecretString,
    pub(in crate::rest) in_body: bool,
    /// Further pairs of the form, such as `scope`.
    pub(in crate::rest) more: Vec<(String, String)>,
    /// The refresh token that was set; client credentials where there is none.
    pub(in crate::rest) refresh_token: Option<SecretString>,
}

/// Gives access tokens. `Debug` shows none.
pub(in crate::rest) struct Tokens {
    request: TokenRequest,
    keeper: Option<Arc<dyn GrantKeeper>>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The token and when it is to be renewed, by the monotonic clock.
    access: Option<(SecretString, Duration)>,
    refresh: Option<SecretString>,
    /// Until when the grant is taken for gone: asking again is in vain.
    refused_until: Option<Duration>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

impl Tokens {
    pub(in crate::rest) fn new(
        request: TokenRequest,
        keeper: Option<Arc<dyn GrantKeeper>>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Tokens {
        Tokens { request, keeper, transport, clock, held: Mutex::default() }
    }

    /// A token believed to be valid now. Whoever asks while one is being had waits for that one.
    pub(in crate::rest) async fn token(&self) -> Result<SecretString, TokenError> {
        let mut held = self.held.lock().await;
        if let Some((token, renew_at)) = &held.access
            && self.clock.monotonic() < *renew_at
        {
            return Ok(token.clone());
        }
        self.renew(&mut held).await
    }

    /// Says that a token was refused: whether another can be had.
    pub(in crate::rest) async fn rejected(&self, token: &SecretString) -> bool {
        let mut held = self.held.lock().await;
        let is_current =
            held.access.as_ref().is_some_and(|(held, _)| held.expose_secret() == token.expose_secret());
        if is_current {
            held.access = None;
        }
        !self.is_refused(&held)
    }

    fn is_refused(&self, held: &Held) -> bool {
        held.refused_until.is_some_and(|until| self.clock.monotonic() < until)
    }

    async fn renew(&self, held: &mut Held) -> Result<SecretString, TokenError> {
        if self.is_refused(held) {
            return Err(TokenError::Revoked);
        }
        if held.refresh.is_none() {
            held.refresh = self.refresh_token()?;
        }
        let started = self.clock.monotonic();
        let answer = self.transport.send(self.form(held.refresh.as_ref())).await;
        let answer = answer.map_err(|error| TokenError::Unavailable(Some(Box::new(error))))?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {}
            // RFC 6749, 5.2: the client or its grant was refused.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                held.refused_until = Some(self.clock.monotonic() + REFUSED_FOR);
                // Another one may be kept by then.
                held.refresh = None;
                return Err(TokenError::Revoked);
            }
            _ => return Err(TokenError::Unavailable(None)),
        }
        let granted: Granted =
            serde_json::from_slice(answer.body()).map_err(|_| TokenError::Unavailable(None))?;
        if let Some(next) = granted.refresh_token {
            // Kept before it is used: the one before may be worth nothing from now on.
            self.keep(&next)?;
            held.refresh = Some(next);
        }
        let life = granted.expires_in.as_ref().and_then(seconds).unwrap_or(LIFE);
        let renew_at = started + life.saturating_sub(AHEAD.min(life / 4));
        held.access = Some((granted.access_token.clone(), renew_at));
        Ok(granted.access_token)
    }

    /// The refresh token to use: the one that was kept, if it came from the one that is set.
    fn refresh_token(&self) -> Result<Option<SecretString>, TokenError> {
        let Some(set) = &self.request.refresh_token else { return Ok(None) };
        let kept = match &self.keeper {
            Some(keeper) => keeper.load().map_err(|why| TokenError::Unavailable(Some(why.into())))?,
            None => None,
        };
        let kept = kept.filter(|kept| kept.origin == origin(set));
        Ok(Some(kept.map_or_else(|| set.clone(), |kept| kept.refresh_token)))
    }

    fn keep(&self, next: &SecretString) -> Result<(), TokenError> {
        let (Some(keeper), Some(set)) = (&self.keeper, &self.request.refresh_token) else { return Ok(()) };
        let grant = KeptGrant { refresh_token: next.clone(), origin: origin(set) };
        keeper.save(&grant).map_err(|why| TokenError::Unavailable(Some(why.into())))
    }

    fn form(&self, refresh: Option<&SecretString>) -> Request<Bytes> {
        let request = &self.request;
        let (id, secret) = (request.client_id.expose_secret(), request.client_secret.expose_secret());
        let mut form = Serializer::new(String::new());
        match refresh {
            Some(token) => {
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", token.expose_secret());
            }
            None => {
                form.append_pair("grant_type", "client_credentials");
            }
        }
        form.extend_pairs(&request.more);
        if request.in_body {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        let mut sent = Request::new(Bytes::from(form.finish()));
        *sent.method_mut() = Method::POST;
        // A URL is a URI; if it were none, the request would be refused by the transport.
        *sent.uri_mut() = request.url.as_str().parse().unwrap_or_default();
        let headers = sent.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !request.in_body {
            // RFC 6749, 2.3.1: both are encoded before they are joined.
            let encode =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
            if let Ok(mut value) = HeaderValue::from_str(&format!("Basic {pair}")) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        sent
    }
}

/// Recognises a token without holding it.
fn origin(token: &SecretString) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(token.expose_secret()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds, as a number or, against the standard, as a text.
fn seconds(json: &serde_json::Value) -> Option<Duration> {
    let seconds = json.as_u64().or_else(|| json.as_str()?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}
