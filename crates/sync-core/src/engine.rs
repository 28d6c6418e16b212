//! The engine: what a caller holds.

use std::sync::Arc;
use std::time::Duration;

use sync_types::{
    ChangeKind, Clock, ConflictFilter, DeadLetter, DeadLetterFilter, Destination, EdgePlace, EdgeState,
    ExternalId, Feed, HeldConflict, Lane, LinkId, Mapper, NameId, NameKind, OnDelete, PropertyName, RecordId,
    RunRecord, Sighting, Source, SourceWriter, StateStore, Totals, Transition,
};
use tokio::sync::mpsc;

use crate::absence::WHOLE_RECORD;
use crate::blackout::{Calendar, gate};
use crate::decide::Side;
use crate::error::EngineError;
use crate::meet::stranger_of;
use crate::plan_file::{PlanFile, PlanSink, PlanSummary};
use crate::report::RunReport;
use crate::run::{Mode, Run};
use crate::verify::{self, Level, VerifyReport};

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// The engagement's name: part of every sync key, never to be changed.
    pub engagement: String,
    /// The portal's id, for plans.
    pub portal: String,
    /// The checked mapping.
    pub mapper: Arc<dyn Mapper>,
    /// The customer's system.
    pub source: Arc<dyn Source>,
    /// The customer's system, written; for links that flow to the left.
    pub writer: Option<Arc<dyn SourceWriter>>,
    /// HubSpot.
    pub destination: Arc<dyn Destination>,
    /// What tells of changes in HubSpot; for links that flow to the left.
    pub feed: Option<Arc<dyn Feed>>,
    /// The engine's memory.
    pub store: Box<dyn StateStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How to go about it.
    pub options: Options,
}

/// How to go about a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The lane of a run's own writes. Default: [`Lane::Backfill`].
    pub lane: Lane,
    /// Records read from the source at once. Default: 1,000.
    pub page: usize,
    /// How long a write without an answer is left alone before it is sent again, so that a late arrival of the
    /// first attempt comes before the second. Default: 5 s.
    pub settle: Duration,
    /// How often a write without an answer is sent in one run. Default: 3.
    pub tries_max: u8,
    /// How long an absence must last before it is acted upon: a merge may be told after the deletion that came of
    /// it, and a scan may have missed a record. Default: 10 minutes.
    pub absence: Duration,
    /// Whether the run reads the ids of all of HubSpot's records, and looks at those that no pair knows and at the
    /// pairs whose record is not among them: what a feed without deletions does not tell. Default: false; costs a
    /// call for each 100 records.
    pub sweep: bool,
    /// Deletions beyond which a run carries out none and halts: at most so many of a link, and at most a twentieth
    /// of its pairs. Default: 100; `u64::MAX`: no such limit.
    pub deletions_max: u64,
    /// For how long only what has changed is read of a source that can be asked for it; then everything is read once,
    /// to find what it may have failed to tell. Zero: everything is read in every run. Default: a day.
    pub rescan: Duration,
    /// Whether the run is there for what happened in HubSpot: of the source it reads what that concerns, and what has
    /// changed where that can be asked for, but nothing in full unless it never was, under this mapping. Default: false.
    pub right_only: bool,
    /// Hours in which a side is left in peace. Default: none.
    pub calendar: Calendar,
    /// Whether every write to a property that flows both ways is looked up in its history afterwards, to find what
    /// somebody set in the moment between reading and writing. Default: true; costs a call for each 50 records.
    pub audit: bool,
    /// How often within a day somebody may set a property of HubSpot back to one and the same value from what we wrote,
    /// before it is left alone and held for a person, with the name of who does so. Seen when histories are read, so not
    /// without [`Options::audit`]. Default: 3; 0: any number of times.
    pub flips_max: u32,
    /// How long it stays on record what a run wrote, so that it can be taken back and explained. Default: 30 days,
    /// beyond which HubSpot's own history of busy properties does not reach either.
    pub keep_writings: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            lane: Lane::Backfill,
            page: 1_000,
            settle: Duration::from_secs(5),
            tries_max: 3,
            absence: Duration::from_secs(600),
            sweep: false,
            deletions_max: 100,
            rescan: Duration::from_secs(24 * 3600),
            right_only: false,
            calendar: Calendar::default(),
            audit: true,
            flips_max: 3,
            keep_writings: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// The cause by which refused associations are chosen.
