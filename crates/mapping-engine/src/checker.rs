//! Compares a mapping with the schemas of both sides and compiles it, or tells every problem at once.

mod association;
mod back;
mod field;
mod link;
mod names;
mod policy;
mod privacy;
mod required;
mod scope;
mod shared;
mod stages;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use sync_types::{EdgeRule, EdgeRuleId, Link, LinkId, Record, Schema};

use crate::files::{Files, NoFiles, Sources};
use crate::fingerprint::fingerprint;
use crate::format::{self, Context, Given, LinkDoc, MappingDoc, ObjectDoc};
use crate::functions::Functions;
use crate::mapping::{CheckedMapping, Consent};
use crate::plan::LinkPlan;
use crate::portal::{Needs, Portal};
use crate::problem::{Problems, Report};
use crate::right::RightScope;

/// What is known of both sides. Without a schema, what depends on it is checked value by value as records come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schemas<'a> {
    /// All collections of the source.
    pub source: Option<&'a [Schema]>,
    /// The object types of the portal that the mapping names, by the names it uses. A type that is missing here
    /// does not exist in the portal.
    pub hubspot: Option<&'a [Schema]>,
}

/// A check of a mapping, with everything that is known beside its main file.
///
/// To learn which object types to describe, check once without schemas and look at
/// [`Mapper::links`](sync_types::Mapper::links); then check again with them. The fingerprint covers what the schemas
/// settle, so run with the mapping that was checked against both.
///
/// ```
/// use mapping_engine::{Check, Portal};
///
/// let text = r#"
/// include = "pipelines.toml"
/// [mapping]
/// name = "wholesale"
/// [[links]]
/// name = "orders"
/// collection = "orders"
/// object = "deals"
/// sync_key = "wholesale_key"
/// fields = [
///   { from = "number", to = "dealname" },
///   { pipeline = "sales", to = "pipeline" },
///   { stage = "sales.won", to = "dealstage" },
/// ]
/// [environments.production]
/// portal = 17
/// pipelines.sales = { id = "88", stages = { won = "90" } }
/// "#;
/// let beside = |path: &str| match path {
///     "pipelines.toml" => Ok("[pipelines.sales]\nobject = 'deals'\nstages = { won = {} }\n".to_owned()),
///     _ => Err("there is no such file".to_owned()),
/// };
/// let portal = Portal { id: Some(17), ..Portal::default() };
/// let mapping = Check::new("mapping.toml", text).files(&beside).portal(portal).run()?;
/// assert_eq!(mapping.environment(), Some("production"));
/// # Ok::<(), mapping_engine::Problems>(())
/// ```
#[derive(Clone, Copy)]
pub struct Check<'a> {
    file: &'a str,
    text: &'a str,
    files: &'a dyn Files,
    schemas: Schemas<'a>,
    portal: Portal<'a>,
    environment: Option<&'a str>,
    samples: &'a [(&'a str, &'a [Record])],
    functions: Option<&'a Functions>,
    inferred: bool,
    in_part: bool,
}

