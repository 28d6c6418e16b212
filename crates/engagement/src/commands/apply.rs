//! `apply`: writes a saved plan, or whatever there is to write now.

use std::fs::File;
use std::io::BufReader;

use sync_core::report::RunReport;
use sync_core::{Engine, PlanFile};

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
    let plan = match &arguments.plan {
        None => None,
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                Failure::new(format!("the plan {} cannot be read", path.display()))
                    .remedy("make one with `plan --out`")
                    .caused_by(&error)
            })?;
            Some(PlanFile::read(BufReader::new(file))?)
        }
    };
    let mut engine = wiring::engine(engagement, settings).await?;
    let report = match plan {
        None => once(&mut engine, screen, Sizes::default()).await?,
        Some(plan) => {
            let reporter = Reporter::new(screen, Sizes::of(&plan.summary));
            engine.on_progress(reporter.callback());
            engine.apply(plan).await?
        }
    };
    ended(&report, screen)
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
