//! `bench two-way`: what changes on both sides cost, by how much there is and by how much has changed.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Builds the program as it would be shipped, and runs it.
pub(crate) fn run(workspace: &Workspace, options: &[&str]) -> Outcome {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(&workspace.root).args(["run", "--release", "--locked"]);
    command.args(["--package", "workspace-tests", "--bin", "two-way-bench", "--"]);
    process::run(command.args(options))
}
