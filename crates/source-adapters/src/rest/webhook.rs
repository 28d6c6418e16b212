//! Telling the webhooks of a described API from forgeries. Pure: a call and the time in, a verdict out.
//!
//! What a webhook says is never believed as data: it is a hint that something has changed, and whoever hears it reads the
//! API.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use sync_types::{SourceError, SourceErrorKind};

use super::credential::{code, hex, shown};
use super::description::{Description, HeaderItem, KeyPlace, SecretText, WebhookHmac, WebhookProof};
use super::moment;
use super::open::{RestOptions, variables};
use super::template::{Escape, Values};

/// Tells the calls of a described API's webhooks from forgeries. `Debug` shows no secret.
#[derive(Clone)]
pub struct WebhookVerifier(Proof);

#[derive(Clone)]
enum Proof {
    /// A header with this text.
    Header {
        name: String,
        text: SecretString,
    },
    /// A key of the query with this text.
    Query {
        name: String,
        text: SecretString,
    },
    Signature {
        spec: WebhookHmac,
        key: Key,
    },
}

/// A key's bytes, kept as text so that they are wiped.
#[derive(Clone)]
struct Key {
    text: SecretString,
    in_base64: bool,
}

/// A call of a webhook as it arrived. `Debug` shows no value.
#[derive(Clone, Copy)]
pub struct WebhookCall<'c> {
    /// Its headers.
    pub headers: &'c HeaderMap,
    /// The query of its address, without the question mark; empty where there is none.
    pub query: &'c str,
    /// The bytes of its body as they came; needed where [`WebhookVerifier::needs_body`] says so.
    pub body: &'c [u8],
}

impl fmt::Debug for WebhookCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookCall").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Why a call is not believed. Tell the caller only "not authorised".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRefusal {
    /// It carries no proof.
    #[error("the call carries no proof of where it is from")]
    Missing,
    /// A header stands there twice, or is not in the form that the description says.
    #[error("what should prove where the call is from is malformed")]
    Malformed,
    /// Its time lies further from ours than the description allows: perhaps a replay.
    #[error("the call's time is too far from ours")]
    TooOld,
    /// It was made with another secret, or changed on its way.
    #[error("the proof does not match")]
    Mismatch,
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Proof::Header { .. } => "WebhookVerifier(header)",
            Proof::Query { .. } => "WebhookVerifier(query)",
            Proof::Signature { .. } => "WebhookVerifier(signature)",
        })
    }
}

impl WebhookVerifier {
    /// What the description's `[webhook]` says; `None` where it has none. `secrets` gives a secret by its name.
    ///
    /// # Errors
    /// A secret or variable is missing, empty, or no key.
    pub fn open(
        description: &Description,
        options: &RestOptions,
        secrets: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Option<WebhookVerifier>, SourceError> {
        let Some(proof) = &description.webhook else { return Ok(None) };
        let refuse = |kind: SourceErrorKind, why: String| {
            SourceError::new(kind, format!("{}: [webhook]: {why}", description.name()))
        };
        let named: Vec<&str> = match proof {
            WebhookProof::Shared { secret, .. } => vec![secret],
            WebhookProof::Basic { user, password } => {
                [user, password].into_iter().filter_map(SecretText::secret).collect()
            }
            WebhookProof::Hmac(spec) => vec![&spec.secret],
        };
        let mut known = BTreeMap::new();
        for name in named {
            // An empty secret would make a forgery of every call that carries none.
            let value = secrets(name).filter(|value| !value.expose_secret().is_empty()).ok_or_else(|| {
                let why = format!("no value is set for {name}; set it as a variable of the environment");
                refuse(SourceErrorKind::Denied, why)
            })?;
            known.insert(name.to_owned(), value);
        }
        let structure = |why: String| refuse(SourceErrorKind::Structure, why);
        let variables = variables(description, options).map_err(structure)?;
        let text = |text: &SecretText| shown(text, &known, &variables).map_err(structure);
        let proof = match proof {
            WebhookProof::Shared { place, prefix, secret } => {
                let value = text(&SecretText::Secret(secret.clone()))?;
                let value = SecretString::from(format!("{prefix}{}", value.expose_secret()));
                match place {
                    KeyPlace::Header(name) => Proof::Header { name: name.clone(), text: value },
                    KeyPlace::Query(name) => Proof::Query { name: name.clone(), text: value },
                }
            }
            WebhookProof::Basic { user, password } => {
                let pair = format!("{}:{}", text(user)?.expose_secret(), text(password)?.expose_secret());
                let value = SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair)));
                Proof::Header { name: AUTHORIZATION.as_str().to_owned(), text: value }
            }
            WebhookProof::Hmac(spec) => {
                let value = text(&SecretText::Secret(spec.secret.clone()))?;
                let key = Key { text: value, in_base64: spec.key_base64 };
                if key.bytes().is_none() {
                    return Err(structure(format!("{} is not written in base64", spec.secret)));
                }
                Proof::Signature { spec: spec.clone(), key }
            }
        };
        Ok(Some(WebhookVerifier(proof)))
    }

    /// Whether the body is needed to tell. Where it is not, it need not be read.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        matches!(self.0, Proof::Signature { .. })
    }

    /// What can be told before the body is there: whether a body could make the call acceptable.
    ///
    /// # Errors
    /// Why none could.
    pub fn screen(&self, headers: &HeaderMap, query: &str, now: Timestamp) -> Result<(), WebhookRefusal> {
        match &self.0 {
            Proof::Signature { spec, .. } => spec.said(headers, now).map(drop),
            _ => self.verify(&WebhookCall { headers, query, body: &[] }, now),
        }
    }

    /// Proves that the call, received at `now`, is from the API. Takes as long for a wrong proof as for the right one.
    ///
    /// # Errors
    /// [`WebhookRefusal`] says why it is not believed.
    pub fn verify(&self, call: &WebhookCall<'_>, now: Timestamp) -> Result<(), WebhookRefusal> {
        let is_right = match &self.0 {
            Proof::Header { name, text } => {
                let said = one(call.headers, name)?.ok_or(WebhookRefusal::Missing)?;
                said.as_bytes().ct_eq(text.expose_secret().as_bytes())
            }
            Proof::Query { name, text } => {
                let mut said =
                    url::form_urlencoded::parse(call.query.as_bytes()).filter(|(key, _)| key == name);
                let value = said.next().ok_or(WebhookRefusal::Missing)?.1;
                if said.next().is_some() {
                    return Err(WebhookRefusal::Malformed);
                }
                value.as_bytes().ct_eq(text.expose_secret().as_bytes())
            }
            Proof::Signature { spec, key } => spec.matches(key, call, now)?,
        };
        if bool::from(is_right) { Ok(()) } else { Err(WebhookRefusal::Mismatch) }
    }
}

