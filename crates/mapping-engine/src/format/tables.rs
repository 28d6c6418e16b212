//! `[picklists.NAME]`, `[[objects]]` and `[never_leaves_source]`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::environment::entries;
use super::{Context, Given, ObjectDoc};
use crate::document::{At, Node, Table, text, texts};
use crate::objects::object_name;
use crate::path::PATH_BYTES_MAX;
use crate::problem::Span;
use crate::steps::picklist::Picklist;

pub(super) fn read_picklists(node: Node<'_>, given: Given<'_>, context: &mut Context) {
    for (name, node) in entries("`[picklists]`", node, &mut context.report) {
        if let Some(table) = Table::of("a picklist", node, &mut context.report) {
            let picklist = read_picklist(&name.value, table, given, context);
            context.once("picklist", &name, context.picklists.contains_key(&name.value));
            context.picklists.insert(name.value, Arc::new(picklist));
        }
    }
}

/// What a picklist's right-hand words are.
enum Words {
    /// HubSpot's option values themselves.
    Options,
    /// Stages of a pipeline of the file.
    Stages(String),
    /// E-mail addresses of owners.
    Owners,
}

fn read_picklist(name: &str, mut table: Table<'_>, given: Given<'_>, context: &mut Context) -> Picklist {
    let report = &mut context.report;
    let mut ignore_case = table.flag("ignore_case", report).unwrap_or(false);
    let default = table.text("default", report);
    let labels = read_words(&mut table, "labels", context);
    let words = read_kind(&mut table, context);
    let by_email = table.flag("by_email", &mut context.report).unwrap_or(false);
    let back_node = table.take("back");
    let map_node = if by_email { table.take("map") } else { table.require("map", &mut context.report) };
    // Free text for people.
    table.text("description", &mut context.report);
    let span = table.span().clone();
    table.finish(&mut context.report);
    let mut filled = Picklist {
        name: name.to_owned(),
        ignore_case,
        map: HashMap::new(),
        default: None,
        words: Vec::new(),
        back: HashMap::new(),
        options: Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut add = |filled: &mut Picklist, option: &At<String>, context: &mut Context| -> Option<String> {
        let (id, label) = words.resolve(option, given, context)?;
        if seen.insert(id.clone()) {
            let label = labels.get(&option.value).cloned().unwrap_or(label);
            filled.options.push((id.clone(), label));
        }
        Some(id)
    };
    if by_email {
        if !matches!(words, Words::Owners) {
            let reason = "`by_email` belongs to a picklist of owners";
            context.report.error("bad-picklist", &span, reason, "add `owners = true`, or remove it");
        }
        ignore_case = true;
        filled.ignore_case = true;
        context.asks_owners |= given.portal.owners.is_none();
        for (email, id) in owners(given, context) {
            filled.words.push((email.as_str().into(), id.as_str().into()));
            filled.options.push((id.clone(), email.clone()));
            filled.map.insert(email.into(), id.into());
        }
    }
    let pairs = map_node.map(|node| entries("`map`", node, &mut context.report)).unwrap_or_default();
    for (word, node) in pairs {
        let Some(option) = text(node, &mut context.report) else { continue };
        let Some(id) = add(&mut filled, &option, context) else { continue };
        let key = if ignore_case { word.value.to_lowercase() } else { word.value.clone() };
        filled.words.push((word.value.as_str().into(), id.as_str().into()));
        if filled.map.insert(key.into(), id.into()).is_some() {
            context.report.error(
                "duplicate-name",
                &word.span,
                format!("the picklist `{name}` has the word `{}` twice when case is ignored", word.value),
                "remove one of the two",
            );
        }
    }
    if let Some(default) = &default {
        filled.default = add(&mut filled, default, context).map(Into::into);
    }
    let back = back_node.map(|node| entries("`back`", node, &mut context.report)).unwrap_or_default();
    for (option, node) in back {
        let Some(word) = text(node, &mut context.report) else { continue };
        let Some((id, _)) = words.resolve(&option, given, context) else { continue };
        let key = if ignore_case { word.value.to_lowercase() } else { word.value.clone() };
        if filled.map.get(key.as_str()).is_none_or(|gives| **gives != *id) {
            context.report.error(
                "bad-picklist",
                &word.span,
                format!(
                    "`{}` is to stand for `{}`, but the table does not give that for it",
                    word.value, option.value
                ),
                "name a word of `map` that gives this option",
            );
            continue;
        }
        filled.back.insert(id.into(), word.value.into());
    }
    filled
}

fn read_kind(table: &mut Table<'_>, context: &mut Context) -> Words {
    let pipeline = table.text("pipeline", &mut context.report);
    let owners = table.flag("owners", &mut context.report).unwrap_or(false);
    let Some(pipeline) = pipeline else {
        return if owners { Words::Owners } else { Words::Options };
    };
    if owners {
        let reason = "a picklist gives stages or owners, not both";
        context.report.error("bad-picklist", &pipeline.span, reason, "remove `pipeline` or `owners`");
    }
    if context.pipelines.take(&pipeline.value).is_none() {
        unknown_pipeline(&pipeline, context);
    }
    Words::Stages(pipeline.value)
}

pub(super) fn unknown_pipeline(name: &At<String>, context: &mut Context) {
    let remedy = context.report.suggest(
        &name.value,
        context.pipelines.names(),
        &format!("add `[pipelines.{}]`", name.value),
    );
    let reason = format!("there is no pipeline `{}`", name.value);
    context.report.error("unknown-pipeline", &name.span, reason, remedy);
}

/// Tells that a pipeline has no such stage.
pub(super) fn unknown_stage(pipeline: &str, stage: &str, span: &Span, context: &mut Context) {
    let Some(found) = context.pipelines.take(pipeline) else { return };
    let known: Vec<&str> = found.stages.iter().map(|stage| stage.name.as_str()).collect();
    context.report.error(
        "unknown-stage",
        span,
        format!("the pipeline `{pipeline}` has no stage `{stage}`"),
        context.report.suggest(stage, known, &format!("add it to `[pipelines.{pipeline}.stages]`")),
    );
}

impl Words {
    /// The option's value in HubSpot and its label; [`None`] where it is not known, which was told if it matters.
    fn resolve(
        &self,
        word: &At<String>,
        given: Given<'_>,
        context: &mut Context,
    ) -> Option<(String, String)> {
        match self {
            Words::Options => Some((word.value.clone(), word.value.clone())),
            Words::Stages(pipeline) => {
                let found = context.pipelines.take(pipeline)?.stage(&word.value);
                match found.map(|stage| (stage.id.clone(), stage.label.clone())) {
                    Some((id, label)) => Some((id?, label)),
                    None => {
                        unknown_stage(pipeline, &word.value, &word.span, context);
                        None
                    }
                }
            }
            Words::Owners => owner(word, given, context).map(|id| (id, word.value.clone())),
        }
    }
}

/// Every owner that is known and active: e-mail address in lower case, and id.
fn owners(given: Given<'_>, context: &Context) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        context.environment.owners.iter().map(|(email, id)| (email.clone(), id.clone())).collect();
    for owner in given.portal.owners.unwrap_or_default().iter().filter(|owner| !owner.archived) {
        let email = owner.email.trim().to_lowercase();
        if !email.is_empty() && !all.iter().any(|(known, _)| *known == email) {
            all.push((email, owner.id.clone()));
        }
    }
    all.sort();
    all
}

/// An owner's id by e-mail address.
fn owner(email: &At<String>, given: Given<'_>, context: &mut Context) -> Option<String> {
    let wanted = email.value.trim().to_lowercase();
    let known = given.portal.owners;
    let of_portal =
        known.and_then(|all| all.iter().find(|owner| owner.email.trim().to_lowercase() == wanted));
    if of_portal.is_some_and(|owner| owner.archived) {
        context.report.warning(
            "archived-owner",
            &email.span,
            "this owner was deactivated in HubSpot, which may refuse to assign records to them",
            "name somebody who is active",
        );
    }
    if let Some(id) = context.environment.owners.get(&wanted) {
        return Some(id.clone());
    }
    context.asks_owners |= known.is_none();
    if of_portal.is_none() && (known.is_some() || given.final_ids) {
        context.report.error(
            "unresolved-id",
            &email.span,
            "the portal has no owner with this e-mail address, as far as is known",
            "correct the address, or give the owner's id under `owners` of the environment",
        );
    }
    of_portal.map(|owner| owner.id.clone())
}

/// Most paths that a file marks.
const SECRETS_MAX: usize = 2_000;

/// `[never_leaves_source]`: collections and their paths.
pub(super) fn read_secret(node: Node<'_>, context: &mut Context) -> Vec<(String, At<String>)> {
    let mut all: Vec<(String, At<String>)> = Vec::new();
    for (collection, node) in entries("`[never_leaves_source]`", node, &mut context.report) {
        let paths = secret_paths(texts(node, &mut context.report), context);
        all.extend(paths.into_iter().map(|path| (collection.value.clone(), path)));
        if all.len() > SECRETS_MAX {
            let reason = format!("at most {SECRETS_MAX} paths are marked in one file");
            context.report.error("too-many", &collection.span, reason, "mark the path that holds them");
            return Vec::new();
        }
    }
    all
}

/// Marked paths without those that are too long to be any.
pub(super) fn secret_paths(mut paths: Vec<At<String>>, context: &mut Context) -> Vec<At<String>> {
    paths.retain(|path| {
        let fits = path.value.len() <= PATH_BYTES_MAX;
        if !fits {
            let reason = format!("a path has at most {PATH_BYTES_MAX} bytes");
            context.report.error("too-many", &path.span, reason, "name a column, or a place inside one");
        }
        fits
    });
    paths
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
        associated: associated.into_iter().map(|object| object_name(&object.value).to_owned()).collect(),
    })
}

