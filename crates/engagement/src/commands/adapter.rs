//! `adapter …`: tries the description of an API, or writes a first one from what there is.

use clap::{Args, Subcommand};
use source_adapters::rest::{Tried, Verdict};
use sync_types::Collection;

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
}

#[derive(Debug, Args)]
struct Try {
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

pub(super) async fn adapter(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Adapter,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    match &arguments.command {
        AdapterCommand::Try(arguments) => try_calls(engagement, settings, arguments, screen).await,
    }
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
    })
}
