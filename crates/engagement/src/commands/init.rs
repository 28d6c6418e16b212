//! `init`: what the mapping needs in the portal, shown first and created on request.

use hubspot_adapter::provision::{self, Step};

use crate::cli;
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::wiring::{self, Wired};
use crate::{Failure, Outcome};

pub(super) async fn init(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Init,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let wired = wiring::connect(engagement, settings).await?;
    let missing = missing(&wired).await?;
    let answer = |missing: &[Step], created: &[Step]| {
        screen.answer(&serde_json::json!({ "missing": missing, "created": created }));
    };
    for step in &missing {
        screen.line(format_args!("  + {step}"));
    }
    let portal = &wired.portal;
    if missing.is_empty() {
        answer(&[], &[]);
        screen.line(screen.tone(Tone::Good, "The portal has everything that the mapping needs."));
        return Ok(Outcome::Done);
    }
    if !arguments.yes {
        answer(&missing, &[]);
        screen.line(format_args!("Portal {portal} lacks {}. `init --yes` creates it.", counts(&missing)));
        return Ok(Outcome::Pending);
    }
    provision::apply(&wired.client, &missing).await?;
    answer(&[], &missing);
    let created = format!("Created {} in portal {portal}.", counts(&missing));
    screen.line(screen.tone(Tone::Good, created));
    Ok(Outcome::Done)
}

/// What the portal lacks.
pub(crate) async fn missing(wired: &Wired) -> Result<Vec<Step>, Failure> {
    Ok(provision::plan(&wired.client, wired.mapping.requirements()).await?)
}

/// Creates what the portal lacks, and says what that was.
pub(super) async fn provision(wired: &Wired) -> Result<Vec<Step>, Failure> {
    let missing = missing(wired).await?;
    provision::apply(&wired.client, &missing).await?;
    Ok(missing)
}

/// Steps in one line, by kind.
pub(crate) fn counts(steps: &[Step]) -> String {
    type Is = fn(&Step) -> bool;
    let kinds: [(&str, &str, Is); 4] = [
        ("custom object", "custom objects", |step| matches!(step, Step::Object { .. })),
        ("property", "properties", |step| matches!(step, Step::Property { .. })),
        ("list of options", "lists of options", |step| matches!(step, Step::Options { .. })),
        ("association label", "association labels", |step| matches!(step, Step::Label { .. })),
    ];
    let count = |is: Is| steps.iter().filter(|step| is(step)).count() as u64;
    let parts =
        kinds.iter().filter(|(.., is)| count(*is) > 0).map(|(one, many, is)| counted(count(*is), one, many));
    parts.collect::<Vec<_>>().join(", ")
}
