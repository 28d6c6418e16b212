//! Fields against both sides' schemas.

use std::collections::HashSet;

use sync_types::{Direction, Property, PropertyKind, Schema, Value};

use super::link::{Sides, compile_path};
use super::names::check_internal_name;
use super::required::Wanted;
use super::scope::compile_expression;
use crate::document::At;
use crate::flow::{Flow, Ty};
use crate::format::pipeline::foreign;
use crate::format::{Context, FieldDoc, LinkDoc, SourceDoc, TemplatePart, WhenEmpty};
use crate::path::Paths;
use crate::plan::{EmptyPlan, FieldPlan, SourcePlan, TemplatePlan};
use crate::property::{Form, Limits, TEXT_CHARS_MAX, converter, kind_name};
use crate::step::Step;

pub(super) fn compile_field(
    field: &FieldDoc,
    link: &LinkDoc,
    direction: Direction,
    sides: Sides<'_>,
    paths: &mut Paths,
    wanted: &mut Wanted,
    context: &mut Context,
) -> (FieldPlan, Ty) {
    let (source, start) = compile_source(field, sides.source, paths, context);
    let given = check_chain(&field.chain, start, context);
    let property = find_property(field, link, direction, sides.hubspot, context);
    let kind = settle_kind(field, given, property, context);
    let options = wanted.property(link, field, kind, context);
    check_source_options(field, sides.source, context);
    check_environment(field, context);
    check_target_options(field, property, context);
    let form = Form::of(&link.object.value.as_str().into(), &field.to.value, kind);
    let limits = Limits {
        kind,
        form,
        length_max: property.and_then(|property| property.length_max).unwrap_or(TEXT_CHARS_MAX),
        options: known_options(field, kind, property.filter(|_| !context.in_part), &options),
    };
    let when_empty = match &field.when_empty {
        WhenEmpty::Clear => EmptyPlan::Clear,
        WhenEmpty::Ignore => EmptyPlan::Ignore,
        WhenEmpty::Default(value) => match limits.admit(Flow::borrowed(&value.value)) {
            Ok(value) => EmptyPlan::Default(value),
            Err(failure) => {
                let reason = format!("`{}` cannot hold this default: {}", field.to.value, failure.reason);
                context.report.error(
                    "bad-default",
                    &value.span,
                    reason,
                    "give a default that the property holds",
                );
                EmptyPlan::Clear
            }
        },
    };
    // The id of a pipeline or stage that is not known yet is never written as an empty one.
    let unsettled = matches!(&field.source, SourceDoc::Named(_, None));
    let plan = FieldPlan {
        property: field.to.value.clone(),
        source,
        steps: bind_chain(&field.chain, sides.source, paths, context),
        when_empty,
        on_bad: field.on_bad,
        required: field.required || unsettled,
        limits,
        back: None,
    };
    (plan, start)
}

fn compile_source(
    field: &FieldDoc,
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> (SourcePlan, Ty) {
    let mut all = |names: &[At<String>], context: &mut Context| {
        let found: Vec<(usize, Ty)> =
            names.iter().map(|path| compile_path(path, source, paths, context)).collect();
        let kind = match found.split_first() {
            Some(((_, first), rest)) if rest.iter().all(|(_, kind)| kind == first) => *first,
            _ => Ty::Any,
        };
        (found.into_iter().map(|(path, _)| path).collect::<Vec<usize>>(), kind)
    };
    match &field.source {
        SourceDoc::Paths(names) => {
            let (paths, kind) = all(names, context);
            (SourcePlan::First(paths), kind)
        }
        SourceDoc::Concat(names, separator) => {
            (SourcePlan::Concat(all(names, context).0, separator.clone()), Ty::Text)
        }
        SourceDoc::Template(template, parts) => {
            let parts = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Text(text) => TemplatePlan::Text(text.clone()),
                    TemplatePart::Path(path) => {
                        let path = At { value: path.clone(), span: template.span.clone() };
                        TemplatePlan::Path(compile_path(&path, source, paths, context).0)
                    }
                })
                .collect();
            (SourcePlan::Template(parts), Ty::Text)
        }
        SourceDoc::Constant(value) => (SourcePlan::Constant(value.value.clone()), Ty::of_value(&value.value)),
        SourceDoc::Named(_, id) => {
            let value = id.as_deref().map_or(Value::Null, Value::text);
            (SourcePlan::Constant(value), Ty::Text)
        }
        SourceDoc::Expression(text) => match compile_expression(text, false, source, paths, context) {
            Some(computed) => {
                let kind = computed.expression.kind();
                (SourcePlan::Expression(computed), kind)
            }
            None => (SourcePlan::Constant(Value::Null), Ty::Any),
        },
    }
}

