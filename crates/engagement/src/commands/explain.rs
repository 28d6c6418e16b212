//! `explain`: why a record is as it is.

use sync_core::decide::Side;
use sync_core::explain::{Explanation, FieldStory, Of, Presence, Shows, WritingStory};
use sync_types::{Act, EdgeState, PairState, Sensitivity};

use super::conflicts;
use crate::cli;
use crate::engagement::Engagement;
use crate::reports;
use crate::screen::{Screen, Tone};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) async fn explain(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Explain,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine_at_rest(engagement, settings).await?;
    let of = match arguments.record {
        true => Of::HubSpot(arguments.one.id.as_str().into()),
        false => Of::Source(arguments.one.id.as_str().into()),
    };
    let told = engine.explain(&arguments.one.link, &of).await?;
    screen.answer(&to_json(&told, arguments.values));
    tell(screen, &told, arguments.values);
    Ok(Outcome::Done)
}

fn tell(screen: &Screen, told: &Explanation, values: bool) {
    let id = told.id.as_ref().map_or("(not known)", |id| id.as_str());
    let record = told.record.as_ref().map_or("(none)", |record| record.as_str());
    screen.heading(format_args!("{} {id} · HubSpot record {record}", told.link));
    let since = told.since.map(|since| format!(" since {}", since.strftime("%Y-%m-%d %H:%M:%SZ")));
    screen.line(format_args!("  {}{}", standing(told.state), since.unwrap_or_default()));
    screen.line(format_args!("  the source: {}", presence(&told.source)));
    screen.line(format_args!("  HubSpot: {}", presence(&told.hubspot)));
    if let Some(problem) = &told.problem {
        screen.line(format_args!("  the mapping cannot bring it over: {problem}"));
    }
    for line in &told.waits {
        screen.line(format_args!("  {line}"));
    }
    for held in &told.held {
        screen.line(format_args!("  held for a person since run {}: {}", held.run, held.cause));
    }
    if let Some(letter) = &told.dead_letter {
        screen.heading("Dead letter");
        reports::dead_letter(screen, &told.link, letter);
    }
    screen.heading("Properties");
    for field in &told.fields {
        tell_field(screen, field, values);
    }
    if !told.edges.is_empty() {
        screen.heading("Associations");
        for (rule, to, state) in &told.edges {
            screen.line(format_args!("  {rule} → {to}  {}", screen.tone(Tone::Faint, edge_state(*state))));
        }
    }
    screen.heading("What runs wrote, newest first");
    for story in &told.writings {
        screen.line(format_args!("  {}", writing(story)));
    }
    if told.writings.is_empty() {
        screen.line("  nothing, as far back as is kept");
    }
}

/// One property for a person.
pub(super) fn tell_field(screen: &Screen, field: &FieldStory, values: bool) {
    screen.line(format_args!("  {}  {}", screen.tone(Tone::Strong, &field.property.name), field.verdict));
    if values {
        let show = |shows: &Shows| shown(shows, field.property.sensitivity);
        screen.line(format_args!("      the source shows {}", show(&field.left)));
        screen.line(format_args!("      HubSpot shows {}", show(&field.right)));
    }
    if let (Some(at), Some(by)) = (field.set_at, &field.set_by) {
        let who = match field.set_by_us {
            Some(true) => " (this integration)",
            _ => "",
        };
        let set = format!("      in HubSpot set {} by {by}{who}", at.strftime("%Y-%m-%d %H:%M:%SZ"));
        screen.line(screen.tone(Tone::Faint, set));
    }
    if let Some((run, side)) = field.written {
        let written = format!("      last written to {} by run {run}", name_of(side));
        screen.line(screen.tone(Tone::Faint, written));
    }
    if let Some(held) = &field.conflict {
        screen.line(format_args!("      held for a person since run {}: {}", held.run, held.cause));
    }
}

fn shown(shows: &Shows, sensitivity: Sensitivity) -> String {
    match &shows.value {
        Some(value) => value.reveal().to_string(),
        None if shows.is_known && sensitivity == Sensitivity::Sensitive => "(hidden: sensitive)".into(),
        None => "(not known)".into(),
    }
}