impl<'a> Check<'a> {
    /// A check of this text. `file` is the name that messages show; included files are shown in its folder.
    #[must_use]
    pub fn new(file: &'a str, text: &'a str) -> Check<'a> {
        Check {
            file,
            text,
            files: &NoFiles,
            schemas: Schemas::default(),
            portal: Portal::default(),
            environment: None,
            samples: &[],
            functions: None,
            inferred: false,
            in_part: false,
        }
    }

    /// Where included files and lookup tables come from; without this a mapping that names one is refused.
    #[must_use]
    pub fn files(self, files: &'a dyn Files) -> Check<'a> {
        Check { files, ..self }
    }

    /// What is known of both sides' properties.
    #[must_use]
    pub fn schemas(self, schemas: Schemas<'a>) -> Check<'a> {
        Check { schemas, ..self }
    }

    /// What is known of the portal beside its properties.
    #[must_use]
    pub fn portal(self, portal: Portal<'a>) -> Check<'a> {
        Check { portal, ..self }
    }

    /// The environment by its name in the file. Without it, the portal's id chooses.
    #[must_use]
    pub fn environment(self, name: &'a str) -> Check<'a> {
        Check { environment: Some(name), ..self }
    }

    /// Records of the source by collection, on which the round trip of two-way fields is tried too.
    #[must_use]
    pub fn samples(self, samples: &'a [(&'a str, &'a [Record])]) -> Check<'a> {
        Check { samples, ..self }
    }

    /// The source's schema was inferred from sample rows, see [`infer`](crate::infer): a column that they do not have
    /// may be there all the same, and is a warning.
    #[must_use]
    pub fn source_is_inferred(self) -> Check<'a> {
        Check { inferred: true, ..self }
    }

    /// What the schemas say of HubSpot is only a part of what a portal has, such as the properties that HubSpot brings
    /// along: what is not in them may be there all the same, and of what is, the kinds are certain and the options are
    /// not, so that an unknown option is a warning.
    #[must_use]
    pub fn hubspot_is_in_part(self) -> Check<'a> {
        Check { in_part: true, ..self }
    }

    /// The functions and keys of the engagement's own that the mapping may name.
    #[must_use]
    pub fn functions(self, functions: &'a Functions) -> Check<'a> {
        Check { functions: Some(functions), ..self }
    }

    /// Checks the mapping and compiles it.
    ///
    /// # Errors
    /// Every problem of all its files at once. Warnings alone are no error; see [`CheckedMapping::warnings`].
    pub fn run(self) -> Result<CheckedMapping, Problems> {
        let mut report = Report::default();
        let sources = Sources::load(self.file, self.text, self.files, &mut report);
        let given = Given {
            files: self.files,
            portal: self.portal,
            environment: self.environment,
            functions: self.functions,
            final_ids: self.schemas.hubspot.is_some() && !self.in_part,
        };
        let (doc, mut context) = format::read(&sources, given, report);
        context.inferred = self.inferred;
        context.in_part = self.in_part;
        let compiled = doc.map(|doc| {
            names::check_names(&doc, &mut context);
            compile(doc, &self, &mut context)
        });
        let canonical = std::mem::take(&mut context.canonical);
        let mut lookups = std::mem::take(&mut context.digests);
        lookups.sort_unstable();
        let environment = context.environment.name.take();
        let needs = Needs { pipelines: context.pipelines.unsettled(), owners: context.asks_owners };
        let problems = context.report.finish(sources);
        match compiled {
            Some(compiled) if !problems.has_errors() => Ok(CheckedMapping {
                name: compiled.doc.name.value,
                version: compiled.doc.version,
                environment,
                needs,
                fingerprint: fingerprint(&canonical, &lookups, &compiled.plans),
                links: compiled.links,
                rules: compiled.rules,
                plans: compiled.plans,
                rights: compiled.rights,
                consents: compiled.consents,
                requirements: compiled.requirements,
                warnings: problems,
            }),
            _ => Err(problems),
        }
    }
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("file", &self.file)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// Checks a mapping of one file and compiles it; [`Check`] with nothing but schemas.
///
/// # Errors
/// As [`Check::run`].
pub fn check(file: &str, text: &str, schemas: Schemas<'_>) -> Result<CheckedMapping, Problems> {
    Check::new(file, text).schemas(schemas).run()
}

struct Compiled {
    doc: MappingDoc,
    links: Vec<Link>,
    rules: Vec<EdgeRule>,
    plans: Vec<LinkPlan>,
    rights: Vec<RightScope>,
    consents: Vec<Consent>,
    requirements: sync_types::Requirements,
}

fn compile(mut doc: MappingDoc, check: &Check<'_>, context: &mut Context) -> Compiled {
    names::rename_properties(&mut doc, context);
    sort_parents_first(&mut doc.links);
    privacy::check_collections(&doc, check.schemas, context);
    let (mut links, mut plans, mut rights) = (Vec::new(), Vec::new(), Vec::new());
    let mut rules = Vec::new();
    let mut wanted = required::Wanted::default();
    for object in &doc.objects {
        wanted.define(object);
    }
    for link in &doc.links {
        let samples = samples_of(check, &link.collection.value);
        let (compiled, mut plan, right) =
            link::compile_link(link, check.schemas, samples, &doc, &mut wanted, context);
        for association in &link.associations {
            let id = EdgeRuleId(u16::try_from(rules.len()).unwrap_or(u16::MAX));
            if let Some(rule) = association::compile_rule(association, links.len(), &doc.links, context) {
                let far = doc.links.get(usize::from(rule.to.0));
                wanted.association(link, far, association);
                let edge = association::compile_edge(
                    association,
                    &rule,
                    id,
                    link,
                    check.schemas,
                    &mut plan.paths,
                    context,
                );
                rules.push(rule);
                plan.edges.push(edge);
            }
        }
        privacy::check_link(link, &doc.secret, &mut plan, &compiled, &rules, context);
        links.push(compiled);
        plans.push(plan);
        rights.push(right);
    }
    association::check_circles(&rules, &doc.links, context);
    shared::check_shared(&doc.links, &links, context);
    let consents = consents(&doc.links);
    let requirements = wanted.finish(&doc.objects, context);
    Compiled { doc, links, rules, plans, rights, consents, requirements }
}

fn samples_of<'a>(check: &Check<'a>, collection: &str) -> &'a [Record] {
    check.samples.iter().find(|(name, _)| *name == collection).map_or(&[], |(_, records)| records)
}

/// What the fields say of consent, with the places that they have in their links.
fn consents(links: &[LinkDoc]) -> Vec<Consent> {
    let mut all = Vec::new();
    for (link, doc) in links.iter().enumerate() {
        for (property, field) in doc.fields.iter().enumerate() {
            let (Some(consent), Ok(link)) = (&field.consent, u16::try_from(link)) else { continue };
            all.push(Consent {
                name: consent.name.clone(),
                link: LinkId(link),
                property,
                subscription: consent.subscription.clone(),
                basis: consent.basis.clone(),
                explanation: consent.explanation.clone(),
            });
        }
    }
    all
}

/// Puts links that others are associated with before those others, as far as there is no circle; otherwise in the
/// order of the file.
fn sort_parents_first(links: &mut Vec<LinkDoc>) {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, link) in links.iter().enumerate() {
        places.entry(&link.name.value).or_default().push(place);
    }
    // Which links each one waits for, and which wait for it.
    let mut needs: Vec<HashSet<usize>> = vec![HashSet::new(); links.len()];
    let mut needed: Vec<Vec<usize>> = vec![Vec::new(); links.len()];
    for ((place, link), needs) in links.iter().enumerate().zip(&mut needs) {
        let names = link.associations.iter().map(|association| association.to.value.as_str());
        let far = names.filter(|name| *name != link.name.value).filter_map(|name| places.get(name)).flatten();
        for far in far {
            if needs.insert(*far)
                && let Some(waiting) = needed.get_mut(*far)
            {
                waiting.push(place);
            }
        }
    }
    let mut order = Vec::with_capacity(links.len());
    let mut waiting: BTreeSet<usize> = (0..links.len()).collect();
    let mut ready: BTreeSet<usize> =
        (0..).zip(&needs).filter(|(_, needs)| needs.is_empty()).map(|(place, _)| place).collect();
    while let Some(next) = ready.pop_first().or_else(|| waiting.first().copied()) {
        waiting.remove(&next);
        order.push(next);
        for user in needed.get(next).into_iter().flatten() {
            if let Some(needs) = needs.get_mut(*user) {
                needs.remove(&next);
                if needs.is_empty() && waiting.contains(user) {
                    ready.insert(*user);
                }
            }
        }
    }
    let mut taken: Vec<Option<LinkDoc>> = std::mem::take(links).into_iter().map(Some).collect();
    links.extend(order.into_iter().filter_map(|place| taken.get_mut(place)?.take()));
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
