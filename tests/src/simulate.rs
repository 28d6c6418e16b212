//! The simulated world: a source, a portal, people on both sides, faults and crashes, all from one seed and in
//! virtual time.
//!
//! A seed decides everything: what people do, when the engine runs, what breaks. In the end faults stop and people
//! rest; then both sides must agree, and nothing that anybody entered may be gone without a word.
//!
//! `docs/simulation.md` says which invariant is asserted where, and which planted bug turns it red.

mod check;
mod faults;
mod firms;
mod machine;
mod people;
mod schema;
mod shrink;
mod tally;
mod watch;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;
use hubspot_client::Limits;
use hubspot_sandbox::{Credential, LimitTable, Limits as PortalLimits, PortalConfig, Scopes};
use jiff::SignedDuration;
use sync_core::mutation::{self, Bug};
use sync_core::{Options, Select, Which};
use sync_testkit::CrashPlan;
use sync_types::{ChangesPromise, StoreErrorKind};

pub use check::Violation;
pub use shrink::{Smallest, shrink};
pub use sync_testkit::{Crash, When};
pub use tally::Tally;

use self::faults::Mischief;
use self::firms::Firms;
use self::machine::Machine;
use self::people::People;
use crate::{TOKEN, World};

/// Contacts that flow both ways, with a policy for each property, and companies that flow to HubSpot.
const MAPPING: &str = r#"
[mapping]
name = "sim"

[[links]]
name = "firms"
collection = "firms"
object = "companies"
sync_key = "sim_key"
match = ["domain"]
fields = [
    { from = "domain", to = "domain" },
    { from = "name", to = "name" },
    { from = "city", to = "city" },
]

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

  [[links.associations]]
  name = "employer"
  to = "firms"
  key = "firm"
  direction = "to-hubspot"
"#;

/// How long only what a source tells is read of it.
const RESCAN: Duration = Duration::from_secs(3 * 3600);

/// How long an absence must last; people delete and restore within it.
const ABSENCE: Duration = Duration::from_secs(600);

/// Longer than the feed takes to find what it missed at first.
const HORIZON: Duration = Duration::from_secs(3 * 60 * 60);

/// Runs after which a world without faults must be at rest.
const ROUNDS_MAX: usize = 16;

/// Where the engine keeps its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory.
    #[default]
    Memory,
    /// In the embedded store, on a disk.
    Sqlite,
}

/// What to simulate.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What decides everything.
    pub seed: u64,
    /// A bug to plant.
    pub bug: Option<Bug>,
    /// Where the engine keeps its state.
    pub store: StoreKind,
    /// How many days the world lasts; 0: about one.
    pub days: u32,
    /// At most so many steps before it comes to rest.
    pub steps_max: Option<usize>,
    /// Kinds of faults and deeds that are drawn and then left out.
    pub without: BTreeSet<String>,
    /// The one thing that goes wrong: nothing else is drawn then.
    pub strike: Option<Strike>,
}

/// One boundary of one run, and what happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The run, counted from 0.
    pub run: usize,
    /// Where in it, and what.
    pub crash: Crash,
}

impl Setup {
    /// An ordinary day.
    #[must_use]
    pub fn day(seed: u64) -> Setup {
        Setup { seed, ..Setup::default() }
    }

    /// What to type to see it.
    #[must_use]
    pub fn command(&self) -> String {
        let Setup { seed, bug, store, days, steps_max, without, strike } = self;
        let mut command = format!("cargo xtask simulate --replay {seed}");
        let mut add = |name: &str, value: Option<String>| {
            command.extend(value.map(|value| format!(" --{name} {value}")));
        };
        add("bug", bug.map(|bug| bug.name().to_owned()));
        add("days", (*days > 0).then(|| days.to_string()));
        add("steps", steps_max.map(|steps| steps.to_string()));
        let kinds: Vec<&str> = without.iter().map(String::as_str).collect();
        add("without", (!kinds.is_empty()).then(|| format!("'{}'", kinds.join(","))));
        add("strike", strike.map(|Strike { run, crash }| format!("{run},{},{:?}", crash.step, crash.when)));
        if *store == StoreKind::Sqlite {
            command.push_str(" --sqlite");
        }
        command
    }
}

