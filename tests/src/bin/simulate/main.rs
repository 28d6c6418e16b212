//! Runs seeds of the simulated world and prints what they came to.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to the person who ran it")]
#![allow(clippy::disallowed_methods, reason = "how long a survey may take is told by the wall clock")]

mod hunt;
mod settings;
mod survey;
mod threads;

use std::process::ExitCode;
use std::time::Instant;

use sync_core::mutation;
use workspace_tests::laws;
use workspace_tests::simulate::{Outcome, simulate};

use settings::{Mode, Settings};

fn main() -> ExitCode {
    let settings = match Settings::read(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let is_good = match settings.mode {
        Mode::Replay => replay(&settings),
        Mode::Laws => hold_laws(&settings),
        Mode::Bugs => hunt::hunt(&settings),
        Mode::Boundaries => survey::boundaries(&settings),
        Mode::Survey => survey::survey(&settings),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Shows one seed in full.
fn replay(settings: &Settings) -> bool {
    let outcome = simulate(&settings.setup);
    for line in &outcome.trace {
        println!("{line}");
    }
    tell(&outcome);
    outcome.violations.is_empty()
}

/// Says what was found wrong.
fn tell(outcome: &Outcome) {
    for violation in &outcome.violations {
        let Outcome { seed, steps, .. } = outcome;
        println!("seed {seed}, step {steps}: {}: {}", violation.invariant, violation.what);
    }
}

/// Tries the laws of the engine's pure parts.
fn hold_laws(settings: &Settings) -> bool {
    mutation::plant(settings.setup.bug);
    let mut is_good = true;
    let (mut all, began) = (0, Instant::now());
    for law in laws::ALL {
        let (share, began) = (law.share(settings.seeds), Instant::now());
        match law.hold(0..share) {
            Ok(()) => println!(
                "{:36} {share:>10} cases in {:>6.1} s  {}",
                law.name,
                began.elapsed().as_secs_f64(),
                law.keeps
            ),
            Err(broken) => {
                println!("{:36} case {} breaks it: {}", law.name, broken.case, broken.what);
                is_good = false;
            }
        }
        all += share;
    }
    println!("{all} cases of {} laws in {:.0} s", laws::ALL.len(), began.elapsed().as_secs_f64());
    is_good
}
