//! The simulated world: a source, a portal, people on both sides, faults and crashes, all from one seed and in
//! virtual time.
//!
//! A seed decides everything: what people do, when the engine runs, what breaks. In the end faults stop and people
//! rest; then both sides must agree, and nothing that anybody entered may be gone without a word.

mod check;
mod people;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use hubspot_client::Limits;
use hubspot_sandbox::{Fault, FaultKind, Limits as PortalLimits, Matcher, PortalConfig, RatePolicy};
use sync_core::mutation::{self, Bug};
use sync_core::{Options, Select, Which};
use sync_testkit::{Crash, CrashPlan, When};
use sync_types::ChangesPromise;

pub use check::Violation;
pub use tally::Tally;

use crate::simulate::people::People;
use crate::{TOKEN, World};

/// Contacts that flow both ways, with a policy for each property.
const MAPPING: &str = r#"
[mapping]
name = "sim"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "sim_key"
match = ["email"]
direction = "both"
creates = "both"
on_delete = { source = "delete", hubspot = "delete", conflict = "edit" }
fields = [
    { from = "email", to = "email", transform = ["email"], conflict = "source" },
    { from = "name", to = "lastname", conflict = "ask" },
    { from = "city", to = "city", conflict = "source" },
    { from = "job", to = "jobtitle", conflict = "hubspot" },
    { from = "points", to = "points", transform = ["number"], kind = "number", conflict = "furthest", create = { label = "Points" } },
]
"#;

/// How long only what a source tells is read of it.
const RESCAN: Duration = Duration::from_secs(3 * 3600);

/// How long an absence must last; people delete and restore within it.
const ABSENCE: Duration = Duration::from_secs(600);

/// Runs after which a world without faults must be at rest.
const ROUNDS_MAX: usize = 14;

/// What one seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was found wrong; empty is good.
    pub violations: Vec<Violation>,
    /// What happened, counted.
    pub tally: Tally,
    /// What happened, in order: for a person who looks for a fault.
    pub trace: Vec<String>,
}

impl Outcome {
    /// A hash of all that happened: two runs of one seed have the same.
    #[must_use]
    pub fn hash(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.trace.hash(&mut hasher);
        hasher.finish()
    }
}

/// Simulates one seed, with a planted bug or without.
///
/// # Panics
/// When the world itself cannot be made: no seed can do anything about that.
#[must_use]
pub fn simulate(seed: u64, bug: Option<Bug>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { crate::world::broken("no runtime") };
    mutation::plant(bug);
    let outcome = runtime.block_on(Simulation::run(seed));
    mutation::plant(None);
    outcome
}

/// How likely what is, drawn anew for each seed: with fixed rates some faults never meet.
struct Rates {
    crash: f64,
    faults: u32,
    unlucky_edit: f64,
    deletes: u32,
    merges: u32,
}

struct Simulation {
    world: World,
    people: People,
    rng: Rng,
    rates: Rates,
    tally: Tally,
    trace: Vec<String>,
    violations: Vec<Violation>,
}

impl Simulation {
    async fn run(seed: u64) -> Outcome {
        let mut rng = Rng::with_seed(seed);
        let config =
            PortalConfig { limits: PortalLimits::Off, seed: rng.u64(..), ..PortalConfig::new(TOKEN) };
        let world = World::new(config, MAPPING, Limits::unlimited()).await;
        world.source.collection("people", &["email", "name", "city", "job", "points"]);
        let rates = Rates {
            crash: rng.f64() * 0.5,
            faults: rng.u32(0..4),
            unlucky_edit: rng.f64(),
            deletes: rng.u32(0..4),
            merges: rng.u32(0..3),
        };
        // Sources differ in what they tell of changes. Who tells everything is read in full every now and then.
        match seed % 4 {
            0 => world.source.promise(None),
            1 => world.source.promise(Some(ChangesPromise { deletes: false })),
            _ => {}
        }
        let people = People::new(&world);
        let mut simulation = Simulation {
            world,
            people,
            rng,
            rates,
            tally: Tally::default(),
            trace: Vec::new(),
            violations: Vec::new(),
        };
        for _ in 0..simulation.rng.usize(2..6) {
            simulation.people.join_left(&mut simulation.tally);
        }
        let steps = simulation.rng.usize(20..70);
        for _ in 0..steps {
            simulation.step().await;
            if !simulation.violations.is_empty() {
                break;
            }
        }
        simulation.rest().await;
        let Simulation { violations, mut tally, trace, world, .. } = simulation;
        tally.virtual_seconds = world.clock.monotonic().as_secs();
        Outcome { seed, violations, tally, trace }
    }

