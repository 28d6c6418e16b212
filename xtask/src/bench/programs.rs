//! The programs that are measured, and how each is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::figures::Figures;
use super::portal::{Portal, TOKEN};
use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Where they are.
pub(super) struct Programs {
    pub(super) sandbox: PathBuf,
    sync_bench: PathBuf,
    python_script: PathBuf,
}

impl Programs {
    /// Builds them as they would be shipped.
    pub(super) fn build(workspace: &Workspace) -> Result<Programs, String> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut build = Command::new(cargo);
        build.args(["build", "--release", "--locked"]).current_dir(&workspace.root);
        build.args(["--package", "hubspot-sandbox", "--bin", "hubspot-sandbox"]);
        build.args(["--package", "workspace-tests", "--bin", "sync-bench"]);
        process::run(&mut build)?;
        let program = |name: &str| {
            workspace.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
        };
        Ok(Programs {
            sandbox: program("hubspot-sandbox"),
            sync_bench: program("sync-bench"),
            python_script: workspace.root.join("tests/bench/upsert.py"),
        })
    }

    /// The table of contacts in `folder`, of which `changed` differ from the first edition.
    pub(super) fn write_data(&self, folder: &Path, rows: u64, changed: u64) -> Outcome {
        let mut command = Command::new(&self.sync_bench);
        command.arg("data").arg(folder).args([rows.to_string(), changed.to_string()]);
        process::output(&mut command).map(drop)
    }

    /// The properties that the contacts need.
    pub(super) fn provision(&self, portal: &Portal) -> Outcome {
        process::output(Command::new(&self.sync_bench).args(["init", &portal.url, TOKEN])).map(drop)
    }

    /// What stands in the portal: how many contacts, and one number for all their mapped values.
    pub(super) fn digest(&self, portal: &Portal) -> Result<String, String> {
        let said = process::output(Command::new(&self.sync_bench).args(["digest", &portal.url, TOKEN]))?;
        let said: serde_json::Value =
            serde_json::from_str(&said).map_err(|error| format!("not a digest: `{said}`: {error}"))?;
        Ok(format!("{} contacts, values {}", said["records"], said["digest"]))
    }

    pub(super) fn engine(&self, data: &Path, state: &Path, portal: &Portal) -> Result<Figures, String> {
        self.rust("engine", data, state, portal)
    }

    pub(super) fn bare(&self, data: &Path, ledger: &Path, portal: &Portal) -> Result<Figures, String> {
        self.rust("bare", data, ledger, portal)
    }

    fn rust(&self, what: &str, data: &Path, state: &Path, portal: &Portal) -> Result<Figures, String> {
        let mut command = Command::new(&self.sync_bench);
        command.arg(what).arg(data).arg(state).args([&portal.url, TOKEN]);
        Figures::parse(&process::output(&mut command)?)
    }

    pub(super) fn python(&self, python: &Path, data: &Path, portal: &Portal) -> Result<Figures, String> {
        let mut command = Command::new(python);
        command.arg(&self.python_script).arg(data.join("people.csv")).args([&portal.url, TOKEN]);
        Figures::parse(&process::output(&mut command)?)
    }
}
