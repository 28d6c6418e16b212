//! A file of the journal to events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sync_types::{ObjectType, PropertyName, RecordId};

use super::Offset;
use crate::event::{
    AppId, Change, Event, EventHasher, EventId, Feed, Origin, PortalId, RecordRef, lenient_u64, nesting,
};

/// Brackets within brackets; a file has four levels.
const DEPTH_MAX: usize = 32;

/// The event type of an app's install (HubSpot docs: webhooks journal).
const INSTALLED: &str = "4-1909196";
/// The event type of an app's uninstall (HubSpot docs: webhooks journal).
const UNINSTALLED: &str = "4-1916193";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalFile {
    /// Its place in the journal, if it says so.
    pub offset: Option<Offset>,
    /// When it was published, if it says so.
    pub published_at: Option<Timestamp>,
    /// Its events, perhaps of several portals.
    pub events: Vec<Event>,
}

/// Why bytes are no file of a journal. Nothing of their content is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// They are not the JSON object that they should be.
    #[error("the file is not a journal file")]
    NotAFile,
    /// Brackets are nested deeper than allowed.
    #[error("the file is nested too deeply")]
    TooDeep,
    /// An event says not even which portal it is from.
    #[error("event {0} of the file, counted from 0, names no portal")]
    NoEvent(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFile<'a> {
    #[serde(default)]
    offset: Option<String>,
    #[serde(default, deserialize_with = "lenient_time")]
    published_at: Option<Timestamp>,
    #[serde(borrow)]
    journal_events: Vec<&'a RawValue>,
}

/// Field names that published clients and documents use; which of them HubSpot writes is not certain of every one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent<'a> {
    #[serde(borrow, rename = "type", alias = "subscriptionType", default)]
    kind: Cow<'a, str>,
    #[serde(default, deserialize_with = "lenient_u64")]
    portal_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_u64")]
    app_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_time")]
    occurred_at: Option<Timestamp>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(default)]
    event_type_id: Option<String>,
    #[serde(default)]
    object_type_id: Option<String>,
    #[serde(default, deserialize_with = "lenient_u64")]
    object_id: Option<u64>,
    #[serde(borrow, default)]
    property_changes: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(default, deserialize_with = "lenient_u64")]
    from_object_id: Option<u64>,
    #[serde(default, alias = "associatedObjectId", deserialize_with = "lenient_u64")]
    to_object_id: Option<u64>,
    #[serde(default)]
    from_object_type_id: Option<String>,
    #[serde(default, alias = "associatedObjectTypeId")]
    to_object_type_id: Option<String>,
    #[serde(default)]
    merged_object_ids: Option<Vec<u64>>,
    #[serde(default, deserialize_with = "lenient_u64")]
    primary_object_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient_u64")]
    new_object_id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Barest {
    #[serde(default, deserialize_with = "lenient_u64")]
    portal_id: Option<u64>,
}

/// Reads a file. Events of unknown kinds are kept as [`Change::Other`], as in
/// [`parse_events`](crate::parse_events()).
///
/// # Errors
/// [`FileError`], for the whole file.
pub fn parse_file(bytes: &[u8]) -> Result<JournalFile, FileError> {
    if nesting(bytes) > DEPTH_MAX {
        return Err(FileError::TooDeep);
    }
    let file: WireFile<'_> = serde_json::from_slice(bytes).map_err(|_| FileError::NotAFile)?;
    let read = |(at, raw): (usize, &&RawValue)| event(raw.get()).ok_or(FileError::NoEvent(at));
    let events = file.journal_events.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(JournalFile { offset: file.offset.map(Offset::new), published_at: file.published_at, events })
}

fn event(json: &str) -> Option<Event> {
    let (wire, portal) = match serde_json::from_str::<WireEvent<'_>>(json) {
        Ok(wire) => {
            let portal = wire.portal_id?;
            (Some(wire), portal)
        }
        Err(_) => (None, serde_json::from_str::<Barest>(json).ok()?.portal_id?),
    };
    let occurred_at = wire.as_ref().and_then(|wire| wire.occurred_at).unwrap_or_default();
    let other = |wire: Option<&WireEvent<'_>>| Change::Other {
        kind: wire.map(kind).unwrap_or_default(),
        record: wire.and_then(subject),
        json: json.to_owned(),
    };
    let change = match &wire {
        Some(wire) => known(wire).unwrap_or_else(|| other(Some(wire))),
        None => other(None),
    };
    Some(Event {
        id: identify(json, occurred_at),
        portal: PortalId(portal),
        app: wire.and_then(|wire| wire.app_id).map(AppId),
        subscription: None,
        occurred_at,
        change,
        origin: Origin::default(),
        feed: Feed::Journal,
    })
}

