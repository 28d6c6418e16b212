//! `webhooks`: what the app should hear of and does hear of, and events to be worked once more.

use clap::{Args, Subcommand, ValueEnum};
use http_transport::{Clock, SystemClock};
use hubspot_adapter::{HubSpotPush, type_ids};
use hubspot_client::Client;
use jiff::Timestamp;
use std::sync::Arc;
use sync_types::Mapper as _;
use webhooks::{
    Inbox as _, JournalPlan, JournalSubscriptionApi as _, PortalId, PushPlan, PushSettings, PushSubscription,
    PushSubscriptionApi as _, Replay, SqliteInbox, SubscriptionError, Surplus, Wanted, apply_journal,
    apply_push, plan_journal, plan_push,
};

use crate::engagement::Engagement;
use crate::screen::{Screen, counted};
use crate::serve::{app_client, chosen, journal_api, promise, wanted};
use crate::settings::{FeedKind, Settings};
use crate::{Failure, Outcome, credential, wiring};

/// Requests that HubSpot may have under way for one portal (HubSpot docs: its default).
const CONCURRENT: u32 = 10;

#[derive(Debug, Args)]
pub(crate) struct Webhooks {
    #[command(subcommand)]
    command: WebhooksCommand,
}

#[derive(Debug, Subcommand)]
enum WebhooksCommand {
    /// Show what is to be subscribed to, by the mapping, and what is not wanted any more
    Plan(Choice),
    /// Bring the subscriptions about
    Apply(Choice),
    /// Show how changes in HubSpot are heard of, and what waits
    Status,
    /// Work events of a time once more, as far back as they are remembered: four days. The service must be stopped
    Replay(Again),
}

