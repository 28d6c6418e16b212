//! The checked mapping: what the engine runs.

use std::fmt;

use sync_types::{
    EdgeRule, EdgeRuleId, ExternalId, FieldProblem, LeftField, Link, LinkId, MapError, Mapped, Mapper,
    Record, Requirements, Sensitivity, Value,
};

use crate::explain::{AssociationExplanation, Explanation, FieldExplanation};
use crate::path::Marked;
use crate::plan::{LinkPlan, Trace};
use crate::portal::Needs;
use crate::problem::Problems;
use crate::property::Form;
use crate::right::RightScope;

/// A mapping in which the checker found no error.
pub struct CheckedMapping {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) links: Vec<Link>,
    pub(crate) rules: Vec<EdgeRule>,
    pub(crate) plans: Vec<LinkPlan>,
    pub(crate) rights: Vec<RightScope>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) environment: Option<String>,
    pub(crate) needs: Needs,
    pub(crate) fingerprint: u64,
    pub(crate) requirements: Requirements,
    pub(crate) warnings: Problems,
}

/// What a mapping says of one consent, beyond the property that holds its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The consent's name in the file.
    pub name: String,
    /// The link whose records carry it.
    pub link: LinkId,
    /// The place of the property with its state in the link's properties: `unknown`, `implied`, `express` or
    /// `withdrawn`, which only ever moves in this order.
    pub property: usize,
    /// The subscription type in HubSpot, by its name.
    pub subscription: Option<String>,
    /// The legal basis, as HubSpot's subscription API spells it.
    pub basis: Option<String>,
    /// Its explanation, for HubSpot and for people.
    pub explanation: Option<String>,
}

/// The source paths that a link reads, as the file names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads<'m> {
    /// What its scope asks.
    pub scope: Vec<&'m str>,
    /// What each property is made of, in the order of the link's properties: what a transform reads beside the value, too.
    pub properties: Vec<Vec<&'m str>>,
    /// What the key and the condition of each association ask.
    pub associations: Vec<(EdgeRuleId, Vec<&'m str>)>,
}

impl CheckedMapping {
    /// The engagement's name: part of every sync key, so it never changes during an engagement's life.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The mapping's version, as the file states it for people; 1 where it states none.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The environment that the mapping was checked for; `None` where the file has none, or none was chosen.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// What of the portal the mapping still needs to know: give it to [`Check::portal`](crate::Check::portal) for the check
    /// whose mapping runs.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The consents that the mapping keeps, in the order of the links.
    #[must_use]
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }

    /// What must exist in HubSpot before the first record is written: object types, properties with their options
    /// (the sync keys among them) and every kind of association that a rule makes.
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Likely mistakes that do not keep the mapping from being used.
    #[must_use]
    pub fn warnings(&self) -> &Problems {
        &self.warnings
    }

    /// Every source path that a link reads, by what reads it. `None`: the mapping has no such link.
    #[must_use]
    pub fn reads(&self, link: LinkId) -> Option<Reads<'_>> {
        let plan = self.plans.get(usize::from(link.0))?;
        Some(Reads {
            scope: plan.scope_reads(),
            properties: plan.fields.iter().map(|field| plan.reads(field)).collect(),
            associations: plan.edges.iter().map(|edge| (edge.rule, plan.edge_reads(edge))).collect(),
        })
    }

    /// Tells how each property of a record gets its value, step by step and in clear: for a person who asked,
    /// never for logs. Sensitive values are part of it; its `Display` leaves them out. What reads the same as a sensitive
    /// field, a part of it or what it is a part of, is as sensitive; so is what never leaves the source. `None`: the
    /// mapping has no such link.
    #[must_use]
    pub fn explain(&self, link: LinkId, record: &Record) -> Option<Explanation> {
        let plan = self.plans.get(usize::from(link.0))?;
        let spec = self.links.get(usize::from(link.0))?;
        let places = plan.places(record.shape());
        let fields = || plan.fields.iter().zip(&spec.properties);
        let sensitive = fields().filter(|(_, property)| property.sensitivity == Sensitivity::Sensitive);
        let sensitive = Marked::of(sensitive.flat_map(|(field, _)| plan.reads(field)));
        let hidden = |reads: Vec<&str>| {
            reads
                .into_iter()
                .any(|path| sensitive.touched_by(path).or(plan.secret.touched_by(path)).is_some())
        };
        let fields = fields().map(|(field, property)| {
            let mut trace = Trace::default();
            let outcome = plan.run_field(field, record, &places, Some(&mut trace));
            FieldExplanation {
                property: field.property.clone(),
                path: plan.source_text(field),
                sensitivity: if hidden(plan.reads(field)) {
                    Sensitivity::Sensitive
                } else {
                    property.sensitivity
                },
                steps: trace.steps,
                outcome,
            }
        });
        let associations = plan.edges.iter().map(|edge| {
            let mut edges = Vec::new();
            let outcome = plan.run_edge(edge, record, &places, &mut edges);
            AssociationExplanation {
                rule: edge.name.clone(),
                path: plan.path_text(edge.key),
                sensitivity: if hidden(plan.edge_reads(edge)) {
                    Sensitivity::Sensitive
                } else {
                    Sensitivity::Personal
                },
                outcome: outcome.map(|()| edges.into_iter().map(|(_, key)| key).collect()),
            }
        });
        let (fields, associations) = (fields.collect(), associations.collect());
        Some(Explanation { link: spec.name.clone(), record: record.id().clone(), fields, associations })
    }
}

impl Mapper for CheckedMapping {
    fn links(&self) -> &[Link] {
        &self.links
    }

    fn edge_rules(&self) -> &[EdgeRule] {
        &self.rules
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn map(&self, link: LinkId, record: &Record) -> Result<Mapped, MapError> {
        match self.plans.get(usize::from(link.0)) {
            Some(plan) => plan.map(record),
            // A link that is not there wants nothing.
            None => {
                Ok(Mapped { values: Vec::new(), edges: Vec::new(), in_scope: false, skipped: Vec::new() })
            }
        }
    }

    fn canonical(&self, link: LinkId, property: usize, shown: Value) -> Value {
        let plan = self.plans.get(usize::from(link.0));
        match plan.and_then(|plan| Some((plan, plan.fields.get(property)?))) {
            Some((plan, field)) => plan.respelled(field, field.limits.form.canonical(shown)),
            None => Form::Json.canonical(shown),
        }
    }

    fn back(&self, link: LinkId, property: usize, value: &Value) -> Result<Vec<LeftField>, FieldProblem> {
        self.plans.get(usize::from(link.0)).map_or(Ok(Vec::new()), |plan| plan.back(property, value))
    }

    fn back_edge(&self, rule: EdgeRuleId, to: Option<&ExternalId>) -> Result<Vec<LeftField>, FieldProblem> {
        let found = self.plans.iter().find_map(|plan| {
            let edge = plan.edges.iter().find(|edge| edge.rule == rule)?;
            Some((plan, edge))
        });
        found.map_or(Ok(Vec::new()), |(plan, edge)| plan.back_edge(edge, to.map(ExternalId::as_str)))
    }

    fn right_in_scope(&self, link: LinkId, shown: &[Value]) -> bool {
        self.rights.get(usize::from(link.0)).is_none_or(|scope| scope.holds(shown))
    }
}

impl fmt::Debug for CheckedMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedMapping")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("links", &self.links.iter().map(|link| &link.name).collect::<Vec<_>>())
            .field("fingerprint", &format_args!("{:016x}", self.fingerprint))
            .finish_non_exhaustive()
    }
}
