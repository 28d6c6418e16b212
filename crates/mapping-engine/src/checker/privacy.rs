//! What must never leave the source: nothing that goes to HubSpot may read it, by whatever detour.

use sync_types::{EdgeRule, Link};

use super::Schemas;
use super::field::reads;
use crate::document::At;
use crate::format::{AssociationDoc, ConditionDoc, Context, LinkDoc, MappingDoc, ScopeDoc, SourceDoc};
use crate::path::Marked;
use crate::plan::LinkPlan;
use crate::problem::Span;
use crate::step::Step;

/// A marked path that is misspelt protects nothing: each must exist, as far as the source is known.
pub(super) fn check_collections(doc: &MappingDoc, schemas: Schemas<'_>, context: &mut Context) {
    let Some(all) = schemas.source else { return };
    let of_links = doc
        .links
        .iter()
        .flat_map(|link| link.secret.iter().map(|path| (link.collection.value.as_str(), path)));
    let of_file = doc.secret.iter().map(|(collection, path)| (collection.as_str(), path));
    for (collection, path) in of_file.chain(of_links) {
        let wanted = |schema: &&sync_types::Schema| collection == "*" || schema.name == collection;
        let schemas: Vec<_> = all.iter().filter(wanted).collect();
        let has = |schema: &sync_types::Schema| {
            schema.properties.iter().any(|column| {
                let name = column.name.as_str();
                name == path.value || path.value.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        if schemas.iter().any(|schema| has(schema)) {
            continue;
        }
        if schemas.is_empty() {
            context.report.error(
                "unknown-collection",
                &path.span,
                format!("the source has no collection `{collection}`, so nothing of it would be protected"),
                context.report.suggest(
                    collection,
                    all.iter().map(|schema| schema.name.as_str()),
                    "name one that it has",
                ),
            );
            continue;
        }
        let columns: Vec<&str> =
            schemas.iter().flat_map(|schema| &schema.properties).map(|column| column.name.as_str()).collect();
        context.report.error(
            "unknown-column",
            &path.span,
            format!("there is no column `{}` that could be protected", path.value),
            context.report.suggest(&path.value, columns, "name one that the collection has"),
        );
    }
}

/// Tells every way in which a marked path of the link's collection would leave.
pub(super) fn check_link(
    link: &LinkDoc,
    of_file: &[(String, At<String>)],
    plan: &mut LinkPlan,
    compiled: &Link,
    rules: &[EdgeRule],
    context: &mut Context,
) {
    let mine = |collection: &str| collection == "*" || collection == link.collection.value;
    let of_file = of_file.iter().filter(|(collection, _)| mine(collection)).map(|(_, path)| path);
    plan.secret = Marked::of(of_file.chain(&link.secret).map(|path| path.value.as_str()));
    let (plan, marked) = (&*plan, &plan.secret);
    if marked.is_empty() {
        return;
    }
    let mut refuse = |path: &str, span: &Span, how: &str| {
        if let Some(secret) = marked.touched_by(path) {
            context.report.error(
                "never-leaves-source",
                span,
                format!("`{secret}` is marked as never leaving the source, but {how}"),
                "take it out, or let a person who may decide it unmark the column",
            );
        }
    };
    for ((field, property), compiled) in link.fields.iter().zip(&compiled.properties).zip(&plan.fields) {
        if !property.direction.to_right() {
            continue;
        }
        let how = match link.match_on.iter().any(|rule| rule.property.value == field.to.value) {
            true => format!("its value would go to `{}`, by which records are matched", field.to.value),
            false => format!("its value would go to `{}`", field.to.value),
        };
        for path in reads(field).into_iter().chain(sides(&field.chain)) {
            refuse(&path.value, &path.span, &how);
        }
        // Expressions name what they read only when they are compiled.
        if let SourceDoc::Expression(text) = &field.source {
            for path in plan.reads(compiled) {
                refuse(path, &text.span, &how);
            }
        }
    }
    for association in &link.associations {
        let outgoing =
            rules.iter().any(|rule| rule.name == association.name.value && rule.direction.to_right());
        if !outgoing {
            continue;
        }
        let key = format!("the association `{}` would show it as its key", association.name.value);
        refuse(&association.key.value, &association.key.span, &key);
        for path in sides(&association.chain) {
            refuse(&path.value, &path.span, &key);
        }
        let when = format!("whether the association `{}` is there would tell it", association.name.value);
        for condition in conditions(association) {
            refuse(&condition.path.value, &condition.path.span, &when);
        }
        if let ScopeDoc::Expression(text) = &association.when {
            let edge = plan.edges.iter().find(|edge| edge.name == association.name.value);
            for path in edge.into_iter().flat_map(|edge| plan.edge_reads(edge)) {
                refuse(path, &text.span, &when);
            }
        }
    }
}

fn conditions(association: &AssociationDoc) -> &[ConditionDoc] {
    match &association.when {
        ScopeDoc::Conditions(conditions) => conditions,
        ScopeDoc::Expression(_) => &[],
    }
}

/// The paths that a chain's steps read beside the value they work on.
fn sides(chain: &[At<Step>]) -> Vec<At<String>> {
    let of_step = |step: &At<Step>| {
        let side = |path: &str| At { value: path.to_owned(), span: step.span.clone() };
        step.value.sides().into_iter().map(|found| side(&found.path)).collect::<Vec<_>>()
    };
    chain.iter().flat_map(of_step).collect()
}