fn writing(story: &WritingStory) -> String {
    let did = match story.act {
        Act::Make => "made it".to_owned(),
        Act::Change => format!("wrote {}", story.properties.join(", ")),
        Act::Delete => "deleted it".to_owned(),
    };
    format!(
        "{}  run {}, operation {}: {did} in {}",
        story.at.strftime("%Y-%m-%d %H:%M:%SZ"),
        story.run,
        story.op.0,
        name_of(story.side)
    )
}

fn name_of(side: Side) -> &'static str {
    match side {
        Side::Left => "the source",
        Side::Right => "HubSpot",
    }
}

fn standing(state: Option<PairState>) -> &'static str {
    match state {
        None => "not linked, as far as is known",
        Some(PairState::Linked) => "linked",
        Some(PairState::Detached) => "left the link's scope",
        Some(PairState::LeftMissing) => {
            "missing in the source or out of the scope, and nothing is settled yet"
        }
        Some(PairState::RightMissing) => "missing in HubSpot, without proof of a deletion",
        Some(PairState::LeftGone) => "gone from the source or from the link's scope",
        Some(PairState::RightGone) => "deleted in HubSpot",
        Some(PairState::Collided) => "its HubSpot record was merged into another source record's",
        Some(PairState::Erased) => "erased: it is never made anew",
        Some(_) => "in a state that this command does not know",
    }
}

fn presence(presence: &Presence) -> String {
    match presence {
        Presence::There => "there".into(),
        Presence::OutOfScope => "there, outside the link's scope".into(),
        Presence::Missing => "not found".into(),
        Presence::Deleted => "in the recycling bin".into(),
        Presence::MergedInto(record) => format!("merged into record {record}"),
        Presence::Unknown => "not asked: its id is not known".into(),
    }
}

fn edge_state(state: EdgeState) -> &'static str {
    match state {
        EdgeState::Wanted => "to be made; waits while an end has no record",
        EdgeState::There => "made",
        EdgeState::Unwanted => "to be removed",
        EdgeState::Refused => "refused by HubSpot; tried again by `dead-letters retry`",
        EdgeState::TakenBack => "removed by an undo; not made again by itself",
    }
}

fn to_json(told: &Explanation, values: bool) -> serde_json::Value {
    serde_json::json!({
        "link": told.link,
        "id": told.id,
        "record": told.record,
        "standing": standing(told.state),
        "since": told.since,
        "source": presence(&told.source),
        "hubspot": presence(&told.hubspot),
        "problem": told.problem,
        "waits": told.waits,
        "fields": told.fields.iter().map(|field| field_json(field, values)).collect::<Vec<_>>(),
        "associations": told.edges.iter().map(|(rule, to, state)| serde_json::json!({
            "rule": rule, "to": to, "state": edge_state(*state),
        })).collect::<Vec<_>>(),
        "dead_letter": told.dead_letter.as_ref().map(|letter| reports::dead_letter_json(&told.link, letter)),
        "held": told.held.iter()
            .map(|held| conflicts::to_json(&told.link, "the record", held)).collect::<Vec<_>>(),
        "writings": told.writings.iter().map(|story| serde_json::json!({
            "run": story.run,
            "operation": story.op.0,
            "at": story.at,
            "side": story.side,
            "did": writing(story),
            "properties": story.properties,
        })).collect::<Vec<_>>(),
    })
}

/// One property for machines.
pub(super) fn field_json(field: &FieldStory, values: bool) -> serde_json::Value {
    let side = |shows: &Shows| {
        let mut side = serde_json::json!({
            "known": shows.is_known,
            "empty": shows.is_empty,
            "moved": shows.has_moved,
        });
        if let (true, Some(value)) = (values, &shows.value) {
            side["value"] = serde_json::json!(value.reveal().to_string());
        }
        side
    };
    serde_json::json!({
        "property": field.property.name,
        "direction": field.property.direction,
        "policy": field.property.conflict,
        "agreed": field.is_agreed,
        "equal": field.is_equal,
        "source": side(&field.left),
        "hubspot": side(&field.right),
        "verdict": field.verdict,
        "set_at": field.set_at,
        "set_by": field.set_by,
        "set_by_us": field.set_by_us,
        "last_written": field.written.map(|(run, side)| serde_json::json!({ "run": run, "side": side })),
        "conflict": field.conflict.as_ref()
            .map(|held| conflicts::to_json("", field.property.name.as_str(), held)),
    })
}
