//! The address of the consent page, and the proof key that goes with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::Serializer;

use crate::app::App;
use crate::endpoints::Endpoints;
use crate::grant::PortalId;

/// Whether a code is bound to the install that asked for it by a proof key (RFC 7636).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pkce {
    /// By the hash of a key: what RFC 9700 asks of every client. HubSpot's token endpoint takes `code_verifier`; what its
    /// consent page does with a challenge is not documented. Servers must ignore parameters that they do not know.
    #[default]
    S256,
    /// Not at all, for a server that refuses it.
    Off,
}

/// Where to send the browser.
pub(crate) fn consent_url(
    endpoints: &Endpoints,
    app: &App,
    portal: Option<PortalId>,
    state: &SecretString,
    verifier: Option<&SecretString>,
) -> String {
    let mut fields = vec![
        ("client_id", app.client_id().to_owned()),
        ("redirect_uri", app.redirect_uri().to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", app.scopes().required_text()),
        ("optional_scope", app.scopes().optional_text()),
        ("state", state.expose_secret().to_owned()),
    ];
    if let Some(verifier) = verifier {
        fields.push(("code_challenge", hash(verifier.expose_secret())));
        fields.push(("code_challenge_method", "S256".to_owned()));
    }
    fields.retain(|(_, value)| !value.is_empty());
    // HubSpot takes `+` and `%20` for a space alike; strict servers know only the latter in an address.
    let query = Serializer::new(String::new()).extend_pairs(fields).finish().replace('+', "%20");
    // HubSpot docs: a number before `authorize` preselects the account.
    let page = match (portal, endpoints.authorize.strip_suffix("/oauth/authorize")) {
        (Some(portal), Some(base)) => format!("{base}/oauth/{portal}/authorize"),
        _ => endpoints.authorize.clone(),
    };
    let joint = if page.contains('?') { '&' } else { '?' };
    format!("{page}{joint}{query}")
}

/// SHA-256 as text that fits addresses and names.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::WantedScopes;

    #[test]
    fn the_address_holds_what_was_asked_and_nothing_empty() {
        let secret = SecretString::from("a-secret");
        let scopes = WantedScopes::required(["oauth", "crm.objects.contacts.read"]);
        let app = App::new("an-id", &secret, "https://example.com/cb?a=1&b=ü", scopes).unwrap();
        let endpoints = Endpoints::v2026_03();
        let state = SecretString::from("s-1");
        let url = consent_url(&endpoints, &app, None, &state, None);
        assert_eq!(
            url,
            "https://app.hubspot.com/oauth/authorize?client_id=an-id\
             &redirect_uri=https%3A%2F%2Fexample.com%2Fcb%3Fa%3D1%26b%3D%C3%BC&response_type=code\
             &scope=crm.objects.contacts.read%20oauth&state=s-1"
        );
        let url = consent_url(&endpoints, &app, Some(PortalId(7)), &state, None);
        assert!(url.starts_with("https://app.hubspot.com/oauth/7/authorize?"), "{url}");
        let other = Endpoints::standard("https://a.example/auth?x=1", "https://a", "https://a", "https://a");
        let url = consent_url(&other, &app, Some(PortalId(7)), &state, None);
        assert!(url.starts_with("https://a.example/auth?x=1&client_id="), "{url}");
    }

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let app = App::new("an-id", &"a-secret".into(), "https://example.com/cb", WantedScopes::default());
        let state = SecretString::from("s-1");
        let url = consent_url(&Endpoints::v2026_03(), &app.unwrap(), None, &state, Some(&verifier));
        let expected =
            "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        assert!(url.ends_with(expected), "{url}");
    }
}
