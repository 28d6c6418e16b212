//! `plan`: what would be written, and what it costs.

use std::fs::File;

use sync_core::{Engine, PlanSink, PlanSummary};

use super::json;
use crate::cli;
use crate::engagement::Engagement;
use crate::progress::Reporter;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

pub(super) async fn plan(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Plan,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine(engagement, settings).await?;
    let sink = match &arguments.out {
        None => PlanSink::none(),
        Some(path) => {
            let file = File::create(path).map_err(|error| {
                Failure::new(format!("the plan cannot be saved as {}", path.display()))
                    .remedy("choose another place after `--out`")
                    .caused_by(&error)
            })?;
            PlanSink::new(&engine, Box::new(file))?
        }
    };
    let summary = make(&mut engine, sink, screen).await?;
    screen.answer(&json(&summary)?);
    reports::plan(screen, &summary);
    if let Some(path) = &arguments.out {
        screen.line(format_args!("Saved. To write it: apply {}", path.display()));
    }
    Ok(if summary.is_empty() { Outcome::Done } else { Outcome::Pending })
}

/// Makes a plan and shows how far it has come.
pub(super) async fn make(
    engine: &mut Engine,
    sink: PlanSink,
    screen: &Screen,
) -> Result<PlanSummary, Failure> {
    let reporter = Reporter::that_only_reads(screen);
    engine.on_progress(reporter.callback());
    Ok(engine.plan(sink).await?)
}
