//! Links and associations against both sides' schemas.

use std::collections::HashMap;

use sync_types::{EdgeRule, EdgeRuleId, Link, LinkId, MappedProperty, Schema};

use super::names::check_internal_name;
use super::required::Wanted;
use super::{Schemas, field, link_id, object_doc};
use crate::document::At;
use crate::flow::Ty;
use crate::format::{AssociationDoc, ConditionDoc, Context, LinkDoc, ObjectDoc};
use crate::path::Path;
use crate::plan::{Condition, EdgePlan, LinkPlan, PlaceCache};
use crate::problem::suggest;

/// A link's two sides as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    pub(super) source: Option<&'a Schema>,
    pub(super) hubspot: Option<&'a Schema>,
}

pub(super) fn compile_link(
    link: &LinkDoc,
    schemas: Schemas<'_>,
    objects: &[ObjectDoc],
    wanted: &mut Wanted,
    context: &mut Context,
) -> (Link, LinkPlan) {
    let sides = Sides {
        source: source_schema(link, schemas, context),
        hubspot: hubspot_schema(link, schemas, objects, context),
    };
    check_sync_key(link, sides, context);
    wanted.link(link);
    let mut paths = Vec::new();
    let scope = compile_conditions(&link.scope, sides.source, &mut paths, context);
    let mut fields = Vec::new();
    let mut properties = Vec::new();
    let mut targets: HashMap<&str, usize> = HashMap::new();
    for doc in &link.fields {
        if let Some(line) = targets.insert(&doc.to.value, fields.len()) {
            context.report.error(
                "duplicate-target",
                &doc.to.span,
                format!(
                    "a second field writes `{}` (field {} of this link does already)",
                    doc.to.value,
                    line + 1
                ),
                "keep one of the two; `from = [\"a\", \"b\"]` takes the first that is not empty",
            );
        }
        let plan = field::compile_field(doc, link, sides, &mut paths, wanted, context);
        properties.push(MappedProperty::to_right(plan.property.as_str(), plan.limits.kind));
        fields.push(plan);
    }
    let match_on =
        link.match_on.iter().filter_map(|name| match_place(name, link.whole, &properties, context)).collect();
    let compiled = Link {
        properties,
        match_on,
        first_contact: link.first_contact,
        ..Link::to_right(
            link.name.value.as_str(),
            link.collection.value.as_str().into(),
            link.object.value.as_str().into(),
            link.sync_key.as_ref().map_or("", |key| key.value.as_str()).into(),
        )
    };
    (compiled, LinkPlan { paths, scope, fields, edges: Vec::new(), places: PlaceCache::default() })
}

fn source_schema<'a>(link: &LinkDoc, schemas: Schemas<'a>, context: &mut Context) -> Option<&'a Schema> {
    let collections = schemas.source?;
    let found = collections.iter().find(|schema| schema.name == link.collection.value);
    if found.is_none() {
        context.report.error(
            "unknown-collection",
            &link.collection.span,
            format!("the source has no collection `{}`", link.collection.value),
            suggest(
                &link.collection.value,
                collections.iter().map(|schema| schema.name.as_str()),
                "name one that it has",
            ),
        );
    }
    found
}

fn hubspot_schema<'a>(
    link: &LinkDoc,
    schemas: Schemas<'a>,
    objects: &[ObjectDoc],
    context: &mut Context,
) -> Option<&'a Schema> {
    let portal = schemas.hubspot?;
    let found = portal.iter().find(|schema| schema.name == link.object.value);
    if found.is_none() && object_doc(&link.object.value, objects).is_none() {
        context.report.error(
            "unknown-object",
            &link.object.span,
            format!("the portal has no object type `{}`", link.object.value),
            suggest(
                &link.object.value,
                portal.iter().map(|schema| schema.name.as_str()),
                "define a custom object under `[[objects]]`, or name one that exists",
            ),
        );
    }
    found
}

