//! Settings of an app that is installed through OAuth.

use std::fs;
use std::path::PathBuf;

use secrecy::SecretString;

use super::layers::Layers;
use super::{choice, missing, text};
use crate::Failure;

/// The app whose installs give the credential, and where they are kept.
#[derive(Clone, Debug)]
pub struct OAuthSettings {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
    /// Where HubSpot sends the browser after consent.
    pub redirect_url: String,
    /// Where people consent, without a slash at the end.
    pub consent_url: String,
    /// Scopes to ask for, separated by spaces.
    pub scopes: String,
    /// Version of the OAuth endpoints: a date, `v3` or `v1`.
    pub version: String,
    /// The file of sealed tokens.
    pub tokens: PathBuf,
    /// The key that seals them, base64 of 32 bytes.
    pub master_key: SecretString,
    /// The key's name.
    pub key_id: String,
    /// The key that sealed them before, with its name, while it is changed.
    pub former_key: Option<(String, SecretString)>,
}

/// The settings, if `hubspot.credential` is `oauth`.
pub(super) fn read(layers: &Layers) -> Result<Option<OAuthSettings>, Failure> {
    let chosen = choice(layers, "hubspot.credential", &[("static", false), ("oauth", true)])?;
    if chosen != Some(true) {
        return Ok(None);
    }
    let needed = |place: &str, what: &str| text(layers, place).ok_or_else(|| missing(place, what));
    Ok(Some(OAuthSettings {
        client_id: needed("oauth.client_id", "the client id of the app")?.to_owned(),
        client_secret: secret(layers, "oauth.client_secret", "the client secret of the app")?,
        redirect_url: needed("oauth.redirect_url", "where HubSpot sends the browser")?.to_owned(),
        consent_url: text(layers, "oauth.consent_url")
            .unwrap_or("https://app.hubspot.com")
            .trim_end_matches('/')
            .to_owned(),
        scopes: needed("oauth.scopes", "the scopes that the app asks for")?.to_owned(),
        version: text(layers, "oauth.version").unwrap_or("2026-03").to_owned(),
        tokens: text(layers, "oauth.tokens_file").unwrap_or("tokens.db").into(),
        master_key: secret(layers, "oauth.master_key", "what `openssl rand -base64 32` prints")?,
        key_id: text(layers, "oauth.key_id").unwrap_or("1").to_owned(),
        former_key: former_key(layers)?,
    }))
}

fn former_key(layers: &Layers) -> Result<Option<(String, SecretString)>, Failure> {
    let Some(key) = maybe_secret(layers, "oauth.former_key")? else { return Ok(None) };
    let id = text(layers, "oauth.former_key_id").unwrap_or("1");
    // Of two keys with one name, only the present one would ever be tried.
    if id == text(layers, "oauth.key_id").unwrap_or("1") {
        return Err(Failure::new("`oauth.key_id` and `oauth.former_key_id` are the same")
            .remedy("give the present key another name, such as the month in which it was made"));
    }
    Ok(Some((id.to_owned(), key)))
}

/// The secret at `place`, or in the file that `place` with `_file` behind it names.
fn secret(layers: &Layers, place: &str, what: &str) -> Result<SecretString, Failure> {
    maybe_secret(layers, place)?.ok_or_else(|| missing(place, what))
}

/// As [`secret`], if there is one.
pub(super) fn maybe_secret(layers: &Layers, place: &str) -> Result<Option<SecretString>, Failure> {
    if let Some(said) = text(layers, place) {
        return Ok(Some(SecretString::from(said.trim())));
    }
    let Some(made) = layers.get(&format!("{place}_file")) else { return Ok(None) };
    let read = fs::read_to_string(&made.text).map_err(|error| {
        Failure::new(format!("{}: the secret file {} cannot be read", made.origin, made.text))
            .remedy("check its path, and that this user may read it")
            .caused_by(&error)
    })?;
    Ok(Some(SecretString::from(read.trim())))
}