    /// Whether records come and go on the right, which no search tells of. Where they do not, feeds alone have to do.
    fn needs_sweeps(&self) -> bool {
        self.rates.deletes + self.rates.merges > 0
    }

    fn tell(&mut self, what: impl Into<String>) {
        let at = self.world.clock.monotonic().as_secs();
        self.trace.push(format!("{at:>7} s  {}", what.into()));
    }

    async fn step(&mut self) {
        let (rates, rng) = (&self.rates, &mut self.rng);
        let choices = [
            30,
            30,
            3,
            5,
            rates.deletes,
            rates.deletes,
            2,
            rates.merges,
            30,
            30,
            3,
            rates.deletes,
            rates.merges,
            15,
        ];
        let mut at = rng.u32(0..choices.iter().sum());
        let mut choice = 0;
        while at >= choices[choice] {
            at -= choices[choice];
            choice += 1;
        }
        let told = match choice {
            0 => self.people.edit_left(&mut self.rng, &mut self.tally),
            1 => self.people.edit_right(&mut self.rng, &mut self.tally),
            2 => self.people.join_left(&mut self.tally),
            3 => self.people.join_right(&mut self.tally),
            4 => self.people.delete_left(&mut self.rng, &mut self.tally),
            5 => self.people.delete_right(&mut self.rng, &mut self.tally),
            6 => self.people.restore_right(&mut self.rng, &mut self.tally),
            7 => self.people.merge_right(&mut self.rng, &mut self.tally).await,
            8 => {
                let seconds = [1, 10, 60, 300, 900, 9_000][self.rng.usize(0..6)];
                self.world.clock.sleep(Duration::from_secs(seconds)).await;
                Some(format!("{seconds} s pass"))
            }
            9 => {
                self.sync().await;
                None
            }
            10 => self.people.join_both(&mut self.tally),
            13 => self.people.edit_both(&mut self.rng, &mut self.tally),
            11 => self.people.restore_left(&mut self.rng, &mut self.tally),
            _ => self.people.erase_right(&mut self.rng, &mut self.tally).await,
        };
        if let Some(told) = told {
            self.tell(told);
        }
    }

    /// A run of a new engine, with whatever breaks in it.
    async fn sync(&mut self) {
        for _ in 0..self.rng.u32(0..=self.rates.faults) {
            let (name, fault) = a_fault(&mut self.rng);
            self.tally.fault(name);
            if self.world.portal().inject(fault).is_ok() {
                self.tell(format!("fault: {name}"));
            }
        }
        let crash = (self.rng.f64() < self.rates.crash).then(|| Crash {
            step: self.rng.u64(0..16),
            when: if self.rng.bool() { When::Before } else { When::After },
        });
        let unlucky = (self.rng.f64() < self.rates.unlucky_edit).then(|| self.rng.u64(0..3));
        let plan = CrashPlan::new(crash, self.people.meddler(unlucky, self.rng.fork()));
        let sweep = self.rng.u32(0..4) == 0 && self.needs_sweeps();
        self.run_engine(&plan, sweep).await;
        for edit in self.people.take_told() {
            self.tell(format!("unlucky: {edit}"));
        }
        self.tally.unlucky += u64::from(self.people.take_meddled(&mut self.tally));
        self.world.portal().clear_faults();
    }

