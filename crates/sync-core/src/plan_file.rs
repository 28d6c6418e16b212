//! Plans as files: one JSON object a line, written as they are made.
//!
//! A plan names records, properties and fingerprints, never values.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufRead, BufWriter, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync_types::{Destination, ExternalId, Fingerprint, PropertyName};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::report::RunReport;
use crate::run::Kind;

const FORMAT: &str = "hubspot-integration-kit plan 1";

/// The first line of a plan file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: String,
    engagement: String,
    portal: String,
    /// The mapping's fingerprint.
    mapping: String,
    made: Timestamp,
}

/// One record's operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRow {
    /// The link.
    pub link: String,
    /// The record's id in the source.
    pub id: ExternalId,
    /// What is done.
    pub verb: PlannedVerb,
    /// The properties that are written.
    pub properties: Vec<PropertyName>,
    /// Precondition: the source record's fingerprint.
    pub row: Fingerprint,
    /// Precondition: the pair's fingerprint.
    pub base: Fingerprint,
    /// What concerns the other direction.
    pub both: BothPlan,
    /// Associations to add: rule and far record.
    pub associate: Vec<(String, ExternalId)>,
    /// Associations to remove: rule and far record.
    pub dissociate: Vec<(String, ExternalId)>,
}

/// What a plan says of a record of a link that flows both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BothPlan {
    /// The properties whose values are brought to the source.
    pub back: Vec<PropertyName>,
    /// Precondition: the fingerprint of all mapped values that HubSpot showed.
    pub right: Option<Fingerprint>,
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedVerb {
    /// Made in HubSpot.
    Create,
    /// Updated in HubSpot, or only its associations.
    Update,
    /// Recognised in HubSpot, linked and updated.
    Adopt,
    /// Made in the customer's system; its id here is its id in HubSpot.
    CreateLeft,
}

impl From<Kind> for PlannedVerb {
    fn from(kind: Kind) -> PlannedVerb {
        match kind {
            Kind::Create => PlannedVerb::Create,
            Kind::Update => PlannedVerb::Update,
            Kind::Adopt => PlannedVerb::Adopt,
            Kind::CreateLeft => PlannedVerb::CreateLeft,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
enum Line {
    Record {
        link: String,
        id: String,
        verb: PlannedVerb,
        properties: Vec<PropertyName>,
        row: String,
        base: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        back: Vec<PropertyName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        associate: Vec<(String, ExternalId)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dissociate: Vec<(String, ExternalId)>,
    },
    Association {
        rule: String,
        remove: bool,
        from: ExternalId,
        to: ExternalId,
    },
    Summary(PlanSummary),
}

/// Where a plan's lines go.
pub struct PlanSink {
    out: Option<BufWriter<Box<dyn Write + Send>>>,
}

impl PlanSink {
    /// A sink that keeps nothing: for the summary alone.
    #[must_use]
    pub fn none() -> PlanSink {
        PlanSink { out: None }
    }

    /// Writes a plan of this engine to `out`.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(engine: &Engine, out: Box<dyn Write + Send>) -> Result<PlanSink, EngineError> {
        let mut sink = PlanSink { out: Some(BufWriter::new(out)) };
        sink.line(&Header {
            format: FORMAT.into(),
            engagement: engine.parts.engagement.clone(),
            portal: engine.parts.portal.clone(),
            mapping: Fingerprint(engine.parts.mapper.fingerprint()).to_string(),
            made: engine.parts.clock.now(),
        })?;
        Ok(sink)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), EngineError> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let written = serde_json::to_writer(&mut *out, line)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"));
        written.map_err(unwritable)
    }

    pub(crate) fn row(&mut self, row: &PlannedRow) -> Result<(), EngineError> {
        if self.out.is_none() {
            return Ok(());
        }
        self.line(&Line::Record {
            link: row.link.clone(),
            id: row.id.to_string(),
            verb: row.verb,
            properties: row.properties.clone(),
            row: row.row.to_string(),
            base: row.base.to_string(),
            back: row.both.back.clone(),
            right: row.both.right.map(|print| print.to_string()),
            associate: row.associate.clone(),
            dissociate: row.dissociate.clone(),
        })
    }

    pub(crate) fn edge(
        &mut self,
        rule: &str,
        remove: bool,
        from: &ExternalId,
        to: &ExternalId,
    ) -> Result<(), EngineError> {
        self.line(&Line::Association { rule: rule.into(), remove, from: from.clone(), to: to.clone() })
    }

    pub(crate) fn finish(mut self, summary: &PlanSummary) -> Result<(), EngineError> {
        self.line(&Line::Summary(summary.clone()))?;
        match &mut self.out {
            Some(out) => out.flush().map_err(unwritable),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PlanSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanSink").field("kept", &self.out.is_some()).finish()
    }
}

fn unwritable(source: std::io::Error) -> EngineError {
    EngineError::Io {
        message: "the plan file cannot be written: check the folder and the free space".into(),
        source,
    }
}

/// What a plan comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// Per link, in the mapping's order.
    pub links: Vec<LinkPlan>,
    /// Per association rule, in the mapping's order.
    pub rules: Vec<RulePlan>,
    /// API calls that write.
    pub write_calls: u64,
    /// API calls that read: recognised records, and the preconditions that an apply checks.
    pub read_calls: u64,
    /// The day's allowance of calls and what is left of it, if the portal tells.
    pub day: Option<(u64, u64)>,
    /// How long the plan takes under the portal's limits.
    pub duration: Duration,
}

/// One link's plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPlan {
    /// The link's name.
    pub link: String,
    /// The object type.
    pub object: String,
    /// Records read from the source.
    pub read: u64,
    /// As they are.
    pub unchanged: u64,
    /// To be made.
    pub create: u64,
    /// To be updated.
    pub update: u64,
    /// Recognised in HubSpot, to be linked.
    pub adopt: u64,
    /// To be changed in the customer's system.
    #[serde(default)]
    pub back: u64,
    /// To be made in the customer's system.
    #[serde(default)]
    pub create_left: u64,
    /// Properties that wait for a person.
    #[serde(default)]
    pub held: u64,
    /// Outside the scope.
    pub excluded: u64,
    /// Parked, by cause.
    pub parked: std::collections::BTreeMap<String, u64>,
}

