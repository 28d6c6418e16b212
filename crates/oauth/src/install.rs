//! The install: from the first click over HubSpot's consent page to a stored grant.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_transport::{Clock, redact_text};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::authorize::{Pkce, consent_url, hash};
use crate::cookie;
use crate::entropy::{NoEntropy, unguessable};
use crate::failure::EndpointError;
use crate::grant::{Grant, PortalId};
use crate::grants::Grants;
use crate::pending::{PendingEntry, PendingStore};
use crate::scopes::ScopeReport;
use crate::store::{StoreError, StoreErrorKind};
use crate::time::later;
use crate::token::{Introspection, TokenAnswer, TokenUse};
use crate::token_endpoint::TokenEndpoint;

/// How long a person may take for the consent page.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// A longer callback is nobody's who came from the consent page.
const QUERY_MAX: usize = 8 * 1024;

/// Installs one app in any number of portals.
///
/// Flow: a page of yours calls [`begin`](Self::begin), sets the cookie and redirects the browser. HubSpot sends it back
/// to the redirect address; that page calls [`complete`](Self::complete) and answers with a redirect to an address
/// without a query, so that the code is in no history. Both calls may run at any time, in any process that shares
/// the stores.
pub struct Installer {
    endpoint: Arc<TokenEndpoint>,
    grants: Arc<Grants>,
    pending: Arc<dyn PendingStore>,
    clock: Arc<dyn Clock>,
    pkce: Pkce,
    only: Option<BTreeSet<PortalId>>,
}

/// An install that was begun. `Debug` shows nothing of it.
pub struct Begun {
    /// Where to send the browser, by a redirect with status 303 or 302.
    pub url: String,
    /// The value of the `Set-Cookie` header to send along: without the cookie the callback is refused.
    pub set_cookie: String,
}

/// What the browser brought back from the consent page. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub struct Callback<'r> {
    /// The query of the callback's address, without `?`.
    pub query: &'r str,
    /// The `Cookie` header, if there was one.
    pub cookies: Option<&'r str>,
}

/// A portal that is connected: its grant is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// The portal.
    pub portal: PortalId,
    /// How its scopes compare with the wanted ones; none of the required ones is missing.
    pub scopes: ScopeReport,
    /// Whether it was known before, so that this was a re-authorisation.
    pub again: bool,
    /// The app's number, where the server says it. Events that the app itself caused carry it as `sourceId`.
    pub app_id: Option<u64>,
}

/// Why an install did not happen. Nothing was stored, and an earlier grant is as it was. Shows no code and no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The callback's query is not one that the consent page makes.
    #[error("the callback is malformed: {0}")]
    Malformed(&'static str),
    /// The state is unknown, was used before, or is older than ten minutes.
    #[error("this install is unknown, was finished already, or took longer than ten minutes: start it again")]
    Unknown,
    /// The callback came to another browser than the one that began, or without its cookie.
    #[error(
        "this install was begun in another browser, or the browser takes no cookies: start it again here"
    )]
    OtherBrowser,
    /// The app's settings changed since the install began.
    #[error("the app's client id or redirect address changed meanwhile: start the install again")]
    SettingsChanged,
    /// The person or HubSpot said no.
    #[error("HubSpot did not grant access ({0})")]
    Denied(String),
    /// The code could not be turned into tokens, or they could not be checked.
    #[error("HubSpot's answer to the code cannot be used")]
    Exchange(#[source] EndpointError),
    /// Nothing says whose the token is.
    #[error("HubSpot does not say which account the token belongs to")]
    NoPortal,
    /// The tokens are another account's than the install was for. They were dropped; the app is installed there.
    #[error(
        "access was granted for account {found}, but this install is for account {expected}: choose that one on \
             HubSpot's page, and uninstall the app in {found} if it was not meant"
    )]
    OtherPortal {
        /// The account to connect.
        expected: PortalId,
        /// The account that was chosen.
        found: PortalId,
    },
    /// The tokens are of an account that this installer is not for. They were dropped; the app is installed there.
    #[error("access was granted for account {0}, which this integration is not set up for")]
    UnexpectedPortal(PortalId),
    /// The tokens are not for this app, or not alive.
    #[error("the token is not for this app, or is not active")]
    OtherApp,
    /// Required scopes were not granted.
    #[error("required scopes were not granted: {}", .0.missing.iter().cloned().collect::<Vec<_>>().join(", "))]
    MissingScopes(ScopeReport),
    /// The answer has no refresh token, so access would end with the first token.
    #[error("HubSpot gave no refresh token")]
    NoRefreshToken,
    /// The token store or the store of begun installs failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gives no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// What is kept of a begun install, sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    cookie_hash: String,
    verifier: Option<Zeroizing<String>>,
    portal: Option<PortalId>,
    client_id: String,
    redirect_uri: String,
}

