//! Compares a mapping file with the schemas of both sides and compiles it, or tells every problem at once.

mod field;
mod link;
mod names;
mod required;

use sync_types::{EdgeRule, EdgeRuleId, Link, LinkId, Schema};

use crate::fingerprint::fingerprint;
use crate::format::{self, Context, LinkDoc, MappingDoc, ObjectDoc};
use crate::functions::Functions;
use crate::mapping::CheckedMapping;
use crate::plan::LinkPlan;
use crate::problem::Problems;

/// What is known of both sides. Without a schema, what depends on it is checked value by value as records come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schemas<'a> {
    /// All collections of the source.
    pub source: Option<&'a [Schema]>,
    /// The object types of the portal that the mapping names, by the names it uses. A type that is missing here
    /// does not exist in the portal.
    pub hubspot: Option<&'a [Schema]>,
}

/// Checks a mapping file and compiles it.
///
/// `file` is the name that messages show. To learn which object types to describe, check once without schemas and
/// look at [`Mapper::links`](sync_types::Mapper::links); then check again with them. The fingerprint covers what
/// the schemas settle, so run with the mapping that was checked against both.
///
/// # Errors
/// Every problem of the file at once. Warnings alone are no error; see [`CheckedMapping::warnings`].
pub fn check(file: &str, text: &str, schemas: Schemas<'_>) -> Result<CheckedMapping, Problems> {
    check_with(file, text, schemas, &Functions::new())
}

/// As [`check`], for a mapping file that uses functions or keys of the engagement's own.
///
/// # Errors
/// As [`check`].
pub fn check_with(
    file: &str,
    text: &str,
    schemas: Schemas<'_>,
    functions: &Functions,
) -> Result<CheckedMapping, Problems> {
    let (doc, mut context) = format::read(text, functions);
    let compiled = doc.map(|doc| {
        names::check_names(&doc, &mut context);
        compile(doc, schemas, &mut context)
    });
    let canonical = std::mem::take(&mut context.canonical);
    let problems = context.report.finish(file, text);
    match compiled {
        Some(compiled) if !problems.has_errors() => Ok(CheckedMapping {
            name: compiled.doc.name.value,
            version: compiled.doc.version,
            fingerprint: fingerprint(&canonical, &compiled.plans),
            links: compiled.links,
            rules: compiled.rules,
            plans: compiled.plans,
            requirements: compiled.requirements,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

struct Compiled {
    doc: MappingDoc,
    links: Vec<Link>,
    rules: Vec<EdgeRule>,
    plans: Vec<LinkPlan>,
    requirements: sync_types::Requirements,
}

fn compile(mut doc: MappingDoc, schemas: Schemas<'_>, context: &mut Context) -> Compiled {
    sort_parents_first(&mut doc.links);
    let mut links = Vec::new();
    let mut plans = Vec::new();
    let mut rules = Vec::new();
    let mut wanted = required::Wanted::default();
    for object in &doc.objects {
        wanted.define(object);
    }
    for link in &doc.links {
        let (compiled, mut plan) = link::compile_link(link, schemas, &doc.objects, &mut wanted, context);
        for association in &link.associations {
            let id = EdgeRuleId(u16::try_from(rules.len()).unwrap_or(u16::MAX));
            if let Some(rule) = link::compile_rule(association, links.len(), &doc.links, context) {
                let far = doc.links.get(usize::from(rule.to.0));
                wanted.association(link, far, association);
                rules.push(rule);
                plan.edges.push(link::compile_edge(association, id, link, schemas, &mut plan.paths, context));
            }
        }
        links.push(compiled);
        plans.push(plan);
    }
    let requirements = wanted.finish(&doc.objects, context);
    Compiled { doc, links, rules, plans, requirements }
}

/// Puts links that others are associated with before those others, as far as there is no circle; otherwise in the
/// order of the file.
fn sort_parents_first(links: &mut Vec<LinkDoc>) {
    let mut waiting = std::mem::take(links);
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|link| {
            let needs =
                |name: &str| name != link.name.value && waiting.iter().any(|other| other.name.value == name);
            !link.associations.iter().any(|association| needs(&association.to.value))
        });
        links.push(waiting.remove(ready.unwrap_or(0)));
    }
}

/// A link's id by its name.
fn link_id(name: &str, links: &[LinkDoc]) -> Option<LinkId> {
    let place = links.iter().position(|link| link.name.value == name)?;
    u16::try_from(place).ok().map(LinkId)
}

/// The definition of a custom object by the name that links use for it.
fn object_doc<'a>(name: &str, objects: &'a [ObjectDoc]) -> Option<&'a ObjectDoc> {
    objects.iter().find(|object| object.name.value == name)
}
