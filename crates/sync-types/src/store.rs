//! The role of the state store: what the engine remembers between two moments, without customers' values.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ChangeKind, ExternalId, Fingerprint, OpId, PairId, RecordId, Writing};

/// The durable memory of one engagement in one portal.
///
/// Synchronous on purpose: a transition is one short transaction, and the engine gathers many into one. Only one
/// process may hold a store. Reads see every earlier commit.
pub trait StateStore: fmt::Debug + Send {
    /// The secret key of all fingerprints in this store; made when the store was made.
    fn fingerprint_key(&self) -> [u8; 16];

    /// The store's number for a name, given out durably when first asked for. Numbers are never reused.
    fn name(&mut self, kind: NameKind, name: &str) -> Result<NameId, StoreError>;

    /// The pairs of these records of a link's collection, in the order of the ids.
    fn pairs(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<Pair>>, StoreError>;

    /// The pairs of these HubSpot records in a link, in the order of the ids.
    fn pairs_by_record(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<Pair>>, StoreError>;

    /// A link's pairs in the order of their numbers, after one.
    fn scan_pairs(&self, link: NameId, after: PairId, max: usize) -> Result<Vec<Pair>, StoreError>;

    /// The highest number given to a pair so far.
    fn last_pair(&self) -> Result<PairId, StoreError>;

    /// The associations that each pair is known to want, have or be rid of.
    fn edges_of(&self, pairs: &[PairId]) -> Result<Vec<Vec<Edge>>, StoreError>;

    /// Edges of a rule that are in this state and whose two ends both have a record, after a place, in order.
    /// `to_link` is the link of the far end.
    fn ready_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        state: EdgeState,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<ReadyEdge>, StoreError>;

    /// Wanted edges of a rule whose far end has no record, after a place, in order: waiting for a parent.
    fn waiting_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<(EdgePlace, ExternalId)>, StoreError>;

    /// Intents that were sent and have no recorded outcome.
    fn open_intents(&self) -> Result<Vec<Intent>, StoreError>;

    /// Dead letters of these records, in the order of the ids.
    fn parked(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<DeadLetter>>, StoreError>;

    /// All dead letters that match, oldest first.
    fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError>;

    /// Conflicts that are held for a person, oldest first.
    fn conflicts(&self, filter: &ConflictFilter) -> Result<Vec<HeldConflict>, StoreError>;

    /// The conflicts held about each of these records, in the order of the ids.
    fn conflicts_of(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Vec<HeldConflict>>, StoreError>;

    /// Records of the right side that a feed has told of and that were not looked at yet, oldest first.
    fn sighted(&self, link: NameId, max: usize) -> Result<Vec<Sighting>, StoreError>;

    /// The record that each of these has become part of by merges, in the order of the ids; `None`: it was not
    /// merged, as far as is known.
    fn survivors(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<RecordId>>, StoreError>;

    /// Keys that somebody asked to look at again, oldest first.
    fn dirty(&self, link: NameId, max: usize) -> Result<Vec<ExternalId>, StoreError>;

    /// A saved cursor.
    fn cursor(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// The newest runs, newest first.
    fn runs(&self, max: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// What this run and later ones were about to write, after an operation, in the order of the operations. A store
    /// that keeps no such record gives nothing.
    ///
    /// # Errors
    /// When the store fails.
    fn writings(&self, from_run: u64, after: OpId, max: usize) -> Result<Vec<Writing>, StoreError> {
        let _ = (from_run, after, max);
        Ok(Vec::new())
    }

    /// Totals for `status` and for checks.
    fn totals(&self) -> Result<Totals, StoreError>;

    /// Makes everything in the transition durable, or nothing of it. After a success a crash of process or
    /// machine loses none of it.
    fn commit(&mut self, transition: &Transition) -> Result<(), StoreError>;
}

/// What a [`NameId`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum NameKind {
    /// An object link.
    Link,
    /// An association rule.
    EdgeRule,
    /// A property of a link, as `link/property`.
    Property,
}

/// A store's number for a name: small, stable across mappings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct NameId(pub u16);

/// Two records, one on either side, that are one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The store's number for it.
    pub id: PairId,
    /// The record in the customer's system.
    pub external: ExternalId,
    /// The record in HubSpot; `None` once it is known to be gone.
    pub record: Option<RecordId>,
    /// Part of the sync key, so that a source record can be given another one. A record made anew in HubSpot keeps
    /// its key.
    pub generation: u32,
    /// Where the pair stands.
    pub state: PairState,
    /// Since when it stands there, for the states of absence.
    pub since: Option<Timestamp>,
    /// The source record's fingerprint under the mapping with which it was last brought over completely.
    pub row: Fingerprint,
    /// What each side showed when both last agreed, per property.
    pub bases: Vec<FieldBase>,
}

/// Where a pair stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PairState {
    /// Both records exist and belong together.
    Linked,
    /// The source record has left the link's scope; HubSpot's is left as it is.
    Detached,
    /// A closed scan of the source did not meet the record. One such scan proves nothing.
    LeftMissing,
    /// HubSpot's record was not found, and nothing says why.
    RightMissing,
    /// The source record was deleted. The pair is kept, in case it comes back.
    LeftGone,
    /// HubSpot's record was deleted. The pair is kept, in case it comes back.
    RightGone,
    /// HubSpot's record was merged into one that is another source record's.
    Collided,
    /// The subject was erased: neither side's record is made anew.
    Erased,
}

/// A conflict held for a person: which property of which record, without the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldConflict {
    /// The link.
    pub link: NameId,
    /// The record in the customer's system.
    pub external: ExternalId,
    /// The record in HubSpot.
    pub record: RecordId,
    /// The property's [`NameId`].
    pub property: NameId,
    /// Stable code of the cause, such as `both-changed`.
    pub cause: String,
    /// Who or what set the other value, where it is known, in the destination's words; no personal data.
    pub opponent: Option<String>,
    /// What the left showed when it was held.
    pub left: Fingerprint,
    /// What the right showed when it was held.
    pub right: Fingerprint,
    /// The run that held it.
    pub run: u64,
    /// Whose value to take, once a person has said so: `left` or `right`.
    pub decision: Option<String>,
    /// Whether nothing waits: the engine has acted by policy, and the line only tells what was overwritten.
    pub is_settled: bool,
}

/// Which conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// Only this link's.
    pub link: Option<NameId>,
    /// Only of this cause.
    pub cause: Option<String>,
    /// Only this record's, by its id in the source.
    pub external: Option<ExternalId>,
    /// Those that were settled by policy, instead of those that wait for a person.
    pub settled: bool,
    /// At most this many; 0: all.
    pub max: usize,
}

/// A record of the right side that a feed told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The record.
    pub record: RecordId,
    /// What was said to have happened.
    pub kind: ChangeKind,
}

/// What each side showed for one property when both last agreed. Two fingerprints on purpose: HubSpot formats
/// values its own way, and that is no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldBase {
    /// The property's [`NameId`].
    pub property: NameId,
    /// The canonical source value.
    pub left: Fingerprint,
    /// The canonical HubSpot value.
    pub right: Fingerprint,
}

