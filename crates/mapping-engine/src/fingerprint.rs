//! The mapping's fingerprint: changes whenever some record may be mapped differently, and not with comments,
//! spaces, the order of keys, or words that are for people only.

use std::fmt::Write as _;

use sync_types::Fingerprinter;
use toml::de::{DeTable, DeValue};

use crate::plan::LinkPlan;

/// Counts up when a transform or canonical form gives other results than before for some value.
const ENGINE_REVISION: u32 = 1;

/// Keys that change no record.
const FOR_PEOPLE: [&str; 6] = ["create", "description", "labels", "note", "objects", "version"];

/// The fingerprint of a file's content together with what the checker settled from schemas.
pub(crate) fn fingerprint(canonical: &str, plans: &[LinkPlan]) -> u64 {
    let mut text = format!("{ENGINE_REVISION}\n{canonical}\n");
    for field in plans.iter().flat_map(|plan| &plan.fields) {
        let limits = &field.limits;
        let mut options: Vec<&str> = limits.options.iter().flatten().map(|option| &**option).collect();
        options.sort_unstable();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:?} {:?} {} {options:?}", field.property, limits.kind, limits.length_max);
    }
    Fingerprinter::new(*b"mapping-content\n").text(&text).0
}

/// The content of a table in one writing.
pub(crate) fn canonical_text(table: &DeTable<'_>) -> String {
    let mut text = String::new();
    write_table(&mut text, table);
    text
}

fn write_table(text: &mut String, table: &DeTable<'_>) {
    let mut entries: Vec<(&str, _)> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())).collect();
    entries.retain(|(key, _)| !FOR_PEOPLE.contains(key));
    entries.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in entries {
        let _ = write!(text, "{key:?}:");
        write_value(text, value);
        text.push(',');
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &DeValue<'_>) {
    match value {
        DeValue::String(value) => {
            let _ = write!(text, "{value:?}");
        }
        DeValue::Integer(value) => {
            let _ = write!(text, "{}r{}", value.as_str(), value.radix());
        }
        DeValue::Float(value) => text.push_str(value.as_str()),
        DeValue::Boolean(value) => {
            let _ = write!(text, "{value}");
        }
        DeValue::Datetime(value) => {
            let _ = write!(text, "{value}");
        }
        DeValue::Array(items) => {
            text.push('[');
            for item in items {
                write_value(text, item.get_ref());
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(table) => write_table(text, table),
    }
}
