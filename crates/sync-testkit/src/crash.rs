//! Crash points: stop everything before or after the n-th durable step, as a killed process would.
//!
//! After the crash nothing has any effect any more: the store refuses, the destination never answers. The test
//! drops the engine and starts another on the same store.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sync_types::{
    Collection, ConflictFilter, DeadLetter, DeadLetterFilter, Destination, DestinationError,
    DestinationErrorKind, Edge, EdgeBatch, EdgeOutcome, EdgePlace, EdgeState, ExternalId, Fate, HeldConflict,
    Intent, Lane, LeftBatch, LeftOutcome, Limits, NameId, NameKind, ObjectType, OpId, Pair, PairId,
    PropertyName, ReadyEdge, RecordId, RowOutcome, RunRecord, Schema, Shown, ShownEdge, ShownPage, Sighting,
    SourceError, SourceErrorKind, SourceWriter, StateStore, StoreError, StoreErrorKind, SyncKey, Totals,
    Transition, Version, WriteBatch, Writes, Writing,
};
use tokio::sync::Notify;

/// Where to crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The step, counted from 0 over commits and writes together.
    pub step: u64,
    /// On which side of it.
    pub when: When,
}

/// On which side of a step a crash falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The step has no effect.
    Before,
    /// The step has its full effect, but nobody hears of it.
    After,
    /// The step has no effect and says so; the process lives.
    Fails,
    /// The step has its effect a minute late; the process lives. A commit is never late.
    Late,
}

/// By how much [`When::Late`] is late.
const LATE: Duration = Duration::from_secs(60);

/// What is done right before a step: what other people do at an unlucky moment.
type Deed = Box<dyn FnMut(&'static str) + Send>;

/// Counts steps and crashes at one of them. Shared by the store and the destination of one engine.
#[derive(Default)]
pub struct CrashPlan {
    crash: Option<Crash>,
    steps: AtomicU64,
    crashed: AtomicBool,
    bell: Notify,
    names: Mutex<Vec<&'static str>>,
    deed: Mutex<Option<Deed>>,
}

impl std::fmt::Debug for CrashPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashPlan")
            .field("crash", &self.crash)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl CrashPlan {
    /// Counts steps and never crashes.
    #[must_use]
    pub fn count() -> Arc<CrashPlan> {
        Arc::new(CrashPlan::default())
    }

    /// Crashes there.
    #[must_use]
    pub fn at(crash: Crash) -> Arc<CrashPlan> {
        Arc::new(CrashPlan { crash: Some(crash), ..CrashPlan::default() })
    }

    /// Crashes there, if anywhere, and does this, if anything, right before each step.
    #[must_use]
    pub fn new(crash: Option<Crash>, deed: Option<Box<dyn FnMut(&'static str) + Send>>) -> Arc<CrashPlan> {
        Arc::new(CrashPlan { crash, deed: Mutex::new(deed), ..CrashPlan::default() })
    }

    /// Never crashes, and does this right before each step, by the step's name.
    #[must_use]
    pub fn before_each(deed: impl FnMut(&'static str) + Send + 'static) -> Arc<CrashPlan> {
        Arc::new(CrashPlan { deed: Mutex::new(Some(Box::new(deed))), ..CrashPlan::default() })
    }

    /// Steps so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// What each step so far was: `commit`, `write` or `write edges`.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once the crash has happened.
    pub async fn crashed(&self) {
        loop {
            let rung = self.bell.notified();
            if self.crashed.load(Ordering::SeqCst) {
                return;
            }
            rung.await;
        }
    }

    /// Whether a step has failed, and the process lives.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let step = self.crash.filter(|crash| crash.when == When::Fails).map(|crash| crash.step);
        step.is_some_and(|step| self.steps() > step)
    }

    /// Whether the crash has happened.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.crashed.load(Ordering::SeqCst)
    }

    /// Counts a step; says on which side of it to crash, if at all.
    fn step(&self, name: &'static str) -> Option<When> {
        if let Some(deed) = self.deed.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            deed(name);
        }
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        self.crash.filter(|crash| crash.step == step).map(|crash| crash.when)
    }

    fn die(&self) {
        self.crashed.store(true, Ordering::SeqCst);
        self.bell.notify_waiters();
    }
}

/// A store that dies at its plan's step.
#[derive(Debug)]
pub struct CrashingStore<S> {
    inner: S,
    plan: Arc<CrashPlan>,
}

