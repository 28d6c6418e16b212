//! Runs seeds of the simulated world and prints what they came to.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to the person who ran it")]
#![allow(clippy::disallowed_methods, reason = "how long a survey may take is told by the wall clock")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sync_core::mutation::Bug;
use workspace_tests::simulate::{Outcome, Tally, simulate};

const USAGE: &str = "simulate [--seeds N] [--seeds-min N] [--from SEED] [--seconds MAX] [--threads N] [--twice PERCENT] [--bugs]\n\
     simulate --replay SEED [--bug NAME]";

/// What to do.
struct Settings {
    seeds: u64,
    /// So many there have to be before the time is up.
    seeds_min: u64,
    from: u64,
    seconds: u64,
    threads: usize,
    twice: u64,
    bugs: bool,
    replay: Option<u64>,
    bug: Option<Bug>,
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings {
        seeds: 1_000,
        seeds_min: 0,
        from: 1,
        seconds: 900,
        threads: 2,
        twice: 1,
        bugs: false,
        replay: None,
        bug: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().unwrap_or_default();
            text.parse::<u64>().map_err(|_| format!("{argument} wants a number, not `{text}`\n{USAGE}"))
        };
        match argument.as_str() {
            "--seeds" => settings.seeds = number()?,
            "--seeds-min" => settings.seeds_min = number()?,
            "--from" => settings.from = number()?,
            "--seconds" => settings.seconds = number()?,
            "--threads" => settings.threads = number()?.clamp(1, 64) as usize,
            "--twice" => settings.twice = number()?,
            "--replay" => settings.replay = Some(number()?),
            "--bugs" => settings.bugs = true,
            "--bug" => {
                let name = arguments.next().unwrap_or_default();
                let found = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name);
                settings.bug = Some(
                    found.ok_or_else(|| format!("no bug is called `{name}`; there are {:?}", Bug::ALL))?,
                );
            }
            _ => return Err(format!("`{argument}` is not understood\n{USAGE}")),
        }
    }
    Ok(settings)
}

