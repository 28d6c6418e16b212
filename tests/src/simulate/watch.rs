//! What must hold at every step: each commit and each call is looked at as it passes by.
//!
//! The watch outlives the engines: what one process was about to do, the next one answers for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hubspot_sandbox::Portal;
use mapping_engine::CheckedMapping;
use sync_types::{
    Clock, ConflictFilter, DeadLetter, DeadLetterFilter, Destination, DestinationError, Edge, EdgeBatch,
    EdgeOutcome, EdgePlace, EdgeState, ExternalId, Fate, FieldBase, Fingerprint, Fingerprinter, HeldConflict,
    Intent, Lane, LeftBatch, LeftOutcome, Limits, LinkId, Mapper as _, NameId, NameKind, ObjectType, OpId,
    Pair, PairId, PairState, PropertyName, ReadyEdge, RecordId, RowOutcome, RunRecord, Schema, Shown,
    ShownEdge, ShownPage, Sighting, SourceError, SourceWriter, StateStore, StoreError, SyncKey, Totals,
    Transition, Value, Version, WriteBatch, Writes, Writing,
};

use super::check::Violation;
use super::tally::Tally;

/// How long a write of which nobody knows whether it arrived keeps other values away from its property.
const BARRIER: Duration = Duration::from_secs(5);

/// What has been seen so far.
#[derive(Debug, Default)]
struct Seen {
    names: BTreeMap<NameId, String>,
    open: BTreeMap<OpId, Intent>,
    given: BTreeSet<OpId>,
    /// Whose record each record of the right is, by link.
    owners: BTreeMap<(NameId, RecordId), ExternalId>,
    agreed: BTreeMap<(NameId, ExternalId), Vec<FieldBase>>,
    /// Records in the air, by side and number.
    aloft: BTreeSet<(bool, String)>,
    /// What may still arrive: record and property, the value's fingerprint, and until when.
    in_doubt: BTreeMap<(String, String), (Fingerprint, Duration)>,
    violations: Vec<Violation>,
    checks: BTreeMap<&'static str, u64>,
}

impl Seen {
    fn check(&mut self, name: &'static str, holds: bool, what: impl FnOnce() -> String) {
        *self.checks.entry(name).or_default() += 1;
        if !holds {
            self.violations.push(Violation::new(name, what()));
        }
    }
}

