//! A webhook body to events: bounded before it is parsed, tolerant of what is new, strict about what it cannot place.

use jiff::Timestamp;
use serde_json::value::RawValue;
use sync_types::{ObjectType, PropertyName, RecordId};

use super::wire::{Barest, WireEvent};
use super::{AppId, Change, Event, EventHasher, EventId, Feed, Origin, PortalId, RecordRef, named_type};

/// How much of a body is looked at before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Events in one body. HubSpot sends up to 100 (HubSpot docs).
    pub events_max: usize,
    /// Brackets within brackets. Events have three levels.
    pub depth_max: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { events_max: 1_000, depth_max: 32 }
    }
}

/// Why a body is no list of events. Nothing of its content is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is no JSON array.
    #[error("the body is not a JSON array")]
    NotAnArray,
    /// Brackets are nested deeper than allowed.
    #[error("the body is nested too deeply")]
    TooDeep,
    /// It has more events than allowed.
    #[error("the body has too many events")]
    TooMany,
    /// An event says not even which portal it is from, or says it twice.
    #[error("event {0} of the body, counted from 0, names no portal or is no object")]
    NoEvent(usize),
}

/// Reads the body of a push delivery: a JSON array of events, perhaps of several portals.
///
/// A kind of event that is not known is kept as [`Change::Other`], and so is a known kind without the fields it needs.
///
/// # Errors
/// [`ParseError`], for the whole body: HubSpot then sends it again, and what it holds is not half taken.
pub fn parse_events(body: &[u8], limits: &ParseLimits) -> Result<Vec<Event>, ParseError> {
    if nesting(body) > limits.depth_max {
        return Err(ParseError::TooDeep);
    }
    let raw: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| ParseError::NotAnArray)?;
    if raw.len() > limits.events_max {
        return Err(ParseError::TooMany);
    }
    raw.into_iter().enumerate().map(|(at, raw)| event(raw.get()).ok_or(ParseError::NoEvent(at))).collect()
}

/// How deep brackets stand within brackets; what stands in strings does not count.
pub(crate) fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn event(json: &str) -> Option<Event> {
    match serde_json::from_str::<WireEvent<'_>>(json) {
        Ok(wire) => Some(known(&wire).unwrap_or_else(|| other(&wire, json))),
        // A field of another type than ever seen. A field that stands there twice is an error here too.
        Err(_) => barest(json),
    }
}

/// The event, if it is of a known kind and has what the kind needs.
fn known(wire: &WireEvent<'_>) -> Option<Event> {
    let occurred_at = time(wire.occurred_at)?;
    let (subject, what) = wire.subscription_type.split_once('.')?;
    if subject == "conversation" {
        let thread = wire.object_id?;
        let change = Change::Conversation { kind: wire.subscription_type.clone().into_owned(), thread };
        return Some(finish(wire, change, occurred_at));
    }
    let object = match subject {
        "object" => wire.object_type_id.as_deref().map(ObjectType::new)?,
        name => named_type(name)?,
    };
    let record = |id: u64| RecordRef { object: object.clone(), id: record_id(id) };
    let subject = |make: fn(RecordRef) -> Change| wire.object_id.map(|id| make(record(id)));
    let change = match what {
        "creation" => subject(Change::Created)?,
        "deletion" => subject(Change::Deleted)?,
        "restore" => subject(Change::Restored)?,
        "privacyDeletion" => subject(Change::Erased)?,
        "propertyChange" => {
            let properties = vec![PropertyName::new(wire.property_name.as_deref()?)];
            Change::Set { record: record(wire.object_id?), properties }
        }
        "merge" => {
            // A merge may give the survivor a new id, and then that one lives on (observed live).
            let primary = wire.primary_object_id.or(wire.object_id);
            let survivor = wire.new_object_id.or(primary)?;
            let listed = wire.merged_object_ids.as_ref().map(|ids| ids.0.as_slice()).unwrap_or_default();
            let mut merged: Vec<u64> = listed.iter().copied().chain(primary).collect();
            merged.retain(|id| *id != survivor);
            merged.sort_unstable();
            merged.dedup();
            Change::Merged { survivor: record(survivor), merged: merged.into_iter().map(record_id).collect() }
        }
        "associationChange" => {
            let (from, to) = ends(wire, &object)?;
            Change::Associated { from, to, removed: wire.association_removed.unwrap_or_default() }
        }
        _ => return None,
    };
    Some(finish(wire, change, occurred_at))
}