fn main() -> ExitCode {
    let settings = match settings() {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let is_good = match settings.replay {
        Some(seed) => replay(seed, settings.bug),
        None if settings.bugs => hunt(&settings),
        None => survey(&settings),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Shows one seed in full.
fn replay(seed: u64, bug: Option<Bug>) -> bool {
    let outcome = simulate(seed, bug);
    for line in &outcome.trace {
        println!("{line}");
    }
    tell(&outcome);
    outcome.violations.is_empty()
}

fn tell(outcome: &Outcome) {
    for violation in &outcome.violations {
        println!("seed {}: {}: {}", outcome.seed, violation.invariant, violation.what);
    }
    if !outcome.violations.is_empty() {
        println!("look at it again: cargo xtask simulate --replay {}", outcome.seed);
    }
}

/// A day takes some milliseconds, on a crowded machine some seconds. One that takes this long waits for something
/// that never comes, or turns in a circle.
const LONGEST_SEED: Duration = Duration::from_secs(120);

/// How often a survey says how far it is.
const PROGRESS: Duration = Duration::from_secs(60);

/// Runs seeds on all threads until they are done or the time is up; `each` says whether to go on.
fn run(settings: &Settings, bug: Option<Bug>, each: impl Fn(&Outcome) -> bool + Sync) -> (u64, Tally) {
    let next = AtomicU64::new(settings.from);
    let end = settings.from + settings.seeds;
    let total = Mutex::new((0, Tally::default()));
    let deadline = Instant::now() + Duration::from_secs(settings.seconds);
    let running: Vec<Running> = (0..settings.threads).map(|_| Mutex::default()).collect();
    let is_over = (Mutex::new(0), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| watch(&running, &is_over, &total));
        for mine in &running {
            let (next, total, each, is_over) = (&next, &total, &each, &is_over);
            scope.spawn(move || {
                let _ended = Ended(is_over);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || Instant::now() > deadline {
                        return;
                    }
                    note(mine, Some((seed, Instant::now())));
                    let outcome = simulate(seed, bug);
                    note(mine, None);
                    let goes_on = each(&outcome);
                    if let Ok(mut total) = total.lock() {
                        total.0 += 1;
                        total.1.add(&outcome.tally);
                    }
                    if !goes_on {
                        next.store(end, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
    });
    total.into_inner().unwrap_or_default()
}

type Running = Mutex<Option<(u64, Instant)>>;

fn note(running: &Running, what: Option<(u64, Instant)>) {
    if let Ok(mut running) = running.lock() {
        *running = what;
    }
}

/// Counts a thread as ended, also when it panics: whoever watches must not wait for it.
struct Ended<'a>(&'a (Mutex<usize>, Condvar));

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.1.notify_all();
    }
}

/// Says how far it is, and ends the program when a seed does not end: nothing else could.
fn watch(running: &[Running], is_over: &(Mutex<usize>, Condvar), total: &Mutex<(u64, Tally)>) {
    let (began, mut told) = (Instant::now(), Instant::now());
    let mut ended = is_over.0.lock().unwrap_or_else(PoisonError::into_inner);
    while *ended < running.len() {
        ended =
            is_over.1.wait_timeout(ended, Duration::from_secs(1)).unwrap_or_else(PoisonError::into_inner).0;
        let now = running.iter().filter_map(|running| running.lock().ok().and_then(|running| *running));
        if let Some((seed, _)) = now.into_iter().find(|(_, since)| since.elapsed() > LONGEST_SEED) {
            println!("seed {seed}: has not ended after {} s", LONGEST_SEED.as_secs());
            println!("look at it again: cargo xtask simulate --replay {seed}");
            std::process::exit(1);
        }
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            let seeds = total.lock().map(|total| total.0).unwrap_or_default();
            println!("{:>5} s  {seeds} seeds", began.elapsed().as_secs());
        }
    }
}

/// Runs many seeds without a bug: none may violate anything.
fn survey(settings: &Settings) -> bool {
    let began = Instant::now();
    let (bad, twice, differing) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (seeds, tally) = run(settings, settings.bug, |outcome| {
        if outcome.seed % 100 < settings.twice {
            twice.fetch_add(1, Ordering::Relaxed);
            if simulate(outcome.seed, settings.bug).hash() != outcome.hash() {
                differing.fetch_add(1, Ordering::Relaxed);
                println!("seed {}: two runs of it differ", outcome.seed);
            }
        }
        if !outcome.violations.is_empty() {
            tell(outcome);
            bad.fetch_add(1, Ordering::Relaxed);
        }
        bad.load(Ordering::Relaxed) < 10
    });
    let (bad, twice, differing) = (bad.into_inner(), twice.into_inner(), differing.into_inner());
    println!(
        "seeds          {seeds} in {:.0} s; {twice} of them run twice, {differing} of those differ",
        began.elapsed().as_secs_f64()
    );
    println!("{tally}");
    let missing = if seeds >= 3_000 { tally.missing() } else { Vec::new() };
    if !missing.is_empty() {
        println!("never happened: {}", missing.join(", "));
    }
    println!("violations     in {bad} seeds");
    if bad == 0 && seeds < settings.seeds_min {
        println!(
            "too few        {seeds} seeds in {} s, where at least {} are wanted",
            settings.seconds, settings.seeds_min
        );
    }
    bad == 0 && differing == 0 && missing.is_empty() && seeds >= settings.seeds_min
}

/// Plants each bug in turn: some seed must catch it.
fn hunt(settings: &Settings) -> bool {
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        let caught: Mutex<Option<(u64, String)>> = Mutex::new(None);
        run(settings, Some(bug), |outcome| {
            let Some(violation) = outcome.violations.first() else { return true };
            if let Ok(mut caught) = caught.lock() {
                caught.get_or_insert_with(|| {
                    (outcome.seed, format!("{}: {}", violation.invariant, violation.what))
                });
            }
            false
        });
        match caught.into_inner().ok().flatten() {
            Some((seed, what)) => println!("{:24} caught by seed {seed}: {what}", format!("{bug:?}")),
            None => {
                println!("{:24} NOT caught by {} seeds", format!("{bug:?}"), settings.seeds);
                missed.push(bug);
            }
        }
    }
    println!("{} of {} planted bugs caught", Bug::ALL.len() - missed.len(), Bug::ALL.len());
    missed.is_empty()
}
