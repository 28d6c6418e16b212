//! The vocabulary of the kit and the role traits that join its crates; no I/O.
//!
//! *Left* is the customer's system, *right* is HubSpot. A [`Source`] is read, a [`Destination`] is written, a
//! [`Mapper`] stands between them, a [`StateStore`] remembers what both sides showed when they last agreed, and a
//! [`Clock`] is the only time there is. Libraries meet through these traits; only engagements name two
//! implementations at once.
#![doc = include_str!("../README.md")]

mod abilities;
mod clock;
mod destination;
mod feed;
mod fingerprint;
mod id;
mod lane;
mod mapper;
mod record;
mod requirements;
mod schema;
mod source;
mod source_writer;
mod store;
mod value;
mod writing;

pub use abilities::{Abilities, ChangesPromise, Guard, ReadCost, ScanPromise, Writes};
pub use clock::Clock;
pub use compact_str::CompactString;
pub use destination::{
    Destination, DestinationError, DestinationErrorKind, EdgeBatch, EdgeChange, EdgeOutcome, Fate, Limits,
    Rejection, RowOutcome, Shown, ShownEdge, ShownPage, Target, Version, WriteBatch, WriteRow,
};
pub use feed::{Change, ChangeKind, Feed, FeedPage, FeedSees};
pub use fingerprint::{Fingerprint, Fingerprinter};
pub use id::{
    Collection, EdgeRuleId, ExternalId, LinkId, ObjectType, OpId, PairId, PropertyName, RecordId, SyncKey,
};
pub use lane::Lane;
pub use mapper::{
    Conflict, Direction, EdgeKind, EdgeRule, FieldProblem, FirstContact, LeftField, Link, MapError, Mapped,
    MappedProperty, Mapper, OnDelete, OnDeleteConflict, Sensitivity,
};
pub use record::{Record, Seen, Shape};
pub use requirements::{
    LabelSpec, ObjectSpec, OptionSpec, PropertyLabels, PropertySpec, Requirements, SchemaSpec,
};
pub use schema::{Property, PropertyKind, Schema};
pub use source::{
    BadRecord, ChangeCursor, ChangesPage, ChangesRequest, Page, PageToken, ReadRequest, Source, SourceChange,
    SourceError, SourceErrorKind,
};
pub use source_writer::{LeftBatch, LeftOutcome, LeftRow, LeftVerb, SourceWriter};
pub use store::{
    ConflictFilter, DeadLetter, DeadLetterFilter, Edge, EdgePlace, EdgeState, FieldBase, HeldConflict,
    Intent, LedgerEntry, NameId, NameKind, Pair, PairState, PairWrite, ReadyEdge, RunRecord, Sighting,
    StateStore, StoreError, StoreErrorKind, Totals, Transition, Verb,
};
pub use value::{Revealed, Value};
pub use writing::{Act, FieldWrite, Writing, WrittenRow};