/// An association that a pair asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The rule.
    pub rule: NameId,
    /// The far record, by its id in the source.
    pub to: ExternalId,
    /// Where it stands.
    pub state: EdgeState,
}

/// Where an association stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeState {
    /// To be made; waits while an end has no record.
    Wanted,
    /// Made.
    There,
    /// To be removed.
    Unwanted,
    /// Refused by HubSpot; tried again when somebody asks.
    Refused,
    /// Removed because the run that made it was taken back; made again only once its record is made anew, or its source
    /// has stopped asking for it and asks again.
    TakenBack,
}

/// An edge's key in the store, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgePlace {
    /// The pair that asks.
    pub from: PairId,
    /// The far record, by its id in the source.
    pub to: ExternalId,
}

/// An edge whose both ends have records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyEdge {
    /// Its key.
    pub place: EdgePlace,
    /// The near record.
    pub from: RecordId,
    /// The far record.
    pub to: RecordId,
}

/// A batch that was about to be sent: durable before its first byte leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The operation.
    pub op: OpId,
    /// What it does.
    pub verb: Verb,
    /// The link of its records, or the rule of its edges.
    pub subject: NameId,
    /// When it was about to be sent.
    pub sent_at: Timestamp,
    /// Its records with their generation, for [`Verb::Upsert`] and [`Verb::Update`].
    pub rows: Vec<(ExternalId, u32)>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Create or update by sync key.
    Upsert,
    /// Update by record id.
    Update,
    /// Add associations.
    Associate,
    /// Remove associations.
    Dissociate,
    /// Delete records in HubSpot.
    Archive,
    /// Make, change or delete records in the customer's system.
    WriteLeft,
}

