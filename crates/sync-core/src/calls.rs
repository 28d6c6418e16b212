//! The calls of a run: what is sent, how it comes back, and what stays for the next run when one halts.

use std::collections::VecDeque;

use sync_types::{
    EdgeChange, EdgeOutcome, EdgeRuleId, Fate, Intent, Lane, LeftOutcome, LinkId, ObjectType, OpId,
    ReadyEdge, RecordId, Rejection, Shown, Target, Verb, Version, WriteBatch, WriteRow,
};

use crate::audit::AuditRow;
use crate::error::EngineError;
use crate::left::BackRow;
use crate::meet::{Meeting, newly_empty, still_there};
use crate::mutation::{self, Bug};
use crate::run::{Run, Staged};

/// A call to make.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Write records. `replaces` is the open intent of an earlier attempt.
    Write { link: LinkId, target: Target, lane: Lane, rows: Vec<Staged>, replaces: Vec<OpId> },
    /// Read recognised records before they are linked.
    Adopt { link: LinkId, lane: Lane, rows: Vec<(Staged, RecordId)> },
    /// Read records whose update was refused: are they still there?
    Suspect { link: LinkId, lane: Lane, rows: Vec<(Staged, Rejection)> },
    /// Read records whose planned update must still meet what it was planned on.
    Check { link: LinkId, lane: Lane, rows: Vec<Staged> },
    /// Read the right records of pairs of which a side has moved.
    Meet { link: LinkId, lane: Lane, rows: Vec<Meeting> },
    /// Read when the right's values were set, for conflicts that the newest value wins.
    Times { link: LinkId, lane: Lane, rows: Vec<(Meeting, Shown)> },
    /// Ask what became of right records that were not found.
    Fates { link: LinkId, lane: Lane, rows: Vec<Meeting> },
    /// Read right records that no pair knows.
    Strangers { link: LinkId, lane: Lane, records: Vec<RecordId> },
    /// Write to the customer's system.
    Left { link: LinkId, lane: Lane, rows: Vec<BackRow> },
    /// Read whether a value that somebody set meanwhile was overwritten.
    Audit { link: LinkId, lane: Lane, rows: Vec<AuditRow> },
    /// Delete records on the right.
    Archive { link: LinkId, lane: Lane, rows: Vec<Meeting> },
    /// Add or remove associations.
    Edges { rule: EdgeRuleId, change: EdgeChange, edges: Vec<ReadyEdge> },
}

/// A call that came back.
#[derive(Debug)]
pub(crate) enum Landed {
    Write {
        op: OpId,
        link: LinkId,
        rows: Vec<Staged>,
        batch: WriteBatch,
        result: Result<Vec<sync_types::RowOutcome>, sync_types::DestinationError>,
    },
    Adopt {
        link: LinkId,
        lane: Lane,
        rows: Vec<(Staged, RecordId)>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    },
    Suspect {
        link: LinkId,
        rows: Vec<(Staged, Rejection)>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    },
    Check {
        link: LinkId,
        lane: Lane,
        rows: Vec<Staged>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    },
    Prepared,
    Meet {
        link: LinkId,
        lane: Lane,
        rows: Vec<Meeting>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    },
    Times {
        link: LinkId,
        lane: Lane,
        rows: Vec<(Meeting, Shown)>,
        result: Result<Vec<Vec<Vec<Version>>>, sync_types::DestinationError>,
    },
    Fates {
        link: LinkId,
        lane: Lane,
        rows: Vec<Meeting>,
        result: Result<Vec<Fate>, sync_types::DestinationError>,
    },
    Strangers {
        link: LinkId,
        lane: Lane,
        records: Vec<RecordId>,
        result: Result<Vec<Option<Shown>>, sync_types::DestinationError>,
    },
    Left {
        op: OpId,
        link: LinkId,
        lane: Lane,
        rows: Vec<BackRow>,
        result: Result<Vec<LeftOutcome>, sync_types::SourceError>,
    },
    Audit {
        link: LinkId,
        lane: Lane,
        rows: Vec<AuditRow>,
        result: Result<Vec<Vec<Vec<Version>>>, sync_types::DestinationError>,
    },
    Archive {
        op: OpId,
        link: LinkId,
        rows: Vec<Meeting>,
        result: Result<Vec<EdgeOutcome>, sync_types::DestinationError>,
    },
    Edges {
        op: OpId,
        rule: EdgeRuleId,
        remove: bool,
        edges: Vec<ReadyEdge>,
        result: Result<Vec<sync_types::EdgeOutcome>, sync_types::DestinationError>,
    },
}