/// The paths that a field names, with their places. Expressions name theirs only when they are compiled.
pub(super) fn reads(field: &FieldDoc) -> Vec<At<String>> {
    match &field.source {
        SourceDoc::Paths(paths) | SourceDoc::Concat(paths, _) => paths.clone(),
        SourceDoc::Template(template, parts) => parts
            .iter()
            .filter_map(|part| match part {
                TemplatePart::Path(path) => Some(At { value: path.clone(), span: template.span.clone() }),
                TemplatePart::Text(_) => None,
            })
            .collect(),
        SourceDoc::Constant(_) | SourceDoc::Expression(_) | SourceDoc::Named(..) => Vec::new(),
    }
}

/// A chain whose steps know the places of the other paths that they read.
pub(super) fn bind_chain(
    chain: &[At<Step>],
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> Vec<Step> {
    let bind = |step: &At<Step>| {
        let mut bound = step.value.clone();
        bound.bind(|path| {
            let path = At { value: path.to_owned(), span: step.span.clone() };
            compile_path(&path, source, paths, context).0
        });
        bound
    };
    chain.iter().map(bind).collect()
}

/// What a chain gives, as far as it is known; tells the first step that cannot take what it gets.
pub(super) fn check_chain(chain: &[At<Step>], start: Ty, context: &mut Context) -> Ty {
    let mut kind = start;
    for step in chain {
        match step.value.gives(kind) {
            Ok(given) => kind = given,
            Err(takes) => {
                context.report.error(
                    "type-mismatch",
                    &step.span,
                    format!("`{}` takes {}, but it gets {}", step.value.name(), takes.name(), kind.name()),
                    format!("put {} before it, or move it", converter(takes.natural_kind())),
                );
                return Ty::Any;
            }
        }
    }
    kind
}

fn find_property<'a>(
    field: &FieldDoc,
    link: &LinkDoc,
    direction: Direction,
    schema: Option<&'a Schema>,
    context: &mut Context,
) -> Option<&'a Property> {
    if field.create.is_some() {
        check_internal_name(&field.to, context);
    }
    let found = schema.and_then(|schema| schema.property(&field.to.value));
    if direction.to_right()
        && found
            .map_or_else(|| is_set_by_hubspot(&link.object.value, &field.to.value), |found| found.read_only)
    {
        context.report.error(
            "read-only-property",
            &field.to.span,
            format!("HubSpot sets `{}` itself and refuses writes to it", field.to.value),
            if link.direction == Direction::ToRight {
                "map the value to another property"
            } else {
                "map the value to another property, or give the field `direction = \"from-hubspot\"`"
            },
        );
        return found;
    }
    let schema = schema?;
    match found {
        None if field.create.is_none() && !context.in_part => {
            let remedy = context.report.suggest(
                &field.to.value,
                schema
                    .properties
                    .iter()
                    .filter(|property| !property.read_only)
                    .map(|property| property.name.as_str()),
                "name one that exists",
            );
            context.report.error(
                "unknown-property",
                &field.to.span,
                format!("`{}` has no property `{}` in HubSpot", schema.name, field.to.value),
                format!("{remedy}, or let `init` make it with `create = {{ label = \"…\" }}`"),
            );
        }
        _ => {}
    }
    found
}

/// Properties that HubSpot keeps itself, whatever is known of the portal. HubSpot docs: the opt-out properties
/// mirror subscription statuses, and the marketing status cannot be set by API.
fn is_set_by_hubspot(object: &str, name: &str) -> bool {
    match name {
        // Of other types the portal tells.
        "createdate" => matches!(object, "contacts" | "companies"),
        "hs_createdate"
        | "hs_lastmodifieddate"
        | "hs_marketable_status"
        | "hs_object_id"
        | "lastmodifieddate"
        | "num_associated_contacts" => true,
        _ => name.starts_with("hs_email_optout"),
    }
}

/// What the property's values are: by the file, else by HubSpot, else by what the chain gives.
fn settle_kind(
    field: &FieldDoc,
    given: Ty,
    property: Option<&Property>,
    context: &mut Context,
) -> PropertyKind {
    let picklist_last = matches!(field.chain.last(), Some(At { value: Step::Picklist(_), .. }));
    let named = matches!(field.source, SourceDoc::Named(..)) && field.chain.is_empty();
    let natural = match given {
        Ty::Text | Ty::Any if named || picklist_last => PropertyKind::Option,
        given => given.natural_kind(),
    };
    let kind = match (&field.kind, property) {
        (Some(kind), Some(property)) if kind.value != property.kind => {
            context.report.error(
                "type-mismatch",
                &kind.span,
                format!("in HubSpot `{}` holds {}", field.to.value, kind_name(property.kind)),
                "remove `kind`, or map to another property",
            );
            property.kind
        }
        (Some(kind), _) => kind.value,
        (None, Some(property)) => property.kind,
        (None, None) => natural,
    };
    if !given.fits(kind) {
        context.report.error(
            "type-mismatch",
            &field.to.span,
            format!("`{}` holds {}, but the field gives {}", field.to.value, kind_name(kind), given.name()),
            format!("add {} to `transform`", converter(kind)),
        );
    }
    kind
}

