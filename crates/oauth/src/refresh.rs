//! One renewal of one grant, from the lease to the stored answer.
//!
//! The order is what keeps a token from being lost: lease, look again, note that a renewal began, ask, store, only then
//! use. A process that dies in between leaves the note and the lease; the next one waits until the lease is over,
//! renews with the refresh token from before, and if the server no longer takes it says why.

use std::sync::Arc;
use std::time::Duration;

use http_transport::Clock;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::{EndpointError, EndpointErrorKind};
use crate::grant::{Grant, GrantStatus, PortalId, Reason, Refreshing, Step};
use crate::grants::Grants;
use crate::lease::{Acquired, Lease, LeaseHold};
use crate::store::{Revision, StoreError, StoreErrorKind};
use crate::time::later;
use crate::token::TokenAnswer;
use crate::token_endpoint::{CALL_MAX, TokenEndpoint};

/// How often one renewal asks the server, and the pauses between.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// How long a lease lasts: longer than every call that is made under it together, or a second process would begin while
/// the first still waits for an answer.
pub(crate) const LEASE_LIFE: Duration = Duration::from_secs(180);
const _: () = assert!(LEASE_LIFE.as_secs() > 3 * CALL_MAX.as_secs() + 3 + 60);

/// How long to wait before looking again at what somebody else is renewing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Attempts to store an answer before it is set aside for the next call.
const SAVE_PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(500), Duration::from_secs(2)];

/// What a renewal works with.
#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) endpoint: Arc<TokenEndpoint>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) lease: Arc<dyn Lease>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) portal: PortalId,
    /// This process, for whoever reads the store.
    pub(crate) holder: String,
}

