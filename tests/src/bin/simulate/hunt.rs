//! Every planted bug has to be caught: by a law of the pure parts, or by a world.

use std::sync::Mutex;
use std::time::Instant;

use sync_core::mutation::{self, Bug};
use workspace_tests::laws;
use workspace_tests::simulate::{Setup, simulate};

use crate::settings::Settings;
use crate::threads;

/// Cases of the laws that are tried before worlds are.
const CASES: u64 = 4_000;

/// What caught each bug when it was last noted: tried first, so that a hunt is short. It goes stale with every change
/// of the world, and then the hunt is as long as it takes.
const NOTED: &str = include_str!("../../simulate/caught.txt");

/// What caught a bug.
enum Caught {
    Law { law: &'static str, case: u64, what: String },
    Seed { seed: u64, invariant: &'static str, what: String },
}

/// Plants each bug in turn.
pub(crate) fn hunt(settings: &Settings) -> bool {
    let began = Instant::now();
    let (mut notes, mut missed, mut rare) = (String::new(), Vec::new(), 0);
    let wanted = settings.setup.bug.map_or(Bug::ALL.to_vec(), |bug| vec![bug]);
    for bug in &wanted {
        let (name, breaks) = (bug.name(), bug.breaks());
        match by_note(*bug).or_else(|| by_law(*bug)).or_else(|| by_world(settings, *bug)) {
            Some(Caught::Law { law, case, what }) => {
                println!("{name:24} {breaks:8} caught by case {case} of {law}: {}", first_line(&what));
                notes.push_str(&format!("{name} law {law} {case}\n"));
            }
            Some(Caught::Seed { seed, invariant, what }) => {
                println!("{name:24} {breaks:8} caught by seed {seed}: {invariant}: {}", first_line(&what));
                notes.push_str(&format!("{name} seed {seed} {invariant}\n"));
            }
            None if Bug::RARE.contains(bug) => {
                println!("{name:24} {breaks:8} not caught this time: it takes a rare day");
                rare += 1;
            }
            None => {
                println!("{name:24} {breaks:8} NOT CAUGHT");
                missed.push(name);
            }
        }
    }
    println!(
        "{} of {} planted bugs caught in {:.0} s; {rare} rare ones were not, and {} that should have been",
        wanted.len() - missed.len() - rare,
        wanted.len(),
        began.elapsed().as_secs_f64(),
        missed.len()
    );
    if let Some(file) = &settings.note
        && let Err(error) = std::fs::write(file, notes)
    {
        println!("{}: {error}", file.display());
    }
    missed.is_empty()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(140).collect()
}

fn by_note(bug: Bug) -> Option<Caught> {
    let mut words =
        NOTED.lines().find_map(|line| line.strip_prefix(bug.name())?.strip_prefix(' '))?.split(' ');
    match (words.next()?, words.next()?, words.next()) {
        ("law", name, Some(case)) => {
            let (law, case) = (laws::ALL.iter().find(|law| law.name == name)?, case.parse::<u64>().ok()?);
            mutation::plant(Some(bug));
            let held = law.hold(case..case + 1);
            mutation::plant(None);
            held.err().map(|broken| Caught::Law { law: broken.law, case: broken.case, what: broken.what })
        }
        ("seed", seed, _) => try_seed(bug, seed.parse().ok()?),
        _ => None,
    }
}

fn try_seed(bug: Bug, seed: u64) -> Option<Caught> {
    let outcome = simulate(&Setup { bug: Some(bug), ..Setup::day(seed) });
    let found = outcome.violations.first()?;
    Some(Caught::Seed { seed, invariant: found.invariant, what: found.what.clone() })
}

fn by_law(bug: Bug) -> Option<Caught> {
    mutation::plant(Some(bug));
    let held = laws::hold_all(CASES);
    mutation::plant(None);
    held.err().map(|broken| Caught::Law { law: broken.law, case: broken.case, what: broken.what })
}

fn by_world(settings: &Settings, bug: Bug) -> Option<Caught> {
    let caught: Mutex<Option<Caught>> = Mutex::new(None);
    let world = |number: u64| Setup { bug: Some(bug), ..Setup::day(settings.from + number) };
    // A rare one may take all night: what is left of the time is the others'.
    let seconds = if Bug::RARE.contains(&bug) { settings.seconds / 4 } else { settings.seconds };
    let settings = &Settings { seconds, ..settings.clone() };
    threads::run(settings, settings.seeds, world, |_, outcome| {
        let Some(found) = outcome.violations.first() else { return true };
        if let Ok(mut caught) = caught.lock() {
            caught.get_or_insert_with(|| Caught::Seed {
                seed: outcome.seed,
                invariant: found.invariant,
                what: found.what.clone(),
            });
        }
        false
    });
    caught.into_inner().ok().flatten()
}
