//! What an answer means: success, or which failure. Pure.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_transport::{Meaning, redact_text, retry_after};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::description::{ErrorRule, Errors, Means, WaitForm};
use super::pointer::scalar;

/// How long "not now" waits where nobody says.
const NOT_NOW: Duration = Duration::from_secs(2);

/// An answer that was understood.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    /// The body; null where there is none.
    pub(super) json: Json,
}

/// An answer that is a failure. Holds no value: the reason is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) kind: RefusedKind,
    /// The API's own words, if it has any.
    pub(super) reason: Option<String>,
    /// How long it asks to wait.
    pub(super) wait: Option<Duration>,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedKind {
    /// As HTTP has it.
    Http(Meaning),
    /// There is no such record.
    Gone,
    /// The record is not as it was.
    Moved,
    /// An address elsewhere.
    Redirect,
    /// A success whose body is no JSON.
    Unreadable,
}

impl RefusedKind {
    /// The meaning by which repeating is decided.
    pub(super) fn meaning(self) -> Meaning {
        match self {
            RefusedKind::Http(meaning) => meaning,
            // A proxy's page in place of the API's answer may be gone the next time.
            RefusedKind::Unreadable => Meaning::Broken,
            RefusedKind::Gone | RefusedKind::Moved | RefusedKind::Redirect => Meaning::Refused,
        }
    }
}

/// Reads an answer by the description's rules first, then by HTTP's own.
pub(super) fn understand(
    response: Response<Bytes>,
    errors: &Errors,
    now: Timestamp,
) -> Result<Answer, Refused> {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let json = if body.iter().all(u8::is_ascii_whitespace) {
        Some(Json::Null)
    } else {
        serde_json::from_slice::<Json>(&body).ok()
    };
    let rule = errors.rules.iter().find(|rule| fits(rule, status, json.as_ref()));
    let kind = match rule.map(|rule| rule.means) {
        Some(Means::Ok) => None,
        Some(Means::Refused) => Some(RefusedKind::Http(Meaning::Refused)),
        Some(Means::Unauthorized) => Some(RefusedKind::Http(Meaning::Unauthorized)),
        Some(Means::Throttled) => Some(RefusedKind::Http(Meaning::Throttled)),
        Some(Means::NotNow) => Some(RefusedKind::Http(Meaning::NotNow(NOT_NOW))),
        Some(Means::Broken) => Some(RefusedKind::Http(Meaning::Broken)),
        Some(Means::Gone) => Some(RefusedKind::Gone),
        Some(Means::Moved) => Some(RefusedKind::Moved),
        None => match status {
            200..300 => None,
            300..400 => Some(RefusedKind::Redirect),
            404 | 410 => Some(RefusedKind::Gone),
            412 => Some(RefusedKind::Moved),
            _ => Some(RefusedKind::Http(Meaning::of(parts.status))),
        },
    };
    let kind = match (kind, &json) {
        (None, Some(_)) => None,
        (None, None) => Some(RefusedKind::Unreadable),
        (kind, _) => kind,
    };
    let Some(kind) = kind else {
        return Ok(Answer { headers: parts.headers, json: json.unwrap_or(Json::Null) });
    };
    let said = errors.message.as_ref().zip(json.as_ref()).and_then(|(at, json)| at.text(json));
    Err(Refused {
        status,
        kind,
        reason: said.map(|reason| redact_text(&reason)),
        wait: wait(&parts.headers, errors, now),
    })
}

fn fits(rule: &ErrorRule, status: u16, json: Option<&Json>) -> bool {
    if !rule.statuses.is_empty() && !rule.statuses.contains(&status) {
        return false;
    }
    let Some((at, equals)) = &rule.at else { return true };
    match (json.and_then(|json| at.get(json)), equals) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(found), Some(equals)) => scalar(found).is_some_and(|found| found == *equals),
    }
}

fn wait(headers: &HeaderMap, errors: &Errors, now: Timestamp) -> Option<Duration> {
    if let Some(wait) = retry_after(headers, now) {
        return Some(wait);
    }
    let (name, form) = errors.wait.as_ref()?;
    let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    let seconds = match form {
        WaitForm::Seconds => number,
        WaitForm::Millis => number / 1_000.0,
        WaitForm::Epoch => number - now.as_duration().as_secs_f64(),
    };
    Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).ok()
}
