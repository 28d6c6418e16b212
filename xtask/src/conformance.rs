//! `conformance`: HubSpot's own SDKs, unmodified but for the base URL, run a suite of ours against the sandbox; and our
//! OAuth client goes through its flow with somebody else's server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// The releases that the suites are written for.
pub(crate) const PYTHON_SDK: &str = "hubspot-api-client==12.0.0";
const NODE_SDK: &str = "@hubspot/api-client@14.0.1";

/// An authorization server that is not ours, for our client.
const OAUTH_SERVER: &str = "oidc-provider@8.8.1";

/// Builds our programs, installs theirs below the target folder where they are not yet there, and runs every suite.
/// The suites start and stop the sandbox themselves, on a free port, with the settings that each test needs.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let sandbox = build_sandbox(workspace)?;
    let scripts = workspace.root.join("crates/hubspot-sandbox/tests/conformance");
    let python = install_python_sdk(workspace)?;
    let modules = node_with(&workspace.target.join("conformance/node"), &[NODE_SDK])?;
    let oauth_server = node_with(&workspace.target.join("conformance/oauth"), &[OAUTH_SERVER])?;
    let flow = build(workspace, &["--package", "oauth", "--example", "flow"], "examples/flow")?;

    let mut python_suite = Command::new(python);
    python_suite.args(["-m", "unittest", "-v", "suite", "oauth_suite"]).current_dir(scripts.join("python"));
    // Byte code is written beside the sources otherwise.
    python_suite.env("PYTHONDONTWRITEBYTECODE", "1");
    let mut node_suite = Command::new("node");
    let suites = ["--test", "--test-reporter=spec", "suite.cjs", "oauth.cjs"];
    node_suite.args(suites).current_dir(scripts.join("node"));
    node_suite.env("NODE_PATH", modules);

    let mut oauth_suite = Command::new("node");
    oauth_suite.args(["--test", "--test-reporter=spec", "independent.cjs"]);
    oauth_suite.current_dir(workspace.root.join("crates/oauth/tests/conformance"));
    oauth_suite.env("NODE_PATH", oauth_server).env("OAUTH_FLOW", flow);

    let outcomes = [
        ("Python", process::run(python_suite.env("HUBSPOT_SANDBOX", &sandbox))),
        ("Node", process::run(node_suite.env("HUBSPOT_SANDBOX", &sandbox))),
        ("OAuth", process::run(&mut oauth_suite)),
    ];
    println!();
    for ((name, outcome), sdk) in outcomes.iter().zip([PYTHON_SDK, NODE_SDK, OAUTH_SERVER]) {
        println!("conformance: {name:<6} {sdk:<28} {}", if outcome.is_ok() { "ok" } else { "FAILED" });
    }
    outcomes.into_iter().try_for_each(|(_, outcome)| outcome)
}

fn build_sandbox(workspace: &Workspace) -> Result<PathBuf, String> {
    build(workspace, &["--package", "hubspot-sandbox", "--bin", "hubspot-sandbox"], "hubspot-sandbox")
}

/// Builds one program and answers with its place.
fn build(workspace: &Workspace, what: &[&str], program: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked"]).args(what).current_dir(&workspace.root);
    process::run(&mut command)?;
    Ok(workspace.target.join("debug").join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
}

/// A virtual environment with HubSpot's SDK, made where it is not yet there; answers with its interpreter.
fn install_python_sdk(workspace: &Workspace) -> Result<PathBuf, String> {
    python_with(&workspace.target.join("conformance/python"), &[PYTHON_SDK])
}

/// A virtual environment with these packages, made where it is not yet there; answers with its interpreter.
pub(crate) fn python_with(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    once(folder, &packages.join(" "), || {
        process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        process::run(Command::new(&python).args(arguments).args(packages))
    })?;
    Ok(python)
}

/// These packages in a folder of their own; answers with the one that `NODE_PATH` must name.
pub(crate) fn node_with(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    once(folder, &packages.join(" "), || {
        let arguments =
            ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run(Command::new("npm").args(arguments).arg("--prefix").arg(folder).args(packages))
    })?;
    Ok(folder.join("node_modules"))
}

/// Installs unless a note in `folder` says that exactly this was installed to the end.
pub(crate) fn once(folder: &Path, what: &str, install: impl FnOnce() -> Outcome) -> Outcome {
    let note = folder.join("installed");
    if fs::read_to_string(&note).is_ok_and(|text| text == what) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    install()?;
    fs::write(&note, what).map_err(|error| format!("{}: {error}", note.display()))
}
