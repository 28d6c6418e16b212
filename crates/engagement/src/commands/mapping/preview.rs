//! `mapping preview`: records of the source or of a file through the mapping, in clear for whoever asks.

use std::path::Path;

use mapping_engine::CheckedMapping;
use mapping_tools::preview::{Preview, preview as show};
use mapping_tools::suggest::Table;
use mapping_tools::values;
use sync_types::{ExternalId, LinkId, Mapper, ReadRequest, Record, Source};

use super::{arguments, files};
use crate::engagement::Engagement;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

/// How many records of a page are looked through for one that can be read.
const FIRST_PAGE: usize = 20;

pub(super) async fn preview(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Preview,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let file = arguments.what.as_deref().map(Path::new).filter(|path| path.is_file());
    let previews = match file {
        Some(path) => {
            let mapping = wiring::mapping(engagement, settings, None, None)?;
            let records = records_of(path, arguments.max)?;
            let link = link_of_file(&mapping, arguments.link.as_deref(), path)?;
            records.iter().filter_map(|record| show(&mapping, link, record)).collect()
        }
        None => {
            let source = wiring::source(engagement, settings)?;
            let schemas = source.describe().await?;
            let mapping = wiring::mapping(engagement, settings, Some(&schemas), None)?;
            let links = chosen(&mapping, arguments.link.as_deref())?;
            of_source(&*source, &mapping, &links, arguments.what.as_deref()).await?
        }
    };
    screen.answer(&serde_json::json!({
        "previews": previews.iter().map(Preview::to_json).collect::<Vec<_>>(),
    }));
    for (place, preview) in previews.iter().enumerate() {
        if place > 0 {
            screen.line("");
        }
        screen.line(preview.to_text(arguments.width));
    }
    if previews.is_empty() {
        let what = arguments.what.as_deref().unwrap_or("any id");
        return Err(Failure::new(format!("no collection of the mapping has a record `{what}`"))
            .remedy("give an id as it stands in the source's key column, or a file of records"));
    }
    Ok(Outcome::Done)
}

/// The links that are asked for; all without a name.
fn chosen(mapping: &CheckedMapping, name: Option<&str>) -> Result<Vec<LinkId>, Failure> {
    let ids = mapping.links().iter().zip(0..);
    let found: Vec<LinkId> =
        ids.filter(|(link, _)| name.is_none_or(|name| link.name == name)).map(|(_, id)| LinkId(id)).collect();
    if found.is_empty() { Err(no_link(mapping, name.unwrap_or_default())) } else { Ok(found) }
}

fn no_link(mapping: &CheckedMapping, name: &str) -> Failure {
    let names: Vec<&str> = mapping.links().iter().map(|link| link.name.as_str()).collect();
    Failure::new(format!("the mapping has no link `{name}`"))
        .remedy(format!("name one with `--link`: {}", names.join(", ")))
}

/// The link that a file's records go through: as asked, the only one, or the one that the file is called after.
fn link_of_file(mapping: &CheckedMapping, asked: Option<&str>, path: &Path) -> Result<LinkId, Failure> {
    let stem = files::stem(path);
    let is = |name: &str, collection: &str| match asked {
        Some(asked) => name == asked,
        None => mapping.links().len() == 1 || name == stem || collection == stem,
    };
    let mut ids = mapping.links().iter().zip(0..);
    let found = ids.find(|(link, _)| is(&link.name, link.collection.as_str()));
    found.map(|(_, id)| LinkId(id)).ok_or_else(|| no_link(mapping, asked.unwrap_or(&stem)))
}

async fn of_source(
    source: &dyn Source,
    mapping: &CheckedMapping,
    links: &[LinkId],
    id: Option<&str>,
) -> Result<Vec<Preview>, Failure> {
    let mut previews = Vec::new();
    for link in links {
        let Some(definition) = mapping.links().get(usize::from(link.0)) else { continue };
        let collection = definition.collection.clone();
        let record = match id {
            Some(id) => source.read(&collection, &[ExternalId::new(id)]).await?.into_iter().flatten().next(),
            None => {
                let page =
                    source.read_page(&ReadRequest { collection, after: None, max: FIRST_PAGE }).await?;
                page.records.into_iter().flatten().next()
            }
        };
        previews.extend(record.and_then(|record| show(mapping, *link, &record)));
    }
    Ok(previews)
}

/// The records of a JSON, JSON-lines or CSV file.
fn records_of(path: &Path, max: usize) -> Result<Vec<Record>, Failure> {
    let text = files::read(path, "the file")?;
    let bad = |why: String| {
        Failure::new(format!("{} holds no records: {why}", path.display()))
            .remedy("give a JSON object, a list of them, one a line (.jsonl), or CSV with a header")
    };
    let objects: Vec<serde_json::Value> = match files::ending(path).as_str() {
        "json" => match serde_json::from_str(&text).map_err(|error| bad(error.to_string()))? {
            serde_json::Value::Array(items) => items,
            one => vec![one],
        },
        "jsonl" | "ndjson" => {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
            lines.collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?
        }
        _ => return csv_records(&files::stem(path), &text, max).map_err(bad),
    };
    let record = |(number, object): (usize, &serde_json::Value)| {
        let columns = object.as_object().ok_or_else(|| bad(format!("entry {number} is no object")))?;
        let columns = columns.iter().map(|(name, value)| (name.clone(), values::from_json(value)));
        Ok(values::record(&number.to_string(), columns))
    };
    (1..).zip(&objects).take(max).map(record).collect()
}

fn csv_records(name: &str, text: &str, max: usize) -> Result<Vec<Record>, String> {
    let table = Table::of_csv(name, text)?;
    let rows = table.columns.iter().map(|column| column.samples.len()).max().unwrap_or(0);
    let row = |place: usize| {
        let cell = |column: &mapping_tools::suggest::Column| {
            column.samples.get(place).map(|value| (column.path.clone(), value.clone()))
        };
        values::record(&(place + 1).to_string(), table.columns.iter().filter_map(cell))
    };
    Ok((0..rows.min(max)).map(row).collect())
}