/// One association rule's plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulePlan {
    /// The rule's name.
    pub rule: String,
    /// To be added, if both ends come to exist.
    pub add: u64,
    /// To be removed.
    pub remove: u64,
}

impl PlanSummary {
    pub(crate) fn empty(engine: &Engine) -> PlanSummary {
        let mapper = &engine.parts.mapper;
        PlanSummary {
            links: mapper
                .links()
                .iter()
                .map(|link| LinkPlan {
                    link: link.name.clone(),
                    object: link.object.to_string(),
                    ..LinkPlan::default()
                })
                .collect(),
            rules: mapper
                .edge_rules()
                .iter()
                .map(|rule| RulePlan { rule: rule.name.clone(), ..RulePlan::default() })
                .collect(),
            ..PlanSummary::default()
        }
    }

    pub(crate) fn count(&mut self, link: usize, row: &PlannedRow, is_nothing: bool) {
        for (rules, is_add) in [(&row.associate, true), (&row.dissociate, false)] {
            for (name, _) in rules {
                if let Some(rule) = self.rules.iter_mut().find(|rule| rule.rule == *name) {
                    if is_add { rule.add += 1 } else { rule.remove += 1 }
                }
            }
        }
        let Some(plan) = self.links.get_mut(link) else { return };
        plan.back += u64::from(!row.both.back.is_empty());
        match row.verb {
            PlannedVerb::CreateLeft => plan.create_left += 1,
            PlannedVerb::Create => plan.create += 1,
            PlannedVerb::Adopt => plan.adopt += 1,
            PlannedVerb::Update if !row.properties.is_empty() => plan.update += 1,
            PlannedVerb::Update if is_nothing => plan.unchanged += 1,
            PlannedVerb::Update => {}
        }
    }

    /// Calls, quota and time, once everything is counted.
    pub(crate) fn finish(&mut self, report: &RunReport, destination: &dyn Destination) {
        let limits = destination.limits();
        for (plan, report) in self.links.iter_mut().zip(&report.links) {
            plan.read = report.read;
            plan.unchanged += report.unchanged;
            plan.excluded = report.excluded;
            plan.held = report.held;
            plan.parked = report.parked.clone();
        }
        let per = |count: u64, size: usize| count.div_ceil(size.max(1) as u64);
        let (mut write, mut read) = (0, 0);
        for plan in &self.links {
            // Creates and updates of a link share its batches; recognised records go by another key.
            write += per(plan.create + plan.update, limits.write_max) + per(plan.adopt, limits.write_max);
            read += per(plan.adopt, limits.read_max) + per(plan.update, limits.read_max);
        }
        for rule in &self.rules {
            write += per(rule.add, limits.edges_max) + per(rule.remove, limits.edge_removals_max);
        }
        self.write_calls = write;
        self.read_calls = read;
        self.day = destination.day().map(|(left, allowance)| (allowance, left));
        self.duration = destination.forecast(write + read);
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.write_calls == 0 && self.links.iter().all(|link| link.back + link.create_left == 0)
    }
}

