//! Links against both sides' schemas.

use std::collections::HashMap;

use sync_types::{Direction, Link, MappedProperty, OnDelete, PropertyKind, Record, Schema};

use super::names::check_internal_name;
use super::required::Wanted;
use super::scope::{compile_right, compile_scope, source_kind};
use super::{Schemas, back, field, object_doc, policy, stages};
use crate::document::At;
use crate::flow::Ty;
use crate::format::{Context, Creates, LinkDoc, MappingDoc, MatchDoc, ObjectDoc, ScopeDoc, SourceDoc};
use crate::objects::object_name;
use crate::path::{Marked, PATH_BYTES_MAX, Paths};
use crate::plan::{LinkPlan, PlaceCache};
use crate::right::RightScope;

/// A link's two sides as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    pub(super) source: Option<&'a Schema>,
    pub(super) hubspot: Option<&'a Schema>,
}

pub(super) fn compile_link(
    link: &LinkDoc,
    schemas: Schemas<'_>,
    samples: &[Record],
    doc: &MappingDoc,
    wanted: &mut Wanted,
    context: &mut Context,
) -> (Link, LinkPlan, RightScope) {
    let sides = Sides {
        source: source_schema(link, schemas, context),
        hubspot: hubspot_schema(link, schemas, &doc.objects, context),
    };
    check_sync_key(link, sides, context);
    wanted.link(link);
    let mut paths = Paths::default();
    let scope = compile_scope(&link.scope, sides.source, &mut paths, context);
    let mut fields = Vec::new();
    let mut starts = Vec::new();
    let mut properties: Vec<MappedProperty> = Vec::new();
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
        let direction = field_direction(doc, link, context);
        let (plan, start) = field::compile_field(doc, link, direction, sides, &mut paths, wanted, context);
        let conflict = policy::conflict(doc, link, direction, context);
        let order = policy::order(doc, link, conflict, direction, &plan, context);
        properties.push(MappedProperty {
            direction,
            conflict,
            order,
            ratchet: doc.ratchet,
            sensitivity: doc.sensitivity,
            overwrite: doc.overwrite,
            ..MappedProperty::to_right(plan.property.as_str(), plan.limits.kind)
        });
        starts.push(start);
        fields.push(plan);
    }
    let (strong, weak) = match_places(link, &properties, context);
    stages::check_stages(link, &fields, &properties, context);
    let creates = creates(link, context);
    policy::check_required(link, creates, &properties, sides, context);
    check_sides(link, context);
    let (right, right_reads) = compile_right(link, sides.hubspot, &fields, context);
    let mut plan = LinkPlan {
        paths,
        scope,
        fields,
        edges: Vec::new(),
        places: PlaceCache::default(),
        secret: Marked::default(),
    };
    back::compile_backs(link, &mut plan, &starts, &properties, sides, samples, context);
    let compiled = Link {
        properties,
        match_on: strong,
        propose_on: weak,
        first_contact: link.first_contact,
        direction: link.direction,
        creates_right: creates.hubspot,
        creates_left: creates.source,
        right_reads,
        on_left_delete: link.on_delete.source,
        on_right_delete: link.on_delete.hubspot,
        on_delete_conflict: link.on_delete.conflict,
        on_scope_exit: link.on_exit,
        ..Link::to_right(
            link.name.value.as_str(),
            link.collection.value.as_str().into(),
            link.object.value.as_str().into(),
            link.sync_key.as_ref().map_or("", |key| key.value.as_str()).into(),
        )
    };
    (compiled, plan, right)
}

/// A direction in words.
pub(super) fn says(direction: Direction) -> &'static str {
    match direction {
        Direction::ToRight => "to HubSpot",
        Direction::ToLeft => "from HubSpot",
        Direction::Both => "both ways",
    }
}

/// Which way a field goes: as it says, else as its link does, as far as its value has a way back.
fn field_direction(field: &crate::format::FieldDoc, link: &LinkDoc, context: &mut Context) -> Direction {
    let one_way =
        matches!(field.source, SourceDoc::Constant(_) | SourceDoc::Expression(_) | SourceDoc::Named(..));
    let (wanted, span) = match &field.direction {
        Some(said) => (said.value, &said.span),
        None if one_way => (Direction::ToRight, &field.to.span),
        None => return link.direction,
    };
    if one_way && wanted != Direction::ToRight {
        context.report.error(
            "bad-direction",
            span,
            "a constant or computed value has no place in the source, so it cannot come from HubSpot",
            "give the field `direction = \"to-hubspot\"`, or take its value `from` a column",
        );
        return Direction::ToRight;
    }
    if link.direction != Direction::Both && wanted != link.direction {
        context.report.error(
            "bad-direction",
            span,
            format!("the field goes {}, but its link goes {} only", says(wanted), says(link.direction)),
            "give the link `direction = \"both\"`, or the field the link's direction",
        );
        return link.direction;
    }
    wanted
}

/// Where the link makes records: as it says, else wherever its values go.
fn creates(link: &LinkDoc, context: &mut Context) -> Creates {
    let can = Creates { hubspot: link.direction.to_right(), source: link.direction.to_left() };
    let Some(said) = &link.creates else { return can };
    if (said.value.hubspot && !can.hubspot) || (said.value.source && !can.source) {
        context.report.error(
            "bad-direction",
            &said.span,
            format!("the link goes {} only, so it makes no records on the other side", says(link.direction)),
            "correct `creates`, or give the link `direction = \"both\"`",
        );
    }
    said.value
}

