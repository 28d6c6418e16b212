//! `demo`: the whole cycle on a local portal, with the engagement's own data and no account anywhere.
//!
//! Settings of the user are left out on purpose, but for the log: a demonstration must never reach a real portal.

mod story;

use std::path::{Path, PathBuf};

use hubspot_client::Client;
use hubspot_sandbox::{Limits, Portal, PortalConfig, Server};
use sync_core::{Engine, PlanSink, Select};

use crate::cli;
use crate::engagement::{Demo, Engagement};
use crate::interrupt::Interrupts;
use crate::progress::Sizes;
use crate::reports::Show;
use crate::screen::{Screen, Tone, counted, spoken, thousands};
use crate::settings::{Settings, Sources};
use crate::wiring;
use crate::{Failure, Outcome, reports};

use super::{apply, init, json, plan, undo, verify};

const TOKEN: &str = "demo";

pub(super) async fn demo(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Demo,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    if engagement.demo.is_none() && engagement.story.is_none() {
        return Err(Failure::new(format!("{} has no data of its own to show", engagement.name))
            .remedy("set `source` and `hubspot` in the settings, then use doctor, init, plan and apply"));
    }
    let folder = Folder::open(arguments.folder.as_deref())?;
    let mut interrupts = Interrupts::listen()?;
    // Boxed: the cycle's future is large.
    let shown = Box::pin(async {
        match (&engagement.story, &engagement.demo) {
            (Some(story), _) => story::tell(engagement, settings, arguments, story, &folder, screen).await,
            (None, Some(data)) => show(engagement, settings, arguments, data, &folder, screen).await,
            (None, None) => Err(Failure::new("there is nothing to show")),
        }
    });
    let (outcome, server) = interrupts.unless_asked(shown).await?;
    screen.heading("Done");
    if let Some(path) = &arguments.folder {
        screen.line(format_args!("  The files and the state are in {}.", path.display()));
    }
    if arguments.stay {
        screen.line(format_args!("  The portal stays up: {}  (Ctrl-C ends it)", server.url()));
        interrupts.asked_to_end().await;
    } else {
        screen.line("  To look at the records in a browser: demo --stay");
    }
    server.stop().await;
    Ok(outcome)
}

/// The cycle, step by step; gives back the portal that it made.
async fn show(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Demo,
    data: &Demo,
    folder: &Folder,
    screen: &Screen,
) -> Result<(Outcome, Server), Failure> {
    let size = arguments.rows.unwrap_or(data.rows);

    step(screen, 1, "A business, as its files tell it");
    written(folder, (data.write)(&folder.data(), size))?;
    screen.line(format_args!("  {}", inventory(&folder.data())));

    step(screen, 2, "A HubSpot portal on this machine");
    let server = listening(arguments, Portal::new(portal())).await?;
    screen.line(format_args!("  {}  (open it in a browser to see records arrive)", server.url()));
    let source = format!("source.folder={}", folder.data().display());
    let settings = local(engagement, settings, folder, source, &server.url())?;

    step(screen, 3, "Init: what the mapping needs there");
    let wired = wiring::connect(engagement, &settings).await?;
    let created = init::provision(&wired).await?;
    screen.line(format_args!("  {}", init::counts(&created)));
    drop(wired);

    step(screen, 4, "Plan: nothing is written yet");
    let wired = wiring::connect(engagement, &settings).await?;
    let client = wired.client.clone();
    let mut engine = wiring::engine_of(engagement, &settings, wired).await?;
    let planned = plan::make(&mut engine, PlanSink::none(), screen).await?;
    reports::plan(screen, &planned);

    step(screen, 5, "Apply");
    let first = timed_pass(&mut engine, &client, screen, Sizes::of(&planned), Show::All).await?;

    step(screen, 6, "Verify: both sides, every value, every association");
    let agreed = verify::compare(&mut engine, screen).await?;
    reports::verify(screen, &agreed);

    let changed = written(folder, (data.change)(&folder.data(), size))?;
    step(screen, 7, format_args!("Life goes on: {changed}"));
    let second = timed_pass(&mut engine, &client, screen, Sizes::default(), Show::Written).await?;
    let agreed_again = verify::compare(&mut engine, screen).await?;
    verdict(screen, agreed_again.is_clean());

    step(screen, 8, "Run once more");
    let third = timed_pass(&mut engine, &client, screen, Sizes::default(), Show::Written).await?;

    step(screen, 9, format_args!("Undo: run {} is taken back", second.report.run));
    let undo = undo::make(&mut engine, second.report.run, screen).await?;
    reports::undo(screen, &undo);
    let undone = apply::take_back(&mut engine, undo, screen).await?;
    let agreed_undone = verify::compare(&mut engine, screen).await?;
    verdict(screen, agreed_undone.is_clean());

    step(screen, 10, "A certificate of it, signed and chained");
    let file = folder.path.join("certificate.json");
    verify::certify(&mut engine, &settings, &agreed_undone, &file, screen)?;

    parked(&engine, screen)?;
    screen.answer(&serde_json::json!({
        "created_in_portal": created.len(),
        "plan": json(&planned)?,
        "runs": [first.json()?, second.json()?, third.json()?],
        "verify": [json(&agreed)?, json(&agreed_again)?, json(&agreed_undone)?],
        "undo": json(&undone)?,
        "portal": server.url(),
    }));
    let agreed = [agreed, agreed_again, agreed_undone];
    let converged = agreed.iter().all(sync_core::VerifyReport::is_clean) && third.writes == 0;
    Ok((if converged { Outcome::Done } else { Outcome::Pending }, server))
}