impl Key {
    fn bytes(&self) -> Option<Vec<u8>> {
        let text = self.text.expose_secret();
        if !self.in_base64 {
            return Some(text.as_bytes().to_vec());
        }
        // Standard Webhooks marks its keys by these letters (its specification, "Signature scheme").
        BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()
    }
}

/// What a signature's headers say.
struct Said<'h> {
    signatures: Vec<&'h str>,
    timestamp: &'h str,
    id: &'h str,
}

impl WebhookHmac {
    fn said<'h>(&self, headers: &'h HeaderMap, now: Timestamp) -> Result<Said<'h>, WebhookRefusal> {
        let header = one(headers, &self.header)?.ok_or(WebhookRefusal::Missing)?;
        let parts: Vec<&str> = header.split(self.separator).map(str::trim).collect();
        // While a key is changed some APIs sign with both, and some add signatures of other kinds.
        let of = |is_signature: bool| {
            let items = self.items.iter().filter(move |item| item.is_signature == is_signature);
            items.flat_map(|item| parts.iter().filter_map(|part| item.within(part)))
        };
        let signatures: Vec<&str> = of(true).collect();
        if signatures.is_empty() {
            return Err(WebhookRefusal::Malformed);
        }
        let timestamp = match &self.timestamp_header {
            Some(name) => one(headers, name)?,
            None => of(false).next(),
        };
        let id = match &self.id_header {
            Some(name) => one(headers, name)?.ok_or(WebhookRefusal::Malformed)?,
            None => "",
        };
        if self.over.has("timestamp") {
            let text = timestamp.ok_or(WebhookRefusal::Malformed)?;
            let sent = moment::parse(text, self.timestamp).ok_or(WebhookRefusal::Malformed)?;
            if sent.duration_since(now).unsigned_abs() > self.window {
                return Err(WebhookRefusal::TooOld);
            }
        }
        Ok(Said { signatures, timestamp: timestamp.unwrap_or_default(), id })
    }

    fn matches(&self, key: &Key, call: &WebhookCall<'_>, now: Timestamp) -> Result<Choice, WebhookRefusal> {
        let said = self.said(call.headers, now)?;
        let body = std::str::from_utf8(call.body).map_err(|_| WebhookRefusal::Malformed)?;
        let body_sha256 = hex(&Sha256::digest(call.body));
        let own =
            [("timestamp", said.timestamp), ("body", body), ("body_sha256", &body_sha256), ("id", said.id)];
        let values = Values { own: &own, variables: &BTreeMap::new() };
        let over = self.over.fill(&values, Escape::No).map_err(|_| WebhookRefusal::Malformed)?;
        let key = key.bytes().ok_or(WebhookRefusal::Malformed)?;
        let code = code(self.hash, &key, over.as_bytes());
        let expected = if self.base64 { BASE64_STANDARD.encode(&code) } else { hex(&code) };
        let is_one = said.signatures.iter().map(|signature| {
            let lower = if self.base64 { (*signature).to_owned() } else { signature.to_ascii_lowercase() };
            lower.as_bytes().ct_eq(expected.as_bytes())
        });
        Ok(is_one.fold(Choice::from(0), |any, this| any | this))
    }
}

impl HeaderItem {
    /// What stands in the place, if the text is of this form.
    fn within<'t>(&self, text: &'t str) -> Option<&'t str> {
        text.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())
    }
}

/// The only header of this name. Which of two counts would be a matter of taste, and tastes differ between a proxy and us.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, WebhookRefusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| WebhookRefusal::Malformed),
        (Some(_), Some(_)) => Err(WebhookRefusal::Malformed),
    }
}
