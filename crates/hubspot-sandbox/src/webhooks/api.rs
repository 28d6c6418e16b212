//! Settings and subscriptions of an app, as its developer manages them.

use std::collections::BTreeMap;

use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::events::{NAMED, NOT_OFFERED};
use super::{App, Settings, Subscription, WebhookApp, WebhookSignature};
use crate::auth;
use crate::context::{Answer, Ctx, Inputs};
use crate::error::ApiError;
use crate::router::{Operation, Route};
use crate::state::State;
use crate::time::iso;

/// HubSpot docs: limits of apps.
const SUBSCRIPTIONS_MAX: usize = 1_000;

/// The app that the path names, if the request may manage it: by the app's developer key as `hapikey`, or by a
/// credential of the app.
pub(crate) fn authenticate<B>(
    state: &State,
    request: &Request<B>,
    ctx: &Ctx<'_>,
    app_id: &str,
) -> Result<u64, ApiError> {
    let app_id: u64 = app_id.parse().map_err(|_| ApiError::not_found("resource not found"))?;
    let by_key = match ctx.query("hapikey") {
        Some(key) => {
            let app = state.webhooks.apps.get(&app_id);
            Some(app.is_some_and(|app| app.app.developer_key.as_deref() == Some(key)))
        }
        None => None,
    };
    let allowed = match by_key {
        Some(allowed) => allowed,
        None => auth::authenticate(state, ctx.now, request.headers())?.app_id == app_id,
    };
    if !allowed {
        return Err(ApiError::new(403, "BANNED", "This credential may not manage the webhooks of this app."));
    }
    Ok(app_id)
}

pub(crate) fn answer(
    state: &mut State,
    ctx: &Ctx<'_>,
    route: &Route,
    app_id: u64,
) -> Result<Answer, ApiError> {
    let id = route.args.get(1).map_or("", String::as_str);
    adopt(state, app_id);
    let app =
        state.webhooks.apps.get_mut(&app_id).ok_or_else(|| ApiError::not_found("resource not found"))?;
    match route.operation {
        Operation::WebhookSettingsGet => match &app.settings {
            Some(settings) => Ok(Answer::json(200, &settings_json(settings))),
            None => Err(ApiError::not_found("The app has no webhook settings")),
        },
        Operation::WebhookSettingsPut => set_settings(app, ctx),
        Operation::WebhookSettingsDelete => {
            app.settings = None;
            Ok(Answer::no_content())
        }
        Operation::WebhookList => {
            let results: Vec<Value> = app.subscriptions.iter().map(|(id, one)| to_json(*id, one)).collect();
            Ok(Answer::json(200, &json!({ "results": results })))
        }
        Operation::WebhookCreate => create(state, ctx, app_id),
        Operation::WebhookBatchUpdate => batch_update(app, ctx),
        Operation::WebhookGet => {
            let (id, found) = find(app, id)?;
            Ok(Answer::json(200, &to_json(id, found)))
        }
        Operation::WebhookUpdate => {
            let input: ActiveInput = ctx.json()?;
            let (id, found) = find(app, id)?;
            set_active(found, input.active, ctx);
            Ok(Answer::json(200, &to_json(id, found)))
        }
        Operation::WebhookDelete => {
            let (id, _) = find(app, id)?;
            app.subscriptions.remove(&id);
            Ok(Answer::no_content())
        }
        _ => Err(ApiError::not_found("resource not found")),
    }
}

/// An app that can be installed through OAuth may have webhooks too, signed with its client secret.
fn adopt(state: &mut State, app_id: u64) {
    let State { config, webhooks, .. } = state;
    if let Some(app) = config.apps.iter().find(|app| app.app_id == app_id) {
        webhooks.apps.entry(app_id).or_insert_with(|| App {
            app: WebhookApp {
                app_id,
                client_secret: app.client_secret.clone(),
                developer_key: None,
                signature: WebhookSignature::default(),
            },
            settings: None,
            subscriptions: BTreeMap::new(),
        });
    }
}

fn find<'a>(app: &'a mut App, id: &str) -> Result<(u64, &'a mut Subscription), ApiError> {
    let missing = || ApiError::not_found(format!("No subscription with id {id}"));
    let id: u64 = id.parse().map_err(|_| missing())?;
    app.subscriptions.get_mut(&id).map(|found| (id, found)).ok_or_else(missing)
}

fn set_active(subscription: &mut Subscription, active: bool, ctx: &Ctx<'_>) {
    subscription.active = active;
    subscription.updated_at = ctx.now;
}

#[derive(Deserialize)]
struct ActiveInput {
    active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingsInput {
    target_url: String,
    throttling: Throttling,
}

/// `period` existed in v3 and is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    max_concurrent_requests: u32,
}

