//! An app as its developer registered it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One OAuth app that can be installed in the portal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OAuthApp {
    /// The app's number. Its calls share a burst limit, and property history names it as `sourceId`.
    pub app_id: u64,
    /// As the consent page shows it.
    pub name: String,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// Where codes may be sent; compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Scopes that every install must ask for.
    #[serde(default)]
    pub required_scopes: BTreeSet<String>,
    /// Scopes that an install may ask for as optional.
    #[serde(default)]
    pub optional_scopes: BTreeSet<String>,
    /// Scopes of client credentials: of APIs that belong to the app and no portal.
    #[serde(default)]
    pub app_scopes: BTreeSet<String>,
    /// Whether every renewal brings another refresh token and ends the former one. HubSpot documents neither; the same
    /// one has been seen to come back, so this is off by default. A client should withstand both.
    #[serde(default)]
    pub rotate_refresh_tokens: bool,
}

impl OAuthApp {
    /// An app with one redirect address and the scopes given, all required.
    pub fn new(
        app_id: u64,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uri: impl Into<String>,
        scopes: &[&str],
    ) -> OAuthApp {
        OAuthApp {
            app_id,
            name: "Example integration".to_owned(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            redirect_uris: vec![redirect_uri.into()],
            required_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            optional_scopes: BTreeSet::new(),
            app_scopes: BTreeSet::new(),
            rotate_refresh_tokens: false,
        }
    }
}

impl fmt::Debug for OAuthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthApp")
            .field("app_id", &self.app_id)
            .field("name", &self.name)
            .field("client_id", &self.client_id)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}
