//! From an edit in HubSpot to the change at the source: the whole way in one process, measured.
//!
//! The portal tells by webhooks or writes its journal; what comes in waits in an inbox; a worker makes a pass at news,
//! as `serve` does; a person edits all the while. In virtual time where tokio's clock is paused, in real time else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engagement::service::{Ended, Pace, Pass, Signals, Why, keep_up};
use http_body_util::Full;
use http_transport::SplitMix64;
use hubspot_adapter::{HubSpotDestination, HubSpotJournal, HubSpotPush, RepairedFeed, SearchFeed};
use hubspot_client::Limits;
use hubspot_sandbox::{Limits as PortalLimits, PortalConfig, WebhookApp, WebhookFaults, WebhookSignature};
use sync_core::Options;
use sync_core::report::RunReport;
use sync_testkit::CrashPlan;
use sync_types::{DestinationError, Feed, FeedPage, FeedSees, Lane, ObjectType};
use tokio::sync::watch;
use webhooks::{
    AppId, Endpoint, Inbox as _, InboxFeed, JournalReader, JournalSettings, JournalSubscriptionApi as _,
    PortalId, PushSettings, PushSubscriptionApi as _, Receiver, SqliteInbox, Surplus, Verifier, Wanted,
    apply_journal, apply_push, plan_journal, plan_push,
};

use crate::world::broken;
use crate::{PortalTransport, TOKEN, World};

/// The app that the portal's one credential belongs to.
const APP: u64 = 1_000_001;
const TARGET: &str = "https://hooks.example.com/webhooks";
const HOST: &str = "hooks.example.com";
const SECRET: &str = "the secret of the app";

/// How often the measuring looks, and so how exact it is.
const LOOK: Duration = Duration::from_millis(10);

/// How often the journal is asked, as `serve` does.
const POLL: Duration = Duration::from_secs(2);

const MAPPING: &str = r#"
[mapping]
name = "heard"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "heard_key"
match = ["email"]
direction = "both"
creates = "both"
on_delete = { source = "delete", hubspot = "delete", conflict = "edit" }
fields = [
    { from = "email", to = "email", transform = ["email"], conflict = "source" },
    { from = "name", to = "lastname", conflict = "source" },
    { from = "city", to = "city", conflict = "hubspot" },
]
"#;

/// Which way changes are heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Webhooks.
    Push,
    /// The journal.
    Journal,
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Which way.
    pub by: By,
    /// What becomes of webhooks.
    pub faults: WebhookFaults,
    /// People that there are.
    pub people: usize,
    /// Edits in HubSpot, of one person each.
    pub edits: usize,
    /// How many people are deleted in HubSpot after that.
    pub deletions: usize,
    /// The average pause between two edits.
    pub pause: Duration,
    /// How often search looks for what was not told.
    pub repair: Duration,
    /// How often all ids are read.
    pub sweep: Duration,
    /// Chance.
    pub seed: u64,
}

