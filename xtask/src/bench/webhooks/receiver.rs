//! A receiver as a process that ends with the value, and its store.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Outcome;

/// Who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    Bare,
    Express,
    FastApi,
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Ours, Kind::Bare, Kind::Express, Kind::FastApi];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Bare => "bare axum and SQLite",
            Kind::Express => "Express and better-sqlite3",
            Kind::FastApi => "FastAPI and sqlite3",
        }
    }
}

/// A running receiver, killed when this is dropped.
pub(super) struct Receiver {
    pub(super) address: String,
    process: Child,
    /// Open for as long as the process writes to it.
    _output: BufReader<ChildStdout>,
}

impl Receiver {
    /// Starts the program and waits until it says where it listens.
    pub(super) fn start(command: &mut Command) -> Result<Receiver, String> {
        let shown = format!("{command:?}");
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {shown}: {error}"))?;
        let output = process.stdout.take().ok_or("its output is not piped")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| format!("cannot read what {shown} says: {error}"))?;
        let mut receiver = Receiver { address: String::new(), process, _output: output };
        // Dropping it ends the process in either case.
        let address = line.trim().strip_prefix("listening on ");
        receiver.address = address.ok_or_else(|| format!("{shown} said `{}`", line.trim()))?.to_owned();
        Ok(receiver)
    }

    /// Ends it without a warning, as a crash would.
    pub(super) fn kill(mut self) -> Outcome {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        ended.map(drop).map_err(|error| format!("a receiver cannot be ended: {error}"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended, which is as good; waiting frees its entry in the process table.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a store may be made; what an earlier receiver left there is gone.
pub(super) fn fresh_store(folder: &Path) -> Result<PathBuf, String> {
    let folder = folder.join("store");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder.join("inbox.sqlite"))
}
