//! One record with its values, associations and history.

use jiff::Timestamp;

use super::{path_name, shell, shown, title};
use crate::Portal;
use crate::associations::links::{End, Held};
use crate::browser::view;
use crate::browser::view::{Change, Link, Links, View};
use crate::objects::record::{Cell, Record};
use crate::objects::types::{ObjectType, TypeKey};
use crate::properties::definition::{PropKey, Property, Role};
use crate::state::State;
use crate::time::iso;

/// Associated records listed per type, and changes listed at all.
const LISTED_LINKS: usize = 25;
const LISTED_CHANGES: usize = 200;

/// `None` if there is no such type or record. Archived records are shown; ids retired by a merge lead to the survivor.
pub(in crate::browser) fn record(
    portal: &Portal,
    now: Timestamp,
    object_type: &str,
    id: &str,
) -> Option<View<view::Record>> {
    let state = portal.state();
    let key = state.find_type(object_type).ok()?;
    let ty = state.ty(key);
    let record = ty.records.get(ty.records.resolve(id.parse().ok()?))?;
    let associations = associations(state, (key, record.id));
    let name = path_name(ty).to_owned();
    let page = view::Record {
        label: ty.label_plural.clone(),
        id: record.id.to_string(),
        title: title(ty, record),
        archived: !record.is_live(),
        created: iso(record.created_at),
        updated: iso(record.updated_at),
        properties: properties(ty, record),
        association_count: associations.iter().map(|group| group.total).sum(),
        associations,
        history: history(state, ty, record),
        name: name.clone(),
    };
    Some(View { shell: shell(portal, now), current: name, page })
}

/// What has a value, in the order of definition; the record's own id and times stand in the head of the page.
fn properties(ty: &ObjectType, record: &Record) -> Vec<view::Property> {
    let stored = ty.props.iter().filter(|(_, property)| property.role == Role::Stored);
    let filled = stored.filter_map(|(prop, property)| {
        let text = record.value(prop)?;
        Some(view::Property {
            name: property.name.clone(),
            label: property.label.clone(),
            value: shown(ty, property, text),
        })
    });
    filled.collect()
}

/// Per type, in the portal's order of types; the first of each type in order of their ids.
fn associations(state: &State, end: End) -> Vec<Links> {
    let of_type = |key: TypeKey| {
        let ty = state.ty(key);
        let link = |(id, held): (u64, &[Held])| Link {
            id: id.to_string(),
            title: ty.records.get(id).map_or_else(|| id.to_string(), |record| title(ty, record)),
            labels: held.iter().filter_map(|held| state.link_types.get(held.key)?.label.clone()).collect(),
        };
        let total = state.links.list(end, key).count();
        (total > 0).then(|| Links {
            name: path_name(ty).to_owned(),
            label: ty.label_plural.clone(),
            total,
            links: state.links.list(end, key).take(LISTED_LINKS).map(link).collect(),
        })
    };
    state.type_keys().filter_map(of_type).collect()
}

fn history(state: &State, ty: &ObjectType, record: &Record) -> Vec<Change> {
    let properties = record.cells().iter().filter_map(|cell| Some((cell.prop, ty.props.get(cell.prop)?)));
    let mut changes: Vec<_> = properties
        .flat_map(|(prop, property): (PropKey, &Property)| {
            record.history(prop).map(move |cell| (property, cell))
        })
        .collect();
    changes.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.at));
    changes.truncate(LISTED_CHANGES);
    let change = |(property, cell): (&Property, &Cell)| Change {
        when: iso(cell.at),
        property: property.label.clone(),
        value: shown(ty, property, &cell.text),
        source: source(state, cell.source),
    };
    changes.into_iter().map(change).collect()
}

/// `INTEGRATION · 1000001`.
fn source(state: &State, key: u32) -> String {
    let Some(source) = state.sources.get_index(key as usize) else { return String::new() };
    match &source.id {
        Some(id) => format!("{} · {id}", source.kind),
        None => source.kind.clone(),
    }
}