/// What one seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Steps before the world came to rest, or before something was found wrong.
    pub steps: usize,
    /// How many boundaries each run had before the world came to rest: commits and writes.
    pub boundaries: Vec<u64>,
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

/// Simulates one world.
///
/// # Panics
/// When the world itself cannot be made: no seed can do anything about that.
#[must_use]
pub fn simulate(setup: &Setup) -> Outcome {
    mutation::plant(setup.bug);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let Ok(runtime) = runtime else { crate::world::broken("no runtime") };
        runtime.block_on(Simulation::run(setup))
    }));
    mutation::plant(None);
    // Whatever panics is a defect like any other, and has a seed.
    outcome.unwrap_or_else(|_| Outcome {
        seed: setup.seed,
        steps: usize::MAX,
        boundaries: Vec::new(),
        violations: vec![Violation::new("no-panic", "something panicked, as was said above".into())],
        tally: Tally::default(),
        trace: Vec::new(),
    })
}

/// How likely what is, drawn anew for each seed: with fixed rates some faults never meet.
struct Rates {
    crash: f64,
    faults: u32,
    unlucky_edit: f64,
    deletes: u32,
    merges: u32,
    firms: u32,
    /// Whether the portal counts calls, and the engine does too.
    limits: bool,
    /// By how much HubSpot's clock is ahead of ours.
    skew: SignedDuration,
    /// Whether the feed tells of a change once.
    prompt_feed: bool,
    /// Search never works again from some day on: sweeps have to do.
    search_dies: bool,
}

impl Rates {
    fn draw(rng: &mut Rng, is_long: bool) -> Rates {
        let skew: i64 = [0, 0, 0, -400, -20, 20, 400][rng.usize(0..7)];
        let limits = rng.u32(0..4) == 0;
        // A portal that counts calls knows those by which the world was made: its clock cannot have gone back since.
        let skew = if limits { skew.abs() } else { skew };
        Rates {
            crash: rng.f64() * if is_long { 0.1 } else { 0.5 },
            faults: rng.u32(0..if is_long { 2 } else { 4 }),
            unlucky_edit: rng.f64(),
            deletes: rng.u32(0..5).saturating_sub(1),
            merges: rng.u32(0..4).saturating_sub(1),
            firms: rng.u32(0..3) * 4,
            limits,
            skew: SignedDuration::from_secs(skew),
            prompt_feed: rng.bool(),
            search_dies: rng.u32(0..40) == 0,
        }
    }
}

struct Simulation<'s> {
    setup: &'s Setup,
    machine: Machine,
    people: People,
    firms: Firms,
    rng: Rng,
    rates: Rates,
    /// The feed has lost sight of something, and no whole run has compared both sides since.
    is_gap_open: bool,
    is_search_dead: bool,
    boundaries: Vec<u64>,
    tally: Tally,
    trace: Vec<String>,
    violations: Vec<Violation>,
}

/// The portal's limits in worlds that count calls: small enough to be met.
const LIMITS: LimitTable = LimitTable {
    burst: Some(30),
    association_burst: Some(30),
    search_per_second: Some(5),
    daily: None,
    association_daily: None,
};