pub(crate) const REFUSED: &str = "association-refused";

/// Reports progress; called often, must be quick.
pub type ProgressFn = Arc<dyn Fn(&Progress<'_>) + Send + Sync>;

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The link or association rule at work.
    pub subject: &'a str,
    /// What is done with it.
    pub phase: Phase,
    /// Records read of this link, or edges settled of this rule.
    pub done: u64,
    /// Records written to HubSpot in the whole run.
    pub written: u64,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading HubSpot to recognise records.
    Discover,
    /// Reading the source, writing records.
    Records,
    /// Writing associations.
    Associations,
    /// Comparing both sides.
    Verify,
}

/// Tells a running engine about a change that somebody waits for.
#[derive(Clone, Debug)]
pub struct LiveHandle(mpsc::UnboundedSender<(String, ExternalId)>);

impl LiveHandle {
    /// Asks the engine to look at a record of a link now, ahead of everything else. Telling it twice, or about a
    /// record that has not changed, costs a look.
    pub fn touch(&self, link: &str, id: ExternalId) {
        // The engine is gone: its next run looks at every record anyway.
        let _ = self.0.send((link.to_owned(), id));
    }
}

/// A sync of one engagement with one portal.
#[derive(Debug)]
pub struct Engine {
    pub(crate) parts: Parts,
    pub(crate) names: Vec<LinkNames>,
    pub(crate) rules: Vec<NameId>,
    pub(crate) live: mpsc::UnboundedReceiver<(String, ExternalId)>,
    live_sender: mpsc::UnboundedSender<(String, ExternalId)>,
    progress: Option<ProgressSlot>,
}

/// A progress callback, without a useful `Debug`.
struct ProgressSlot(ProgressFn);

impl std::fmt::Debug for ProgressSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProgressFn")
    }
}

/// The store's numbers for a link and its properties.
#[derive(Debug)]
pub(crate) struct LinkNames {
    pub(crate) link: NameId,
    pub(crate) properties: Vec<NameId>,
    /// The names of the properties, shared by every batch.
    pub(crate) wire: Arc<[PropertyName]>,
    /// Whether anything of the link flows to the left, or a deletion on either side means something to the other: then
    /// feeds are heard, and absences are looked for.
    pub(crate) is_heard: bool,
    /// Whether a change cannot be decided on without the other side: all that is heard, and what depends on the value
    /// that the right has.
    pub(crate) is_both_ways: bool,
}

