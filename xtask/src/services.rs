//! `services`: tests that ask for data or servers from beyond the repository; they say aloud what they skip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Package, Workspace};
use crate::{Outcome, conformance, process};

/// The test binaries, in any package, that ask for data or servers from beyond the repository.
const SERVICE_TESTS: &str = "services";

/// Where Debian puts PostgreSQL's programs; each test starts a server of its own from there.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// The application that `examples/academy` is tested against.
const DIRECTUS: &str = "11.1.0";

/// Runs them all, with their words shown, so that what was skipped can be read. Fails as well when something could not be
/// installed: its tests have not run.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let missing = [("PostgreSQL", install_postgresql()), ("Directus", install_directus(workspace))];
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
    let tested = process::run(command.args(["--", "--nocapture"]));
    let missing: Vec<String> = missing
        .into_iter()
        .filter_map(|(name, installed)| Some(format!("{name} could not be installed: {}", installed.err()?)))
        .collect();
    for problem in &missing {
        println!("services: {problem}; its tests were skipped");
    }
    tested?;
    if missing.is_empty() { Ok(()) } else { Err(missing.join("; ")) }
}

/// Installs PostgreSQL where it is missing and this is a machine that may be installed on.
fn install_postgresql() -> Outcome {
    if Path::new(POSTGRESQL).is_dir() || process::succeeds(Command::new("pg_ctl").arg("--version")) {
        return Ok(());
    }
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", "postgresql"]);
    process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs Directus from npm below the target folder, where the tests look for it. Nothing is compiled: its database is
/// PostgreSQL, whose client is plain JavaScript, and what runs scripts within flows, the one part that has to be built, is
/// left out.
fn install_directus(workspace: &Workspace) -> Outcome {
    let folder = workspace.target.join("services/directus");
    let stub = folder.join("no-scripts");
    let write = |path: PathBuf, text: &str| {
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    conformance::once(&folder, DIRECTUS, || {
        fs::create_dir_all(&stub).map_err(|error| format!("{}: {error}", stub.display()))?;
        write(
            stub.join("package.json"),
            r#"{ "name": "isolated-vm", "version": "4.7.2", "main": "index.js" }"#,
        )?;
        write(stub.join("index.js"), "module.exports = {};\n")?;
        let wanted = format!(
            r#"{{ "private": true, "dependencies": {{ "directus": "{DIRECTUS}" }}, "overrides": {{ "isolated-vm": "file:./no-scripts" }} }}"#
        );
        write(folder.join("package.json"), &wanted)?;
        let mut install = Command::new("npm");
        install.args([
            "install",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--ignore-scripts",
        ]);
        process::run(install.current_dir(&folder))
    })
}
