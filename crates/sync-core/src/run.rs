//! One run: the loop that reads the source, sends batches and records what became of them.
//!
//! One task decides; only calls run beside it. Everything that happened since the last commit and everything that
//! is about to be sent goes to disk in one transaction, so a run of full batches costs one commit a batch.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use sync_types::{
    ChangeCursor, Destination, EdgeRuleId, ExternalId, FieldBase, FieldWrite, Fingerprint, Fingerprinter,
    Lane, LinkId, NameId, OpId, PageToken, PairId, ReadRequest, RecordId, RunRecord, Sighting, Target,
    Transition, Value,
};
use tokio::task::JoinSet;

use crate::calls::{Landed, Outgoing};
use crate::engine::{Engine, Phase, Progress};
use crate::error::EngineError;
use crate::left::BackRow;
use crate::meet::Meeting;
use crate::mutation::{self, Bug};
use crate::observe::Discovered;
use crate::pair_set::PairSet;
use crate::plan_file::{PlanFile, PlanSink, PlanSummary};
use crate::report::{EdgeReport, LinkReport, RunReport};
use crate::scope::Leaver;

/// Keys looked at in one run; what is left waits for the next.
pub(crate) const DIRTY_MAX: usize = 100_000;

/// The cursor under which it is kept how the right's history names our own writes.
pub(crate) const AUTHOR: &str = "author";

/// What a run is for.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Write whatever changed.
    Run,
    /// Write nothing, list everything.
    Plan(PlanSink),
    /// Write what a plan lists.
    Apply(Box<PlanFile>),
}

/// Why a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Update,
    Adopt,
    /// Made on the left of a right record.
    CreateLeft,
}

/// A record on its way.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) external: ExternalId,
    pub(crate) generation: u32,
    pub(crate) kind: Kind,
    /// The source record's fingerprint, kept once everything is over.
    pub(crate) row: Fingerprint,
    /// The wanted value of every property, as fingerprints.
    pub(crate) prints: Box<[Option<Fingerprint>]>,
    /// What was agreed before.
    pub(crate) bases: Vec<FieldBase>,
    pub(crate) record: Option<RecordId>,
    pub(crate) values: Vec<(u16, Value)>,
    pub(crate) want: Vec<(NameId, ExternalId)>,
    pub(crate) unwant: Vec<(NameId, ExternalId)>,
    pub(crate) tries: u8,
    /// The dead letter that this record has, if any, goes when it succeeds.
    pub(crate) parked: bool,
    /// What else belongs to the record of a link that flows both ways.
    pub(crate) both: Option<Box<crate::meet::BothWays>>,
}

