//! `[environments.NAME]`: what differs from portal to portal, and which of them this check is for.

use std::collections::HashMap;
use std::fmt::Write as _;

use toml::de::DeValue;

use super::{Context, Given, taken};
use crate::document::{At, Node, Table, text, wrong_type};
use crate::objects::object_name;
use crate::problem::{Report, Span};

/// The chosen environment; empty where the mapping has none.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// Its name; [`None`] where the mapping has no environments, or none was chosen.
    pub(crate) name: Option<String>,
    /// The mapping has environments, but it is not known yet which of them is meant.
    pub(crate) undecided: bool,
    pub(crate) pipelines: HashMap<String, PipelineIds>,
    /// Owner ids by e-mail address in lower case.
    pub(crate) owners: HashMap<String, String>,
    /// Property names by object type and the name that the rest of the file uses.
    pub(crate) properties: HashMap<(String, String), At<String>>,
    /// Every id that another environment has and this one has not, with that environment's name.
    pub(crate) foreign: HashMap<String, String>,
}

/// A pipeline's ids in one environment.
#[derive(Debug, Default)]
pub(crate) struct PipelineIds {
    pub(crate) id: Option<At<String>>,
    pub(crate) stages: HashMap<String, At<String>>,
}

/// One `[environments.NAME]`.
#[derive(Debug)]
struct EnvironmentDoc {
    name: At<String>,
    portal: Option<At<u64>>,
    content: Environment,
}

impl Environment {
    /// What the environment changes, for the fingerprint.
    pub(crate) fn add_to(&self, canonical: &mut String) {
        let mut lines: Vec<String> = Vec::new();
        for ((object, from), to) in &self.properties {
            lines.push(format!("property {object:?} {from:?} {:?}", to.value));
        }
        for (email, id) in &self.owners {
            lines.push(format!("owner {email:?} {id:?}"));
        }
        lines.sort_unstable();
        // Writing to a String cannot fail.
        let _ = write!(canonical, "{}", lines.join("\n"));
    }

    /// The properties of an object type that have another name in this portal, by the name in the rest of the file.
    pub(crate) fn names_here(&self, object: &str) -> HashMap<String, String> {
        let mine = self.properties.iter().filter(|((of, _), _)| of == object);
        mine.map(|((_, from), to)| (from.clone(), to.value.clone())).collect()
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let pipelines = self.pipelines.values().flat_map(|pipeline| {
            pipeline.id.iter().chain(pipeline.stages.values()).map(|id| id.value.as_str())
        });
        pipelines.chain(self.owners.values().map(String::as_str))
    }
}

/// Reads every environment and keeps the one that is meant.
pub(super) fn read_environments(tables: &mut [Table<'_>], given: Given<'_>, context: &mut Context) {
    let mut docs: Vec<EnvironmentDoc> = Vec::new();
    for node in taken(tables, "environments") {
        let Some(mut table) = Table::of("`[environments]`", node, &mut context.report) else { continue };
        for (name, node) in table.take_all() {
            let Some(table) = Table::of("an environment", node, &mut context.report) else { continue };
            let name = At { value: name.value.to_owned(), span: name.span };
            context.once("environment", &name, docs.iter().any(|doc| doc.name.value == name.value));
            docs.push(read_environment(name, table, &mut context.report));
        }
    }
    check_portals(&docs, &mut context.report);
    let Some(place) = choose(&docs, given, &mut context.report) else {
        context.environment.undecided = !docs.is_empty();
        return;
    };
    let mut foreign: HashMap<String, String> = HashMap::new();
    for (_, doc) in docs.iter().enumerate().filter(|(other, _)| *other != place) {
        foreign.extend(doc.content.ids().map(|id| (id.to_owned(), doc.name.value.clone())));
    }
    let doc = docs.swap_remove(place);
    for id in doc.content.ids() {
        foreign.remove(id);
    }
    context.environment = Environment { name: Some(doc.name.value), foreign, ..doc.content };
}

fn read_environment(name: At<String>, mut table: Table<'_>, report: &mut Report) -> EnvironmentDoc {
    let portal = table.take("portal").and_then(|node| portal_id(node, report));
    let mut content = Environment::default();
    if let Some(node) = table.take("pipelines") {
        for (name, node) in entries("`pipelines`", node, report) {
            if let Some(table) = Table::of("a pipeline's ids", node, report) {
                content.pipelines.insert(name.value, read_ids(table, report));
            }
        }
    }
    if let Some(node) = table.take("owners") {
        for (email, node) in entries("`owners`", node, report) {
            if let Some(id) = text(node, report) {
                content.owners.insert(email.value.to_lowercase(), id.value);
            }
        }
    }
    if let Some(node) = table.take("properties") {
        for (object, node) in entries("`properties`", node, report) {
            for (from, node) in entries("the properties of an object type", node, report) {
                if let Some(to) = text(node, report) {
                    content.properties.insert((object_name(&object.value).to_owned(), from.value), to);
                }
            }
        }
    }
    // Free text for people.
    table.text("description", report);
    table.finish(report);
    EnvironmentDoc { name, portal, content }
}

fn read_ids(mut table: Table<'_>, report: &mut Report) -> PipelineIds {
    let id = table.text("id", report);
    let stages = table.take("stages").map(|node| entries("`stages`", node, report)).unwrap_or_default();
    table.finish(report);
    let stages =
        stages.into_iter().filter_map(|(name, node)| Some((name.value, text(node, report)?))).collect();
    PipelineIds { id, stages }
}

/// The entries of a table whose keys are the user's own.
pub(super) fn entries<'a>(
    what: &'static str,
    node: Node<'a>,
    report: &mut Report,
) -> Vec<(At<String>, Node<'a>)> {
    let Some(mut table) = Table::of(what, node, report) else { return Vec::new() };
    let entries = table.take_all();
    entries
        .into_iter()
        .map(|(key, node)| (At { value: key.value.to_owned(), span: key.span }, node))
        .collect()
}

