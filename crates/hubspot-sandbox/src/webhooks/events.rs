//! What happened, as push events for each app that subscribed to it.

use serde_json::{Map, Value, json};

use super::changes::{Change, What};
use super::{App, Subscription, delivery, hears};
use crate::associations::types::LinkKind;
use crate::objects::types::TypeKey;
use crate::state::State;
use crate::time::Millis;

/// Types with subscriptions of their own name (HubSpot docs: webhooks); all others are `object`.
pub(super) const NAMED: [(&str, &str); 6] = [
    ("0-1", "contact"),
    ("0-2", "company"),
    ("0-3", "deal"),
    ("0-5", "ticket"),
    ("0-7", "product"),
    ("0-8", "line_item"),
];

/// Properties that push does not offer (HubSpot docs: webhooks).
pub(super) const NOT_OFFERED: [&str; 2] = ["hs_lastmodifieddate", "num_unique_conversion_events"];

/// A change as far as it is the same for every subscriber.
struct Told {
    object_type_id: String,
    /// What comes behind the dot of the subscription type.
    kind: &'static str,
    property: Option<String>,
    fields: Map<String, Value>,
}

/// Puts an event in line for every active subscription that a change matches.
pub(super) fn queue(state: &mut State, changes: &[Change], now: Millis) {
    for change in changes {
        let Some(told) = tell(state, change) else { continue };
        let source = state.sources.get_index(change.source as usize).cloned();
        let portal_id = state.config.portal_id;
        let mut events = Vec::new();
        for (app_id, app) in state.webhooks.apps.iter().filter(|(id, _)| hears(state, **id)) {
            for (id, subscription) in subscribed(app, &told) {
                let mut event = Map::new();
                event.insert("subscriptionId".to_owned(), json!(id));
                event.insert("portalId".to_owned(), json!(portal_id));
                event.insert("appId".to_owned(), json!(app_id));
                event.insert("occurredAt".to_owned(), json!(change.at));
                event.insert("subscriptionType".to_owned(), json!(subscription.event_type));
                if subscription.event_type.starts_with("object.") {
                    event.insert("objectTypeId".to_owned(), json!(told.object_type_id));
                }
                event.extend(told.fields.clone());
                if let Some(source) = &source {
                    event.insert("changeSource".to_owned(), json!(source.kind));
                    if let Some(id) = &source.id {
                        event.insert("sourceId".to_owned(), json!(id));
                    }
                }
                events.push((*app_id, event));
            }
        }
        for (app_id, event) in events {
            delivery::enqueue(&mut state.webhooks, app_id, event, now);
        }
    }
}

fn subscribed<'a>(app: &'a App, told: &'a Told) -> impl Iterator<Item = (&'a u64, &'a Subscription)> {
    let named = NAMED.iter().find(|(id, _)| *id == told.object_type_id).map(|(_, name)| *name);
    app.subscriptions.iter().filter(move |(_, subscription)| {
        let Some((object, kind)) = subscription.event_type.split_once('.') else { return false };
        let same_object = match object {
            "object" => subscription.object_type_id.as_deref() == Some(&*told.object_type_id),
            object => Some(object) == named,
        };
        subscription.active
            && app.settings.is_some()
            && same_object
            && kind == told.kind
            && (kind != "propertyChange" || subscription.property_name == told.property)
    })
}

fn tell(state: &State, change: &Change) -> Option<Told> {
    let about = |key: TypeKey, kind, fields: Value| Told {
        object_type_id: state.ty(key).id.clone(),
        kind,
        property: None,
        fields: match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        },
    };
    Some(match &change.what {
        What::Created(key, id) => about(*key, "creation", json!({"objectId": id, "changeFlag": "CREATED"})),
        What::Deleted(key, id) => about(*key, "deletion", json!({"objectId": id, "changeFlag": "DELETED"})),
        What::Erased(key, id) => about(*key, "privacyDeletion", json!({"objectId": id})),
        What::Restored(key, id) => about(*key, "restore", json!({"objectId": id, "changeFlag": "RESTORED"})),
        What::Set(key, id, prop, value) => {
            let name = state.ty(*key).props.get(*prop)?.name.clone();
            let fields = json!({"objectId": id, "propertyName": name, "propertyValue": &**value});
            Told { property: Some(name), ..about(*key, "propertyChange", fields) }
        }
        What::Merged { key, survivor, primary, other, moved } => about(
            *key,
            "merge",
            json!({
                "objectId": survivor,
                "primaryObjectId": primary,
                "mergedObjectIds": [other],
                "newObjectId": survivor,
                "numberOfPropertiesMoved": moved,
            }),
        ),
        What::Linked { pair, link, removed } => {
            let (from, to) = (state.ty(pair.from.0), state.ty(pair.to.0));
            let kind = state.link_types.get(*link).map(|link| link.kind);
            about(
                pair.from.0,
                "associationChange",
                json!({
                    "fromObjectId": pair.from.1,
                    "toObjectId": pair.to.1,
                    "fromObjectTypeId": from.id,
                    "toObjectTypeId": to.id,
                    "associationType": format!("{}_TO_{}", from.name.to_uppercase(), to.name.to_uppercase()),
                    "associationRemoved": removed,
                    "isPrimaryAssociation": matches!(kind, Some(LinkKind::Primary | LinkKind::PrimaryReverse)),
                }),
            )
        }
    })
}
