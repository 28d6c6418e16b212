//! Verify, store and read what HubSpot tells. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod endpoint;
mod event;
mod inbox;
mod inbox_feed;
mod journal;
mod layer;
mod receiver;
#[cfg(feature = "server")]
mod serve;
mod signature;
mod subscriptions;
mod work;

pub use endpoint::{Endpoint, EndpointError};
pub use event::{
    AppId, Change, Event, EventId, Feed, Origin, ParseError, ParseLimits, PortalId, RecordRef, parse_events,
};
#[cfg(feature = "sqlite")]
pub use inbox::SqliteInbox;
pub use inbox::{Inbox, InboxError, InboxErrorKind, Replay, Stored, Waiting};
pub use inbox_feed::InboxFeed;
pub use journal::{
    Advance, FileError, FileHosts, FileRef, FileUrl, FileUrlError, Gap, GapCause, JournalApi, JournalError,
    JournalErrorKind, JournalFile, JournalReader, JournalSettings, JournalStore, Offset, Position, Progress,
    Start, parse_file,
};
pub use layer::{Verified, VerifyLayer};
pub use receiver::{Receiver, ReceiverLimits, ReceiverStats};
#[cfg(feature = "server")]
pub use serve::{ServeLimits, serve};
pub use signature::{
    SignatureError, SignatureHeaders, SignatureVersion, SignedHeaders, SignedRequest, Verifier, sign_v3,
};
pub use subscriptions::{
    JournalPlan, JournalSubscription, JournalSubscriptionApi, JournalSubscriptionKind, PushPlan,
    PushSettings, PushSubscription, PushSubscriptionApi, StoredJournalSubscription, StoredPushSubscription,
    SubscriptionError, Surplus, Wanted, apply_journal, apply_push, plan_journal, plan_push, wanted_journal,
    wanted_push,
};
pub use work::{Dirty, Merge, Reason, Work};
