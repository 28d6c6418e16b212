//! Account details, daily usage, token information, object enablement.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::{CredentialKind, LimitTable, Scopes};
use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::router::Version;
use crate::state::State;
use crate::time::iso;

pub(crate) fn details(state: &State, ctx: &Ctx<'_>, now: Timestamp) -> Answer {
    let config = &state.config;
    let offset = now.to_zoned(config.time_zone.clone()).offset().seconds();
    let mut body = json!({
        "portalId": config.portal_id,
        "accountType": config.account_type,
        "timeZone": config.time_zone.iana_name().unwrap_or("UTC"),
        "companyCurrency": config.currency,
        "additionalCurrencies": [],
        "utcOffset": offset_text(offset),
        "utcOffsetMilliseconds": i64::from(offset) * 1000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    });
    if ctx.version == Version::V2026_09
        && let Some(body) = body.as_object_mut()
    {
        body.insert("portalName".to_owned(), Value::from("Sandbox portal"));
        body.insert("createdAt".to_owned(), Value::from(0));
    }
    Answer::json(200, &body)
}

/// `+01:00`.
fn offset_text(seconds: i32) -> String {
    let minutes = seconds.abs() / 60;
    format!("{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

/// Counts the calls of private apps. Observed live: service keys are not shown.
pub(crate) fn daily_usage(state: &State, ctx: &Ctx<'_>, now: Timestamp, calls_today: u32) -> Answer {
    let zone = state.config.time_zone.clone();
    let tomorrow = now.to_zoned(zone).tomorrow().and_then(|day| day.start_of_day());
    let resets_at = tomorrow.map_or(ctx.now, |at| at.timestamp().as_millisecond());
    let limit = LimitTable::by_tier(state.config.tier, CredentialKind::PrivateApp).daily;
    Answer::json(
        200,
        &json!({"results": [{
            "name": "private-apps-api-calls-daily",
            "usageLimit": limit,
            "currentUsage": calls_today,
            "collectedAt": iso(ctx.now),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(resets_at),
        }]}),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenInput {
    token_key: String,
}

pub(crate) fn token_info(state: &State, ctx: &Ctx<'_>) -> Result<Answer, ApiError> {
    let input: TokenInput = ctx.json()?;
    let found = state
        .config
        .credentials
        .iter()
        .find(|credential| credential.token == input.token_key && !credential.revoked);
    let credential = found.ok_or_else(|| ApiError::not_found("The token does not exist"))?;
    let scopes: Vec<&str> = match &credential.scopes {
        Scopes::All => vec!["oauth"],
        Scopes::Some(scopes) => scopes.iter().map(String::as_str).collect(),
    };
    Ok(Answer::json(
        200,
        &json!({
            "userId": 9_200_001,
            "hubId": state.config.portal_id,
            "appId": credential.app_id,
            "scopes": scopes,
        }),
    ))
}

pub(crate) fn enablement(state: &State, type_id: Option<&str>) -> Result<Answer, ApiError> {
    match type_id {
        Some(id) => {
            let key = state.find_type(id)?;
            Ok(Answer::json(200, &json!({"enablement": state.ty(key).is_active()})))
        }
        None => {
            let all: Map<String, Value> =
                state.types.iter().map(|ty| (ty.id.clone(), Value::from(ty.is_active()))).collect();
            Ok(Answer::json(200, &json!({"enablementByObjectTypeId": all})))
        }
    }
}