impl Verb {
    /// Whether it writes records; otherwise associations.
    #[must_use]
    pub fn is_of_records(self) -> bool {
        !matches!(self, Verb::Associate | Verb::Dissociate)
    }
}

/// A record or edge that cannot be brought over as it is: kept with its cause, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The link.
    pub link: NameId,
    /// The record, or the place of a row whose id could not be read.
    pub external: ExternalId,
    /// Whether `external` is only a place, such as `contacts.csv line 17`.
    pub is_place: bool,
    /// Stable code of the cause.
    pub cause: String,
    /// The cause in words, without values.
    pub detail: String,
    /// What a person can do.
    pub remedy: String,
    /// The source record's fingerprint: it is tried again when that changes.
    pub row: Fingerprint,
    /// The run that parked it first.
    pub first_run: u64,
    /// The run that last met it.
    pub last_run: u64,
    /// How often it was tried.
    pub tries: u32,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Only this link's.
    pub link: Option<NameId>,
    /// Only of this cause.
    pub cause: Option<String>,
    /// Only this record.
    pub external: Option<ExternalId>,
    /// At most this many; 0: all.
    pub max: usize,
}

/// One line of the ledger: what was done, by which operation, in which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The run.
    pub run: u64,
    /// The operation.
    pub op: OpId,
    /// What it did.
    pub verb: Verb,
    /// The link or rule.
    pub subject: NameId,
    /// Rows that were written.
    pub written: u32,
    /// Rows that were refused.
    pub rejected: u32,
    /// Rows without proof.
    pub unknown: u32,
    /// When the outcome was known.
    pub at: Timestamp,
}

