//! Who wins, which way a value may move, and what a record cannot be made without.

use std::collections::HashSet;

use sync_types::{Conflict, Direction, MappedProperty, PropertyKind, Value};

use super::field::reads;
use super::link::{Sides, says};
use crate::flow::Flow;
use crate::format::{Context, Creates, FieldDoc, LinkDoc, SourceDoc, WhenEmpty};
use crate::plan::FieldPlan;
use crate::step::{Step, scalar_text};

/// Who wins when both sides have changed a property: as the field says, else as its link says, else a person.
pub(super) fn conflict(
    field: &FieldDoc,
    link: &LinkDoc,
    direction: Direction,
    context: &mut Context,
) -> Conflict {
    let owner = match direction {
        Direction::ToRight => Conflict::Left,
        Direction::ToLeft => Conflict::Right,
        Direction::Both => {
            let said = field.conflict.as_ref().or(link.conflict.as_ref());
            return said.map_or(Conflict::Ask, |said| said.value);
        }
    };
    if let Some(said) = field.conflict.as_ref().filter(|_| field.consent.is_none()) {
        context.report.error(
            "bad-conflict",
            &said.span,
            format!("the field goes {} only, so both sides cannot disagree", says(direction)),
            "remove `conflict`, or let the field go both ways",
        );
    }
    owner
}

/// The values of a property from first to last, in canonical form.
pub(super) fn order(
    field: &FieldDoc,
    link: &LinkDoc,
    conflict: Conflict,
    direction: Direction,
    plan: &FieldPlan,
    context: &mut Context,
) -> Vec<Value> {
    let mut order = Vec::new();
    for item in &field.order {
        match plan.limits.admit(Flow::borrowed(&item.value)) {
            Ok(value) if order.contains(&value) => context.report.error(
                "bad-order",
                &item.span,
                "this value stands in the order twice",
                "let each value stand once, first to last",
            ),
            Ok(value) => order.push(value),
            Err(failure) => context.report.error(
                "bad-order",
                &item.span,
                format!("`{}` cannot hold this value: {}", field.to.value, failure.reason),
                "list values that the property can hold, first to last",
            ),
        }
    }
    let used = field.ratchet || conflict == Conflict::Furthest;
    if let Some(first) = field.order.first().filter(|_| !used) {
        context.report.error(
            "bad-order",
            &first.span,
            "nothing asks for this order",
            "add `ratchet = true` or `conflict = \"furthest\"`, or remove it",
        );
    }
    let ordered =
        matches!(plan.limits.kind, PropertyKind::Number | PropertyKind::Date | PropertyKind::DateTime);
    if used && field.order.is_empty() && !ordered {
        context.report.error(
            "bad-order",
            &field.to.span,
            format!("nobody can tell which value of `{}` is further on", field.to.value),
            "list its values, first to last: `order = [\"lead\", \"customer\"]`",
        );
    } else if used && !order.is_empty() {
        check_covered(field, &order, context);
    }
    check_moves(field, link, direction, context);
    order
}

/// Every value that the field itself can give has a place in the order.
fn check_covered(field: &FieldDoc, order: &[Value], context: &mut Context) {
    let texts: HashSet<String> =
        order.iter().filter_map(|value| scalar_text(value).map(|text| text.into_owned())).collect();
    let mut missing: Vec<&str> = match field.chain.last().map(|step| &step.value) {
        Some(Step::Picklist(table)) => table.options.iter().map(|(option, _)| option.as_str()).collect(),
        _ => Vec::new(),
    };
    match &field.source {
        SourceDoc::Constant(value) => missing.extend(value.value.as_text()),
        SourceDoc::Named(_, Some(id)) => missing.push(id),
        _ => {}
    }
    missing.retain(|text| !texts.contains(*text));
    if !missing.is_empty() {
        context.report.error(
            "bad-order",
            &field.to.span,
            format!("the field can give `{}`, which has no place in its order", missing.join("`, `")),
            "list every value that the field gives",
        );
    }
}

/// Moves that HubSpot refuses, or takes for something else.
fn check_moves(field: &FieldDoc, link: &LinkDoc, direction: Direction, context: &mut Context) {
    if !direction.to_right() {
        return;
    }
    let people = matches!(link.object.value.as_str(), "contacts" | "companies");
    if people && field.to.value == "lifecyclestage" && !field.ratchet {
        context.report.error(
            "moves-back",
            &field.to.span,
            "HubSpot moves `lifecyclestage` forward only, and a step back would be refused or lost",
            "add `ratchet = true` and its `order`, and `when_empty = \"ignore\"`",
        );
    }
    let clears = matches!(field.when_empty, WhenEmpty::Clear) && !field.required;
    let fixed = matches!(field.source, SourceDoc::Constant(_) | SourceDoc::Named(..));
    if field.ratchet && clears && !fixed {
        context.report.error(
            "moves-back",
            &field.to.span,
            format!("an empty value would clear `{}`, which only ever moves forward", field.to.value),
            "add `when_empty = \"ignore\"`",
        );
    }
}

/// What either side cannot make a record without.
pub(super) fn check_required(
    link: &LinkDoc,
    creates: Creates,
    properties: &[MappedProperty],
    sides: Sides<'_>,
    context: &mut Context,
) {
    if !link.whole {
        return;
    }
    if let Some(schema) = sides.hubspot.filter(|_| creates.hubspot) {
        for wanted in schema.properties.iter().filter(|property| property.required && !property.read_only) {
            let name = wanted.name.as_str();
            let key = link.sync_key.as_ref().is_some_and(|key| key.value == name);
            let written = properties
                .iter()
                .any(|property| property.name == wanted.name && property.direction.to_right());
            if !key && !written {
                context.report.error(
                    "missing-required",
                    &link.name.span,
                    format!("HubSpot makes no `{}` without `{name}`, which no field writes", schema.name),
                    "map it, or let the link make no records with `creates`",
                );
            }
        }
    }
    if let Some(schema) = sides.source.filter(|_| creates.source) {
        let coming = link.fields.iter().zip(properties).filter(|(_, property)| property.direction.to_left());
        let columns: HashSet<String> =
            coming.flat_map(|(field, _)| reads(field)).map(|path| path.value).collect();
        for wanted in schema.properties.iter().filter(|property| property.required && !property.read_only) {
            if !columns.contains(wanted.name.as_str()) {
                context.report.error(
                    "missing-required",
                    &link.name.span,
                    format!(
                        "the source makes no `{}` without `{}`, which no field brings from HubSpot",
                        schema.name, wanted.name
                    ),
                    "map it both ways, or let the link make no records in the source with `creates`",
                );
            }
        }
    }
}
