//! What the pages show, picked from the portal's state.

mod record;
mod table;

use jiff::Timestamp;

pub(super) use self::record::record;
pub(super) use self::table::table;
use super::view::{Missing, Overview, Shell, Stat, TypeCount, View};
use crate::Portal;
use crate::objects::record::Record;
use crate::objects::types::ObjectType;
use crate::properties::definition::{Property, PropertyType, Role, Semantics};
use crate::state::State;

/// Longer titles are cut: a note's body is its title.
const TITLE_CHARS: usize = 90;

pub(super) fn overview(portal: &Portal, now: Timestamp) -> View<Overview> {
    let stats = portal.stats();
    let calls = [
        ("Reads", stats.reads),
        ("Writes", stats.writes),
        ("Upserts", stats.upserts),
        ("Searches", stats.searches),
        ("Refused by a limit (429)", stats.rate_limited),
    ];
    let shell = shell(portal, now);
    let page = Overview {
        total: shell.types.iter().map(|ty| ty.count).sum(),
        associations: portal.state().links.count(),
        calls: calls.map(|(label, count)| Stat { label, count }).into(),
    };
    View { shell, current: String::new(), page }
}

pub(super) fn missing(portal: &Portal, now: Timestamp, what: &'static str) -> View<Missing> {
    View { shell: shell(portal, now), current: String::new(), page: Missing { what } }
}

fn shell(portal: &Portal, now: Timestamp) -> Shell {
    let state = portal.state();
    let types = state.types.iter().filter(|ty| ty.is_active()).map(|ty| TypeCount {
        name: path_name(ty).to_owned(),
        type_id: ty.id.clone(),
        label: ty.label_plural.clone(),
        count: ty.records.live_count(),
    });
    Shell {
        portal_id: state.config.portal_id,
        tier: format!("{:?}", state.config.tier),
        now: now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        types: types.collect(),
    }
}

/// The name under which paths know a type.
fn path_name(ty: &ObjectType) -> &str {
    ty.custom.as_ref().map_or(&ty.plural, |schema| &schema.fully_qualified_name)
}

/// The type that a path of the browser names, if it is in use.
fn find_type<'s>(state: &'s State, name: &str) -> Option<&'s ObjectType> {
    state.find_type(name).ok().map(|key| state.ty(key))
}

/// Properties that make up a record's title; the others are worth a column.
fn title_properties(ty: &ObjectType) -> Vec<&str> {
    if ty.is_contact() {
        return vec!["firstname", "lastname"];
    }
    ty.primary_display.as_deref().into_iter().collect()
}

/// A person's name, or whatever else names a record best; never empty.
fn title(ty: &ObjectType, record: &Record) -> String {
    let value = |name: &str| ty.props.find(name).and_then(|(prop, _)| record.value(prop));
    let parts: Vec<&str> = title_properties(ty).into_iter().filter_map(value).collect();
    let text = match (parts.is_empty(), ty.primary_display.as_deref().and_then(value)) {
        (false, _) => parts.join(" "),
        (true, Some(text)) => text.to_owned(),
        (true, None) => format!("{} {}", ty.label_singular, record.id),
    };
    let first_line = text.lines().next().unwrap_or_default();
    if first_line.chars().count() <= TITLE_CHARS {
        return first_line.to_owned();
    }
    first_line.chars().take(TITLE_CHARS - 1).chain(['…']).collect()
}

/// A stored value as a person reads it: labels instead of codes, times without what says nothing.
fn shown(ty: &ObjectType, property: &Property, text: &str) -> String {
    let label = |value: &str| {
        let label = match property.semantics {
            Semantics::Pipeline => ty.pipelines.find(value).map(|pipeline| &pipeline.label),
            Semantics::Stage => {
                ty.pipelines.list.iter().find_map(|pipeline| pipeline.stage(value)).map(|stage| &stage.label)
            }
            _ => property.options.iter().find(|option| option.value == value).map(|option| &option.label),
        };
        label.map_or(value, String::as_str).to_owned()
    };
    match property.kind {
        PropertyType::Enumeration => text.split(';').map(label).collect::<Vec<_>>().join(", "),
        PropertyType::Bool => label(text),
        PropertyType::DateTime => moment(text),
        _ => text.to_owned(),
    }
}

/// `2026-10-02T00:00:00.000Z` as the day that was meant, any other time of the day to the second.
fn moment(iso: &str) -> String {
    match iso.split_once('T') {
        Some((day, "00:00:00.000Z" | "00:00:00Z")) => day.to_owned(),
        Some((day, time)) => format!("{day} {}", time.get(..8).unwrap_or(time)),
        None => iso.to_owned(),
    }
}

fn is_number(property: &Property) -> bool {
    property.kind == PropertyType::Number && property.role == Role::Stored
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn midnight_is_a_day_and_anything_else_keeps_its_time() {
        for (stored, read) in [
            ("2026-10-02T00:00:00.000Z", "2026-10-02"),
            ("2026-10-02T00:00:01.000Z", "2026-10-02 00:00:01"),
            ("2026-10-02T09:30Z", "2026-10-02 09:30Z"),
            ("2026-10-02", "2026-10-02"),
            ("", ""),
        ] {
            assert_eq!(moment(stored), read);
        }
    }
}