impl Trial {
    /// A quiet day: nothing is lost.
    #[must_use]
    pub fn calm(by: By) -> Trial {
        Trial {
            by,
            faults: WebhookFaults::default(),
            people: 300,
            edits: 200,
            deletions: 0,
            pause: Duration::from_millis(1_500),
            repair: Duration::from_secs(300),
            sweep: Duration::from_secs(900),
            seed: 1,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// How long each edit took to arrive, shortest first.
    pub took: Vec<Duration>,
    /// How long each deletion took.
    pub deleted: Vec<Duration>,
    /// Events that the portal dropped.
    pub dropped: u64,
    /// Events that it sent twice.
    pub duplicated: u64,
    /// Passes that were made.
    pub passes: u64,
}

impl Arrivals {
    /// The time within which this share of the edits arrived; nothing if there was none.
    #[must_use]
    pub fn within(&self, share: f64) -> Duration {
        let rank = (self.took.len() as f64 * share).ceil().max(1.0);
        let at = self.took.iter().enumerate().find(|(index, _)| (index + 1) as f64 >= rank);
        at.map_or(Duration::ZERO, |(_, took)| *took)
    }
}

/// Makes a world, lets a person edit in HubSpot, and waits until everything has arrived at the source, at most `wait`
/// after the last edit.
///
/// # Panics
/// When something has not arrived by then, or the world breaks.
pub async fn measure(trial: &Trial, wait: Duration) -> Arrivals {
    let world = Heard::new(trial).await;
    let (stop, stopped) = watch::channel(false);
    let signals = Signals {
        news: world.inbox.arrivals_of(world.portal_id),
        source: watch::channel(0).1,
        asked: watch::channel(0).1,
        stop: stopped.clone(),
    };
    let pace = Pace::every(Duration::from_secs(60));
    let mut pass = world.pass(trial);
    let measured = async {
        // The first pass settles what the making of the world has told.
        world.world.clock.sleep(Duration::from_secs(30)).await;
        let arrivals = world.edits(trial, wait).await;
        stop.send_replace(true);
        arrivals
    };
    let (mut arrivals, (), (), ()) = tokio::join!(
        measured,
        keep_up(pace, world.world.clock.clone(), signals, &mut pass),
        world.carry(stopped.clone()),
        world.read(stopped.clone()),
    );
    arrivals.passes = pass.made;
    arrivals
}

struct Heard {
    world: World,
    portal_id: PortalId,
    inbox: Arc<SqliteInbox>,
    receiver: Receiver,
    reader: Option<JournalReader>,
}

impl Heard {
    async fn new(trial: &Trial) -> Heard {
        let config = PortalConfig { limits: PortalLimits::Off, ..PortalConfig::new(TOKEN) };
        let portal_id = PortalId(config.portal_id);
        let world = World::new(config, MAPPING, Limits::unlimited()).await;
        world.source.collection("people", &["email", "name", "city"]);
        for n in 0..trial.people {
            let row = vec![format!("p{n}@example.com").into(), format!("Person {n}").into(), "Bonn".into()];
            world.source.put("people", &id_of(n), row);
        }
        // The first load, and a second run that finds nothing to do.
        for _ in 0..2 {
            world.run().await;
            world.clock.sleep(Duration::from_secs(10)).await;
        }
        let inbox = Arc::new(SqliteInbox::in_memory().unwrap_or_else(|error| broken(&error.to_string())));
        let endpoint = Endpoint::at(TARGET).unwrap_or_else(|error| broken(&error.to_string()));
        let verifier = Verifier::new(vec![SECRET.into()]);
        let receiver = Receiver::new(endpoint, verifier, inbox.clone(), world.clock.clone());
        let mut heard = Heard { world, portal_id, inbox, receiver, reader: None };
        heard.subscribe(trial).await.unwrap_or_else(|error| broken(&error));
        heard
    }

    async fn subscribe(&mut self, trial: &Trial) -> Result<(), String> {
        let wanted = [Wanted::lifecycle("0-1").with_properties(["email", "lastname", "city"])];
        let said = |error: webhooks::SubscriptionError| error.to_string();
        {
            let mut portal = self.world.portal();
            portal.set_webhook_app(WebhookApp {
                app_id: APP,
                client_secret: SECRET.to_owned(),
                developer_key: None,
                signature: WebhookSignature::V3,
            });
            portal.set_webhook_faults(trial.faults);
        }
        match trial.by {
            By::Push => {
                let api = HubSpotPush::new(self.world.client(), APP);
                let settings = PushSettings { target_url: TARGET.to_owned(), concurrent_max: 10 };
                let there = api.list().await.map_err(said)?;
                let plan = plan_push(&settings, &wanted, None, &there, Surplus::Keep).map_err(said)?;
                apply_push(&plan, &api).await.map_err(said)
            }
            By::Journal => {
                let clock = self.world.clock.clone();
                let files = PortalTransport::new(self.world.portal.clone(), clock.clone());
                let api = HubSpotJournal::new(self.world.client(), Arc::new(files));
                let plan = plan_journal(self.portal_id, &wanted, &api.list().await.map_err(said)?);
                apply_journal(&plan, &api).await.map_err(said)?;
                let (store, settings) = (self.inbox.clone(), JournalSettings::new("heard"));
                self.reader = Some(JournalReader::new(Arc::new(api), store, clock, settings));
                Ok(())
            }
        }
    }

    /// What a worker does for this portal, with feeds that live as long as it.
    fn pass(&self, trial: &Trial) -> EnginePass<'_> {
        let clock = &self.world.clock;
        let types = BTreeMap::from([("contacts".into(), "0-1".into())]);
        let inbox =
            InboxFeed::new(self.inbox.clone(), self.portal_id, &types, vec![AppId(APP)], clock.clone());
        let inbox = if trial.by == By::Journal { inbox.from_journal() } else { inbox };
        let destination = Arc::new(HubSpotDestination::new(self.world.client()));
        let search = Arc::new(SearchFeed::new(destination, clock.clone()));
        let feed = RepairedFeed::new(Some(Arc::new(Still(inbox))), search, trial.repair, clock.clone());
        EnginePass { world: &self.world, feed: Arc::new(feed), sweep: trial.sweep, swept: None, made: 0 }
    }

    /// Carries webhooks to the receiver as they become due, many at a time.
    async fn carry(&self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let now = self.world.clock.now();
            let due = self.world.portal().webhook_requests(now);
            for request in due {
                let (mut head, body) = request.request.into_parts();
                head.headers.insert("host", http::HeaderValue::from_static(HOST));
                head.uri = head.uri.path().parse().unwrap_or_default();
                let called = http::Request::from_parts(head, Full::new(body));
                let answer = still(self.receiver.receive(called)).await;
                let now = self.world.clock.now();
                self.world.portal().webhook_answered(now, request.id, Some(answer.status().as_u16()));
            }
            self.world.clock.sleep(LOOK).await;
        }
    }

