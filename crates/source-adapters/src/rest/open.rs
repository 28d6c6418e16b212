//! Opening a described API: its variables, its secrets, its address, its connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http_transport::{Clock, ReqwestTransport, Transport};
use secrecy::{ExposeSecret as _, SecretString};
use sync_types::{SourceError, SourceErrorKind};

use super::caller::Caller;
use super::credential::{Credential, GrantKeeper, Secrets, TokenRequest, Tokens, secret, shown};
use super::description::{Auth, Description, OAuthGrant, OAuthSpec};
use super::origin::{Base, checked};
use super::request::header;
use super::source::RestSource;
use super::template::{Escape, Values};

/// How a described API is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestOptions {
    /// Which of the description's environments; the only one where it has one.
    pub environment: Option<String>,
    /// Values of variables in place of the description's.
    pub variables: BTreeMap<String, String>,
    /// Whether records may be written.
    pub write: bool,
    /// Spreads the waits between repeated calls.
    pub seed: u64,
    /// Where a refresh token is kept that the API replaces.
    pub keeper: Option<Arc<dyn GrantKeeper>>,
}

impl Default for RestOptions {
    /// The only environment, to be read.
    fn default() -> RestOptions {
        RestOptions { environment: None, variables: BTreeMap::new(), write: false, seed: 1, keeper: None }
    }
}

/// The transport that a description asks for: its time-out, its longest answer, its client certificate. It follows no
/// redirect.
///
/// # Errors
/// The client certificate is missing or cannot be read.
pub fn transport(
    description: &Description,
    secrets: &dyn Fn(&str) -> Option<SecretString>,
) -> Result<ReqwestTransport, SourceError> {
    let api = &description.api;
    let mut builder =
        ReqwestTransport::builder().request_timeout(api.timeout).answer_bytes_max(api.answer_bytes_max);
    if let Some(name) = &api.client_certificate {
        let pem = secrets(name).ok_or_else(|| {
            let message = format!("{}: no value is set for {name}: the client certificate, as PEM", api.name);
            SourceError::new(SourceErrorKind::Denied, message)
        })?;
        builder = builder.client_certificate(pem);
    }
    builder.build().map_err(|error| {
        let message = format!("{}: the connection cannot be set up", api.name);
        SourceError::new(SourceErrorKind::Structure, message).caused_by(error)
    })
}

impl RestSource {
    /// Opens an API over a transport. `secrets` gives a secret by its name. No call is made.
    ///
    /// # Errors
    /// A secret or variable is missing, or the base URL may not be called.
    pub fn open(
        description: Description,
        options: RestOptions,
        secrets: &dyn Fn(&str) -> Option<SecretString>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<RestSource, SourceError> {
        let refuse = |why: String| {
            SourceError::new(SourceErrorKind::Structure, format!("{}: {why}", description.api.name))
        };
        let known: Secrets = description
            .secrets()
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), secrets(name)?)))
            .collect();
        let missing: Vec<&str> =
            description.secrets().into_iter().filter(|name| !known.contains_key(*name)).collect();
        if !missing.is_empty() {
            let message = format!(
                "{}: no value is set for {}; set each as a variable of the environment",
                description.api.name,
                missing.join(", ")
            );
            return Err(SourceError::new(SourceErrorKind::Denied, message));
        }
        let variables = variables(&description, &options).map_err(refuse)?;
        let values = Values { own: &[], variables: &variables };
        let private = description.api.private_network;
        let base = base(&description, &options, &values).map_err(refuse)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &description.api.headers {
            let text = shown(value, &known, &variables).map_err(refuse)?;
            let (name, mut value) = header(name, text.expose_secret()).map_err(refuse)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let tokens = || {
            let Auth::Tokens(spec) = &description.auth else { return Err(String::from("no OAuth")) };
            let request = token_request(spec, &known, &variables, private)?;
            Ok(Tokens::new(request, options.keeper.clone(), Arc::clone(&transport), Arc::clone(&clock)))
        };
        let credential = Credential::new(&description.auth, &known, &variables, tokens).map_err(refuse)?;
        let caller = Caller::new(&description, credential, Arc::clone(&transport), clock, options.seed);
        Ok(RestSource {
            caller,
            base,
            headers,
            variables,
            write: options.write,
            known: Mutex::default(),
            left: Mutex::default(),
            description: Arc::new(description),
        })
    }
}

pub(super) fn variables(
    description: &Description,
    options: &RestOptions,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables = description.api.variables.clone();
    for (name, value) in &options.variables {
        if !variables.contains_key(name) {
            return Err(format!("the description has no variable `{name}`"));
        }
        variables.insert(name.clone(), value.clone());
    }
    match variables.iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => Err(format!("the variable `{name}` is not set")),
        None => Ok(variables),
    }
}

fn base(description: &Description, options: &RestOptions, values: &Values<'_>) -> Result<Base, String> {
    let bases = &description.api.bases;
    let names = || bases.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
    let template = match &options.environment {
        Some(name) => bases
            .get(name)
            .ok_or_else(|| format!("there is no environment `{name}`; there is `{}`", names()))?,
        None => match (bases.len(), bases.values().next()) {
            (1, Some(only)) => only,
            _ => return Err(format!("it is not said which environment is meant: `{}`", names())),
        },
    };
    // A variable within the name of a machine must not move the API to another one.
    let is_plain = |value: &String| !value.contains(['/', '\\', '@', '?', '#', ':', '%', ' ']);
    let mut used = template.names().filter_map(|name| values.variables.get_key_value(name));
    if let Some((name, _)) = used.find(|(_, value)| !is_plain(value)) {
        return Err(format!("the variable `{name}` holds a character that an address cannot have there"));
    }
    Base::parse(&template.fill(values, Escape::No)?, description.api.private_network)
}

fn token_request(
    spec: &OAuthSpec,
    secrets: &Secrets,
    variables: &BTreeMap<String, String>,
    private: bool,
) -> Result<TokenRequest, String> {
    let values = Values { own: &[], variables };
    let url = checked(&spec.token_url.fill(&values, Escape::No)?, private)?;
    let mut more = Vec::new();
    if let Some(scope) = &spec.scope {
        more.push((String::from("scope"), scope.clone()));
    }
    for (name, value) in &spec.extra {
        more.push((name.clone(), value.fill(&values, Escape::No)?));
    }
    let refresh_token = match &spec.grant {
        OAuthGrant::ClientCredentials => None,
        OAuthGrant::Refresh { secret: name } => Some(secret(secrets, name)?),
    };
    Ok(TokenRequest {
        url,
        client_id: shown(&spec.client_id, secrets, variables)?,
        client_secret: secret(secrets, &spec.client_secret)?,
        in_body: spec.in_body,
        more,
        refresh_token,
    })
}
