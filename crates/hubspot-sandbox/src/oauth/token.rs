//! The token endpoint: code, refresh token or client credentials in, access token out.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Form;
use super::app::OAuthApp;
use super::grants::{Access, Code, TOKEN_LIFE};
use super::refusal::TokenRefusal;
use crate::context::Answer;
use crate::state::State;

/// `whole`: with `hub_id` and `scopes`, which v1 leaves out.
pub(super) fn answer(
    state: &mut State,
    now: Timestamp,
    form: &Form,
    whole: bool,
) -> Result<Answer, TokenRefusal> {
    let kind = form.get("grant_type");
    if !["authorization_code", "refresh_token", "client_credentials"].contains(&kind) {
        return Err(TokenRefusal::BAD_GRANT_TYPE);
    }
    let app = client(state, form)?.clone();
    let now = now.as_millisecond();
    let (scopes, refresh) = match kind {
        "authorization_code" => by_code(state, now, form, &app)?,
        "refresh_token" => by_refresh_token(state, form, &app)?,
        _ => (app_scopes(form, &app)?, None),
    };
    let app_level = kind == "client_credentials";
    let access = Access {
        app_id: app.app_id,
        client_id: app.client_id,
        scopes: scopes.clone(),
        expires: now + TOKEN_LIFE,
        app_level,
    };
    let token = state.oauth.grant_access(&mut state.rng, now, access);
    let mut body = json!({"token_type": "bearer", "access_token": token, "expires_in": TOKEN_LIFE / 1_000});
    let mut add = |key: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(key.to_owned(), value);
        }
    };
    if let Some(refresh) = refresh {
        add("refresh_token", refresh.into());
    }
    if whole {
        add("scopes", json!(scopes));
        if !app_level {
            add("hub_id", state.config.portal_id.into());
        }
    }
    Ok(Answer::json(200, &body))
}

/// The app whose credentials the form carries.
pub(super) fn client<'s>(state: &'s State, form: &Form) -> Result<&'s OAuthApp, TokenRefusal> {
    let mut apps = state.config.apps.iter();
    let app = apps.find(|app| app.client_id == form.get("client_id")).ok_or(TokenRefusal::BAD_CLIENT_ID)?;
    if app.client_secret == form.get("client_secret") {
        Ok(app)
    } else {
        Err(TokenRefusal::BAD_CLIENT_SECRET)
    }
}

type Granted = (BTreeSet<String>, Option<String>);

fn by_code(state: &mut State, now: i64, form: &Form, app: &OAuthApp) -> Result<Granted, TokenRefusal> {
    if form.get("redirect_uri").is_empty() {
        return Err(TokenRefusal::BAD_REDIRECT_URI);
    }
    let code = state.oauth.take_code(now, form.get("code")).ok_or(TokenRefusal::BAD_AUTH_CODE)?;
    if code.client_id != app.client_id {
        return Err(TokenRefusal::BAD_AUTH_CODE);
    }
    if code.redirect_uri != form.get("redirect_uri") {
        return Err(TokenRefusal::MISMATCHED_REDIRECT);
    }
    check_verifier(&code, form.get("code_verifier"))?;
    must_be_open(state)?;
    let scopes = code.scopes;
    let refresh = state.oauth.install(
        &mut state.rng,
        app.app_id,
        &app.client_id,
        scopes.clone(),
        app.rotate_refresh_tokens,
    );
    Ok((scopes, Some(refresh)))
}

/// RFC 7636: a code with a challenge needs its verifier, and a verifier is no use without a challenge.
fn check_verifier(code: &Code, verifier: &str) -> Result<(), TokenRefusal> {
    let good = match &code.challenge {
        None => verifier.is_empty(),
        Some((challenge, method)) if method == "S256" => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge
        }
        Some((challenge, _)) => challenge == verifier,
    };
    if good { Ok(()) } else { Err(TokenRefusal::BAD_VERIFIER) }
}

fn by_refresh_token(state: &mut State, form: &Form, app: &OAuthApp) -> Result<Granted, TokenRefusal> {
    let sent = form.get("refresh_token");
    let (app_id, install) = state.oauth.by_refresh(sent).ok_or(TokenRefusal::BAD_REFRESH_TOKEN)?;
    if install.client_id != app.client_id {
        return Err(TokenRefusal::BAD_REFRESH_TOKEN);
    }
    must_be_open(state)?;
    let scopes = install.scopes.clone();
    let refresh = if app.rotate_refresh_tokens {
        state.oauth.rotate(&mut state.rng, app_id)
    } else {
        Some(sent.to_owned())
    };
    Ok((scopes, refresh))
}

/// Of an account that HubSpot has closed nobody gets another token.
fn must_be_open(state: &State) -> Result<(), TokenRefusal> {
    if state.oauth.closed { Err(TokenRefusal::BAD_HUB) } else { Ok(()) }
}

/// Scopes of the app itself: all that it asks for must be its own.
fn app_scopes(form: &Form, app: &OAuthApp) -> Result<BTreeSet<String>, TokenRefusal> {
    let asked: BTreeSet<String> = form.get("scope").split_whitespace().map(str::to_owned).collect();
    if asked.is_empty() || !asked.is_subset(&app.app_scopes) {
        return Err(TokenRefusal::BAD_SCOPE);
    }
    Ok(asked)
}
