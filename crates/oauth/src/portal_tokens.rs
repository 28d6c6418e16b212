//! The token provider of one portal that installed the app.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use http_transport::{Clock, TokenError, TokenProvider};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::failure::EndpointErrorKind;
use crate::grant::{Grant, PortalId, Reason, Step};
use crate::grants::Grants;
use crate::lease::Lease;
use crate::refresh::{RefreshError, Refresher, Unsaved};
use crate::store::StoreError;
use crate::token_endpoint::TokenEndpoint;

/// After a renewal failed, the server is left alone this long at first, then twice as long each time.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A token that was renewed because it was refused, and is refused again within this time, is no matter of age.
const HEALING: Duration = Duration::from_secs(60);

/// Bearer tokens for one portal: renewed five minutes ahead of expiry, once however many tasks and processes ask.
///
/// While a renewal fails and the present token still lives, that one is served. When the server refuses the grant, the
/// portal is marked as needing re-authorisation and `token` answers [`TokenError::Revoked`]; [`status`](Self::status)
/// says why. After the app is installed again, this same provider goes on. Cloning shares everything.
#[derive(Clone)]
pub struct PortalTokens {
    shared: Arc<Shared>,
}

struct Shared {
    refresher: Refresher,
    cached: RwLock<Option<Cached>>,
    gate: Arc<Mutex<Gate>>,
}

#[derive(Clone)]
struct Cached {
    access: SecretString,
    /// Until here it is served without a look at the store.
    good_until: Timestamp,
    expires_at: Timestamp,
}

/// What whoever renews needs to know of earlier attempts. One renewal of this process at a time holds it.
#[derive(Default)]
pub(crate) struct Gate {
    unsaved: Option<Unsaved>,
    failures: u32,
    /// By the monotonic clock.
    not_before: Option<Duration>,
    healed_at: Option<Duration>,
}

