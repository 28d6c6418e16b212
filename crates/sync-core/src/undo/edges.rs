//! Taking back associations that a run added or removed. HubSpot keeps no history of them: what counts is that nobody has
//! touched them since, as far as the journal and HubSpot show.

use std::collections::HashMap;

use sync_types::{
    EdgeBatch, EdgeChange, EdgeOutcome, EdgePlace, EdgeRuleId, EdgeState, NameId, Pair, PairWrite, RecordId,
    Transition, Verb, WrittenRow,
};

use super::gather::EdgeKey;
use super::{UndoEdge, Undoing, as_it_is, is_shown, rule_id};
use crate::error::EngineError;
use crate::report::Moved;

/// An association whose two ends are there.
#[derive(Clone, Debug)]
struct Ends {
    key: EdgeKey,
    near: Pair,
    from: RecordId,
    to: RecordId,
}

impl Undoing<'_> {
    pub(super) async fn undo_edges(&mut self) -> Result<(), EngineError> {
        let mut by_rule: HashMap<(NameId, bool), Vec<EdgeKey>> = HashMap::new();
        for (key, removed) in std::mem::take(&mut self.gathered.edges) {
            by_rule.entry((key.rule, removed)).or_default().push(key);
        }
        // What the run added goes first, so that a register such as the primary company is free for what comes back.
        for removed in [false, true] {
            for place in 0..self.engine.rules.len() {
                let (Some(rule), Some(name)) = (rule_id(place), self.engine.rules.get(place).copied()) else {
                    continue;
                };
                let keys = by_rule.remove(&(name, removed)).unwrap_or_default();
                let limits = self.engine.parts.destination.limits();
                let most = if removed { limits.edges_max } else { limits.edge_removals_max };
                for chunk in keys.chunks(most.min(limits.edge_reads_max).max(1)) {
                    self.undo_some(rule, removed, chunk).await?;
                }
            }
        }
        for key in by_rule.into_values().flatten() {
            let title = self.engine.rule_title(key.rule);
            self.keep(title, key.to.to_string(), None, "its rule has left the mapping".into());
        }
        Ok(())
    }

    async fn undo_some(
        &mut self,
        rule: EdgeRuleId,
        removed: bool,
        keys: &[EdgeKey],
    ) -> Result<(), EngineError> {
        let spec = self.rule(rule).clone();
        let (near, far) = (self.spec(spec.from).object.clone(), self.spec(spec.to).object.clone());
        let ends = self.ends(rule, keys)?;
        let ids: Vec<RecordId> = ends.iter().map(|ends| ends.from.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let lane = self.engine.parts.options.lane;
        let shown = self.engine.parts.destination.read_edges(&near, &far, &ids, lane).await?;
        let mut going = Vec::with_capacity(ends.len());
        for (ends, shown) in ends.into_iter().zip(shown.into_iter().chain(std::iter::repeat_with(Vec::new))) {
            let is_there = is_shown(&shown, &ends.to, &spec.kind);
            // As it was before the run: taken back already, by hand or by an earlier undo.
            if is_there != removed && self.is_as_written(rule, &ends, removed)? {
                going.push(ends);
            }
        }
        let mut batches: Vec<(EdgeChange, Vec<Ends>)> = Vec::new();
        if removed {
            batches.push((EdgeChange::Add(spec.kind.clone()), going));
        } else {
            let (mut alone, mut among) = (Vec::new(), Vec::new());
            for ends in going {
                let is_among = self.others_hold(rule, &ends)?;
                if is_among { among.push(ends) } else { alone.push(ends) }
            }
            batches.push((EdgeChange::RemoveLast(spec.kind.clone()), alone));
            batches.push((EdgeChange::Remove(spec.kind.clone()), among));
        }
        for (change, ends) in batches {
            let ends: Vec<Ends> =
                ends.into_iter().filter(|ends| self.may_edge(rule, removed, ends)).collect();
            if !ends.is_empty() {
                self.write_edges(rule, change, ends).await?;
            }
        }
        Ok(())
    }

    fn rule(&self, rule: EdgeRuleId) -> &sync_types::EdgeRule {
        &self.engine.parts.mapper.edge_rules()[usize::from(rule.0)]
    }

    /// The edges whose two ends have a record; the others went with one of them, or are listed as kept.
    fn ends(&mut self, rule: EdgeRuleId, keys: &[EdgeKey]) -> Result<Vec<Ends>, EngineError> {
        let spec = self.rule(rule).clone();
        let (near, far) = (self.name(spec.from), self.name(spec.to));
        let mut ends = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(pair) = self.engine.pair(near, key.from)? else { continue };
            let goes = |link: NameId, id: &sync_types::ExternalId| self.going.contains(&(link, id.clone()));
            if goes(near, &pair.external) || goes(far, &key.to) {
                continue;
            }
            if let Some(run) = self.gathered.edge_written_since(key) {
                let why = format!("run {run} has written it since: take that run back first");
                self.keep(spec.name.clone(), pair.external.to_string(), Some(key.to.to_string()), why);
                continue;
            }
            let store = &self.engine.parts.store;
            let other = store.pairs(far, std::slice::from_ref(&key.to))?.into_iter().flatten().next();
            if let (Some(from), Some(to)) = (pair.record.clone(), other.and_then(|pair| pair.record)) {
                ends.push(Ends { key: key.clone(), near: pair, from, to });
            }
        }
        Ok(ends)
    }

    /// Whether the store still knows the association as the run left it.
    fn is_as_written(&mut self, rule: EdgeRuleId, ends: &Ends, removed: bool) -> Result<bool, EngineError> {
        let known = self.engine.parts.store.edges_of(&[ends.near.id])?.pop().unwrap_or_default();
        let state = known
            .iter()
            .find(|edge| edge.rule == ends.key.rule && edge.to == ends.key.to)
            .map(|edge| edge.state);
        let is_as_written = match state {
            Some(EdgeState::There) => !removed,
            Some(EdgeState::TakenBack) | None => removed,
            Some(EdgeState::Wanted | EdgeState::Unwanted | EdgeState::Refused) => false,
        };
        if !is_as_written {
            let title = self.rule(rule).name.clone();
            let what = Some(ends.key.to.to_string());
            let why =
                "its source has asked for something else since, and the next run sees to that".to_owned();
            self.keep(title, ends.near.external.to_string(), what, why);
        }
        Ok(is_as_written)
    }

    fn may_edge(&mut self, rule: EdgeRuleId, removed: bool, ends: &Ends) -> bool {
        let edge = UndoEdge {
            rule: self.rule(rule).name.clone(),
            from: ends.near.external.clone(),
            to: ends.key.to.clone(),
            remove: !removed,
        };
        self.plan.edges.push(edge.clone());
        self.may.as_mut().is_some_and(|may| may.edges.remove(&edge).is_some())
    }

    /// Whether another rule, in either direction, holds the two records together.
    fn others_hold(&self, rule: EdgeRuleId, ends: &Ends) -> Result<bool, EngineError> {
        let store = &self.engine.parts.store;
        let spec = self.rule(rule);
        let rules = || self.engine.parts.mapper.edge_rules().iter().zip(&self.engine.rules);
        let holds =
            |of: &Pair, to: &sync_types::ExternalId, from_link, to_link| -> Result<bool, EngineError> {
                let edges = store.edges_of(&[of.id])?.pop().unwrap_or_default();
                Ok(edges.iter().any(|edge| {
                    let is_other = edge.rule != ends.key.rule || of.id != ends.near.id;
                    let joins = rules().any(|(rule, name)| {
                        *name == edge.rule && rule.from == from_link && rule.to == to_link
                    });
                    is_other && joins && edge.to == *to && edge.state == EdgeState::There
                }))
            };
        if holds(&ends.near, &ends.key.to, spec.from, spec.to)? {
            return Ok(true);
        }
        let far = store.pairs(self.name(spec.to), std::slice::from_ref(&ends.key.to))?;
        match far.into_iter().flatten().next() {
            Some(far) => holds(&far, &ends.near.external, spec.to, spec.from),
            None => Ok(false),
        }
    }

    async fn write_edges(
        &mut self,
        rule: EdgeRuleId,
        change: EdgeChange,
        ends: Vec<Ends>,
    ) -> Result<(), EngineError> {
        let spec = self.rule(rule).clone();
        let (name, near) = (self.engine.rules[usize::from(rule.0)], self.name(spec.from));
        let is_add = matches!(change, EdgeChange::Add(_));
        let verb = if is_add { Verb::Associate } else { Verb::Dissociate };
        let written = ends
            .iter()
            .map(|ends| WrittenRow::Edge { from: ends.key.from, to: ends.key.to.clone() })
            .collect();
        // An association that comes back needs a line of its own again.
        let wanted =
            |ends: &Ends| PairWrite { want: vec![(name, ends.key.to.clone())], ..as_it_is(near, &ends.near) };
        let pairs = if is_add { ends.iter().map(wanted).collect() } else { Vec::new() };
        let op = self.intend(verb, name, Vec::new(), written, pairs)?.op();
        let batch = EdgeBatch {
            from: self.spec(spec.from).object.clone(),
            to: self.spec(spec.to).object.clone(),
            change,
            lane: self.engine.parts.options.lane,
            edges: ends.iter().map(|ends| (ends.from.clone(), ends.to.clone())).collect(),
        };
        let outcomes = match self.engine.parts.destination.write_edges(&batch).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.commit(Transition { close: vec![op], ..Transition::default() })?;
                return Err(error.into());
            }
        };
        let mut tx = Transition::default();
        let mut line = self.ledger(op, verb, name);
        let missing = std::iter::repeat_with(|| EdgeOutcome::Unknown("no outcome was given".into()));
        for (ends, outcome) in ends.into_iter().zip(outcomes.into_iter().chain(missing)) {
            let report = &mut self.report.edges[usize::from(rule.0)];
            let why = match outcome {
                EdgeOutcome::Done => {
                    line.written += 1;
                    if is_add {
                        report.added += 1
                    } else {
                        report.removed += 1
                    }
                    // Not to be made again by itself, as the source still asks for it.
                    let state = if is_add { EdgeState::There } else { EdgeState::TakenBack };
                    let place = EdgePlace { from: ends.key.from, to: ends.key.to };
                    tx.edges.push((name, place, Some(state)));
                    continue;
                }
                EdgeOutcome::Rejected(why) => {
                    line.rejected += 1;
                    *report.rejected.entry(why.code).or_default() += 1;
                    format!("HubSpot refused: {}", why.reason)
                }
                EdgeOutcome::Unknown(why) => {
                    line.unknown += 1;
                    report.pending += 1;
                    format!("no proof that it arrived: {why}; undo again")
                }
            };
            self.report.moved.push(Moved {
                link: spec.name.clone(),
                id: ends.near.external.to_string(),
                why,
            });
        }
        if line.unknown == 0 {
            tx.close.push(op);
        }
        tx.ledger.push(line);
        self.commit(tx)
    }
}
