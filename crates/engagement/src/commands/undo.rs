//! `undo`: takes back what a run wrote.

use std::fs::File;
use std::io::BufWriter;

use sync_core::{Engine, UndoPlan, UndoVerb};

use super::{apply, json};
use crate::cli;
use crate::engagement::Engagement;
use crate::progress::Reporter;
use crate::screen::{Screen, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

/// Records that are deleted without a plan that somebody could look at.
const DELETED_MAX: usize = 100;

pub(super) async fn undo(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Undo,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine(engagement, settings).await?;
    let plan = make(&mut engine, arguments.run, screen).await?;
    if arguments.yes {
        let deleted = plan
            .rows
            .iter()
            .filter(|row| matches!(row.verb, UndoVerb::Archive | UndoVerb::DeleteSource))
            .count();
        if deleted > DELETED_MAX {
            return Err(Failure::new(format!(
                "it would delete {}, which is more than is done unseen",
                counted(deleted as u64, "record", "records")
            ))
            .remedy(format!("look at it first: undo {} --out FILE, then apply FILE", arguments.run)));
        }
        if !plan.kept.is_empty() {
            reports::undo(screen, &plan);
        }
        let report = apply::take_back(&mut engine, plan, screen).await?;
        return apply::ended(&report, screen);
    }
    screen.answer(&serde_json::json!({
        "run": plan.run(),
        "records": json(&plan.rows)?,
        "associations": json(&plan.edges)?,
        "kept": json(&plan.kept)?,
    }));
    reports::undo(screen, &plan);
    match &arguments.out {
        Some(path) => {
            let file = File::create(path).map_err(|error| {
                Failure::new(format!("the undo cannot be saved as {}", path.display()))
                    .remedy("choose another place after `--out`")
                    .caused_by(&error)
            })?;
            plan.write(BufWriter::new(file))?;
            screen.line(format_args!("Saved. To take it back: apply {}", path.display()));
        }
        None if !plan.is_empty() => {
            screen.line(format_args!("Nothing is written yet. To take it back: undo {} --yes", plan.run()));
        }
        None => {}
    }
    Ok(if plan.is_empty() { Outcome::Done } else { Outcome::Pending })
}

/// Finds out what can be taken back and shows how far it has come.
pub(super) async fn make(engine: &mut Engine, run: u64, screen: &Screen) -> Result<UndoPlan, Failure> {
    let reporter = Reporter::that_only_reads(screen);
    engine.on_progress(reporter.callback());
    Ok(engine.plan_undo(run).await?)
}