/// An Enterprise portal, since it has custom objects, without call limits, so that nobody waits for a show.
fn portal() -> PortalConfig {
    PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) }
}

async fn listening(arguments: &cli::Demo, portal: Portal) -> Result<Server, Failure> {
    Server::start(arguments.listen, portal).await.map_err(|error| {
        Failure::new(format!("the portal cannot listen on {}", arguments.listen))
            .remedy("choose another address with `--listen`, such as 127.0.0.1:0 for any free port")
            .caused_by(&error)
    })
}

/// The engagement's built-in settings with the local portal and the generated files in the right places; `source`
/// says where those are.
fn local(
    engagement: &Engagement,
    user: &Settings,
    folder: &Folder,
    source: String,
    url: &str,
) -> Result<Settings, Failure> {
    let assignments = [
        format!("hubspot.url={url}"),
        format!("hubspot.token={TOKEN}"),
        "hubspot.limits=off".to_owned(),
        "hubspot.share=1".to_owned(),
        source,
        format!("state.file={}", folder.path.join("state.db").display()),
    ];
    let sources = Sources { built_in: engagement.settings, assignments: &assignments, ..Sources::default() };
    Ok(Settings { log: user.log.clone(), ..Settings::load(&sources)? })
}

fn step(screen: &Screen, number: u8, title: impl std::fmt::Display) {
    screen.heading(format_args!("{number}  {title}"));
}

/// A run's report with the calls and the time it took.
struct Pass {
    report: sync_core::report::RunReport,
    reads: u64,
    writes: u64,
    seconds: f64,
}

impl Pass {
    fn json(&self) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::json!({
            "report": json(&self.report)?,
            "calls": { "read": self.reads, "write": self.writes },
            "seconds": self.seconds,
        }))
    }
}

