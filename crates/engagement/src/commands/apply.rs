//! `apply`: writes a saved plan, or whatever there is to write now.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use sync_core::report::RunReport;
use sync_core::{Engine, PlanFile, UndoPlan};

use super::json;
use crate::cli;
use crate::engagement::Engagement;
use crate::progress::{Reporter, Sizes};
use crate::reports::Show;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

pub(super) async fn apply(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Apply,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    // Read before anything is opened: a plan that is none should cost no call.
    let saved = arguments.plan.as_deref().map(read).transpose()?;
    let mut engine = wiring::engine(engagement, settings).await?;
    let report = match saved {
        None => once(&mut engine, screen, Sizes::default()).await?,
        Some(Saved::Plan(plan)) => {
            let reporter = Reporter::new(screen, Sizes::of(&plan.summary));
            engine.on_progress(reporter.callback());
            engine.apply(plan).await?
        }
        Some(Saved::Undo(plan)) => take_back(&mut engine, plan, screen).await?,
    };
    ended(&report, screen)
}

/// What a file may hold that is applied.
enum Saved {
    Plan(PlanFile),
    Undo(UndoPlan),
}

fn read(path: &Path) -> Result<Saved, Failure> {
    let open = || {
        File::open(path).map(BufReader::new).map_err(|error| {
            Failure::new(format!("the plan {} cannot be read", path.display()))
                .remedy("make one with `plan --out` or `undo --out`")
                .caused_by(&error)
        })
    };
    let mut first = String::new();
    // What cannot be read as text is told by whoever reads it as a plan.
    let _ = open()?.take(10_000).read_line(&mut first);
    Ok(match UndoPlan::begins_with(first.trim_end()) {
        true => Saved::Undo(UndoPlan::read(open()?)?),
        false => Saved::Plan(PlanFile::read(open()?)?),
    })
}

/// Takes back what an undo lists, with its progress.
pub(super) async fn take_back(
    engine: &mut Engine,
    plan: UndoPlan,
    screen: &Screen,
) -> Result<RunReport, Failure> {
    let reporter = Reporter::new(screen, Sizes::default());
    engine.on_progress(reporter.callback());
    Ok(engine.undo(plan).await?)
}

/// One pass of the engine, with its progress.
pub(super) async fn once(engine: &mut Engine, screen: &Screen, sizes: Sizes) -> Result<RunReport, Failure> {
    let reporter = Reporter::new(screen, sizes);
    engine.on_progress(reporter.callback());
    Ok(engine.run_once().await?)
}

/// Shows a run's report and says how it ended.
pub(super) fn ended(report: &RunReport, screen: &Screen) -> Result<Outcome, Failure> {
    screen.answer(&json(report)?);
    reports::run(screen, report, Show::All);
    if report.halted.is_some() {
        // The report has said why and what to do.
        return Ok(Outcome::Failed);
    }
    Ok(if report.is_complete() && report.moved.is_empty() { Outcome::Done } else { Outcome::Pending })
}