    /// Reads the journal as it grows.
    async fn read(&self, stop: watch::Receiver<bool>) {
        let Some(reader) = &self.reader else { return };
        while !*stop.borrow() {
            let progress = still(reader.step()).await.unwrap_or_else(|error| broken(&error.to_string()));
            if progress.caught_up {
                self.world.clock.sleep(POLL).await;
            }
        }
    }

    /// Edits one person after another, then deletes some, and notes when each change is at the source.
    async fn edits(&self, trial: &Trial, wait: Duration) -> Arrivals {
        let clock = &self.world.clock;
        let records = self.records();
        let chance = SplitMix64::new(trial.seed);
        let mut open: Vec<(String, String, Duration)> = Vec::new();
        let mut arrivals =
            Arrivals { took: Vec::new(), deleted: Vec::new(), dropped: 0, duplicated: 0, passes: 0 };
        for n in 0..trial.edits {
            let (id, value) = (id_of(n % trial.people), format!("city {n}"));
            let record = records.get(&id).copied().unwrap_or_else(|| broken("a person has no contact"));
            // Another edit of the same person would hide whether the first one arrived.
            while open.iter().any(|(other, ..)| *other == id) {
                self.look(&mut open, &mut arrivals.took);
                clock.sleep(LOOK).await;
            }
            let edited =
                self.world.portal().edit_as_user(clock.now(), "contacts", record, [("city", &*value)]);
            if edited.is_err() {
                broken("a contact cannot be edited");
            }
            open.push((id, value, clock.monotonic()));
            let pause = trial.pause.mul_f64(2.0 * (chance.next_u64() % 1_000) as f64 / 1_000.0);
            let until = clock.monotonic() + pause;
            while clock.monotonic() < until {
                self.look(&mut open, &mut arrivals.took);
                clock.sleep(LOOK.min(until.saturating_sub(clock.monotonic()))).await;
            }
        }
        let mut gone: Vec<(String, Duration)> = Vec::new();
        for n in (0..trial.people).rev().take(trial.deletions) {
            let record = records.get(&id_of(n)).copied().unwrap_or_default();
            if self.world.portal().archive_record(clock.now(), "contacts", record).is_err() {
                broken("a contact cannot be deleted");
            }
            gone.push((id_of(n), clock.monotonic()));
        }
        let until = clock.monotonic() + wait;
        while !open.is_empty() || !gone.is_empty() {
            self.look(&mut open, &mut arrivals.took);
            gone.retain(|(id, at)| {
                let is_there = self.world.source.get("people", id).is_some();
                if !is_there {
                    arrivals.deleted.push(clock.monotonic().saturating_sub(*at));
                }
                is_there
            });
            if clock.monotonic() > until {
                broken(&format!(
                    "{} edits and {} deletions did not arrive: {open:?}",
                    open.len(),
                    gone.len()
                ));
            }
            clock.sleep(LOOK).await;
        }
        arrivals.took.sort();
        let stats = self.world.portal().webhook_stats();
        Arrivals { dropped: stats.dropped, duplicated: stats.duplicated, ..arrivals }
    }