pub(crate) struct Run<'e> {
    pub(crate) engine: &'e mut Engine,
    pub(crate) mode: Mode,
    pub(crate) number: u64,
    pub(crate) started: Timestamp,
    pub(crate) prints: Fingerprinter,
    pub(crate) null: Fingerprint,
    pub(crate) report: RunReport,
    pub(crate) summary: PlanSummary,
    /// What happened and is not on disk yet.
    pub(crate) tx: Transition,
    /// Rows that do not fill a batch yet.
    pub(crate) building: BTreeMap<(LinkId, Target, Lane), Vec<Staged>>,
    /// Pairs to look at on both sides that do not fill a read yet.
    pub(crate) meetings: BTreeMap<(LinkId, Lane), Vec<Meeting>>,
    /// Rows for the left that do not fill a batch yet.
    pub(crate) building_left: BTreeMap<(LinkId, Lane), Vec<BackRow>>,
    /// Pairs whose right record is to be deleted.
    pub(crate) archiving: BTreeMap<(LinkId, Lane), Vec<Meeting>>,
    /// Pairs whose left record is outside the scope, until their link has been read.
    pub(crate) leaving: BTreeMap<LinkId, Vec<Leaver>>,
    /// What a feed told while a plan is made: a plan keeps nothing.
    pub(crate) heard: Vec<(LinkId, Sighting)>,
    /// Records that only get their sync key.
    pub(crate) keyed: HashSet<(LinkId, ExternalId)>,
    pub(crate) ready: VecDeque<Outgoing>,
    pub(crate) flying: JoinSet<Landed>,
    /// Rows of each call in the air, should its task die.
    pub(crate) aloft: HashMap<tokio::task::Id, (LinkId, u64)>,
    /// Writes without an answer, and when to send them again.
    pub(crate) retry: Vec<(Duration, Outgoing)>,
    pub(crate) next_op: u64,
    /// Pairs met in this run's scans.
    pub(crate) seen: PairSet,
    /// Pairs above this were made in this run.
    pub(crate) last_pair: PairId,
    /// Records staged or in the air.
    pub(crate) in_hand: HashSet<(LinkId, ExternalId)>,
    /// Links with dead letters, so that clean links need no look-up.
    pub(crate) has_letters: HashSet<NameId>,
    pub(crate) discovered: HashMap<LinkId, Discovered>,
    /// Records that somebody asked for and that were looked at.
    pub(crate) asked: HashSet<(LinkId, ExternalId)>,
    /// Properties that wait for a person, as far as this run has seen.
    pub(crate) held: HashSet<(LinkId, ExternalId, NameId)>,
    /// Records that waited in this run for another one to be made.
    pub(crate) waited: HashSet<(LinkId, ExternalId)>,
    /// Records that recovery linked in this run.
    pub(crate) recovered: HashSet<(LinkId, ExternalId)>,
    /// What an earlier run was about to write to records of which it did not note the outcome.
    pub(crate) written_before: HashMap<(LinkId, ExternalId), Vec<FieldWrite>>,
    /// Natural keys that records of the left hold, by link: the place of a match rule's property and its value.
    pub(crate) claims: HashMap<LinkId, HashSet<(usize, Fingerprint)>>,
    /// Links of which the claims were read from the store.
    pub(crate) claims_known: HashSet<LinkId>,
    /// Links that were scanned to the end, and the place in their changes that was taken before.
    pub(crate) scans: HashMap<LinkId, Option<ChangeCursor>>,
    /// Links of which a scan has found a record missing for the first time.
    pub(crate) absent: HashSet<LinkId>,
    /// Records that the source has told of in this run, and that nobody had asked for before.
    pub(crate) told: HashSet<(LinkId, ExternalId)>,
    /// Keys that this run has looked at, or leaves alone: if they stay, then for a later run.
    pub(crate) later: HashSet<(LinkId, ExternalId)>,
    /// Records of the link at hand that were told to be deleted, and that were not found a moment ago.
    pub(crate) vain: u64,
    /// Whether any conflict is on record, so that a peaceful world needs no look-up.
    pub(crate) has_conflicts: bool,
    /// How HubSpot's history names our own writes, once one has been seen.
    pub(crate) author: Option<String>,
    /// Keys of pairs that were parted from their right records, by link.
    pub(crate) freed: HashMap<LinkId, HashSet<String>>,
    /// Intents of writes whose damage is being made good; closed when the whole run has come to its end.
    pub(crate) doubted: Vec<OpId>,
    /// Intents whose writes are done, and how many of their histories are still to be read.
    pub(crate) auditing: HashMap<OpId, u32>,
    /// Whether something that has to be put back could not be: the doubts stay.
    pub(crate) is_unsettled: bool,
    /// HubSpot records that are about to be linked.
    pub(crate) claimed: HashMap<RecordId, (LinkId, ExternalId)>,
    pub(crate) halt: Option<String>,
    pub(crate) is_prepared: bool,
}

