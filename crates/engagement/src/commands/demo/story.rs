//! `demo` of an engagement that flows both ways: people work on both sides, and the program keeps them in step.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http_transport::{Clock, TokioClock};
use hubspot_client::Client;
use hubspot_sandbox::{Portal, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync_core::decide::Side;
use sync_core::{Engine, PlanSink, Which};

use super::{Folder, listening, local, parked, portal, step, timed_pass, verdict, written};
use crate::commands::{apply, init, json, plan, undo, verify};
use crate::engagement::Engagement;
use crate::progress::Sizes;
use crate::reports::{self, Show};
use crate::screen::{Screen, Tone, counted, spoken};
use crate::settings::Settings;
use crate::story::{Chapter, Scene, Story, Then};
use crate::{Failure, Outcome, cli, wiring};

/// The customer's system.
const FILE: &str = "source.db";

/// Tells it, chapter by chapter; gives back the portal that it made.
pub(super) async fn tell(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Demo,
    story: &Story,
    folder: &Folder,
    screen: &Screen,
) -> Result<(Outcome, Server), Failure> {
    step(screen, 1, "The customer's system, and a HubSpot portal on this machine");
    let file = folder.path.join(FILE);
    written(folder, (story.write)(&file))?;
    let server = listening(arguments, Portal::new(portal())).await?;
    screen.line(format_args!("  {}  (open it in a browser to see records arrive)", server.url()));
    let source = format!("source.file={}", file.display());
    let settings = local(engagement, settings, folder, source, &server.url())?;
    let clock = Arc::new(LaterClock::start());

    step(screen, 2, "Init, and the first load");
    let wired = wiring::connect_at(engagement, &settings, clock.clone()).await?;
    let created = init::provision(&wired).await?;
    screen.line(format_args!("  {}", init::counts(&created)));
    let wired = wiring::connect_at(engagement, &settings, clock.clone()).await?;
    let client = wired.client.clone();
    let mut engine = wiring::engine_at(engagement, &settings, wired, clock.clone()).await?;
    let planned = plan::make(&mut engine, PlanSink::none(), screen).await?;
    reports::plan(screen, &planned);

    let mut telling = Telling { engine, client, clock, server, screen, last: 0 };
    let first = telling.pass().await?;
    let mut chapters = Vec::with_capacity(story.chapters.len());
    let mut number = 2;
    for chapter in story.chapters {
        number += 1;
        chapters.push(telling.chapter(number, chapter, &file).await?);
    }

    step(screen, number + 1, "Verify, and a certificate, signed and chained");
    let Telling { mut engine, server, .. } = telling;
    let agreed = verify::compare(&mut engine, screen).await?;
    reports::verify(screen, &agreed);
    verdict(screen, agreed.is_clean());
    verify::certify(&mut engine, &settings, &agreed, &folder.path.join("certificate.json"), screen)?;
    parked(&engine, screen)?;
    screen.answer(&json!({
        "created_in_portal": created.len(),
        "plan": json(&planned)?,
        "first": first,
        "chapters": chapters,
        "verify": json(&agreed)?,
        "portal": server.url(),
    }));
    Ok((if agreed.is_clean() { Outcome::Done } else { Outcome::Pending }, server))
}

/// The program at work between two things that people do.
struct Telling<'a> {
    engine: Engine,
    client: Client,
    clock: Arc<LaterClock>,
    server: Server,
    screen: &'a Screen,
    /// The last run.
    last: u64,
}

impl Telling<'_> {
    async fn chapter(&mut self, number: u8, chapter: &Chapter, file: &Path) -> Result<Value, Failure> {
        step(self.screen, number, chapter.title);
        let happened = {
            let portal = self.server.portal();
            let scene = Scene { file, now: self.clock.now(), portal: &portal };
            (chapter.happens)(&scene).map_err(|error| {
                Failure::new(format!("the demonstration cannot go on: {}", chapter.title)).caused_by(&*error)
            })?
        };
        self.screen.line(format_args!("  {happened}"));
        let mut followed = Vec::with_capacity(chapter.then.len());
        for then in chapter.then {
            followed.push(match then {
                Then::Run => self.pass().await?,
                Then::Later(by) => self.later(*by),
                Then::TakeHubSpot => self.decide(Side::Right)?,
                Then::TakeSource => self.decide(Side::Left)?,
                Then::Undo => self.undo().await?,
            });
        }
        Ok(json!({ "title": chapter.title, "happened": happened, "then": followed }))
    }

    async fn pass(&mut self) -> Result<Value, Failure> {
        let pass =
            timed_pass(&mut self.engine, &self.client, self.screen, Sizes::default(), Show::Written).await?;
        self.last = pass.report.run;
        let held = self.engine.conflicts(&Which::default())?;
        for (link, property, conflict) in &held {
            let line =
                format!("held for a person: {link} {} {property} ({})", conflict.external, conflict.cause);
            self.screen.line(format_args!("  {}", self.screen.tone(Tone::Bad, line)));
        }
        Ok(json!({ "run": pass.json()?, "conflicts": held.len() }))
    }

    fn later(&self, by: Duration) -> Value {
        self.clock.pass(by);
        let offset = SignedDuration::try_from(self.clock.later()).unwrap_or(SignedDuration::MAX);
        self.server.portal().lock().unwrap_or_else(PoisonError::into_inner).set_clock_offset(offset);
        self.screen.line(format_args!("  {} later:", spoken(by)));
        json!({ "later_seconds": by.as_secs() })
    }

    fn decide(&mut self, side: Side) -> Result<Value, Failure> {
        let count = self.engine.resolve_conflicts(&Which::default(), side)?;
        let whose = if side == Side::Left { "the source" } else { "HubSpot" };
        let line =
            format!("A person decides {} for {whose}.", counted(count as u64, "conflict", "conflicts"));
        self.screen.line(format_args!("  {line}"));
        Ok(json!({ "decided": count }))
    }

    async fn undo(&mut self) -> Result<Value, Failure> {
        self.screen.line(format_args!("  Undo of run {}:", self.last));
        let plan = undo::make(&mut self.engine, self.last, self.screen).await?;
        reports::undo(self.screen, &plan);
        let undone = apply::take_back(&mut self.engine, plan, self.screen).await?;
        reports::run(self.screen, &undone, Show::Written);
        Ok(json!({ "undo": json(&undone)? }))
    }
}

/// A clock that can be told that it is later than it is.
#[derive(Debug)]
struct LaterClock {
    clock: TokioClock,
    later: Mutex<Duration>,
}

impl LaterClock {
    fn start() -> LaterClock {
        LaterClock { clock: TokioClock::start(), later: Mutex::default() }
    }

    fn pass(&self, by: Duration) {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn later(&self) -> Duration {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for LaterClock {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        now.checked_add(self.later()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic() + self.later()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}
