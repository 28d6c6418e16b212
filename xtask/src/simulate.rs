//! `simulate`: the simulated world of `tests/src/simulate.rs`, seed by seed.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Runs it with these arguments; `--fast` in front builds it for speed, which pays from some thousand seeds on.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let (profile, arguments) = match arguments {
        ["--fast", rest @ ..] => (&["--profile", "simulation"][..], rest),
        all => (&[][..], all),
    };
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(&workspace.root).arg("run").args(profile);
    command.args([
        "--locked",
        "--package",
        "workspace-tests",
        "--features",
        "simulation",
        "--bin",
        "simulate",
        "--",
    ]);
    process::run(command.args(arguments))
}

/// The laws, every boundary of a calm world, some thousand days without a violation, some of them twice and some on the
/// embedded store with the same traces; then every planted bug has to be caught. Bounded, because a build server waits
/// for it, and because of what `docs/simulation.md` lists as known: later days still find something.
pub(crate) fn run_in_ci(workspace: &Workspace) -> Outcome {
    run(workspace, &["--fast", "--laws", "--cases", "500000"])?;
    run(workspace, &["--fast", "--boundaries", "--seeds", "1", "--seconds", "90", "--seeds-min", "100"])?;
    run(workspace, &["--fast", "--seeds", "3700", "--seconds", "480", "--seeds-min", "3000"])?;
    run(workspace, &["--fast", "--bugs", "--seeds", "3000", "--seconds", "20"])
}
