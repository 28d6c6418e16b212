//! An engine over the simulated world, as each new process would make it: everything in between is watched, and may be
//! in the way.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hubspot_adapter::{HubSpotDestination, SearchFeed};
use hubspot_client::Client;
use jiff::{SignedDuration, Timestamp};
use oauth::StaticCredential;
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Engine, EngineError, Options, Parts};
use sync_testkit::{CrashPlan, CrashingDestination, CrashingStore, CrashingWriter, Memory, MemorySource};
use sync_types::{
    Abilities, ChangesPage, ChangesRequest, Clock, Collection, DestinationError, ExternalId, Feed, FeedPage,
    FeedSees, Lane, LeftBatch, LeftOutcome, ObjectType, Page, ReadRequest, Record, Rejection, Schema, Source,
    SourceError, SourceErrorKind, SourceWriter, StateStore, StoreError, Writes,
};

use super::StoreKind;
use super::watch::{Watch, WatchedDestination, WatchedStore, WatchedWriter};
use crate::world::broken;
use crate::{FINGERPRINT_KEY, PortalTransport, TOKEN, World};

/// What is in the way on the left and in the feed, drawn for each run. Counts say how many calls go well before, and
/// `u32::MAX` that it does not happen.
#[derive(Debug)]
pub(super) struct Obstacles {
    /// Reads of the source until one fails.
    pub(super) unread: AtomicU32,
    /// Writes to the source until the answer of one is lost.
    pub(super) left_lost: AtomicU32,
    /// Writes to the source until one never arrives.
    pub(super) left_vanishes: AtomicU32,
    /// Writes to the source until one is refused, row by row.
    pub(super) left_refused: AtomicU32,
    /// Readings of the feed until one has lost sight of what happened.
    pub(super) gap: AtomicU32,
}

impl Default for Obstacles {
    fn default() -> Obstacles {
        let never = || AtomicU32::new(u32::MAX);
        Obstacles {
            unread: never(),
            left_lost: never(),
            left_vanishes: never(),
            left_refused: never(),
            gap: never(),
        }
    }
}

impl Obstacles {
    pub(super) fn clear(&self) {
        for count in [&self.unread, &self.left_lost, &self.left_vanishes, &self.left_refused, &self.gap] {
            count.store(u32::MAX, Ordering::SeqCst);
        }
    }

    /// Counts a call; says whether it is the one.
    fn is_now(count: &AtomicU32) -> bool {
        match count.load(Ordering::SeqCst) {
            u32::MAX => false,
            0 => {
                count.store(u32::MAX, Ordering::SeqCst);
                true
            }
            left => {
                count.store(left - 1, Ordering::SeqCst);
                false
            }
        }
    }
}

/// What engines are made of.
pub(super) struct Machine {
    pub(super) world: World,
    pub(super) watch: Watch,
    pub(super) obstacles: Arc<Obstacles>,
    /// HubSpot's clock, which is not quite ours.
    pub(super) portal_clock: Arc<dyn Clock>,
    is_prompt: bool,
    memory: Option<Memory>,
}

impl Machine {
    pub(super) fn new(world: World, store: StoreKind, skew: SignedDuration, is_prompt: bool) -> Machine {
        let watch = Watch::new(&world);
        let memory = (store == StoreKind::Memory).then(|| Memory::new(FINGERPRINT_KEY));
        let portal_clock = Arc::new(Skewed { inner: Arc::clone(&world.clock), by: skew });
        Machine { world, watch, obstacles: Arc::default(), portal_clock, is_prompt, memory }
    }

    /// The state, opened.
    pub(super) fn store(&self) -> Result<Box<dyn StateStore>, StoreError> {
        if let Some(memory) = &self.memory {
            return Ok(Box::new(memory.open()?));
        }
        let binding = Binding { engagement: self.world.mapping.name().to_owned(), portal: "1".into() };
        Ok(Box::new(SqliteStore::open(&self.world.state(), &binding, FINGERPRINT_KEY)?))
    }

    /// Whether the state holds these bytes, followed by a digit.
    pub(super) fn state_holds(&self, mark: &str) -> bool {
        let holds = |bytes: &[u8]| {
            let mark = mark.as_bytes();
            bytes.windows(mark.len() + 1).any(|at| at.starts_with(mark) && at[mark.len()].is_ascii_digit())
        };
        match &self.memory {
            Some(memory) => holds(memory.dump().as_bytes()),
            None => {
                let files = [self.world.state(), self.world.state().with_extension("sqlite-wal")];
                files.iter().any(|file| holds(&std::fs::read(file).unwrap_or_default()))
            }
        }
    }

    /// A new engine, as a new process would make it.
    pub(super) fn engine(&self, plan: &Arc<CrashPlan>, options: Options) -> Result<Engine, EngineError> {
        let world = &self.world;
        let store = self.store().unwrap_or_else(|error| broken(&error.to_string()));
        let store = WatchedStore { inner: store, watch: self.watch.clone() };
        let destination = Arc::new(HubSpotDestination::new(self.client()));
        let feed = SearchFeed::new(Arc::clone(&destination), Arc::clone(&world.clock));
        let watched = WatchedDestination { inner: destination, watch: self.watch.clone() };
        let (source, obstacles) = (Arc::clone(&world.source), Arc::clone(&self.obstacles));
        let left = Arc::new(Obstructed { source, obstacles });
        let writer = Arc::new(WatchedWriter { inner: Arc::clone(&left), watch: self.watch.clone() });
        Engine::new(Parts {
            engagement: world.mapping.name().to_owned(),
            portal: "1".into(),
            mapper: Arc::clone(&world.mapping) as _,
            source: left,
            writer: Some(Arc::new(CrashingWriter::new(writer, Arc::clone(plan)))),
            destination: Arc::new(CrashingDestination::new(Arc::new(watched), Arc::clone(plan))),
            feed: Some(Arc::new(Forgetful {
                inner: feed,
                is_prompt: self.is_prompt,
                clock: Arc::clone(&world.clock),
                obstacles: Arc::clone(&self.obstacles),
            })),
            store: Box::new(CrashingStore::new(store, Arc::clone(plan))),
            clock: Arc::clone(&world.clock),
            options,
        })
    }

