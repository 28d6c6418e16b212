//! Why the authorization server gave no answer that can be used, and what its error bodies mean.

use std::fmt;
use std::time::Duration;

use http_transport::{Sent, TransportError, redact_text};
use serde::Deserialize;

/// What a failed call to the authorization server means for the one who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointErrorKind {
    /// The code or refresh token is invalid, expired, revoked or used up: only a new consent helps.
    GrantRefused,
    /// The app's id, secret, redirect address or scopes are refused: the app's settings are wrong, the grant is not.
    AppRefused,
    /// Any other refusal of the request.
    Refused,
    /// Too many calls.
    Throttled,
    /// The server is not there or in trouble; nothing was done.
    Unavailable,
    /// The request left and no usable answer came back: a new token may have been made and lost.
    NoAnswer,
}

/// A failed call to the authorization server. Shows no token, code or secret.
#[derive(Debug)]
pub struct EndpointError {
    kind: EndpointErrorKind,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    retry_after: Option<Duration>,
    source: Option<TransportError>,
}

impl EndpointError {
    /// What it means.
    #[must_use]
    pub fn kind(&self) -> EndpointErrorKind {
        self.kind
    }

    /// The server's word for it, such as `BAD_REFRESH_TOKEN`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the server asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same call may succeed later with nothing changed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use EndpointErrorKind as Kind;
        matches!(self.kind, Kind::Throttled | Kind::Unavailable | Kind::NoAnswer)
    }

    pub(crate) fn transport(source: TransportError) -> Self {
        let kind = match source.sent() {
            Sent::No => EndpointErrorKind::Unavailable,
            Sent::Perhaps => EndpointErrorKind::NoAnswer,
        };
        Self { source: Some(source), ..Self::bare(kind) }
    }

    pub(crate) fn unreadable(what: &'static str) -> Self {
        Self { message: Some(what.to_owned()), ..Self::bare(EndpointErrorKind::NoAnswer) }
    }

    /// Reads an answer that is no success.
    pub(crate) fn answer(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let said: Said = serde_json::from_slice(body).unwrap_or_default();
        let (kind, code) = classify(status, &said);
        let message = said.error_description.or(said.message).map(|text| plain(&text));
        Self { status: Some(status), code, message, retry_after, ..Self::bare(kind) }
    }

    fn bare(kind: EndpointErrorKind) -> Self {
        Self { kind, status: None, code: None, message: None, retry_after: None, source: None }
    }
}

/// The fields of both error shapes in use: RFC 6749 with HubSpot's older ones beside it, and the general one of its
/// dated APIs. Every field may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    error: Option<String>,
    error_description: Option<String>,
    status: Option<String>,
    message: Option<String>,
    category: Option<String>,
    #[serde(rename = "subCategory")]
    sub_category: Option<String>,
    errors: Vec<SaidDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SaidDetail {
    code: Option<String>,
}

/// Words for a grant that is gone.
const GRANT: &[&str] = &["BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "BAD_HUB", "invalid_grant"];

/// Words for settings of the app that are wrong.
const APP: &[&str] = &[
    "BAD_CLIENT_ID",
    "BAD_CLIENT_SECRET",
    "BAD_REDIRECT_URI",
    "MISMATCH_REDIRECT_URI_AUTH_CODE",
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
];

fn classify(status: u16, said: &Said) -> (EndpointErrorKind, Option<String>) {
    use EndpointErrorKind as Kind;
    let details = said.errors.iter().map(|detail| &detail.code);
    // HubSpot's own word is the more exact one: it says `invalid_grant` for a wrong redirect address as well.
    let words: Vec<&str> = [&said.status, &said.category, &said.sub_category]
        .into_iter()
        .chain(details)
        .chain([&said.error])
        .filter_map(|word| word.as_deref())
        .collect();
    let known = words.iter().find_map(|word| {
        let among = |list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(word));
        let kind = match () {
            () if among(APP) => Kind::AppRefused,
            () if among(GRANT) => Kind::GrantRefused,
            () => return None,
        };
        Some((kind, plain(word)))
    });
    match (status, known) {
        (429, _) => (Kind::Throttled, None),
        // Whatever an answer of this class says, the server was in trouble: no grant ends by it.
        (500.., _) => (Kind::Unavailable, None),
        (400..=499, Some((kind, word))) => (kind, Some(word)),
        (400..=499, None) => (Kind::Refused, words.first().map(|word| plain(word))),
        _ => (Kind::NoAnswer, None),
    }
}

