//! What the consent page decides: whether an install may be asked for, and where the browser goes after the answer.

use std::collections::BTreeSet;

use super::app::OAuthApp;
use crate::config::Tier;
use crate::router::query_pairs;
use crate::state::State;
use crate::time::Millis;

/// An install that may be asked for.
pub(super) struct Consent<'s> {
    pub(super) app: &'s OAuthApp,
    pub(super) redirect_uri: String,
    pub(super) required: BTreeSet<String>,
    /// Optional scopes that this account can have.
    pub(super) optional: BTreeSet<String>,
    /// Optional scopes that it cannot have, which are left out in silence.
    pub(super) dropped: BTreeSet<String>,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<(String, String)>,
}

/// Why the page shows an error and sends nobody anywhere: the redirect address itself cannot be trusted, or the developer
/// must see what is wrong with the install link.
pub(super) type Broken = String;

/// Checks an install link, as the query of `/oauth/authorize`.
pub(super) fn check<'s>(state: &'s State, portal: Option<&str>, query: &str) -> Result<Consent<'s>, Broken> {
    let pairs = query_pairs(Some(query));
    let get = |name: &str| {
        pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone())
    };
    if state.oauth.closed || portal.is_some_and(|portal| portal != state.config.portal_id.to_string()) {
        return Err("You do not have access to the account in the install link.".to_owned());
    }
    let client_id = get("client_id").unwrap_or_default();
    let app = state.config.apps.iter().find(|app| app.client_id == client_id);
    let app = app.ok_or("No app has the client ID of the install link.")?;
    let redirect_uri = get("redirect_uri").ok_or("The install link has no redirect URL.")?;
    if !app.redirect_uris.contains(&redirect_uri) {
        return Err(
            "The redirect URL of the install link does not match one registered for the app.".to_owned()
        );
    }
    let scopes = |name: &str| -> BTreeSet<String> {
        get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let (mut required, optional) = (scopes("scope"), scopes("optional_scope"));
    // Every app has it, whether the link says so or not.
    required.insert("oauth".to_owned());
    let known = |scope: &String| {
        scope == "oauth" || app.required_scopes.contains(scope) || app.optional_scopes.contains(scope)
    };
    if !app.required_scopes.is_subset(&required) || !required.union(&optional).all(known) {
        let message = "Authorization failed because there is a mismatch between the scopes in the install link and \
                       the app's configured scopes.";
        return Err(message.to_owned());
    }
    let tier = state.config.tier;
    if let Some(scope) = required.iter().find(|scope| !is_available(tier, scope)) {
        return Err(format!("This account's subscription does not include what the scope {scope} is for."));
    }
    let (optional, dropped) =
        optional.difference(&required).cloned().partition(|scope| is_available(tier, scope));
    let method = get("code_challenge_method").unwrap_or_else(|| "plain".to_owned());
    let challenge = get("code_challenge").map(|challenge| (challenge, method));
    Ok(Consent { app, redirect_uri, required, optional, dropped, state: get("state"), challenge })
}

/// HubSpot docs: custom objects and sensitive properties need Enterprise.
fn is_available(tier: Tier, scope: &str) -> bool {
    let needs_enterprise = scope.contains(".custom.") || scope.contains("sensitive");
    !needs_enterprise || tier.allows_custom_objects()
}

/// Where the browser goes once somebody has answered.
pub(super) fn decide(
    state: &mut State,
    now: Millis,
    portal: Option<&str>,
    query: &str,
    allowed: bool,
) -> Result<String, Broken> {
    let consent = check(state, portal, query)?;
    let mut answer = Vec::new();
    let redirect_uri = consent.redirect_uri.clone();
    let echoed = consent.state.clone();
    if allowed {
        let scopes = consent.required.union(&consent.optional).cloned().collect();
        let (client_id, challenge) = (consent.app.client_id.clone(), consent.challenge);
        let code = state.oauth.code(&mut state.rng, now, &client_id, &redirect_uri, scopes, challenge);
        answer.push(("code", code));
    } else {
        answer.push(("error", "access_denied".to_owned()));
        answer.push(("error_description", "user denied access".to_owned()));
    }
    answer.extend(echoed.map(|state| ("state", state)));
    Ok(with_query(&redirect_uri, &answer))
}

fn with_query(address: &str, pairs: &[(&str, String)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", query.join("&"))
}
