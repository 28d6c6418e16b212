//! What HubSpot tells: that something happened to a record, never what it looks like now.

mod id;
mod parse;
mod wire;

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync_types::{ObjectType, PropertyName, RecordId};

pub use id::EventId;
pub use parse::{ParseError, ParseLimits, parse_events};

pub(crate) use id::EventHasher;
pub(crate) use parse::nesting;
pub(crate) use wire::lenient_u64;

/// A HubSpot account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortalId(pub u64);

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An app, as events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub u64);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One record of a portal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// Its object type, always by type id (`0-1`, never `contacts`), so that push and journal name one record alike.
    #[serde(rename = "o")]
    pub object: ObjectType,
    /// Its id.
    #[serde(rename = "r")]
    pub id: RecordId,
}

/// Which way an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feed {
    /// HubSpot called our endpoint.
    #[serde(rename = "p")]
    Push,
    /// We read it in the webhooks journal.
    #[serde(rename = "j")]
    Journal,
}

/// Who made a change, in HubSpot's words. Push events only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `CRM_UI`, `INTEGRATION`, `IMPORT` and others: an open set.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// With `INTEGRATION` the app id of the writer (observed live), with `CRM_UI` a user.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

impl Origin {
    /// Whether the change says of itself that `app` made it: an echo of our own write, most likely. A hint to save a
    /// read, no proof: HubSpot's label differs by credential, so an event is never dropped for it.
    #[must_use]
    pub fn says(&self, app: AppId) -> bool {
        let by_app = matches!(self.source.as_deref(), Some("INTEGRATION" | "API"));
        let id = self.source_id.as_deref().map(|id| id.strip_prefix("appId:").unwrap_or(id));
        by_app && id.and_then(|id| id.parse().ok()) == Some(app.0)
    }
}

/// One thing that happened, without any value of a record: values may be stale by the time they are read, so a reader
/// of events asks for the record anyway, and no customer's value rests in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same for every delivery of the same thing.
    #[serde(skip)]
    pub id: EventId,
    /// Where it happened.
    #[serde(rename = "p")]
    pub portal: PortalId,
    /// The app whose subscription it matched.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The subscription that it matched.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<u64>,
    /// When, by HubSpot's clock.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub occurred_at: Timestamp,
    /// What.
    #[serde(rename = "c")]
    pub change: Change,
    /// By whom.
    #[serde(rename = "b", default)]
    pub origin: Origin,
    /// Which way it came.
    #[serde(rename = "f")]
    pub feed: Feed,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A record was made.
    Created(RecordRef),
    /// A record went to the recycling bin, for good, or into another by a merge.
    Deleted(RecordRef),
    /// A record was erased on a person's demand, e-mail address and all. `Deleted` comes too.
    Erased(RecordRef),
    /// A record came back from the recycling bin.
    Restored(RecordRef),
    /// Properties of a record were set.
    Set {
        /// The record.
        #[serde(rename = "r")]
        record: RecordRef,
        /// Their names; push events carry one each.
        #[serde(rename = "n")]
        properties: Vec<PropertyName>,
    },
    /// Records became one. HubSpot sends no event for properties that changed by it.
    Merged {
        /// What lives on, perhaps under an id that is new.
        #[serde(rename = "r")]
        survivor: RecordRef,
        /// Ids, of the same object type, that lead to it from now on.
        #[serde(rename = "m")]
        merged: Vec<RecordId>,
    },
    /// An association was made or removed. HubSpot sends one event for each side.
    Associated {
        /// This side.
        #[serde(rename = "r")]
        from: RecordRef,
        /// The other.
        #[serde(rename = "w")]
        to: RecordRef,
        /// Removed rather than made.
        #[serde(rename = "d")]
        removed: bool,
    },
    /// A record joined or left a list.
    Listed {
        /// The record.
        #[serde(rename = "r")]
        record: RecordRef,
        /// Left rather than joined.
        #[serde(rename = "d")]
        removed: bool,
    },
    /// The app was installed in the portal.
    Installed,
    /// The app was removed from the portal: its credentials there are void.
    Uninstalled,
    /// Something in the conversations inbox: no record of the CRM.
    Conversation {
        /// The subscription type, e.g. `conversation.newMessage`.
        #[serde(rename = "k")]
        kind: String,
        /// The thread.
        #[serde(rename = "n")]
        thread: u64,
    },
    /// What this version of the crate does not know, kept whole. Its text may hold a customer's value.
    Other {
        /// HubSpot's name for it; empty if it had none.
        #[serde(rename = "k")]
        kind: String,
        /// The record that it is about, where it says so in the usual fields.
        #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
        record: Option<RecordRef>,
        /// The event as it came.
        #[serde(rename = "j")]
        json: String,
    },
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Created(record) => f.debug_tuple("Created").field(record).finish(),
            Change::Deleted(record) => f.debug_tuple("Deleted").field(record).finish(),
            Change::Erased(record) => f.debug_tuple("Erased").field(record).finish(),
            Change::Restored(record) => f.debug_tuple("Restored").field(record).finish(),
            Change::Set { record, properties } => {
                f.debug_struct("Set").field("record", record).field("properties", properties).finish()
            }
            Change::Merged { survivor, merged } => {
                f.debug_struct("Merged").field("survivor", survivor).field("merged", merged).finish()
            }
            Change::Associated { from, to, removed } => f
                .debug_struct("Associated")
                .field("from", from)
                .field("to", to)
                .field("removed", removed)
                .finish(),
            Change::Listed { record, removed } => {
                f.debug_struct("Listed").field("record", record).field("removed", removed).finish()
            }
            Change::Installed => f.write_str("Installed"),
            Change::Uninstalled => f.write_str("Uninstalled"),
            Change::Conversation { kind, thread } => {
                f.debug_struct("Conversation").field("kind", kind).field("thread", thread).finish()
            }
            Change::Other { kind, record, json } => f
                .debug_struct("Other")
                .field("kind", kind)
                .field("record", record)
                .field("bytes", &json.len())
                .finish(),
        }
    }
}

/// An object type that webhooks call by a name of its own, as a type id (HubSpot docs: object type ids).
pub(crate) fn named_type(name: &str) -> Option<ObjectType> {
    /// Made once: most events are about these.
    static TYPES: LazyLock<[(&str, ObjectType); 6]> = LazyLock::new(|| {
        [
            ("contact", "0-1"),
            ("company", "0-2"),
            ("deal", "0-3"),
            ("ticket", "0-5"),
            ("product", "0-7"),
            ("line_item", "0-8"),
        ]
        .map(|(name, id)| (name, ObjectType::new(id)))
    });
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, object)| object.clone())
}

#[cfg(test)]
mod tests;
