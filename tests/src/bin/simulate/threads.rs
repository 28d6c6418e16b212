//! Worlds side by side, and somebody who looks whether they end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use workspace_tests::simulate::{Outcome, Setup, Tally, simulate};

use crate::settings::Settings;

/// A day takes some milliseconds, on a crowded machine some seconds. One that takes this long waits for something
/// that never comes, or turns in a circle.
const LONGEST_SEED: Duration = Duration::from_secs(120);

/// How often a survey says how far it is.
const PROGRESS: Duration = Duration::from_secs(60);

/// Runs worlds on all threads until they are done or the time is up; `each` says whether to go on. Gives how many there
/// were, and what happened in them.
pub(crate) fn run(
    settings: &Settings,
    worlds: u64,
    world: impl Fn(u64) -> Setup + Sync,
    each: impl Fn(&Setup, &Outcome) -> bool + Sync,
) -> (u64, Tally) {
    let next = AtomicU64::new(0);
    let total = Mutex::new((0, Tally::default()));
    let deadline = Instant::now() + Duration::from_secs(settings.seconds);
    let running: Vec<Running> = (0..settings.threads).map(|_| Mutex::default()).collect();
    let is_over = (Mutex::new(0), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| watch(&running, &is_over, &total));
        for mine in &running {
            let (next, total, each, world, is_over) = (&next, &total, &each, &world, &is_over);
            scope.spawn(move || {
                let _ended = Ended(is_over);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= worlds || Instant::now() > deadline {
                        return;
                    }
                    let setup = world(number);
                    note(mine, Some((setup.clone(), Instant::now())));
                    let outcome = simulate(&setup);
                    let goes_on = each(&setup, &outcome);
                    note(mine, None);
                    if let Ok(mut total) = total.lock() {
                        total.0 += 1;
                        total.1.add(&outcome.tally);
                    }
                    if !goes_on {
                        next.store(worlds, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
    });
    total.into_inner().unwrap_or_default()
}

type Running = Mutex<Option<(Setup, Instant)>>;

fn note(running: &Running, what: Option<(Setup, Instant)>) {
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
        let now =
            running.iter().filter_map(|running| running.lock().ok().and_then(|running| running.clone()));
        if let Some((setup, _)) = now.into_iter().find(|(_, since)| since.elapsed() > LONGEST_SEED) {
            println!("seed {}: has not ended after {} s", setup.seed, LONGEST_SEED.as_secs());
            println!("look at it again: {}", setup.command());
            std::process::exit(1);
        }
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            let seeds = total.lock().map(|total| total.0).unwrap_or_default();
            println!("{:>5} s  {seeds} seeds", began.elapsed().as_secs());
        }
    }
}