/// Looks at every step of the engines of one world.
#[derive(Clone)]
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
    portal: Arc<Mutex<Portal>>,
    clock: Arc<dyn Clock>,
    mapping: Arc<CheckedMapping>,
    prints: Fingerprinter,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    pub(super) fn new(world: &crate::World) -> Watch {
        Watch {
            seen: Arc::default(),
            portal: Arc::clone(&world.portal),
            clock: Arc::clone(&world.clock),
            mapping: Arc::clone(&world.mapping),
            prints: Fingerprinter::new(crate::FINGERPRINT_KEY),
        }
    }

    /// What was found since this was last asked.
    pub(super) fn take(&self, tally: &mut Tally, violations: &mut Vec<Violation>) {
        let mut seen = self.seen();
        violations.append(&mut seen.violations);
        for (name, count) in std::mem::take(&mut seen.checks) {
            *tally.checks.entry(name).or_default() += count;
        }
    }

    /// The engine was stopped: what it had in the air is in nobody's hands.
    pub(super) fn stopped(&self) {
        self.seen().aloft.clear();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transition has become durable.
    fn committed(&self, t: &Transition, survivors: &dyn Fn(NameId, &RecordId) -> Option<RecordId>) {
        let mut seen = self.seen();
        for intent in &t.open {
            let is_new = seen.given.insert(intent.op);
            seen.check("numbers-given-once", is_new, || format!("{} was given out twice", intent.op));
            seen.open.insert(intent.op, intent.clone());
        }
        for op in &t.close {
            seen.open.remove(op);
        }
        for write in &t.pairs {
            let place = (write.link, write.external.clone());
            seen.owners.retain(|(link, _), owner| *link != write.link || *owner != write.external);
            if let Some(record) = &write.record {
                let other = seen.owners.insert((write.link, record.clone()), write.external.clone());
                seen.check("one-pair-a-record", other.is_none(), || {
                    format!("record {record} is {other:?}'s and {}'s", write.external)
                });
                let is_live = write.state == PairState::Linked;
                let into = is_live.then(|| survivors(write.link, record)).flatten();
                seen.check("pairs-follow-merges", into.is_none(), || {
                    format!(
                        "{} is linked to record {record}, which has become part of {into:?}",
                        write.external
                    )
                });
                let known = seen.agreed.get(&place).cloned().unwrap_or_default();
                for base in write.bases.iter().filter(|base| !known.contains(base)) {
                    let was_shown = self.was_shown(&seen, write.link, record, base);
                    seen.check("agreed-was-shown", was_shown, || {
                        let name = seen_name(&self.mapping, base.property);
                        format!(
                            "{name} of {} is agreed with a value that the right never had",
                            write.external
                        )
                    });
                }
            }
            seen.agreed.insert(place, write.bases.clone());
        }
    }

    /// Whether the right has ever shown what is taken for agreed.
    fn was_shown(&self, seen: &Seen, link: NameId, record: &RecordId, base: &FieldBase) -> bool {
        let (Some(link_name), Some(property)) = (seen.names.get(&link), seen.names.get(&base.property))
        else {
            return true;
        };
        let property = property.rsplit('/').next().unwrap_or_default();
        let links = self.mapping.links();
        let Some(at) = links.iter().position(|link| link.name == *link_name) else { return true };
        let Some(place) = links[at].properties.iter().position(|known| known.name.as_str() == property)
        else {
            return true;
        };
        let Ok(id) = record.as_str().parse() else { return true };
        let link = LinkId(u16::try_from(at).unwrap_or_default());
        let of = |value: Value| self.prints.value(&self.mapping.canonical(link, place, value));
        if base.right == self.prints.value(&Value::Null) {
            return true;
        }
        let portal = self.portal.lock().unwrap_or_else(PoisonError::into_inner);
        let history = portal.history(links[at].object.as_str(), id, property).unwrap_or_default();
        history.iter().any(|version| of(Value::text(version.value.as_str())) == base.right)
    }

    fn aloft(&self, side: bool, op: OpId, ids: Vec<String>) -> Aloft {
        let mut seen = self.seen();
        for id in &ids {
            let is_alone = seen.aloft.insert((side, id.clone()));
            seen.check("one-request-a-record", is_alone, || format!("{id} is in the air twice, now in {op}"));
        }
        Aloft { watch: self.clone(), side, ids }
    }

    /// A request is about to leave.
    fn leaves(&self, op: OpId, rows: usize) {
        let mut seen = self.seen();
        let intent = seen.open.get(&op).map(|intent| intent.rows.len());
        seen.check("intent-before-request", intent == Some(rows), || {
            format!("{op} leaves with {rows} rows, and its intent has {intent:?}")
        });
    }

    fn answered(&self, rows: usize, outcomes: usize) {
        self.seen().check("an-outcome-a-row", rows == outcomes, || {
            format!("{rows} rows came back as {outcomes} outcomes")
        });
    }

    /// No other value goes where one may still arrive.
    fn barrier(&self, batch: &WriteBatch) {
        let now = self.clock.monotonic();
        let mut seen = self.seen();
        seen.in_doubt.retain(|_, (_, until)| *until > now);
        for row in &batch.rows {
            for (place, value) in &row.values {
                let property =
                    batch.properties.get(usize::from(*place)).map(ToString::to_string).unwrap_or_default();
                let doubt =
                    seen.in_doubt.get(&(row.key.to_string(), property.clone())).map(|(print, _)| *print);
                let holds = doubt.is_none_or(|print| print == self.prints.value(value));
                seen.check("no-other-value-in-doubt", holds, || {
                    format!("{property} gets another value in {} while one may still arrive", batch.op)
                });
            }
        }
    }

    fn doubts(&self, batch: &WriteBatch, outcomes: &[RowOutcome]) {
        let until = self.clock.monotonic() + BARRIER;
        let mut seen = self.seen();
        for (row, outcome) in batch.rows.iter().zip(outcomes) {
            if !matches!(outcome, RowOutcome::Unknown(_)) {
                continue;
            }
            for (place, value) in &row.values {
                let property =
                    batch.properties.get(usize::from(*place)).map(ToString::to_string).unwrap_or_default();
                seen.in_doubt.insert((row.key.to_string(), property), (self.prints.value(value), until));
            }
        }
    }
}

