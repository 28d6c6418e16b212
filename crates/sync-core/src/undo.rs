//! Taking back what a run wrote.
//!
//! The journal says which records, properties and associations a run wrote, and by which fingerprints. The values
//! themselves are kept by HubSpot: what stands in a property's history right below our version goes back, to HubSpot or
//! to the source. Only what is still as the run left it is touched; the rest is listed with its reason.
//!
//! What is taken back counts as agreed: both sides may differ from now on, and a property is not written again before
//! its source shows another value than when it was taken back, nor a record made again before its source record or the
//! mapping changes.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync_types::{
    EdgeKind, EdgeRuleId, ExternalId, Fingerprint, Fingerprinter, Intent, LinkId, NameId, OpId, Pair, PairId,
    PairWrite, PropertyName, RecordId, RunRecord, ShownEdge, Transition, Value, Verb, Writing,
};

use crate::decide::Side;
use crate::engine::{Engine, Phase, Progress};
use crate::error::EngineError;
use crate::left::MADE;
use crate::recover::{Extent, Settled};
use crate::report::{EdgeReport, LinkReport, Moved, RunReport};
use crate::run::{Mode, Run};

mod archive;
mod books;
mod decide;
mod edges;
mod file;
mod find;
mod gather;
mod left;
mod right;
mod settle;

use file::Header;
use gather::{Gathered, Place, Written};

/// Runs that are looked through for undos.
const RUNS_MAX: usize = 10_000;

/// What would be taken back of a run, and what would not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoPlan {
    header: Header,
    /// Records, one line for each side that is written.
    pub rows: Vec<UndoRow>,
    /// Associations.
    pub edges: Vec<UndoEdge>,
    /// What stays as it is.
    pub kept: Vec<Kept>,
}

/// One record that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRow {
    /// The link.
    pub link: String,
    /// The record's id in the source.
    pub id: ExternalId,
    /// The record's id in HubSpot.
    pub record: RecordId,
    /// What is done.
    pub verb: UndoVerb,
    /// The properties that get their earlier values back; none where the record itself goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<UndoField>,
}

/// What is done to take a record back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoVerb {
    /// HubSpot's record gets earlier values back.
    Restore,
    /// HubSpot's record, which the run made, is archived.
    Archive,
    /// The source's record gets earlier values back.
    RestoreSource,
    /// The source's record, which the run made, is deleted.
    DeleteSource,
}

/// One property that gets its earlier value back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoField {
    /// The property.
    pub name: PropertyName,
    /// Precondition: the fingerprint of what is shown now.
    pub shown: String,
    /// The fingerprint of what it shows afterwards.
    pub back: String,
}

/// One association that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UndoEdge {
    /// The rule.
    pub rule: String,
    /// The near record, by its id in the source.
    pub from: ExternalId,
    /// The far record, by its id in the source.
    pub to: ExternalId,
    /// Whether it is removed; otherwise it is made again.
    pub remove: bool,
}

/// Something that a run wrote and that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The link or rule.
    pub subject: String,
    /// The record's id in the source, or in HubSpot where it has none.
    pub id: String,
    /// The property or the far record, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Why it stays.
    pub why: String,
}

impl UndoPlan {
    /// The run that is taken back.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.header.run
    }

    /// Whether there is nothing to take back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.edges.is_empty()
    }

    fn check(&self, engine: &Engine) -> Result<(), EngineError> {
        let mapping = mapping_of(engine);
        for (what, theirs, ours) in [
            ("engagement", &self.header.engagement, &engine.parts.engagement),
            ("portal", &self.header.portal, &engine.parts.portal),
            ("mapping", &self.header.mapping, &mapping),
        ] {
            if theirs != ours {
                return Err(EngineError::Plan(format!(
                    "the undo was made for {what} {theirs}, this is {what} {ours}: make it again"
                )));
            }
        }
        Ok(())
    }
}

fn mapping_of(engine: &Engine) -> String {
    Fingerprint(engine.parts.mapper.fingerprint()).to_string()
}