async fn timed_pass(
    engine: &mut Engine,
    client: &Client,
    screen: &Screen,
    sizes: Sizes,
    show: Show,
) -> Result<Pass, Failure> {
    let (clock, before) = (client.clock().clone(), client.call_counts());
    let start = clock.monotonic();
    let report = apply::once(engine, screen, sizes).await?;
    let (took, after) = (clock.monotonic().saturating_sub(start), client.call_counts());
    let pass = Pass {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        seconds: took.as_secs_f64(),
        report,
    };
    let edges = pass.report.edges_written();
    let links = &pass.report.links;
    let deleted: u64 = links.iter().map(|link| link.deleted).sum();
    let left: u64 = links.iter().map(sync_core::report::LinkReport::written_left).sum();
    if pass.writes + left + deleted > 0 {
        reports::run(screen, &pass.report, show);
    }
    let back = if left == 0 { String::new() } else { format!(", {} to the source", thousands(left)) };
    let line = format!(
        "{} and {} written{back} in {}: {}, {}.",
        counted(pass.report.written(), "record", "records"),
        counted(edges, "association", "associations"),
        spoken(took),
        counted(pass.writes, "call that writes", "calls that write"),
        counted(pass.reads, "call that reads", "calls that read"),
    );
    screen.line(format_args!("  {}", screen.tone(Tone::Good, line)));
    if let Some(halted) = &pass.report.halted {
        return Err(Failure::new(format!("the run stopped early: {halted}")));
    }
    Ok(pass)
}

fn verdict(screen: &Screen, clean: bool) {
    if clean {
        screen.line(format_args!("  {}", screen.tone(Tone::Good, "Verified: both sides agree.")));
    } else {
        screen.line(format_args!("  {}", screen.tone(Tone::Bad, "Verified: the two sides differ.")));
    }
}

/// What could not be brought over is no secret: by cause, with what to do.
fn parked(engine: &Engine, screen: &Screen) -> Result<(), Failure> {
    let letters = engine.dead_letters(&Select::default())?;
    let mut causes: std::collections::BTreeMap<(&str, &str), (u64, &str)> = std::collections::BTreeMap::new();
    for (link, letter) in &letters {
        causes.entry((link, &letter.cause)).or_insert((0, &letter.remedy)).0 += 1;
    }
    if causes.is_empty() {
        return Ok(());
    }
    screen.heading("Parked: rows that nobody should want in HubSpot as they are");
    let rows = causes.into_iter().map(|((link, cause), (count, remedy))| {
        vec![format!("{link} · {cause}"), thousands(count), remedy.to_owned()]
    });
    screen.table(&["cause", "rows", "what to do"], rows.collect(), true);
    Ok(())
}

/// Where the files and the state of a demonstration are.
struct Folder {
    path: PathBuf,
    /// Removed when dropped.
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    fn open(asked: Option<&Path>) -> Result<Folder, Failure> {
        if let Some(path) = asked {
            let fail = |error: std::io::Error| {
                Failure::new(format!("the folder {} cannot be used", path.display()))
                    .remedy("name another one after `--folder`")
                    .caused_by(&error)
            };
            std::fs::create_dir_all(path).map_err(fail)?;
            // A state of an earlier demonstration speaks of a portal that is gone.
            for name in [
                "source.db",
                "state.db",
                "state.db-wal",
                "state.db-shm",
                "certificate.json",
                "certificate.html",
            ] {
                match std::fs::remove_file(path.join(name)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
                    _ => {}
                }
            }
            return Ok(Folder { path: path.to_owned(), _temporary: None });
        }
        let folder = tempfile::Builder::new().prefix("demo-").tempdir().map_err(|error| {
            Failure::new("no temporary folder can be made")
                .remedy("name a folder with `--folder`")
                .caused_by(&error)
        })?;
        Ok(Folder { path: folder.path().to_owned(), _temporary: Some(folder) })
    }

    fn data(&self) -> PathBuf {
        self.path.join("data")
    }
}

fn written<T>(folder: &Folder, result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| {
        Failure::new(format!("the files cannot be written to {}", folder.data().display()))
            .remedy("make room there, or name another folder with `--folder`")
            .caused_by(&error)
    })
}

/// The files of a folder with their sizes, in one line.
fn inventory(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else { return folder.display().to_string() };
    let mut files: Vec<String> = entries
        .flatten()
        .map(|entry| {
            let kib = entry.metadata().map_or(0, |meta| meta.len()).div_ceil(1024);
            format!("{} ({} KiB)", entry.file_name().to_string_lossy(), thousands(kib))
        })
        .collect();
    files.sort();
    files.join(", ")
}
