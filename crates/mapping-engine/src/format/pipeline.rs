//! `[pipelines.NAME]`: pipelines and stages by names of the file, whatever their ids in a portal are.

use std::collections::{HashMap, HashSet};

use toml::de::DeValue;

use super::environment::{PipelineIds, entries};
use super::{Context, Given, taken};
use crate::document::{At, Node, Table, text, wrong_type};
use crate::objects::object_name;
use crate::portal;
use crate::problem::Span;

/// The file's pipelines by name.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    all: HashMap<String, Pipeline>,
    used: HashSet<String>,
}

/// A pipeline with its ids in the chosen environment, as far as they are known.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) object: String,
    pub(crate) id: Option<String>,
    /// Name, id, and label for people, in the order of the file.
    pub(crate) stages: Vec<Stage>,
    span: Span,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) label: String,
}

/// What is known of a pipeline or stage: its ids here and there, and its label.
struct Named<'a> {
    here: Option<&'a At<String>>,
    id: Option<At<String>>,
    label: Option<At<String>>,
    span: &'a Span,
}

/// Most pipelines of a mapping.
const PIPELINES_MAX: usize = 500;

/// Most stages of a pipeline. HubSpot docs: a pipeline has up to 100.
const STAGES_MAX: usize = 200;

impl Pipelines {
    /// A pipeline that a field or picklist uses.
    pub(crate) fn take(&mut self, name: &str) -> Option<&Pipeline> {
        self.used.insert(name.to_owned());
        self.all.get(name)
    }

