//! `simulate`: the simulated world of `tests/src/simulate.rs`, seed by seed.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// What one run of the build server may take of it, in seconds.
const CI_SECONDS: &str = "240";
const CI_BUG_SECONDS: &str = "15";

/// Runs it with these arguments; `--release` in front builds it for speed, which pays from some thousand seeds on.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let (profile, arguments) = match arguments {
        ["--release", rest @ ..] => (&["--release"][..], rest),
        all => (&[][..], all),
    };
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(&workspace.root).arg("run").args(profile);
    command.args(["--locked", "--package", "workspace-tests", "--features", "simulation", "--bin", "simulate", "--"]);
    process::run(command.args(arguments))
}

/// Seeds without a bug, and then each planted bug until some seed catches it.
pub(crate) fn run_in_ci(workspace: &Workspace) -> Outcome {
    run(workspace, &["--seeds", "1000000", "--seconds", CI_SECONDS])?;
    run(workspace, &["--bugs", "--seeds", "1000000", "--seconds", CI_BUG_SECONDS])
}
