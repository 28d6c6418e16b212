//! What keeping two sides in step costs: calls, time and state, by how much there is and by how much has changed.
//!
//! Source and portal are in this process and time is virtual, so that a call is a function call and the engine's own work
//! is what takes time. Calls are exact: they are the same on every machine.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the machine's own clock")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hubspot_client::Limits;
use hubspot_sandbox::{Limits as PortalLimits, PortalConfig, Stats};
use jiff::SignedDuration;
use sync_core::{Options, PlanSink};
use sync_testkit::{CrashPlan, SourceCalls};
use sync_types::{Clock, DestinationError, Feed, FeedPage, FeedSees, Lane, ObjectType, Value};

use crate::world::broken;
use crate::{TOKEN, World};

/// Fields that flow both ways, the e-mail address among them.
pub const FIELDS: usize = 20;

/// The time that passes between two runs: enough for the search index, whatever the portal's mood.
const PAUSE: Duration = Duration::from_secs(2 * 3600);

/// The time between two edits of people.
const BETWEEN: Duration = Duration::from_millis(700);

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub struct Cycle {
    /// Calls of HubSpot.
    pub hubspot: Stats,
    /// Calls of the source.
    pub source: SourceCalls,
    /// Records written in HubSpot and in the source.
    pub written: (u64, u64),
    /// How long it took on this machine.
    pub seconds: f64,
}

/// What one world came to.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Pairs in it.
    pub pairs: usize,
    /// Records changed on each side before each measured run.
    pub changed: usize,
    /// How long the first load took.
    pub load_seconds: f64,
    /// The size of the state file.
    pub state_bytes: u64,
    /// How long it took to plan when nothing had changed: everything is read and compared.
    pub plan_seconds: f64,
    /// A run in which nothing had changed.
    pub idle: Cycle,
    /// A run with changes on each side.
    pub both: Cycle,
    /// The run after it, which meets what we wrote ourselves.
    pub echo: Cycle,
    /// A run with as many changes that does not look up what its writes have overwritten.
    pub unaudited: Cycle,
}

impl Figures {
    /// Calls of HubSpot that nobody could do without: each changed pair is read there, and what the source has changed is
    /// written, a hundred in a call.
    #[must_use]
    pub fn optimum(&self) -> u64 {
        (2 * self.changed).div_ceil(100) as u64 + self.changed.div_ceil(100) as u64
    }

    /// The same with a look at the history of what was written, of which HubSpot gives fifty in a call.
    #[must_use]
    pub fn optimum_audited(&self) -> u64 {
        self.optimum() + self.changed.div_ceil(50) as u64
    }

    /// State kept for a pair, in bytes.
    #[must_use]
    pub fn bytes_per_pair(&self) -> f64 {
        self.state_bytes as f64 / self.pairs as f64
    }
}

/// Makes a world of so many pairs that agree, and measures runs in it.
///
/// # Panics
/// When the world cannot be made, or a run does not do what is due: then there is nothing to measure.
pub async fn measure(pairs: usize, changed: usize) -> Figures {
    if 4 * changed > pairs {
        broken("no more than a quarter of the pairs can change");
    }
    let config = PortalConfig { limits: PortalLimits::Off, ..PortalConfig::new(TOKEN) };
    let world = World::new(config, &mapping(), Limits::unlimited()).await;
    let columns: Vec<String> = std::iter::once("email".to_owned()).chain((1..FIELDS).map(column)).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    world.source.collection("people", &columns);
    world.source.silence("people", true);
    for n in 0..pairs {
        let rest = (1..FIELDS).map(|field| format!("value {field} of {n}").into());
        let row = std::iter::once::<Value>(format!("p{n}@example.com").into()).chain(rest);
        world.source.put("people", &format!("P{n}"), row.collect());
    }
    world.source.silence("people", false);
    let began = Instant::now();
    let feed = Arc::new(FromLater(Arc::clone(&world.clock)));
    let mut engine = world.engine_over(&CrashPlan::count(), Options::default(), feed);
    let load = engine.run_once().await.unwrap_or_else(|error| broken(&error.to_string()));
    let load_seconds = began.elapsed().as_secs_f64();
    if !load.is_complete() || load.written() != pairs as u64 {
        broken(&format!("the first load was not clean: {load:?}"));
    }
    drop(engine);
    // With the journal of the first load in it.
    let state_bytes = world.engine().totals().unwrap_or_else(|error| broken(&error.to_string())).bytes;
    run(&world, true).await;
    let idle = run(&world, true).await;
    let began = Instant::now();
    let planned = world.engine().plan(PlanSink::none()).await;
    let plan_seconds = began.elapsed().as_secs_f64();
    if !planned.is_ok_and(|plan| plan.is_empty()) {
        broken("there is something to plan where nothing has changed");
    }
    change(&world, changed, "first").await;
    let both = run(&world, true).await;
    let echo = run(&world, true).await;
    run(&world, true).await;
    change(&world, changed, "second").await;
    let unaudited = run(&world, false).await;
    for (what, cycle) in [("with", &both), ("without", &unaudited)] {
        if cycle.written != (changed as u64, changed as u64) {
            broken(&format!("the run {what} a look at histories wrote {:?}", cycle.written));
        }
    }
    Figures { pairs, changed, load_seconds, state_bytes, plan_seconds, idle, both, echo, unaudited }
}