/// Why [`PortalTokens`] has no token, in words for a person. Shows no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoToken {
    /// The portal never installed the app, or its grant was forgotten.
    #[error("portal {0} is not connected: open the install page of this integration and choose that account")]
    NotInstalled(PortalId),
    /// The portal has to be connected again. Work for it is kept and goes on afterwards.
    #[error(
        "portal {portal} needs re-authorisation since {since}: {reason}. Open the install page of this integration, \
         choose that account and grant access; nothing that waits for it is lost"
    )]
    NeedsReauthorisation {
        /// The portal.
        portal: PortalId,
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// The server or the token store cannot be had, or the app's settings are refused.
    #[error("no token for portal {portal} at the moment")]
    Unavailable {
        /// The portal.
        portal: PortalId,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Said while the pause after a failed renewal lasts.
#[derive(Debug, thiserror::Error)]
#[error("the last renewal failed, and the next one waits for {} ms more", .0.as_millis())]
struct Pausing(Duration);

impl PortalTokens {
    /// Tokens of `portal`. `holder` names this process to others who read the store, such as host name and process id.
    /// Nothing is read before the first token is asked for.
    #[must_use]
    pub fn new(
        endpoint: Arc<TokenEndpoint>,
        grants: Arc<Grants>,
        lease: Arc<dyn Lease>,
        clock: Arc<dyn Clock>,
        portal: PortalId,
        holder: impl Into<String>,
    ) -> Self {
        let refresher = Refresher { endpoint, grants, lease, clock, portal, holder: holder.into() };
        let gate = Arc::default();
        Self { shared: Arc::new(Shared { refresher, cached: RwLock::default(), gate }) }
    }

    /// The portal.
    #[must_use]
    pub fn portal(&self) -> PortalId {
        self.shared.refresher.portal
    }

    /// The grant as it is stored, with its status and scopes. Asks the store, not the server.
    ///
    /// # Errors
    /// The store cannot be had.
    pub async fn status(&self) -> Result<Option<Grant>, StoreError> {
        let refresher = &self.shared.refresher;
        let there = refresher.grants.load(refresher.endpoint.app().client_id(), refresher.portal).await?;
        Ok(there.map(|(grant, _)| grant))
    }

    /// A usable token, or why there is none. The same as [`TokenProvider::token`] with more words.
    ///
    /// # Errors
    /// See [`NoToken`].
    pub async fn get(&self) -> Result<SecretString, NoToken> {
        let now = self.now();
        let present = self.cached();
        if let Some(cached) = present.as_ref().filter(|cached| now < cached.good_until) {
            return Ok(cached.access.clone());
        }
        let alive = |cached: &Cached| self.now() < cached.expires_at;
        let gate = match (Arc::clone(&self.shared.gate).try_lock_owned(), present) {
            (Ok(gate), _) => gate,
            // Somebody is at it already, and nobody else needs to wait for it.
            (Err(_), Some(cached)) if alive(&cached) => return Ok(cached.access),
            (Err(_), _) => Arc::clone(&self.shared.gate).lock_owned().await,
        };
        if let Some(cached) = self.cached().filter(|cached| self.now() < cached.good_until) {
            return Ok(cached.access);
        }
        match self.renew(gate, None).await {
            Ok(cached) => Ok(cached.access),
            Err(error @ NoToken::Unavailable { .. }) => match self.cached().filter(alive) {
                Some(cached) => {
                    tracing::warn!(
                        portal = %self.portal(), error = %error, cause = cause(&error),
                        "the token could not be renewed ahead of time; the present one still serves"
                    );
                    Ok(cached.access)
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Renews in a task of its own: a caller that gives up must not take an answer with it that nobody has stored yet.
    async fn renew(
        &self,
        gate: OwnedMutexGuard<Gate>,
        rejected: Option<SecretString>,
    ) -> Result<Cached, NoToken> {
        let shared = Arc::clone(&self.shared);
        let portal = self.portal();
        let task = tokio::spawn(async move { shared.renew(gate, rejected).await });
        task.await.unwrap_or_else(|stopped| Err(NoToken::Unavailable { portal, source: Box::new(stopped) }))
    }

    fn cached(&self) -> Option<Cached> {
        self.shared.cached.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn now(&self) -> Timestamp {
        self.shared.refresher.clock.now()
    }

    pub(crate) fn refresher(&self) -> &Refresher {
        &self.shared.refresher
    }

    /// Keeps renewals of this process out for as long as the guard lives.
    pub(crate) async fn exclude(&self) -> OwnedMutexGuard<Gate> {
        Arc::clone(&self.shared.gate).lock_owned().await
    }

    pub(crate) fn drop_cached(&self) {
        self.shared.set(None);
    }
}

impl Shared {
    async fn renew(
        &self,
        mut gate: OwnedMutexGuard<Gate>,
        rejected: Option<SecretString>,
    ) -> Result<Cached, NoToken> {
        let clock = &self.refresher.clock;
        let portal = self.refresher.portal;
        if let Some(left) = gate.not_before.and_then(|until| until.checked_sub(clock.monotonic()))
            && !left.is_zero()
        {
            return Err(NoToken::Unavailable { portal, source: Box::new(Pausing(left)) });
        }
        match self.refresher.usable(rejected.as_ref(), &mut gate.unsaved).await {
            Ok(usable) => {
                gate.failures = 0;
                gate.not_before = None;
                if rejected.is_some() {
                    gate.healed_at = Some(clock.monotonic());
                }
                let cached = Cached {
                    access: usable.grant.access.clone(),
                    good_until: usable.look_again_at,
                    expires_at: usable.grant.expires_at,
                };
                self.set(Some(cached.clone()));
                Ok(cached)
            }
            Err(error) => {
                gate.failures = gate.failures.saturating_add(1);
                gate.not_before = Some(clock.monotonic().saturating_add(pause(&error, gate.failures)));
                let error = self.no_token(error, gate.failures == 1);
                if matches!(error, NoToken::Unavailable { .. }) {
                    self.keep_stored(rejected.as_ref()).await;
                }
                Err(error)
            }
        }
    }

    /// Takes what is stored for as long as it lives: a process that has just started has nothing else to serve.
    async fn keep_stored(&self, rejected: Option<&SecretString>) {
        let client_id = self.refresher.endpoint.app().client_id();
        let Ok(Some((grant, _))) = self.refresher.grants.load(client_id, self.refresher.portal).await else {
            return;
        };
        let now = self.refresher.clock.now();
        if let Step::Renew { usable_until: Some(expires_at) } = grant.step(now, rejected) {
            self.set(Some(Cached { access: grant.access, good_until: now, expires_at }));
        }
    }

    /// What `error` means to a caller. It is logged the first time.
    fn no_token(&self, error: RefreshError, first: bool) -> NoToken {
        let portal = self.refresher.portal;
        match error {
            RefreshError::NotInstalled(portal) => {
                self.set(None);
                NoToken::NotInstalled(portal)
            }
            RefreshError::Stopped { portal, since, reason } => {
                self.set(None);
                if first {
                    tracing::error!(%portal, %since, %reason, "the portal needs re-authorisation");
                }
                NoToken::NeedsReauthorisation { portal, since, reason }
            }
            RefreshError::Store(source) => NoToken::Unavailable { portal, source: Box::new(source) },
            RefreshError::Endpoint(_, source) => {
                if first && source.kind() == EndpointErrorKind::AppRefused {
                    tracing::error!(%portal, error = %source, "the app's settings are refused");
                }
                NoToken::Unavailable { portal, source: Box::new(source) }
            }
        }
    }

    fn set(&self, cached: Option<Cached>) {
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = cached;
    }
}

/// How long to leave server and store alone after a failure.
fn pause(error: &RefreshError, failures: u32) -> Duration {
    let doubled = PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(PAUSE_MAX);
    match error {
        RefreshError::Endpoint(_, error) => error.retry_after().unwrap_or(doubled),
        RefreshError::Store(_) => doubled,
        // Whoever installs again should not have to wait, and a look at the store costs little.
        RefreshError::NotInstalled(_) | RefreshError::Stopped { .. } => Duration::ZERO,
    }
}

fn cause(error: &NoToken) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

#[async_trait]
impl TokenProvider for PortalTokens {
    async fn token(&self) -> Result<SecretString, TokenError> {
        self.get().await.map_err(|error| match error {
            NoToken::NotInstalled(_) | NoToken::NeedsReauthorisation { .. } => TokenError::Revoked,
            NoToken::Unavailable { source, .. } => TokenError::Unavailable(Some(source)),
        })
    }

    async fn rejected(&self, token: &SecretString) -> bool {
        let is_present = |cached: Option<Cached>| {
            cached.is_some_and(|cached| cached.access.expose_secret() == token.expose_secret())
        };
        if !is_present(self.cached()) {
            // It was replaced meanwhile, or dropped: asking again tells.
            return true;
        }
        let gate = Arc::clone(&self.shared.gate).lock_owned().await;
        if !is_present(self.cached()) {
            return true;
        }
        let now = self.shared.refresher.clock.monotonic();
        if gate.healed_at.is_some_and(|at| now.saturating_sub(at) < HEALING) {
            tracing::error!(portal = %self.portal(), "a token that was just renewed is refused as well");
            return false;
        }
        self.renew(gate, Some(token.clone())).await.is_ok()
    }
}

impl fmt::Debug for PortalTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalTokens").field("portal", &self.portal()).finish_non_exhaustive()
    }
}