#[derive(Debug, Args)]
struct Choice {
    /// What becomes of the app's subscriptions to webhooks that the mapping does not ask for. Other mappings of the
    /// same app may
    #[arg(long, value_enum, default_value_t = SurplusName::Keep)]
    surplus: SurplusName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SurplusName {
    Keep,
    Pause,
    Delete,
}

#[derive(Debug, Args)]
struct Again {
    /// From this time on, such as 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// Up to this time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Of all portals, instead of the one in the settings
    #[arg(long)]
    all: bool,
}

pub(super) async fn webhooks(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Webhooks,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    match &arguments.command {
        WebhooksCommand::Plan(choice) => plan(engagement, settings, choice, false, &clock, screen).await,
        WebhooksCommand::Apply(choice) => plan(engagement, settings, choice, true, &clock, screen).await,
        WebhooksCommand::Status => status(settings, &clock, screen).await,
        WebhooksCommand::Replay(again) => replay(settings, again, &clock, screen).await,
    }
}

fn failed(error: SubscriptionError) -> Failure {
    Failure::new("the app's subscriptions cannot be had or changed")
        .remedy(
            "check `webhooks.app_id`, and that the credential belongs to that app; of a legacy public app set \
             `webhooks.developer_key`. Then again: what was done is done",
        )
        .caused_by(&error)
}

async fn plan(
    engagement: &Engagement,
    settings: &Settings,
    choice: &Choice,
    apply: bool,
    clock: &Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let wired = wiring::connect(engagement, settings).await?;
    let objects = wired.mapping.links().iter().map(|link| &link.object);
    let types = type_ids(&wired.client, objects).await?;
    let wanted = wanted(wired.mapping.links(), &types);
    if wanted.is_empty() {
        screen.answer(&serde_json::json!({ "wanted": 0 }));
        screen.line("The mapping flows to HubSpot only: there is nothing to hear of.");
        return Ok(Outcome::Done);
    }
    let kind = chosen(settings, clock).await?;
    screen.line(format_args!("Changes are heard of by {}.", promise(kind, settings.hearing.repair)));
    match kind {
        FeedKind::Search => {
            screen.answer(&serde_json::json!({ "hears_by": "search" }));
            screen.line("Search needs no subscriptions.");
            Ok(Outcome::Done)
        }
        FeedKind::Journal => {
            let Some(api) = journal_api(settings, clock)? else { return Ok(Outcome::Done) };
            let portal =
                wired.portal.parse().map(PortalId).map_err(|_| Failure::new("the portal has no number"))?;
            let plan = plan_journal(portal, &wanted, &api.list().await.map_err(failed)?);
            show_journal(&plan, screen);
            if apply {
                apply_journal(&plan, &api).await.map_err(failed)?;
            }
            Ok(ended(plan.is_empty(), apply, screen))
        }
        FeedKind::Push => {
            let app_id = settings.hearing.app_id.ok_or_else(|| {
                Failure::new("`webhooks.app_id` is not set: it is not known whose webhooks are meant")
                    .remedy("set it to the number of the app, as HubSpot's page of the app shows it")
            })?;
            let client = client_for_push(settings, wired.client, clock).await?;
            let mut api = HubSpotPush::new(client, app_id);
            if let Some(key) = &settings.hearing.developer_key {
                api = api.with_developer_key(key.clone());
            }
            let plan = push(settings, &api, &wanted, choice, apply, screen).await?;
            Ok(ended(plan.is_empty(), apply, screen))
        }
    }
}

/// With an app its own token, where it can be had; an app without the journal's scopes has none, and is then known by the
/// token of the portal that installed it. A private app's token is the app's as well.
async fn client_for_push(
    settings: &Settings,
    portals: Client,
    clock: &Arc<dyn Clock>,
) -> Result<Client, Failure> {
    let Some(oauth) = &settings.oauth else { return Ok(portals) };
    match credential::app_tokens(settings, oauth, clock.clone())?.get().await {
        Ok(_) => Ok(app_client(settings, clock)?.unwrap_or(portals)),
        Err(error) => {
            tracing::info!(%error, "the app has no token of its own; the portal's is used");
            Ok(portals)
        }
    }
}

async fn push(
    settings: &Settings,
    api: &HubSpotPush,
    wanted: &[Wanted],
    choice: &Choice,
    apply: bool,
    screen: &Screen,
) -> Result<PushPlan, Failure> {
    let target_url = settings.hearing.target.clone().unwrap_or_default();
    let target = PushSettings { target_url, concurrent_max: CONCURRENT };
    let surplus = match choice.surplus {
        SurplusName::Keep => Surplus::Keep,
        SurplusName::Pause => Surplus::Pause,
        SurplusName::Delete => Surplus::Delete,
    };
    let (there, current) = (api.settings().await.map_err(failed)?, api.list().await.map_err(failed)?);
    let plan = plan_push(&target, wanted, there.as_ref(), &current, surplus).map_err(failed)?;
    show_push(&plan, screen);
    if apply {
        apply_push(&plan, api).await.map_err(failed)?;
    }
    Ok(plan)
}

fn ended(is_empty: bool, apply: bool, screen: &Screen) -> Outcome {
    match (is_empty, apply) {
        (true, _) => {
            screen.line("Everything is subscribed to as it should be.");
            Outcome::Done
        }
        (false, true) => {
            screen.line("Done.");
            Outcome::Done
        }
        (false, false) => {
            screen.line("`webhooks apply` does it.");
            Outcome::Pending
        }
    }
}

fn show_journal(plan: &JournalPlan, screen: &Screen) {
    let line = |subscription: &webhooks::JournalSubscription| {
        let actions: Vec<&str> = subscription.actions.iter().map(String::as_str).collect();
        let properties: Vec<&str> = subscription.properties.iter().map(String::as_str).collect();
        format!("{} {} {}", subscription.object_type_id, actions.join(" "), properties.join(" "))
            .trim()
            .to_owned()
    };
    let create: Vec<String> = plan.create.iter().map(line).collect();
    let delete: Vec<String> = plan.delete.iter().map(|stored| line(&stored.subscription)).collect();
    screen.answer(&serde_json::json!({ "hears_by": "journal", "create": create, "delete": delete }));
    create.iter().for_each(|text| screen.line(format_args!("+ {text}")));
    delete.iter().for_each(|text| screen.line(format_args!("- {text}")));
}

fn show_push(plan: &PushPlan, screen: &Screen) {
    let name = |subscription: &PushSubscription| {
        let more = [&subscription.object_type_id, &subscription.property_name];
        let more: Vec<&str> = more.into_iter().flatten().map(String::as_str).collect();
        format!("{} {}", subscription.event_type, more.join(" ")).trim().to_owned()
    };
    let create: Vec<String> = plan.create.iter().map(name).collect();
    let names = |list: &[webhooks::StoredPushSubscription]| -> Vec<String> {
        list.iter().map(|stored| name(&stored.subscription)).collect()
    };
    let (start, pause, delete) = (names(&plan.start), names(&plan.pause), names(&plan.delete));
    let target = plan.settings.as_ref().map(|settings| settings.target_url.clone());
    screen.answer(&serde_json::json!({
        "hears_by": "push", "target": target, "create": create, "start": start, "pause": pause, "delete": delete,
        "not_offered": plan.not_offered.iter().map(name).collect::<Vec<_>>(),
    }));
    if let Some(target) = target {
        screen.line(format_args!("! HubSpot is to call {target}"));
    }
    for (sign, list) in [("+", &create), ("▶", &start), ("‖", &pause), ("-", &delete)] {
        list.iter().for_each(|text| screen.line(format_args!("{sign} {text}")));
    }
    for subscription in &plan.not_offered {
        screen.line(format_args!("  {} is not offered by HubSpot: found by search", name(subscription)));
    }
}

fn inbox(settings: &Settings) -> Result<SqliteInbox, Failure> {
    let path = &settings.hearing.inbox;
    if !path.exists() {
        return Err(Failure::new(format!("there is no inbox {}", path.display()))
            .remedy("check `webhooks.inbox_file`; `serve` makes it"));
    }
    SqliteInbox::open(path).map_err(|error| {
        Failure::new(error.to_string())
            .remedy("stop the service first: it has the inbox for itself while it runs")
    })
}

async fn status(settings: &Settings, clock: &Arc<dyn Clock>, screen: &Screen) -> Result<Outcome, Failure> {
    let kind = chosen(settings, clock).await?;
    let hears = promise(kind, settings.hearing.repair);
    let waiting = match settings.hearing.inbox.exists() {
        true => {
            let inbox = inbox(settings)?;
            let waiting = inbox.waiting().await.map_err(|error| Failure::new(error.to_string()))?;
            inbox.close().await;
            waiting
        }
        false => Vec::new(),
    };
    screen.answer(&serde_json::json!({
        "hears_by": format!("{kind:?}").to_lowercase(),
        "waiting": waiting.iter().map(|waiting| serde_json::json!({
            "portal": waiting.portal.0, "events": waiting.events, "oldest": waiting.oldest.to_string(),
        })).collect::<Vec<_>>(),
    }));
    screen.line(format_args!("Changes in HubSpot are heard of by {hears}."));
    for waiting in waiting {
        screen.line(format_args!(
            "{} of portal {} wait, the oldest since {}.",
            counted(waiting.events, "event", "events"),
            waiting.portal,
            waiting.oldest
        ));
    }
    Ok(Outcome::Done)
}

async fn replay(
    settings: &Settings,
    again: &Again,
    clock: &Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let portal = settings.hubspot.portal.map(PortalId);
    if portal.is_none() && !again.all {
        return Err(Failure::new("`hubspot.portal` is not set: it is not known whose events are meant")
            .remedy("set it, or say `--all`"));
    }
    let what = Replay {
        portal: portal.filter(|_| !again.all),
        from: again.from,
        to: again.to.unwrap_or_else(|| clock.now()),
    };
    let inbox = inbox(settings)?;
    let count = inbox.replay(what).await.map_err(|error| Failure::new(error.to_string()))?;
    inbox.close().await;
    screen.answer(&serde_json::json!({ "replayed": count }));
    screen.line(format_args!(
        "{} wait again; the service works them when it starts.",
        counted(count, "event", "events")
    ));
    Ok(Outcome::Done)
}
