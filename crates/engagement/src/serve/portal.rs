//! One portal's pass: everything is opened, the engine runs once, and what came of it is noted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_transport::Clock;
use hubspot_adapter::{HubSpotDestination, RepairedFeed, SearchFeed, type_ids};
use hubspot_client::Client;
use mapping_engine::CheckedMapping;
use sync_core::Options;
use sync_core::report::RunReport;
use sync_types::{Feed, Mapper, ObjectType};
use tokio::sync::watch;
use webhooks::{InboxFeed, PortalId, apply_journal, plan_journal};

use crate::commands::init;
use crate::engagement::Engagement;
use crate::service::{Ended, Pass, Why};
use crate::settings::{FeedKind, Settings};
use crate::wiring::Runnable;
use crate::{Failure, credential, wiring};

use super::wanted::{listens, wanted};
use super::{Board, Hearing, PortalState, StoppingTokens, hearing};

/// How long what was read of portal and source is believed: a changed definition is seen after this at the latest,
/// and after every failure.
const STANDING: Duration = Duration::from_secs(3600);

/// What a worker keeps for one portal.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    pub(crate) engagement: Engagement,
    pub(crate) settings: Arc<Settings>,
    /// The portal's name in messages: its number, or its settings file where that is not known.
    pub(crate) name: String,
    pub(crate) hearing: Option<Arc<Hearing>>,
    pub(crate) board: Arc<Board>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A portal's pass.
pub(crate) struct PortalPass {
    keeper: Keeper,
    standing: Option<Standing>,
    /// When all ids were read last, by the monotonic clock.
    swept: Option<Duration>,
    /// When the source was looked at last, by the monotonic clock.
    read: Option<Duration>,
}

/// What outlives a pass: the client with its budget, and what the feeds remember.
struct Standing {
    since: Duration,
    id: PortalId,
    client: Client,
    run: Runnable,
    feed: Arc<RepairedFeed>,
    inbox: Option<Arc<InboxFeed>>,
}

impl PortalPass {
    pub(crate) fn new(keeper: Keeper) -> PortalPass {
        PortalPass { keeper, standing: None, swept: None, read: None }
    }

    /// Whether a blackout keeps a pass from being made now.
    fn is_closed(&self) -> bool {
        let calendar = &self.keeper.settings.calendar;
        let closed = calendar.closed_to_runs(Options::default().lane, self.keeper.clock.now());
        if let Some(closed) = &closed {
            tracing::debug!(portal = %self.keeper.name, %closed, "no pass now");
        }
        closed.is_some()
    }

    async fn run(&mut self, why: Why) -> Result<RunReport, Failure> {
        if self.is_closed() {
            return Ok(RunReport::default());
        }
        let now = self.keeper.clock.monotonic();
        if self.standing.as_ref().is_none_or(|standing| now.saturating_sub(standing.since) > STANDING) {
            self.standing = None;
            self.standing = Some(Box::pin(self.keeper.stand()).await?);
        }
        let Some(standing) = &self.standing else { return Err(Failure::new("there is no portal")) };
        if why == Why::Interval {
            // A quiet portal needs no call, and would be in step for ever after its app was taken out.
            wiring::portal(&standing.client, &self.keeper.settings).await?;
        }
        let (gaps, lost_since) = match &self.keeper.hearing {
            Some(hearing) => hearing.gaps(standing.id).await?,
            None => (Vec::new(), None),
        };
        if let Some(from) = lost_since {
            standing.feed.look_back(from);
        }
        let mut options = Options::default();
        let every = self.keeper.settings.service.sweep;
        let is_due = every.is_some_and(|every| self.swept.is_some_and(|at| now.saturating_sub(at) >= every));
        // A first pass sweeps too: nobody told this process of what was deleted while none was running.
        options.sweep = is_due || !gaps.is_empty() || (every.is_some() && self.swept.is_none());
        let sweeps = options.sweep;
        // News is of HubSpot: a source that has to be read in full for every change waits for its interval.
        let is_fresh =
            self.read.is_some_and(|at| now.saturating_sub(at) < self.keeper.settings.service.every);
        options.right_only = why == Why::News && is_fresh && !sweeps;
        let reads = !options.right_only;
        let keeper = &self.keeper;
        let mut engine = wiring::engine_over(&keeper.settings, &standing.run, keeper.clock.clone(), options)?;
        let report = Box::pin(engine.run_once()).await?;
        // The state file is free in between, for whoever looks at it by a command.
        drop(engine);
        if report.halted.is_some() && self.is_closed() {
            // A blackout has come in between: that is as it was asked for, and the next pass behind it goes on.
            return Ok(RunReport { halted: None, ..report });
        }
        if report.halted.is_none() && report.deaf.is_none() {
            if sweeps {
                self.swept = Some(now);
            }
            if reads {
                self.read = Some(now);
            }
            if let Some(hearing) = &self.keeper.hearing {
                hearing.mend(standing.id, &gaps).await?;
            }
        }
        if let Some(inbox) = &standing.inbox {
            while inbox.pass_over_the_rest().await.map_err(|error| Failure::new(error.to_string()))? > 0 {}
        }
        Ok(report)
    }
}

