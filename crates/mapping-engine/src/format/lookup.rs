//! `[lookups.NAME]`: tables in CSV files beside the mapping.

use std::sync::Arc;

use sync_types::Fingerprinter;

use super::Context;
use super::environment::entries;
use crate::document::{At, Node, Table};
use crate::files::{ESCAPE_REMEDY, Files, Sources, escape, resolve};
use crate::steps::lookup::{Columns, Lookup, LookupProblem};

/// Most lookup tables of a mapping, and how much text all of them may have, in bytes: they are held in memory.
const LOOKUPS_MAX: usize = 200;
const LOOKUPS_BYTES_MAX: usize = 256 << 20;

pub(super) fn read_lookups(node: Node<'_>, sources: &Sources, files: &dyn Files, context: &mut Context) {
    for (name, node) in entries("`[lookups]`", node, &mut context.report) {
        if context.lookups.len() >= LOOKUPS_MAX {
            let reason = format!("a mapping has at most {LOOKUPS_MAX} lookup tables");
            context.report.error("too-many", &name.span, reason, "leave out what nobody uses");
            return;
        }
        let Some(table) = Table::of("a lookup table", node, &mut context.report) else { continue };
        if let Some(lookup) = read_lookup(&name, table, sources, files, context) {
            context.once("lookup table", &name, context.lookups.contains_key(&name.value));
            context.lookups.insert(name.value, Arc::new(lookup));
        }
    }
}

fn read_lookup(
    name: &At<String>,
    mut table: Table<'_>,
    sources: &Sources,
    files: &dyn Files,
    context: &mut Context,
) -> Option<Lookup> {
    let report = &mut context.report;
    let file = table.text("file", report);
    let csv = table.text("csv", report);
    let key = table.require_text("key", report);
    let value = table.require_text("value", report);
    let delimiter = table.text("delimiter", report);
    let ignore_case = table.flag("ignore_case", report).unwrap_or(false);
    let default = table.text("default", report);
    table.text("description", report);
    table.finish(report);
    let delimiter = match delimiter {
        Some(mark) => match mark.value.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => *byte,
            _ => {
                let reason = "a delimiter is one ASCII character, and no letter, digit or quote";
                context.report.error("bad-table", &mark.span, reason, "write `delimiter = \";\"`");
                return None;
            }
        },
        None => b',',
    };
    let (key, value) = (key?, value?);
    let (text, span, shown) = match (file, csv) {
        (Some(file), None) => {
            let text = read_file(&file, sources, files, context)?;
            (text, file.span, format!("`{}`", file.value))
        }
        (None, Some(csv)) => (csv.value, csv.span, String::from("the table")),
        (file, _) => {
            let reason = match file {
                Some(_) => "the lookup table has a file and a text",
                None => "the lookup table says neither where its file is nor what stands in it",
            };
            context.report.error("bad-table", &name.span, reason, "give exactly one of `file` and `csv`");
            return None;
        }
    };
    context.lookup_bytes += text.len();
    if context.lookup_bytes > LOOKUPS_BYTES_MAX {
        let reason = "all lookup tables together have more than 256 MiB of text";
        context.report.error("too-many", &span, reason, "leave out the rows and columns that nobody uses");
        return None;
    }
    let columns = Columns { key: &key.value, value: &value.value, delimiter };
    let default = default.as_ref().map(|default| default.value.as_str());
    match Lookup::parse(&name.value, &text, columns, ignore_case, default) {
        Ok(lookup) => {
            let mut pairs: Vec<_> = lookup.pairs().collect();
            pairs.sort_unstable();
            let content = format!("{pairs:?} {default:?} {ignore_case}");
            let digest = Fingerprinter::new(*b"mapping-lookup-\n").text(&content).0;
            context.digests.push((name.value.clone(), digest));
            Some(lookup)
        }
        Err(LookupProblem { line, reason }) => {
            context.report.error(
                "bad-table",
                &span,
                format!("line {line} of {shown}: {reason}"),
                "correct the file, or the keys that describe it",
            );
            None
        }
    }
}

fn read_file(
    file: &At<String>,
    sources: &Sources,
    files: &dyn Files,
    context: &mut Context,
) -> Option<String> {
    let from = sources.file_of(file.span.start).map_or("", |source| source.path.as_str());
    let Some(path) = resolve(from, &file.value) else {
        context.report.error("bad-table", &file.span, escape(&file.value), ESCAPE_REMEDY);
        return None;
    };
    match files.text(&path) {
        Ok(text) => Some(text),
        Err(why) => {
            context.report.error(
                "bad-table",
                &file.span,
                format!("`{path}` cannot be read: {why}"),
                "name a CSV file in the mapping's folder",
            );
            None
        }
    }
}