pub(super) fn warn_of_unused(root: &DeTable<'_>, context: &mut Context) {
    let warn = |code, what: &str, name: &str, span: &Span, report: &mut crate::problem::Report| {
        let reason = format!("nothing uses the {what} `{name}`");
        report.warning(code, span, reason, "use it in a field, or remove it");
    };
    let (picklists, lookups, rates) = (&context.used_picklists, &context.used_lookups, &context.used_rates);
    for (key, code, what, used) in [
        ("picklists", "unused-picklist", "picklist", picklists),
        ("lookups", "unused-lookup", "lookup table", lookups),
        ("rates", "unused-rates", "table of rates", rates),
    ] {
        let Some(toml::de::DeValue::Table(tables)) = root.get(key).map(Spanned::get_ref) else { continue };
        for name in tables.keys().filter(|name| !used.contains(name.get_ref().as_ref())) {
            warn(code, what, name.get_ref(), &name.span(), &mut context.report);
        }
    }
}

/// Pipelines stand in one list, whatever file they are from.
pub(super) fn warn_of_unused_pipelines(context: &mut Context) {
    let unused: Vec<(String, Span)> =
        context.pipelines.unused().map(|(name, span)| (name.to_owned(), span.clone())).collect();
    for (name, span) in unused {
        let reason = format!("nothing uses the pipeline `{name}`");
        context.report.warning("unused-pipeline", &span, reason, "use it in a field, or remove it");
    }
}
