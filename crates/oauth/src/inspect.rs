//! What a portal's token really may do, asked of the server, against what is needed.

use crate::failure::EndpointError;
use crate::portal_tokens::{NoToken, PortalTokens};
use crate::scopes::{ScopeReport, WantedScopes};
use crate::token::{Introspection, TokenUse};

/// What the server says of a portal's present token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspected {
    /// Its metadata.
    pub token: Introspection,
    /// How its scopes compare with the wanted ones.
    pub scopes: ScopeReport,
    /// Whether it is for the portal and the app that it is kept for.
    pub is_ours: bool,
}

/// Why nothing can be said of a portal's token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// There is none.
    #[error(transparent)]
    NoToken(#[from] NoToken),
    /// The server cannot be asked.
    #[error("HubSpot could not be asked about the token")]
    Endpoint(#[source] EndpointError),
}

impl PortalTokens {
    /// Asks the server what the portal's token may do and compares it with `wanted`, for instance with what a mapping
    /// needs. A scope can go without a new install: when the account's subscription changes.
    ///
    /// # Errors
    /// There is no token, or the server cannot be asked.
    pub async fn inspect(&self, wanted: &WantedScopes) -> Result<Inspected, InspectError> {
        let access = self.get().await?;
        let endpoint = &self.refresher().endpoint;
        let token = endpoint.introspect(&access, TokenUse::Access).await.map_err(InspectError::Endpoint)?;
        let scopes = token.scopes.iter().flatten().map(String::as_str);
        let own_app = token.client_id.as_deref().is_none_or(|id| id == endpoint.app().client_id());
        let own_portal = token.portal.is_none_or(|portal| portal == self.portal());
        Ok(Inspected { scopes: wanted.compare(scopes), is_ours: own_app && own_portal, token })
    }
}
