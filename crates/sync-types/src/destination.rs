//! The role of the system that is written: HubSpot, as the engine sees it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{EdgeKind, Lane, ObjectType, OpId, PropertyName, RecordId, Schema, SyncKey, Value};

/// A system that records are written to.
///
/// Batches are only transport: each row stands for itself, and every row gets exactly one outcome.
#[async_trait]
pub trait Destination: fmt::Debug + Send + Sync {
    /// The object type's properties as they are defined now.
    async fn describe(&self, object: &ObjectType) -> Result<Schema, DestinationError>;

    /// Looks up what writing associations between these types will need, so that the first of them need not wait
    /// for it. Not calling it costs time only; a failure shows again where it matters.
    async fn prepare(&self, joins: &[(ObjectType, ObjectType)], lane: Lane);

    /// Reads one page of all live records in id order, with these properties. A scan from the first page to the
    /// one without [`ShownPage::next`] has seen every record that was live during the whole scan.
    async fn list(
        &self,
        object: &ObjectType,
        properties: &[PropertyName],
        after: Option<&str>,
        lane: Lane,
    ) -> Result<ShownPage, DestinationError>;

    /// Reads records by id with these properties; one answer for each id, in order, `None` where no live record
    /// has the id. Of merged records the answer may carry the survivor's id: compare.
    async fn read(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError>;

    /// Reads records by sync key; otherwise as [`Destination::read`].
    async fn read_by_key(
        &self,
        object: &ObjectType,
        key: &PropertyName,
        keys: &[SyncKey],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError>;

    /// Writes a batch of at most [`Limits::write_max`] rows; one outcome for each row, in order.
    ///
    /// Rows of [`Target::Key`] may be sent again after [`RowOutcome::Unknown`]: the unique property keeps a
    /// repeated create from making a second record.
    ///
    /// # Errors
    /// A [`DestinationError`] says that no row was written, and why all further writes would meet the same end.
    async fn write(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, DestinationError>;

    /// Adds or removes associations, at most [`Limits::edges_max`]; one outcome for each edge, in order. Both
    /// may be repeated.
    async fn write_edges(&self, batch: &EdgeBatch) -> Result<Vec<EdgeOutcome>, DestinationError>;

    /// All associations from each of these records (at most [`Limits::edge_reads_max`]) to records of another
    /// type, in the order of the ids.
    async fn read_edges(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Vec<ShownEdge>>, DestinationError>;

    /// Types of which people attach records to those of any other type, such as notes: what is read, beside the types of the
    /// mapping, before a record goes that nobody else has written. None by default.
    fn attachable(&self) -> Vec<ObjectType> {
        Vec::new()
    }

    /// The versions of these properties, newest first, per record and property; of a record that is not there,
    /// none. The newest is what the record shows.
    async fn history(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Vec<Vec<Version>>>, DestinationError>;

    /// What became of these records; one answer for each id, in order. Dearer than [`Destination::read`]: for
    /// records that were not found.
    async fn fates(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Fate>, DestinationError>;

    /// Deletes records, in a way that a person can take back; at most [`Limits::write_max`], one outcome for each
    /// id, in order. May be repeated.
    async fn archive(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<EdgeOutcome>, DestinationError>;

    /// The sizes that one call may have.
    fn limits(&self) -> Limits;

    /// How long this many bulk calls take under the limits in force, when nobody else calls.
    fn forecast(&self, calls: u64) -> Duration;

    /// Calls of the day that are left, and the day's allowance, if known.
    fn day(&self) -> Option<(u64, u64)>;
}

/// A value that a property held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The value; [`Value::Null`] where it was emptied.
    pub value: Value,
    /// When it was set.
    pub at: jiff::Timestamp,
    /// Who set it, in the destination's words, such as `CRM_UI userId:5`; no personal data.
    pub by: String,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Live,
    /// It is part of this record now.
    MergedInto(RecordId),
    /// It was deleted, and a person can take that back.
    Archived,
    /// There is no trace of it: erased, or gone for good. By itself no proof of a deletion.
    Unknown,
}

/// How much one call may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one write.
    pub write_max: usize,
    /// Ids of one read.
    pub read_max: usize,
    /// Edges of one edge write.
    pub edges_max: usize,
    /// Edges of one removal.
    pub edge_removals_max: usize,
    /// Ids of one edge read.
    pub edge_reads_max: usize,
    /// Records of one list page.
    pub page_max: usize,
    /// Calls that may be in flight at once.
    pub in_flight_max: usize,
}

/// Rows for one object type.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    /// The operation; names the batch in every log.
    pub op: OpId,
    /// The object type.
    pub object: ObjectType,
    /// The unique property that holds the sync key.
    pub key: PropertyName,
    /// Whose turn.
    pub lane: Lane,
    /// How the rows are addressed; one way per batch.
    pub target: Target,
    /// The names of the properties, shared by all rows.
    pub properties: std::sync::Arc<[PropertyName]>,
    /// The rows.
    pub rows: Vec<WriteRow>,
}

/// How the rows of a batch find their records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// By sync key: the record that has it is updated, or one is created.
    Key,
    /// By record id: an existing record is updated and given the sync key.
    Record,
}

/// One record to write.
#[derive(Clone, Debug)]
pub struct WriteRow {
    /// The sync key; no key twice in one batch.
    pub key: SyncKey,
    /// The record, for [`Target::Record`].
    pub record: Option<RecordId>,
    /// Places in [`WriteBatch::properties`] and the values to write; [`Value::Null`] clears.
    pub values: Vec<(u16, Value)>,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// It is there; the destination said so.
    Written {
        /// The record's id.
        record: RecordId,
        /// Whether the write created it, where the destination tells.
        created: Option<bool>,
        /// The values that the destination shows otherwise than they were sent: their place in
        /// [`WriteBatch::properties`] and what it shows. A value that its answer left out counts as sent.
        reshown: Vec<(u16, Value)>,
    },
    /// It was refused for good: the same row would be refused again.
    Rejected(Rejection),
    /// It was not executed and may be sent again later, such as a lock.
    NotSent(String),
    /// No proof either way. Must not be taken for written, nor for not written.
    Unknown(String),
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Stable code of ours, such as `unique-value-taken`.
    pub code: String,
    /// The property at fault, if named.
    pub property: Option<String>,
    /// The reason in words, without values.
    pub reason: String,
    /// The record that already holds the unique value, if named.
    pub holder: Option<RecordId>,
    /// The correlation id to quote to HubSpot's support.
    pub correlation: Option<String>,
}

/// Associations to add or to remove between records of two types.
#[derive(Clone, Debug)]
pub struct EdgeBatch {
    /// The type of the records on the near end.
    pub from: ObjectType,
    /// The type of the records on the far end.
    pub to: ObjectType,
    /// What to do between each two records.
    pub change: EdgeChange,
    /// Whose turn.
    pub lane: Lane,
    /// The ends; no pair twice.
    pub edges: Vec<(RecordId, RecordId)>,
}

/// What to do with the associations between two records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeChange {
    /// Add this kind beside those that hold.
    Add(EdgeKind),
    /// Take this kind away; what else holds stays.
    Remove(EdgeKind),
    /// Take this kind away, and the plain association with it if nobody else has labelled the two.
    RemoveLast(EdgeKind),
}

/// What became of one edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeOutcome {
    /// It is as asked.
    Done,
    /// Refused for good.
    Rejected(Rejection),
    /// Not executed, or no proof: repeat it.
    Unknown(String),
}

/// A record as the destination shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The record's id, which may differ from the one asked for after a merge.
    pub id: RecordId,
    /// One value for each property asked for; [`Value::Null`] where the destination shows nothing.
    pub values: Vec<Value>,
}

