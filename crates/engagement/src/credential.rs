//! The credential that the settings choose, behind one token provider.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http_transport::{Clock, ReqwestTransport, TokenProvider, Transport};
use oauth::{
    App, AppTokens, Endpoints, GrantStatus, Grants, Installer, KeyId, Keys, MasterKey, NoToken, PortalId,
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

/// What installs the app in these portals.
pub(crate) fn installer(
    settings: &Settings,
    oauth: &OAuthSettings,
    portals: impl IntoIterator<Item = PortalId>,
    clock: Arc<dyn Clock>,
) -> Result<Installer, Failure> {
    let store = token_store(oauth)?;
    let grants = Arc::new(grants(oauth, store.clone())?);
    let endpoint = Arc::new(endpoint(&settings.hubspot.url, oauth, clock.clone())?);
    Ok(Installer::new(endpoint, grants, store, clock).only(portals))
}

/// Seals with the present key what was sealed with the former one, if the settings name one; says how many entries.
pub(crate) async fn rotate(oauth: &OAuthSettings) -> Result<u64, Failure> {
    if oauth.former_key.is_none() {
        return Ok(0);
    }
    let moved = grants(oauth, token_store(oauth)?)?.rotate_keys().await;
    moved.map_err(|error| {
        Failure::new("the tokens could not be moved to the present key")
            .remedy("check `oauth.former_key` and `oauth.former_key_id`; what was moved stays moved")
            .caused_by(&error)
    })
}

/// Why a person has to install the app, for the first time or again; `None` where nobody has to. Asks the token store, not
/// HubSpot; of a static token nothing is known here.
pub(crate) async fn refusal(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Option<String>, Failure> {
    let Some(oauth) = &settings.oauth else { return Ok(None) };
    let tokens = installed(settings, oauth, clock)?;
    let grant = tokens.status().await.map_err(|error| Failure::new(error.to_string()))?;
    let portal = tokens.portal();
    let why = match grant.as_ref().map(oauth::Grant::status) {
        None => NoToken::NotInstalled(portal),
        Some(GrantStatus::NeedsReauthorisation { since, reason }) => {
            NoToken::NeedsReauthorisation { portal, since: *since, reason: reason.clone() }
        }
        Some(_) => return Ok(None),
    };
    Ok(Some(why.to_string()))
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
    let mut keys = Keys::new(id, key);
    if let Some((id, key)) = &oauth.former_key {
        let former = |error: &dyn std::error::Error| {
            Failure::new(format!("`oauth.former_key` or `oauth.former_key_id`: {error}"))
                .remedy("set them to the key and the name that were in use before")
        };
        let key = MasterKey::from_base64(key).map_err(|error| former(&error))?;
        keys = keys.with_former(KeyId::new(id).map_err(|error| former(&error))?, key);
    }
    Ok(Grants::new(store, keys, Arc::new(SystemEntropy)))
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
