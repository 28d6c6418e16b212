//! What tokens are, and their end: introspection, revocation, the v1 metadata paths, uninstall.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Form;
use super::refusal::TokenRefusal;
use super::token::client;
use crate::config::{Credential, CredentialKind};
use crate::context::Answer;
use crate::error::ApiError;
use crate::state::State;

/// The user who consents; a sandbox has one.
const USER_ID: u64 = 9_200_001;

/// The specification says `token`; the guide names it after its use. Both are taken.
fn token(form: &Form) -> Result<&str, TokenRefusal> {
    let names = ["token", "access_token", "refresh_token"];
    let given = names.into_iter().map(|name| form.get(name)).find(|token| !token.is_empty());
    given.ok_or(TokenRefusal::NO_TOKEN)
}

pub(super) fn introspect(state: &State, now: Timestamp, form: &Form) -> Result<Answer, TokenRefusal> {
    let app = client(state, form)?;
    let token = token(form)?;
    // A token of another app is none of this app's business.
    let access = access_facts(state, now, token).filter(|facts| facts["client_id"] == app.client_id);
    let facts = access
        .or_else(|| refresh_facts(state, token).filter(|facts| facts["client_id"] == app.client_id))
        .unwrap_or_else(|| json!({"active": false}));
    Ok(Answer::json(200, &facts))
}

/// HubSpot docs: access tokens live on after their refresh token is revoked, and the app stays installed.
pub(super) fn revoke(state: &mut State, form: &Form) -> Result<Answer, TokenRefusal> {
    let client_id = client(state, form)?.client_id.clone();
    let token = token(form)?;
    let own_refresh =
        state.oauth.by_refresh(token).is_some_and(|(_, install)| install.client_id == client_id);
    let own_access = state.oauth.access(token).is_some_and(|access| access.client_id == client_id);
    if own_refresh {
        state.oauth.revoke_refresh(token);
    } else if own_access {
        state.oauth.revoke_access(token);
    }
    // RFC 7009: a token that is not there is revoked as well as can be.
    Ok(Answer::json(200, &json!({})))
}

pub(super) fn access_token(state: &State, now: Timestamp, token: &str) -> Result<Answer, TokenRefusal> {
    let facts = access_facts(state, now, token).ok_or(TokenRefusal::NOT_FOUND)?;
    Ok(Answer::json(200, &first_version(facts, "access")))
}

pub(super) fn refresh_token(state: &State, token: &str) -> Result<Answer, TokenRefusal> {
    let facts = refresh_facts(state, token).ok_or(TokenRefusal::NOT_FOUND)?;
    Ok(Answer::json(200, &first_version(facts, "refresh")))
}

pub(super) fn delete_refresh_token(state: &mut State, token: &str) -> Result<Answer, TokenRefusal> {
    if state.oauth.revoke_refresh(token) { Ok(Answer::no_content()) } else { Err(TokenRefusal::NOT_FOUND) }
}

fn access_facts(state: &State, now: Timestamp, token: &str) -> Option<Value> {
    let access = state.oauth.access(token)?;
    let left = access.expires - now.as_millisecond();
    if left <= 0 {
        return None;
    }
    let mut facts = common(state, token, access.app_id, &access.client_id);
    let signed = json!({
        "expiresAt": access.expires,
        "scopes": scope_text(access.scopes.iter()),
        "hubId": state.config.portal_id,
        "userId": USER_ID,
        "appId": access.app_id,
        "signature": "c2FuZGJveA==",
        "scopeToScopeGroupPks": "",
        "newSignature": "c2FuZGJveA==",
        "hublet": "na1",
        "trialScopes": "",
        "trialScopeToScopeGroupPks": "",
        "isUserLevel": false,
        "isPrivateDistribution": false,
        "isServiceAccount": false,
        "installingUserId": USER_ID,
    });
    let added = [
        ("scopes", json!(access.scopes)),
        ("expires_in", json!(left / 1_000)),
        ("token_use", json!("access_token")),
        ("signed_access_token", signed),
    ];
    let object = facts.as_object_mut()?;
    object.extend(added.map(|(key, value)| (key.to_owned(), value)));
    if access.app_level {
        for key in ["hub_id", "hub_domain", "user", "user_id"] {
            object.remove(key);
        }
    }
    Some(facts)
}

fn refresh_facts(state: &State, token: &str) -> Option<Value> {
    let (app_id, install) = state.oauth.by_refresh(token)?;
    let mut facts = common(state, token, app_id, &install.client_id);
    let added = [("scopes", json!(install.scopes)), ("token_use", json!("refresh_token"))];
    facts.as_object_mut()?.extend(added.map(|(key, value)| (key.to_owned(), value)));
    Some(facts)
}

fn common(state: &State, token: &str, app_id: u64, client_id: &str) -> Value {
    json!({
        "active": true,
        "token": token,
        "hub_id": state.config.portal_id,
        "hub_domain": "sandbox.example.com",
        "user": state.config.owners.first().map(|owner| owner.email.as_str()),
        "user_id": USER_ID,
        "client_id": client_id,
        "app_id": app_id,
        "is_private_distribution": false,
        "token_type": "bearer",
    })
}

/// v1 has no word on whether the token is active, and another one on what it is.
fn first_version(mut facts: Value, kind: &str) -> Value {
    if let Some(object) = facts.as_object_mut() {
        for key in ["active", "token_use", "is_private_distribution"] {
            object.remove(key);
        }
        object.insert("token_type".to_owned(), kind.into());
    }
    facts
}

fn scope_text<'s>(scopes: impl Iterator<Item = &'s String>) -> String {
    scopes.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// DELETE `/appinstalls/{v}/external-install` with an access token of the app.
pub(crate) fn uninstall(state: &mut State, credential: &Credential) -> Result<Answer, ApiError> {
    if credential.kind != CredentialKind::OAuth || state.oauth.is_app_level(&credential.token) {
        return Err(ApiError::new(403, "FORBIDDEN", "Only an installed app can uninstall itself."));
    }
    state.oauth.uninstall(credential.app_id);
    Ok(Answer::no_content())
}
