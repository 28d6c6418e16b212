//! `kill`: an engagement's real program under `kill -9`, against the portal's real program.

use std::path::PathBuf;
use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Builds the programs, as a developer has them, and lets the hand fall.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args(["build", "--locked", "--package", "hubspot-sandbox", "--bin", "hubspot-sandbox"]);
    build.args(["--package", "club", "--bin", "club", "--package", "workspace-tests", "--bin", "kill"]);
    process::run(build.current_dir(&workspace.root))?;
    let program = |name: &str| -> PathBuf {
        workspace.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    };
    let mut command = Command::new(program("kill"));
    command.arg(program("club")).arg(program("hubspot-sandbox")).arg(workspace.target.join("kill"));
    process::run(command.args(arguments))
}

/// At least five hundred times; bounded, because a build server waits for it.
pub(crate) fn run_in_ci(workspace: &Workspace) -> Outcome {
    run(workspace, &["--kills", "500", "--seconds", "600"])
}
