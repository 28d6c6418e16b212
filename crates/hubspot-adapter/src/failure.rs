//! HubSpot's failures in the engine's words.

use hubspot_client::{Error, ErrorKind, Refusal};
use sync_types::{DestinationError, DestinationErrorKind, RecordId, Rejection};

/// A failure that concerns every further call as well, with what to do about it.
pub(crate) fn destination_error(error: Error) -> DestinationError {
    let (kind, remedy) = match error.kind() {
        ErrorKind::NoToken => {
            (DestinationErrorKind::Unavailable, "no token can be had now: run again later".to_owned())
        }
        ErrorKind::RevokedCredential => (
            DestinationErrorKind::Revoked,
            "the credential is wrong, expired or revoked: make a new one in HubSpot and set it".to_owned(),
        ),
        ErrorKind::MissingScope | ErrorKind::Forbidden => {
            let scopes = error.scopes().join("` or `");
            let remedy = if scopes.is_empty() {
                "the credential lacks a right: grant it in HubSpot".to_owned()
            } else {
                format!("the credential lacks a scope: grant `{scopes}` in HubSpot")
            };
            (DestinationErrorKind::MissingScope, remedy)
        }
        ErrorKind::DailyLimit => (
            DestinationErrorKind::QuotaExhausted,
            "the day's calls are used up: run again after midnight in the portal's time zone".to_owned(),
        ),
        ErrorKind::NotFound => {
            (DestinationErrorKind::NotProvisioned, "the portal lacks something: run `init`".to_owned())
        }
        ErrorKind::Unreachable | ErrorKind::NoAnswer | ErrorKind::Server | ErrorKind::CircuitOpen => {
            (DestinationErrorKind::Unavailable, "HubSpot cannot be reached now: run again later".to_owned())
        }
        ErrorKind::RateLimited | ErrorKind::Locked | ErrorKind::Migrating => {
            (DestinationErrorKind::Unavailable, "HubSpot asks to wait: run again later".to_owned())
        }
        _ => (DestinationErrorKind::Protocol, "HubSpot refused the whole call".to_owned()),
    };
    let correlation = error.correlation_id().map_or_else(String::new, |id| format!(" (correlation id {id})"));
    let message = format!("{}: {}; {remedy}{correlation}", error.operation(), error.message());
    DestinationError::new(kind, message).caused_by(error)
}

/// A row's refusal.
pub(crate) fn rejection(refusal: &Refusal, correlation: Option<&str>) -> Rejection {
    let detail = refusal.details.first();
    let code = match detail.and_then(|detail| detail.code.as_deref()) {
        _ if refusal.kind == ErrorKind::Duplicate || refusal.holder.is_some() => {
            "unique-value-taken".to_owned()
        }
        Some("PROPERTY_DOESNT_EXIST") => "unknown-property".to_owned(),
        Some("INVALID_OPTION") => "invalid-option".to_owned(),
        Some("READ_ONLY_VALUE") => "read-only".to_owned(),
        Some("INVALID_EMAIL") => "invalid-email".to_owned(),
        Some("MISSING_REQUIRED_PROPERTY" | "MISSING_CONDITIONAL_REQUIRED_PROPERTY") => {
            "missing-required".to_owned()
        }
        Some(other) => other.to_ascii_lowercase().replace('_', "-"),
        None => match refusal.kind {
            ErrorKind::NotFound => "not-found".to_owned(),
            ErrorKind::LimitReached => "limit-reached".to_owned(),
            _ => "refused".to_owned(),
        },
    };
    Rejection {
        code,
        property: detail.and_then(|detail| detail.property.clone()),
        reason: detail.map_or(&refusal.message, |detail| &detail.message).clone(),
        holder: refusal.holder.as_ref().map(|holder| RecordId::from(holder.as_str())),
        correlation: correlation.map(ToOwned::to_owned),
    }
}
