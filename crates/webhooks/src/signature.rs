//! HubSpot's request signatures, versions 1 to 3.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// HubSpot refuses its own requests after this long (HubSpot docs: validating requests).
const WINDOW: Duration = Duration::from_secs(300);

pub(crate) const HEADER_V3: &str = "x-hubspot-signature-v3";
pub(crate) const HEADER_TIMESTAMP: &str = "x-hubspot-request-timestamp";
const HEADER_LEGACY: &str = "x-hubspot-signature";
const HEADER_LEGACY_VERSION: &str = "x-hubspot-signature-version";

/// Which signature a request was accepted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureVersion {
    /// SHA-256 of secret and body.
    V1,
    /// SHA-256 of secret, method, URL and body.
    V2,
    /// HMAC-SHA256 of method, URL, body and time.
    V3,
}

/// The headers that carry a signature, as text; absent ones `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureHeaders<'a> {
    /// `X-HubSpot-Signature-v3`.
    pub v3: Option<&'a str>,
    /// `X-HubSpot-Request-Timestamp`, epoch milliseconds.
    pub timestamp: Option<&'a str>,
    /// `X-HubSpot-Signature`.
    pub legacy: Option<&'a str>,
    /// `X-HubSpot-Signature-Version`; v1 when absent.
    pub legacy_version: Option<&'a str>,
}

/// A request as it arrived. `Debug` shows no body and no query.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The full URL as HubSpot called it: scheme, public host, path and query.
    pub url: &'a str,
    /// The raw bytes of the body.
    pub body: &'a [u8],
    /// The signature headers.
    pub headers: SignatureHeaders<'a>,
}

impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("SignedRequest")
            .field("method", &self.method)
            .field("url", &url)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl<'a> SignatureHeaders<'a> {
    /// Picks them out of a request's headers.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when one of them stands there twice or is not text: which of two counts would
    /// be a matter of taste, and tastes differ between a proxy and us.
    pub fn of(headers: &'a http::HeaderMap) -> Result<Self, SignatureError> {
        let one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(value), None) => value.to_str().map(Some).map_err(|_| SignatureError::Malformed),
                (Some(_), Some(_)) => Err(SignatureError::Malformed),
            }
        };
        Ok(Self {
            v3: one(HEADER_V3)?,
            timestamp: one(HEADER_TIMESTAMP)?,
            legacy: one(HEADER_LEGACY)?,
            legacy_version: one(HEADER_LEGACY_VERSION)?,
        })
    }
}

/// Why a request is not believed. Tell the sender only "not authorised".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature of an accepted version.
    #[error("the request carries no signature of an accepted version")]
    Missing,
    /// A header is not in the form HubSpot writes it.
    #[error("a signature header is malformed")]
    Malformed,
    /// The request is older than allowed: perhaps a replay.
    #[error("the request's timestamp is too old")]
    TooOld,
    /// The request's time lies further in the future than clocks may differ.
    #[error("the request's timestamp lies in the future")]
    FromTheFuture,
    /// The signature belongs to another secret, URL, body or time.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies requests against the app's client secrets.
#[derive(Clone)]
pub struct Verifier {
    secrets: Vec<Secret>,
    age_max: Duration,
    ahead_max: Duration,
    legacy: bool,
}

#[derive(Clone)]
struct Secret {
    text: SecretString,
    /// Not accepted from then on.
    until: Option<Timestamp>,
}

impl Verifier {
    /// Accepts version 3, up to five minutes old or ahead, signed with any of `secrets`. With none, nothing is accepted.
    #[must_use]
    pub fn new(secrets: Vec<SecretString>) -> Self {
        let secrets = secrets.into_iter().map(|text| Secret { text, until: None }).collect();
        Self { secrets, age_max: WINDOW, ahead_max: WINDOW, legacy: false }
    }

    /// Accepts one secret more until `until`: the old one while the app's secret is rotated. Requests received at
    /// that instant or later are no longer believed on its word.
    #[must_use]
    pub fn also_until(mut self, secret: SecretString, until: Timestamp) -> Self {
        self.secrets.push(Secret { text: secret, until: Some(until) });
        self
    }

    /// How old a request may be. HubSpot asks for five minutes, the default.
    #[must_use]
    pub fn age_max(mut self, age: Duration) -> Self {
        self.age_max = age;
        self
    }

    /// How far in the future its time may lie, because clocks differ. Default five minutes.
    #[must_use]
    pub fn ahead_max(mut self, ahead: Duration) -> Self {
        self.ahead_max = ahead;
        self
    }

    /// Accepts versions 1 and 2 too, which carry no time and can be replayed: only where whatever follows a request is
    /// harmless to do twice.
    #[must_use]
    pub fn allow_legacy(mut self) -> Self {
        self.legacy = true;
        self
    }

