//! `check`: the mapping against the source, and against the portal where a credential is set.

use mapping_engine::{Problems, codes, explain_code};
use sync_types::Mapper;

use crate::cli;
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) async fn check(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Check,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    if let Some(code) = &arguments.explain {
        return explain(code, screen);
    }
    let with_portal = settings.hubspot.token.is_some() || settings.oauth.is_some();
    let source = wiring::source(engagement, settings)?.describe().await?;
    // What the file alone gets wrong is told before anybody is asked.
    let mut verdict = wiring::verdict_by_heart(engagement, settings, &source)?;
    if verdict.is_ok() && with_portal {
        let wired = wiring::connect(engagement, settings).await?;
        let samples = wiring::samples(&wired).await?;
        verdict = wiring::verdict_of(engagement, settings, &wired, &samples).await?;
    }
    let mapping = match verdict {
        Ok(mapping) => mapping,
        Err(problems) => return refused(&problems, screen),
    };
    screen.answer(&serde_json::json!({
        "sound": true,
        "mapping": mapping.name(),
        "version": mapping.version(),
        "checked_against": if with_portal { ["source", "portal"].as_slice() } else { ["source"].as_slice() },
        "warnings": mapping.warnings().to_json(),
    }));
    if !mapping.warnings().list().is_empty() {
        screen.line(mapping.warnings());
    }
    let fields: usize = mapping.links().iter().map(|link| link.properties.len()).sum();
    screen.line(screen.tone(
        Tone::Good,
        format_args!(
            "The mapping `{}` is sound: {}, {}, {}.",
            mapping.name(),
            counted(mapping.links().len() as u64, "link", "links"),
            counted(fields as u64, "property", "properties"),
            counted(mapping.edge_rules().len() as u64, "association", "associations"),
        ),
    ));
    if !with_portal {
        screen.line("Checked against the source and HubSpot's own properties: no credential is set (KIT_HUBSPOT_TOKEN) to ask a portal.");
    }
    Ok(Outcome::Done)
}

/// Every problem, as a compiler would tell it, or for a machine.
fn refused(problems: &Problems, screen: &Screen) -> Result<Outcome, Failure> {
    if screen.is_json() {
        screen.answer(&serde_json::json!({ "sound": false, "problems": problems.to_json() }));
        return Ok(Outcome::Failed);
    }
    Err(Failure::new(format!("the mapping is refused\n\n{problems}"))
        .remedy("correct the mapping; `check --explain CODE` tells more about a code"))
}

/// What a problem code means, at more length than a message has room for.
fn explain(code: &str, screen: &Screen) -> Result<Outcome, Failure> {
    let Some(text) = explain_code(code) else {
        let near = codes().max_by(|one, other| {
            strsim::jaro_winkler(code, one).total_cmp(&strsim::jaro_winkler(code, other))
        });
        return Err(Failure::new(format!("there is no problem code `{code}`"))
            .remedy(format!("did you mean `{}`?", near.unwrap_or("unknown-column"))));
    };
    screen.answer(&serde_json::json!({ "code": code, "explanation": text }));
    screen.line(format_args!("{}\n{text}", screen.tone(Tone::Strong, code)));
    Ok(Outcome::Done)
}