/// HubSpot takes up to five minutes to heed a change; here it holds at once.
fn set_settings(app: &mut App, ctx: &Ctx<'_>) -> Result<Answer, ApiError> {
    let input: SettingsInput = ctx.json()?;
    let uri: http::Uri =
        input.target_url.parse().map_err(|_| ApiError::validation("targetUrl is not a valid URL"))?;
    // HubSpot wants https. A receiver on this machine is what a sandbox is for.
    let local = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme_ok = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && local);
    if !scheme_ok || uri.host().is_none_or(str::is_empty) {
        return Err(ApiError::validation("targetUrl must be an https URL"));
    }
    // HubSpot docs: the number must exceed 5.
    if input.throttling.max_concurrent_requests <= 5 {
        return Err(ApiError::validation("maxConcurrentRequests must be greater than 5"));
    }
    let created_at = app.settings.as_ref().map_or(ctx.now, |settings| settings.created_at);
    let settings = Settings {
        target_url: input.target_url,
        concurrent_max: input.throttling.max_concurrent_requests,
        created_at,
        updated_at: ctx.now,
    };
    let answer = Answer::json(200, &settings_json(&settings));
    app.settings = Some(settings);
    Ok(answer)
}

fn settings_json(settings: &Settings) -> Value {
    json!({
        "targetUrl": settings.target_url,
        "throttling": {"maxConcurrentRequests": settings.concurrent_max},
        "createdAt": iso(settings.created_at),
        "updatedAt": iso(settings.updated_at),
    })
}

fn to_json(id: u64, one: &Subscription) -> Value {
    let mut json = json!({
        "id": id.to_string(),
        "eventType": one.event_type,
        "active": one.active,
        "createdAt": iso(one.created_at),
        "updatedAt": iso(one.updated_at),
    });
    for (name, value) in [("propertyName", &one.property_name), ("objectTypeId", &one.object_type_id)] {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    json
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInput {
    event_type: String,
    #[serde(default)]
    property_name: Option<String>,
    #[serde(default)]
    object_type_id: Option<String>,
    // Wanted by the specification, heeded by nobody: new subscriptions start paused (HubSpot docs: webhooks).
    #[serde(rename = "active")]
    _active: bool,
}

fn create(state: &mut State, ctx: &Ctx<'_>, app_id: u64) -> Result<Answer, ApiError> {
    let input: CreateInput = ctx.json()?;
    if !is_known(&input.event_type) {
        return Err(ApiError::validation(format!("{} is not a valid eventType", input.event_type)));
    }
    let property_change = input.event_type.ends_with(".propertyChange");
    if property_change != input.property_name.is_some() {
        return Err(ApiError::validation(
            "propertyName is required with propertyChange, and with nothing else",
        ));
    }
    if input.property_name.as_deref().is_some_and(|name| NOT_OFFERED.contains(&name)) {
        return Err(ApiError::validation("Subscriptions to this property are not supported"));
    }
    let generic = input.event_type.starts_with("object.");
    if generic && input.object_type_id.as_deref().is_none_or(|id| state.find_type(id).is_err()) {
        return Err(ApiError::validation("objectTypeId must name an object type of the account"));
    }
    let webhooks = &mut state.webhooks;
    let app = webhooks.apps.get_mut(&app_id).ok_or_else(|| ApiError::not_found("resource not found"))?;
    let twin = app.subscriptions.values().any(|one| {
        one.event_type == input.event_type
            && one.property_name == input.property_name
            && one.object_type_id == input.object_type_id
    });
    if twin {
        return Err(ApiError::new(409, "CONFLICT", "The app has this subscription already"));
    }
    if app.subscriptions.len() >= SUBSCRIPTIONS_MAX {
        return Err(ApiError::validation(format!(
            "An app may have at most {SUBSCRIPTIONS_MAX} subscriptions"
        )));
    }
    webhooks.next_subscription += 1;
    let made = Subscription {
        event_type: input.event_type,
        property_name: input.property_name,
        object_type_id: if generic { input.object_type_id } else { None },
        active: false,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    let answer = Answer::json(201, &to_json(webhooks.next_subscription, &made));
    app.subscriptions.insert(webhooks.next_subscription, made);
    Ok(answer)
}

/// HubSpot docs: the table of subscription types.
fn is_known(event_type: &str) -> bool {
    let Some((object, kind)) = event_type.split_once('.') else { return false };
    match (object, kind) {
        ("conversation", "creation" | "deletion" | "privacyDeletion" | "propertyChange" | "newMessage")
        | ("event", "completed")
        | ("contact", "privacyDeletion") => true,
        ("product", "associationChange") => false,
        (object, "creation" | "deletion" | "restore" | "merge" | "propertyChange" | "associationChange") => {
            object == "object" || NAMED.iter().any(|(_, name)| *name == object)
        }
        _ => false,
    }
}

#[derive(Deserialize)]
struct UpdateInput {
    id: u64,
    active: bool,
}

/// An unknown id is an error of its own, beside the results of the others.
fn batch_update(app: &mut App, ctx: &Ctx<'_>) -> Result<Answer, ApiError> {
    let Inputs { inputs } = ctx.json::<Inputs<UpdateInput>>()?;
    let mut results = Vec::new();
    let mut missing = Vec::new();
    for UpdateInput { id, active } in inputs {
        match app.subscriptions.get_mut(&id) {
            Some(found) => {
                set_active(found, active, ctx);
                results.push(to_json(id, found));
            }
            None => missing.push(id.to_string()),
        }
    }
    let at = iso(ctx.now);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if missing.is_empty() {
        return Ok(Answer::json(200, &body));
    }
    let error = ApiError::not_found("No such subscriptions").with("ids", missing);
    body["numErrors"] = json!(1);
    body["errors"] = json!([error.entry()]);
    Ok(Answer::json(207, &body))
}
