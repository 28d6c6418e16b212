//! Associations: made when both ends exist, removed when nobody wants them, waiting until then.

use sync_types::{
    DestinationError, EdgeBatch, EdgeChange, EdgeKind, EdgeOutcome, EdgePlace, EdgeRule, EdgeRuleId,
    EdgeState, ExternalId, LedgerEntry, LinkId, OpId, PairId, ReadyEdge, RecordId, Verb,
};

use crate::calls::Outgoing;
use crate::engine::{Phase, Progress};
use crate::error::EngineError;
use crate::mutation::{self, Bug};
use crate::run::{Mode, Run};

/// Which batches of edges to send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batches {
    /// Full ones only.
    Full,
    /// The last, smaller one as well.
    All,
}

impl Run<'_> {
    /// Adds what is ready while the last records are still on their way: full batches while there may be more to
    /// come, the rest when all records have landed. Not while anything has to be removed first.
    pub(crate) async fn early_edges(&mut self) -> Result<(), EngineError> {
        for rule in self.rule_ids() {
            let to = self.names(self.rule(rule).to);
            let store = &self.engine.parts.store;
            if !store.ready_edges(self.rule_name(rule), to, EdgeState::Unwanted, None, 1)?.is_empty() {
                return Ok(());
            }
        }
        let mut reached = Vec::new();
        for rule in self.rule_ids() {
            reached.push(self.send_edges(rule, false, None, Batches::Full).await?);
        }
        self.land_records().await?;
        for (rule, after) in self.rule_ids().into_iter().zip(reached) {
            self.send_edges(rule, false, after, Batches::All).await?;
        }
        Ok(())
    }

    /// Removes and adds every association whose both ends have records. Removals first, so that a register such
    /// as the primary company is free before it is set anew.
    pub(crate) async fn edges(&mut self) -> Result<(), EngineError> {
        for remove in [true, false] {
            for rule in self.rule_ids() {
                self.send_edges(rule, remove, None, Batches::All).await?;
            }
            self.drain().await?;
        }
        Ok(())
    }

    /// Sends a rule's ready edges after a place, page by page; returns the place it came to.
    async fn send_edges(
        &mut self,
        rule: EdgeRuleId,
        remove: bool,
        mut after: Option<EdgePlace>,
        batches: Batches,
    ) -> Result<Option<EdgePlace>, EngineError> {
        let state = if remove { EdgeState::Unwanted } else { EdgeState::Wanted };
        let limits = self.engine.parts.destination.limits();
        let max = if remove { limits.edge_removals_max } else { limits.edges_max };
        let (name, to) = (self.rule_name(rule), self.names(self.rule(rule).to));
        while self.halt.is_none() {
            let edges = self.engine.parts.store.ready_edges(name, to, state, after.as_ref(), max)?;
            let Some(last) = edges.last() else { break };
            if batches == Batches::Full && edges.len() < max {
                break;
            }
            after = Some(last.place.clone());
            let edges = self.planned_edges(rule, remove, edges)?;
            if edges.is_empty() {
                continue;
            }
            for (change, edges) in self.changes(rule, remove, edges)? {
                self.ready.push_back(Outgoing::Edges { rule, change, edges });
            }
            while self.ready.len() > 1 && self.halt.is_none() {
                self.turn(self.is_full()).await?;
            }
        }
        Ok(after)
    }

    /// An apply touches only the edges of its plan.
    fn planned_edges(
        &mut self,
        rule: EdgeRuleId,
        remove: bool,
        edges: Vec<ReadyEdge>,
    ) -> Result<Vec<ReadyEdge>, EngineError> {
        let Mode::Apply(file) = &self.mode else { return Ok(edges) };
        let spec = self.rule(rule);
        let near: Vec<RecordId> = edges.iter().map(|edge| edge.from.clone()).collect();
        let near = self.engine.parts.store.pairs_by_record(self.names(spec.from), &near)?;
        let planned = edges.into_iter().zip(near).filter(|(edge, near)| {
            near.as_ref()
                .is_some_and(|near| file.has_edge(&spec.name, remove, &near.external, &edge.place.to))
        });
        Ok(planned.map(|(edge, _)| edge).collect())
    }

    /// Splits removals by what else holds: the last association between two records goes with everything, one
    /// among several goes alone, and the plain one stays under the others.
    fn changes(
        &mut self,
        rule: EdgeRuleId,
        remove: bool,
        edges: Vec<ReadyEdge>,
    ) -> Result<Vec<(EdgeChange, Vec<ReadyEdge>)>, EngineError> {
        let kind = self.rule(rule).kind.clone();
        if !remove {
            return Ok(vec![(EdgeChange::Add(kind), edges)]);
        }
        let (mut alone, mut among) = (Vec::new(), Vec::new());
        for edge in edges {
            if !self.others_hold(rule, &edge)? {
                alone.push(edge);
            } else if kind == EdgeKind::Plain {
                self.report.edges[usize::from(rule.0)].removed += 1;
                self.tx.edges.push((self.rule_name(rule), edge.place, None));
            } else {
                among.push(edge);
            }
        }
        let split = [(EdgeChange::RemoveLast(kind.clone()), alone), (EdgeChange::Remove(kind), among)];
        Ok(split.into_iter().filter(|(_, edges)| !edges.is_empty()).collect())
    }

    /// Whether another rule, in either direction, still wants the two records associated.
    fn others_hold(&self, rule: EdgeRuleId, edge: &ReadyEdge) -> Result<bool, EngineError> {
        let store = &self.engine.parts.store;
        let spec = self.rule(rule);
        let wants = |from: LinkId, to: LinkId, pair: PairId, far: &ExternalId| -> Result<bool, EngineError> {
            let edges = store.edges_of(&[pair])?.pop().unwrap_or_default();
            Ok(edges.iter().any(|known| {
                let place = self.engine.rules.iter().position(|name| *name == known.rule);
                let other = place.and_then(|place| self.engine.parts.mapper.edge_rules().get(place));
                known.state != EdgeState::Unwanted
                    && known.to == *far
                    && other.is_some_and(|other| other.from == from && other.to == to)
            }))
        };
        if wants(spec.from, spec.to, edge.place.from, &edge.place.to)? {
            return Ok(true);
        }
        let near = store.pairs_by_record(self.names(spec.from), std::slice::from_ref(&edge.from))?;
        let far = store.pairs_by_record(self.names(spec.to), std::slice::from_ref(&edge.to))?;
        match (near.into_iter().flatten().next(), far.into_iter().flatten().next()) {
            (Some(near), Some(far)) => wants(spec.to, spec.from, far.id, &near.external),
            _ => Ok(false),
        }
    }

    pub(crate) fn edge_batch(&self, rule: EdgeRuleId, change: EdgeChange, edges: &[ReadyEdge]) -> EdgeBatch {
        let spec = self.rule(rule);
        EdgeBatch {
            from: self.link(spec.from).object.clone(),
            to: self.link(spec.to).object.clone(),
            change,
            lane: self.engine.parts.options.lane,
            edges: edges.iter().map(|edge| (edge.from.clone(), edge.to.clone())).collect(),
        }
    }

    /// Associations came back.
    pub(crate) fn wrote_edges(
        &mut self,
        op: OpId,
        rule: EdgeRuleId,
        remove: bool,
        edges: &[ReadyEdge],
        result: Result<Vec<EdgeOutcome>, DestinationError>,
    ) {
        self.tx.close.push(op);
        let name = self.rule_name(rule);
        let mut line = LedgerEntry {
            run: self.number,
            op,
            verb: if remove { Verb::Dissociate } else { Verb::Associate },
            subject: name,
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                return;
            }
        };
        let report = &mut self.report.edges[usize::from(rule.0)];
        let missing = std::iter::repeat_with(|| EdgeOutcome::Unknown("no outcome was given".into()));
        for (edge, outcome) in edges.iter().zip(outcomes.into_iter().chain(missing)) {
            match outcome {
                EdgeOutcome::Done => {
                    line.written += 1;
                    if remove {
                        report.removed += 1
                    } else {
                        report.added += 1
                    }
                    let state = if remove { None } else { Some(EdgeState::There) };
                    self.tx.edges.push((name, edge.place.clone(), state));
                }
                EdgeOutcome::Rejected(why) => {
                    line.rejected += 1;
                    *report.rejected.entry(why.code).or_default() += 1;
                    // Asked again only when somebody says so; an edge that cannot be removed is not there.
                    let state = if remove { None } else { Some(EdgeState::Refused) };
                    self.tx.edges.push((name, edge.place.clone(), state));
                }
                // Adding and removing may be repeated: the edge stays as it is and is tried again.
                EdgeOutcome::Unknown(_) if mutation::is(Bug::EdgeUnknownIsThere) => {
                    self.tx.edges.push((name, edge.place.clone(), Some(EdgeState::There)));
                }
                EdgeOutcome::Unknown(_) => line.unknown += 1,
            }
        }
        let done = report.added + report.removed;
        let subject = report.rule.clone();
        self.tx.ledger.push(line);
        self.engine.report_progress(&Progress {
            subject: &subject,
            phase: Phase::Associations,
            done,
            written: self.report.written(),
        });
    }

    /// Counts what waits for a record that the source does not have, and what is still to be done.
    pub(crate) fn count_open_edges(&mut self) -> Result<(), EngineError> {
        for rule in self.rule_ids() {
            let (name, to) = (self.rule_name(rule), self.names(self.rule(rule).to));
            let mut after: Option<EdgePlace> = None;
            loop {
                let waiting = self.engine.parts.store.waiting_edges(name, to, after.as_ref(), 1_000)?;
                let Some((last, _)) = waiting.last() else { break };
                after = Some(last.clone());
                self.report.edges[usize::from(rule.0)].waiting += waiting.len() as u64;
            }
            for state in [EdgeState::Wanted, EdgeState::Unwanted] {
                let mut after: Option<EdgePlace> = None;
                loop {
                    let open = self.engine.parts.store.ready_edges(name, to, state, after.as_ref(), 1_000)?;
                    let Some(last) = open.last() else { break };
                    after = Some(last.place.clone());
                    self.report.edges[usize::from(rule.0)].pending += open.len() as u64;
                }
            }
        }
        Ok(())
    }

    /// Adds to a plan's counts the associations that were left open, and those that wait for a record which the
    /// plan makes.
    pub(crate) fn plan_edges(&mut self) -> Result<(), EngineError> {
        for rule in self.rule_ids() {
            let spec = self.rule(rule).clone();
            let (name, to) = (self.rule_name(rule), self.names(spec.to));
            let mut open: Vec<(bool, ExternalId, ExternalId)> = Vec::new();
            for state in [EdgeState::Unwanted, EdgeState::Wanted] {
                let mut after: Option<EdgePlace> = None;
                loop {
                    let edges =
                        self.engine.parts.store.ready_edges(name, to, state, after.as_ref(), 1_000)?;
                    let Some(last) = edges.last() else { break };
                    after = Some(last.place.clone());
                    let near: Vec<RecordId> = edges.iter().map(|edge| edge.from.clone()).collect();
                    let near = self.engine.parts.store.pairs_by_record(self.names(spec.from), &near)?;
                    for (edge, near) in edges.into_iter().zip(near) {
                        if let Some(near) = near {
                            open.push((state == EdgeState::Unwanted, near.external, edge.place.to));
                        }
                    }
                }
            }
            let mut after: Option<EdgePlace> = None;
            loop {
                let waiting = self.engine.parts.store.waiting_edges(name, to, after.as_ref(), 1_000)?;
                let Some((last, _)) = waiting.last() else { break };
                after = Some(last.clone());
                for (place, near) in waiting {
                    if self.in_hand.contains(&(spec.to, place.to.clone())) {
                        open.push((false, near, place.to));
                    }
                }
            }
            let plan = &mut self.summary.rules[usize::from(rule.0)];
            for (remove, near, far) in open {
                if remove {
                    plan.remove += 1
                } else {
                    plan.add += 1
                }
                if let Mode::Plan(sink) = &mut self.mode {
                    sink.edge(&spec.name, remove, &near, &far)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn rule(&self, rule: EdgeRuleId) -> &EdgeRule {
        &self.engine.parts.mapper.edge_rules()[usize::from(rule.0)]
    }

    pub(crate) fn rule_ids(&self) -> Vec<EdgeRuleId> {
        (0..self.engine.rules.len()).filter_map(|place| u16::try_from(place).ok()).map(EdgeRuleId).collect()
    }
}