    /// Proves that `request`, received at `now`, was signed by HubSpot. Takes as long for a wrong signature as for the
    /// right one.
    ///
    /// # Errors
    /// [`SignatureError`] says why not.
    pub fn verify(
        &self,
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<SignatureVersion, SignatureError> {
        // A request with a version 3 header is judged by it alone, or stripping would be as good as forging.
        match (request.headers.v3, request.headers.legacy) {
            (Some(signature), _) => self.verify_v3(request, signature, now),
            (None, Some(signature)) if self.legacy => self.verify_legacy(request, signature, now),
            _ => Err(SignatureError::Missing),
        }
    }

    /// What can be told before the body is there: whether the headers could belong to a request that
    /// [`Verifier::verify`] believes. Most forgeries end here, and cost nothing to read.
    ///
    /// # Errors
    /// [`SignatureError`] says why no body could help; never [`SignatureError::Mismatch`].
    pub fn screen(&self, headers: &SignatureHeaders<'_>, now: Timestamp) -> Result<(), SignatureError> {
        match (headers.v3, headers.legacy) {
            (Some(signature), _) => {
                self.check_time(headers, now)?;
                STANDARD.decode(signature).map(drop).map_err(|_| SignatureError::Malformed)
            }
            (None, Some(_)) if self.legacy => Ok(()),
            _ => Err(SignatureError::Missing),
        }
    }

    /// The timestamp's text, if it is one and lies within the window.
    fn check_time<'a>(
        &self,
        headers: &SignatureHeaders<'a>,
        now: Timestamp,
    ) -> Result<&'a str, SignatureError> {
        let timestamp = headers.timestamp.ok_or(SignatureError::Malformed)?;
        // Only digits: the text itself is signed, and a sign or blanks would be read the same.
        if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SignatureError::Malformed);
        }
        let sent_ms = timestamp.parse().map_err(|_| SignatureError::Malformed)?;
        let sent = Timestamp::from_millisecond(sent_ms).map_err(|_| SignatureError::Malformed)?;
        let age = now.duration_since(sent);
        if age > limit(self.age_max) {
            return Err(SignatureError::TooOld);
        }
        if age < -limit(self.ahead_max) {
            return Err(SignatureError::FromTheFuture);
        }
        Ok(timestamp)
    }

    fn verify_v3(
        &self,
        request: &SignedRequest<'_>,
        signature: &str,
        now: Timestamp,
    ) -> Result<SignatureVersion, SignatureError> {
        let timestamp = self.check_time(&request.headers, now)?;
        let expected = STANDARD.decode(signature).map_err(|_| SignatureError::Malformed)?;
        let url = decode_url(request.url);
        self.any_secret(&expected, now, |secret| {
            hmac_v3(secret, [request.method.as_bytes(), url.as_bytes(), request.body, timestamp.as_bytes()])
        })?;
        Ok(SignatureVersion::V3)
    }

    fn verify_legacy(
        &self,
        request: &SignedRequest<'_>,
        signature: &str,
        now: Timestamp,
    ) -> Result<SignatureVersion, SignatureError> {
        let version = match request.headers.legacy_version {
            None | Some("v1") => SignatureVersion::V1,
            Some("v2") => SignatureVersion::V2,
            Some(_) => return Err(SignatureError::Malformed),
        };
        let expected = decode_hex(signature).ok_or(SignatureError::Malformed)?;
        self.any_secret(&expected, now, |secret| {
            let mut hash = Sha256::new();
            hash.update(secret);
            if version == SignatureVersion::V2 {
                hash.update(request.method);
                hash.update(request.url);
            }
            hash.update(request.body);
            Some(hash.finalize().into())
        })?;
        Ok(version)
    }

    /// Tries every secret, also after one matched, so that the time taken does not tell which.
    fn any_secret(
        &self,
        expected: &[u8],
        now: Timestamp,
        sign: impl Fn(&[u8]) -> Option<[u8; 32]>,
    ) -> Result<(), SignatureError> {
        let mut matched = Choice::from(0);
        for secret in &self.secrets {
            if let Some(signature) = sign(secret.text.expose_secret().as_bytes()) {
                let valid = Choice::from(u8::from(secret.until.is_none_or(|until| now < until)));
                matched |= signature.as_slice().ct_eq(expected) & valid;
            }
        }
        if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.secrets.len())
            .field("age_max", &self.age_max)
            .field("ahead_max", &self.ahead_max)
            .field("legacy", &self.legacy)
            .finish()
    }
}

/// The two headers of a version 3 signature, as HubSpot would write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeaders {
    /// `X-HubSpot-Signature-v3`.
    pub signature: String,
    /// `X-HubSpot-Request-Timestamp`.
    pub timestamp: String,
}

/// Signs a request as HubSpot does, version 3, at `at`: for tests of a receiver and for tools that stand in for
/// HubSpot. `url` is the full public URL.
#[must_use]
pub fn sign_v3(secret: &SecretString, method: &str, url: &str, body: &[u8], at: Timestamp) -> SignedHeaders {
    let timestamp = at.as_millisecond().to_string();
    let url = decode_url(url);
    let parts = [method.as_bytes(), url.as_bytes(), body, timestamp.as_bytes()];
    let signature = hmac_v3(secret.expose_secret().as_bytes(), parts);
    SignedHeaders { signature: signature.map(|mac| STANDARD.encode(mac)).unwrap_or_default(), timestamp }
}

/// `None` never happens: HMAC takes a key of any length.
fn hmac_v3(secret: &[u8], parts: [&[u8]; 4]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

fn limit(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// Decodes in a URL what HubSpot decodes before signing, and nothing else (HubSpot docs: validating requests).
fn decode_url(url: &str) -> Cow<'_, str> {
    const DECODED: [(&str, char); 12] = [
        ("3A", ':'),
        ("2F", '/'),
        ("3F", '?'),
        ("40", '@'),
        ("21", '!'),
        ("24", '$'),
        ("27", '\''),
        ("28", '('),
        ("29", ')'),
        ("2A", '*'),
        ("2C", ','),
        ("3B", ';'),
    ];
    if !url.contains('%') {
        return Cow::Borrowed(url);
    }
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let decoded = DECODED
            .iter()
            .find(|(code, _)| after.get(..2).is_some_and(|found| found.eq_ignore_ascii_case(code)));
        match decoded {
            Some((_, character)) => {
                out.push(*character);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
