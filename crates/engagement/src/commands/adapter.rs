//! `adapter …`: tries the description of an API, or writes a first one from what there is.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use source_adapters::rest::{PRESETS, Tried, Verdict, import, preset};
use sync_types::Collection;

use super::mapping::files;
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::{Settings, SourceKind};
use crate::{Failure, Outcome, wiring};

#[derive(Debug, Args)]
pub(crate) struct Adapter {
    #[command(subcommand)]
    command: AdapterCommand,
}

#[derive(Debug, Subcommand)]
enum AdapterCommand {
    /// Make every call of the description that reads once, and show what was understood, values masked
    Try(Try),
    /// Write a first description from OpenAPI or Swagger (JSON), a Postman or Insomnia collection, a HAR file, cURL commands, a
    /// JSON sample or the header of a CSV file
    Import(Import),
    /// Write a description that comes along, or list them
    Preset(Preset),
}

#[derive(Debug, Args)]
struct Preset {
    /// Which one [default: all are listed]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE", requires = "name")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Debug, Args)]
struct Try {
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

#[derive(Debug, Args)]
struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this collection; may be repeated
    #[arg(long = "collection", value_name = "NAME")]
    collections: Vec<String>,
    /// What the API is called [default: what the file calls it, else the file's name]
    #[arg(long)]
    name: Option<String>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

pub(super) async fn adapter(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Adapter,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    match &arguments.command {
        AdapterCommand::Try(arguments) => try_calls(engagement, settings, arguments, screen).await,
        AdapterCommand::Import(arguments) => import_file(arguments, screen),
        AdapterCommand::Preset(arguments) => write_preset(arguments, screen),
    }
}

fn write_preset(arguments: &Preset, screen: &Screen) -> Result<Outcome, Failure> {
    let Some(name) = &arguments.name else {
        let all: Vec<_> = PRESETS
            .iter()
            .map(|preset| serde_json::json!({ "name": preset.name, "title": preset.title }))
            .collect();
        screen.answer(&all.into());
        for preset in PRESETS {
            screen.line(format_args!("{:<18}{}", preset.name, preset.title));
        }
        return Ok(Outcome::Done);
    };
    let preset = preset(name).ok_or_else(|| {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        Failure::new(format!("there is no preset `{name}`"))
            .remedy(format!("choose one: {}", known.join(", ")))
    })?;
    screen.answer(&serde_json::json!({ "description": preset.text }));
    let Some(out) = &arguments.out else {
        screen.line(preset.text.trim_end());
        return Ok(Outcome::Done);
    };
    files::write(out, preset.text, arguments.force)?;
    screen.line(format_args!(
        "{}. Written to {}. It was made from public documentation and not tried against the live service.",
        preset.title,
        out.display()
    ));
    next(out, screen);
    Ok(Outcome::Done)
}

/// What comes after a first description.
fn next(out: &Path, screen: &Screen) {
    screen.line(format_args!(
        "Next: set `source.kind = \"rest\"` and `source.file = {:?}`, set the secrets, then `adapter try`.",
        out.display().to_string()
    ));
}

fn import_file(arguments: &Import, screen: &Screen) -> Result<Outcome, Failure> {
    let text = files::read(&arguments.file, "the file")?;
    let name = arguments.name.clone().unwrap_or_else(|| files::stem(&arguments.file));
    let made = import(&name, &text, &arguments.collections).map_err(|why| {
        Failure::new(format!("{}: {why}", arguments.file.display()))
            .remedy("see `adapter import --help` for what can be read")
    })?;
    screen.answer(&serde_json::json!({
        "description": made.text, "collections": made.collections, "to_decide": made.to_decide,
    }));
    let Some(out) = &arguments.out else {
        screen.line(made.text.trim_end());
        return Ok(Outcome::Done);
    };
    files::write(out, &made.text, arguments.force)?;
    screen.line(format_args!(
        "{}, {} to decide. Written to {}.",
        counted(made.collections.len() as u64, "collection", "collections"),
        counted(made.to_decide.len() as u64, "thing", "things"),
        out.display()
    ));
    for line in &made.to_decide {
        screen.line(format_args!("  - {line}"));
    }
    next(out, screen);
    Ok(Outcome::Done)
}

async fn try_calls(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Try,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let SourceKind::Rest(said) = &settings.source.kind else {
        return Err(Failure::new("`adapter try` is for APIs, and `source.kind` is not rest")
            .remedy("`doctor` looks at a source of another kind, `mapping preview` at its records"));
    };
    let source = wiring::rest::open(engagement, settings, said)?;
    let only = arguments.collection.as_deref().map(Collection::from);
    let tried = source.try_calls(only.as_ref()).await?;
    let failed = tried.iter().filter(|tried| tried.verdict == Verdict::Failed).count();
    screen.answer(&serde_json::json!({
        "good": failed == 0,
        "calls": tried.iter().map(json).collect::<Vec<_>>(),
    }));
    for tried in &tried {
        show(tried, screen);
    }
    let doubtful = tried.iter().filter(|tried| tried.verdict == Verdict::Doubtful).count();
    if failed > 0 {
        screen.line(screen.tone(Tone::Bad, format!("{} failed.", counted(failed as u64, "call", "calls"))));
        return Ok(Outcome::Failed);
    }
    screen.line(match doubtful {
        0 => screen.tone(Tone::Good, String::from("Everything was understood.")),
        _ => screen.tone(
            Tone::Warn,
            format!("{} to look at: see `!` above.", counted(doubtful as u64, "call", "calls")),
        ),
    });
    Ok(Outcome::Done)
}

fn show(tried: &Tried, screen: &Screen) {
    let (sign, tone) = match tried.verdict {
        Verdict::Good => ("✓", Tone::Good),
        Verdict::Doubtful => ("!", Tone::Warn),
        Verdict::Failed => ("✗", Tone::Bad),
        Verdict::NotTried => ("-", Tone::Faint),
    };
    screen.line(format_args!("{} {}", screen.tone(tone, sign), screen.tone(Tone::Strong, &tried.call)));
    for line in &tried.told {
        screen.line(format_args!("    {}", line.replace('\n', "\n    ")));
    }
    let rows = tried.fields.iter().map(|field| {
        let kinds = field.kinds.join(", ");
        let described = if field.described { "described" } else { "" };
        let sample = field.sample.clone().unwrap_or_default();
        vec![format!("   {}", field.name), field.records.to_string(), kinds, described.to_owned(), sample]
    });
    screen.table(&["   field", "records", "kind", "", "looks like"], rows.collect(), true);
    if let Some(lines) = &tried.suggested {
        let collection = tried.call.split('.').next().unwrap_or_default();
        screen.line(format_args!("\n[collections.{collection}.fields]\n{}\n", lines.trim_end()));
    }
}

fn json(tried: &Tried) -> serde_json::Value {
    let verdict = match tried.verdict {
        Verdict::Good => "good",
        Verdict::Doubtful => "doubtful",
        Verdict::Failed => "failed",
        Verdict::NotTried => "not-tried",
    };
    let fields = tried.fields.iter().map(|field| {
        serde_json::json!({
            "name": field.name, "kinds": field.kinds, "records": field.records,
            "looks_like": field.sample, "described": field.described,
        })
    });
    serde_json::json!({
        "call": tried.call, "verdict": verdict, "told": tried.told, "fields": fields.collect::<Vec<_>>(),
        "suggested": tried.suggested,
    })
}
