//! The credential that the settings choose, behind one token provider.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http_transport::{Clock, ReqwestTransport, TokenProvider, Transport};
use oauth::{
    App, AppTokens, Endpoints, GrantStatus, Grants, Installer, KeyId, Keys, MasterKey, PortalId,
    PortalTokens, SqliteTokenStore, StaticCredential, SystemEntropy, TokenEndpoint, WantedScopes,
};

use crate::Failure;
use crate::settings::{OAuthSettings, Settings};

/// What gives tokens for the portal in the settings.
pub(crate) fn provider(
    settings: &Settings,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn TokenProvider>, Failure> {
    if let Some(oauth) = &settings.oauth {
        return Ok(Arc::new(installed(settings, oauth, clock)?));
    }
    let credential = StaticCredential::new(settings.token()?).map_err(|error| {
        Failure::new("the credential for HubSpot cannot be used")
            .remedy("copy the token again from HubSpot, without spaces or line breaks")
            .caused_by(&error)
    })?;
    Ok(Arc::new(credential))
}

/// Tokens of the portal that installed the app.
fn installed(
    settings: &Settings,
    oauth: &OAuthSettings,
    clock: Arc<dyn Clock>,
) -> Result<PortalTokens, Failure> {
    let portal = settings.hubspot.portal.map(PortalId).ok_or_else(|| {
        Failure::new(
            "`hubspot.portal` is not set: with `hubspot.credential = oauth` it says whose grant to use",
        )
        .remedy("set it to the number of the HubSpot account that installed the app")
    })?;
    let store = token_store(oauth)?;
    let grants = Arc::new(grants(oauth, store.clone())?);
    let endpoint = Arc::new(endpoint(&settings.hubspot.url, oauth, clock.clone())?);
    let holder = format!("process {}", std::process::id());
    Ok(PortalTokens::new(endpoint, grants, store, clock, portal, holder))
}

/// Tokens of the app itself, of no portal.
pub(crate) fn app_tokens(
    settings: &Settings,
    oauth: &OAuthSettings,
    clock: Arc<dyn Clock>,
) -> Result<AppTokens, Failure> {
    let endpoint = Arc::new(endpoint(&settings.hubspot.url, oauth, clock.clone())?);
    let scopes = WantedScopes::required([settings.hearing.app_scopes.as_str()]);
    Ok(AppTokens::new(endpoint, clock, &scopes))
}

/// What installs the app, and where its grants rest.
pub(crate) fn installer(
    settings: &Settings,
    oauth: &OAuthSettings,
    clock: Arc<dyn Clock>,
) -> Result<(Installer, Arc<Grants>), Failure> {
    let store = token_store(oauth)?;
    let grants = Arc::new(grants(oauth, store.clone())?);
    let endpoint = Arc::new(endpoint(&settings.hubspot.url, oauth, clock.clone())?);
    Ok((Installer::new(endpoint, grants.clone(), store, clock), grants))
}

/// Whether a person has to install the app again. Asks the token store, not HubSpot; of a static token nothing is known
/// here.
pub(crate) async fn is_refused(settings: &Settings, clock: Arc<dyn Clock>) -> Result<bool, Failure> {
    let Some(oauth) = &settings.oauth else { return Ok(false) };
    let tokens = installed(settings, oauth, clock)?;
    let grant = tokens.status().await.map_err(|error| Failure::new(error.to_string()))?;
    Ok(grant.is_none_or(|grant| *grant.status() != GrantStatus::Active))
}

fn token_store(oauth: &OAuthSettings) -> Result<Arc<SqliteTokenStore>, Failure> {
    let store = SqliteTokenStore::open(&oauth.tokens).map_err(|error| {
        Failure::new(error.to_string()).remedy("set `oauth.tokens_file` to the file of sealed tokens")
    })?;
    Ok(Arc::new(store))
}

/// Grants in `store`, sealed with the key in the settings.
fn grants(oauth: &OAuthSettings, store: Arc<SqliteTokenStore>) -> Result<Grants, Failure> {
    let wrong = |error: &dyn std::error::Error| {
        Failure::new(format!("`oauth.master_key` or `oauth.key_id`: {error}"))
            .remedy("make a key with `openssl rand -base64 32` and keep it where the tokens do not rest")
    };
    let key = MasterKey::from_base64(&oauth.master_key).map_err(|error| wrong(&error))?;
    let id = KeyId::new(&oauth.key_id).map_err(|error| wrong(&error))?;
    Ok(Grants::new(store, Keys::new(id, key), Arc::new(SystemEntropy)))
}

fn endpoint(api: &str, oauth: &OAuthSettings, clock: Arc<dyn Clock>) -> Result<TokenEndpoint, Failure> {
    let wrong = |error: &dyn std::error::Error| {
        Failure::new(format!("the app's settings under `oauth` cannot be used: {error}"))
            .remedy("copy them again from the app's page in HubSpot")
    };
    let scopes = WantedScopes::required([oauth.scopes.as_str()]);
    let app = App::new(&oauth.client_id, &oauth.client_secret, &oauth.redirect_url, scopes)
        .map_err(|error| wrong(&error))?;
    let endpoints = match oauth.version.as_str() {
        "v1" => Endpoints::v1(api, &oauth.consent_url),
        "v3" => Endpoints::v3(api, &oauth.consent_url),
        date => Endpoints::dated(date, api, &oauth.consent_url),
    };
    let transport: Arc<dyn Transport> = Arc::new(
        ReqwestTransport::builder()
            .build()
            .map_err(|error| Failure::new("the network cannot be set up").caused_by(&error))?,
    );
    TokenEndpoint::new(transport, endpoints, app, clock).map_err(|error| wrong(&error))
}
