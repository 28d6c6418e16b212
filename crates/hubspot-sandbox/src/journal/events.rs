//! What happened, as journal events for each app that subscribed to it.

use serde_json::{Map, Value, json};

use super::subscriptions::Subscription;
use crate::associations::types::LinkKind;
use crate::objects::types::TypeKey;
use crate::state::State;
use crate::time::{Millis, iso};
use crate::webhooks::changes::{Change, What};
use crate::webhooks::hears;

/// Event types of an app's life (HubSpot docs: webhooks journal).
const INSTALLED: &str = "4-1909196";
const UNINSTALLED: &str = "4-1916193";

/// A change as far as it is the same for every subscriber.
struct Told {
    kind: &'static str,
    action: &'static str,
    at: Millis,
    object_type_id: String,
    object_id: u64,
    /// Names and values that were set.
    set: Map<String, Value>,
    /// The type at the other end.
    other: Option<String>,
    fields: Map<String, Value>,
}

/// Events with the apps that they are for, in order.
pub(super) fn of(state: &State, changes: &[Change]) -> Vec<(u64, Value)> {
    let mut events = Vec::new();
    for told in tell(state, changes) {
        for (app_id, journal) in state.journals.apps.iter().filter(|(id, _)| hears(state, **id)) {
            let matching: Vec<&Subscription> =
                journal.subscriptions.values().filter(|one| matches(one, &told)).collect();
            if !matching.is_empty() {
                events.push((*app_id, to_json(state, &told, &matching)));
            }
        }
    }
    events
}

fn matches(subscription: &Subscription, told: &Told) -> bool {
    let wanted = |list: &Option<Vec<String>>, name: &String| {
        list.as_ref().is_none_or(|list| list.is_empty() || list.contains(name))
    };
    let property_wanted =
        told.action != "UPDATE" || told.set.keys().any(|name| wanted(&subscription.properties, name));
    subscription.subscription_type == told.kind
        && subscription.actions.iter().any(|action| action == told.action)
        && subscription.object_type_id.as_deref() == Some(&*told.object_type_id)
        && subscription.object_ids.as_ref().is_none_or(|ids| ids.is_empty() || ids.contains(&told.object_id))
        && told.other.as_ref().is_none_or(|other| wanted(&subscription.associated_object_type_ids, other))
        && property_wanted
}

/// One event for an app, however many of its subscriptions match, with the properties that any of them wants.
fn to_json(state: &State, told: &Told, matching: &[&Subscription]) -> Value {
    let mut event = Map::new();
    event.insert("type".to_owned(), json!(told.kind));
    event.insert("portalId".to_owned(), json!(state.config.portal_id));
    event.insert("occurredAt".to_owned(), json!(iso(told.at)));
    event.insert("action".to_owned(), json!(told.action));
    event.insert("objectTypeId".to_owned(), json!(told.object_type_id));
    event.insert("objectId".to_owned(), json!(told.object_id));
    if !told.set.is_empty() {
        let wanted = |name: &String| {
            matching
                .iter()
                .any(|one| one.properties.as_ref().is_none_or(|list| list.is_empty() || list.contains(name)))
        };
        let set: Map<String, Value> = told
            .set
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        event.insert("propertyChanges".to_owned(), Value::Object(set));
    }
    event.extend(told.fields.clone());
    Value::Object(event)
}

/// Values that one call sets on a record are one event, and those of a new record stand with its creation.
fn tell(state: &State, changes: &[Change]) -> Vec<Told> {
    let mut list: Vec<Told> = Vec::new();
    for change in changes {
        let about = |key: TypeKey, id: u64, kind, action| Told {
            kind,
            action,
            at: change.at,
            object_type_id: state.ty(key).id.clone(),
            object_id: id,
            set: Map::new(),
            other: None,
            fields: Map::new(),
        };
        let told = match &change.what {
            What::Created(key, id) => about(*key, *id, "OBJECT", "CREATE"),
            What::Deleted(key, id) => about(*key, *id, "OBJECT", "DELETE"),
            What::Restored(key, id) => about(*key, *id, "OBJECT", "RESTORE"),
            What::Erased(key, id) => about(*key, *id, "GDPR_PRIVACY_DELETION", "GDPR_DELETE"),
            What::Set(key, id, prop, value) => {
                let ty = state.ty(*key);
                let Some(name) = ty.props.get(*prop).map(|property| property.name.clone()) else { continue };
                let value = json!(&**value);
                let open = list.last_mut().filter(|told| {
                    matches!(told.action, "CREATE" | "UPDATE")
                        && told.object_id == *id
                        && told.object_type_id == ty.id
                });
                if let Some(open) = open {
                    open.set.insert(name, value);
                    continue;
                }
                let mut told = about(*key, *id, "OBJECT", "UPDATE");
                told.set.insert(name, value);
                told
            }
            What::Merged { key, survivor, primary, other, .. } => {
                let mut told = about(*key, *survivor, "OBJECT", "MERGE");
                told.fields.insert("primaryObjectId".to_owned(), json!(primary));
                told.fields.insert("mergedObjectIds".to_owned(), json!([other]));
                told.fields.insert("newObjectId".to_owned(), json!(survivor));
                told
            }
            What::Linked { pair, link, removed } => {
                let action = if *removed { "ASSOCIATION_REMOVED" } else { "ASSOCIATION_ADDED" };
                let mut told = about(pair.from.0, pair.from.1, "ASSOCIATION", action);
                let other = state.ty(pair.to.0).id.clone();
                let kind = state.link_types.get(*link).map(|link| link.kind);
                let primary = matches!(kind, Some(LinkKind::Primary | LinkKind::PrimaryReverse));
                for (name, value) in [
                    ("fromObjectId", json!(pair.from.1)),
                    ("toObjectId", json!(pair.to.1)),
                    ("fromObjectTypeId", json!(told.object_type_id)),
                    ("toObjectTypeId", json!(other)),
                    ("associationTypeId", json!(link.type_id)),
                    ("associationCategory", json!(link.category.name())),
                    ("isPrimary", json!(primary)),
                ] {
                    told.fields.insert(name.to_owned(), value);
                }
                told.other = Some(other);
                told
            }
        };
        list.push(told);
    }
    list
}

/// The event of an app's install or uninstall, if the app subscribed to it.
pub(super) fn lifecycle(state: &State, app_id: u64, installed: bool, at: Millis) -> Option<Value> {
    let event_type = if installed { INSTALLED } else { UNINSTALLED };
    let journal = state.journals.apps.get(&app_id)?;
    let wanted = |one: &Subscription| {
        one.subscription_type == "APP_LIFECYCLE_EVENT" && one.event_type_id.as_deref() == Some(event_type)
    };
    journal.subscriptions.values().any(wanted).then(|| {
        json!({
            "type": "APP_LIFECYCLE_EVENT",
            "portalId": state.config.portal_id,
            "occurredAt": iso(at),
            "action": if installed { "APP_INSTALL" } else { "APP_UNINSTALL" },
            "eventTypeId": event_type,
        })
    })
}
