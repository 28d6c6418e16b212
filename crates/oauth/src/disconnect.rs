//! The ways out: taking the app out of a portal, and taking a grant back.

use http_transport::TokenProvider as _;

use crate::failure::{EndpointError, EndpointErrorKind};
use crate::grant::{Reason, Step};
use crate::portal_tokens::{NoToken, PortalTokens};
use crate::store::{StoreError, StoreErrorKind};
use crate::token::TokenUse;

/// Why a portal is still connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The server cannot be had or refuses.
    #[error("HubSpot could not be told")]
    Endpoint(#[source] EndpointError),
    /// No token to tell it with, for now.
    #[error("there is no token to tell HubSpot with")]
    NoToken(#[source] NoToken),
    /// The token store cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PortalTokens {
    /// Takes the app out of the portal and forgets its tokens. HubSpot's listing rules ask for this when a user
    /// disconnects on the integration's side. A portal that is disconnected already is no error.
    ///
    /// # Errors
    /// HubSpot could not be told; the grant is as it was then.
    pub async fn uninstall(&self) -> Result<(), DisconnectError> {
        let mut token = match self.get().await {
            Ok(token) => token,
            Err(NoToken::NotInstalled(_) | NoToken::NeedsReauthorisation { .. }) => {
                return self.wipe().await;
            }
            Err(error) => return Err(DisconnectError::NoToken(error)),
        };
        let endpoint = &self.refresher().endpoint;
        let mut outcome = endpoint.uninstall(&token).await;
        if outcome.as_ref().is_err_and(|error| error.status() == Some(401)) && self.rejected(&token).await {
            match self.get().await {
                Ok(other) => token = other,
                // The renewal was refused: the app is out already.
                Err(_) => return self.wipe().await,
            }
            outcome = endpoint.uninstall(&token).await;
        }
        outcome.map_err(DisconnectError::Endpoint)?;
        self.wipe().await
    }

    /// Takes the refresh token back and forgets the tokens. HubSpot docs: the app stays installed, and access tokens
    /// that were given out live on until they expire.
    ///
    /// # Errors
    /// HubSpot could not be told; the grant is as it was then.
    pub async fn revoke(&self) -> Result<(), DisconnectError> {
        // A renewal meanwhile could bring another refresh token.
        let gate = self.exclude().await;
        let Some(grant) = self.status().await? else { return Ok(()) };
        let stopped = matches!(grant.step(self.refresher().clock.now(), None), Step::Stop { .. });
        if !stopped {
            let revoked = self.refresher().endpoint.revoke(&grant.refresh, TokenUse::Refresh).await;
            match revoked {
                Err(error) if error.kind() != EndpointErrorKind::GrantRefused => {
                    return Err(DisconnectError::Endpoint(error));
                }
                _ => {}
            }
        }
        drop(gate);
        self.wipe().await
    }

    /// Leaves a note of the portal without any token.
    async fn wipe(&self) -> Result<(), DisconnectError> {
        let _gate = self.exclude().await;
        self.drop_cached();
        let refresher = self.refresher();
        let client_id = refresher.endpoint.app().client_id();
        loop {
            let Some((grant, revision)) = refresher.grants.load(client_id, refresher.portal).await? else {
                return Ok(());
            };
            let stopped = grant.stopped(refresher.clock.now(), Reason::Disconnected);
            match refresher.grants.save(&stopped, Some(revision)).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