impl Engine {
    /// Finds out what of a run can be taken back. Writes nothing on either side; what an interrupted run or undo has left
    /// in doubt is looked up first, as far as reading tells, and noted in the store.
    ///
    /// # Errors
    /// When there was no such run, what it wrote is not on record any more, or a side or the store cannot be read.
    pub async fn plan_undo(&mut self, run: u64) -> Result<UndoPlan, EngineError> {
        let settled = self.settle_before_undo(Extent::Reading).await?;
        if let Some(why) = settled.halt {
            return Err(EngineError::Plan(format!(
                "what an interrupted run has left in doubt cannot be looked up: {why}"
            )));
        }
        let mut undoing = Undoing::start(self, run, None)?;
        undoing.go().await?;
        Ok(undoing.plan)
    }

    /// Takes back what the plan lists, and nothing else; each line is checked again right before it is written, and what
    /// moved since is skipped and listed. May be repeated after a crash: what is back already is left alone, and what
    /// somebody had set in the moment of the undo is found and put back, by whoever comes next.
    ///
    /// It is a run of its own, with a number and a report, and can itself be taken back.
    ///
    /// # Errors
    /// When the plan belongs to another engagement, portal or mapping, or the store fails. A source or HubSpot that stops
    /// working halts the undo and is named in the report.
    pub async fn undo(&mut self, plan: UndoPlan) -> Result<RunReport, EngineError> {
        plan.check(self)?;
        let run = plan.run();
        let settled = self.settle_before_undo(Extent::BeforeUndo).await?;
        let mut undoing = Undoing::start(self, run, Some(plan))?;
        let begun = undoing.begin(settled);
        let went = match begun {
            Ok(()) => undoing.go().await,
            Err(error) => Err(error),
        };
        match went {
            Err(EngineError::Source(error)) => undoing.report.halted = Some(error.to_string()),
            Err(EngineError::Destination(error)) => undoing.report.halted = Some(error.to_string()),
            other => other?,
        }
        undoing.end()
    }

    async fn settle_before_undo(&mut self, extent: Extent) -> Result<Settled, EngineError> {
        Box::pin(Run::start(self, Mode::Run)?.settle_open(extent)).await
    }

    /// What these intents were about to write, of those that are an undo's.
    pub(crate) fn writings_of_undos(
        &self,
        intents: &[Intent],
    ) -> Result<HashMap<OpId, Writing>, EngineError> {
        let mut found = HashMap::new();
        if intents.is_empty() {
            return Ok(found);
        }
        let undos = undos(self)?;
        if undos.is_empty() {
            return Ok(found);
        }
        for intent in intents {
            let before = OpId(intent.op.0.saturating_sub(1));
            let writing = self.parts.store.writings(0, before, 1)?.pop();
            let of_undo =
                writing.filter(|writing| writing.op == intent.op && undos.contains_key(&writing.run));
            found.extend(of_undo.map(|writing| (intent.op, writing)));
        }
        Ok(found)
    }

    /// A pair by its number.
    fn pair(&self, link: NameId, id: PairId) -> Result<Option<Pair>, EngineError> {
        let before = PairId(id.0.saturating_sub(1));
        let found = self.parts.store.scan_pairs(link, before, 1)?.into_iter().next();
        Ok(found.filter(|pair| pair.id == id))
    }
}

/// An undo under way: a plan is made, and, if one was given, carried out as far as it still holds.
struct Undoing<'e> {
    engine: &'e mut Engine,
    prints: Fingerprinter,
    null: Fingerprint,
    gathered: Gathered,
    /// What is found now.
    plan: UndoPlan,
    /// What may be carried out; `None`: nothing, for a plan is made.
    may: Option<Permitted>,
    report: RunReport,
    /// Records of HubSpot that go: their associations go with them.
    going: HashSet<(NameId, ExternalId)>,
    /// HubSpot records of which nobody knows yet whether one was made in the source.
    in_doubt: HashSet<(NameId, ExternalId)>,
    started: Timestamp,
    next_op: u64,
}

/// The lines of a plan that were not met yet.
#[derive(Debug, Default)]
struct Permitted {
    rows: HashMap<(String, ExternalId, UndoVerb), UndoRow>,
    edges: HashMap<UndoEdge, ()>,
}