/// One page of [`Destination::list`].
#[derive(Clone, Debug, Default)]
pub struct ShownPage {
    /// The records.
    pub records: Vec<Shown>,
    /// Where to go on, or `None` at the end.
    pub next: Option<String>,
}

/// One association as the destination shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownEdge {
    /// The far record.
    pub to: RecordId,
    /// The kinds that hold between the two.
    pub kinds: Vec<EdgeKind>,
}

/// Why a destination could not be used at all.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DestinationError {
    /// What kind of failure, for the caller to branch on.
    pub kind: DestinationErrorKind,
    /// Place, reason and remedy in one or two sentences; no secret, no value.
    pub message: String,
    /// The cause, if there is one below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DestinationError {
    /// An error without a deeper cause.
    #[must_use]
    pub fn new(kind: DestinationErrorKind, message: impl Into<String>) -> DestinationError {
        DestinationError { kind, message: message.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> DestinationError {
        self.source = Some(Box::new(cause));
        self
    }
}

/// What kind of failure a [`DestinationError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DestinationErrorKind {
    /// The credential was refused: a person must renew it.
    Revoked,
    /// The credential lacks a scope.
    MissingScope,
    /// An object type, property or label that the mapping needs is not there: run `init`.
    NotProvisioned,
    /// A call budget is used up until a known time.
    QuotaExhausted,
    /// Not reachable, or not working, now.
    Unavailable,
    /// It answered something that makes no sense.
    Protocol,
}
