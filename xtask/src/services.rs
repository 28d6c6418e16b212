//! `services`: tests that ask for data or servers from beyond the repository; they say aloud what they skip.

use std::path::Path;
use std::process::Command;

use crate::workspace::{Package, Workspace};
use crate::{Outcome, process};

/// The test binaries, in any package, that ask for data or servers from beyond the repository.
const SERVICE_TESTS: &str = "services";

/// Where Debian puts PostgreSQL's programs; each test starts a server of its own from there.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// Runs them all, with their words shown, so that what was skipped can be read.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    install_servers();
    let has_them = |package: &&Package| package.test_targets.iter().any(|name| name == SERVICE_TESTS);
    let packages: Vec<&Package> = workspace.packages.iter().filter(has_them).collect();
    if packages.is_empty() {
        return Err(format!("no package has a test binary `{SERVICE_TESTS}`"));
    }
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(&workspace.root);
    command.args(["test", "--locked", "--all-features", "--test", SERVICE_TESTS]);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    process::run(command.args(["--", "--nocapture"]))
}

/// Installs what is missing, where this is a machine that may be installed on. Elsewhere the tests say that they skip.
fn install_servers() {
    if Path::new(POSTGRESQL).is_dir() {
        return;
    }
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--no-install-recommends", "postgresql"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    if !process::succeeds(&mut install) {
        println!("services: PostgreSQL is not installed and could not be; its tests are skipped");
    }
}
