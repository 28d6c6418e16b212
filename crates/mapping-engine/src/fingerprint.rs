//! The mapping's fingerprint: changes whenever some record may be mapped differently, and not with comments,
//! spaces, the order of keys, or words that are for people only.

use std::fmt::Write as _;

use sync_types::Fingerprinter;
use toml::de::{DeTable, DeValue};

use crate::plan::{LinkPlan, SourcePlan};
use crate::step::Step;

/// Counts up when a transform or canonical form gives other results than before for some value.
const ENGINE_REVISION: u32 = 1;

/// Keys that change no record.
const FOR_PEOPLE: [&str; 9] =
    ["basis", "create", "description", "explanation", "labels", "note", "objects", "subscription", "version"];

/// Keys of what is for other portals too, or only joins files: what it means here is in the compiled plans.
const ELSEWHERE: [&str; 4] = ["environments", "include", "pipelines", "lookups"];

/// The fingerprint of the files' content together with what the checker settled from schemas and the environment.
pub(crate) fn fingerprint(canonical: &str, lookups: &[(String, u64)], plans: &[LinkPlan]) -> u64 {
    let mut text = format!("{ENGINE_REVISION}\n{canonical}\n");
    for field in plans.iter().flat_map(|plan| &plan.fields) {
        let limits = &field.limits;
        let mut options: Vec<&str> = limits.options.iter().flatten().map(|option| &**option).collect();
        options.sort_unstable();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:?} {:?} {} {options:?}", field.property, limits.kind, limits.length_max);
    }
    // Names of pipelines, stages and owners mean what their ids are here.
    for field in plans.iter().flat_map(|plan| &plan.fields) {
        if let SourcePlan::Constant(value) = &field.source {
            let _ = writeln!(text, "{}", value.reveal());
        }
        for step in &field.steps {
            let Step::Picklist(table) = step else { continue };
            let mut words: Vec<_> = table.map.iter().collect();
            words.sort_unstable();
            let _ = writeln!(text, "{words:?} {:?} {:?}", table.default, table.ignore_case);
        }
    }
    let _ = writeln!(text, "{lookups:?}");
    Fingerprinter::new(*b"mapping-content\n").text(&text).0
}

/// Whose words the keys of a table are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// The format's, at the top of a file.
    Top,
    /// The user's own names of tables whose keys are the format's.
    Names,
    /// The format's; some of them are for people only.
    Format,
    /// The user's own, all the way down.
    Own,
}

impl Keys {
    /// Whose words the keys below one of these are.
    fn below(self, key: &str) -> Keys {
        match self {
            Keys::Top if matches!(key, "picklists" | "rates" | "never_leaves_source") => Keys::Names,
            Keys::Format if matches!(key, "map" | "back") => Keys::Own,
            Keys::Own => Keys::Own,
            Keys::Top | Keys::Names | Keys::Format => Keys::Format,
        }
    }
}

/// Appends the content of a file's table in one writing.
pub(crate) fn canonical_text(table: &DeTable<'_>, text: &mut String) {
    let root = table.iter().filter(|(key, _)| !ELSEWHERE.contains(&key.get_ref().as_ref()));
    write_entries(text, root.map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())), Keys::Top);
}

/// Writes a table's entries by key.
fn write_entries<'a>(
    text: &mut String,
    entries: impl Iterator<Item = (&'a str, &'a DeValue<'a>)>,
    keys: Keys,
) {
    let mut entries: Vec<_> = entries.collect();
    entries.retain(|(key, _)| !matches!(keys, Keys::Top | Keys::Format) || !FOR_PEOPLE.contains(key));
    entries.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (key, value) in entries {
        let _ = write!(text, "{key:?}:");
        write_value(text, value, keys.below(key));
        text.push(',');
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &DeValue<'_>, keys: Keys) {
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
                write_value(text, item.get_ref(), keys);
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(table) => {
            write_entries(
                text,
                table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())),
                keys,
            );
        }
    }
}
