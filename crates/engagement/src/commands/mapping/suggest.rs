//! `mapping suggest`: a first mapping from what there is.

use std::path::Path;

use hubspot_adapter::HubSpotDestination;
use mapping_tools::standard;
use mapping_tools::suggest::{Request, Table, suggest as make};
use sync_types::{Collection, Destination, DestinationErrorKind, ReadRequest, Schema};

use super::{arguments, files};
use crate::engagement::Engagement;
use crate::screen::{Screen, counted};
use crate::settings::{Settings, SourceKind};
use crate::{Failure, Outcome, wiring};

/// How many records of each collection are looked at.
const SAMPLE_RECORDS: usize = 200;

pub(super) async fn suggest(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Suggest,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let made = &arguments.made;
    let mut latin = false;
    let tables = if arguments.files.is_empty() {
        of_source(engagement, settings).await?
    } else {
        let read = arguments.files.iter().map(|path| of_file(path, arguments.dictionary, &mut latin));
        read.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
    };
    let portal = if made.portal { Some(of_portal(settings).await?) } else { None };
    let suggestion = make(Request {
        name: made.name.as_deref().unwrap_or(engagement.name),
        tables: &tables,
        hubspot: portal.as_deref(),
        region: made.region.as_deref(),
        zone: made.zone.as_deref(),
    })
    .map_err(|why| {
        Failure::new(format!("nothing can be suggested: {why}"))
            .remedy("give tables with named columns, and some rows where there are any")
    })?;
    screen.answer(&suggestion.to_json());
    let Some(out) = &made.out else {
        screen.line(suggestion.text.trim_end());
        return Ok(Outcome::Done);
    };
    files::write(out, &suggestion.text, made.force)?;
    let mapped = suggestion.fields.iter().filter(|field| field.to.is_some()).count();
    screen.line(format_args!(
        "{} of {}, {} to decide. Written to {}.",
        counted(mapped as u64, "field", "fields"),
        counted(tables.len() as u64, "table", "tables"),
        counted(suggestion.questions.len() as u64, "question", "questions"),
        out.display()
    ));
    let has_settings = suggestion.delimiter.is_some() || latin || !suggestion.keys.is_empty();
    if !has_settings {
        screen.line("Next: read the mapping, then `check` and `mapping preview`.");
        return Ok(Outcome::Done);
    }
    screen.line("For settings.toml:");
    if suggestion.delimiter.is_some() || latin {
        screen.line("  [source]");
    }
    if let Some(mark) = suggestion.delimiter {
        screen.line(format_args!("  delimiter = {:?}", mark.to_string()));
    }
    if latin {
        screen.line("  encoding = \"latin-1\"");
    }
    for (collection, key) in &suggestion.keys {
        let unknown = || "…  # which column identifies a row?".to_owned();
        let key = key.as_ref().map_or_else(unknown, |key| format!("{key:?}"));
        screen.line(format_args!("  [source.collections.{collection:?}]\n  key = {key}"));
    }
    screen.line("Next: put that into settings.toml, read the mapping, then `check` and `mapping preview`.");
    Ok(Outcome::Done)
}

/// The collections of the settings' source, with some of their records.
async fn of_source(engagement: &Engagement, settings: &Settings) -> Result<Vec<Table>, Failure> {
    let source = wiring::source(engagement, settings)?;
    let mut tables = Vec::new();
    for schema in source.describe().await? {
        let mut table = Table::of_schema(&schema);
        // Settings that say it once more would be refused.
        table.is_keyed = matches!(settings.source.kind, SourceKind::Rest(_));
        table.key = settings.source.collections.get(&schema.name).and_then(|said| said.key.clone());
        let collection = Collection::new(schema.name.as_str());
        let page = source.read_page(&ReadRequest { collection, after: None, max: SAMPLE_RECORDS }).await?;
        table.sample(page.records.iter().flatten());
        tables.push(table);
    }
    Ok(tables)
}

/// The tables of a file; `latin` is set where its text is no UTF-8, and so of an older program.
fn of_file(path: &Path, dictionary: bool, latin: &mut bool) -> Result<Vec<Table>, Failure> {
    let text = match String::from_utf8(files::read_bytes(path, "the file")?) {
        Ok(text) => text,
        Err(other) => {
            *latin = true;
            other.as_bytes().iter().copied().map(char::from).collect()
        }
    };
    let name = files::stem(path);
    let tables = if dictionary {
        Table::of_dictionary(&name, &text)
    } else if files::ending(path) == "json" {
        let json = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("{} is not JSON", path.display()))
                .remedy("save the sample again")
                .caused_by(&error)
        })?;
        Table::of_json(&name, &json)
    } else {
        Table::of_csv(&name, &text).map(|table| vec![table])
    };
    tables.map_err(|why| {
        Failure::new(format!("{}: {why}", path.display()))
            .remedy("give CSV with a header, JSON objects, or a data dictionary with `--dictionary`")
    })
}

/// What the portal says of the standard object types.
pub(super) async fn of_portal(settings: &Settings) -> Result<Vec<Schema>, Failure> {
    let client = wiring::client(settings)?;
    wiring::portal(&client, settings).await?;
    let destination = HubSpotDestination::new(client);
    let mut schemas = Vec::new();
    for object in standard::OBJECTS {
        match destination.describe(&object.name.into()).await {
            Ok(schema) => schemas.push(schema),
            Err(error) if error.kind == DestinationErrorKind::NotProvisioned => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use hubspot_sandbox::{Limits, Portal, PortalConfig, Server};

    use super::*;
    use crate::settings::Sources;

    #[tokio::test]
    async fn what_is_known_by_heart_is_what_a_portal_says() {
        let config = PortalConfig { limits: Limits::Off, ..PortalConfig::new("token") };
        let server = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(config)).await.unwrap();
        let assignments = [format!("hubspot.url={}", server.url()), "hubspot.token=token".to_owned()];
        let built_in = "[source]\nkind = \"csv\"\nfolder = \"data\"";
        let sources = Sources { built_in, assignments: &assignments, ..Sources::default() };
        let portal = of_portal(&Settings::load(&sources).unwrap()).await.unwrap();
        assert_eq!(portal.len(), standard::OBJECTS.len());
        for known in standard::schemas() {
            let schema = portal.iter().find(|schema| schema.name == known.name).unwrap();
            for property in &known.properties {
                let place = format!("{}.{}", known.name, property.name);
                let found =
                    schema.property(property.name.as_str()).unwrap_or_else(|| panic!("{place} is not there"));
                assert_eq!((found.kind, found.read_only), (property.kind, false), "{place}");
                // A portal does not list pipelines and stages among a property's options.
                let lists = !found.options.is_empty();
                let missing =
                    property.options.iter().filter(|option| lists && !found.options.contains(option));
                let missing: Vec<&String> = missing.collect();
                assert!(missing.is_empty(), "{place} has no {missing:?}");
            }
        }
        server.stop().await;
    }
}