    async fn run_engine(&mut self, plan: &Arc<CrashPlan>, sweep: bool) {
        self.tally.runs += 1;
        self.people.runs += 1;
        let before = (self.people.on_left(), self.people.on_right());
        let mut options = Options::default();
        options.absence = ABSENCE;
        options.rescan = RESCAN;
        options.sweep = sweep;
        // In so small a world every deletion is a great share of it.
        options.deletions_max = u64::MAX;
        let mut engine = self.world.engine_with(plan, options);
        let ended = tokio::select! {
            biased;
            () = plan.crashed() => None,
            // The commit that the crash falls on tells of it as well.
            ended = engine.run_once() => Some(ended).filter(|_| !plan.is_dead()),
        };
        drop(engine);
        check::deletions(&self.people, &before, ABSENCE, &mut self.tally, &mut self.violations);
        match ended {
            None => {
                let step = plan.names().last().copied().unwrap_or("start");
                self.tally.crash(step);
                self.tell(format!("run killed at step {} ({step})", plan.steps()));
            }
            Some(Ok(report)) => {
                let people = &report.links[0];
                self.tell(format!(
                    "run: {} made, {} updated, {} brought back, {} made left, {} deleted, {} held, {} gone, {} parked, {} open{}",
                    people.created,
                    people.updated,
                    people.brought_back,
                    people.created_left,
                    people.deleted,
                    people.held,
                    people.gone,
                    people.parked_total(),
                    people.pending + people.unknown,
                    report.halted.as_ref().map(|why| format!(", halted: {why}")).unwrap_or_default(),
                ));
                self.tally.writes += people.written() + people.written_left() + people.deleted;
                check::adds_up(&report, &mut self.tally, &mut self.violations);
            }
            Some(Err(error)) => {
                let why = std::iter::successors(std::error::Error::source(&error), |error| error.source());
                let why: String = why.map(|error| format!(": {error}")).collect();
                self.violations.push(Violation::new("no-error", format!("the engine failed: {error}{why}")));
            }
        }
    }

    /// Faults stop, people rest: the world must come to rest too, and be right.
    async fn rest(&mut self) {
        self.world.portal().clear_faults();
        self.tell("faults stop, people rest");
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            self.world.clock.sleep(ABSENCE + Duration::from_secs(60)).await;
            let before = self.tally.writes;
            self.run_engine(&CrashPlan::count(), self.needs_sweeps()).await;
            quiet = if self.tally.writes == before { quiet + 1 } else { 0 };
            if quiet == 3 || !self.violations.is_empty() {
                break;
            }
        }
        if quiet < 3 && self.violations.is_empty() {
            self.violations
                .push(Violation::new("comes-to-rest", format!("still writing after {ROUNDS_MAX} runs")));
        }
        self.tally.check("comes-to-rest");
        let letters = self.world.engine().dead_letters(&Select::default()).unwrap_or_default();
        for (_, letter) in letters {
            self.tell(format!("dead letter {}: {}: {}", letter.external, letter.cause, letter.detail));
        }
        let settled = Which { settled: true, ..Which::default() };
        let told = self.world.engine().conflicts(&settled).unwrap_or_default();
        for (_, property, conflict) in told {
            let by = conflict.opponent.unwrap_or_default();
            self.tell(format!(
                "told: {} {property}: {} in run {} {by}",
                conflict.external, conflict.cause, conflict.run
            ));
        }
        for line in self.people.shown() {
            self.tell(line);
        }
        if self.violations.is_empty() {
            check::at_rest(&self.world, &self.people, &mut self.tally, &mut self.violations);
        }
        if !self.violations.is_empty() {
            for line in self.people.history().await {
                self.tell(line);
            }
        }
    }
}

/// Something that breaks, for the next call it fits.
fn a_fault(rng: &mut Rng) -> (&'static str, Fault) {
    let paths = ["/batch/upsert", "/batch/update", "/batch/read", "/search", "/batch/archive", "/objects/"];
    let part = paths[rng.usize(0..paths.len())];
    let matcher = Matcher { path_contains: Some(part.to_owned()), ..Matcher::default() };
    let (name, kind) = match rng.u32(0..9) {
        0 | 1 => ("answer lost", FaultKind::LostAfterApply),
        2 => ("request lost", FaultKind::LostBeforeApply),
        3 => ("body cut", FaultKind::CutBody { bytes: rng.usize(0..200) }),
        4 => ("429", FaultKind::RateLimit { policy: RatePolicy::TenSecondlyRolling, retry_after: None }),
        5 => ("502", FaultKind::Status { status: 502, retry_after: None }),
        6 => ("423", FaultKind::Locked),
        7 => ("slow", FaultKind::Latency { ms: rng.u64(1_000..40_000) }),
        _ => ("index lag", FaultKind::IndexLag { ms: rng.u64(1_000..600_000) }),
    };
    let skip = rng.u64(0..4);
    (name, Fault { matcher, skip, count: Some(rng.u64(1..6)), kind })
}