/// A run after a pause.
async fn run(world: &World, audit: bool) -> Cycle {
    world.clock.sleep(PAUSE).await;
    world.portal().clear_stats();
    let asked = world.source.calls();
    let mut options = Options::default();
    options.audit = audit;
    let mut engine = world.engine_with(&CrashPlan::count(), options);
    let began = Instant::now();
    let report = engine.run_once().await.unwrap_or_else(|error| broken(&error.to_string()));
    let seconds = began.elapsed().as_secs_f64();
    if !report.is_complete() {
        broken(&format!("a run was not clean: {report:?}"));
    }
    Cycle {
        hubspot: world.portal().stats().clone(),
        source: world.source.calls().since(asked),
        written: (report.written(), report.links.iter().map(|link| link.written_left()).sum()),
        seconds,
    }
}

/// People change so many records on each side, none on both, one after another.
async fn change(world: &World, count: usize, what: &str) {
    for n in 0..count {
        world.source.set("people", &format!("P{n}"), &column(3), format!("{what} in the source"));
    }
    let page = world.portal().records("contacts", 0, 4 * count);
    let page = page.unwrap_or_else(|error| broken(&error.to_string()));
    let others = page.records.iter().filter(|record| {
        let number = record.properties.get("email").and_then(|email| email[1..].split('@').next());
        number.and_then(|number| number.parse::<usize>().ok()).is_some_and(|number| number >= count)
    });
    let others: Vec<u64> = others.map(|record| record.id).take(count).collect();
    if others.len() < count {
        broken("there are not enough contacts to change");
    }
    for id in others {
        world.clock.sleep(BETWEEN).await;
        let (value, now) = (format!("{what} in HubSpot"), world.clock.now());
        let edited = world.portal().edit_as_user(now, "contacts", id, [("two_way_5", value.as_str())]);
        edited.unwrap_or_else(|error| broken(&error.to_string()));
    }
}

fn column(field: usize) -> String {
    format!("column_{field}")
}

fn mapping() -> String {
    let mut text = String::from(
        r#"
[mapping]
name = "two-way"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "two_way_key"
match = ["email"]
direction = "both"
creates = "both"
fields = [
    { from = "email", to = "email", transform = ["email"], conflict = "source" },
"#,
    );
    for field in 1..FIELDS {
        let _ = writeln!(
            text,
            "    {{ from = \"column_{field}\", to = \"two_way_{field}\", conflict = \"hubspot\", kind = \"text\", \
             create = {{ label = \"Two-way {field}\" }} }},"
        );
    }
    text.push_str("]\n");
    text
}

/// Tells nothing, and goes on from an hour later: what a first load writes is no change that somebody made.
#[derive(Debug)]
struct FromLater(Arc<dyn Clock>);

#[async_trait]
impl Feed for FromLater {
    fn sees(&self) -> FeedSees {
        FeedSees::default()
    }

    async fn changes(
        &self,
        _object: &ObjectType,
        _after: Option<&str>,
        _lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        let later = self.0.now().checked_add(SignedDuration::from_hours(1)).unwrap_or(jiff::Timestamp::MAX);
        Ok(FeedPage { cursor: later.to_string(), caught_up: true, ..FeedPage::default() })
    }
}
