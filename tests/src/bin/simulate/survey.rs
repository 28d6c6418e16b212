//! Many worlds without a planted bug: none may go wrong.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use workspace_tests::simulate::{Crash, Outcome, Setup, StoreKind, Strike, When, shrink, simulate};

use crate::settings::Settings;
use crate::{tell, threads};

/// Worlds that may go wrong before the survey stops to look at them.
const BAD_MAX: u64 = 10;

/// Worlds that are tried in search of a smaller one that goes wrong alike.
const TRIES_MAX: usize = 120;

/// From so many seeds on, a kind of fault that never happened is a failure.
const ENOUGH: u64 = 3_000;

/// Runs many seeds. One in a hundred runs twice, with the same trace; one in ten runs on the embedded store as well,
/// with the same trace as in memory.
pub(crate) fn survey(settings: &Settings) -> bool {
    let began = Instant::now();
    let (bad, twice, on_disk, differing) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let compare = |setup: &Setup, outcome: &Outcome, store, counted: &AtomicU64, what: &str| {
        counted.fetch_add(1, Ordering::Relaxed);
        let other = simulate(&Setup { store, ..setup.clone() });
        if other.hash() != outcome.hash() {
            differing.fetch_add(1, Ordering::Relaxed);
            println!("seed {}: {what}", outcome.seed);
            let lines = outcome.trace.iter().zip(&other.trace).find(|(one, other)| one != other);
            if let Some((one, other)) = lines {
                println!("  {one}\n  {other}");
            }
        }
    };
    let world = |number: u64| settings.world(settings.from + number);
    let (seeds, tally) = threads::run(settings, settings.seeds, world, |setup, outcome| {
        if setup.seed % 100 < settings.twice {
            compare(setup, outcome, setup.store, &twice, "two runs of it differ");
        }
        if setup.seed % 10 == 5 {
            compare(setup, outcome, StoreKind::Sqlite, &on_disk, "on the embedded store it runs otherwise");
        }
        if !outcome.violations.is_empty() {
            explain(setup, outcome);
            bad.fetch_add(1, Ordering::Relaxed);
        }
        bad.load(Ordering::Relaxed) < BAD_MAX
    });
    let (bad, differing) = (bad.into_inner(), differing.into_inner());
    println!("seeds            {seeds} in {:.0} s", began.elapsed().as_secs_f64());
    println!("run twice        {}", twice.into_inner());
    println!("on the embedded store, too  {}", on_disk.into_inner());
    println!("of those differ  {differing}");
    println!("{tally}");
    let missing = if seeds >= ENOUGH { tally.missing() } else { Vec::new() };
    if !missing.is_empty() {
        println!("never happened   {}", missing.join(", "));
    }
    println!("violations       in {bad} seeds");
    if bad == 0 && seeds < settings.seeds_min {
        println!(
            "too few          {seeds} seeds in {} s, where at least {} are wanted",
            settings.seconds, settings.seeds_min
        );
    }
    bad == 0 && differing == 0 && missing.is_empty() && seeds >= settings.seeds_min
}

static EXPLAINING: Mutex<()> = Mutex::new(());

/// Says what went wrong, in the smallest world that still goes wrong.
fn explain(setup: &Setup, outcome: &Outcome) {
    let _one_at_a_time = EXPLAINING.lock();
    println!();
    tell(outcome);
    let Some(smallest) = shrink(setup, TRIES_MAX) else {
        println!("it went well when it was run again: two runs of it differ");
        return;
    };
    println!("the smallest world of {} that goes wrong alike:", smallest.tried);
    for line in &smallest.outcome.trace {
        println!("  {line}");
    }
    tell(&smallest.outcome);
    println!("look at it again: {}", smallest.command());
    println!();
}

/// Strikes every boundary of every run of some seeds: the process is killed before and after it, it fails, it is late.
pub(crate) fn boundaries(settings: &Settings) -> bool {
    let began = Instant::now();
    let mut strikes: Vec<Setup> = Vec::new();
    for number in 0..settings.seeds {
        // Nothing else goes wrong: a strike on a run that there is not says so.
        let nowhere = Strike { run: usize::MAX, crash: Crash { step: 0, when: When::Before } };
        let calm = Setup { strike: Some(nowhere), ..settings.world(settings.from + number) };
        let outcome = simulate(&calm);
        if !outcome.violations.is_empty() {
            tell(&outcome);
            return false;
        }
        for (run, steps) in outcome.boundaries.iter().enumerate() {
            for step in 0..*steps {
                for when in [When::Before, When::After, When::Fails, When::Late] {
                    let strike = Some(Strike { run, crash: Crash { step, when } });
                    strikes.push(Setup { strike, ..calm.clone() });
                }
            }
        }
    }
    let bad = AtomicU64::new(0);
    let count = strikes.len() as u64;
    let world = |number: u64| {
        let at = usize::try_from(number).unwrap_or_default();
        strikes.get(at).cloned().unwrap_or_default()
    };
    let (done, tally) = threads::run(settings, count, world, |setup, outcome| {
        if !outcome.violations.is_empty() {
            tell(outcome);
            println!("look at it again: {}", setup.command());
            bad.fetch_add(1, Ordering::Relaxed);
        }
        bad.load(Ordering::Relaxed) < BAD_MAX
    });
    let bad = bad.into_inner();
    println!(
        "boundaries       {done} of {count} strikes in {} seeds, in {:.0} s",
        settings.seeds,
        began.elapsed().as_secs_f64()
    );
    println!("{tally}");
    println!("violations       in {bad} worlds");
    bad == 0 && (done == count || settings.seeds_min > 0 && done >= settings.seeds_min)
}
