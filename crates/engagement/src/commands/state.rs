//! `state`: copies of what the engine remembers, and their way back.

use sync_core::stores::SqliteStore;
use sync_types::StateStore;

use crate::cli::{State, StateCommand};
use crate::engagement::Engagement;
use crate::screen::{Screen, counted, thousands};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) async fn state(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &State,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let binding = wiring::binding(engagement, settings).await?;
    let open = || {
        if !settings.state.exists() {
            return Err(Failure::new(format!("there is no state file {}", settings.state.display()))
                .remedy("check `state.file`; the first run makes it"));
        }
        wiring::open_store(&settings.state, &binding.engagement, &binding.portal)
    };
    match &arguments.command {
        StateCommand::Backup { file } => {
            let store = open()?;
            store.backup(file)?;
            let bytes = std::fs::metadata(file).map_or(0, |meta| meta.len());
            screen
                .answer(&serde_json::json!({ "backup": file, "bytes": bytes, "records": records(&store)? }));
            screen.line(format_args!(
                "{} of {} are in {} ({} KiB), and the copy is sound.",
                counted(records(&store)?, "record", "records"),
                settings.state.display(),
                file.display(),
                thousands(bytes.div_ceil(1024))
            ));
        }
        StateCommand::Restore { file } => {
            let kept = SqliteStore::restore(&settings.state, file, &binding)?;
            let store = open()?;
            screen.answer(&serde_json::json!({
                "restored": settings.state,
                "kept": kept,
                "records": records(&store)?,
                "last_run": store.runs(1)?.first().map(|run| run.run),
            }));
            screen.line(format_args!(
                "{} holds {} again.",
                settings.state.display(),
                counted(records(&store)?, "record", "records")
            ));
            if let Some(kept) = kept {
                screen.line(format_args!("What was there is now {}.", kept.display()));
            }
            screen
                .line("What both sides did since the backup is found by the next run: look at `plan` first.");
        }
        StateCommand::Check => {
            let store = open()?;
            store.check()?;
            screen.answer(&serde_json::json!({ "sound": true, "records": records(&store)? }));
            screen.line(format_args!("{} is sound.", settings.state.display()));
        }
    }
    Ok(Outcome::Done)
}

fn records(store: &SqliteStore) -> Result<u64, Failure> {
    Ok(store.totals()?.pairs.iter().map(|(_, count)| count).sum())
}
