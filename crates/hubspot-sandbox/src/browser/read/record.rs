//! One record with its values, associations and history.

use jiff::Timestamp;

use super::{find_type, path_name, shell, shown, title};
use crate::Portal;
use crate::browser::view;
use crate::browser::view::{Change, Links, View};
use crate::objects::types::ObjectType;
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
    let ty = find_type(state, object_type)?;
    let record = ty.records.get(ty.records.resolve(id.parse().ok()?))?;
    let associations = associations(state, ty, record.id);
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
fn properties(ty: &ObjectType, record: &crate::objects::record::Record) -> Vec<view::Property> {
    let stored = ty.props.iter().filter(|(_, property)| property.role == Role::Stored);
    let filled = stored.filter_map(|(prop, property)| {
        let text = record.value(prop)?;
        Some(view::Property {
            name: property.name.clone(),
            label: property.label.clone(),
            value: shown(property, text),
        })
    });
    filled.collect()
}

fn history(state: &State, ty: &ObjectType, record: &crate::objects::record::Record) -> Vec<Change> {
    let properties = record.cells().iter().filter_map(|cell| Some((cell.prop, ty.props.get(cell.prop)?)));
    let mut changes: Vec<_> = properties
        .flat_map(|(prop, property): (PropKey, &Property)| {
            record.history(prop).map(move |cell| (property, cell))
        })
        .collect();
    changes.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.at));
    changes.truncate(LISTED_CHANGES);
    let change = |(property, cell): (&Property, &crate::objects::record::Cell)| Change {
        when: iso(cell.at),
        property: property.label.clone(),
        value: shown(property, &cell.text),
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