impl Run<'_> {
    /// Sends what is ready, as far as calls may be in the air; work of the live lane always.
    pub(crate) fn launch(&mut self) -> Result<(), EngineError> {
        if self.halt.is_some() {
            return self.abandon();
        }
        let in_flight_max = self.engine.parts.destination.limits().in_flight_max;
        let mut slots = in_flight_max.saturating_sub(self.flying.len());
        let mut going = Vec::new();
        let mut staying = VecDeque::new();
        while let Some(outgoing) = self.ready.pop_front() {
            let is_live = outgoing.lane() == Lane::Live;
            if slots == 0 && !is_live {
                staying.push_back(outgoing);
                if staying.len() > in_flight_max {
                    break;
                }
                continue;
            }
            slots = slots.saturating_sub(1);
            let op = self.next_op();
            self.intend(op, &outgoing);
            going.push((op, outgoing));
        }
        staying.append(&mut self.ready);
        self.ready = staying;
        // The one commit: outcomes so far, and the intents of what leaves next. Then, and only then, bytes leave.
        if !mutation::is(Bug::SentBeforeIntent) {
            self.commit()?;
        }
        for (op, outgoing) in going {
            self.send(op, outgoing);
        }
        Ok(())
    }

    pub(crate) fn next_op(&mut self) -> OpId {
        let op = OpId(self.next_op);
        self.next_op += 1;
        op
    }

    pub(crate) fn intend(&mut self, op: OpId, outgoing: &Outgoing) {
        let (verb, subject, rows) = match outgoing {
            Outgoing::Write { link, target, rows, replaces, .. } => {
                self.tx.close.extend(replaces.iter().copied());
                let verb = match target {
                    Target::Key => Verb::Upsert,
                    Target::Record => Verb::Update,
                };
                let rows = rows.iter().map(|row| (row.external.clone(), row.generation)).collect();
                (verb, self.names(*link), rows)
            }
            Outgoing::Edges { rule, change, .. } => {
                let verb =
                    if matches!(change, EdgeChange::Add(_)) { Verb::Associate } else { Verb::Dissociate };
                (verb, self.rule_name(*rule), Vec::new())
            }
            Outgoing::Left { link, rows, .. } => {
                let rows = rows.iter().map(BackRow::intent).collect();
                (Verb::WriteLeft, self.names(*link), rows)
            }
            Outgoing::Archive { link, rows, .. } => {
                let rows = rows.iter().map(|row| (row.pair.external.clone(), row.pair.generation)).collect();
                (Verb::Archive, self.names(*link), rows)
            }
            Outgoing::Adopt { .. }
            | Outgoing::Check { .. }
            | Outgoing::Suspect { .. }
            | Outgoing::Meet { .. }
            | Outgoing::Times { .. }
            | Outgoing::Fates { .. }
            | Outgoing::Strangers { .. }
            | Outgoing::Audit { .. } => return,
        };
        self.note_writing(op, verb, subject, outgoing);
        if !mutation::is(Bug::NumberTwice) {
            self.tx.cursors.push(("op".into(), self.next_op.to_string()));
        }
        self.tx.open.push(Intent { op, verb, subject, sent_at: self.engine.parts.clock.now(), rows });
    }

    /// Has the destination look up what associations need, beside the first records.
    pub(crate) fn prepare(&mut self) {
        self.is_prepared = true;
        let mapper = &self.engine.parts.mapper;
        let mut joins: Vec<(ObjectType, ObjectType)> = Vec::new();
        for rule in mapper.edge_rules() {
            let join = (self.link(rule.from).object.clone(), self.link(rule.to).object.clone());
            if !joins.contains(&join) {
                joins.push(join);
            }
        }
        let destination = self.destination();
        let lane = self.engine.parts.options.lane;
        self.flying.spawn(async move {
            destination.prepare(&joins, lane).await;
            Landed::Prepared
        });
    }

    pub(crate) fn send(&mut self, op: OpId, outgoing: Outgoing) {
        if !self.is_prepared
            && let Outgoing::Write { rows, .. } = &outgoing
            && rows.iter().any(|row| !row.want.is_empty())
        {
            self.prepare();
        }
        let destination = std::sync::Arc::clone(&self.engine.parts.destination);
        let (link, size) = outgoing.size();
        let task = match outgoing {
            Outgoing::Write { link, target, lane, mut rows, .. } => {
                let spec = self.link(link);
                let batch = WriteBatch {
                    op,
                    object: spec.object.clone(),
                    key: spec.sync_key.clone(),
                    lane,
                    target,
                    properties: std::sync::Arc::clone(&self.engine.names[usize::from(link.0)].wire),
                    rows: rows
                        .iter_mut()
                        .map(|row| WriteRow {
                            key: crate::sync_key(
                                &self.engine.parts.engagement,
                                &spec.name,
                                &row.external,
                                row.generation,
                            ),
                            record: row.record.clone(),
                            values: std::mem::take(&mut row.values),
                        })
                        .collect(),
                };
                self.flying.spawn(async move {
                    let result = destination.write(&batch).await;
                    Landed::Write { op, link, rows, batch, result }
                })
            }
            Outgoing::Adopt { link, lane, rows } => {
                let (object, properties) = self.adoption(link);
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().map(|(_, id)| id.clone()).collect();
                    let result = destination.read(&object, &ids, &properties, lane).await;
                    Landed::Adopt { link, lane, rows, result }
                })
            }
            Outgoing::Suspect { link, lane, rows } => {
                let object = self.link(link).object.clone();
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().filter_map(|(row, _)| row.record.clone()).collect();
                    let result = destination.read(&object, &ids, &[], lane).await;
                    Landed::Suspect { link, rows, result }
                })
            }
            Outgoing::Check { link, lane, rows } => {
                let object = self.link(link).object.clone();
                let properties = std::sync::Arc::clone(&self.engine.names[usize::from(link.0)].wire);
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.record.clone()).collect();
                    let result = destination.read(&object, &ids, &properties, lane).await;
                    Landed::Check { link, lane, rows, result }
                })
            }
            Outgoing::Meet { link, lane, rows } => {
                let (object, properties) = self.both_read(link);
                let (names, null) = (self.engine.names[usize::from(link.0)].properties.clone(), self.null);
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.pair.record.clone()).collect();
                    let mut result = destination.read(&object, &ids, &properties, lane).await;
                    if let Ok(shown) = &result
                        && let Some(places) = newly_empty(&rows, shown, &names, null)
                        && let Err(error) =
                            still_there(destination.as_ref(), &object, &properties, &places).await
                    {
                        result = Err(error);
                    }
                    Landed::Meet { link, lane, rows, result }
                })
            }
            Outgoing::Times { link, lane, rows } => {
                let (object, properties) = self.history_read(link);
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().map(|(_, shown)| shown.id.clone()).collect();
                    let result = destination.history(&object, &ids, &properties, lane).await;
                    Landed::Times { link, lane, rows, result }
                })
            }
            Outgoing::Fates { link, lane, rows } => {
                let object = self.link(link).object.clone();
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.pair.record.clone()).collect();
                    let result = destination.fates(&object, &ids, lane).await;
                    Landed::Fates { link, lane, rows, result }
                })
            }
            Outgoing::Strangers { link, lane, records } => {
                let (object, properties) = self.both_read(link);
                self.flying.spawn(async move {
                    let result = destination.read(&object, &records, &properties, lane).await;
                    Landed::Strangers { link, lane, records, result }
                })
            }
            Outgoing::Audit { link, lane, rows } => {
                let (object, properties) = self.history_read(link);
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().map(|row| row.record.clone()).collect();
                    let result = destination.history(&object, &ids, &properties, lane).await;
                    Landed::Audit { link, lane, rows, result }
                })
            }
            Outgoing::Archive { link, lane, rows } => {
                let object = self.link(link).object.clone();
                self.flying.spawn(async move {
                    let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.pair.record.clone()).collect();
                    let result = destination.archive(&object, &ids, lane).await;
                    Landed::Archive { op, link, rows, result }
                })
            }
            Outgoing::Left { link, lane, rows } => {
                let batch = self.left_batch(op, link, &rows);
                let writer = self.engine.parts.writer.clone();
                self.flying.spawn(async move {
                    let result = match writer {
                        Some(writer) => writer.write(&batch).await,
                        None => Err(crate::left::no_writer()),
                    };
                    Landed::Left { op, link, lane, rows, result }
                })
            }
            Outgoing::Edges { rule, change, edges } => {
                let remove = !matches!(change, EdgeChange::Add(_));
                let batch = self.edge_batch(rule, change, &edges);
                self.flying.spawn(async move {
                    let result = destination.write_edges(&batch).await;
                    Landed::Edges { op, rule, remove, edges, result }
                })
            }
        };
        if let Some(link) = link {
            self.aloft.insert(task.id(), (link, size));
        }
    }

    pub(crate) async fn land(
        &mut self,
        landed: Result<(tokio::task::Id, Landed), tokio::task::JoinError>,
    ) -> Result<(), EngineError> {
        match landed {
            Ok((task, landed)) => {
                self.aloft.remove(&task);
                match landed {
                    Landed::Write { op, link, rows, batch, result } => {
                        self.wrote(op, link, rows, batch, result)
                    }
                    Landed::Adopt { link, lane, rows, result } => {
                        self.read_for_adoption(link, lane, rows, result)
                    }
                    Landed::Check { link, lane, rows, result } => {
                        self.read_for_check(link, lane, rows, result)
                    }
                    Landed::Prepared => Ok(()),
                    Landed::Meet { link, lane, rows, result } => self.met(link, lane, rows, result),
                    Landed::Times { link, lane, rows, result } => self.timed(link, lane, rows, result),
                    Landed::Fates { link, lane, rows, result } => self.fated(link, lane, rows, result),
                    Landed::Strangers { link, lane, records, result } => {
                        self.met_strangers(link, lane, records, result)
                    }
                    Landed::Left { op, link, lane, rows, result } => {
                        self.wrote_left(op, link, lane, rows, result)
                    }
                    Landed::Audit { link, lane, rows, result } => {
                        self.audited(link, lane, rows, result);
                        Ok(())
                    }
                    Landed::Archive { op, link, rows, result } => {
                        self.archived(op, link, rows, result);
                        Ok(())
                    }
                    Landed::Suspect { link, rows, result } => {
                        self.read_suspects(link, rows, result);
                        Ok(())
                    }
                    Landed::Edges { op, rule, remove, edges, result } => {
                        self.wrote_edges(op, rule, remove, &edges, result);
                        Ok(())
                    }
                }
            }
            Err(error) => {
                // The call's task died; its intent stays open and the next run settles it.
                if let Some((link, size)) = self.aloft.remove(&error.id()) {
                    self.links_report(link).unknown += size;
                }
                self.halt =
                    Some("a call ended in a defect of this program; its outcome is settled next time".into());
                Ok(())
            }
        }
    }

    /// After a halt: what was not sent is counted, and stays as it is for the next run.
    pub(crate) fn abandon(&mut self) -> Result<(), EngineError> {
        let left: Vec<Outgoing> = std::mem::take(&mut self.ready)
            .into_iter()
            .chain(std::mem::take(&mut self.retry).into_iter().map(|(_, outgoing)| outgoing))
            .collect();
        for outgoing in left {
            match outgoing {
                Outgoing::Write { link, rows, replaces, .. } => {
                    let report = self.links_report(link);
                    let count = rows.len() as u64;
                    if replaces.is_empty() { report.pending += count } else { report.unknown += count }
                }
                Outgoing::Adopt { link, rows, .. } => self.links_report(link).pending += rows.len() as u64,
                Outgoing::Check { link, rows, .. } => self.links_report(link).pending += rows.len() as u64,
                Outgoing::Suspect { link, rows, .. } => self.links_report(link).pending += rows.len() as u64,
                Outgoing::Meet { link, rows, .. }
                | Outgoing::Fates { link, rows, .. }
                | Outgoing::Archive { link, rows, .. } => {
                    if !mutation::is(Bug::HaltUncounted) {
                        self.links_report(link).pending += rows.len() as u64;
                    }
                }
                Outgoing::Times { link, rows, .. } => self.links_report(link).pending += rows.len() as u64,
                Outgoing::Left { link, rows, .. } => self.links_report(link).pending += uncounted(&rows),
                Outgoing::Strangers { link, records, .. } => {
                    self.links_report(link).pending += records.len() as u64;
                }
                // What was written was counted; what it overwrote is found when the record is looked at again.
                Outgoing::Audit { link, rows, .. } => {
                    let name = self.names(link);
                    self.tx.dirty.extend(rows.into_iter().map(|row| (name, row.external)));
                }
                Outgoing::Edges { rule, edges, .. } => {
                    self.report.edges[usize::from(rule.0)].pending += edges.len() as u64;
                }
            }
        }
        for ((link, ..), rows) in std::mem::take(&mut self.building) {
            self.links_report(link).pending += rows.len() as u64;
        }
        for ((link, _), rows) in std::mem::take(&mut self.meetings) {
            self.links_report(link).pending += rows.len() as u64;
        }
        for ((link, _), rows) in std::mem::take(&mut self.building_left) {
            self.links_report(link).pending += uncounted(&rows);
        }
        for ((link, _), rows) in std::mem::take(&mut self.archiving) {
            self.links_report(link).pending += rows.len() as u64;
        }
        for link in self.link_ids() {
            self.leave_waiting(link);
        }
        self.commit()
    }

    /// Sends a write again once the first attempt can no longer arrive late.
    pub(crate) fn send_later(&mut self, outgoing: Outgoing) {
        let pause = if mutation::is(Bug::AgainAtOnce) {
            std::time::Duration::ZERO
        } else {
            self.engine.parts.options.settle
        };
        let due = self.engine.parts.clock.monotonic() + pause;
        self.retry.push((due, outgoing));
    }
}