impl Installer {
    /// An installer with proof keys.
    #[must_use]
    pub fn new(
        endpoint: Arc<TokenEndpoint>,
        grants: Arc<Grants>,
        pending: Arc<dyn PendingStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { endpoint, grants, pending, clock, pkce: Pkce::default(), only: None }
    }

    /// For these portals and no other: what somebody grants for another one is dropped and never rests in the store, and
    /// a grant for it that is there, perhaps of another program with the same store, stays as it is.
    #[must_use]
    pub fn only(mut self, portals: impl IntoIterator<Item = PortalId>) -> Self {
        self.only = Some(portals.into_iter().collect());
        self
    }

    /// With or without proof keys.
    #[must_use]
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = pkce;
        self
    }

    /// Begins an install. With a `portal`, only that account is accepted; without, whichever is chosen.
    ///
    /// # Errors
    /// No random bytes, or the store cannot be had or is full.
    pub async fn begin(&self, portal: Option<PortalId>) -> Result<Begun, InstallError> {
        let entropy = self.grants.entropy();
        let (state, bound) = (unguessable(entropy)?, unguessable(entropy)?);
        let verifier = match self.pkce {
            Pkce::S256 => Some(unguessable(entropy)?),
            Pkce::Off => None,
        };
        let app = self.endpoint.app();
        let kept = Kept {
            cookie_hash: hash(bound.expose_secret()),
            verifier: verifier.as_ref().map(|verifier| Zeroizing::new(verifier.expose_secret().to_owned())),
            portal,
            client_id: app.client_id().to_owned(),
            redirect_uri: app.redirect_uri().to_owned(),
        };
        let id = hash(state.expose_secret());
        let content = Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| unreadable())?);
        let sealed = self.grants.seal(&entry_name(&id), &content)?;
        let now = self.clock.now();
        self.pending.keep(&id, &PendingEntry { sealed, expires_at: later(now, LIFE) }, now).await?;
        let secure = app.redirect_uri().starts_with("https:");
        Ok(Begun {
            url: consent_url(self.endpoint.endpoints(), app, portal, &state, verifier.as_ref()),
            set_cookie: cookie::set(&cookie::name(&id, secure), &bound, secure, LIFE.as_secs()),
        })
    }

    /// Ends an install with what the browser brought back. Every state works once, whatever comes of it.
    ///
    /// # Errors
    /// Anything but a stored grant. Up to and including [`InstallError::Denied`] no call was made.
    pub async fn complete(&self, callback: Callback<'_>) -> Result<Installed, InstallError> {
        let (state, outcome) = read_query(callback.query)?;
        let id = hash(state.expose_secret());
        let taken = self.pending.take(&id, self.clock.now()).await?.ok_or(InstallError::Unknown)?;
        let content = self.grants.open(&entry_name(&id), &taken.sealed)?;
        let kept: Kept = serde_json::from_slice(&content).map_err(|_| unreadable())?;
        self.check_browser(&id, &kept, callback.cookies)?;
        let app = self.endpoint.app();
        if kept.client_id != app.client_id() || kept.redirect_uri != app.redirect_uri() {
            return Err(InstallError::SettingsChanged);
        }
        let code = outcome.map_err(InstallError::Denied)?;
        let verifier = kept.verifier.map(|verifier| SecretString::from(verifier.as_str()));
        let asked_at = self.clock.now();
        let answer =
            self.endpoint.exchange_code(&code, verifier.as_ref()).await.map_err(InstallError::Exchange)?;
        let (portal, known) = self.whose(&answer, kept.portal).await?;
        if self.only.as_ref().is_some_and(|only| !only.contains(&portal)) {
            return Err(InstallError::UnexpectedPortal(portal));
        }
        let scopes = answer.scopes.clone().or(known.scopes).unwrap_or_default();
        let report = app.scopes().compare(scopes.iter().map(String::as_str));
        if !report.suffices() {
            return Err(InstallError::MissingScopes(report));
        }
        let refresh = answer.refresh.ok_or(InstallError::NoRefreshToken)?;
        let client_id = app.client_id();
        let grant = Grant::new(client_id, portal, answer.access, refresh, asked_at, answer.life, scopes);
        let again = self.store(&grant).await?;
        tracing::info!(%portal, again, "the app was installed");
        Ok(Installed { portal, scopes: report, again, app_id: known.app_id })
    }

    fn check_browser(&self, id: &str, kept: &Kept, cookies: Option<&str>) -> Result<(), InstallError> {
        let secure = kept.redirect_uri.starts_with("https:");
        let brought = cookies.and_then(|header| cookie::find(header, &cookie::name(id, secure)));
        let brought = hash(brought.ok_or(InstallError::OtherBrowser)?);
        if bool::from(brought.as_bytes().ct_eq(kept.cookie_hash.as_bytes())) {
            Ok(())
        } else {
            Err(InstallError::OtherBrowser)
        }
    }

    /// Whose tokens these are, as two answers of the server say, and that it is who was meant.
    ///
    /// Tokens that are refused are dropped, not revoked: HubSpot may give one refresh token twice for the same app and
    /// account, and revoking it would cut off an account that is rightly connected.
    async fn whose(
        &self,
        answer: &TokenAnswer,
        expected: Option<PortalId>,
    ) -> Result<(PortalId, Introspection), InstallError> {
        let known = match self.endpoint.introspect(&answer.access, TokenUse::Access).await {
            Ok(known) if !known.active => return Err(InstallError::OtherApp),
            Ok(known) => known,
            // The code is spent: with the portal known from the first answer, a second opinion is not worth the install.
            Err(error) if error.may_pass() && answer.portal.is_some() => {
                tracing::warn!(%error, "the new token could not be introspected");
                Introspection::default()
            }
            Err(error) => return Err(InstallError::Exchange(error)),
        };
        if known.client_id.as_deref().is_some_and(|id| id != self.endpoint.app().client_id()) {
            return Err(InstallError::OtherApp);
        }
        let portal = answer.portal.or(known.portal).ok_or(InstallError::NoPortal)?;
        for (expected, found) in [(expected, portal), (known.portal, portal)] {
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                return Err(InstallError::OtherPortal { expected, found });
            }
        }
        Ok((portal, known))
    }

    /// Stores the grant over whatever is there; says whether something was.
    async fn store(&self, grant: &Grant) -> Result<bool, StoreError> {
        loop {
            let there = self.grants.load(&grant.client_id, grant.portal).await?;
            let revision = there.map(|(_, revision)| revision);
            match self.grants.save(grant, revision).await {
                Ok(_) => return Ok(revision.is_some()),
                // A renewal of the old grant came in between: the new consent is the one that counts.
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }
}

type Outcome = Result<SecretString, String>;

/// The state and either the code or the reason of a refusal.
fn read_query(query: &str) -> Result<(SecretString, Outcome), InstallError> {
    if query.len() > QUERY_MAX {
        return Err(InstallError::Malformed("it is too long"));
    }
    let (mut state, mut code, mut error) = (None, None, None);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match key.as_ref() {
            "state" => &mut state,
            "code" => &mut code,
            "error" => &mut error,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(InstallError::Malformed("a parameter stands twice"));
        }
    }
    let state = state.filter(|state| !state.is_empty());
    let state = SecretString::from(state.ok_or(InstallError::Malformed("it has no state"))?);
    match (code.filter(|code| !code.is_empty()), error) {
        (Some(code), None) => Ok((state, Ok(SecretString::from(code)))),
        (None, Some(error)) => Ok((state, Err(short(&error)))),
        (Some(_), Some(_)) => Err(InstallError::Malformed("it has both a code and an error")),
        (None, None) => Err(InstallError::Malformed("it has neither a code nor an error")),
    }
}

