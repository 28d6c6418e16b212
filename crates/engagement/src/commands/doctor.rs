//! `doctor`: looks at everything that must be right before a sync, in order, and says what to do about what is not.

use sync_types::Mapper;

use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, serve, wiring};

use super::init;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    found: Result<String, Failure>,
}

pub(super) async fn doctor(
    engagement: &Engagement,
    settings: &Settings,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut findings = Vec::new();
    let mut look = |what, found: Result<String, Failure>| {
        show(screen, what, &found);
        let good = found.is_ok();
        findings.push(Finding { what, found });
        good
    };
    // Later looks need earlier ones: what cannot be known is not guessed at.
    if look("source", source(engagement, settings).await)
        && look("mapping", mapping(engagement, settings).await)
    {
        if look("portal", portal(settings).await) {
            look("provisioned", provisioned(engagement, settings).await);
            look("hearing", hearing(engagement, settings).await);
            look("state", state(engagement, settings).await);
        }
    } else {
        look("portal", portal(settings).await);
    }
    let bad = findings.iter().filter(|finding| finding.found.is_err()).count();
    let list = findings.iter().map(|finding| match &finding.found {
        Ok(found) => serde_json::json!({ "what": finding.what, "good": true, "found": found }),
        Err(failure) => {
            serde_json::json!({ "what": finding.what, "good": false, "failure": failure.to_json() })
        }
    });
    if screen.is_json() {
        screen.answer(&serde_json::json!({ "good": bad == 0, "findings": list.collect::<Vec<_>>() }));
        // The answer says it all; a second document would only confuse its reader.
        return Ok(if bad == 0 { Outcome::Done } else { Outcome::Failed });
    }
    if bad > 0 {
        return Err(Failure::new(format!("{} not right", counted(bad as u64, "thing is", "things are")))
            .remedy("see above, then run `doctor` again"));
    }
    screen.line(screen.tone(Tone::Good, "All is well."));
    Ok(Outcome::Done)
}

fn show(screen: &Screen, what: &str, found: &Result<String, Failure>) {
    match found {
        Ok(found) => screen.line(format_args!("{} {what:<12} {found}", screen.tone(Tone::Good, "✓"))),
        Err(failure) => {
            let told = failure.to_string().replace('\n', "\n               ");
            screen.line(format_args!("{} {what:<12} {told}", screen.tone(Tone::Bad, "✗")));
        }
    }
}

async fn source(engagement: &Engagement, settings: &Settings) -> Result<String, Failure> {
    let schemas = wiring::source(engagement, settings)?.describe().await?;
    let place = &settings.source.kind;
    Ok(format!("{} in {place}", counted(schemas.len() as u64, "collection", "collections")))
}

async fn mapping(engagement: &Engagement, settings: &Settings) -> Result<String, Failure> {
    let source = wiring::source(engagement, settings)?;
    let schemas = source.describe().await?;
    let mapping = wiring::mapping(engagement, settings, Some(&schemas), None)?;
    wiring::runnable::check(&mapping, &source, settings)?;
    let links: Vec<String> =
        mapping.links().iter().map(|link| format!("{} → {}", link.name, link.object)).collect();
    Ok(links.join(", "))
}

async fn portal(settings: &Settings) -> Result<String, Failure> {
    let client = wiring::client(settings)?;
    let portal = wiring::portal(&client, settings).await?;
    let guard =
        if settings.hubspot.portal.is_some() { "" } else { "; set `hubspot.portal` to refuse any other" };
    Ok(format!("{portal} at {}{guard}", settings.hubspot.url))
}

async fn provisioned(engagement: &Engagement, settings: &Settings) -> Result<String, Failure> {
    let wired = wiring::connect(engagement, settings).await?;
    let missing = init::missing(&wired).await?;
    if missing.is_empty() {
        wiring::mapping_of(engagement, settings, &wired).await?;
        return Ok("the portal has everything that the mapping needs".to_owned());
    }
    Err(Failure::new(format!("the portal lacks {}", init::counts(&missing)))
        .remedy("`init --yes` creates it"))
}

/// How changes in HubSpot are heard of, and what that promises.
async fn hearing(engagement: &Engagement, settings: &Settings) -> Result<String, Failure> {
    let mapping = wiring::mapping(engagement, settings, None, None)?;
    if !mapping.links().iter().any(serve::listens) {
        return Ok("the mapping flows to HubSpot only: there is nothing to hear of".to_owned());
    }
    let kind = serve::chosen(settings, &wiring::clock()).await?;
    Ok(format!("by {}", serve::promise(kind, settings.hearing.repair)))
}

async fn state(engagement: &Engagement, settings: &Settings) -> Result<String, Failure> {
    if !settings.state.exists() {
        return Ok(format!("{} will be made by the first run", settings.state.display()));
    }
    let engine = wiring::engine_at_rest(engagement, settings).await?;
    let runs = engine.runs(1)?;
    let last =
        runs.first().map_or_else(|| "no run yet".to_owned(), |run| format!("last run {}", run.started));
    Ok(format!("{}: {last}", settings.state.display()))
}