/// One run, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its number, counted up from 1.
    pub run: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None`: it is running, or was cut off.
    pub ended: Option<Timestamp>,
    /// Its report, as JSON without values.
    pub report: String,
}

/// A store's totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Pairs by link.
    pub pairs: Vec<(NameId, u64)>,
    /// Edges by rule and state.
    pub edges: Vec<(NameId, EdgeState, u64)>,
    /// Dead letters by link and cause.
    pub dead_letters: Vec<(NameId, String, u64)>,
    /// Open intents.
    pub open_intents: u64,
    /// Keys waiting to be looked at.
    pub dirty: u64,
    /// Conflicts that wait for a person, by link and cause.
    pub conflicts: Vec<(NameId, String, u64)>,
    /// Records of HubSpot waiting to be looked at.
    pub sighted: u64,
    /// Commits made since the store was opened.
    pub commits: u64,
    /// Size of the store in bytes, where it has one.
    pub bytes: u64,
}

/// Changes that belong together: one transaction.
#[derive(Clone, Debug, Default)]
pub struct Transition {
    /// Pairs to insert or to replace, by (link, external id).
    pub pairs: Vec<PairWrite>,
    /// Pairs whose source record changed in nothing that is mapped: only the row's fingerprint moves.
    pub rows: Vec<(PairId, Fingerprint)>,
    /// Edges whose state moved; `None`: forget the edge.
    pub edges: Vec<(NameId, EdgePlace, Option<EdgeState>)>,
    /// Intents about to be sent.
    pub open: Vec<Intent>,
    /// Intents whose outcome is recorded by this transition.
    pub close: Vec<OpId>,
    /// Dead letters to add or to renew, by (link, external id).
    pub park: Vec<DeadLetter>,
    /// Dead letters that are settled.
    pub unpark: Vec<(NameId, ExternalId)>,
    /// Place-only dead letters of a link that a closed scan has not met again: older than this run.
    pub forget_places: Vec<(NameId, u64)>,
    /// Conflicts to hold or to renew, by (link, external id, property).
    pub hold: Vec<HeldConflict>,
    /// Conflicts that are over.
    pub release: Vec<(NameId, ExternalId, NameId)>,
    /// What feeds have told.
    pub sight: Vec<(NameId, Sighting)>,
    /// Records of the right side that were looked at: all sightings of theirs are done with.
    pub sighted: Vec<(NameId, RecordId)>,
    /// Records that have become part of another one: link, old, new.
    pub merged: Vec<(NameId, RecordId, RecordId)>,
    /// Keys to look at again.
    pub dirty: Vec<(NameId, ExternalId)>,
    /// Keys that were looked at.
    pub clean: Vec<(NameId, ExternalId)>,
    /// Cursors to set.
    pub cursors: Vec<(String, String)>,
    /// Ledger lines to append.
    pub ledger: Vec<LedgerEntry>,
    /// What is about to be written.
    pub writings: Vec<Writing>,
    /// Forget what was about to be written before this moment.
    pub forget_writings: Option<Timestamp>,
    /// The run to insert or to replace.
    pub run: Option<RunRecord>,
}

impl Transition {
    /// Whether there is nothing to make durable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
            && self.rows.is_empty()
            && self.edges.is_empty()
            && self.open.is_empty()
            && self.close.is_empty()
            && self.park.is_empty()
            && self.unpark.is_empty()
            && self.forget_places.is_empty()
            && self.hold.is_empty()
            && self.release.is_empty()
            && self.sight.is_empty()
            && self.sighted.is_empty()
            && self.merged.is_empty()
            && self.dirty.is_empty()
            && self.clean.is_empty()
            && self.cursors.is_empty()
            && self.ledger.is_empty()
            && self.writings.is_empty()
            && self.forget_writings.is_none()
            && self.run.is_none()
    }
}

/// A pair to insert or to replace, with the changes of its edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairWrite {
    /// The link.
    pub link: NameId,
    /// The source record.
    pub external: ExternalId,
    /// The HubSpot record.
    pub record: Option<RecordId>,
    /// See [`Pair::generation`].
    pub generation: u32,
    /// See [`Pair::state`].
    pub state: PairState,
    /// See [`Pair::since`].
    pub since: Option<Timestamp>,
    /// See [`Pair::row`].
    pub row: Fingerprint,
    /// See [`Pair::bases`].
    pub bases: Vec<FieldBase>,
    /// Edges to want; an edge that is there already stays there.
    pub want: Vec<(NameId, ExternalId)>,
    /// Edges to be rid of.
    pub unwant: Vec<(NameId, ExternalId)>,
    /// Set every edge of the record that is there back to wanted, because the record was made anew: its own, and
    /// those by which records ask for it under these rules.
    pub renew_edges: Option<Vec<NameId>>,
}

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What kind of failure, for the caller to branch on.
    pub kind: StoreErrorKind,
    /// Place, reason and remedy; no value.
    pub message: String,
    /// The cause, if there is one below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a deeper cause.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> StoreError {
        StoreError { kind, message: message.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        self.source = Some(Box::new(cause));
        self
    }
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The disk is full; nothing of the transition was kept.
    Full,
    /// The store is damaged.
    Corrupt,
    /// It belongs to another engagement or portal, or to a newer version.
    Mismatch,
    /// Another process holds it.
    Locked,
    /// Any other failure to read or write it.
    Io,
}