/// A plan read back, as far as an apply needs it.
pub struct PlanFile {
    header: Header,
    /// What the plan comes to.
    pub summary: PlanSummary,
    rows: HashMap<(String, ExternalId), Preconditions>,

    /// Rule, removal, near end, far end.
    edges: HashSet<(String, bool, ExternalId, ExternalId)>,
}

impl fmt::Debug for PlanFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanFile").field("header", &self.header).field("rows", &self.rows.len()).finish()
    }
}

/// What must still hold when an operation is carried out.
#[derive(Clone, Copy, Debug)]
struct Preconditions {
    row: Fingerprint,
    base: Fingerprint,
    right: Option<Fingerprint>,
}

/// Whether a plan allows a record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Granted,
    NotPlanned,
    SourceMoved,
    StateMoved,
    RightMoved,
}

impl PlanFile {
    /// Reads a plan.
    ///
    /// # Errors
    /// When it cannot be read, is no plan, or was cut off: the line is named.
    pub fn read(input: impl BufRead) -> Result<PlanFile, EngineError> {
        let bad = |line: usize, why: String| {
            EngineError::Plan(format!("plan file line {line}: {why}; make the plan again with `plan --out`"))
        };
        let mut lines = input.lines();
        let unreadable = |source| EngineError::Io { message: "the plan file cannot be read".into(), source };
        let first = lines.next().transpose().map_err(unreadable)?.unwrap_or_default();
        let header: Header =
            serde_json::from_str(&first).map_err(|_| bad(1, "this is not the head of a plan".into()))?;
        if header.format != FORMAT {
            return Err(bad(1, format!("unknown format `{}`", header.format)));
        }
        let mut plan =
            PlanFile { header, summary: PlanSummary::default(), rows: HashMap::new(), edges: HashSet::new() };
        let mut is_whole = false;
        for (index, line) in lines.enumerate() {
            let line = line.map_err(unreadable)?;
            let parsed: Line =
                serde_json::from_str(&line).map_err(|error| bad(index + 2, error.to_string()))?;
            match parsed {
                Line::Record { link, id, row, base, right, associate, dissociate, .. } => {
                    let print = |text: &str| {
                        u64::from_str_radix(text, 16)
                            .map(Fingerprint)
                            .map_err(|_| bad(index + 2, "a fingerprint is not hexadecimal".into()))
                    };
                    let id = ExternalId::from(id);
                    let right = right.as_deref().map(print).transpose()?;
                    let holds = Preconditions { row: print(&row)?, base: print(&base)?, right };
                    plan.rows.insert((link, id.clone()), holds);
                    plan.edges.extend(associate.into_iter().map(|(rule, to)| (rule, false, id.clone(), to)));
                    plan.edges.extend(dissociate.into_iter().map(|(rule, to)| (rule, true, id.clone(), to)));
                }
                Line::Association { rule, remove, from, to } => {
                    plan.edges.insert((rule, remove, from, to));
                }
                Line::Summary(summary) => {
                    plan.summary = summary;
                    is_whole = true;
                }
            }
        }
        if !is_whole {
            return Err(EngineError::Plan(
                "the plan file was cut off: make the plan again with `plan --out`".into(),
            ));
        }
        Ok(plan)
    }

    pub(crate) fn check(&self, engine: &Engine) -> Result<(), EngineError> {
        let mapping = Fingerprint(engine.parts.mapper.fingerprint()).to_string();
        for (what, theirs, ours) in [
            ("engagement", &self.header.engagement, &engine.parts.engagement),
            ("portal", &self.header.portal, &engine.parts.portal),
            ("mapping", &self.header.mapping, &mapping),
        ] {
            if theirs != ours {
                return Err(EngineError::Plan(format!(
                    "the plan was made for {what} {theirs}, this is {what} {ours}: make the plan again"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn permission(
        &self,
        link: &str,
        id: &ExternalId,
        row: Fingerprint,
        base: Fingerprint,
        right: Option<Fingerprint>,
    ) -> Permission {
        match self.rows.get(&(link.to_owned(), id.clone())) {
            None => Permission::NotPlanned,
            Some(planned) if planned.row != row => Permission::SourceMoved,
            Some(planned) if planned.base != base => Permission::StateMoved,
            Some(planned) if planned.right != right => Permission::RightMoved,
            Some(_) => Permission::Granted,
        }
    }

    pub(crate) fn has_edge(&self, rule: &str, remove: bool, from: &ExternalId, to: &ExternalId) -> bool {
        self.edges.contains(&(rule.to_owned(), remove, from.clone(), to.clone()))
    }
}