fn seen_name(mapping: &CheckedMapping, property: NameId) -> String {
    format!("property {} of {}", property.0, mapping.name())
}

/// Records in the air until this is dropped.
struct Aloft {
    watch: Watch,
    side: bool,
    ids: Vec<String>,
}

impl Drop for Aloft {
    fn drop(&mut self) {
        let mut seen = self.watch.seen();
        for id in std::mem::take(&mut self.ids) {
            seen.aloft.remove(&(self.side, id));
        }
    }
}

/// A store whose commits are looked at once they are durable.
#[derive(Debug)]
pub(super) struct WatchedStore {
    pub(super) inner: Box<dyn StateStore>,
    pub(super) watch: Watch,
}

/// A writer whose batches are looked at.
#[derive(Debug)]
pub(super) struct WatchedWriter<W> {
    pub(super) inner: Arc<W>,
    pub(super) watch: Watch,
}

#[async_trait]
impl<W: SourceWriter> SourceWriter for WatchedWriter<W> {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        self.watch.leaves(batch.op, batch.rows.len());
        let id = |row: &sync_types::LeftRow| {
            row.verb.id().map_or_else(|| row.token.to_string(), ToString::to_string)
        };
        let aloft = self.watch.aloft(false, batch.op, batch.rows.iter().map(id).collect());
        let outcomes = self.inner.write(batch).await;
        drop(aloft);
        if let Ok(outcomes) = &outcomes {
            self.watch.answered(batch.rows.len(), outcomes.len());
        }
        outcomes
    }
    fn write_max(&self) -> usize {
        self.inner.write_max()
    }
    fn writes(&self, collection: &sync_types::Collection) -> Writes {
        self.inner.writes(collection)
    }
}

/// A destination whose calls are looked at.
#[derive(Debug)]
pub(super) struct WatchedDestination<D> {
    pub(super) inner: Arc<D>,
    pub(super) watch: Watch,
}

