//! The role of a customer's system that is written.

use std::fmt;

use async_trait::async_trait;

use crate::{Collection, ExternalId, LeftField, OpId, Record, Rejection, SourceError, SyncKey, Writes};

/// A customer's system, written. Beside [`Source`](crate::Source), for links that flow to the left.
///
/// A field that the collection does not have, or that cannot be written, is refused by name and its row with it:
/// nothing of a row is written unless all of it is.
#[async_trait]
pub trait SourceWriter: fmt::Debug + Send + Sync {
    /// Writes a batch of at most [`SourceWriter::write_max`] rows; one outcome for each row, in order.
    ///
    /// A creation may be repeated with the same [`LeftRow::token`] for as long as a day: it makes no second record
    /// and answers with the first one. If that one is gone, a new one is made. An adapter whose system cannot promise
    /// this keeps the token in a field of its own and looks for it before it creates.
    ///
    /// A change or deletion may be repeated too: [`LeftOutcome::Moved`] and [`LeftOutcome::Gone`] are right answers to
    /// one that was carried out before.
    ///
    /// # Errors
    /// A [`SourceError`] says that no row was written, and why all further writes would meet the same end.
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError>;

    /// The most rows of one batch, at least 1.
    fn write_max(&self) -> usize;

    /// What may be written to a collection; everything by default. Rows for what may not are refused one by one.
    /// Answers without I/O.
    fn writes(&self, _collection: &Collection) -> Writes {
        Writes::ALL
    }
}

/// Rows for one collection.
#[derive(Clone, Debug)]
pub struct LeftBatch {
    /// The operation; names the batch in every log.
    pub op: OpId,
    /// The collection.
    pub collection: Collection,
    /// The rows; no record twice.
    pub rows: Vec<LeftRow>,
}

/// One record to write.
#[derive(Clone, Debug)]
pub struct LeftRow {
    /// What to do.
    pub verb: LeftVerb,
    /// Names the creation, so that it can be repeated.
    pub token: SyncKey,
    /// The fields; no path twice. Empty for [`LeftVerb::Delete`].
    pub fields: Vec<LeftField>,
}

/// What to do with a record of the source.
#[derive(Clone, Debug)]
pub enum LeftVerb {
    /// Make it; the source gives it its id.
    Create,
    /// Change some of its fields, if these still are as they were read. Whether others have changed does not matter:
    /// a writer may let them be or answer [`LeftOutcome::Moved`], but never undoes them.
    Update(Record),
    /// Delete it, if all of its fields still are as they were read.
    Delete(Record),
}

impl LeftVerb {
    /// The record's id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&ExternalId> {
        match self {
            LeftVerb::Create => None,
            LeftVerb::Update(record) | LeftVerb::Delete(record) => Some(record.id()),
        }
    }
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOutcome {
    /// It is written; the record as the source shows it now, whole.
    Written(Record),
    /// Of a creation only: an earlier call with its token had made the record, and this one changed nothing; the record
    /// as the source shows it now, whole. Somebody may have changed it since. A writer that cannot tell whether it was
    /// this call that made the record says this.
    Found(Record),
    /// It is deleted.
    Deleted,
    /// Nothing was written: the record is not as it was read. It has to be looked at again.
    Moved,
    /// Nothing was written: there is no such record.
    Gone,
    /// It was refused for good: the same row would be refused again.
    Rejected(Rejection),
    /// It was not executed and may be sent again later.
    NotSent(String),
    /// No proof either way. Must not be taken for written, nor for not written.
    Unknown(String),
}
