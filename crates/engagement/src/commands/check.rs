//! `check`: the mapping against the source, and against the portal where a credential is set.

use sync_types::Mapper;

use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) async fn check(
    engagement: &Engagement,
    settings: &Settings,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let with_portal = settings.hubspot.token.is_some();
    let (source, hubspot) = if with_portal {
        let wired = wiring::connect(engagement, settings).await?;
        let hubspot = wiring::hubspot_schemas(&wired).await?;
        (wired.source_schemas, Some(hubspot))
    } else {
        (wiring::source(engagement, settings)?.describe().await?, None)
    };
    let mapping = wiring::mapping(engagement, settings, Some(&source), hubspot.as_deref())?;
    screen.answer(&serde_json::json!({
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
        screen.line("Checked against the source only: no credential is set (KIT_HUBSPOT_TOKEN).");
    }
    Ok(Outcome::Done)
}
