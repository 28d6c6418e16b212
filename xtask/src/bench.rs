//! `bench sync`: the kit's engine, a bare Rust loop and a plain Python script bring the same contacts into a local
//! portal, in turns, so that each round compares them on the same machine at the same time.

mod figures;
mod goals;
pub(crate) mod mapping;
mod portal;
mod programs;
mod settings;
pub(crate) mod sources;
mod spread;
mod table;
pub(crate) mod two_way;
pub(crate) mod webhooks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use figures::{Figures, Measured, Run};
use portal::Portal;
use programs::Programs;
use settings::Settings;

use crate::workspace::Workspace;
use crate::{Outcome, conformance, process};

const MILLION: u64 = 1_000_000;

/// What a script for this job is written with: HubSpot's client, and the usual library for phone numbers.
const PYTHON: [&str; 2] = [conformance::PYTHON_SDK, "phonenumbers==9.0.0"];

/// Measures and prints. A goal that is missed is printed as missed and is no failure; a program that fails, or that
/// did not do the work it was measured for, is.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let settings = Settings::parse(arguments)?;
    let folder = workspace.target.join("bench");
    let python = if settings.python_rounds > 0 {
        Some(conformance::python_with(&folder.join("python"), &PYTHON)?)
    } else {
        None
    };
    let bench = Bench { programs: Programs::build(workspace)?, folder, python: python.as_deref(), settings };
    let mut measured = Measured::default();
    for round in 1..=settings.rounds {
        println!("round {round} of {}", settings.rounds);
        bench.round(round, &mut measured)?;
    }
    if settings.million {
        println!("{MILLION} rows");
        bench.million(&mut measured)?;
    }
    println!("\n{}", table::runs(&measured, settings));
    println!("\n{}", table::goals(&goals::of(&measured, settings.rows)));
    Ok(())
}

/// What all rounds share.
struct Bench<'a> {
    programs: Programs,
    /// Data and state of this benchmark, below the target folder.
    folder: PathBuf,
    /// An interpreter that has HubSpot's SDK, if Python takes part.
    python: Option<&'a Path>,
    settings: Settings,
}

impl Bench<'_> {
    /// Each program starts on an empty portal and without state of its own.
    fn round(&self, round: usize, measured: &mut Measured) -> Outcome {
        let Settings { rows, python_rounds, .. } = self.settings;
        let data = self.data(rows, 0)?;
        let mut arrived = String::new();
        self.engine(
            &data,
            rows,
            [Run::EngineFirst, Run::EngineUnchanged],
            measured,
            |portal, state, measured| {
                arrived = self.programs.digest(portal)?;
                let changed = rows / 100;
                let data = self.data(rows, changed)?;
                keep(measured, Run::EngineChanged, self.programs.engine(&data, state, portal)?, rows, changed)
            },
        )?;

        let data = self.data(rows, 0)?;
        let (portal, ledger) = (self.portal()?, self.fresh_state("bare.sqlite")?);
        for (run, written) in [(Run::BareFirst, rows), (Run::BareUnchanged, 0)] {
            keep(measured, run, self.programs.bare(&data, &ledger, &portal)?, rows, written)?;
        }
        drop(portal);

        if let Some(python) = self.python
            && round <= python_rounds
        {
            let portal = self.portal()?;
            keep(measured, Run::Python, self.programs.python(python, &data, &portal)?, rows, rows)?;
            let brought = self.programs.digest(&portal)?;
            if brought != arrived {
                return Err(format!("Python brought {brought} where the engine brought {arrived}"));
            }
        }
        Ok(())
    }

    /// Memory must not grow with the data.
    fn million(&self, measured: &mut Measured) -> Outcome {
        let data = self.data(MILLION, 0)?;
        let runs = [Run::MillionFirst, Run::MillionUnchanged];
        self.engine(&data, MILLION, runs, measured, |_, _, _| Ok(()))
    }

    /// The engine's first run on an empty portal, its second on the same data, and what the caller wants `then`.
    fn engine(
        &self,
        data: &Path,
        rows: u64,
        [first, unchanged]: [Run; 2],
        measured: &mut Measured,
        then: impl FnOnce(&Portal, &Path, &mut Measured) -> Outcome,
    ) -> Outcome {
        let (portal, state) = (self.portal()?, self.fresh_state("engine.sqlite")?);
        for (run, written) in [(first, rows), (unchanged, 0)] {
            keep(measured, run, self.programs.engine(data, &state, &portal)?, rows, written)?;
        }
        then(&portal, &state, measured)
    }

    /// The folder with the contacts, of which `changed` differ from the first edition.
    fn data(&self, rows: u64, changed: u64) -> Result<PathBuf, String> {
        let folder = self.folder.join("data");
        self.programs.write_data(&folder, rows, changed)?;
        Ok(folder)
    }

    /// An empty portal with the properties that the contacts need.
    fn portal(&self) -> Result<Portal, String> {
        let portal = Portal::start(&self.programs.sandbox)?;
        self.programs.provision(&portal)?;
        Ok(portal)
    }

    /// Where a file may be made; what an earlier run left there is gone.
    fn fresh_state(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join("state");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder.join(name))
    }
}

/// Takes the figures in, if the run did the work that it stands for.
fn keep(measured: &mut Measured, run: Run, figures: Figures, read: u64, written: u64) -> Outcome {
    if (figures.read, figures.written) != (read, written) {
        let Figures { read: was_read, written: was_written, .. } = figures;
        return Err(format!(
            "{}: {was_read} records read and {was_written} written where {read} and {written} were due",
            run.name()
        ));
    }
    println!("  {:<28} {:>8.1} s", run.name(), figures.seconds);
    measured.add(run, figures);
    Ok(())
}

/// Builds a package's benchmark as it would be shipped; the path of the program.
fn built(workspace: &Workspace, package: &str, bench: &str, more: &[&str]) -> Result<PathBuf, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--package", package, "--bench", bench]).args(more);
    build.args(["--message-format", "json-render-diagnostics"]).current_dir(&workspace.root);
    let said = process::output(&mut build)?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut programs = messages.filter_map(|message| {
        let is_it = message["target"]["name"] == bench && message["target"]["kind"][0] == "bench";
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    programs.next().ok_or_else(|| format!("Cargo does not say where it put `{bench}`"))
}