fn portal_id(node: Node<'_>, report: &mut Report) -> Option<At<u64>> {
    if let DeValue::Integer(value) = node.get_ref()
        && let Ok(value) = value.as_str().parse::<u64>()
    {
        return Some(At { value, span: node.span() });
    }
    wrong_type(node, "a portal's id, a whole number", report);
    None
}

fn check_portals(docs: &[EnvironmentDoc], report: &mut Report) {
    let mut seen: Vec<&At<u64>> = Vec::new();
    for (doc, portal) in docs.iter().filter_map(|doc| Some((doc, doc.portal.as_ref()?))) {
        if seen.iter().any(|known| known.value == portal.value) {
            report.error(
                "duplicate-name",
                &portal.span,
                format!(
                    "another environment is portal {} too, so `{}` is ambiguous",
                    portal.value, doc.name.value
                ),
                "give each environment the id of its own portal",
            );
        }
        seen.push(portal);
    }
}

/// The environment that is meant by its name or by the portal's id.
fn choose(docs: &[EnvironmentDoc], given: Given<'_>, report: &mut Report) -> Option<usize> {
    let whole = |docs: &[EnvironmentDoc]| -> Span { docs.first().map_or(0..0, |doc| doc.name.span.clone()) };
    let names = || docs.iter().map(|doc| doc.name.value.as_str());
    let portal_of = |place: usize| docs.get(place).and_then(|doc| doc.portal.as_ref());
    let by_name = given.environment.map(|name| docs.iter().position(|doc| doc.name.value == name));
    match (by_name, given.portal.id) {
        (Some(None), _) => {
            let name = given.environment.unwrap_or_default();
            report.error(
                "unknown-environment",
                &whole(docs),
                format!("the mapping has no environment `{name}`"),
                report.suggest(name, names(), &format!("add `[environments.{name}]`")),
            );
            None
        }
        (Some(Some(place)), Some(id)) if portal_of(place).is_some_and(|portal| portal.value != id) => {
            let portal = portal_of(place)?;
            report.error(
                "wrong-environment",
                &portal.span,
                format!(
                    "this environment is portal {}, but the credential belongs to portal {id}",
                    portal.value
                ),
                "use the credential of the right portal, or choose the environment that belongs to it",
            );
            None
        }
        (Some(Some(place)), _) => Some(place),
        (None, Some(id)) if !docs.is_empty() => {
            let found =
                docs.iter().position(|doc| doc.portal.as_ref().is_some_and(|portal| portal.value == id));
            if found.is_none() {
                report.error(
                    "unknown-environment",
                    &whole(docs),
                    format!("none of the environments is portal {id}"),
                    format!(
                        "add `portal = {id}` to the environment that is meant, or use another credential"
                    ),
                );
            }
            found
        }
        (None, _) => None,
    }
}