/// Those that stand in no class yet: a record whose right side was written is counted for that.
fn uncounted(rows: &[BackRow]) -> u64 {
    rows.iter().filter(|row| !row.is_counted).count() as u64
}

impl Outgoing {
    fn lane(&self) -> Lane {
        match self {
            Outgoing::Write { lane, .. }
            | Outgoing::Adopt { lane, .. }
            | Outgoing::Check { lane, .. }
            | Outgoing::Suspect { lane, .. }
            | Outgoing::Meet { lane, .. }
            | Outgoing::Times { lane, .. }
            | Outgoing::Fates { lane, .. }
            | Outgoing::Strangers { lane, .. }
            | Outgoing::Left { lane, .. }
            | Outgoing::Audit { lane, .. }
            | Outgoing::Archive { lane, .. } => *lane,
            Outgoing::Edges { .. } => Lane::Backfill,
        }
    }

    fn size(&self) -> (Option<LinkId>, u64) {
        match self {
            Outgoing::Write { link, rows, .. } | Outgoing::Check { link, rows, .. } => {
                (Some(*link), rows.len() as u64)
            }
            Outgoing::Adopt { link, rows, .. } => (Some(*link), rows.len() as u64),
            Outgoing::Suspect { link, rows, .. } => (Some(*link), rows.len() as u64),
            Outgoing::Meet { link, rows, .. }
            | Outgoing::Fates { link, rows, .. }
            | Outgoing::Archive { link, rows, .. } => (Some(*link), rows.len() as u64),
            Outgoing::Times { link, rows, .. } => (Some(*link), rows.len() as u64),
            Outgoing::Left { link, rows, .. } => (Some(*link), rows.len() as u64),
            Outgoing::Strangers { link, records, .. } => (Some(*link), records.len() as u64),
            // What was written has been counted.
            Outgoing::Audit { link, .. } => (Some(*link), 0),
            Outgoing::Edges { .. } => (None, 0),
        }
    }
}