/// A server's text without addresses and without anything long enough to be a token.
fn plain(text: &str) -> String {
    let clean = redact_text(text);
    let short = |word: &str| if word.chars().count() > 40 { "…".to_owned() } else { word.to_owned() };
    clean.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use EndpointErrorKind as Kind;
        f.write_str(match self.kind {
            Kind::GrantRefused => "the authorization server refuses the grant",
            Kind::AppRefused => "the authorization server refuses the app: check client id, client secret, redirect address and scopes",
            Kind::Refused => "the authorization server refuses the request",
            Kind::Throttled => "the authorization server asks for fewer calls",
            Kind::Unavailable => "the authorization server cannot be had",
            Kind::NoAnswer => "the authorization server gave no usable answer",
        })?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status}")?;
            if let Some(code) = &self.code {
                write!(f, ", {code}")?;
            }
            f.write_str(")")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for EndpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_error_shapes_are_understood_and_only_clear_words_end_a_grant() {
        use EndpointErrorKind as Kind;
        for (status, body, kind, code) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"refresh token is invalid, expired or revoked","status":"BAD_REFRESH_TOKEN","message":"x"}"#,
                Kind::GrantRefused,
                Some("BAD_REFRESH_TOKEN"),
            ),
            (400, r#"{"status":"BAD_HUB","message":"x"}"#, Kind::GrantRefused, Some("BAD_HUB")),
            (400, r#"{"error":"invalid_grant"}"#, Kind::GrantRefused, Some("invalid_grant")),
            (
                400,
                r#"{"error":"invalid_grant","status":"MISMATCH_REDIRECT_URI_AUTH_CODE"}"#,
                Kind::AppRefused,
                Some("MISMATCH_REDIRECT_URI_AUTH_CODE"),
            ),
            (
                400,
                r#"{"category":"VALIDATION_ERROR","subCategory":"BAD_REFRESH_TOKEN","correlationId":"1","message":"no"}"#,
                Kind::GrantRefused,
                Some("BAD_REFRESH_TOKEN"),
            ),
            (
                400,
                r#"{"category":"VALIDATION_ERROR","errors":[{"message":"x","code":"BAD_CLIENT_SECRET"}]}"#,
                Kind::AppRefused,
                Some("BAD_CLIENT_SECRET"),
            ),
            (401, r#"{"error":"invalid_client"}"#, Kind::AppRefused, Some("invalid_client")),
            (400, r#"{"status":"BAD_GRANT_TYPE"}"#, Kind::Refused, Some("BAD_GRANT_TYPE")),
            (400, "", Kind::Refused, None),
            (404, "<html>", Kind::Refused, None),
            (429, r#"{"error":"invalid_grant"}"#, Kind::Throttled, None),
            (503, r#"{"error":"invalid_grant"}"#, Kind::Unavailable, None),
            (302, "", Kind::NoAnswer, None),
        ] {
            let error = EndpointError::answer(status, body.as_bytes(), None);
            assert_eq!((error.kind(), error.code()), (kind, code), "{status} {body}");
        }
    }

    #[test]
    fn what_a_server_quotes_is_not_shown() {
        let token = "na1-".repeat(20);
        let body = format!(r#"{{"status":"{token}","message":"token {token} of ann@example.com is bad"}}"#);
        let error = EndpointError::answer(400, body.as_bytes(), None);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("na1-na1") && !shown.contains("ann@"), "{shown}");
    }
}
