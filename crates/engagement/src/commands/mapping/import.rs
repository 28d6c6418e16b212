//! `mapping import`: the consultant's field-mapping sheet becomes a first mapping.

use mapping_tools::sheet::{Request, Sheet, import as make};

use super::suggest::of_portal;
use super::{arguments, files};
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome};

pub(super) async fn import(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Import,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let made = &arguments.made;
    let sheets = sheets(arguments)?;
    let portal = if made.portal { Some(of_portal(settings).await?) } else { None };
    let imported = make(Request {
        name: made.name.as_deref().unwrap_or(engagement.name),
        sheets: &sheets,
        hubspot: portal.as_deref(),
        region: made.region.as_deref(),
        zone: made.zone.as_deref(),
    })
    .map_err(|why| {
        Failure::new(format!("{}: {why}", arguments.sheet.display()))
            .remedy("the header has to name at least the source's field and HubSpot's property")
    })?;
    screen.answer(&imported.to_json());
    // What was not understood belongs to whoever watches, so that the file stays a file.
    let tell = |line: String| if made.out.is_some() { screen.line(line) } else { screen.note(line) };
    if !screen.is_json() {
        for cell in &imported.cells {
            tell(cell.to_string());
        }
    }
    let Some(out) = &made.out else {
        screen.line(imported.text.trim_end());
        return Ok(Outcome::Done);
    };
    files::write(out, &imported.text, made.force)?;
    let fields = counted(imported.fields as u64, "field", "fields");
    let open = imported.cells.len() as u64;
    let tone = if open == 0 { Tone::Good } else { Tone::Warn };
    screen.line(screen.tone(
        tone,
        format_args!(
            "{fields}, {} not understood, {} to decide. Written to {}.",
            counted(open, "cell", "cells"),
            counted(imported.questions.len() as u64, "question", "questions"),
            out.display()
        ),
    ));
    Ok(Outcome::Done)
}

fn sheets(arguments: &arguments::Import) -> Result<Vec<Sheet>, Failure> {
    let path = &arguments.sheet;
    let bad = |why: String| {
        Failure::new(format!("{}: {why}", path.display())).remedy("give the sheet as CSV or XLSX")
    };
    match files::ending(path).as_str() {
        "xlsx" | "xlsm" => workbook(path).and_then(|sheets| sheets.map_err(bad)),
        _ => Ok(vec![Sheet::of_csv(&files::stem(path), &files::read(path, "the sheet")?).map_err(bad)?]),
    }
}

#[cfg(feature = "xlsx")]
fn workbook(path: &std::path::Path) -> Result<Result<Vec<Sheet>, String>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(format!("the sheet {} cannot be read", path.display()))
            .remedy("check the path")
            .caused_by(&error)
    })?;
    Ok(mapping_tools::sheet::of_xlsx(&bytes))
}

#[cfg(not(feature = "xlsx"))]
fn workbook(path: &std::path::Path) -> Result<Result<Vec<Sheet>, String>, Failure> {
    Err(Failure::new(format!("{}: this program was built without Excel workbooks", path.display()))
        .remedy("save the sheet as CSV, or build with the feature `xlsx` of `engagement`"))
}
