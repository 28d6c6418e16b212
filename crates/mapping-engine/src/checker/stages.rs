//! Stages belong to pipelines, and HubSpot refuses a stage of another one.

use sync_types::{MappedProperty, Value};

use crate::format::{Context, LinkDoc, SourceDoc};
use crate::plan::{FieldPlan, SourcePlan};
use crate::step::Step;

/// The properties for a pipeline and its stage. HubSpot docs: deals have names of their own, all others these.
fn names(object: &str) -> (&'static str, &'static str) {
    match object {
        "deals" => ("pipeline", "dealstage"),
        _ => ("hs_pipeline", "hs_pipeline_stage"),
    }
}

pub(super) fn check_stages(
    link: &LinkDoc,
    fields: &[FieldPlan],
    properties: &[MappedProperty],
    context: &mut Context,
) {
    let (pipeline, stage) = names(&link.object.value);
    let written = |name: &str| {
        let place = properties.iter().position(|property| property.name.as_str() == name)?;
        properties.get(place).filter(|property| property.direction.to_right())?;
        Some((link.fields.get(place)?, fields.get(place)?))
    };
    let Some((doc, _)) = written(stage) else { return };
    let Some((_, plan)) = written(pipeline) else {
        context.report.warning(
            "stage-without-pipeline",
            &doc.to.span,
            format!(
                "`{stage}` is written without `{pipeline}`, so the stage must be one of the default pipeline"
            ),
            format!("add a field for `{pipeline}`: stages belong to pipelines"),
        );
        return;
    };
    let SourcePlan::Constant(Value::Text(id)) = &plan.source else { return };
    let Some((name, known)) = context.pipelines.by_id(id) else { return };
    if known.object != link.object.value {
        let reason =
            format!("the pipeline `{name}` is one of `{}`, not of `{}`", known.object, link.object.value);
        context.report.error(
            "wrong-pipeline",
            &doc.to.span,
            reason,
            "name a pipeline of the link's object type",
        );
        return;
    }
    let mut stages: Vec<&str> = Vec::new();
    let mut span = &doc.to.span;
    match &doc.source {
        SourceDoc::Named(name, Some(id)) => {
            stages.push(id);
            span = &name.span;
        }
        SourceDoc::Constant(value) => stages.extend(value.value.as_text()),
        _ => {}
    }
    for step in &doc.chain {
        if let Step::Picklist(table) = &step.value {
            stages.extend(table.options.iter().map(|(option, _)| option.as_str()));
            span = &step.span;
        }
    }
    // A pipeline of which a stage has no id yet cannot be judged.
    if known.stages.iter().any(|stage| stage.id.is_none()) {
        return;
    }
    stages.retain(|stage| !known.stages.iter().any(|known| known.id.as_deref() == Some(*stage)));
    if !stages.is_empty() {
        let reason =
            format!("`{}` is no stage of the pipeline `{name}`, which the link writes", stages.join("`, `"));
        context.report.error(
            "wrong-pipeline",
            span,
            reason,
            "use stages of the pipeline that the link writes, or write the other pipeline",
        );
    }
}
