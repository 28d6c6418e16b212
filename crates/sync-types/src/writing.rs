//! What a run was about to write: the record by which it can be taken back and explained, without a value.

use jiff::Timestamp;

use crate::{ExternalId, Fingerprint, NameId, OpId, PairId, Verb};

/// One operation's rows, durable before the first byte leaves, and kept after its outcome.
///
/// It says what was about to be written, not what was: whether it arrived is told by the record itself and its
/// history. So a crash between the call and its outcome loses nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// The operation; a repeated attempt has no line of its own.
    pub op: OpId,
    /// The run.
    pub run: u64,
    /// What it does.
    pub verb: Verb,
    /// The link of its records, or the rule of its edges.
    pub subject: NameId,
    /// When it was about to be sent.
    pub at: Timestamp,
    /// Its rows.
    pub rows: Vec<WrittenRow>,
}

/// One row of a [`Writing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenRow {
    /// A record, on the side that the verb names.
    Record {
        /// Its id in the source. For a record that is made in the source, the HubSpot record's it is made of.
        id: ExternalId,
        /// What is done with it.
        act: Act,
        /// The properties that are written. Left out of a record that is made in HubSpot: it is all new.
        fields: Vec<FieldWrite>,
    },
    /// An association.
    Edge {
        /// The pair that asks for it.
        from: PairId,
        /// The far record, by its id in the source.
        to: ExternalId,
    },
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// It is made.
    Make,
    /// It is changed.
    Change,
    /// It is deleted.
    Delete,
}

/// One property that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldWrite {
    /// The property's [`NameId`].
    pub property: NameId,
    /// The canonical value that the written side showed before, where that was known.
    pub before: Option<Fingerprint>,
    /// The canonical value that is written.
    pub after: Fingerprint,
}
