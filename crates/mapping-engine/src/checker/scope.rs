//! Scopes of both sides: conditions and expressions against what they read.

use sync_types::{PropertyName, Schema};

use super::link::compile_path;
use crate::document::At;
use crate::expr::{ExprProblem, Expression};
use crate::flow::Ty;
use crate::format::{ConditionDoc, Context, LinkDoc, ScopeDoc};
use crate::path::Paths;
use crate::plan::{Computed, Condition, FieldPlan};
use crate::right::RightScope;

pub(super) fn compile_scope(
    scope: &ScopeDoc,
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> Vec<Condition> {
    match scope {
        ScopeDoc::Conditions(conditions) => compile_conditions(conditions, source, paths, context),
        ScopeDoc::Expression(text) => compile_expression(text, true, source, paths, context)
            .map(Condition::Expression)
            .into_iter()
            .collect(),
    }
}

/// An expression over source paths: one that gives true or false, or any value.
pub(super) fn compile_expression(
    text: &At<String>,
    condition: bool,
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> Option<Computed> {
    // Of columns that only samples lack, the path itself is warned about.
    let unknown = context.inferred.then_some(Ty::Any);
    let kind_of = |path: &str| source.map_or(Some(Ty::Any), |schema| source_kind(path, schema)).or(unknown);
    let columns =
        || source.map(|schema| schema.properties.iter().map(|column| column.name.as_str()).collect());
    let expression = compile_text(text, condition, &kind_of, columns().unwrap_or_default(), context)?;
    let paths = expression
        .reads()
        .iter()
        .map(|path| {
            let path = At { value: path.clone(), span: text.span.clone() };
            compile_path(&path, source, paths, context).0
        })
        .collect();
    Some(Computed { expression, paths })
}

fn compile_text(
    text: &At<String>,
    condition: bool,
    kind_of: &dyn Fn(&str) -> Option<Ty>,
    known: Vec<&str>,
    context: &mut Context,
) -> Option<Expression> {
    let compiled = match condition {
        true => Expression::compile_condition(&text.value, kind_of),
        false => Expression::compile(&text.value, kind_of),
    };
    match compiled {
        Ok(expression) => Some(expression),
        Err(problem) => {
            let ExprProblem { span, reason, mut remedy } = problem;
            let wrong = text.value.get(span.clone()).unwrap_or_default();
            if let Some(near) = crate::problem::nearest(wrong, known) {
                remedy = format!("did you mean `{near}`?");
            }
            context.report.error("bad-expression", &inside(text, span), reason, remedy);
            None
        }
    }
}

/// A place inside a text of the file. Where the text is written with escapes, the whole text.
fn inside(text: &At<String>, span: crate::problem::Span) -> crate::problem::Span {
    let quotes = text.span.len().saturating_sub(text.value.len());
    if quotes == 2 && !span.is_empty() {
        let start = text.span.start + 1;
        return start + span.start..start + span.end;
    }
    text.span.clone()
}

/// What a path of the source holds; [`None`] where it leads nowhere.
pub(super) fn source_kind(path: &str, schema: &Schema) -> Option<Ty> {
    if let Some(property) = schema.property(path) {
        return Some(Ty::of_source(property.kind));
    }
    let mut head = path;
    while let Some((shorter, _)) = head.rsplit_once('.') {
        head = shorter;
        if schema.property(head).is_some() {
            return Some(Ty::Any);
        }
    }
    None
}

fn compile_conditions(
    conditions: &[ConditionDoc],
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> Vec<Condition> {
    conditions
        .iter()
        .map(|condition| {
            let (path, _) = compile_path(&condition.path, source, paths, context);
            Condition::Field { path, test: condition.test.clone() }
        })
        .collect()
}

/// A scope over HubSpot's records, and the properties that it reads beside the link's own.
pub(super) fn compile_right(
    link: &LinkDoc,
    hubspot: Option<&Schema>,
    fields: &[FieldPlan],
    context: &mut Context,
) -> (RightScope, Vec<PropertyName>) {
    let mut reads: Vec<PropertyName> = Vec::new();
    let mut right = RightScope::default();
    match &link.hubspot_scope {
        ScopeDoc::Conditions(conditions) => {
            for condition in conditions {
                let place = right_place(&condition.path, hubspot, fields, &mut reads, context);
                right.conditions.push((place, condition.test.clone()));
            }
        }
        ScopeDoc::Expression(text) => {
            // Names of conditions were given those of the environment before; an expression is not rewritten.
            let here = context.environment.names_here(&link.object.value);
            let renamed = |name: &str| here.get(name).map_or_else(|| name.to_owned(), Clone::clone);
            let unknown = context.in_part.then_some(Ty::Any);
            let kind_of = |name: &str| match hubspot {
                None => Some(Ty::Any),
                Some(schema) => {
                    let property = schema.property(&renamed(name));
                    property.map(|property| Ty::of_source(property.kind)).or(unknown)
                }
            };
            let known =
                hubspot.map(|schema| schema.properties.iter().map(|known| known.name.as_str()).collect());
            if let Some(expression) = compile_text(text, true, &kind_of, known.unwrap_or_default(), context) {
                let places = expression
                    .reads()
                    .iter()
                    .map(|name| {
                        let name = At { value: renamed(name), span: text.span.clone() };
                        right_place(&name, hubspot, fields, &mut reads, context)
                    })
                    .collect();
                right.expression = Some((expression, places));
            }
        }
    }
    (right, reads)
}

/// Where a property's value stands among those that the scope is given.
fn right_place(
    name: &At<String>,
    hubspot: Option<&Schema>,
    fields: &[FieldPlan],
    reads: &mut Vec<PropertyName>,
    context: &mut Context,
) -> usize {
    if let Some(place) = fields.iter().position(|field| field.property == name.value) {
        return place;
    }
    let missing = |schema: &&Schema| !context.in_part && schema.property(&name.value).is_none();
    if let Some(schema) = hubspot.filter(missing) {
        let known = schema.properties.iter().map(|property| property.name.as_str());
        context.report.error(
            "unknown-property",
            &name.span,
            format!("`{}` has no property `{}` in HubSpot", schema.name, name.value),
            context.report.suggest(&name.value, known, "name one that exists"),
        );
    }
    let known = reads.iter().position(|known| known.as_str() == name.value).unwrap_or_else(|| {
        reads.push(name.value.as_str().into());
        reads.len() - 1
    });
    fields.len() + known
}
