//! The control API over HTTP, under `/_sandbox`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::{Credential, OwnerSeed, Scopes};
use crate::control::ControlError;
use crate::faults::{Fault, FaultError};
use crate::journal::JournalTiming;
use crate::oauth::OAuthApp;
use crate::objects::types::AdminRule;
use crate::portal::Portal;
use crate::reply::{Delivery, Reply};
use crate::router::{percent_decode, query_pairs};
use crate::webhooks::{WebhookApp, WebhookFaults};

/// Records on one page when nobody says how many.
const PAGE: usize = 100;

enum Refusal {
    NotFound(String),
    Invalid(String),
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Refusal {
        match error {
            ControlError::Refused(_) => Refusal::Invalid(error.to_string()),
            ControlError::UnknownType(_) | ControlError::UnknownRecord { .. } => {
                Refusal::NotFound(error.to_string())
            }
        }
    }
}

impl From<FaultError> for Refusal {
    fn from(error: FaultError) -> Refusal {
        Refusal::Invalid(error.to_string())
    }
}

/// Absolute time or offset of the portal's clock.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockInput {
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(default)]
    offset_ms: Option<i64>,
    #[serde(default)]
    advance_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenInput {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopesInput {
    token: String,
    /// Absent means every scope.
    #[serde(default)]
    scopes: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    closed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareInput {
    share: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MsInput {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PropertiesInput {
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesInput {
    rules: Vec<AdminRule>,
}

pub(crate) fn handle(portal: &mut Portal, now: Timestamp, request: &Request<Bytes>) -> Reply {
    let path = request.uri().path().to_owned();
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .skip(1)
        .map(|segment| percent_decode(segment).into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let response = match answer(portal, now, request, &segments) {
        Ok(value) => response(StatusCode::OK, &value),
        Err(Refusal::NotFound(message)) => response(StatusCode::NOT_FOUND, &json!({"message": message})),
        Err(Refusal::Invalid(message)) => response(StatusCode::BAD_REQUEST, &json!({"message": message})),
    };
    Reply { response, delay: Duration::ZERO, delivery: Delivery::Whole }
}

fn response(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json;charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    serde_json::from_slice(request.body()).map_err(|error| Refusal::Invalid(format!("invalid body: {error}")))
}

fn found(found: bool, what: &str) -> Result<Value, Refusal> {
    if found { Ok(json!({})) } else { Err(Refusal::NotFound(format!("no such {what}"))) }
}

fn id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::Invalid(format!("`{text}` is not a number")))
}

fn answer(
    portal: &mut Portal,
    now: Timestamp,
    request: &Request<Bytes>,
    segments: &[&str],
) -> Result<Value, Refusal> {
    match (request.method(), segments) {
        (&Method::GET, ["clock"]) => Ok(json!({"now": now, "offsetMs": offset_ms(portal)})),
        (&Method::POST, ["clock"]) => set_clock(portal, now, &body(request)?),
        (&Method::GET, ["faults"]) => {
            let list: Vec<Value> =
                portal.faults().map(|(id, fault)| json!({"id": id, "fault": fault})).collect();
            Ok(json!({"results": list}))
        }
        (&Method::POST, ["faults"]) => Ok(json!({"id": portal.inject(body::<Fault>(request)?)?})),
        (&Method::DELETE, ["faults"]) => {
            portal.clear_faults();
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", number]) => found(portal.remove_fault(id(number)?), "fault"),
        (&Method::GET, ["requests"]) => Ok(json!({"results": portal.requests().collect::<Vec<_>>()})),
        (&Method::DELETE, ["requests"]) => {
            portal.clear_requests();
            Ok(json!({}))
        }
        (&Method::GET, ["stats"]) => Ok(json!(portal.stats())),
        (&Method::DELETE, ["stats"]) => {
            portal.clear_stats();
            Ok(json!({}))
        }
        (&Method::PUT, ["burst-share"]) => {
            portal.set_burst_share(body::<ShareInput>(request)?.share);
            Ok(json!({}))
        }
        (&Method::PUT, ["search-lag"]) => {
            portal.set_search_lag(Duration::from_millis(body::<MsInput>(request)?.ms));
            Ok(json!({}))
        }
        (&Method::PUT, ["latency"]) => {
            portal.set_latency(Duration::from_millis(body::<MsInput>(request)?.ms));
            Ok(json!({}))
        }
        (&Method::POST, ["webhook-apps"]) => {
            portal.set_webhook_app(body::<WebhookApp>(request)?);
            Ok(json!({}))
        }
        (&Method::PUT, ["webhook-faults"]) => {
            portal.set_webhook_faults(body::<WebhookFaults>(request)?);
            Ok(json!({}))
        }
        (&Method::GET, ["webhook-stats"]) => Ok(json!(portal.webhook_stats())),
        (&Method::PUT, ["journal-timing"]) => {
            portal.set_journal_timing(body::<JournalTiming>(request)?);
            Ok(json!({}))
        }
        (&Method::POST, ["credentials"]) => {
            portal.add_credential(body::<Credential>(request)?);
            Ok(json!({}))
        }
        (&Method::POST, ["credentials", "revoke"]) => {
            found(portal.revoke_credential(&body::<TokenInput>(request)?.token), "credential")
        }
        (&Method::PUT, ["credentials", "scopes"]) => {
            let input: ScopesInput = body(request)?;
            let scopes = input.scopes.map_or(Scopes::All, Scopes::Some);
            found(portal.set_scopes(&input.token, scopes), "credential")
        }
        (&Method::PUT, ["account"]) => {
            portal.close_account(body::<AccountInput>(request)?.closed);
            Ok(json!({}))
        }
        (&Method::POST, ["owners"]) => Ok(json!({"id": portal.add_owner(now, body::<OwnerSeed>(request)?)})),
        (&Method::DELETE, ["owners", number]) => found(portal.archive_owner(now, id(number)?), "owner"),
        (&Method::PUT, ["rules", object_type]) => {
            portal.set_admin_rules(object_type, body::<RulesInput>(request)?.rules)?;
            Ok(json!({}))
        }
        (&Method::GET, ["types"]) => Ok(json!({"results": portal.object_types()})),
        (_, ["apps", rest @ ..]) => apps(portal, now, request, rest),
        (_, ["records", rest @ ..]) => records(portal, now, request, rest),
        (&Method::GET, ["snapshot"]) => serde_json::from_slice(&portal.snapshot())
            .map_err(|error| Refusal::Invalid(format!("the snapshot is not JSON: {error}"))),
        (method, _) => Err(Refusal::NotFound(format!(
            "the control API has no {method} /_sandbox/{}",
            segments.join("/")
        ))),
    }
}

fn apps(
    portal: &mut Portal,
    now: Timestamp,
    request: &Request<Bytes>,
    segments: &[&str],
) -> Result<Value, Refusal> {
    match (request.method(), segments) {
        (&Method::POST, []) => {
            portal.add_app(body::<OAuthApp>(request)?);
            Ok(json!({}))
        }
        (&Method::POST, [number, "uninstall"]) => found(portal.uninstall_app(id(number)?), "installed app"),
        (&Method::POST, [number, "expire"]) => {
            Ok(json!({"expired": portal.expire_access_tokens(now, id(number)?)}))
        }
        (method, _) => Err(Refusal::NotFound(format!("the control API has no {method} of such apps"))),
    }
}

fn records(
    portal: &mut Portal,
    now: Timestamp,
    request: &Request<Bytes>,
    segments: &[&str],
) -> Result<Value, Refusal> {
    match (request.method(), segments) {
        (&Method::GET, [object_type]) => {
            let query = query_pairs(request.uri().query());
            let number = |name: &str| {
                query.iter().find(|(key, _)| key == name).map(|(_, value)| id(value)).transpose()
            };
            let limit = number("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
            Ok(json!(portal.records(object_type, number("from")?.unwrap_or(0), limit)?))
        }
        (&Method::POST, [object_type]) => {
            let input: PropertiesInput = body(request)?;
            let made = portal.create_as_user(now, object_type, pairs(&input.properties))?;
            Ok(json!({"id": made}))
        }
        (&Method::GET, [object_type, number]) => {
            let record = portal.record(object_type, id(number)?)?;
            record.map(|record| json!(record)).ok_or_else(|| Refusal::NotFound("no such record".to_owned()))
        }
        (&Method::PATCH, [object_type, number]) => {
            let input: PropertiesInput = body(request)?;
            portal.edit_as_user(now, object_type, id(number)?, pairs(&input.properties))?;
            Ok(json!({}))
        }
        (&Method::DELETE, [object_type, number]) => {
            found(portal.archive_record(now, object_type, id(number)?)?, "live record")
        }
        (&Method::POST, [object_type, number, "restore"]) => {
            found(portal.restore_record(now, object_type, id(number)?)?, "record in the bin")
        }
        (&Method::GET, [object_type, number, "history", property]) => {
            Ok(json!({"results": portal.history(object_type, id(number)?, property)?}))
        }
        (method, _) => Err(Refusal::NotFound(format!("the control API has no {method} of such records"))),
    }
}

fn pairs(properties: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    properties.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn offset_ms(portal: &Portal) -> i64 {
    i64::try_from(portal.clock_offset().as_millis()).unwrap_or(0)
}

/// `now` is portal time, so the wall clock is what remains without the offset.
fn set_clock(portal: &mut Portal, now: Timestamp, input: &ClockInput) -> Result<Value, Refusal> {
    let current = portal.clock_offset();
    let too_far = || Refusal::Invalid("the clock cannot be set that far".to_owned());
    let offset = match (input.now, input.offset_ms, input.advance_ms) {
        (Some(wanted), None, None) => current.checked_add(wanted.duration_since(now)).ok_or_else(too_far)?,
        (None, Some(ms), None) => SignedDuration::from_millis(ms),
        (None, None, Some(ms)) => current.checked_add(SignedDuration::from_millis(ms)).ok_or_else(too_far)?,
        _ => return Err(Refusal::Invalid("give one of now, offsetMs and advanceMs".to_owned())),
    };
    let moved = offset.checked_sub(current).ok_or_else(too_far)?;
    let shown = now.checked_add(moved).map_err(|_| too_far())?;
    portal.set_clock_offset(offset);
    Ok(json!({"now": shown, "offsetMs": offset_ms(portal)}))
}