#[async_trait(?Send)]
impl Pass for PortalPass {
    async fn pass(&mut self, why: Why) -> Ended {
        let name = &self.keeper.name.clone();
        tracing::debug!(portal = %name, ?why, "a pass begins");
        let ended = self.run(why).await;
        if *self.keeper.stop.borrow() {
            return Ended::Badly;
        }
        let (state, problem) = match &ended {
            Ok(report) => {
                tell(name, report);
                match &report.halted {
                    None => (PortalState::InStep, None),
                    Some(why) => self.keeper.failed(why.clone()).await,
                }
            }
            Err(failure) => self.keeper.failed(failure.to_string()).await,
        };
        let changed = self.keeper.board.note(name, state);
        let Some(problem) = problem else {
            if changed {
                tracing::info!(portal = %name, "the portal is in step");
            }
            return Ended::Well;
        };
        // What was read of the portal may be what is wrong.
        self.standing = None;
        if changed && state == PortalState::NeedsAuthorisation {
            tracing::warn!(portal = %name, %problem, "the portal waits for somebody to connect it; nothing is lost");
        } else if changed {
            tracing::error!(portal = %name, ?state, %problem, "the portal cannot be kept in step; nothing is lost");
        } else {
            tracing::warn!(portal = %name, ?state, %problem, "still");
        }
        Ended::Badly
    }
}

/// What a pass came to, in one line, where it came to anything.
fn tell(portal: &str, report: &RunReport) {
    if let Some(why) = &report.deaf {
        tracing::warn!(portal, run = report.run, %why, "changes in HubSpot could not be heard of in full");
    }
    let left: u64 = report.links.iter().map(|link| link.written_left() + link.deleted).sum();
    let (written, edges, parked) = (report.written(), report.edges_written(), report.parked());
    if written + edges + left > 0 {
        tracing::info!(
            portal,
            run = report.run,
            to_hubspot = written,
            to_source = left,
            edges,
            parked,
            "synced"
        );
    }
}

impl Keeper {
    /// Whether somebody has to connect the portal, which says more than that a call was refused, or time may heal it.
    async fn failed(&self, problem: String) -> (PortalState, Option<String>) {
        match credential::refusal(&self.settings, self.clock.clone()).await {
            Ok(Some(why)) => (PortalState::NeedsAuthorisation, Some(why)),
            Ok(None) => (PortalState::Failing, Some(problem)),
            Err(failure) => {
                tracing::error!(portal = %self.name, %failure, "its credential cannot be looked at");
                (PortalState::Failing, Some(problem))
            }
        }
    }

    fn client(&self) -> Result<Client, Failure> {
        let tokens = credential::provider(&self.settings, self.clock.clone())?;
        let tokens = StoppingTokens::new(tokens, self.stop.clone());
        wiring::client_over(&self.settings, Arc::new(tokens), self.clock.clone())
    }

    /// Reads and checks everything that a pass stands on.
    async fn stand(&self) -> Result<Standing, Failure> {
        let wired = wiring::connect_over(&self.engagement, &self.settings, || self.client()).await?;
        let missing = init::missing(&wired).await?;
        if !missing.is_empty() {
            return Err(Failure::new(format!("the portal lacks {}", init::counts(&missing)))
                .remedy("`init --yes`, with the settings of this portal, creates it"));
        }
        let mapping = Arc::new(wiring::mapping_of(&self.engagement, &self.settings, &wired).await?);
        let id = PortalId(wired.portal.parse().map_err(|_| Failure::new("the portal has no number"))?);
        let objects = mapping.links().iter().filter(|link| listens(link)).map(|link| &link.object);
        let types = type_ids(&wired.client, objects).await?;
        let destination = Arc::new(HubSpotDestination::new(wired.client.clone()));
        let inbox = match self.kind() {
            FeedKind::Search => None,
            FeedKind::Journal => {
                self.subscribe(id, &mapping, &types).await?;
                self.inbox(id, &types)
            }
            FeedKind::Push => self.inbox(id, &types),
        };
        let search = SearchFeed::new(destination.clone(), self.clock.clone());
        let prompt = inbox.clone().map(|inbox| inbox as Arc<dyn Feed>);
        let every = self.settings.hearing.repair;
        let feed = Arc::new(RepairedFeed::new(prompt, Arc::new(search), every, self.clock.clone()));
        let (source, portal) = (wired.source, wired.portal);
        let run = Runnable { mapping, source, destination, feed: Some(feed.clone()), portal };
        Ok(Standing { since: self.clock.monotonic(), id, client: wired.client, run, feed, inbox })
    }

    /// How this portal is heard: as the others, unless its own settings say search.
    fn kind(&self) -> FeedKind {
        match &self.hearing {
            Some(hearing) if self.settings.hearing.feed != Some(FeedKind::Search) => hearing.kind,
            _ => FeedKind::Search,
        }
    }

    fn inbox(&self, id: PortalId, types: &BTreeMap<ObjectType, ObjectType>) -> Option<Arc<InboxFeed>> {
        self.hearing.as_ref().map(|hearing| Arc::new(hearing.feed(id, types)))
    }

    /// Journal subscriptions belong to a portal, so that they can be made as soon as it is connected.
    async fn subscribe(
        &self,
        id: PortalId,
        mapping: &CheckedMapping,
        types: &BTreeMap<ObjectType, ObjectType>,
    ) -> Result<(), Failure> {
        let Some(api) = hearing::journal_api(&self.settings, &self.clock)? else { return Ok(()) };
        let failed = |error| {
            Failure::new("the subscriptions of the journal cannot be brought up to date")
                .remedy("look at `webhooks plan`; without the journal set `webhooks.feed` to push or search")
                .caused_by(&error)
        };
        let current = webhooks::JournalSubscriptionApi::list(&api).await.map_err(failed)?;
        let plan = plan_journal(id, &wanted(mapping.links(), types), &current);
        if plan.is_empty() {
            return Ok(());
        }
        tracing::info!(portal = %id, made = plan.create.len(), deleted = plan.delete.len(), "journal subscriptions");
        apply_journal(&plan, &api).await.map_err(failed)
    }
}
