//! `status`: what the engine remembers.

use crate::engagement::Engagement;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

/// Runs that are shown.
const RUNS: usize = 5;

pub(super) async fn status(
    engagement: &Engagement,
    settings: &Settings,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let engine = wiring::engine_at_rest(engagement, settings).await?;
    let (totals, runs) = (engine.totals()?, engine.runs(RUNS)?);
    let link = |id| engine.link_name(id);
    screen.answer(&serde_json::json!({
        "records": totals.pairs.iter().map(|(id, count)| (link(*id), *count)).collect::<std::collections::BTreeMap<_, _>>(),
        "parked": totals.dead_letters.iter()
            .map(|(id, cause, count)| serde_json::json!({ "link": link(*id), "cause": cause, "count": count }))
            .collect::<Vec<_>>(),
        "conflicts": totals.conflicts.iter()
            .map(|(id, cause, count)| serde_json::json!({ "link": link(*id), "cause": cause, "count": count }))
            .collect::<Vec<_>>(),
        "open_writes": totals.open_intents,
        "bytes": totals.bytes,
        "runs": runs.iter().map(|run| serde_json::json!({
            "run": run.run,
            "started": run.started,
            "ended": run.ended,
            "report": serde_json::from_str::<serde_json::Value>(&run.report).unwrap_or_default(),
        })).collect::<Vec<_>>(),
    }));
    reports::status(screen, &totals, &runs, &link);
    Ok(Outcome::Done)
}