/// Error codes are short words; anything else was made up by whoever sent the browser here.
fn short(error: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.');
    redact_text(error).chars().filter(|c| plain(*c)).take(60).collect()
}

fn entry_name(id: &str) -> String {
    format!("pending/{id}")
}

fn unreadable() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a begun install was kept by another version of this program")
}

impl fmt::Debug for Installer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installer").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(..)")
    }
}

impl fmt::Debug for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query: String) {
            if let Ok((state, _)) = read_query(&query) {
                prop_assert!(!state.expose_secret().is_empty());
            }
        }
    }

    #[test]
    fn only_the_consent_pages_own_queries_are_read() {
        let long = format!("state=s&code={}", "c".repeat(QUERY_MAX));
        for query in [
            "",
            "code=c",
            "state=s",
            "state=&code=c",
            "state=s&code=",
            "state=s&code=c&code=d",
            "state=s&state=s&code=c",
            "state=s&code=c&error=e",
            "state=s&error=a&error=b",
            &long,
            "%",
            "&&&",
        ] {
            assert!(matches!(read_query(query), Err(InstallError::Malformed(_))), "{query}");
        }
        let (state, code) = read_query("code=na1-%2Fx&state=s%20t&later=1").unwrap();
        assert_eq!((state.expose_secret(), code.unwrap().expose_secret()), ("s t", "na1-/x"));
        let (_, refused) = read_query("state=s&error=access_denied<script>").unwrap();
        assert_eq!(refused.unwrap_err(), "access_deniedscript");
    }
}
