//! What was granted: codes under way, installs, and the access tokens that live.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::{Credential, CredentialKind, Scopes};
use crate::error::ApiError;
use crate::ids::Rng;
use crate::time::{Millis, iso};

/// HubSpot docs: access tokens live 1800 s.
pub(crate) const TOKEN_LIFE: Millis = 1_800_000;

/// HubSpot calls codes short-lived without a number.
const CODE_LIFE: Millis = 5 * 60_000;

/// An expired token is told apart from an unknown one for so long.
const REMEMBERED: Millis = 24 * 3_600_000;

/// A code from the consent page, not yet used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: BTreeSet<String>,
    /// The challenge of a proof key, if there is one, and its method.
    pub(super) challenge: Option<(String, String)>,
    expires: Millis,
}

/// One app in this portal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Install {
    pub(super) client_id: String,
    pub(super) scopes: BTreeSet<String>,
    /// None once it was revoked: the app stays installed, and no new access token can be had.
    pub(super) refresh_token: Option<String>,
}

/// An access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Access {
    pub(super) app_id: u64,
    pub(super) client_id: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires: Millis,
    /// Made with client credentials: it is nobody's portal's.
    pub(super) app_level: bool,
}

/// Everything the authorization server remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    codes: BTreeMap<String, Code>,
    /// By the app's number.
    pub(super) installs: BTreeMap<u64, Install>,
    access: BTreeMap<String, Access>,
    /// Whether HubSpot has closed the account.
    #[serde(default)]
    pub(crate) closed: bool,
}

impl Grants {
    pub(super) fn code(
        &mut self,
        rng: &mut Rng,
        now: Millis,
        client_id: &str,
        redirect_uri: &str,
        scopes: BTreeSet<String>,
        challenge: Option<(String, String)>,
    ) -> String {
        self.codes.retain(|_, code| now < code.expires);
        let code = format!("na1-{}", rng.uuid());
        let (client_id, redirect_uri) = (client_id.to_owned(), redirect_uri.to_owned());
        let expires = now + CODE_LIFE;
        self.codes.insert(code.clone(), Code { client_id, redirect_uri, scopes, challenge, expires });
        code
    }

    /// Takes a code out: it works once, also if the rest of the request is wrong.
    pub(super) fn take_code(&mut self, now: Millis, code: &str) -> Option<Code> {
        self.codes.remove(code).filter(|code| now < code.expires)
    }

    /// Installs an app, or gives an installed one other scopes; says its refresh token.
    ///
    /// One that is installed keeps its refresh token: HubSpot does not say, and this is what finds a client out that
    /// revokes tokens it does not want to use.
    pub(super) fn install(
        &mut self,
        rng: &mut Rng,
        app_id: u64,
        client_id: &str,
        scopes: BTreeSet<String>,
        rotate: bool,
    ) -> String {
        let kept = self.installs.get(&app_id).and_then(|install| install.refresh_token.clone());
        let refresh = kept.filter(|_| !rotate).unwrap_or_else(|| format!("na1-{}", rng.uuid()));
        let client_id = client_id.to_owned();
        let install = Install { client_id, scopes, refresh_token: Some(refresh.clone()) };
        self.installs.insert(app_id, install);
        refresh
    }

    /// The install that a refresh token belongs to.
    pub(super) fn by_refresh(&self, token: &str) -> Option<(u64, &Install)> {
        let mut installs = self.installs.iter();
        installs
            .find(|(_, install)| install.refresh_token.as_deref() == Some(token))
            .map(|(id, install)| (*id, install))
    }

    /// Another refresh token in the place of an app's.
    pub(super) fn rotate(&mut self, rng: &mut Rng, app_id: u64) -> Option<String> {
        let install = self.installs.get_mut(&app_id)?;
        install.refresh_token = Some(format!("na1-{}", rng.uuid()));
        install.refresh_token.clone()
    }

    /// Ends a refresh token; access tokens live on. False when there is none such.
    pub(super) fn revoke_refresh(&mut self, token: &str) -> bool {
        let mut installs = self.installs.values_mut();
        let found = installs.find(|install| install.refresh_token.as_deref() == Some(token));
        found.map(|install| install.refresh_token = None).is_some()
    }

    /// Ends an access token. False when there is none such.
    pub(super) fn revoke_access(&mut self, token: &str) -> bool {
        self.access.remove(token).is_some()
    }

    /// Makes an access token. Its length varies, as HubSpot's does.
    pub(super) fn grant_access(&mut self, rng: &mut Rng, now: Millis, access: Access) -> String {
        self.access.retain(|_, known| now < known.expires.saturating_add(REMEMBERED));
        let words = 9 + rng.below(10);
        let random = (0..words).map(|_| format!("{:016x}", rng.next())).collect::<String>();
        let token = format!("CPna1-{random}");
        self.access.insert(token.clone(), access);
        token
    }

    /// An access token that is there, expired or not.
    pub(super) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    /// What a bearer token may do. `None` when it is no access token of this server.
    pub(crate) fn credential(&self, token: &str, now: Millis) -> Option<Result<Credential, ApiError>> {
        let access = self.access(token)?;
        if now >= access.expires {
            return Some(Err(expired(now, access.expires)));
        }
        Some(Ok(Credential {
            token: token.to_owned(),
            kind: CredentialKind::OAuth,
            app_id: access.app_id,
            scopes: Scopes::Some(access.scopes.clone()),
            revoked: false,
        }))
    }

    /// Whether a bearer token was made with client credentials.
    pub(crate) fn is_app_level(&self, token: &str) -> bool {
        self.access(token).is_some_and(|access| access.app_level)
    }

    pub(crate) fn uninstall(&mut self, app_id: u64) -> bool {
        self.access.retain(|_, access| access.app_id != app_id || access.app_level);
        self.codes.retain(|_, code| {
            self.installs.get(&app_id).is_none_or(|install| install.client_id != code.client_id)
        });
        self.installs.remove(&app_id).is_some()
    }

    /// Apps that are installed, by id.
    pub(crate) fn installed_apps(&self) -> impl Iterator<Item = u64> {
        self.installs.keys().copied()
    }

    pub(super) fn expire(&mut self, app_id: u64, now: Millis) -> usize {
        let mut count = 0;
        for access in
            self.access.values_mut().filter(|access| access.app_id == app_id && now < access.expires)
        {
            access.expires = now;
            count += 1;
        }
        count
    }
}

fn expired(now: Millis, expires: Millis) -> ApiError {
    let seconds = (now - expires) / 1_000;
    let message = format!("The OAuth token used to make this call expired {seconds} second(s) ago.");
    ApiError::new(401, "EXPIRED_AUTHENTICATION", message).with("expire time", vec![iso(expires)])
}
