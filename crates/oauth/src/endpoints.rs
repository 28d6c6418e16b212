//! Where consent, token, introspection, revocation and uninstall live: the version of HubSpot's OAuth API as data.

use url::Url;

const API: &str = "https://api.hubapi.com";
const APP: &str = "https://app.hubspot.com";

/// The addresses of one version of the authorization server, and the few ways in which versions differ.
///
/// HubSpot docs: the dated endpoints (`/oauth/2026-03/token` and later) are required of listed apps since 2 November
/// 2026; v1 ends on 16 February 2027. All take their parameters in the form body; only v1 has tokens in paths.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where a person is sent to consent.
    pub authorize: String,
    /// Where codes and refresh tokens become access tokens.
    pub token: String,
    /// How a token's metadata is asked for.
    pub introspect: TokenCall,
    /// How a refresh token is taken back.
    pub revoke: TokenCall,
    /// Where an app takes itself out of a portal, where there is such a call.
    pub uninstall: Option<String>,
}

/// A call about one token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenCall {
    /// POST with the token in the form body and the app's credentials beside it.
    Form {
        /// The address.
        url: String,
        /// HubSpot's guide names the parameter `access_token` or `refresh_token` where its specification says `token`
        /// (RFC 7662, 7009). With `true` both are sent; servers must ignore what they do not know (RFC 6749).
        named_twice: bool,
    },
    /// The token is the last part of the path, as in v1: it may end up in a proxy's log.
    Path {
        /// Address for access tokens, without the slash before the token; `None` where they cannot be named.
        access: Option<String>,
        /// Address for refresh tokens.
        refresh: String,
    },
}

impl Endpoints {
    /// HubSpot's endpoints of March 2026, the default.
    #[must_use]
    pub fn v2026_03() -> Self {
        Self::dated("2026-03", API, APP)
    }

    /// HubSpot's endpoints of a date, at the API base and the app base given, both without a slash at the end. A local
    /// sandbox has one base for both.
    #[must_use]
    pub fn dated(date: &str, api: &str, app: &str) -> Self {
        Self::formed(date, api, app)
    }

    /// HubSpot's v3 endpoints.
    #[must_use]
    pub fn v3(api: &str, app: &str) -> Self {
        Self::formed("v3", api, app)
    }

    /// HubSpot's v1 endpoints, which end on 16 February 2027.
    #[must_use]
    pub fn v1(api: &str, app: &str) -> Self {
        Self {
            authorize: format!("{app}/oauth/authorize"),
            token: format!("{api}/oauth/v1/token"),
            introspect: TokenCall::Path {
                access: Some(format!("{api}/oauth/v1/access-tokens")),
                refresh: format!("{api}/oauth/v1/refresh-tokens"),
            },
            revoke: TokenCall::Path { access: None, refresh: format!("{api}/oauth/v1/refresh-tokens") },
            // The call is younger than v1 and has no version of that name.
            uninstall: Some(format!("{api}/appinstalls/v3/external-install")),
        }
    }

    /// Any server that keeps to RFC 6749, 7662 and 7009.
    #[must_use]
    pub fn standard(authorize: &str, token: &str, introspect: &str, revoke: &str) -> Self {
        let form = |url: &str| TokenCall::Form { url: url.to_owned(), named_twice: false };
        Self {
            authorize: authorize.to_owned(),
            token: token.to_owned(),
            introspect: form(introspect),
            revoke: form(revoke),
            uninstall: None,
        }
    }

    fn formed(version: &str, api: &str, app: &str) -> Self {
        let form = |call: &str| TokenCall::Form {
            url: format!("{api}/oauth/{version}/token/{call}"),
            named_twice: true,
        };
        Self {
            authorize: format!("{app}/oauth/authorize"),
            token: format!("{api}/oauth/{version}/token"),
            introspect: form("introspect"),
            revoke: form("revoke"),
            uninstall: Some(format!("{api}/appinstalls/{version}/external-install")),
        }
    }

    /// Every address that a secret is sent to.
    fn secret_places(&self) -> impl Iterator<Item = &str> {
        let (introspect, revoke) = (self.introspect.places(), self.revoke.places());
        [self.token.as_str()].into_iter().chain(introspect).chain(revoke).chain(self.uninstall.as_deref())
    }

    /// Whether secrets go out over TLS only, or stay on this machine.
    pub(crate) fn are_safe(&self) -> bool {
        self.secret_places().chain([self.authorize.as_str()]).all(is_safe)
    }
}

impl TokenCall {
    fn places(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            TokenCall::Form { url, .. } => (Some(url.as_str()), None),
            TokenCall::Path { access, refresh } => (access.as_deref(), Some(refresh.as_str())),
        };
        first.into_iter().chain(second)
    }
}

/// HTTPS, or plain HTTP that does not leave this machine.
pub(crate) fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_its_documented_paths() {
        let dated = Endpoints::v2026_03();
        assert_eq!(dated.token, "https://api.hubapi.com/oauth/2026-03/token");
        assert_eq!(dated.authorize, "https://app.hubspot.com/oauth/authorize");
        assert_eq!(
            dated.uninstall.as_deref(),
            Some("https://api.hubapi.com/appinstalls/2026-03/external-install")
        );
        let introspect = "https://api.hubapi.com/oauth/v3/token/introspect".to_owned();
        let v3 = Endpoints::v3(API, APP);
        assert_eq!(v3.introspect, TokenCall::Form { url: introspect, named_twice: true });
        assert_eq!(Endpoints::v1(API, APP).token, "https://api.hubapi.com/oauth/v1/token");
    }

    #[test]
    fn secrets_go_over_tls_or_stay_here() {
        for (address, safe) in [
            ("https://api.hubapi.com/x", true),
            ("http://127.0.0.1:9/x", true),
            ("http://localhost:9/x", true),
            ("http://[::1]:9/x", true),
            ("http://api.hubapi.com/x", false),
            ("http://localhost.example.com/x", false),
            ("http://127.0.0.1@example.com/x", false),
            ("https://user@example.com/x", false),
            ("ftp://127.0.0.1/x", false),
            ("no address", false),
        ] {
            assert_eq!(is_safe(address), safe, "{address}");
        }
        assert!(Endpoints::v2026_03().are_safe());
        assert!(!Endpoints::dated("2026-03", "http://example.com", APP).are_safe());
        assert!(!Endpoints::v1("http://example.com", APP).are_safe());
    }
}
