//! One page of a type's records.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{find_type, is_number, path_name, shell, shown, title, title_properties};
use crate::Portal;
use crate::browser::view::{Cell, Column, Row, Table, View};
use crate::objects::record::Record;
use crate::objects::types::ObjectType;
use crate::properties::definition::{PropKey, Property, Role};

const ROWS: usize = 50;
const COLUMNS: usize = 5;

/// `None` if the portal has no such type. A page past the end is empty.
pub(in crate::browser) fn table(
    portal: &Portal,
    now: Timestamp,
    object_type: &str,
    query: &str,
    page: usize,
) -> Option<View<Table>> {
    let ty = find_type(portal.state(), object_type)?;
    let wanted = query.to_lowercase();
    let skipped = (page - 1).saturating_mul(ROWS);
    let live = ty.records.iter().filter(|record| record.is_live() && matches(record, &wanted));
    // One more than is shown tells whether there is a next page.
    let mut records: Vec<&Record> = live.skip(skipped).take(ROWS + 1).collect();
    let more = records.len() > ROWS;
    records.truncate(ROWS);

    let columns = columns(ty);
    let name = path_name(ty).to_owned();
    let table = Table {
        label: ty.label_plural.clone(),
        query: query.to_owned(),
        total: ty.records.live_count(),
        rows: records.iter().map(|record| row(ty, &columns, record)).collect(),
        columns: columns.iter().map(|(_, property)| column(property)).collect(),
        first: skipped + 1,
        last: skipped + records.len(),
        previous: (page > 1).then(|| page - 1),
        next: more.then(|| page + 1),
        name: name.clone(),
    };
    Some(View { shell: shell(portal, now), current: name, page: table })
}

/// Whether any value, or the id, contains the text; empty text is in everything.
fn matches(record: &Record, wanted: &str) -> bool {
    wanted.is_empty()
        || record.id.to_string().contains(wanted)
        || record.cells().iter().any(|cell| cell.text.to_lowercase().contains(wanted))
}

/// The properties that the first records fill most often, in the order of their definition. Taken from the first
/// records of the type, so that every page has the same columns.
fn columns(ty: &ObjectType) -> Vec<(PropKey, &Property)> {
    let mut filled: HashMap<PropKey, usize> = HashMap::new();
    for record in ty.records.iter().filter(|record| record.is_live()).take(ROWS) {
        for cell in record.cells().iter().filter(|cell| !cell.text.is_empty()) {
            *filled.entry(cell.prop).or_default() += 1;
        }
    }
    let in_title = title_properties(ty);
    let worth = |name: &str| {
        let internal = name.starts_with("hs_") && !ty.defaults.iter().any(|known| known == name);
        !internal && !in_title.contains(&name)
    };
    let defined = ty.props.iter().filter(|(prop, property)| {
        filled.contains_key(prop)
            && property.role == Role::Stored
            && !property.is_archived()
            && worth(&property.name)
    });
    let mut columns: Vec<(PropKey, &Property)> = defined.collect();
    columns.sort_by_key(|(prop, _)| std::cmp::Reverse(filled.get(prop).copied()));
    columns.truncate(COLUMNS);
    columns.sort_by_key(|(prop, _)| *prop);
    columns
}

fn column(property: &Property) -> Column {
    Column { name: property.name.clone(), label: property.label.clone(), number: is_number(property) }
}

fn row(ty: &ObjectType, columns: &[(PropKey, &Property)], record: &Record) -> Row {
    let cells = columns.iter().map(|(prop, property)| Cell {
        text: record.value(*prop).map(|text| shown(ty, property, text)).unwrap_or_default(),
        number: is_number(property),
    });
    Row { id: record.id.to_string(), title: title(ty, record), cells: cells.collect() }
}
