//! `ci`: everything the build server asks of a change, one named and timed step per question.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::workspace::Workspace;
use crate::{Outcome, arrows, conformance, fuzz, kill, process, readme, services, simulate, tidy};

/// Whether the README's test command is still to be run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    Run,
    AlreadyRun,
}

type Step<'a> = (&'static str, Box<dyn FnOnce() -> Outcome + 'a>);

/// Runs every step even after one has failed, so that one run tells everything, then prints the times.
pub(crate) fn run(workspace: &Workspace, tests: Tests) -> Outcome {
    let mut done = Vec::new();
    for (name, step) in steps(workspace, tests) {
        println!("\n== {name}");
        let (outcome, took) = process::timed(step);
        if let Err(message) = &outcome {
            println!("{message}");
        }
        done.push((name, took, outcome.is_ok()));
    }
    println!("\n{}", summary(&done));
    let failed: Vec<&str> = done.iter().filter(|(_, _, ok)| !ok).map(|(name, _, _)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Cheap ones first.
fn steps(workspace: &Workspace, tests: Tests) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = vec![
        ("format", Box::new(|| process::run(cargo(workspace).args(["fmt", "--all", "--check"])))),
        ("check-arrows", Box::new(|| arrows::run(workspace))),
        ("tidy", Box::new(|| tidy::run(workspace))),
        (
            "lints",
            Box::new(|| {
                let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked"];
                process::run(cargo(workspace).args(arguments).args(["--", "-D", "warnings"]))
            }),
        ),
    ];
    if tests == Tests::Run {
        steps.push(("tests", Box::new(|| readme_tests(workspace))));
    }
    steps.push(("fuzz", Box::new(|| fuzz::run_in_ci(workspace))));
    steps.push(("documentation", Box::new(|| documentation(workspace))));
    steps.push(("dependencies", Box::new(|| dependencies(workspace))));
    steps.push(("conformance", Box::new(|| conformance::run(workspace))));
    steps.push(("services", Box::new(|| services::run(workspace))));
    steps.push(("features", Box::new(|| features(workspace))));
    steps.push(("kill", Box::new(|| kill::run_in_ci(workspace))));
    steps.push(("simulation", Box::new(|| simulate::run_in_ci(workspace))));
    steps
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(&workspace.root);
    command
}

/// What a newcomer types, word for word.
fn readme_tests(workspace: &Workspace) -> Outcome {
    let text = fs::read_to_string(workspace.root.join("README.md"))
        .map_err(|error| format!("README.md: {error}"))?;
    let command = readme::commands(&text)?.test;
    process::run(cargo(workspace).args(command.split_whitespace().skip(1)))
}

/// What is off by default and no program of ours switches on: with the same build as the services.
fn features(workspace: &Workspace) -> Outcome {
    let arguments =
        ["test", "--locked", "--all-features", "--package", "source-adapters", "--lib", "files::"];
    process::run(cargo(workspace).args(arguments))
}

fn documentation(workspace: &Workspace) -> Outcome {
    let arguments = ["doc", "--workspace", "--no-deps", "--all-features", "--locked"];
    process::run(cargo(workspace).args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Advisories need a database from the network, so they are asked for elsewhere; the rest works offline.
fn dependencies(workspace: &Workspace) -> Outcome {
    if !process::succeeds(cargo(workspace).args(["deny", "--version"])) {
        // Not optimised: it runs for a second, and would be built for minutes.
        process::run(cargo(workspace).args(["install", "--locked", "--debug", "cargo-deny"]))?;
    }
    let arguments = ["deny", "--all-features", "--offline", "check", "bans", "licenses", "sources"];
    process::run(cargo(workspace).args(arguments))
}

fn summary(done: &[(&str, Duration, bool)]) -> String {
    let lines = done.iter().map(|(name, took, ok)| {
        let verdict = if *ok { "ok" } else { "FAILED" };
        format!("{name:<14} {:>7.1} s  {verdict}", took.as_secs_f64())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_failed() {
        let done =
            [("format", Duration::from_millis(1_240), true), ("tests", Duration::from_secs(75), false)];
        assert_eq!(summary(&done), "format             1.2 s  ok\ntests             75.0 s  FAILED");
    }
}