/// Why a renewal gave no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error("portal {0} has not installed the app")]
    NotInstalled(PortalId),
    #[error("portal {portal} needs re-authorisation since {since}: {reason}")]
    Stopped { portal: PortalId, since: Timestamp, reason: Reason },
    #[error("the token of portal {0} could not be renewed")]
    Endpoint(PortalId, #[source] EndpointError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A grant whose access token may be used, and how long it may be before looking again.
#[derive(Debug)]
pub(crate) struct Usable {
    pub(crate) grant: Grant,
    pub(crate) look_again_at: Timestamp,
}

/// An answer that is not stored yet: it must not be used, and must not be lost.
pub(crate) struct Unsaved {
    /// What the renewal began with.
    before: Grant,
    /// What it ends with.
    after: Grant,
}

impl Refresher {
    /// A usable token: the stored one, or a new one. `unsaved` carries an answer over from a call whose store failed.
    pub(crate) async fn usable(
        &self,
        rejected: Option<&SecretString>,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<Usable, RefreshError> {
        if let Some(kept) = unsaved {
            let saved = self.save(kept).await?;
            *unsaved = None;
            if rejected.is_none_or(|token| token.expose_secret() != saved.access.expose_secret()) {
                return self.checked(saved);
            }
        }
        let name = format!("refresh/{}/{}", self.endpoint.app().client_id(), self.portal);
        let hold = loop {
            let (grant, _) = self.load().await?;
            let usable_until = match grant.step(self.clock.now(), rejected) {
                Step::Use | Step::Stop { .. } => return self.checked(grant),
                Step::Renew { usable_until } => usable_until,
            };
            match self.lease.acquire(&name, &self.holder, self.clock.now(), LEASE_LIFE).await? {
                Acquired::Held(hold) => break hold,
                // Somebody else is at it, and the present token still serves.
                Acquired::Busy { .. } if let Some(until) = usable_until => {
                    let look_again_at = until.min(later(self.clock.now(), LOOK_AGAIN * 10));
                    return Ok(Usable { grant, look_again_at });
                }
                Acquired::Busy { holder, since, until } => {
                    tracing::debug!(portal = %self.portal, holder, %since, %until, "waiting for a renewal elsewhere");
                    self.clock.sleep(LOOK_AGAIN).await;
                }
            }
        };
        let result = self.under_lease(rejected, unsaved).await;
        self.release(&hold).await;
        result
    }

    async fn under_lease(
        &self,
        rejected: Option<&SecretString>,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<Usable, RefreshError> {
        let (noted, revision, interrupted) = loop {
            // Whoever had the lease before may have done the work.
            let (grant, revision) = self.load().await?;
            if !matches!(grant.step(self.clock.now(), rejected), Step::Renew { .. }) {
                return self.checked(grant);
            }
            let interrupted = grant.refreshing.clone();
            // The time of the first one that was cut off is kept: whatever was lost was lost since then.
            let since = interrupted.as_ref().map_or_else(|| self.clock.now(), |earlier| earlier.since);
            let noted = Grant { refreshing: Some(Refreshing { since, by: self.holder.clone() }), ..grant };
            match self.grants.save(&noted, Some(revision)).await {
                Ok(revision) => break (noted, revision, interrupted),
                // A new install or a rotation of keys came in between.
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        };
        let since = noted.refreshing.as_ref().map_or_else(|| self.clock.now(), |note| note.since);
        if let Some(earlier) = &interrupted {
            tracing::warn!(
                portal = %self.portal, %since, by = earlier.by,
                "a renewal was cut off before its end is known; trying again with the refresh token from before it"
            );
        }

        let mut lost = interrupted.is_some();
        match self.ask(&noted.refresh, &mut lost).await {
            Ok((answer, asked_at)) => self.accept(noted, revision, &answer, asked_at, unsaved).await,
            Err(error) => self.refused(noted, revision, since, lost, error).await,
        }
    }

    /// Asks until there is an answer that means something, at most three times. After an answer that was lost the same
    /// refresh token is sent again, as there is no other; `lost` is set then.
    async fn ask(
        &self,
        refresh: &SecretString,
        lost: &mut bool,
    ) -> Result<(TokenAnswer, Timestamp), EndpointError> {
        let mut pauses = PAUSES.iter();
        loop {
            let asked_at = self.clock.now();
            let error = match self.endpoint.refresh(refresh).await {
                Ok(answer) => return Ok((answer, asked_at)),
                Err(error) => error,
            };
            *lost |= error.kind() == EndpointErrorKind::NoAnswer;
            let repeats =
                matches!(error.kind(), EndpointErrorKind::Unavailable | EndpointErrorKind::NoAnswer);
            match pauses.next() {
                // A server that names a time is left alone until then.
                Some(pause) if repeats && error.retry_after().is_none() => self.clock.sleep(*pause).await,
                _ => return Err(error),
            }
        }
    }

    async fn accept(
        &self,
        noted: Grant,
        revision: Revision,
        answer: &TokenAnswer,
        asked_at: Timestamp,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<Usable, RefreshError> {
        if let Some(found) = answer.portal.filter(|found| *found != self.portal) {
            return self.stop(&noted, revision, Reason::WrongPortal { found }).await;
        }
        let after = noted.renewed(answer, asked_at);
        let mut kept = Unsaved { before: noted, after };
        match self.save_at(&mut kept, Some(revision)).await {
            Ok(saved) => self.checked(saved),
            Err(error) => {
                tracing::error!(
                    portal = %self.portal, %error,
                    "a renewed token could not be stored; it is kept in memory, unused, until it can be"
                );
                *unsaved = Some(kept);
                Err(error.into())
            }
        }
    }

    /// `lost`: since `since` the server may have given out a refresh token that never arrived.
    async fn refused(
        &self,
        noted: Grant,
        revision: Revision,
        since: Timestamp,
        lost: bool,
        error: EndpointError,
    ) -> Result<Usable, RefreshError> {
        if error.kind() == EndpointErrorKind::GrantRefused {
            let reason = if lost {
                Reason::InterruptedRefresh { since }
            } else {
                Reason::Revoked { code: error.code().map(str::to_owned) }
            };
            return self.stop(&noted, revision, reason).await;
        }
        if !lost {
            // If the note cannot be taken away, a later message is wordier than it need be.
            let plain = Grant { refreshing: None, ..noted };
            let _ = self.grants.save(&plain, Some(revision)).await;
        }
        Err(RefreshError::Endpoint(self.portal, error))
    }

    /// Stops the portal, unless somebody brought other tokens meanwhile: a new install must not be stopped by the end of
    /// the old one, and may well have the same refresh token.
    async fn stop(
        &self,
        noted: &Grant,
        mut revision: Revision,
        reason: Reason,
    ) -> Result<Usable, RefreshError> {
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        let stopped = noted.stopped(self.clock.now(), reason);
        loop {
            match self.grants.save(&stopped, Some(revision)).await {
                Ok(_) => return self.checked(stopped),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {
                    let (found, at) = self.load().await?;
                    if !same(&found.refresh, &noted.refresh) || !same(&found.access, &noted.access) {
                        return self.checked(found);
                    }
                    revision = at;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn save(&self, kept: &mut Unsaved) -> Result<Grant, StoreError> {
        let (grant, revision) = match self.grants.load(&kept.before.client_id, self.portal).await? {
            Some(there) => there,
            // It was forgotten meanwhile, on purpose.
            None => return Ok(kept.after.clone()),
        };
        if is_newer(&grant, kept) {
            return Ok(grant);
        }
        self.save_at(kept, Some(revision)).await
    }

    /// Stores an answer. If somebody wrote meanwhile, what holds the newer refresh token stays.
    async fn save_at(&self, kept: &mut Unsaved, mut revision: Option<Revision>) -> Result<Grant, StoreError> {
        let mut pauses = SAVE_PAUSES.iter();
        loop {
            let error = match self.grants.save(&kept.after, revision).await {
                Ok(_) => return Ok(kept.after.clone()),
                Err(error) => error,
            };
            if error.kind() == StoreErrorKind::Conflict {
                match self.grants.load(&kept.before.client_id, self.portal).await? {
                    None => revision = None,
                    Some((grant, _)) if is_newer(&grant, kept) => return Ok(grant),
                    Some((_, found)) => revision = Some(found),
                }
                continue;
            }
            match pauses.next() {
                Some(pause) => self.clock.sleep(*pause).await,
                None => return Err(error),
            }
        }
    }

    async fn load(&self) -> Result<(Grant, Revision), RefreshError> {
        let there = self.grants.load(self.endpoint.app().client_id(), self.portal).await?;
        there.ok_or(RefreshError::NotInstalled(self.portal))
    }

    fn checked(&self, grant: Grant) -> Result<Usable, RefreshError> {
        match grant.step(self.clock.now(), None) {
            Step::Stop { since, reason } => Err(RefreshError::Stopped { portal: self.portal, since, reason }),
            _ => Ok(Usable { look_again_at: grant.renew_at(), grant }),
        }
    }

    async fn release(&self, hold: &LeaseHold) {
        if let Err(error) = self.lease.release(hold).await {
            // It ends by itself.
            tracing::warn!(portal = %self.portal, %error, "a lease could not be given back");
        }
    }
}

/// Whether what is stored is to stay rather than the answer in `kept`.
///
/// Another refresh token came from a later renewal or a new install. With the one that the renewal began with, the
/// answer is the newer one if it brought another; else the two differ in their access tokens only, and the one that
/// lives longer is as good.
fn is_newer(stored: &Grant, kept: &Unsaved) -> bool {
    let same = |one: &Grant, other: &Grant| one.refresh.expose_secret() == other.refresh.expose_secret();
    if !same(stored, &kept.before) {
        return true;
    }
    let active = *stored.status() == GrantStatus::Active;
    same(&kept.after, &kept.before) && active && stored.expires_at() >= kept.after.expires_at()
}