fn kind(wire: &WireEvent<'_>) -> String {
    format!("{}.{}", wire.kind, wire.action)
}

fn subject(wire: &WireEvent<'_>) -> Option<RecordRef> {
    let object = wire.object_type_id.as_deref()?;
    Some(RecordRef { object: ObjectType::new(object), id: record_id(wire.object_id?) })
}

fn known(wire: &WireEvent<'_>) -> Option<Change> {
    wire.occurred_at?;
    if wire.kind == "APP_LIFECYCLE_EVENT" {
        let named = wire.event_type_id.as_deref().or(wire.object_type_id.as_deref());
        return match (&*wire.action, named) {
            ("APP_INSTALL", _) | (_, Some(INSTALLED)) => Some(Change::Installed),
            ("APP_UNINSTALL", _) | (_, Some(UNINSTALLED)) => Some(Change::Uninstalled),
            _ => None,
        };
    }
    Some(match &*wire.action {
        "CREATE" => Change::Created(subject(wire)?),
        "DELETE" => Change::Deleted(subject(wire)?),
        "RESTORE" => Change::Restored(subject(wire)?),
        "GDPR_DELETE" => Change::Erased(subject(wire)?),
        // A snapshot that we asked for says what the record looks like: no news of a change, but a reason to look.
        "UPDATE" | "SNAPSHOT" => Change::Set {
            record: subject(wire)?,
            properties: wire
                .property_changes
                .iter()
                .flat_map(BTreeMap::keys)
                .map(|name| PropertyName::new(name.as_str()))
                .collect(),
        },
        "MERGE" => {
            let primary = wire.primary_object_id.or(wire.object_id);
            let survivor = wire.new_object_id.or(primary)?;
            let mut merged: Vec<u64> =
                wire.merged_object_ids.iter().flatten().copied().chain(primary).collect();
            merged.retain(|id| *id != survivor);
            merged.sort_unstable();
            merged.dedup();
            let object = ObjectType::new(wire.object_type_id.as_deref()?);
            Change::Merged {
                survivor: RecordRef { object, id: record_id(survivor) },
                merged: merged.into_iter().map(record_id).collect(),
            }
        }
        action @ ("ASSOCIATION_ADDED" | "ASSOCIATION_REMOVED") => {
            let from_type = wire.from_object_type_id.as_deref().or(wire.object_type_id.as_deref())?;
            let from_id = wire.from_object_id.or(wire.object_id)?;
            let to_type = wire.to_object_type_id.as_deref()?;
            Change::Associated {
                from: RecordRef { object: ObjectType::new(from_type), id: record_id(from_id) },
                to: RecordRef { object: ObjectType::new(to_type), id: record_id(wire.to_object_id?) },
                removed: action == "ASSOCIATION_REMOVED",
            }
        }
        action @ ("ADDED_TO_LIST" | "REMOVED_FROM_LIST") => {
            Change::Listed { record: subject(wire)?, removed: action == "REMOVED_FROM_LIST" }
        }
        _ => return None,
    })
}

/// The journal repeats an event, if it does, as it is: its text names it.
fn identify(json: &str, occurred_at: Timestamp) -> EventId {
    let mut hasher = EventHasher::new();
    hasher.text("journal");
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => hasher.text(&value.to_string()),
        Err(_) => hasher.text(json),
    }
    hasher.finish(occurred_at)
}

fn record_id(id: u64) -> RecordId {
    RecordId::new(id.to_string())
}

/// A time as text, as epoch milliseconds, or none: documents show texts, older payloads had numbers.
fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Millis(i64),
        Text(String),
        Else(serde::de::IgnoredAny),
    }
    Ok(match Time::deserialize(deserializer)? {
        Time::Millis(millis) => Timestamp::from_millisecond(millis).ok(),
        Time::Text(text) => text.parse().ok(),
        Time::Else(_) => None,
    })
}
