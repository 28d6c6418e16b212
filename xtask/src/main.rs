//! All automation of the repository: `cargo xtask` lists the commands.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to the person who ran it")]

mod arrows;
mod bench;
mod ci;
mod conformance;
mod fuzz;
mod kill;
mod process;
mod readme;
mod services;
mod simulate;
mod tidy;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

const HELP: &str = "\
cargo xtask <command>

  ci [--after-tests]   everything the build server asks of a change; --after-tests leaves out the README's test
                       command, for a caller that has just run it
  check-arrows         crates import only what the table in xtask/src/arrows.rs allows
  tidy                 manifests, file heads, words and README commands are as agreed
  conformance          HubSpot's own Python and Node SDKs run against hubspot-sandbox (needs python3, node, npm and
                       a package registry the first time)
  services             tests with real servers and data: PostgreSQL, which it installs from Debian if it may, and
                       Directus, from npm (needs node and npm)
  kill                 an engagement's real program is ended by kill -9 at random moments, over and over, and must come to
                       the right end [--kills N] [--seconds MAX] [--seed N]
  bench sync           engine, bare loop and Python script bring contacts into hubspot-sandbox; prints figures and goals
                       [--rounds N] [--rows N] [--python-rounds N] [--million] (needs python3 and a package registry
                       the first time, unless --python-rounds 0)
  bench two-way        changes on both sides of worlds of several sizes: calls, state and time; prints figures and goals
                       [--changed N] [--pairs N[,N]] [--million]
  bench mapping        the mapping engine, typed Rust by hand, Node and Python map the same records; prints figures and
                       goals [--rounds N] (needs python3 and node)
  bench sources        our adapters and dlt read the same people from a JSON API and from PostgreSQL; prints figures and
                       goals [--rows N] [--rounds N] (needs python3, PostgreSQL and a package registry the first time)
  bench webhooks       our receiver, a bare one, Express and FastAPI take signed webhooks; prints figures and goals
                       [--rounds N] [--seconds N] (needs python3, node, npm and a package registry the first time)
  simulate             the simulated world: people on both sides, faults and crashes, seed by seed [--fast]
                       [--seeds N] [--from SEED] [--seconds MAX] [--threads N], or [--replay SEED] for one in full, or
                       [--bugs] for the planted bugs that it must catch
  fuzz [target]        the mutation tests for longer: [--seconds N] of each target
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["ci"] => in_workspace(|workspace| ci::run(workspace, ci::Tests::Run)),
        ["ci", "--after-tests"] => in_workspace(|workspace| ci::run(workspace, ci::Tests::AlreadyRun)),
        ["check-arrows"] => in_workspace(arrows::run),
        ["tidy"] => in_workspace(tidy::run),
        ["services"] => in_workspace(services::run),
        ["conformance"] => in_workspace(conformance::run),
        ["kill", options @ ..] => in_workspace(|workspace| kill::run(workspace, options)),
        ["simulate", options @ ..] => in_workspace(|workspace| simulate::run(workspace, options)),
        ["fuzz", options @ ..] => in_workspace(|workspace| fuzz::run(workspace, options)),
        ["bench", "webhooks", options @ ..] => {
            in_workspace(|workspace| bench::webhooks::run(workspace, options))
        }
        ["bench", "mapping", options @ ..] => {
            in_workspace(|workspace| bench::mapping::run(workspace, options))
        }
        ["bench", "sources", options @ ..] => {
            in_workspace(|workspace| bench::sources::run(workspace, options))
        }
        ["bench", "two-way", options @ ..] => {
            in_workspace(|workspace| bench::two_way::run(workspace, options))
        }
        ["bench", "sync", options @ ..] => in_workspace(|workspace| bench::run(workspace, options)),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        unknown => Err(format!("unknown command `{}`\n\n{HELP}", unknown.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What a command ends in; the text of an error is for a person and says what to do.
type Outcome = Result<(), String>;

fn in_workspace(command: impl FnOnce(&Workspace) -> Outcome) -> Outcome {
    command(&Workspace::load()?)
}

/// Prints what is wrong, one line each, and ends in an error if there was anything.
fn report(check: &str, problems: &[String]) -> Outcome {
    if problems.is_empty() {
        println!("{check}: ok");
        return Ok(());
    }
    for problem in problems {
        eprintln!("{problem}");
    }
    Err(format!("{check}: {} problem(s), listed above", problems.len()))
}