#[async_trait]
impl<D: Destination> Destination for WatchedDestination<D> {
    async fn write(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, DestinationError> {
        self.watch.leaves(batch.op, batch.rows.len());
        self.watch.barrier(batch);
        let ids = batch.rows.iter().map(|row| row.key.to_string()).collect();
        let aloft = self.watch.aloft(true, batch.op, ids);
        let outcomes = self.inner.write(batch).await;
        drop(aloft);
        if let Ok(outcomes) = &outcomes {
            self.watch.answered(batch.rows.len(), outcomes.len());
            self.watch.doubts(batch, outcomes);
        }
        outcomes
    }
    async fn write_edges(&self, batch: &EdgeBatch) -> Result<Vec<EdgeOutcome>, DestinationError> {
        let outcomes = self.inner.write_edges(batch).await;
        if let Ok(outcomes) = &outcomes {
            self.watch.answered(batch.edges.len(), outcomes.len());
        }
        outcomes
    }
    async fn archive(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<EdgeOutcome>, DestinationError> {
        let outcomes = self.inner.archive(object, ids, lane).await;
        if let Ok(outcomes) = &outcomes {
            self.watch.answered(ids.len(), outcomes.len());
        }
        outcomes
    }
    async fn history(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Vec<Vec<Version>>>, DestinationError> {
        self.inner.history(object, ids, properties, lane).await
    }
    async fn fates(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Fate>, DestinationError> {
        self.inner.fates(object, ids, lane).await
    }
    async fn describe(&self, object: &ObjectType) -> Result<Schema, DestinationError> {
        self.inner.describe(object).await
    }
    async fn prepare(&self, joins: &[(ObjectType, ObjectType)], lane: Lane) {
        self.inner.prepare(joins, lane).await;
    }
    async fn list(
        &self,
        object: &ObjectType,
        properties: &[PropertyName],
        after: Option<&str>,
        lane: Lane,
    ) -> Result<ShownPage, DestinationError> {
        self.inner.list(object, properties, after, lane).await
    }
    async fn read(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        self.inner.read(object, ids, properties, lane).await
    }
    async fn read_by_key(
        &self,
        object: &ObjectType,
        key: &PropertyName,
        keys: &[SyncKey],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        self.inner.read_by_key(object, key, keys, properties, lane).await
    }
    async fn read_edges(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Vec<ShownEdge>>, DestinationError> {
        self.inner.read_edges(from, to, ids, lane).await
    }
    fn attachable(&self) -> Vec<ObjectType> {
        self.inner.attachable()
    }
    fn limits(&self) -> Limits {
        self.inner.limits()
    }
    fn forecast(&self, calls: u64) -> Duration {
        self.inner.forecast(calls)
    }
    fn day(&self) -> Option<(u64, u64)> {
        self.inner.day()
    }
}

impl StateStore for WatchedStore {
    fn commit(&mut self, transition: &Transition) -> Result<(), StoreError> {
        self.inner.commit(transition)?;
        if !transition.is_empty() {
            let survivors = |link, record: &RecordId| {
                self.inner.survivors(link, std::slice::from_ref(record)).ok()?.pop().flatten()
            };
            self.watch.committed(transition, &survivors);
        }
        Ok(())
    }
    fn name(&mut self, kind: NameKind, name: &str) -> Result<NameId, StoreError> {
        let id = self.inner.name(kind, name)?;
        self.watch.seen().names.insert(id, name.to_owned());
        Ok(id)
    }
    fn fingerprint_key(&self) -> [u8; 16] {
        self.inner.fingerprint_key()
    }
    fn pairs(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<Pair>>, StoreError> {
        self.inner.pairs(link, ids)
    }
    fn pairs_by_record(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<Pair>>, StoreError> {
        self.inner.pairs_by_record(link, ids)
    }
    fn scan_pairs(&self, link: NameId, after: PairId, max: usize) -> Result<Vec<Pair>, StoreError> {
        self.inner.scan_pairs(link, after, max)
    }
    fn last_pair(&self) -> Result<PairId, StoreError> {
        self.inner.last_pair()
    }
    fn edges_of(&self, pairs: &[PairId]) -> Result<Vec<Vec<Edge>>, StoreError> {
        self.inner.edges_of(pairs)
    }
    fn ready_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        state: EdgeState,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<ReadyEdge>, StoreError> {
        self.inner.ready_edges(rule, to_link, state, after, max)
    }
    fn waiting_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<(EdgePlace, ExternalId)>, StoreError> {
        self.inner.waiting_edges(rule, to_link, after, max)
    }
    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.inner.open_intents()
    }
    fn parked(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<DeadLetter>>, StoreError> {
        self.inner.parked(link, ids)
    }
    fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        self.inner.dead_letters(filter)
    }
    fn conflicts(&self, filter: &ConflictFilter) -> Result<Vec<HeldConflict>, StoreError> {
        self.inner.conflicts(filter)
    }
    fn conflicts_of(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Vec<HeldConflict>>, StoreError> {
        self.inner.conflicts_of(link, ids)
    }
    fn sighted(&self, link: NameId, max: usize) -> Result<Vec<Sighting>, StoreError> {
        self.inner.sighted(link, max)
    }
    fn survivors(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<RecordId>>, StoreError> {
        self.inner.survivors(link, ids)
    }
    fn dirty(&self, link: NameId, max: usize) -> Result<Vec<ExternalId>, StoreError> {
        self.inner.dirty(link, max)
    }
    fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.inner.cursor(name)
    }
    fn runs(&self, max: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.inner.runs(max)
    }
    fn writings(&self, from_run: u64, after: OpId, max: usize) -> Result<Vec<Writing>, StoreError> {
        self.inner.writings(from_run, after, max)
    }
    fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals()
    }
}