    /// The object types of pipelines of which an id is not known, each once.
    pub(crate) fn unsettled(&self) -> Vec<String> {
        let open = |pipeline: &&Pipeline| {
            pipeline.id.is_none() || pipeline.stages.iter().any(|stage| stage.id.is_none())
        };
        let mut objects: Vec<String> =
            self.all.values().filter(open).map(|pipeline| pipeline.object.clone()).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// The pipeline with this id, and its name.
    pub(crate) fn by_id(&self, id: &str) -> Option<(&str, &Pipeline)> {
        self.all
            .iter()
            .find(|(_, pipeline)| pipeline.id.as_deref() == Some(id))
            .map(|(name, pipeline)| (name.as_str(), pipeline))
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.all.keys().map(String::as_str).collect()
    }

    /// Pipelines that nothing uses, with their places.
    pub(crate) fn unused(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.all
            .iter()
            .filter(|(name, _)| !self.used.contains(*name))
            .map(|(name, pipeline)| (name.as_str(), &pipeline.span))
    }
}

impl Pipeline {
    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

pub(super) fn read_pipelines(tables: &mut [Table<'_>], given: Given<'_>, context: &mut Context) {
    for node in taken(tables, "pipelines") {
        for (name, node) in entries("`[pipelines]`", node, &mut context.report) {
            if context.pipelines.all.len() >= PIPELINES_MAX {
                let reason = format!("a mapping has at most {PIPELINES_MAX} pipelines");
                context.report.error("too-many", &name.span, reason, "leave out what nobody uses");
                return;
            }
            let Some(table) = Table::of("a pipeline", node, &mut context.report) else { continue };
            if let Some(pipeline) = read_pipeline(&name, table, given, context) {
                context.once("pipeline", &name, context.pipelines.all.contains_key(&name.value));
                context.pipelines.all.insert(name.value, pipeline);
            }
        }
    }
    let unknown: Vec<(String, Span)> = context
        .environment
        .pipelines
        .iter()
        .filter(|(name, _)| !context.pipelines.all.contains_key(*name))
        .flat_map(|(name, ids)| ids.id.iter().map(|id| (name.clone(), id.span.clone())))
        .collect();
    for (name, span) in unknown {
        let remedy =
            context.report.suggest(&name, context.pipelines.names(), &format!("add `[pipelines.{name}]`"));
        context.report.error("unknown-pipeline", &span, format!("there is no pipeline `{name}`"), remedy);
    }
}

fn read_pipeline(
    name: &At<String>,
    mut table: Table<'_>,
    given: Given<'_>,
    context: &mut Context,
) -> Option<Pipeline> {
    let report = &mut context.report;
    let object = table.require_text("object", report);
    let id = table.text("id", report);
    let label = table.text("label", report);
    let stages = table.require("stages", report);
    let mut stages = stages.map(|node| entries("`stages`", node, report)).unwrap_or_default();
    if let Some((first, _)) = stages.get(STAGES_MAX) {
        let reason = format!("a pipeline has at most {STAGES_MAX} stages");
        report.error("too-many", &first.span, reason, "leave out what nobody uses");
        stages.truncate(STAGES_MAX);
    }
    table.finish(report);
    let object = object_name(&object?.value).to_owned();
    let ids = context.environment.pipelines.remove(&name.value).unwrap_or_default();
    let known = given.portal.pipelines;
    let of_object: Option<Vec<&portal::Pipeline>> =
        known.map(|all| all.iter().filter(|pipeline| object_name(&pipeline.object) == object).collect());
    let found = of_object.as_ref().map(|all| {
        all.iter().map(|pipeline| (pipeline.id.as_str(), pipeline.label.as_str())).collect::<Vec<_>>()
    });
    let named = Named { here: ids.id.as_ref(), id, label, span: &name.span };
    let what = format!("pipeline `{}`", name.value);
    let id = named.settle(&what, found.as_deref(), given.final_ids, context);
    let there = of_object.and_then(|all| all.into_iter().find(|there| Some(&there.id) == id.as_ref()));
    let stages = read_stages(name, stages, &ids, there, given.final_ids, context);
    for (stage, id) in
        ids.stages.iter().filter(|(stage, _)| !stages.iter().any(|known| known.name == **stage))
    {
        let known: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        context.report.error(
            "unknown-stage",
            &id.span,
            format!("the pipeline `{}` has no stage `{stage}`", name.value),
            context.report.suggest(stage, known, "add it to the pipeline's `stages`"),
        );
    }
    Some(Pipeline { object, id, stages, span: name.span.clone() })
}

fn read_stages(
    pipeline: &At<String>,
    stages: Vec<(At<String>, Node<'_>)>,
    ids: &PipelineIds,
    there: Option<&portal::Pipeline>,
    final_ids: bool,
    context: &mut Context,
) -> Vec<Stage> {
    let found = there.map(|there| {
        there.stages.iter().map(|stage| (stage.id.as_str(), stage.label.as_str())).collect::<Vec<_>>()
    });
    let mut done = Vec::new();
    for (name, node) in stages {
        let (id, label) = match node.get_ref() {
            DeValue::String(_) => (text(node, &mut context.report), None),
            DeValue::Table(_) => {
                let Some(mut table) = Table::of("a stage", node, &mut context.report) else { continue };
                let id = table.text("id", &mut context.report);
                let label = table.text("label", &mut context.report);
                table.finish(&mut context.report);
                (id, label)
            }
            _ => {
                wrong_type(node, "a stage's id, or { label = … }", &mut context.report);
                continue;
            }
        };
        let shown = label.as_ref().map_or_else(|| name.value.clone(), |label| label.value.clone());
        let named = Named { here: ids.stages.get(&name.value), id, label, span: &name.span };
        let what = format!("stage `{}` of the pipeline `{}`", name.value, pipeline.value);
        let id = named.settle(&what, found.as_deref(), final_ids, context);
        done.push(Stage { name: name.value, id, label: shown });
    }
    done
}

impl Named<'_> {
    /// The id in the chosen environment: as that says, else as the file says, else by the label in the portal.
    fn settle(
        self,
        what: &str,
        portal: Option<&[(&str, &str)]>,
        final_ids: bool,
        context: &mut Context,
    ) -> Option<String> {
        let said = self.here.or(self.id.as_ref());
        if let Some(id) = said {
            if self.here.is_none()
                && let Some(other) = context.environment.foreign.get(&id.value)
            {
                let (reason, remedy) = foreign(&id.value, other);
                context.report.error("wrong-environment", &id.span, reason, remedy);
                return None;
            }
            if let Some(known) = portal.filter(|known| !known.iter().any(|(there, _)| *there == id.value)) {
                context.report.error(
                    "unresolved-id",
                    &id.span,
                    format!("the portal has nothing with the id `{}` for the {what}", id.value),
                    list("name one that it has", known),
                );
                return None;
            }
            return Some(id.value.clone());
        }
        let (label, span) = match &self.label {
            Some(label) => (Some(label.value.trim().to_lowercase()), &label.span),
            None => (None, self.span),
        };
        match (label, portal) {
            (Some(label), Some(known)) => {
                let found = known.iter().find(|(_, there)| there.trim().to_lowercase() == label);
                if found.is_none() {
                    context.report.error(
                        "unresolved-id",
                        span,
                        format!("the portal has no {what} with this label"),
                        list("correct the label, or make it in HubSpot", known),
                    );
                }
                found.map(|(id, _)| (*id).to_owned())
            }
            (label, _) => {
                // Ids by label or by environment are settled by the check that knows the portal.
                if final_ids || (label.is_none() && !context.environment.undecided) {
                    context.report.error(
                        "unresolved-id",
                        span,
                        format!("the id of the {what} is not known"),
                        "give its `id`, or its `label` and the portal's pipelines, or choose an environment that has it",
                    );
                }
                None
            }
        }
    }
}

/// Why an id of another environment is refused, and what to do.
pub(crate) fn foreign(id: &str, environment: &str) -> (String, String) {
    (
        format!(
            "`{id}` is an id of the environment `{environment}`, and means nothing or something else here"
        ),
        String::from("name a pipeline, stage or owner of the file, and give its id for each environment"),
    )
}

fn list(otherwise: &str, known: &[(&str, &str)]) -> String {
    let shown: Vec<String> = known.iter().take(12).map(|(id, label)| format!("`{id}` ({label})")).collect();
    if shown.is_empty() {
        otherwise.to_owned()
    } else {
        format!("{otherwise}; there is {}", shown.join(", "))
    }
}