/// A table has to cover the source's own options, as far as they are known.
fn check_source_options(field: &FieldDoc, source: Option<&Schema>, context: &mut Context) {
    let (Some(schema), SourceDoc::Paths(paths), Some(first)) = (source, &field.source, field.chain.first())
    else {
        return;
    };
    let Step::Picklist(table) = &first.value else { return };
    let options =
        paths.iter().filter_map(|path| schema.property(&path.value)).flat_map(|property| &property.options);
    let missing: Vec<&str> =
        options.filter(|option| table.find(option).is_none()).map(String::as_str).collect();
    if !missing.is_empty() {
        context.report.error(
            "picklist-not-total",
            &first.span,
            format!("the picklist `{}` has nothing for `{}` of the source", table.name, missing.join("`, `")),
            format!("add them to `[picklists.{}.map]`, or give the table a `default`", table.name),
        );
    }
}

/// Ids that belong to a portal, and stand in the file for another one.
fn check_environment(field: &FieldDoc, context: &mut Context) {
    let mut found = Vec::new();
    if let (SourceDoc::Constant(value), []) = (&field.source, field.chain.as_slice())
        && let Some(other) =
            value.value.as_text().and_then(|text| Some((text, context.environment.foreign.get(text)?)))
    {
        found.push((value.span.clone(), foreign(other.0, other.1)));
    }
    for step in &field.chain {
        let Step::Picklist(table) = &step.value else { continue };
        for (option, _) in &table.options {
            if let Some(other) = context.environment.foreign.get(option) {
                found.push((step.span.clone(), foreign(option, other)));
            }
        }
    }
    for (span, (reason, remedy)) in found {
        context.report.error("wrong-environment", &span, reason, remedy);
    }
}

/// What a table gives has to be an option in HubSpot, unless `init` adds it.
fn check_target_options(field: &FieldDoc, property: Option<&Property>, context: &mut Context) {
    let Some(property) = property else { return };
    if property.options.is_empty() || field.create.is_some() {
        return;
    }
    let options: HashSet<&str> = property.options.iter().map(String::as_str).collect();
    let known = |option: &str| options.contains(option);
    let mut tell = |span: &crate::problem::Span, what: String, wrong: &str| {
        let known = property.options.iter().map(String::as_str);
        let remedy = context.report.suggest(wrong, known, "add it in HubSpot");
        let of = format!("{what} `{wrong}`, which is no option of `{}`", field.to.value);
        if context.in_part {
            context.report.warning("unknown-option", span, format!("{of} that HubSpot brings along"), remedy);
        } else {
            context.report.error("unknown-option", span, format!("{of} in HubSpot"), remedy);
        }
    };
    if let Some(At { value: Step::Picklist(table), span }) = field.chain.last() {
        for (option, _) in table.options.iter().filter(|(option, _)| !known(option)) {
            tell(span, format!("the picklist `{}` gives", table.name), option);
        }
    }
    match (&field.source, field.chain.as_slice()) {
        (SourceDoc::Constant(value), []) => {
            if let Some(text) = value.value.as_text().filter(|text| !known(text)) {
                tell(&value.span, String::from("the field always writes"), text);
            }
        }
        (SourceDoc::Named(name, Some(id)), []) if !known(id) => {
            tell(&name.span, format!("`{}` has the id", name.value), id);
        }
        _ => {}
    }
}

/// The options that a value is held against before it is sent.
fn known_options(
    field: &FieldDoc,
    kind: PropertyKind,
    property: Option<&Property>,
    made: &[sync_types::OptionSpec],
) -> Option<HashSet<Box<str>>> {
    if !matches!(kind, PropertyKind::Option | PropertyKind::Options) {
        return None;
    }
    let there = property.map(|property| property.options.as_slice()).unwrap_or_default();
    // HubSpot lists no options for properties that take owners; then nothing is known.
    if there.is_empty() && (field.create.is_none() || made.is_empty()) {
        return None;
    }
    let made = made.iter().map(|option| option.value.as_str());
    Some(there.iter().map(String::as_str).chain(made).map(Into::into).collect())
}
