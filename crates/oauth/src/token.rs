//! What the authorization server says about tokens: answers to grants and to introspection.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::failure::EndpointError;
use crate::grant::PortalId;

/// HubSpot docs: access tokens live 1800 s. Used where an answer does not say.
const LIFE: Duration = Duration::from_secs(1_800);

/// No access token is believed to live longer.
const LIFE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A successful answer of the token endpoint. `Debug` hides the tokens.
#[non_exhaustive]
pub struct TokenAnswer {
    /// The token for API calls.
    pub access: SecretString,
    /// The refresh token; none for client credentials. It may differ from the one that was sent.
    pub refresh: Option<SecretString>,
    /// How long the access token lives from the moment it was made.
    pub life: Duration,
    /// Whose it is; v1 and other servers do not say.
    pub portal: Option<PortalId>,
    /// What it may do, where the answer says.
    pub scopes: Option<Vec<String>>,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It goes with API calls.
    Access,
    /// It makes access tokens.
    Refresh,
}

impl TokenUse {
    pub(crate) fn name(self) -> &'static str {
        match self {
            TokenUse::Access => "access_token",
            TokenUse::Refresh => "refresh_token",
        }
    }
}

/// What the server knows about a token. No secret and no personal value: the user's address is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introspection {
    /// Whether it can be used.
    pub active: bool,
    /// Whose it is.
    pub portal: Option<PortalId>,
    /// The app's number.
    pub app_id: Option<u64>,
    /// The app it was made for.
    pub client_id: Option<String>,
    /// The user who consented.
    pub user_id: Option<u64>,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// How long it still lives.
    pub life: Option<Duration>,
}

/// A list, or one text with spaces between (RFC 6749).
#[derive(Deserialize)]
#[serde(untagged)]
enum Scopes {
    List(Vec<String>),
    Text(String),
}

impl Scopes {
    fn list(self) -> Vec<String> {
        match self {
            Scopes::List(list) => list,
            Scopes::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

#[derive(Deserialize)]
struct WireAnswer {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<u64>,
    hub_id: Option<u64>,
    scopes: Option<Scopes>,
    scope: Option<Scopes>,
}

pub(crate) fn read_answer(body: &[u8]) -> Result<TokenAnswer, EndpointError> {
    // The parser's own words could quote a token.
    let wire: WireAnswer = serde_json::from_slice(body)
        .map_err(|_| EndpointError::unreadable("the answer is no token answer"))?;
    let usable = |token: &SecretString| {
        let text = token.expose_secret();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !usable(&wire.access_token) || !wire.refresh_token.as_ref().is_none_or(usable) {
        return Err(EndpointError::unreadable(
            "a token of the answer has characters that no header may have",
        ));
    }
    Ok(TokenAnswer {
        access: wire.access_token,
        refresh: wire.refresh_token,
        life: wire.expires_in.map_or(LIFE, Duration::from_secs).min(LIFE_MAX),
        portal: wire.hub_id.map(PortalId),
        scopes: wire.scopes.or(wire.scope).map(Scopes::list),
    })
}

#[derive(Deserialize)]
struct WireIntrospection {
    // v1 has no such field: that it answers at all says the token lives.
    #[serde(default = "yes")]
    active: bool,
    hub_id: Option<u64>,
    app_id: Option<u64>,
    client_id: Option<String>,
    user_id: Option<u64>,
    scopes: Option<Scopes>,
    scope: Option<Scopes>,
    expires_in: Option<i64>,
}

fn yes() -> bool {
    true
}

pub(crate) fn read_introspection(body: &[u8]) -> Result<Introspection, EndpointError> {
    let wire: WireIntrospection = serde_json::from_slice(body)
        .map_err(|_| EndpointError::unreadable("the answer is no token metadata"))?;
    Ok(Introspection {
        active: wire.active,
        portal: wire.hub_id.map(PortalId),
        app_id: wire.app_id,
        client_id: wire.client_id,
        user_id: wire.user_id,
        scopes: wire.scopes.or(wire.scope).map(Scopes::list),
        life: wire.expires_in.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))),
    })
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("life", &self.life)
            .field("portal", &self.portal)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body: Vec<u8>) {
            prop_assert!(read_answer(&body).is_err());
            prop_assert!(read_introspection(&body).is_err());
        }

        #[test]
        fn whatever_life_an_answer_claims_is_bounded(life: i128) {
            let body = format!(r#"{{"access_token":"a","expires_in":{life}}}"#);
            if let Ok(answer) = read_answer(body.as_bytes()) {
                prop_assert!(answer.life <= LIFE_MAX);
            }
        }
    }

    #[test]
    fn an_answer_is_read_in_every_form_in_use() {
        let dated = br#"{"token_type":"bearer","access_token":"a","refresh_token":"r","expires_in":1800,"hub_id":7,"scopes":["oauth","x"],"later":1}"#;
        let answer = read_answer(dated).unwrap();
        assert_eq!(answer.access.expose_secret(), "a");
        assert_eq!(answer.portal, Some(PortalId(7)));
        assert_eq!(answer.scopes, Some(vec!["oauth".to_owned(), "x".to_owned()]));

        let standard = read_answer(br#"{"access_token":"a","expires_in":60,"scope":"x y"}"#).unwrap();
        assert_eq!(standard.life, Duration::from_secs(60));
        assert_eq!(standard.scopes.unwrap().len(), 2);
        assert!(standard.refresh.is_none() && standard.portal.is_none());

        let endless = read_answer(br#"{"access_token":"a","expires_in":18446744073709551615}"#).unwrap();
        assert_eq!(endless.life, LIFE_MAX);
        for body in [&b"{}"[..], b"", br#"{"access_token":""}"#, br#"{"access_token":"a\nb"}"#, b"[]"] {
            assert!(read_answer(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn metadata_without_a_word_on_life_is_of_a_living_token() {
        let v1 = read_introspection(
            br#"{"token":"t","hub_id":7,"app_id":9,"user":"ann@example.com","scopes":["oauth"]}"#,
        );
        let v1 = v1.unwrap();
        assert!(v1.active && v1.portal == Some(PortalId(7)));
        assert!(!format!("{v1:?}").contains("ann@"));
        assert!(!read_introspection(br#"{"active":false}"#).unwrap().active);
        assert!(read_introspection(b"nonsense").is_err());
    }

    #[test]
    fn debug_hides_the_tokens() {
        let answer = read_answer(br#"{"access_token":"canary-a","refresh_token":"canary-r"}"#).unwrap();
        assert!(!format!("{answer:?}").contains("canary"));
    }
}
