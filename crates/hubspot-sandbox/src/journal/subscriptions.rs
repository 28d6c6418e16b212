//! Journal subscriptions: what an app wants to find in its journal, portal by portal.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Journal;
use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::state::State;
use crate::time::{Millis, iso};
use crate::webhooks::hears;

/// One subscription, with the fields of every type.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) subscription_type: String,
    #[serde(default)]
    pub(super) portal_id: Option<u64>,
    #[serde(default)]
    pub(super) object_type_id: Option<String>,
    #[serde(default)]
    pub(super) actions: Vec<String>,
    #[serde(default)]
    pub(super) properties: Option<Vec<String>>,
    #[serde(default)]
    pub(super) object_ids: Option<Vec<u64>>,
    #[serde(default)]
    pub(super) associated_object_type_ids: Option<Vec<String>>,
    #[serde(default)]
    pub(super) list_ids: Option<Vec<u64>>,
    #[serde(default)]
    pub(super) event_type_id: Option<String>,
    #[serde(default)]
    created_at: Millis,
}

/// Subscription types with the actions that each may have (HubSpot docs: webhooks journal).
const TYPES: [(&str, &[&str]); 5] = [
    ("OBJECT", &["CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"]),
    ("ASSOCIATION", &["ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"]),
    ("LIST_MEMBERSHIP", &["ADDED_TO_LIST", "REMOVED_FROM_LIST"]),
    ("GDPR_PRIVACY_DELETION", &["GDPR_DELETE"]),
    ("APP_LIFECYCLE_EVENT", &[]),
];

impl Subscription {
    fn check(&self, state: &State, app_id: u64) -> Result<(), ApiError> {
        let Some((_, actions)) = TYPES.iter().find(|(name, _)| *name == self.subscription_type) else {
            return Err(ApiError::validation(format!(
                "{} is not a subscriptionType",
                self.subscription_type
            )));
        };
        if let Some(action) = self.actions.iter().find(|action| !actions.contains(&action.as_str())) {
            return Err(ApiError::validation(format!(
                "{action} is not an action of {}",
                self.subscription_type
            )));
        }
        if self.subscription_type == "APP_LIFECYCLE_EVENT" {
            return match &self.event_type_id {
                Some(_) => Ok(()),
                None => Err(ApiError::validation("eventTypeId is required")),
            };
        }
        if self.actions.is_empty() {
            return Err(ApiError::validation("actions must not be empty"));
        }
        if self.portal_id != Some(state.config.portal_id) || !hears(state, app_id) {
            return Err(ApiError::validation("portalId must name an account that installed the app"));
        }
        let needs_type = self.subscription_type != "LIST_MEMBERSHIP";
        if needs_type && self.object_type_id.as_deref().is_none_or(|id| state.find_type(id).is_err()) {
            return Err(ApiError::validation("objectTypeId must name an object type of the account"));
        }
        Ok(())
    }

    fn to_json(&self, app_id: u64, id: u64) -> Value {
        let mut json = Map::new();
        json.insert("id".to_owned(), json!(id));
        json.insert("appId".to_owned(), json!(app_id));
        if let Ok(Value::Object(fields)) = serde_json::to_value(self) {
            json.extend(fields);
        }
        let at = iso(self.created_at);
        json.insert("createdAt".to_owned(), json!(at));
        json.insert("updatedAt".to_owned(), json!(at));
        Value::Object(json)
    }
}

pub(super) fn create(state: &mut State, ctx: &Ctx<'_>, app_id: u64) -> Result<Answer, ApiError> {
    let input: Subscription = ctx.json()?;
    input.check(state, app_id)?;
    let journals = &mut state.journals;
    journals.next_subscription += 1;
    let id = journals.next_subscription;
    let made = Subscription { created_at: ctx.now, ..input };
    let answer = Answer::json(201, &made.to_json(app_id, id));
    journals.apps.entry(app_id).or_default().subscriptions.insert(id, made);
    Ok(answer)
}

pub(super) fn list(journal: Option<&Journal>, app_id: u64) -> Answer {
    let all = journal.into_iter().flat_map(|journal| &journal.subscriptions);
    let results: Vec<Value> = all.map(|(id, one)| one.to_json(app_id, *id)).collect();
    Answer::json(200, &json!({ "results": results }))
}

pub(super) fn get(journal: Option<&Journal>, app_id: u64, id: &str) -> Result<Answer, ApiError> {
    let found = id.parse().ok().and_then(|id: u64| Some((id, journal?.subscriptions.get(&id)?)));
    let (id, found) = found.ok_or_else(|| ApiError::not_found("No such subscription"))?;
    Ok(Answer::json(200, &found.to_json(app_id, id)))
}

pub(super) fn delete(journal: Option<&mut Journal>, id: &str) -> Result<Answer, ApiError> {
    let removed = id.parse().ok().and_then(|id: u64| journal?.subscriptions.remove(&id));
    removed.map(|_| Answer::no_content()).ok_or_else(|| ApiError::not_found("No such subscription"))
}

/// No error when the portal has none.
pub(super) fn delete_portal(journal: Option<&mut Journal>, portal: &str) -> Answer {
    if let (Some(journal), Ok(portal)) = (journal, portal.parse::<u64>()) {
        journal.subscriptions.retain(|_, one| one.portal_id != Some(portal));
    }
    Answer::no_content()
}