    /// Takes out what has arrived.
    fn look(&self, open: &mut Vec<(String, String, Duration)>, took: &mut Vec<Duration>) {
        let now = self.world.clock.monotonic();
        open.retain(|(id, value, at)| {
            let row = self.world.source.get("people", id).unwrap_or_default();
            let has_arrived = row.get(2).is_some_and(|city| city.reveal().to_string() == *value);
            if has_arrived {
                took.push(now.saturating_sub(*at));
            }
            !has_arrived
        });
    }

    /// Contacts by the ids of their people.
    fn records(&self) -> BTreeMap<String, u64> {
        let page = self.world.portal().records("contacts", 0, 100_000);
        let contacts = page.map(|page| page.records).unwrap_or_default();
        let one = |contact: hubspot_sandbox::StoredRecord| {
            let name = contact.properties.get("email")?.strip_prefix('p')?.split('@').next()?.parse().ok()?;
            Some((id_of(name), contact.id))
        };
        contacts.into_iter().filter_map(one).collect()
    }
}

fn id_of(n: usize) -> String {
    format!("P{n:05}")
}

/// Does work that waits for another thread, without which a paused clock would run on: to it a runtime with nothing to
/// do but wait is one that waits for time.
async fn still<T>(work: impl Future<Output = T>) -> T {
    let (working, done) = std::sync::mpsc::channel::<()>();
    // While a blocking task runs, tokio lets a paused clock stand.
    let held = tokio::task::spawn_blocking(move || done.recv().is_ok());
    let result = work.await;
    drop(working);
    drop(held.await);
    result
}

/// A feed whose inbox has a thread of its own.
#[derive(Debug)]
struct Still(InboxFeed);

#[async_trait]
impl Feed for Still {
    fn sees(&self) -> FeedSees {
        self.0.sees()
    }
    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        still(self.0.changes(object, after, lane)).await
    }
}

/// A pass of the engine, as a worker of `serve` makes it.
struct EnginePass<'w> {
    world: &'w World,
    feed: Arc<RepairedFeed>,
    sweep: Duration,
    swept: Option<Duration>,
    made: u64,
}

impl EnginePass<'_> {
    async fn run(&mut self) -> RunReport {
        let now = self.world.clock.monotonic();
        let mut options = Options::default();
        options.sweep = self.swept.is_none_or(|at| now.saturating_sub(at) >= self.sweep);
        if options.sweep {
            self.swept = Some(now);
        }
        let feed: Arc<dyn Feed> = self.feed.clone();
        let mut engine = self.world.engine_over(&CrashPlan::count(), options, feed);
        engine.run_once().await.unwrap_or_else(|error| broken(&error.to_string()))
    }
}

#[async_trait(?Send)]
impl Pass for EnginePass<'_> {
    async fn pass(&mut self, _: Why) -> Ended {
        self.made += 1;
        let report = self.run().await;
        World::adds_up(&report);
        if report.halted.is_none() { Ended::Well } else { Ended::Badly }
    }
}