impl<'e> Undoing<'e> {
    fn start(engine: &'e mut Engine, run: u64, plan: Option<UndoPlan>) -> Result<Undoing<'e>, EngineError> {
        let gathered = Gathered::read(engine, run, undos(engine)?)?;
        if !gathered.is_known {
            may_be_empty(engine, run)?;
        }
        let store = &engine.parts.store;
        let prints = Fingerprinter::new(store.fingerprint_key());
        let number = store.runs(1)?.first().map_or(0, |run| run.run) + 1;
        let next_op = store.cursor("op")?.and_then(|text| text.parse().ok()).unwrap_or(1_u64);
        let mapper = &engine.parts.mapper;
        let link = |link: &sync_types::Link| LinkReport { link: link.name.clone(), ..LinkReport::default() };
        let rule =
            |rule: &sync_types::EdgeRule| EdgeReport { rule: rule.name.clone(), ..EdgeReport::default() };
        let report = RunReport {
            run: number,
            undoes: Some(run),
            links: mapper.links().iter().map(link).collect(),
            edges: mapper.edge_rules().iter().map(rule).collect(),
            ..RunReport::default()
        };
        let open = store.open_intents()?.into_iter().filter(|intent| intent.verb == Verb::WriteLeft);
        let in_doubt = open.flat_map(|intent| {
            let made = intent.rows.into_iter().filter(|(_, generation)| *generation == MADE);
            made.map(move |(id, _)| (intent.subject, id))
        });
        let in_doubt = in_doubt.collect();
        let started = engine.parts.clock.now();
        let header =
            Header::new(&engine.parts.engagement, &engine.parts.portal, mapping_of(engine), run, started);
        let may = plan.map(|plan| Permitted {
            rows: plan
                .rows
                .into_iter()
                .map(|row| ((row.link.clone(), row.id.clone(), row.verb), row))
                .collect(),
            edges: plan.edges.into_iter().map(|edge| (edge, ())).collect(),
        });
        Ok(Undoing {
            null: prints.value(&Value::Null),
            prints,
            gathered,
            plan: UndoPlan { header, rows: Vec::new(), edges: Vec::new(), kept: Vec::new() },
            may,
            report,
            going: HashSet::new(),
            in_doubt,
            started,
            next_op,
            engine,
        })
    }

    /// Notes the run, and what was settled before it.
    fn begin(&mut self, settled: Settled) -> Result<(), EngineError> {
        self.next_op = self.next_op.max(settled.next_op);
        let noted = self.noted(None)?;
        self.commit(noted)?;
        self.take_in(settled)
    }

    fn end(mut self) -> Result<RunReport, EngineError> {
        // What the plan lists and nobody met: back already, or not to be had any more.
        let left = self.may.take().unwrap_or_default();
        for ((link, id, _), _) in left.rows {
            let why = self.plan.kept.iter().find(|kept| kept.subject == link && kept.id == id.as_str());
            let why = why.map(|kept| kept.why.clone());
            match (self.link_report(&link), why) {
                (Some(report), Some(why)) => {
                    report.read += 1;
                    report.skipped += 1;
                    self.report.moved.push(Moved { link, id: id.to_string(), why });
                }
                (Some(report), None) => {
                    report.read += 1;
                    report.unchanged += 1;
                }
                (None, _) => {}
            }
        }
        let transition = self.noted(Some(self.engine.parts.clock.now()))?;
        self.commit(transition)?;
        Ok(self.report)
    }

    fn noted(&self, ended: Option<Timestamp>) -> Result<Transition, EngineError> {
        let report = serde_json::to_string(&self.report)
            .map_err(|error| EngineError::Io { message: "the run report".into(), source: error.into() })?;
        Ok(Transition {
            run: Some(RunRecord { run: self.report.run, started: self.started, ended, report }),
            cursors: vec![("op".into(), self.next_op.to_string())],
            ..Transition::default()
        })
    }

    async fn go(&mut self) -> Result<(), EngineError> {
        let records = std::mem::take(&mut self.gathered.records);
        let mut by_link: HashMap<(NameId, Side), Vec<(Place, Written)>> = HashMap::new();
        for (place, written) in records {
            by_link.entry((place.link, place.side)).or_default().push((place, written));
        }
        // The source first, the other way about than a run; and records before associations, because what is archived
        // takes its associations with it. Links in the reverse order: children before parents.
        for side in [Side::Left, Side::Right] {
            for place in (0..self.engine.names.len()).rev() {
                let Ok(number) = u16::try_from(place) else { continue };
                let link = LinkId(number);
                let Some(found) = by_link.remove(&(self.engine.names[place].link, side)) else { continue };
                match side {
                    Side::Left => self.undo_left(link, found).await?,
                    Side::Right => self.undo_right(link, found).await?,
                }
            }
        }
        for (place, _) in by_link.into_values().flatten() {
            let subject = self.engine.link_name(place.link);
            self.keep(subject, place.id.to_string(), None, "its link has left the mapping".into());
        }
        self.undo_edges().await
    }

    fn keep(&mut self, subject: String, id: String, what: Option<String>, why: String) {
        self.plan.kept.push(Kept { subject, id, what, why });
    }

    /// Whether this line is carried out now: never in a plan, where it is listed; otherwise only as it was planned.
    fn may(&mut self, link: LinkId, row: &UndoRow) -> bool {
        self.plan.rows.push(row.clone());
        let Some(may) = &mut self.may else { return false };
        let Some(planned) = may.rows.remove(&(row.link.clone(), row.id.clone(), row.verb)) else {
            return false;
        };
        let report = &mut self.report.links[usize::from(link.0)];
        report.read += 1;
        if planned == *row {
            return true;
        }
        report.skipped += 1;
        let why = "it moved since the undo was planned".into();
        self.report.moved.push(Moved { link: row.link.clone(), id: row.id.to_string(), why });
        false
    }

    fn link_report(&mut self, link: &str) -> Option<&mut LinkReport> {
        self.report.links.iter_mut().find(|report| report.link == link)
    }

    fn progress(&self, subject: &str, done: u64) {
        let phase = if self.may.is_some() { Phase::Records } else { Phase::Verify };
        self.engine.report_progress(&Progress { subject, phase, done, written: self.report.written() });
    }
}

/// Nothing that the run wrote is on record: so it has to have written nothing.
fn may_be_empty(engine: &Engine, run: u64) -> Result<(), EngineError> {
    let runs = engine.parts.store.runs(RUNS_MAX)?;
    let Some(known) = runs.iter().find(|known| known.run == run) else {
        return Err(EngineError::Unknown(format!("there was no run {run}: `status` lists the newest runs")));
    };
    let report: RunReport = serde_json::from_str(&known.report).unwrap_or_default();
    let left = |link: &LinkReport| link.written_left() + link.deleted;
    let did = report.written() + report.edges_written() + report.links.iter().map(left).sum::<u64>();
    if did == 0 {
        return Ok(());
    }
    Err(EngineError::Unknown(format!(
        "what run {run} wrote is not on record any more: it is kept for {} days",
        engine.parts.options.keep_writings.as_secs() / 86_400
    )))
}

/// The runs that are undos, each with the run that it takes back.
fn undos(engine: &Engine) -> Result<HashMap<u64, u64>, EngineError> {
    let runs = engine.parts.store.runs(RUNS_MAX)?;
    let undone = |run: &RunRecord| serde_json::from_str::<RunReport>(&run.report).ok()?.undoes;
    Ok(runs.iter().filter_map(|run| Some((run.run, undone(run)?))).collect())
}

/// A pair as it is, to be changed in one thing.
pub(crate) fn as_it_is(link: NameId, pair: &Pair) -> PairWrite {
    PairWrite {
        link,
        external: pair.external.clone(),
        record: pair.record.clone(),
        generation: pair.generation,
        state: pair.state,
        since: pair.since,
        row: pair.row,
        bases: pair.bases.clone(),
        want: Vec::new(),
        unwant: Vec::new(),
        renew_edges: None,
    }
}

fn rule_id(place: usize) -> Option<EdgeRuleId> {
    u16::try_from(place).ok().map(EdgeRuleId)
}

/// Whether this kind holds between a record and another.
fn is_shown(shown: &[ShownEdge], to: &RecordId, kind: &EdgeKind) -> bool {
    shown.iter().any(|edge| edge.to == *to && edge.kinds.contains(kind))
}