    /// A client of the portal, as every engine has one.
    pub(super) fn client(&self) -> Client {
        let credential =
            StaticCredential::new(&TOKEN.into()).unwrap_or_else(|error| broken(&error.to_string()));
        let transport = PortalTransport::new(Arc::clone(&self.world.portal), Arc::clone(&self.portal_clock));
        Client::builder("http://portal.test")
            .transport(Arc::new(transport))
            .clock(Arc::clone(&self.world.clock))
            .token_provider(Arc::new(credential))
            .limits(self.world.limits)
            .build()
            .unwrap_or_else(|error| broken(&error.to_string()))
    }
}

/// A clock that goes wrong by so much: HubSpot's, seen from ours.
struct Skewed {
    inner: Arc<dyn Clock>,
    by: SignedDuration,
}

impl fmt::Debug for Skewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Skewed")
    }
}

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let now = self.inner.now();
        now.checked_add(self.by).unwrap_or(now)
    }
    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
    async fn sleep(&self, wait: Duration) {
        self.inner.sleep(wait).await;
    }
}

/// A source that fails now and then.
#[derive(Debug)]
struct Obstructed {
    source: Arc<MemorySource>,
    obstacles: Arc<Obstacles>,
}

impl Obstructed {
    fn read_or_fail(&self) -> Result<(), SourceError> {
        if Obstacles::is_now(&self.obstacles.unread) {
            return Err(SourceError::new(SourceErrorKind::Unavailable, "the source cannot be read now"));
        }
        Ok(())
    }
}

#[async_trait]
impl Source for Obstructed {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        self.source.describe().await
    }
    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        self.read_or_fail()?;
        self.source.read_page(request).await
    }
    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        self.read_or_fail()?;
        self.source.read(collection, ids).await
    }
    fn abilities(&self, collection: &Collection) -> Abilities {
        self.source.abilities(collection)
    }
    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        self.source.changes(request).await
    }
}

#[async_trait]
impl SourceWriter for Obstructed {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        if Obstacles::is_now(&self.obstacles.left_refused) {
            let why = Rejection {
                code: "locked".into(),
                property: None,
                reason: "somebody is at work on it".into(),
                holder: None,
                correlation: None,
            };
            return Ok(batch.rows.iter().map(|_| LeftOutcome::Rejected(why.clone())).collect());
        }
        let unknown = || LeftOutcome::Unknown("the answer was lost".into());
        if Obstacles::is_now(&self.obstacles.left_vanishes) {
            return Ok(batch.rows.iter().map(|_| unknown()).collect());
        }
        let outcomes = self.source.write(batch).await?;
        if Obstacles::is_now(&self.obstacles.left_lost) {
            return Ok(outcomes.iter().map(|_| unknown()).collect());
        }
        Ok(outcomes)
    }
    fn write_max(&self) -> usize {
        self.source.write_max()
    }
    fn writes(&self, collection: &Collection) -> Writes {
        self.source.writes(collection)
    }
}

/// A feed that now and then has lost sight of what happened, as a journal has of what is older than it keeps; and says
/// so.
struct Forgetful {
    inner: SearchFeed,
    /// Whether it tells of a change once, and not for as long as an index might lag.
    is_prompt: bool,
    clock: Arc<dyn Clock>,
    obstacles: Arc<Obstacles>,
}

impl fmt::Debug for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forgetful")
    }
}

#[async_trait]
impl Feed for Forgetful {
    fn sees(&self) -> FeedSees {
        self.inner.sees()
    }
    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        let from = after.and_then(|cursor| cursor.split(' ').next()?.parse().ok());
        if let Some(from) = from.filter(|_| Obstacles::is_now(&self.obstacles.gap)) {
            // What is younger than HubSpot's clock may be wrong by is told later all the same.
            let until = self.clock.now().checked_sub(SignedDuration::from_mins(10)).unwrap_or(from);
            let until = until.max(from);
            let cursor = until.to_string();
            return Ok(FeedPage { changes: Vec::new(), cursor, caught_up: true, gap: Some((from, until)) });
        }
        let page = self.inner.changes(object, after, lane).await?;
        if !self.is_prompt {
            return Ok(page);
        }
        // As a journal, it tells once what happened: no longer ago than an index lags and a clock is wrong.
        let until = self.clock.now().checked_sub(SignedDuration::from_mins(20)).unwrap_or_default();
        let place = page.cursor.split(' ').next().and_then(|place| place.parse().ok());
        let cursor = place
            .filter(|place: &Timestamp| *place >= until)
            .map_or(until.to_string(), |_| page.cursor.clone());
        Ok(FeedPage { cursor, ..page })
    }
}