fn check_sync_key(link: &LinkDoc, sides: Sides<'_>, context: &mut Context) {
    let Some(key) = &link.sync_key else {
        context.report.error(
            "missing-sync-key",
            &link.name.span,
            format!("the link `{}` has no sync key", link.name.value),
            "add `sync_key = \"…_key\"`, a unique text property that `init` makes: a record is found again by it, so that a repeated create makes no second one",
        );
        return;
    };
    check_internal_name(key, context);
    if let Some(field) = link.fields.iter().find(|field| field.to.value == key.value) {
        context.report.error(
            "duplicate-target",
            &field.to.span,
            format!("`{}` is the sync key, which the engine writes itself", key.value),
            "map the value to a property of its own, or name another sync key",
        );
    }
    let Some(property) = sides.hubspot.and_then(|schema| schema.property(&key.value)) else { return };
    let fits = property.kind == sync_types::PropertyKind::Text && !property.read_only;
    if !property.unique || !fits {
        context.report.error(
            "sync-key-not-unique",
            &key.span,
            format!("`{}` exists in HubSpot, but is not a writable text property with unique values", key.value),
            "name a property that does not exist yet, so that `init` makes it; HubSpot cannot make an existing property unique",
        );
    }
}

fn match_place(
    name: &At<String>,
    whole: bool,
    properties: &[MappedProperty],
    context: &mut Context,
) -> Option<usize> {
    let place = properties.iter().position(|property| property.name.as_str() == name.value);
    if place.is_none() && whole {
        context.report.error(
            "bad-match",
            &name.span,
            format!("records cannot be matched by `{}`, which no field of this link writes", name.value),
            suggest(&name.value, properties.iter().map(|property| property.name.as_str()), "map it first"),
        );
    }
    place
}

pub(super) fn compile_rule(
    association: &AssociationDoc,
    from: usize,
    links: &[LinkDoc],
    context: &mut Context,
) -> Option<EdgeRule> {
    let Some(to) = link_id(&association.to.value, links) else {
        context.report.error(
            "unknown-link",
            &association.to.span,
            format!("there is no link `{}`", association.to.value),
            suggest(
                &association.to.value,
                links.iter().map(|link| link.name.value.as_str()),
                "name one of the links",
            ),
        );
        return None;
    };
    let from = LinkId(u16::try_from(from).ok()?);
    Some(EdgeRule::to_right(association.name.value.as_str(), from, to, association.kind.clone()))
}

pub(super) fn compile_edge(
    association: &AssociationDoc,
    rule: EdgeRuleId,
    link: &LinkDoc,
    schemas: Schemas<'_>,
    paths: &mut Vec<Path>,
    context: &mut Context,
) -> EdgePlan {
    // An unknown collection was told when the link was compiled.
    let source =
        schemas.source.and_then(|all| all.iter().find(|schema| schema.name == link.collection.value));
    let (key, kind) = compile_path(&association.key, source, paths, context);
    field::check_chain(&association.chain, kind, context);
    EdgePlan {
        rule,
        name: association.name.value.clone(),
        key,
        steps: field::bind_chain(&association.chain, source, paths, context),
        when: compile_conditions(&association.when, source, paths, context),
        required: association.required,
        back: None,
    }
}

fn compile_conditions(
    conditions: &[ConditionDoc],
    source: Option<&Schema>,
    paths: &mut Vec<Path>,
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

/// The place of a path in the link's list, and what its values are known to be.
pub(super) fn compile_path(
    path: &At<String>,
    source: Option<&Schema>,
    paths: &mut Vec<Path>,
    context: &mut Context,
) -> (usize, Ty) {
    let kind = source.map_or(Ty::Any, |schema| path_kind(path, schema, context));
    let place = paths.iter().position(|known| known.text == path.value).unwrap_or_else(|| {
        paths.push(Path::new(&path.value));
        paths.len() - 1
    });
    (place, kind)
}

fn path_kind(path: &At<String>, schema: &Schema, context: &mut Context) -> Ty {
    if let Some(property) = schema.property(&path.value) {
        return Ty::of_source(property.kind);
    }
    let mut head = path.value.as_str();
    while let Some((shorter, _)) = head.rsplit_once('.') {
        head = shorter;
        if schema.property(head).is_some() {
            return Ty::Any;
        }
    }
    context.report.error(
        "unknown-column",
        &path.span,
        format!("the collection `{}` has no column `{}`", schema.name, path.value),
        suggest(
            &path.value,
            schema.properties.iter().map(|property| property.name.as_str()),
            "name one that it has",
        ),
    );
    Ty::Any
}
