//! `[picklists.NAME]` and `[[objects]]`.

use std::collections::HashMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::{Context, ObjectDoc};
use crate::document::{Node, Table, text};
use crate::steps::picklist::Picklist;

pub(super) fn read_picklists(node: Node<'_>, context: &mut Context) {
    let Some(mut tables) = Table::of("`[picklists]`", node, &mut context.report) else { return };
    for (name, node) in tables.take_all() {
        if let Some(table) = Table::of("a picklist", node, &mut context.report) {
            let picklist = read_picklist(name.value, table, context);
            context.picklists.insert(name.value.to_owned(), Arc::new(picklist));
        }
    }
}

fn read_picklist(name: &str, mut table: Table<'_>, context: &mut Context) -> Picklist {
    let report = &mut context.report;
    let ignore_case = table.flag("ignore_case", report).unwrap_or(false);
    let default = table.text("default", report);
    let labels = read_words(&mut table, "labels", context);
    let map_node = table.require("map", &mut context.report);
    let mut map = HashMap::new();
    let mut pairs = Vec::new();
    let mut options: Vec<(String, String)> = Vec::new();
    let mut add = |option: &str| {
        if !options.iter().any(|(known, _)| known == option) {
            let label = labels.get(option).map_or(option, String::as_str);
            options.push((option.to_owned(), label.to_owned()));
        }
    };
    if let Some(mut words) = map_node.and_then(|node| Table::of("`map`", node, &mut context.report)) {
        for (word, node) in words.take_all() {
            let Some(option) = text(node, &mut context.report) else { continue };
            let key = if ignore_case { word.value.to_lowercase() } else { word.value.to_owned() };
            add(&option.value);
            pairs.push((word.value.into(), option.value.as_str().into()));
            if map.insert(key.into_boxed_str(), option.value.into_boxed_str()).is_some() {
                context.report.error(
                    "duplicate-name",
                    &word.span,
                    format!("the picklist `{name}` has the word `{}` twice when case is ignored", word.value),
                    "remove one of the two",
                );
            }
        }
    }
    if let Some(default) = &default {
        add(&default.value);
    }
    table.finish(&mut context.report);
    let default = default.map(|default| default.value.into_boxed_str());
    Picklist { name: name.to_owned(), ignore_case, map, default, words: pairs, back: HashMap::new(), options }
}

/// A table of the user's own keys with texts.
fn read_words(table: &mut Table<'_>, key: &'static str, context: &mut Context) -> HashMap<String, String> {
    let Some(node) = table.take(key) else { return HashMap::new() };
    let Some(mut words) = Table::of("a table of words", node, &mut context.report) else {
        return HashMap::new();
    };
    let words = words.take_all();
    words
        .into_iter()
        .filter_map(|(word, node)| Some((word.value.to_owned(), text(node, &mut context.report)?.value)))
        .collect()
}

pub(super) fn read_object(mut table: Table<'_>, context: &mut Context) -> Option<ObjectDoc> {
    let report = &mut context.report;
    let name = table.require_text("name", report);
    let singular = table.require_text("singular", report);
    let plural = table.require_text("plural", report);
    let primary_display = table.require_text("primary_display", report);
    let associated = table.texts("associated", report).unwrap_or_default();
    table.finish(report);
    Some(ObjectDoc {
        name: name?,
        singular: singular?.value,
        plural: plural?.value,
        primary_display: primary_display?,
        associated: associated.into_iter().map(|object| object.value).collect(),
    })
}

pub(super) fn warn_of_unused_picklists(root: &Spanned<DeTable<'_>>, context: &mut Context) {
    let Some(toml::de::DeValue::Table(tables)) = root.get_ref().get("picklists").map(Spanned::get_ref) else {
        return;
    };
    for (name, _) in tables {
        if !context.used_picklists.iter().any(|used| used == name.get_ref()) {
            context.report.warning(
                "unused-picklist",
                &name.span(),
                format!("no field uses the picklist `{}`", name.get_ref()),
                "use it in a field's transforms, or remove it",
            );
        }
    }
}