/// Both ends of an association. Types stand in the event, or else in the name of the association's type.
fn ends(wire: &WireEvent<'_>, object: &ObjectType) -> Option<(RecordRef, RecordRef)> {
    let name = wire.association_type.as_deref().and_then(|name| name.split_once("_TO_"));
    let named = |name: Option<&str>| name.and_then(|name| named_type(&name.to_ascii_lowercase()));
    let given = |given: Option<&str>| given.map(ObjectType::new);
    let from = given(wire.from_object_type_id.as_deref())
        .or_else(|| named(name.map(|(from, _)| from)))
        .unwrap_or_else(|| object.clone());
    let to = given(wire.to_object_type_id.as_deref()).or_else(|| named(name.map(|(_, to)| to)))?;
    Some((
        RecordRef { object: from, id: record_id(wire.from_object_id?) },
        RecordRef { object: to, id: record_id(wire.to_object_id?) },
    ))
}

fn finish(wire: &WireEvent<'_>, change: Change, occurred_at: Timestamp) -> Event {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Event {
        id: identify(wire, occurred_at),
        portal: PortalId(wire.portal_id),
        app: wire.app_id.map(AppId),
        subscription: wire.subscription_id,
        occurred_at,
        change,
        origin: Origin {
            source: text(wire.change_source.as_deref()),
            source_id: text(wire.source_id.as_deref()),
        },
        feed: Feed::Push,
    }
}

/// HubSpot docs advise portal, subscription, object, property, time and value; kinds without an object or a property
/// need what tells one of them from another.
fn identify(wire: &WireEvent<'_>, occurred_at: Timestamp) -> EventId {
    let mut hasher = EventHasher::new();
    hasher.number(wire.portal_id);
    hasher.maybe(wire.subscription_id);
    hasher.text(&wire.subscription_type);
    for id in [
        wire.object_id,
        wire.from_object_id,
        wire.to_object_id,
        wire.primary_object_id,
        wire.new_object_id,
        wire.association_removed.map(u64::from),
        wire.is_primary_association.map(u64::from),
    ] {
        hasher.maybe(id);
    }
    for text in [
        wire.object_type_id.as_deref(),
        wire.property_name.as_deref(),
        wire.property_value.map(RawValue::get),
        wire.association_type.as_deref(),
        wire.message_id.as_deref(),
    ] {
        hasher.maybe_text(text);
    }
    let merged = wire.merged_object_ids.as_ref().map(|ids| ids.0.as_slice()).unwrap_or_default();
    hasher.number(merged.len() as u64);
    merged.iter().for_each(|id| hasher.number(*id));
    hasher.finish(occurred_at)
}

fn other(wire: &WireEvent<'_>, json: &str) -> Event {
    let object = match wire.object_type_id.as_deref() {
        Some(id) => Some(ObjectType::new(id)),
        None => wire.subscription_type.split_once('.').and_then(|(name, _)| named_type(name)),
    };
    let record = object.zip(wire.object_id).map(|(object, id)| RecordRef { object, id: record_id(id) });
    let change =
        Change::Other { kind: wire.subscription_type.clone().into_owned(), record, json: json.to_owned() };
    let occurred_at = time(wire.occurred_at).unwrap_or_default();
    Event { id: identify_text(json, occurred_at), ..finish(wire, change, occurred_at) }
}

fn barest(json: &str) -> Option<Event> {
    let wire: Barest<'_> = serde_json::from_str(json).ok()?;
    // Strings alone: a kind that is an object is nothing to name it by.
    let kind = wire.subscription_type.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let occurred_at = time(wire.occurred_at).unwrap_or_default();
    Some(Event {
        id: identify_text(json, occurred_at),
        portal: PortalId(wire.portal_id),
        app: None,
        subscription: None,
        occurred_at,
        change: Change::Other { kind: kind.unwrap_or_default(), record: None, json: json.to_owned() },
        origin: Origin::default(),
        feed: Feed::Push,
    })
}

/// Of an event whose fields mean nothing to us, everything but the count of attempts.
fn identify_text(json: &str, occurred_at: Timestamp) -> EventId {
    let mut hasher = EventHasher::new();
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) {
        Ok(mut fields) => {
            fields.remove("attemptNumber");
            hasher.text(&serde_json::Value::Object(fields).to_string());
        }
        Err(_) => hasher.text(json),
    }
    hasher.finish(occurred_at)
}

fn time(epoch_ms: Option<u64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(epoch_ms?).ok()?).ok()
}

fn record_id(id: u64) -> RecordId {
    RecordId::new(id.to_string())
}