impl<S: StateStore> CrashingStore<S> {
    /// Wraps a store.
    pub fn new(inner: S, plan: Arc<CrashPlan>) -> CrashingStore<S> {
        CrashingStore { inner, plan }
    }
}

fn dead() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "crashed by the test")
}

impl<S: StateStore> StateStore for CrashingStore<S> {
    fn commit(&mut self, transition: &Transition) -> Result<(), StoreError> {
        if self.plan.is_dead() {
            return Err(dead());
        }
        if transition.is_empty() {
            return self.inner.commit(transition);
        }
        match self.plan.step("commit") {
            None | Some(When::Late) => self.inner.commit(transition),
            Some(When::Fails) => Err(StoreError::new(StoreErrorKind::Io, "failed by the test")),
            Some(when) => {
                if when == When::After {
                    self.inner.commit(transition)?;
                }
                self.plan.die();
                Err(dead())
            }
        }
    }

    fn fingerprint_key(&self) -> [u8; 16] {
        self.inner.fingerprint_key()
    }
    fn name(&mut self, kind: NameKind, name: &str) -> Result<NameId, StoreError> {
        self.inner.name(kind, name)
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

/// A destination whose writes are steps of a plan.
#[derive(Debug)]
pub struct CrashingDestination<D> {
    inner: Arc<D>,
    plan: Arc<CrashPlan>,
}

impl<D: Destination> CrashingDestination<D> {
    /// Wraps a destination.
    pub fn new(inner: Arc<D>, plan: Arc<CrashPlan>) -> CrashingDestination<D> {
        CrashingDestination { inner, plan }
    }

    async fn step<T: Send>(
        &self,
        name: &'static str,
        write: impl Future<Output = Result<T, DestinationError>> + Send,
    ) -> Result<T, DestinationError> {
        step(&self.plan, name, write, unavailable).await
    }
}

#[allow(clippy::disallowed_methods, reason = "plans are for tests, whose time is tokio's")]
async fn late() {
    tokio::time::sleep(LATE).await;
}

/// Does a write as a step of the plan: not at all, late, or with nobody left to take its answer, where the crash falls.
async fn step<T: Send, E: Send>(
    plan: &CrashPlan,
    name: &'static str,
    write: impl Future<Output = Result<T, E>> + Send,
    failed: impl FnOnce() -> E + Send,
) -> Result<T, E> {
    if plan.is_dead() {
        return pending().await;
    }
    match plan.step(name) {
        None => write.await,
        Some(When::Fails) => Err(failed()),
        Some(When::Late) => {
            late().await;
            write.await
        }
        Some(when) => {
            if when == When::After {
                drop(write.await);
            }
            plan.die();
            pending().await
        }
    }
}

fn unavailable() -> DestinationError {
    DestinationError::new(DestinationErrorKind::Unavailable, "failed by the test")
}

/// A source's writer whose writes are steps of a plan.
#[derive(Debug)]
pub struct CrashingWriter<W> {
    inner: Arc<W>,
    plan: Arc<CrashPlan>,
}

impl<W: SourceWriter> CrashingWriter<W> {
    /// Wraps a writer.
    pub fn new(inner: Arc<W>, plan: Arc<CrashPlan>) -> CrashingWriter<W> {
        CrashingWriter { inner, plan }
    }
}

#[async_trait]
impl<W: SourceWriter> SourceWriter for CrashingWriter<W> {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        let failed = || SourceError::new(SourceErrorKind::Unavailable, "failed by the test");
        step(&self.plan, "write left", self.inner.write(batch), failed).await
    }
    fn write_max(&self) -> usize {
        self.inner.write_max()
    }
    fn writes(&self, collection: &Collection) -> Writes {
        self.inner.writes(collection)
    }
}

#[async_trait]
impl<D: Destination> Destination for CrashingDestination<D> {
    async fn write(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, DestinationError> {
        self.step("write", self.inner.write(batch)).await
    }
    async fn write_edges(&self, batch: &EdgeBatch) -> Result<Vec<EdgeOutcome>, DestinationError> {
        self.step("write edges", self.inner.write_edges(batch)).await
    }
    async fn archive(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<EdgeOutcome>, DestinationError> {
        self.step("archive", self.inner.archive(object, ids, lane)).await
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
