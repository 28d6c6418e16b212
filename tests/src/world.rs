//! A whole engagement in one process: source, mapping, engine, client, portal, in virtual time where a test pauses
//! tokio's clock.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_transport::{Clock, TokioClock};
use hubspot_adapter::{HubSpotDestination, SearchFeed};
use hubspot_client::{Client, Limits};
use hubspot_sandbox::{Portal, PortalConfig};
use mapping_engine::{CheckedMapping, Schemas, check};
use oauth::StaticCredential;
use sync_core::report::RunReport;
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Engine, Options, Parts};
use sync_testkit::{CrashPlan, CrashingDestination, CrashingStore, CrashingWriter, MemorySource};
use sync_types::Feed;
use tempfile::TempDir;

use crate::PortalTransport;

/// The credential of every world's portal.
pub const TOKEN: &str = "pat-test";

/// The secret of every world's state file.
pub const FINGERPRINT_KEY: [u8; 16] = [7; 16];

/// A source, a portal, and all that is between them.
pub struct World {
    /// The customer's system.
    pub source: Arc<MemorySource>,
    /// HubSpot.
    pub portal: Arc<Mutex<Portal>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The checked mapping.
    pub mapping: Arc<CheckedMapping>,
    /// What the client takes the portal's limits to be.
    pub limits: Limits,
    /// Requests that the portal has had from clients of this world.
    pub calls: Arc<AtomicU64>,
    folder: TempDir,
}

impl World {
    /// A world with this mapping, in which `init` has been run.
    ///
    /// # Panics
    /// When the mapping is refused or the portal cannot be provisioned: a test cannot go on.
    pub async fn new(config: PortalConfig, mapping: &str, limits: Limits) -> World {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(start()));
        let mapping = match check("mapping.toml", mapping, Schemas::default()) {
            Ok(mapping) => Arc::new(mapping),
            Err(problems) => broken(&format!("the mapping was refused:\n{problems}")),
        };
        let portal = Arc::new(Mutex::new(Portal::new(config)));
        // In memory where there is such a place: a test loses nothing if the machine stops.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap_or_else(|error| broken(&error.to_string()));
        let world = World {
            source: Arc::new(MemorySource::new()),
            portal,
            clock,
            mapping,
            limits,
            calls: Arc::default(),
            folder,
        };
        let client = world.client();
        let steps = hubspot_adapter::provision::plan(&client, world.mapping.requirements()).await;
        let steps = steps.unwrap_or_else(|error| broken(&error.to_string()));
        if let Err(error) = hubspot_adapter::provision::apply(&client, &steps).await {
            broken(&error.to_string());
        }
        world
    }

    /// The portal's state machine, for faults and assertions.
    pub fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new client of the portal.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_with(TOKEN)
    }

    /// A new client with another credential.
    ///
    /// # Panics
    /// Never: the parts are constant.
    #[must_use]
    pub fn client_with(&self, token: &str) -> Client {
        let transport = PortalTransport::new(Arc::clone(&self.portal), Arc::clone(&self.clock))
            .counting(Arc::clone(&self.calls));
        Client::builder("http://portal.test")
            .transport(Arc::new(transport))
            .clock(Arc::clone(&self.clock))
            .token_provider(Arc::new(credential(token)))
            .limits(self.limits)
            .build()
            .unwrap_or_else(|error| broken(&error.to_string()))
    }

    /// The state file.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
    }

    /// An engine on the world's state file, as a new process would make it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine_with(&CrashPlan::count(), Options::default())
    }

    /// An engine whose durable steps and writes are counted by a crash plan.
    ///
    /// # Panics
    /// When the state file cannot be opened.
    #[must_use]
    pub fn engine_with(&self, crash: &Arc<CrashPlan>, options: Options) -> Engine {
        let destination = Arc::new(HubSpotDestination::new(self.client()));
        let feed = SearchFeed::new(destination, Arc::clone(&self.clock));
        self.engine_over(crash, options, Arc::new(feed))
    }

    /// The same over a feed of the caller's.
    ///
    /// # Panics
    /// When the state file cannot be opened.
    #[must_use]
    pub fn engine_over(&self, crash: &Arc<CrashPlan>, options: Options, feed: Arc<dyn Feed>) -> Engine {
        let binding = Binding { engagement: self.mapping.name().to_owned(), portal: "1".into() };
        let store = SqliteStore::open(&self.state(), &binding, FINGERPRINT_KEY)
            .unwrap_or_else(|error| broken(&error.to_string()));
        let destination = Arc::new(HubSpotDestination::new(self.client()));
        let engine = Engine::new(Parts {
            engagement: self.mapping.name().to_owned(),
            portal: "1".into(),
            mapper: Arc::clone(&self.mapping) as _,
            source: Arc::clone(&self.source) as _,
            writer: Some(Arc::new(CrashingWriter::new(Arc::clone(&self.source), Arc::clone(crash)))),
            destination: Arc::new(CrashingDestination::new(destination, Arc::clone(crash))),
            feed: Some(feed),
            store: Box::new(CrashingStore::new(store, Arc::clone(crash))),
            clock: Arc::clone(&self.clock),
            options,
        });
        engine.unwrap_or_else(|error| broken(&error.to_string()))
    }

    /// One run of a new engine. Checks that its numbers add up.
    ///
    /// # Panics
    /// When the store fails or a record is in no class.
    pub async fn run(&self) -> RunReport {
        let report = self.engine().run_once().await.unwrap_or_else(|error| broken(&error.to_string()));
        World::adds_up(&report);
        report
    }

    /// Checks that a report's numbers add up.
    ///
    /// # Panics
    /// When a record is in no class, or in two.
    pub fn adds_up(report: &RunReport) {
        for link in &report.links {
            if link.unexplained() != 0 {
                broken(&format!("{} records of {} are in no class: {link:?}", link.unexplained(), link.link));
            }
        }
    }
}

fn credential(token: &str) -> StaticCredential {
    StaticCredential::new(&token.into()).unwrap_or_else(|error| broken(&error.to_string()))
}

fn start() -> jiff::Timestamp {
    // A Wednesday at 09:00 UTC.
    jiff::Timestamp::from_second(1_772_615_000).unwrap_or_default()
}

#[allow(clippy::panic, reason = "a test's world fails by panicking, like an assertion")]
pub(crate) fn broken(why: &str) -> ! {
    panic!("{why}")
}