/// What a link says of a side that it never writes.
fn check_sides(link: &LinkDoc, context: &mut Context) {
    let mut refuse = |what: &str| {
        context.report.error(
            "bad-direction",
            &link.name.span,
            format!("{what}, but the link goes {} only", says(link.direction)),
            "correct it, or give the link `direction = \"both\"`",
        );
    };
    if link.on_delete.source == OnDelete::Delete && !link.direction.to_right() {
        refuse("a deletion in the source is to delete in HubSpot");
    }
    if link.on_delete.hubspot == OnDelete::Delete && !link.direction.to_left() {
        refuse("a deletion in HubSpot is to delete in the source");
    }
    let unscoped = matches!(&link.hubspot_scope, ScopeDoc::Conditions(list) if list.is_empty());
    if !unscoped && !link.direction.to_left() {
        refuse("`hubspot_scope` chooses records of HubSpot for the source");
    }
    if let Some(conflict) = link.conflict.as_ref().filter(|_| link.direction != Direction::Both) {
        context.report.error(
            "bad-conflict",
            &conflict.span,
            format!("the link goes {} only, so both sides cannot disagree", says(link.direction)),
            "remove `conflict`, or give the link `direction = \"both\"`",
        );
    }
}

fn source_schema<'a>(link: &LinkDoc, schemas: Schemas<'a>, context: &mut Context) -> Option<&'a Schema> {
    let collections = schemas.source?;
    let found = collections.iter().find(|schema| schema.name == link.collection.value);
    if found.is_none() {
        context.report.error(
            "unknown-collection",
            &link.collection.span,
            format!("the source has no collection `{}`", link.collection.value),
            context.report.suggest(
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
    let found = portal
        .iter()
        .find(|schema| schema.name == link.object.value || object_name(&schema.name) == link.object.value);
    if found.is_none() && !context.in_part && object_doc(&link.object.value, objects).is_none() {
        context.report.error(
            "unknown-object",
            &link.object.span,
            format!("the portal has no object type `{}`", link.object.value),
            context.report.suggest(
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
    let fits = property.kind == PropertyKind::Text && !property.read_only;
    if !property.unique || !fits {
        context.report.error(
            "sync-key-not-unique",
            &key.span,
            format!("`{}` exists in HubSpot, but is not a writable text property with unique values", key.value),
            "name a property that does not exist yet, so that `init` makes it; HubSpot cannot make an existing property unique",
        );
    }
}

/// Properties whose values two different records easily share: no evidence that they are the same.
const SHARED: [&str; 14] = [
    "address",
    "city",
    "company",
    "country",
    "dealname",
    "description",
    "firstname",
    "jobtitle",
    "lastname",
    "name",
    "phone",
    "state",
    "subject",
    "zip",
];

/// The places of strong and of weak evidence.
fn match_places(
    link: &LinkDoc,
    properties: &[MappedProperty],
    context: &mut Context,
) -> (Vec<usize>, Vec<usize>) {
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    for rule in &link.match_on {
        let Some(place) = match_place(rule, link.whole, properties, context) else { continue };
        let list = if rule.weak { &mut weak } else { &mut strong };
        list.push(place);
        if !rule.weak && SHARED.contains(&rule.property.value.as_str()) {
            context.report.warning(
                "weak-match",
                &rule.property.span,
                format!(
                    "two records often have the same `{}`, and one would be taken for the other",
                    rule.property.value
                ),
                format!(
                    "let a person decide: `{{ property = \"{}\", evidence = \"weak\" }}`",
                    rule.property.value
                ),
            );
        }
    }
    (strong, weak)
}

fn match_place(
    rule: &MatchDoc,
    whole: bool,
    properties: &[MappedProperty],
    context: &mut Context,
) -> Option<usize> {
    let name = &rule.property;
    let place = properties.iter().position(|property| property.name.as_str() == name.value);
    if place.is_none() && whole {
        context.report.error(
            "bad-match",
            &name.span,
            format!("records cannot be matched by `{}`, which no field of this link maps", name.value),
            context.report.suggest(
                &name.value,
                properties.iter().map(|property| property.name.as_str()),
                "map it first",
            ),
        );
    }
    place
}

/// Most paths that a link reads.
const PATHS_MAX: usize = 5_000;

/// The place of a path in the link's list, and what its values are known to be.
pub(super) fn compile_path(
    path: &At<String>,
    source: Option<&Schema>,
    paths: &mut Paths,
    context: &mut Context,
) -> (usize, Ty) {
    if path.value.len() > PATH_BYTES_MAX {
        let reason = format!("a path has at most {PATH_BYTES_MAX} bytes");
        context.report.error("too-many", &path.span, reason, "name a column, or a place inside one");
        return (0, Ty::Any);
    }
    let kind = source.map_or(Ty::Any, |schema| path_kind(path, schema, context));
    if paths.len() >= PATHS_MAX {
        let reason = format!("a link reads at most {PATHS_MAX} paths");
        context.report.error("too-many", &path.span, reason, "leave out what nobody uses");
        return (0, kind);
    }
    (paths.place_of(&path.value), kind)
}

fn path_kind(path: &At<String>, schema: &Schema, context: &mut Context) -> Ty {
    if let Some(kind) = source_kind(&path.value, schema) {
        return kind;
    }
    let known = schema.properties.iter().map(|property| property.name.as_str());
    let remedy = context.report.suggest(&path.value, known, "name one that it has");
    if context.inferred {
        let reason = format!("no sample row of `{}` has a column `{}`", schema.name, path.value);
        context.report.warning("unknown-column", &path.span, reason, remedy);
    } else {
        let reason = format!("the collection `{}` has no column `{}`", schema.name, path.value);
        context.report.error("unknown-column", &path.span, reason, remedy);
    }
    Ty::Any
}