impl Engine {
    /// An engine over these parts.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new(parts: Parts) -> Result<Engine, EngineError> {
        let mut parts = gate::close(parts);
        let mapper = Arc::clone(&parts.mapper);
        let mut names = Vec::new();
        for link in mapper.links() {
            let properties = link
                .properties
                .iter()
                .map(|property| {
                    parts.store.name(NameKind::Property, &format!("{}/{}", link.name, property.name))
                })
                .collect::<Result<_, _>>()?;
            let is_heard = link.direction.to_left()
                || link.on_left_delete != OnDelete::Keep
                || link.on_right_delete != OnDelete::Keep
                || link.on_scope_exit != OnDelete::Keep;
            names.push(LinkNames {
                link: parts.store.name(NameKind::Link, &link.name)?,
                properties,
                wire: link.properties.iter().map(|property| property.name.clone()).collect(),
                is_heard,
                is_both_ways: is_heard
                    || link.properties.iter().any(|property| property.ratchet || !property.overwrite),
            });
        }
        let rules = mapper
            .edge_rules()
            .iter()
            .map(|rule| parts.store.name(NameKind::EdgeRule, &rule.name))
            .collect::<Result<_, _>>()?;
        let (live_sender, live) = mpsc::unbounded_channel();
        Ok(Engine { parts, names, rules, live, live_sender, progress: None })
    }

    /// Reports progress to this from now on.
    pub fn on_progress(&mut self, report: ProgressFn) {
        self.progress = Some(ProgressSlot(report));
    }

    /// A handle to tell a running engine about changes.
    #[must_use]
    pub fn live_handle(&self) -> LiveHandle {
        LiveHandle(self.live_sender.clone())
    }

    /// Brings every changed record over, once. May be repeated at any time: what is done is not done again, what
    /// was cut off is settled first.
    ///
    /// # Errors
    /// When the store fails. A source or HubSpot that stops working halts the run and is named in the report; so does a
    /// [blackout](Options::calendar). Where one is on already no run begins: the report has no number and no links.
    pub async fn run_once(&mut self) -> Result<RunReport, EngineError> {
        let Parts { options, clock, .. } = &self.parts;
        if let Some(closed) = options.calendar.closed_to_runs(options.lane, clock.now()) {
            return Ok(RunReport { halted: Some(closed.to_string()), ..RunReport::default() });
        }
        Box::pin(Run::start(self, Mode::Run)?.go()).await
    }

    /// Finds out what [`Engine::run_once`] would do, writing each operation to `sink`. Sends no write and changes
    /// nothing in the store; work that an earlier run left open stays open.
    ///
    /// # Errors
    /// When the source, HubSpot, the store or the sink fails.
    pub async fn plan(&mut self, sink: PlanSink) -> Result<PlanSummary, EngineError> {
        Box::pin(Run::start(self, Mode::Plan(sink))?.plan()).await
    }

    /// Does what a plan says, and nothing else. An operation whose record moved on either side since the plan was
    /// made is skipped and listed.
    ///
    /// # Errors
    /// When the plan belongs to another engagement, portal or mapping, or the store fails.
    pub async fn apply(&mut self, plan: PlanFile) -> Result<RunReport, EngineError> {
        plan.check(self)?;
        Box::pin(Run::start(self, Mode::Apply(Box::new(plan)))?.go()).await
    }

    /// Compares both sides: counts, identifiers, every mapped property and every association. Writes nothing.
    ///
    /// # Errors
    /// When a side or the store cannot be read.
    pub async fn verify(&mut self) -> Result<VerifyReport, EngineError> {
        self.verify_to(Level::default(), 0).await
    }

    /// Compares both sides as deep as asked. A seed chooses the samples of [`Level::Samples`]. Writes nothing.
    ///
    /// # Errors
    /// When a side or the store cannot be read.
    pub async fn verify_to(&mut self, level: Level, seed: u64) -> Result<VerifyReport, EngineError> {
        verify::verify(self, level, seed).await
    }

    /// The store's totals.
    ///
    /// # Errors
    /// When the store fails.
    pub fn totals(&self) -> Result<Totals, EngineError> {
        Ok(self.parts.store.totals()?)
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn runs(&self, max: usize) -> Result<Vec<RunRecord>, EngineError> {
        Ok(self.parts.store.runs(max)?)
    }

    /// Dead letters, oldest first: of one link or all, of one cause or all, of one record or all.
    ///
    /// # Errors
    /// When the store fails.
    pub fn dead_letters(&self, select: &Select) -> Result<Vec<(String, DeadLetter)>, EngineError> {
        let letters = self.parts.store.dead_letters(&self.filter(select))?;
        Ok(letters.into_iter().map(|letter| (self.link_name(letter.link), letter)).collect())
    }

    /// Has the next run try these dead letters again, and the associations that HubSpot refused: all, those of a rule that
    /// is named as the link, of a record, or by the cause `association-refused`. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn retry_dead_letters(&mut self, select: &Select) -> Result<usize, EngineError> {
        let letters = self.parts.store.dead_letters(&self.filter(select))?;
        let mut transition = Transition::default();
        for letter in letters.iter().filter(|letter| !letter.is_place) {
            match stranger_of(&letter.external) {
                Some(record) => {
                    let sighting = Sighting { record, kind: ChangeKind::Changed };
                    transition.sight.push((letter.link, sighting));
                    transition.unpark.push((letter.link, letter.external.clone()));
                }
                None => transition.dirty.push((letter.link, letter.external.clone())),
            }
        }
        for (name, place, ..) in self.refused(select)? {
            transition.edges.push((name, place, Some(EdgeState::Wanted)));
        }
        self.parts.store.commit(&transition)?;
        Ok(transition.dirty.len() + transition.sight.len() + transition.edges.len())
    }

    /// Associations that HubSpot refused: their rule, the near and the far record by their ids in the source. Of one rule,
    /// named as a link is, or of all.
    ///
    /// # Errors
    /// When the store fails.
    pub fn refused_edges(
        &self,
        select: &Select,
    ) -> Result<Vec<(String, ExternalId, ExternalId)>, EngineError> {
        let refused = self.refused(select)?;
        Ok(refused.into_iter().map(|(rule, place, near)| (self.rule_title(rule), near, place.to)).collect())
    }

    fn refused(&self, select: &Select) -> Result<Vec<(NameId, EdgePlace, ExternalId)>, EngineError> {
        let mut found = Vec::new();
        let is_of_cause = select.cause.as_ref().is_none_or(|cause| cause == REFUSED);
        for (rule, name) in self.parts.mapper.edge_rules().iter().zip(&self.rules) {
            if !is_of_cause || select.link.as_ref().is_some_and(|asked| *asked != rule.name) {
                continue;
            }
            let near = self.names[usize::from(rule.from.0)].link;
            let to = self.names[usize::from(rule.to.0)].link;
            let mut after: Option<EdgePlace> = None;
            loop {
                let store = &self.parts.store;
                let refused = store.ready_edges(*name, to, EdgeState::Refused, after.as_ref(), 1_000)?;
                let Some(last) = refused.last() else { break };
                after = Some(last.place.clone());
                let records: Vec<RecordId> = refused.iter().map(|edge| edge.from.clone()).collect();
                let pairs = store.pairs_by_record(near, &records)?;
                for (edge, pair) in refused.into_iter().zip(pairs) {
                    let Some(pair) = pair else { continue };
                    if select.id.as_ref().is_none_or(|id| id == pair.external.as_str()) {
                        found.push((*name, edge.place, pair.external));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Forgets these dead letters; returns how many. The next run tries the records, and parks those still at fault.
    ///
    /// # Errors
    /// When the store fails.
    pub fn discard_dead_letters(&mut self, select: &Select) -> Result<usize, EngineError> {
        let letters = self.parts.store.dead_letters(&self.filter(select))?;
        let mut transition = Transition::default();
        for letter in letters {
            let link = self.names.iter().position(|names| names.link == letter.link);
            let link = link.and_then(|place| u16::try_from(place).ok()).map(LinkId);
            if !letter.is_place && link.is_some_and(|link| self.can_follow(link)) {
                transition.dirty.push((letter.link, letter.external.clone()));
            }
            transition.unpark.push((letter.link, letter.external));
        }
        self.parts.store.commit(&transition)?;
        Ok(transition.unpark.len())
    }

    /// Conflicts with the names of their link and property, oldest first: those that wait for a person, or those that
    /// were settled by policy.
    ///
    /// # Errors
    /// When the store fails.
    pub fn conflicts(&self, which: &Which) -> Result<Vec<(String, String, HeldConflict)>, EngineError> {
        let filter = ConflictFilter { max: 0, ..self.conflict_filter(which) };
        let named = self
            .parts
            .store
            .conflicts(&filter)?
            .into_iter()
            .map(|held| (self.link_name(held.link), self.property_name(held.link, held.property), held));
        let asked =
            named.filter(|(_, property, _)| which.property.as_ref().is_none_or(|asked| asked == property));
        Ok(asked.take(if which.max == 0 { usize::MAX } else { which.max }).collect())
    }

    /// Says whose value these conflicts go to, and has the next run carry it out; returns how many. The word holds
    /// for the values that both sides showed when it was asked for: if one has moved since, it is asked anew.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resolve_conflicts(&mut self, which: &Which, side: Side) -> Result<usize, EngineError> {
        let held = self.conflicts(&Which { settled: false, ..which.clone() })?;
        let mut transition = Transition::default();
        for (_, _, mut conflict) in held {
            conflict.decision = Some(if side == Side::Left { "left" } else { "right" }.to_owned());
            transition.dirty.push((conflict.link, conflict.external.clone()));
            transition.hold.push(conflict);
        }
        self.parts.store.commit(&transition)?;
        Ok(transition.hold.len())
    }

    fn conflict_filter(&self, which: &Which) -> ConflictFilter {
        let select = Select { link: which.link.clone(), ..Select::default() };
        ConflictFilter {
            link: self.filter(&select).link,
            cause: which.cause.clone(),
            external: which.id.clone().map(ExternalId::from),
            settled: which.settled,
            max: which.max,
        }
    }

    /// A property's name by the store's number.
    pub(crate) fn property_name(&self, link: NameId, property: NameId) -> String {
        if property == WHOLE_RECORD {
            return "the record".into();
        }
        let link = self.names.iter().position(|names| names.link == link);
        let place = link.and_then(|link| {
            let place = self.names.get(link)?.properties.iter().position(|name| *name == property)?;
            self.parts.mapper.links().get(link)?.properties.get(place)
        });
        place.map_or_else(|| format!("property {}", property.0), |property| property.name.to_string())
    }

    fn filter(&self, select: &Select) -> DeadLetterFilter {
        // A link that the mapping does not know selects nothing: number 0 is never given out.
        let number = |name: &String| {
            let found = self.parts.mapper.links().iter().position(|link| link.name == *name);
            found.and_then(|place| self.names.get(place)).map_or(NameId(0), |names| names.link)
        };
        DeadLetterFilter {
            link: select.link.as_ref().map(number),
            cause: select.cause.clone(),
            external: select.id.clone().map(ExternalId::from),
            max: select.max,
        }
    }

    /// An association rule's name by the store's number; rules that left the mapping keep their number.
    pub(crate) fn rule_title(&self, id: NameId) -> String {
        let place = self.rules.iter().position(|name| *name == id);
        let rule = place.and_then(|place| self.parts.mapper.edge_rules().get(place));
        rule.map_or_else(|| format!("rule {}", id.0), |rule| rule.name.clone())
    }

    /// A link's name by the store's number; links that left the mapping keep their number.
    #[must_use]
    pub fn link_name(&self, id: NameId) -> String {
        let place = self.names.iter().position(|names| names.link == id);
        let link = place.and_then(|place| self.parts.mapper.links().get(place));
        link.map_or_else(|| format!("link {}", id.0), |link| link.name.clone())
    }

    pub(crate) fn report_progress(&self, progress: &Progress<'_>) {
        if let Some(slot) = &self.progress {
            (slot.0)(progress);
        }
    }

    /// Whether a link's source can be asked for changes.
    pub(crate) fn can_follow(&self, link: LinkId) -> bool {
        let spec = self.parts.mapper.links().get(usize::from(link.0));
        spec.is_some_and(|spec| self.parts.source.abilities(&spec.collection).changes.is_some())
    }

    pub(crate) fn link_by_name(&self, name: &str) -> Option<LinkId> {
        let place = self.parts.mapper.links().iter().position(|link| link.name == name)?;
        u16::try_from(place).ok().map(LinkId)
    }
}

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// Of this link.
    pub link: Option<String>,
    /// Of this cause.
    pub cause: Option<String>,
    /// Of this record.
    pub id: Option<String>,
    /// At most this many; 0: all.
    pub max: usize,
}

/// Which conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this link.
    pub link: Option<String>,
    /// Of this cause.
    pub cause: Option<String>,
    /// About this property; `the record` where it is about the whole.
    pub property: Option<String>,
    /// Of this record, by its id in the source.
    pub id: Option<String>,
    /// Those that were settled by policy, instead of those that wait for a person.
    pub settled: bool,
    /// At most this many; 0: all.
    pub max: usize,
}
