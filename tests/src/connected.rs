//! An app of ours that is installed in a sandbox portal: what tests of OAuth share.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_transport::{Clock, Transport};
use hubspot_sandbox::OAuthApp;
use oauth::{
    App, Begun, Callback, Endpoints, Grants, InstallError, Installed, Installer, KeyId, Keys, MasterKey,
    PortalId, PortalTokens, SqliteTokenStore, SystemEntropy, TokenEndpoint, WantedScopes,
};
use secrecy::SecretString;

/// Anything that goes wrong in setting up a test.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The app's number.
pub const APP_ID: u64 = 77;
/// The number of a sandbox portal.
pub const PORTAL: PortalId = PortalId(51_234_567);

/// A scope of the app itself.
pub const JOURNAL_SCOPE: &str = "developer.webhooks_journal.subscriptions.read";

const CLIENT_ID: &str = "test-client";
const CLIENT_SECRET: &str = "test-client-secret";
const REDIRECT: &str = "http://localhost:3000/oauth/callback";
const SCOPES: [&str; 3] = ["crm.objects.contacts.read", "crm.objects.contacts.write", "oauth"];
/// 32 bytes; a secret of tests alone.
const MASTER_KEY: &str = "dGhlIG1hc3RlciBrZXkgb2YgdGVzdHMsIDMyIGJ5dGU=";

/// The app as it is registered in the sandbox.
#[must_use]
pub fn registered(rotates: bool) -> OAuthApp {
    let mut app = OAuthApp::new(APP_ID, CLIENT_ID, CLIENT_SECRET, REDIRECT, &SCOPES);
    app.rotate_refresh_tokens = rotates;
    app.app_scopes = [JOURNAL_SCOPE.to_owned()].into();
    app
}

/// One process of ours, connected to a portal by its address.
#[derive(Debug)]
pub struct Connected {
    /// The server.
    pub endpoint: Arc<TokenEndpoint>,
    /// What was granted.
    pub grants: Arc<Grants>,
    /// The file it rests in.
    pub store: Arc<SqliteTokenStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    transport: Arc<dyn Transport>,
}

impl Connected {
    /// Opens the token store in `file`, for the server at `url` in the version named: a date, `v3` or `v1`.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open(
        file: &Path,
        url: &str,
        version: &str,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Connected, Failure> {
        let endpoints = match version {
            "v1" => Endpoints::v1(url, url),
            "v3" => Endpoints::v3(url, url),
            date => Endpoints::dated(date, url, url),
        };
        let secret = SecretString::from(CLIENT_SECRET);
        let app = App::new(CLIENT_ID, &secret, REDIRECT, WantedScopes::required(SCOPES))?;
        let endpoint = Arc::new(TokenEndpoint::new(transport.clone(), endpoints, app, clock.clone())?);
        let store = Arc::new(SqliteTokenStore::open(file)?);
        let key = MasterKey::from_base64(&SecretString::from(MASTER_KEY))?;
        let keys = Keys::new(KeyId::new("tests")?, key);
        let grants = Arc::new(Grants::new(store.clone(), keys, Arc::new(SystemEntropy)));
        Ok(Connected { endpoint, grants, store, clock, transport })
    }

    /// An installer.
    #[must_use]
    pub fn installer(&self) -> Installer {
        let (endpoint, grants) = (self.endpoint.clone(), self.grants.clone());
        Installer::new(endpoint, grants, self.store.clone(), self.clock.clone())
    }

    /// The tokens of the portal, as the process `holder` has them.
    #[must_use]
    pub fn tokens(&self, holder: &str) -> PortalTokens {
        let (endpoint, grants) = (self.endpoint.clone(), self.grants.clone());
        PortalTokens::new(endpoint, grants, self.store.clone(), self.clock.clone(), PORTAL, holder)
    }

    /// Begins, consents as a person in a browser does, and completes.
    ///
    /// # Errors
    /// The install did not happen.
    pub async fn install(&self) -> Result<Installed, InstallError> {
        let begun = self.installer().begin(None).await?;
        let query = self.consent(&begun.url).await.unwrap_or_default();
        self.complete(&begun, &query).await
    }

    /// Ends an install with the query that the browser brought back.
    ///
    /// # Errors
    /// The install did not happen.
    pub async fn complete(&self, begun: &Begun, query: &str) -> Result<Installed, InstallError> {
        let cookie = begun.set_cookie.split(';').next();
        self.installer().complete(Callback { query, cookies: cookie }).await
    }

    /// Opens the consent page and presses its first button; answers with the query of the callback.
    ///
    /// # Errors
    /// The page is not there, or sends nobody to the callback.
    pub async fn consent(&self, url: &str) -> Result<String, Failure> {
        let page = self.transport.send(http::Request::get(url).body(Bytes::new())?).await?;
        if !String::from_utf8_lossy(page.body()).contains("Connect app") {
            return Err(format!("no consent page, but status {}", page.status()).into());
        }
        let pressed = http::Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        let answer = self.transport.send(pressed.body(Bytes::from_static(b"answer=allow"))?).await?;
        let location = answer.headers().get(http::header::LOCATION).ok_or("no redirect")?.to_str()?;
        let query = location.strip_prefix(REDIRECT).and_then(|rest| rest.strip_prefix('?'));
        Ok(query.ok_or("a redirect to somewhere else")?.to_owned())
    }
}