impl Simulation<'_> {
    async fn run(setup: &Setup) -> Outcome {
        let mut rng = Rng::with_seed(setup.seed);
        let is_long = setup.days > 1;
        let portal_seed = rng.u64(..);
        let rates = Rates::draw(&mut rng, is_long);
        let (limits, ours) = if rates.limits {
            let mut ours = Limits::starter();
            (ours.burst_max, ours.search_max, ours.association_max) = (30, 5, 30);
            ours.daily_max = None;
            (PortalLimits::Custom(LIMITS), ours)
        } else {
            (PortalLimits::Off, Limits::unlimited())
        };
        let config = PortalConfig { limits, seed: portal_seed, ..PortalConfig::new(TOKEN) };
        let world = World::new(config, MAPPING, ours).await;
        world.source.collection("people", &["email", "name", "city", "job", "points", "firm"]);
        world.portal().set_clock_offset(rates.skew);
        // Sources differ in what they tell of changes. Who tells everything is read in full every now and then.
        match setup.seed % 4 {
            0 => world.source.promise(None),
            1 => world.source.promise(Some(ChangesPromise { deletes: false })),
            _ => {}
        }
        let machine = Machine::new(world, setup.store, rates.skew, rates.prompt_feed);
        let (people, firms) = (People::new(&machine), Firms::new(&machine));
        let mut simulation = Simulation {
            setup,
            machine,
            people,
            firms,
            rng,
            rates,
            is_gap_open: false,
            is_search_dead: false,
            boundaries: Vec::new(),
            tally: Tally::default(),
            trace: Vec::new(),
            violations: Vec::new(),
        };
        for _ in 0..simulation.rng.usize(2..6) {
            simulation.people.join_left(&mut simulation.tally);
        }
        for _ in 0..simulation.rng.usize(0..3) {
            simulation.firms.known_on_both_sides(&mut simulation.tally);
        }
        let drawn = simulation.rng.usize(20..70) * if is_long { 6 } else { 1 };
        let mut steps = 0;
        while steps < drawn.min(setup.steps_max.unwrap_or(usize::MAX)) && simulation.violations.is_empty() {
            simulation.step().await;
            steps += 1;
        }
        simulation.rest().await;
        let Simulation { violations, mut tally, trace, machine, boundaries, .. } = simulation;
        tally.virtual_seconds = machine.world.clock.monotonic().as_secs();
        Outcome { seed: setup.seed, steps, boundaries, violations, tally, trace }
    }

    /// Whether records come and go on the right, which no search tells of. Where they do not, feeds alone have to do.
    fn needs_sweeps(&self) -> bool {
        self.rates.deletes + self.rates.merges > 0 || self.is_search_dead || self.is_gap_open
    }

    fn is_left_out(&self, kind: &str) -> bool {
        self.setup.without.contains(kind)
    }

    fn tell(&mut self, what: impl Into<String>) {
        let at = self.machine.world.clock.monotonic().as_secs();
        self.trace.push(format!("{at:>7} s  {}", what.into()));
    }

    async fn step(&mut self) {
        // What is due to land has landed when somebody looks.
        let now = self.machine.portal_clock.now();
        self.machine.world.portal().land_late(now);
        let rates = &self.rates;
        let deletes = rates.deletes;
        // Name and weight of all that may happen.
        let choices = [
            ("edit left", 30),
            ("edit right", 30),
            ("join left", 3),
            ("join right", 5),
            ("delete left", deletes),
            ("delete right", deletes),
            ("restore right", 2),
            ("merge right", rates.merges),
            ("time", 30),
            ("sync", 30),
            ("join both", 3),
            ("restore left", deletes),
            ("erase right", rates.merges),
            ("edit both", 15),
            ("firm joins", rates.firms.min(4)),
            ("firm edited", rates.firms),
            ("employer changed", rates.firms),
            ("company deleted", rates.firms.min(deletes)),
            ("search dies", u32::from(rates.search_dies)),
        ];
        let mut at = self.rng.u32(0..choices.iter().map(|(_, weight)| weight).sum());
        let chosen = choices.iter().find(|(_, weight)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it
        });
        let name = chosen.map_or("time", |(name, _)| *name);
        // What is left out draws its chance all the same, so that the rest stays as it was.
        let mut rng = self.rng.fork();
        if self.is_left_out(name) {
            return;
        }
        let (people, firms, tally) = (&mut self.people, &mut self.firms, &mut self.tally);
        let told = match name {
            "edit left" => people.edit_left(&mut rng, tally),
            "edit right" => people.edit_right(&mut rng, tally),
            "join left" => people.join_left(tally),
            "join right" => people.join_right(tally),
            "delete left" => people.delete_left(&mut rng, tally),
            "delete right" => people.delete_right(&mut rng, tally),
            "restore right" => people.restore_right(&mut rng, tally),
            "merge right" => people.merge_right(&mut rng, tally).await,
            "join both" => people.join_both(tally),
            "edit both" => people.edit_both(&mut rng, tally),
            "restore left" => people.restore_left(&mut rng, tally),
            "erase right" => people.erase_right(&mut rng, tally).await,
            "firm joins" => firms.join(tally),
            "firm edited" => firms.edit(&mut rng, tally),
            "employer changed" => firms.hire(people, &mut rng, tally),
            "company deleted" => firms.delete_company(&mut rng, tally),
            "search dies" => {
                self.is_search_dead = true;
                Some("search dies".into())
            }
            "sync" => {
                self.sync(&mut rng).await;
                None
            }
            _ => {
                let day = self.setup.days.max(1);
                let seconds = match rng.usize(0..if day > 1 { 12 } else { 6 }) {
                    at @ 0..6 => [1, 10, 60, 300, 900, 9_000][at],
                    // A long world has to come to its days in some hundred steps.
                    _ => rng.u64(1..u64::from(day) * 1_500),
                };
                self.machine.world.clock.sleep(Duration::from_secs(seconds)).await;
                Some(format!("{seconds} s pass"))
            }
        };
        if let Some(told) = told {
            self.tell(told);
        }
    }

    /// A run of a new engine, with whatever breaks in it.
    async fn sync(&mut self, rng: &mut Rng) {
        let mut undo = Vec::new();
        for _ in 0..rng.u32(0..=self.rates.faults) {
            let (name, mischief) = faults::draw(rng);
            let is_drawn = self.setup.strike.is_none() && !self.is_left_out(name);
            if is_drawn && self.arm(name, mischief, &mut undo) {
                self.tally.fault(name);
                self.tell(format!("fault: {name}"));
            }
        }
        let crash = (rng.f64() < self.rates.crash).then(|| Crash {
            step: rng.u64(0..20),
            when: if rng.bool() { When::Before } else { When::After },
        });
        let unlucky = (rng.f64() < self.rates.unlucky_edit).then(|| rng.u64(0..4));
        let unlucky = unlucky.filter(|_| !self.is_left_out("unlucky edit"));
        let crash = match self.setup.strike {
            None => crash.filter(|_| !self.is_left_out("kill")),
            Some(strike) => Some(strike.crash).filter(|_| strike.run == self.boundaries.len()),
        };
        let plan = CrashPlan::new(crash, self.people.meddler(unlucky, rng.fork()));
        let sweep = rng.u32(0..4) == 0 && self.needs_sweeps() || self.is_gap_open;
        self.run_engine(&plan, sweep).await;
        self.boundaries.push(plan.steps());
        for edit in self.people.take_told() {
            self.tell(format!("unlucky: {edit}"));
        }
        self.tally.unlucky += u64::from(self.people.take_meddled(&mut self.tally));
        self.machine.world.portal().clear_faults();
        self.machine.obstacles.clear();
        // The last one first: who brings a property back needs the token.
        for mischief in undo.into_iter().rev() {
            self.mend(&mischief);
        }
    }

    /// Has something break; false if it cannot. What has to be mended by hand afterwards is noted.
    fn arm(&mut self, name: &'static str, mischief: Mischief, undo: &mut Vec<Mischief>) -> bool {
        let obstacles = &self.machine.obstacles;
        let (counter, after) = match &mischief {
            Mischief::Portal(fault) => {
                let is_dead = name == "search dead" && self.rates.deletes + self.rates.merges == 0;
                return !is_dead && self.machine.world.portal().inject(fault.clone()).is_ok();
            }
            Mischief::TokenLost => {
                undo.push(mischief);
                return self.machine.world.portal().revoke_credential(TOKEN);
            }
            Mischief::ScopeLost => {
                undo.push(mischief);
                let granted = ["crm.objects.contacts.read", "crm.objects.companies.read"];
                let scopes = Scopes::Some(granted.iter().map(ToString::to_string).collect());
                return self.machine.world.portal().set_scopes(TOKEN, scopes);
            }
            Mischief::PropertyArchived => {
                let done = schema::archive_points(&self.machine);
                undo.push(mischief);
                return done;
            }
            Mischief::TwoInstances => {
                self.second_instance();
                return true;
            }
            Mischief::Unread(after) => (&obstacles.unread, *after),
            Mischief::LeftLost(after) => (&obstacles.left_lost, *after),
            Mischief::LeftVanishes(after) => (&obstacles.left_vanishes, *after),
            Mischief::LeftRefused(after) => (&obstacles.left_refused, *after),
            Mischief::Gap => (&obstacles.gap, 0),
        };
        counter.store(after, Ordering::SeqCst);
        true
    }

    fn mend(&mut self, mischief: &Mischief) {
        match mischief {
            Mischief::TokenLost | Mischief::ScopeLost => {
                self.machine.world.portal().add_credential(Credential::private_app(TOKEN));
            }
            Mischief::PropertyArchived => schema::bring_points_back(&self.machine),
            _ => {}
        }
    }

    /// Two processes are started by mistake: the second one is refused, as long as the first one has the state.
    fn second_instance(&mut self) {
        self.tally.check("one-holder");
        let Ok(first) = self.machine.store() else { return };
        let second = self.machine.store().map(drop).map_err(|error| error.kind);
        if second != Err(StoreErrorKind::Locked) {
            self.violations.push(Violation::new("one-holder", format!("a second instance got {second:?}")));
        }
        drop(first);
    }

    async fn run_engine(&mut self, plan: &Arc<CrashPlan>, sweep: bool) {
        if self.rates.limits {
            // A new process knows nothing of the calls of the one before.
            self.machine.world.clock.sleep(Duration::from_secs(11)).await;
        }
        self.tally.runs += 1;
        self.people.runs += 1;
        if self.is_search_dead {
            let fault = faults::search_dead();
            drop(self.machine.world.portal().inject(fault));
        }
        let refused = self.machine.world.portal().stats().rate_limited;
        let is_throttled = self.machine.world.portal().faults().any(|(_, fault)| faults::throttles(fault));
        let before = (self.people.on_left(), self.people.on_right());
        let mut options = Options::default();
        options.absence = ABSENCE;
        options.rescan = RESCAN;
        options.sweep = sweep;
        // In so small a world every deletion is a great share of it.
        options.deletions_max = u64::MAX;
        let engine = self.machine.engine(plan, options);
        let ended = match engine {
            Err(error) => Some(Err(error)),
            Ok(mut engine) => tokio::select! {
                biased;
                () = plan.crashed() => None,
                // The commit that the crash falls on tells of it as well.
                ended = engine.run_once() => Some(ended).filter(|_| !plan.is_dead()),
            },
        };
        self.machine.watch.stopped();
        self.machine.watch.take(&mut self.tally, &mut self.violations);
        check::deletions(&self.people, &before, ABSENCE, &mut self.tally, &mut self.violations);
        self.tally.check("within-limits");
        let refusals = self.machine.world.portal().stats().rate_limited - refused;
        if refusals > 0 && !is_throttled {
            let what = format!("the portal refused {refusals} calls for its limits");
            self.violations.push(Violation::new("within-limits", what));
        }
        match ended {
            None => {
                let step = plan.names().last().copied().unwrap_or("start");
                self.tally.crash(step);
                self.tell(format!("run killed at step {} ({step})", plan.steps()));
            }
            Some(Ok(report)) => {
                self.is_gap_open |= !report.gaps.is_empty();
                if sweep && report.halted.is_none() && report.gaps.is_empty() {
                    self.is_gap_open = false;
                }
                for link in &report.links {
                    self.tell(format!(
                        "run: {}: {} made, {} updated, {} brought back, {} made left, {} deleted, {} held, {} gone, {} parked, {} open",
                        link.link,
                        link.created,
                        link.updated,
                        link.brought_back,
                        link.created_left,
                        link.deleted,
                        link.held,
                        link.gone,
                        link.parked_total(),
                        link.pending + link.unknown,
                    ));
                    self.tally.writes += link.written() + link.written_left() + link.deleted;
                }
                self.tally.edges += report.edges_written();
                for (what, why) in [("halted", &report.halted), ("deaf", &report.deaf)] {
                    if let Some(why) = why {
                        self.tell(format!("{what}: {why}"));
                    }
                }
                check::adds_up(&report, &mut self.tally, &mut self.violations);
            }
            // The disk failed for a moment, as was asked for: the next process goes on.
            Some(Err(error)) if plan.has_failed() => self.tell(format!("run ended: {error}")),
            Some(Err(error)) => {
                let why = std::iter::successors(std::error::Error::source(&error), |error| error.source());
                let why: String = why.map(|error| format!(": {error}")).collect();
                self.violations.push(Violation::new("no-error", format!("the engine failed: {error}{why}")));
            }
        }
    }

    /// Faults stop, people rest: the world must come to rest too, and be right.
    async fn rest(&mut self) {
        self.machine.world.portal().clear_faults();
        self.machine.obstacles.clear();
        self.tell("faults stop, people rest");
        let mut quiet = 0;
        for round in 0..ROUNDS_MAX {
            if !self.violations.is_empty() {
                break;
            }
            // What was missed at first, the feed finds within its horizon.
            let pause = if round == 2 { HORIZON } else { ABSENCE + Duration::from_secs(60) };
            self.machine.world.clock.sleep(pause).await;
            if round == 1 {
                self.retry_letters();
            }
            let before = self.tally.writes + self.tally.edges;
            self.run_engine(&CrashPlan::count(), self.needs_sweeps()).await;
            quiet = if self.tally.writes + self.tally.edges == before { quiet + 1 } else { 0 };
            if quiet >= 3 && round > 3 {
                break;
            }
        }
        if quiet < 3 && self.violations.is_empty() {
            self.violations
                .push(Violation::new("comes-to-rest", format!("still writing after {ROUNDS_MAX} runs")));
        }
        self.tally.check("comes-to-rest");
        self.tell_what_waits();
        for line in self.people.shown() {
            self.tell(line);
        }
        if self.violations.is_empty() {
            check::at_rest(&self.machine, &self.people, &mut self.tally, &mut self.violations);
            self.firms.at_rest(&self.people, &mut self.tally, &mut self.violations);
        }
        if !self.violations.is_empty() {
            for line in self.people.history().await {
                self.tell(line);
            }
        }
    }

    /// People have what was refused for a passing reason tried again.
    fn retry_letters(&mut self) {
        let plan = CrashPlan::count();
        let Ok(mut engine) = self.machine.engine(&plan, Options::default()) else { return };
        let letters = engine.dead_letters(&Select::default()).unwrap_or_default();
        let lasting = ["merged", "duplicate", "collision", "holder-not-found"];
        let mut causes: Vec<String> = letters.into_iter().map(|(_, letter)| letter.cause).collect();
        causes.sort();
        causes.dedup();
        for cause in causes.into_iter().filter(|cause| !lasting.contains(&cause.as_str())) {
            let select = Select { cause: Some(cause), ..Select::default() };
            drop(engine.retry_dead_letters(&select));
        }
        let refused = Select { cause: Some("association-refused".into()), ..Select::default() };
        drop(engine.retry_dead_letters(&refused));
    }

    /// Dead letters and what was overwritten, for a person who looks for a fault.
    fn tell_what_waits(&mut self) {
        let Ok(engine) = self.machine.engine(&CrashPlan::count(), Options::default()) else { return };
        let letters = engine.dead_letters(&Select::default()).unwrap_or_default();
        let settled = Which { settled: true, ..Which::default() };
        let told = engine.conflicts(&settled).unwrap_or_default();
        drop(engine);
        for (_, letter) in letters {
            self.tell(format!("dead letter {}: {}: {}", letter.external, letter.cause, letter.detail));
        }
        for (_, property, conflict) in told {
            let by = conflict.opponent.unwrap_or_default();
            self.tell(format!(
                "told: {} {property}: {} in run {} {by}",
                conflict.external, conflict.cause, conflict.run
            ));
        }
    }
}
