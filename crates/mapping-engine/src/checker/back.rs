//! Fields that come from HubSpot: each needs a way back, and the laws are tried on it before it runs.

use std::collections::{HashMap, HashSet};

use sync_types::{MappedProperty, Record, Schema};

use super::field::reads;
use super::link::Sides;
use crate::document::At;
use crate::flow::Ty;
use crate::format::{Context, FieldDoc, LinkDoc};
use crate::inverse::{self, Reason};
use crate::laws;
use crate::plan::LinkPlan;
use crate::step::Step;

/// Compiles and tries the way back of every field that has one to have.
pub(super) fn compile_backs(
    link: &LinkDoc,
    plan: &mut LinkPlan,
    starts: &[Ty],
    properties: &[MappedProperty],
    sides: Sides<'_>,
    samples: &[Record],
    context: &mut Context,
) {
    check_columns(link, properties, context);
    let mut backs = Vec::with_capacity(plan.fields.len());
    for (place, doc) in link.fields.iter().enumerate() {
        backs.push(None);
        let (Some(field), Some(start), Some(property)) =
            (plan.fields.get(place), starts.get(place), properties.get(place))
        else {
            continue;
        };
        if !property.direction.to_left() {
            continue;
        }
        if let Some(schema) = sides.source {
            reads(doc).iter().for_each(|path| check_writable(path, schema, context));
        }
        let back = match inverse::compile(field, *start) {
            Ok(back) => back,
            Err(reason) => {
                tell(doc, &reason, context);
                continue;
            }
        };
        let known = sides.hubspot.filter(|_| !context.in_part);
        let known = known.and_then(|schema| schema.property(&field.property));
        let made: Vec<String>;
        let options = match known {
            Some(known) => known.options.as_slice(),
            None => {
                made = field.limits.options.iter().flatten().map(|option| option.to_string()).collect();
                &made
            }
        };
        let uncovered = uncovered(doc, options);
        if !uncovered.is_empty() {
            let span = doc.chain.first().map_or(&doc.to.span, |step| &step.span);
            context.report.error(
                "picklist-not-total",
                span,
                format!(
                    "HubSpot has the options `{}`, for which the table has no word of the source",
                    uncovered.join("`, `")
                ),
                "add a word for each to the picklist's `map`, or let the field go to HubSpot only",
            );
            continue;
        }
        if let Err(found) = laws::prove(plan, field, &back, options, samples) {
            let span = doc.chain.first().map_or(&doc.to.span, |step| &step.span);
            context.report.error(
                "no-round-trip",
                span,
                format!("`{}` does not come back as it was: {found}", doc.to.value),
                "change the transforms so that every value comes back, or let the field go one way",
            );
            continue;
        }
        if let Some(slot) = backs.last_mut() {
            *slot = Some(back);
        }
    }
    for (field, back) in plan.fields.iter_mut().zip(backs) {
        field.back = back;
    }
}

/// A column that two properties were brought back to would have the value of whichever came last.
fn check_columns(link: &LinkDoc, properties: &[MappedProperty], context: &mut Context) {
    let mut owners: HashMap<String, &str> = HashMap::new();
    let coming = link.fields.iter().zip(properties).filter(|(_, property)| property.direction.to_left());
    for (path, to) in coming.flat_map(|(doc, _)| reads(doc).into_iter().map(|path| (path, &doc.to))) {
        match owners.insert(path.value.clone(), &to.value) {
            Some(other) if other != to.value => context.report.error(
                "duplicate-target",
                &path.span,
                format!("`{}` comes back from `{other}` and from `{}`", path.value, to.value),
                "let one of the two go to HubSpot only: `direction = \"to-hubspot\"`",
            ),
            _ => {}
        }
    }
}

/// Options of HubSpot that a field's only table never gives.
fn uncovered(doc: &FieldDoc, options: &[String]) -> Vec<String> {
    let Some(At { value: Step::Picklist(table), .. }) = doc.chain.last() else { return Vec::new() };
    let given: HashSet<&str> = table.options.iter().map(|(option, _)| option.as_str()).collect();
    options.iter().filter(|option| !given.contains(option.as_str())).cloned().collect()
}

/// A column that is to be written must be one that can be.
pub(super) fn check_writable(path: &At<String>, schema: &Schema, context: &mut Context) {
    let column = path.value.split('.').next().unwrap_or_default();
    let found = schema.property(&path.value).or_else(|| schema.property(column));
    if found.is_some_and(|found| found.read_only) {
        context.report.error(
            "read-only-column",
            &path.span,
            format!("the column `{}` of `{}` cannot be written", path.value, schema.name),
            "let the value go to HubSpot only: `direction = \"to-hubspot\"`",
        );
    }
}

fn tell(doc: &FieldDoc, why: &Reason, context: &mut Context) {
    let step = why.step.and_then(|step| doc.chain.get(step));
    let remedy = match step.map(|step| &step.value) {
        Some(Step::Picklist(table)) if table.default.is_none() => format!(
            "say in `[picklists.{}]` which of the words is written back, with `back = {{ OPTION = \"WORD\" }}`",
            table.name
        ),
        _ => why.remedy.to_string(),
    };
    context.report.error(
        "not-two-way",
        step.map_or(&doc.to.span, |step| &step.span),
        format!("the value of `{}` cannot come back from HubSpot: {}", doc.to.value, why.reason),
        format!("{remedy}; or let the field go one way: `direction = \"to-hubspot\"`"),
    );
}
