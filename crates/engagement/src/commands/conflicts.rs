//! `conflicts`: values that both sides changed, and whose wins.

use std::collections::BTreeMap;

use sync_core::Which;
use sync_core::decide::Side;
use sync_core::explain::{Explanation, Of};
use sync_types::HeldConflict;

use super::explain::{field_json, tell_field};
use crate::cli::{Conflicts, ConflictsCommand, One, Take, WhichConflicts};
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

/// Conflicts of a group that are shown one by one.
const SHOWN_MAX: usize = 20;

pub(super) async fn conflicts(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Conflicts,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    match &arguments.command {
        ConflictsCommand::List { which, settled } => {
            let engine = wiring::engine_at_rest(engagement, settings).await?;
            let held = engine.conflicts(&select(which, *settled))?;
            screen.answer(&held.iter().map(|(link, property, held)| to_json(link, property, held)).collect());
            list(screen, &held, *settled);
        }
        ConflictsCommand::Show { one, values } => show(engagement, settings, one, *values, screen).await?,
        ConflictsCommand::Resolve { take, which, all } => {
            let is_narrowed =
                [&which.link, &which.cause, &which.property, &which.id].into_iter().any(Option::is_some);
            if !all && !is_narrowed {
                return Err(Failure::new("it is not said which conflicts to resolve").remedy(
                    "narrow them down by --link, --cause, --property or --id, or say --all; `conflicts list` shows them",
                ));
            }
            let side = match take {
                Take::Source => Side::Left,
                Take::Hubspot => Side::Right,
            };
            let mut engine = wiring::engine_at_rest(engagement, settings).await?;
            let count = engine.resolve_conflicts(&select(which, false), side)?;
            screen.answer(&serde_json::json!({ "resolved": count }));
            screen.line(format_args!(
                "The next run settles {} in favour of {}.",
                counted(count as u64, "conflict", "conflicts"),
                name_of(side)
            ));
        }
    }
    Ok(Outcome::Done)
}

fn select(which: &WhichConflicts, settled: bool) -> Which {
    Which {
        link: which.link.clone(),
        cause: which.cause.clone(),
        property: which.property.clone(),
        id: which.id.clone(),
        settled,
        max: 0,
    }
}

fn name_of(side: Side) -> &'static str {
    match side {
        Side::Left => "the source",
        Side::Right => "HubSpot",
    }
}

fn list(screen: &Screen, held: &[(String, String, HeldConflict)], settled: bool) {
    if held.is_empty() {
        return screen.line(if settled { "Nothing was overwritten by a rule." } else { "No conflicts." });
    }
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&HeldConflict>> = BTreeMap::new();
    for (link, property, conflict) in held {
        groups.entry((link, property, &conflict.cause)).or_default().push(conflict);
    }
    for ((link, property, cause), conflicts) in groups {
        let count = counted(conflicts.len() as u64, "record", "records");
        screen.heading(format_args!("{link} · {property} · {cause} · {count}"));
        for conflict in conflicts.iter().take(SHOWN_MAX) {
            let opponent =
                conflict.opponent.as_ref().map(|who| format!(", set by {who}")).unwrap_or_default();
            let decision = match conflict.decision.as_deref() {
                Some("left") => ", decided for the source",
                Some(_) => ", decided for HubSpot",
                None => "",
            };
            let noted = format!("record {}, run {}{opponent}{decision}", conflict.record, conflict.run);
            screen.line(format_args!("  {}  {}", conflict.external, screen.tone(Tone::Faint, noted)));
        }
        let hidden = conflicts.len().saturating_sub(SHOWN_MAX);
        if hidden > 0 {
            screen.line(format_args!(" … and {hidden} more; --json names them"));
        }
    }
    if !settled {
        screen.line("\nWhat each side shows: conflicts show LINK ID --values. To decide: conflicts resolve --take SIDE");
    }
}

async fn show(
    engagement: &Engagement,
    settings: &Settings,
    one: &One,
    values: bool,
    screen: &Screen,
) -> Result<(), Failure> {
    let mut engine = wiring::engine_at_rest(engagement, settings).await?;
    let told = engine.explain(&one.link, &Of::Source(one.id.as_str().into())).await?;
    let fields = || told.fields.iter().filter(|field| field.conflict.is_some());
    if told.held.is_empty() && fields().next().is_none() {
        return Err(Failure::new(format!("no conflict of {} {} waits for a person", one.link, one.id))
            .remedy(
                "see `conflicts list`, and `conflicts list --settled` for those that a rule has settled",
            ));
    }
    screen.answer(&serde_json::json!({
        "link": told.link,
        "id": told.id,
        "record": told.record,
        "fields": fields().map(|field| field_json(field, values)).collect::<Vec<_>>(),
        "about_the_record": about_the_record(&told),
    }));
    for field in fields() {
        tell_field(screen, field, values);
    }
    for held in &told.held {
        screen.line(format_args!("the record  {} since run {}", held.cause, held.run));
    }
    if !values {
        screen.line("The values themselves: --values");
    }
    Ok(())
}

fn about_the_record(told: &Explanation) -> Vec<serde_json::Value> {
    told.held.iter().map(|held| to_json(&told.link, "the record", held)).collect()
}

/// A conflict for machines.
pub(super) fn to_json(link: &str, property: &str, held: &HeldConflict) -> serde_json::Value {
    serde_json::json!({
        "link": link,
        "id": held.external,
        "record": held.record,
        "property": property,
        "cause": held.cause,
        "opponent": held.opponent,
        "run": held.run,
        "settled": held.is_settled,
        "decision": held.decision.as_deref().map(|side| if side == "left" { "source" } else { "hubspot" }),
    })
}