impl<'e> Run<'e> {
    /// Begins a run: numbers it and notes its start.
    pub(crate) fn start(engine: &'e mut Engine, mode: Mode) -> Result<Run<'e>, EngineError> {
        let store = &engine.parts.store;
        let number = store.runs(1)?.first().map_or(0, |run| run.run) + 1;
        let next_op = store.cursor("op")?.and_then(|text| text.parse().ok()).unwrap_or(1_u64);
        let prints = Fingerprinter::new(store.fingerprint_key());
        let last_pair = store.last_pair()?;
        let totals = store.totals()?;
        let has_letters = totals.dead_letters.into_iter().map(|(link, ..)| link).collect();
        let has_conflicts = !totals.conflicts.is_empty();
        let links = engine.parts.mapper.links();
        let report = RunReport {
            run: number,
            links: links
                .iter()
                .map(|link| LinkReport { link: link.name.clone(), ..LinkReport::default() })
                .collect(),
            edges: engine
                .parts
                .mapper
                .edge_rules()
                .iter()
                .map(|rule| EdgeReport { rule: rule.name.clone(), ..EdgeReport::default() })
                .collect(),
            ..RunReport::default()
        };
        let summary = PlanSummary::empty(engine);
        let started = engine.parts.clock.now();
        Ok(Run {
            number,
            started,
            null: prints.value(&Value::Null),
            prints,
            report,
            summary,
            tx: Transition::default(),
            building: BTreeMap::new(),
            meetings: BTreeMap::new(),
            building_left: BTreeMap::new(),
            archiving: BTreeMap::new(),
            leaving: BTreeMap::new(),
            heard: Vec::new(),
            keyed: HashSet::new(),
            ready: VecDeque::new(),
            flying: JoinSet::new(),
            aloft: HashMap::new(),
            retry: Vec::new(),
            next_op,
            seen: PairSet::default(),
            last_pair,
            in_hand: HashSet::new(),
            has_letters,
            discovered: HashMap::new(),
            asked: HashSet::new(),
            held: HashSet::new(),
            waited: HashSet::new(),
            recovered: HashSet::new(),
            written_before: HashMap::new(),
            claims: HashMap::new(),
            claims_known: HashSet::new(),
            scans: HashMap::new(),
            absent: HashSet::new(),
            told: HashSet::new(),
            later: HashSet::new(),
            vain: 0,
            has_conflicts,
            freed: HashMap::new(),
            doubted: Vec::new(),
            auditing: HashMap::new(),
            is_unsettled: false,
            author: engine.parts.store.cursor(AUTHOR)?,
            claimed: HashMap::new(),
            halt: None,
            is_prepared: false,
            engine,
            mode,
        })
    }

    /// Runs or applies to the end.
    pub(crate) async fn go(mut self) -> Result<RunReport, EngineError> {
        let commits = self.engine.parts.store.totals()?.commits;
        self.note_run(None)?;
        self.recover().await?;
        // Pairs that recovery found are not this run's: the scan must look at them.
        self.last_pair = self.engine.parts.store.last_pair()?;
        self.call_the_waiting()?;
        self.hear().await?;
        self.records().await?;
        self.early_edges().await?;
        self.drain().await?;
        self.sweep().await?;
        self.look_right().await?;
        self.settle_dirty().await?;
        if self.halt.is_none() && !self.is_unsettled {
            self.tx.close.append(&mut self.doubted);
        }
        self.note_first_loads()?;
        self.note_scans();
        self.edges().await?;
        self.count_open_edges()?;
        self.report.halted = self.halt.clone();
        let ended = self.engine.parts.clock.now();
        self.report.commits = self.engine.parts.store.totals()?.commits - commits + 1;
        self.note_run(Some(ended))?;
        Ok(self.report)
    }

    /// Plans to the end.
    pub(crate) async fn plan(mut self) -> Result<PlanSummary, EngineError> {
        self.recover().await?;
        self.hear().await?;
        self.records().await?;
        self.drain().await?;
        self.sweep().await?;
        self.look_right().await?;
        self.settle_dirty().await?;
        if let Some(why) = self.halt {
            return Err(EngineError::Plan(format!("no plan could be made: {why}")));
        }
        self.plan_edges()?;
        let mut summary = self.summary;
        summary.finish(&self.report, self.engine.parts.destination.as_ref());
        if let Mode::Plan(sink) = self.mode {
            sink.finish(&summary)?;
        }
        Ok(summary)
    }

    fn note_run(&mut self, ended: Option<Timestamp>) -> Result<(), EngineError> {
        let report = serde_json::to_string(&self.report)
            .map_err(|error| EngineError::Io { message: "the run report".into(), source: error.into() })?;
        self.tx.run = Some(RunRecord { run: self.number, started: self.started, ended, report });
        self.tx.forget_writings = self.forget_before().filter(|_| ended.is_some());
        self.tx.cursors.push(("op".into(), self.next_op.to_string()));
        self.commit()
    }

    /// Reads every link's collection and sends what changed.
    async fn records(&mut self) -> Result<(), EngineError> {
        self.begin_first_loads().await?;
        for link in self.link_ids() {
            if self.halt.is_some() {
                break;
            }
            self.read_left(link).await?;
            self.let_go(link)?;
            self.flush(link);
        }
        Ok(())
    }

    pub(crate) async fn scan(&mut self, link: LinkId) -> Result<(), EngineError> {
        let collection = self.link(link).collection.clone();
        let mut after: Option<PageToken> = None;
        loop {
            let request = ReadRequest {
                collection: collection.clone(),
                after: after.take(),
                max: self.engine.parts.options.page,
            };
            let page = match self.engine.parts.source.read_page(&request).await {
                Ok(page) => page,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            };
            self.observe(link, page.records, self.engine.parts.options.lane).await?;
            self.progress(link, Phase::Records);
            while self.ready.len() > 1 && self.halt.is_none() {
                self.turn(self.is_full()).await?;
            }
            if self.halt.is_some() {
                return Ok(());
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.miss(link).await?;
        self.flush(link);
        if !matches!(self.mode, Mode::Plan(_)) {
            let name = self.names(link);
            self.tx.forget_places.push((name, self.number));
        }
        Ok(())
    }

    /// Notes which links have had their first load in full. From then on new records are recognised by HubSpot's
    /// own refusals, not by reading the portal; before that a cut-off load must read it again.
    fn note_first_loads(&mut self) -> Result<(), EngineError> {
        let is_cut_off = self.halt.is_some() && !mutation::is(Bug::LoadedByHalf);
        if is_cut_off || !matches!(self.mode, Mode::Run | Mode::Apply(_)) {
            return Ok(());
        }
        for link in self.link_ids() {
            let report = &self.report.links[usize::from(link.0)];
            let loaded = format!("loaded/{}", report.link);
            let is_whole =
                report.pending + report.unknown + report.skipped == 0 || mutation::is(Bug::LoadedByHalf);
            if is_whole && self.engine.parts.store.cursor(&loaded)?.is_none() {
                self.tx.cursors.push((loaded, self.number.to_string()));
            }
        }
        Ok(())
    }

    /// The rules by which records of other links ask for this link's.
    pub(crate) fn rules_to(&self, link: LinkId) -> Vec<NameId> {
        let rules = self.engine.parts.mapper.edge_rules().iter().zip(&self.engine.rules);
        rules.filter(|(rule, _)| rule.to == link).map(|(_, name)| *name).collect()
    }

    /// Whether somebody asked for this record in this run: mostly nobody asked for any.
    pub(crate) fn was_asked(&self, link: LinkId, id: &ExternalId) -> bool {
        !self.asked.is_empty() && self.asked.contains(&(link, id.clone()))
    }

    /// A record that somebody asked for has been dealt with.
    pub(crate) fn settled(&mut self, link: LinkId, id: &ExternalId) {
        if !matches!(self.mode, Mode::Plan(_)) && self.was_asked(link, id) {
            let name = self.names(link);
            self.tx.clean.push((name, id.clone()));
        }
    }

    /// Has a record looked at once more, by this run if it comes to its end.
    pub(crate) fn look_again(&mut self, link: LinkId, id: ExternalId) {
        let key = (link, id);
        self.asked.remove(&key);
        self.later.remove(&key);
        self.tx.dirty.push((self.names(link), key.1));
    }

    /// Looks again at the records that somebody asked for.
    async fn settle_dirty(&mut self) -> Result<(), EngineError> {
        for link in self.link_ids() {
            let name = self.names(link);
            let mut left = self.engine.parts.store.dirty(name, DIRTY_MAX)?;
            left.retain(|id| !self.later.contains(&(link, id.clone())));
            while !left.is_empty() && self.halt.is_none() {
                let rest = left.split_off(left.len().min(100));
                self.look(link, &left, self.engine.parts.options.lane).await?;
                while self.ready.len() > 1 && self.halt.is_none() {
                    self.turn(self.is_full()).await?;
                }
                left = rest;
            }
            self.let_go(link)?;
            self.flush(link);
        }
        self.drain().await
    }

    /// Reads these records from the source and plans them, whatever is known of them.
    pub(crate) async fn look(
        &mut self,
        link: LinkId,
        ids: &[ExternalId],
        lane: Lane,
    ) -> Result<(), EngineError> {
        let collection = self.link(link).collection.clone();
        let records = match self.engine.parts.source.read(&collection, ids).await {
            Ok(records) => records,
            Err(error) => {
                self.halt = Some(error.to_string());
                return Ok(());
            }
        };
        let (mut found, mut missing) = (Vec::with_capacity(records.len()), Vec::new());
        for (id, record) in ids.iter().zip(records.into_iter().chain(std::iter::repeat(None))) {
            self.asked.insert((link, id.clone()));
            match record {
                Some(record) => found.push(record),
                None => missing.push(id.clone()),
            }
        }
        self.look_in_vain(link, &missing)?;
        self.observe_again(link, found, lane).await
    }

    /// Whether as many calls are in the air as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.flying.len() >= self.engine.parts.destination.limits().in_flight_max
    }

    /// Sends and receives until nothing is left to send or to wait for.
    pub(crate) async fn drain(&mut self) -> Result<(), EngineError> {
        for link in self.link_ids() {
            self.flush(link);
        }
        while !(self.ready.is_empty() && self.flying.is_empty() && self.retry.is_empty()) {
            self.turn(true).await?;
            for link in self.link_ids() {
                self.flush(link);
            }
        }
        self.commit()
    }

    /// Sends and receives until no record is on its way; associations may be.
    pub(crate) async fn land_records(&mut self) -> Result<(), EngineError> {
        while self.halt.is_none()
            && !(self.ready.is_empty() && self.aloft.is_empty() && self.retry.is_empty())
        {
            self.turn(true).await?;
            for link in self.link_ids() {
                self.flush(link);
            }
        }
        Ok(())
    }

    /// One turn of the loop: send what may be sent, then take in what has come back. `wait`: at least one thing.
    pub(crate) async fn turn(&mut self, wait: bool) -> Result<(), EngineError> {
        self.launch()?;
        if wait {
            let due = self.retry.iter().map(|(due, _)| *due).min();
            let clock = std::sync::Arc::clone(&self.engine.parts.clock);
            let pause = due.map(|due| due.saturating_sub(clock.monotonic()));
            tokio::select! {
                biased;
                Some(landed) = self.flying.join_next_with_id(), if !self.flying.is_empty() => self.land(landed).await?,
                Some((link, id)) = self.engine.live.recv(), if !self.flying.is_empty() || pause.is_some() => {
                    self.live(&link, id).await?;
                }
                () = clock.sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                else => {}
            }
        }
        while let Some(landed) = self.flying.try_join_next_with_id() {
            self.land(landed).await?;
        }
        while let Ok((link, id)) = self.engine.live.try_recv() {
            self.live(&link, id).await?;
        }
        let now = self.engine.parts.clock.monotonic();
        let (due, later) = std::mem::take(&mut self.retry).into_iter().partition(|(due, _)| *due <= now);
        self.retry = later;
        let due: Vec<(Duration, Outgoing)> = due;
        self.ready.extend(due.into_iter().map(|(_, outgoing)| outgoing));
        self.launch()
    }

    /// A change that somebody waits for: noted durably, then looked at and sent ahead of everything else.
    async fn live(&mut self, link: &str, id: ExternalId) -> Result<(), EngineError> {
        let Some(link) = self.engine.link_by_name(link) else { return Ok(()) };
        if self.in_hand.contains(&(link, id.clone())) {
            // A write of this record is under way; the run looks again when it is over.
            self.look_again(link, id);
            return Ok(());
        }
        self.look(link, std::slice::from_ref(&id), Lane::Live).await?;
        if self.in_hand.contains(&(link, id.clone())) {
            // Kept until it is settled: where changes are followed, no scan would find what is cut off now.
            self.tx.dirty.push((self.names(link), id));
        }
        let size = self.engine.parts.destination.limits().write_max;
        for target in [Target::Key, Target::Record] {
            self.cut(link, target, Lane::Live, size, true);
        }
        self.flush_both(link);
        Ok(())
    }

    /// Puts a row in its batch, and the batch in the queue when it is full.
    pub(crate) fn stage(&mut self, link: LinkId, target: Target, lane: Lane, row: Staged) {
        self.building.entry((link, target, lane)).or_default().push(row);
        let size = self.engine.parts.destination.limits().write_max;
        self.cut(link, target, lane, size, false);
    }

    /// Queues what has gathered for a link, full or not.
    pub(crate) fn flush(&mut self, link: LinkId) {
        let size = self.engine.parts.destination.limits().write_max;
        let keys: Vec<_> = self.building.keys().filter(|(of, ..)| *of == link).copied().collect();
        for (link, target, lane) in keys {
            self.cut(link, target, lane, size, true);
        }
        self.flush_both(link);
    }

    fn cut(&mut self, link: LinkId, target: Target, lane: Lane, size: usize, all: bool) {
        let Some(rows) = self.building.get_mut(&(link, target, lane)) else { return };
        while rows.len() >= size || (all && !rows.is_empty()) {
            let rest = rows.split_off(rows.len().min(size));
            let batch = std::mem::replace(rows, rest);
            // What was met on both sides was read a moment ago, and held against the plan.
            let is_check = matches!(self.mode, Mode::Apply(_))
                && batch.iter().any(|row| row.kind == Kind::Update && row.both.is_none());
            let outgoing = if is_check {
                Outgoing::Check { link, lane, rows: batch }
            } else {
                Outgoing::Write { link, target, lane, rows: batch, replaces: Vec::new() }
            };
            if lane == Lane::Live {
                self.ready.push_front(outgoing);
            } else {
                self.ready.push_back(outgoing);
            }
        }
    }

    pub(crate) fn commit(&mut self) -> Result<(), EngineError> {
        if !self.tx.is_empty() {
            let mut transition = std::mem::take(&mut self.tx);
            if !transition.open.is_empty() && !mutation::is(Bug::NumberTwice) {
                // A number that an open intent has is never given again, whatever this process comes to.
                transition.cursors.push(("op".into(), self.next_op.to_string()));
            }
            self.engine.parts.store.commit(&transition)?;
        }
        Ok(())
    }

    pub(crate) fn link(&self, link: LinkId) -> &sync_types::Link {
        &self.engine.parts.mapper.links()[usize::from(link.0)]
    }

    pub(crate) fn names(&self, link: LinkId) -> NameId {
        self.engine.names[usize::from(link.0)].link
    }

    /// The link with this name, if the mapping still has it.
    pub(crate) fn link_named(&self, name: NameId) -> Option<LinkId> {
        self.link_ids().into_iter().find(|link| self.names(*link) == name)
    }

    pub(crate) fn rule_name(&self, rule: EdgeRuleId) -> NameId {
        self.engine.rules[usize::from(rule.0)]
    }

    pub(crate) fn links_report(&mut self, link: LinkId) -> &mut LinkReport {
        &mut self.report.links[usize::from(link.0)]
    }

    pub(crate) fn link_ids(&self) -> Vec<LinkId> {
        (0..self.engine.names.len()).filter_map(|place| u16::try_from(place).ok()).map(LinkId).collect()
    }

    pub(crate) fn destination(&self) -> std::sync::Arc<dyn Destination> {
        std::sync::Arc::clone(&self.engine.parts.destination)
    }

    pub(crate) fn progress(&self, link: LinkId, phase: Phase) {
        let report = &self.report.links[usize::from(link.0)];
        self.engine.report_progress(&Progress {
            subject: &report.link,
            phase,
            done: report.read,
            written: self.report.written(),
        });
    }
}
