//! `mapping drift`: both schemas as they are now against the contract that was pinned.

use std::sync::Arc;

use hubspot_adapter::HubSpotDestination;
use hubspot_adapter::provision::Step;
use hubspot_client::{Client, ObjectType, Pipeline};
use mapping_tools::drift::{Change, Contract, Effect, Side, drift as compare};

use sync_types::Schema;

use super::{arguments, files};
use crate::commands::init;
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::wiring::{self, Wired};
use crate::{Failure, Outcome};

pub(super) async fn drift(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Drift,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let path = arguments.contract.clone().unwrap_or_else(|| files::beside(settings, "contract.json"));
    let wired = connect(engagement, settings).await?;
    let mut hubspot = wiring::hubspot_schemas(&wired).await?;
    add_stages(&wired.client, &mut hubspot).await?;
    let now = Contract::now(&wired.mapping, &wired.source_schemas, &hubspot);
    if arguments.pin {
        files::write(&path, &now.to_json(), true)?;
        screen.answer(&serde_json::json!({ "pinned": path }));
        screen.line(screen.tone(Tone::Good, format_args!("Pinned both schemas in {}.", path.display())));
        return Ok(Outcome::Done);
    }
    if !path.is_file() {
        return Err(Failure::new(format!("there is no contract {}", path.display()))
            .remedy("pin both schemas as they are now: `mapping drift --pin`"));
    }
    let pinned = Contract::from_json(&files::read(&path, "the contract")?).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display())).remedy("pin it again: `mapping drift --pin`")
    })?;
    let mut changes = compare(&pinned, &now, &wired.mapping);
    changes.extend(init::missing(&wired).await?.iter().filter_map(missing_label));
    Ok(report(&changes, screen))
}

/// Like [`wiring::connect`], but a mapping that no longer fits the source is what is looked for here.
async fn connect(engagement: &Engagement, settings: &Settings) -> Result<Wired, Failure> {
    let source = wiring::source(engagement, settings)?;
    let source_schemas = source.describe().await?;
    let mapping = wiring::mapping(engagement, settings, None, None)?;
    let client = wiring::client(settings)?;
    let portal = wiring::portal(&client, settings).await?;
    let destination = Arc::new(HubSpotDestination::new(client.clone()));
    Ok(Wired { client, portal, destination, mapping, source, source_schemas })
}

/// The properties that hold pipelines and stages, by object type.
const STAGES: [(&str, &str, &str); 2] =
    [("deals", "pipeline", "dealstage"), ("tickets", "hs_pipeline", "hs_pipeline_stage")];

/// Pipelines and stages are the options of properties that do not list them themselves.
async fn add_stages(client: &Client, schemas: &mut [Schema]) -> Result<(), Failure> {
    for (object, pipeline, stage) in STAGES {
        let Some(schema) = schemas.iter_mut().find(|schema| schema.name == object) else { continue };
        let named = ObjectType::new(object).map_err(|error| {
            Failure::new(format!("the pipelines of `{object}` cannot be read")).caused_by(&error)
        })?;
        let pipelines: Vec<Pipeline> = client.pipelines(&named).list().await?;
        let live = || pipelines.iter().filter(|pipeline| !pipeline.archived);
        let stages = live().flat_map(|pipeline| pipeline.stages.iter().filter(|stage| !stage.archived));
        let mut all = [
            (pipeline, live().map(|pipeline| pipeline.id.clone()).collect::<Vec<String>>()),
            (stage, stages.map(|stage| stage.id.clone()).collect()),
        ];
        for (name, ids) in &mut all {
            ids.sort();
            let property = schema.properties.iter_mut().find(|property| property.name.as_str() == *name);
            if let Some(property) = property.filter(|property| property.options.is_empty()) {
                property.options.append(ids);
            }
        }
    }
    Ok(())
}

/// Labels are no part of a schema, so whether they are there is asked anew.
fn missing_label(step: &Step) -> Option<Change> {
    let Step::Label(label) = step else { return None };
    Some(Change {
        effect: Effect::Degrades,
        side: Side::HubSpot,
        schema: label.from.to_string(),
        property: None,
        what: format!("the association label is not there: {step}"),
        why: "its associations cannot be made".to_owned(),
        remedy: "run `init --yes`".to_owned(),
    })
}

fn report(changes: &[Change], screen: &Screen) -> Outcome {
    let worst = changes.iter().map(|change| change.effect).max().unwrap_or(Effect::Safe);
    screen.answer(&serde_json::json!({
        "worst": worst.as_str(),
        "changes": changes.iter().map(Change::to_json).collect::<Vec<_>>(),
    }));
    for (effect, title, tone) in [
        (Effect::Halts, "Halts an object", Tone::Bad),
        (Effect::Degrades, "Degrades a field", Tone::Warn),
        (Effect::Safe, "Safe", Tone::Faint),
    ] {
        let found: Vec<&Change> = changes.iter().filter(|change| change.effect == effect).collect();
        if !found.is_empty() {
            screen.heading(screen.tone(tone, format_args!("{title} ({})", found.len())));
        }
        for change in found {
            screen.line(format_args!("  {change}"));
        }
    }
    let count = counted(changes.len() as u64, "difference", "differences");
    if worst == Effect::Safe {
        screen.line(screen.tone(Tone::Good, format_args!("{count}, none that the mapping minds.")));
        return Outcome::Done;
    }
    screen.line(format_args!("{count}. When all is as it should be: `mapping drift --pin`."));
    Outcome::Pending
}
