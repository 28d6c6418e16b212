//! Pairs of links that flow both ways: both sides are read, and every property is decided on.

use std::collections::{BTreeSet, HashSet};

use sync_types::{
    Conflict, Destination, DestinationError, DestinationErrorKind, Direction, ExternalId, FieldBase,
    Fingerprint, HeldConflict, Lane, LinkId, Mapped, NameId, ObjectType, Pair, PairState, PairWrite,
    PropertyName, Record, RecordId, Shown, Target, Value, Version,
};

use crate::calls::Outgoing;
use crate::decide::{self, Contest, Decision, Field, Held, HoldCause, Overrides, Side};
use crate::error::EngineError;
use crate::left::BackRow;
use crate::mutation::{self, Bug};
use crate::plan::{RowPlan, Wanted, base_of, plan_row, set_base};
use crate::run::{Kind, Mode, Run, Staged};

/// A pair of which a side has moved, with what the left shows.
#[derive(Debug)]
pub(crate) struct Meeting {
    pub(crate) pair: Pair,
    pub(crate) left: Left,
    /// The dead letter that this record has, if any, goes when it succeeds.
    pub(crate) parked: bool,
}

/// What the left shows of a pair.
#[derive(Debug)]
pub(crate) enum Left {
    /// The record, its fingerprint, and what the mapping makes of it.
    Record { record: Record, row: Fingerprint, mapped: Mapped },
    /// There is no such record.
    Gone,
    /// The record is there, and outside the scope.
    Outside { row: Fingerprint },
}

/// What belongs to a staged row of a link that flows both ways.
#[derive(Debug)]
pub(crate) struct BothWays {
    /// The record as it was read; `None` where nothing is brought to it.
    pub(crate) left: Option<Record>,
    /// What the right showed, in canonical form.
    pub(crate) right: Box<[Fingerprint]>,
    /// What is to be brought to the left once the right is written.
    pub(crate) to_left: Vec<(u16, Value)>,
    /// What was agreed before, of the properties that are written to the right.
    pub(crate) before: Vec<(u16, Option<FieldBase>)>,
    /// What is written by a person's word on a fight over it: whoever fought before has not answered yet.
    pub(crate) thawed: Vec<u16>,
    /// Whether this puts back what somebody had set and we have overwritten.
    pub(crate) is_restoring: bool,
}

/// What a pair needs, all its properties considered.
#[derive(Debug, Default)]
struct PairPlan {
    to_right: Vec<u16>,
    to_left: Vec<u16>,
    /// Conflicts to hold, with their cause, and those that were settled by overriding the other side.
    hold: Vec<(u16, HoldCause)>,
    overridden: Vec<(u16, Side)>,
    /// Conflicts that wait as they are.
    waiting: HashSet<NameId>,
    /// Properties that were left alone, and that a person has decided about.
    thawed: Vec<u16>,
    needs_history: bool,
}

impl Run<'_> {
    /// Whether its pairs are met on both sides: see [`LinkNames`](crate::engine::LinkNames).
    pub(crate) fn is_both_ways(&self, link: LinkId) -> bool {
        self.engine.names[usize::from(link.0)].is_both_ways
    }

    /// Whether what happens on the right means something to the left, or what is deleted on either side to the other.
    pub(crate) fn is_heard(&self, link: LinkId) -> bool {
        self.engine.names[usize::from(link.0)].is_heard
    }

    /// What is read of a right record: the mapped properties, then those that its scope needs.
    pub(crate) fn both_read(&self, link: LinkId) -> (ObjectType, Vec<PropertyName>) {
        let spec = self.link(link);
        let mapped = spec.properties.iter().map(|property| property.name.clone());
        (spec.object.clone(), mapped.chain(spec.right_reads.iter().cloned()).collect())
    }

    /// What is read of a right record's history: the same, and the sync key, which nobody writes but us.
    pub(crate) fn history_read(&self, link: LinkId) -> (ObjectType, Vec<PropertyName>) {
        let (object, mut properties) = self.both_read(link);
        properties.push(self.link(link).sync_key.clone());
        (object, properties)
    }

    /// Has a pair looked at on both sides.
    pub(crate) fn meet(&mut self, link: LinkId, lane: Lane, meeting: Meeting) {
        self.in_hand.insert((link, meeting.pair.external.clone()));
        let rows = self.meetings.entry((link, lane)).or_default();
        rows.push(meeting);
        if rows.len() >= self.engine.parts.destination.limits().read_max {
            let rows = std::mem::take(rows);
            self.ready.push_back(Outgoing::Meet { link, lane, rows });
        }
    }

    /// Queues what has gathered for a link's meetings and for its left, full or not.
    pub(crate) fn flush_both(&mut self, link: LinkId) {
        for lane in [Lane::Live, self.engine.parts.options.lane] {
            if let Some(rows) = self.meetings.remove(&(link, lane)).filter(|rows| !rows.is_empty()) {
                self.ready.push_back(Outgoing::Meet { link, lane, rows });
            }
            if let Some(rows) = self.building_left.remove(&(link, lane)).filter(|rows| !rows.is_empty()) {
                self.ready.push_back(Outgoing::Left { link, lane, rows });
            }
            let size = self.engine.parts.destination.limits().write_max.max(1);
            let mut rows = self.archiving.remove(&(link, lane)).unwrap_or_default();
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(size));
                self.ready.push_back(Outgoing::Archive {
                    link,
                    lane,
                    rows: std::mem::replace(&mut rows, rest),
                });
            }
        }
    }

    /// The right records of a batch of pairs were read.
    pub(crate) fn met(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<Meeting>,
        result: Result<Vec<Option<Shown>>, DestinationError>,
    ) -> Result<(), EngineError> {
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => {
                self.cannot_meet(link, rows, &error);
                return Ok(());
            }
        };
        let mut missing = Vec::new();
        let mut late = Vec::new();
        for (meeting, shown) in rows.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None))) {
            match shown.filter(|shown| meeting.pair.record.as_ref() == Some(&shown.id)) {
                None => missing.push(meeting),
                Some(shown) => late.extend(self.confront(link, lane, meeting, shown, None)?),
            }
        }
        if !missing.is_empty() {
            self.ready.push_back(Outgoing::Fates { link, lane, rows: missing });
        }
        if !late.is_empty() {
            self.ready.push_back(Outgoing::Times { link, lane, rows: late });
        }
        Ok(())
    }

    /// When the right's values were set is known.
    pub(crate) fn timed(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<(Meeting, Shown)>,
        result: Result<Vec<Vec<Vec<Version>>>, DestinationError>,
    ) -> Result<(), EngineError> {
        let histories = match result {
            Ok(histories) => histories,
            Err(error) => {
                self.cannot_meet(link, rows.into_iter().map(|(meeting, _)| meeting), &error);
                return Ok(());
            }
        };
        for ((meeting, shown), versions) in
            rows.into_iter().zip(histories.into_iter().chain(std::iter::repeat_with(Vec::new)))
        {
            self.confront(link, lane, meeting, shown, Some(&versions))?;
        }
        Ok(())
    }

    /// HubSpot could not be read: everything stays as it is for the next run.
    pub(crate) fn cannot_meet(
        &mut self,
        link: LinkId,
        rows: impl IntoIterator<Item = Meeting>,
        error: &DestinationError,
    ) {
        self.halt.get_or_insert_with(|| error.to_string());
        for meeting in rows {
            self.links_report(link).pending += 1;
            self.in_hand.remove(&(link, meeting.pair.external));
        }
    }

    /// Both sides of a pair are known: decides and stages. Gives the meeting back when a conflict goes to the newest
    /// value and the times are not known yet.
    fn confront(
        &mut self,
        link: LinkId,
        lane: Lane,
        meeting: Meeting,
        shown: Shown,
        histories: Option<&[Vec<Version>]>,
    ) -> Result<Option<(Meeting, Shown)>, EngineError> {
        let (row, mapped) = match &meeting.left {
            Left::Record { row, mapped, .. } => (*row, mapped),
            Left::Gone | Left::Outside { .. } => {
                self.left_is_gone(link, lane, meeting, Some(&shown))?;
                return Ok(None);
            }
        };
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let spec = self.link(link).clone();
        let name = self.names(link);
        let right_values: Vec<Value> = shown
            .values
            .iter()
            .take(spec.properties.len())
            .enumerate()
            .map(|(place, value)| mapper.canonical(link, place, value.clone()))
            .collect();
        let right: Box<[Fingerprint]> = right_values.iter().map(|value| self.prints.value(value)).collect();
        let prints: Box<[Option<Fingerprint>]> =
            mapped.values.iter().map(|value| value.as_ref().map(|value| self.prints.value(value))).collect();
        let held = if self.has_conflicts {
            let ids = std::slice::from_ref(&meeting.pair.external);
            self.engine.parts.store.conflicts_of(name, ids)?.pop().unwrap_or_default()
        } else {
            Vec::new()
        };
        let mut bases = meeting.pair.bases.clone();
        let names = self.engine.names[usize::from(link.0)].properties.clone();
        let plan = self.decide_all(
            &spec,
            &names,
            &mut bases,
            (&mapped.values, &prints),
            (&right_values, &right),
            &held,
            histories,
        );
        if plan.needs_history && histories.is_none() {
            return Ok(Some((meeting, shown)));
        }
        let edges: Vec<_> =
            mapped.edges.iter().map(|(rule, to)| (self.rule_name(*rule), to.clone())).collect();
        let mut known = self.engine.parts.store.edges_of(&[meeting.pair.id])?.pop().unwrap_or_default();
        known.retain(|edge| self.engine.rules.contains(&edge.rule));
        let wanted = Wanted { properties: &[], prints: &[], edges: &edges, null: self.null };
        let mut row_plan = plan_row(Some(&meeting.pair), &known, &wanted);
        row_plan.write.clone_from(&plan.to_right);
        if !self.may_meet(link, row, &meeting, &row_plan, &plan, &right)? {
            return Ok(None);
        }
        self.note_conflicts(link, &meeting.pair, &shown.id, &plan, (&prints, &right), &held);
        let Left::Record { record, row, mut mapped } = meeting.left else { return Ok(None) };
        let mut to_left: Vec<(u16, Value)> = Vec::with_capacity(plan.to_left.len());
        for place in &plan.to_left {
            let index = usize::from(*place);
            let Some(value) = right_values.get(index) else { continue };
            match mapper.back(link, index, value) {
                Ok(_) => to_left.push((*place, value.clone())),
                // The rest of the record goes; this one is counted and tried again whenever the record is looked at.
                Err(problem) => {
                    let what = format!("{} to the source ({})", problem.property, problem.code);
                    *self.links_report(link).left_out.entry(what).or_default() += 1;
                }
            }
        }
        let pair = meeting.pair;
        if plan.to_right.is_empty() {
            let staged = BackRow::update(record, pair, row, bases, row_plan, to_left, right, meeting.parked);
            if staged.places.is_empty() {
                self.agree_without_writing(link, staged);
            } else {
                self.stage_left(link, lane, staged);
            }
            return Ok(None);
        }
        let before = plan
            .to_right
            .iter()
            .filter_map(|place| {
                Some((*place, base_of(&pair.bases, *names.get(usize::from(*place))?).copied()))
            })
            .collect();
        let values = plan
            .to_right
            .iter()
            .filter_map(|place| {
                Some((*place, mapped.values.get_mut(usize::from(*place)).and_then(Option::take)?))
            })
            .collect();
        let staged = Staged {
            external: pair.external,
            generation: pair.generation,
            kind: Kind::Update,
            row,
            prints,
            bases,
            record: pair.record,
            values,
            want: row_plan.want,
            unwant: row_plan.unwant,
            tries: 0,
            parked: meeting.parked,
            both: Some(Box::new(BothWays {
                left: Some(record),
                right,
                to_left,
                before,
                thawed: plan.thawed,
                is_restoring: false,
            })),
        };
        self.stage(link, Target::Record, lane, staged);
        Ok(None)
    }

    #[allow(clippy::too_many_arguments, reason = "one pair's whole situation, used in one place")]
    fn decide_all(
        &self,
        spec: &sync_types::Link,
        names: &[NameId],
        bases: &mut Vec<FieldBase>,
        (left, left_prints): (&[Option<Value>], &[Option<Fingerprint>]),
        (right, right_prints): (&[Value], &[Fingerprint]),
        held: &[HeldConflict],
        histories: Option<&[Vec<Version>]>,
    ) -> PairPlan {
        let mut plan = PairPlan::default();
        for (index, (property, name)) in spec.properties.iter().zip(names).enumerate() {
            let Ok(place) = u16::try_from(index) else { break };
            let was_held = held.iter().find(|held| held.property == *name).map(|held| Held {
                left: held.left,
                right: held.right,
                decision: match held.decision.as_deref() {
                    Some("left") => Some(Side::Left),
                    Some("right") => Some(Side::Right),
                    _ => None,
                },
                is_frozen: held.cause == cause_code(HoldCause::Oscillation),
            });
            plan.thawed.extend(
                was_held.as_ref().filter(|held| held.is_frozen && held.decision.is_some()).map(|_| place),
            );
            let field = Field {
                property,
                name: *name,
                base: base_of(bases, *name).copied(),
                left: left_prints.get(index).copied().flatten(),
                right: right_prints.get(index).copied(),
                held: was_held.as_ref(),
            };
            let mut write = |side: Side, overrides: Overrides| {
                let list = if side == Side::Left { &mut plan.to_right } else { &mut plan.to_left };
                list.push(place);
                if overrides == Overrides::OtherChange {
                    plan.overridden.push((place, side));
                }
            };
            match decide::decide(&field, spec.first_contact, self.null) {
                Decision::Nothing | Decision::Read => {}
                Decision::Agree(base) => set_base(bases, base),
                Decision::WriteRight(overrides) => write(Side::Left, overrides),
                Decision::WriteLeft(_)
                    if mutation::is(Bug::SeenBeforeAgreed) && right_prints.get(index) == Some(&self.null) => {
                }
                Decision::WriteLeft(overrides) => write(Side::Right, overrides),
                Decision::Waiting if mutation::is(Bug::NobodyAsked) => write(Side::Right, Overrides::Nothing),
                Decision::Waiting => {
                    plan.waiting.insert(*name);
                }
                Decision::Hold(cause) => plan.hold.push((place, cause)),
                Decision::Contest if mutation::is(Bug::LeftAlwaysWins) => {
                    write(Side::Left, Overrides::Nothing)
                }
                Decision::Contest => {
                    let (Some(Some(left)), Some(right)) = (left.get(index), right.get(index)) else {
                        continue;
                    };
                    let (Some(left_print), Some(right_print)) = (field.left, field.right) else { continue };
                    if property.conflict == Conflict::Newest && !property.ratchet && histories.is_none() {
                        plan.needs_history = true;
                        continue;
                    }
                    let moved = field.base.map_or((true, true), |base| {
                        (Some(base.left) != field.left, Some(base.right) != field.right)
                    });
                    let contest = Contest {
                        left,
                        right,
                        moved,
                        left_at: None,
                        right_at: histories.and_then(|of| Some(of.get(index)?.first()?.at)),
                    };
                    let overrides =
                        if moved == (true, true) { Overrides::OtherChange } else { Overrides::Nothing };
                    match decide::settle(property, &contest, field.base.is_none()) {
                        Ok(side) if decide::may_carry(property.direction, side) => write(side, overrides),
                        // The value that stays is ahead, and the other side does not hear of it: that is all agreed.
                        Ok(_) => set_base(
                            bases,
                            FieldBase { property: *name, left: left_print, right: right_print },
                        ),
                        // Behind a side that was ahead already, on a link that flows one way: perhaps a step forward.
                        Err(HoldCause::StepBack)
                            if property.direction != Direction::Both
                                && field.base.is_some_and(|base| base.left != base.right) =>
                        {
                            set_base(
                                bases,
                                FieldBase { property: *name, left: left_print, right: right_print },
                            );
                        }
                        Err(cause) => plan.hold.push((place, cause)),
                    }
                }
            }
        }
        plan
    }

    /// Whether this run carries out what a meeting came to; see `may`.
    fn may_meet(
        &mut self,
        link: LinkId,
        row: Fingerprint,
        meeting: &Meeting,
        row_plan: &RowPlan,
        plan: &PairPlan,
        right: &[Fingerprint],
    ) -> Result<bool, EngineError> {
        let id = meeting.pair.external.clone();
        let back: Vec<PropertyName> = plan
            .to_left
            .iter()
            .filter_map(|place| self.link(link).properties.get(usize::from(*place)))
            .map(|property| property.name.clone())
            .collect();
        let shown = self.prints.text(&right.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        let extra = crate::plan_file::BothPlan { back, right: Some(shown) };
        let may = self.may(link, &id, row, Some(&meeting.pair), Kind::Update, row_plan, &extra)?;
        if !may {
            self.in_hand.remove(&(link, id));
        }
        Ok(may)
    }

    /// Holds what a person has to decide, tells what was overridden, and lets go of what is over.
    fn note_conflicts(
        &mut self,
        link: LinkId,
        pair: &Pair,
        record: &RecordId,
        plan: &PairPlan,
        (left, right): (&[Option<Fingerprint>], &[Fingerprint]),
        held: &[HeldConflict],
    ) {
        let name = self.names(link);
        let properties = self.engine.names[usize::from(link.0)].properties.clone();
        let line = |place: u16, cause: &str, settled: bool, run: u64| {
            let index = usize::from(place);
            Some(HeldConflict {
                link: name,
                external: pair.external.clone(),
                record: record.clone(),
                property: *properties.get(index)?,
                cause: cause.to_owned(),
                opponent: None,
                left: left.get(index).copied().flatten().unwrap_or(self.null),
                right: right.get(index).copied().unwrap_or(self.null),
                run,
                decision: None,
                is_settled: settled,
            })
        };
        let run = self.number;
        let holds: Vec<HeldConflict> = plan
            .hold
            .iter()
            .filter_map(|(place, cause)| line(*place, cause_code(*cause), false, run))
            .collect();
        let settled: Vec<HeldConflict> = plan
            .overridden
            .iter()
            .filter_map(|(place, winner)| {
                let cause = if *winner == Side::Left { "left-won" } else { "right-won" };
                line(*place, cause, true, run)
            })
            .collect();
        for old in held {
            let is_open = plan.waiting.contains(&old.property)
                || holds.iter().any(|hold| hold.property == old.property);
            if !is_open || mutation::is(Bug::ReleasedEarly) {
                self.tx.release.push((name, pair.external.clone(), old.property));
            }
        }
        // A run may look at a record twice: by the feed and in a sweep.
        let properties = holds.iter().map(|hold| hold.property).chain(plan.waiting.iter().copied());
        let newly = properties.filter(|property| self.held.insert((link, pair.external.clone(), *property)));
        let newly = newly.count() as u64;
        let report = self.links_report(link);
        report.held += newly;
        report.overridden += settled.len() as u64;
        self.has_conflicts |= !holds.is_empty();
        if !mutation::is(Bug::HeldUnkept) {
            self.tx.hold.extend(holds);
        }
        if !mutation::is(Bug::OverriddenUntold) {
            self.tx.hold.extend(settled);
        }
    }

    /// Nothing is to be written on either side: what is agreed is noted, and the pair is done with.
    pub(crate) fn agree_without_writing(&mut self, link: LinkId, row: BackRow) {
        let name = self.names(link);
        let Some(pair) = row.pair else { return };
        self.links_report(link).touched += 1;
        self.settled(link, &pair.external);
        self.in_hand.remove(&(link, pair.external.clone()));
        self.tx.sighted.push((name, row.record.clone()));
        if row.parked {
            self.tx.unpark.push((name, pair.external.clone()));
        }
        let is_same = pair.bases == row.bases
            && pair.row == row.row
            && pair.state == PairState::Linked
            && row.want.is_empty()
            && row.unwant.is_empty();
        if !is_same {
            self.tx.pairs.push(PairWrite {
                link: name,
                external: pair.external,
                record: Some(row.record),
                generation: pair.generation,
                state: PairState::Linked,
                since: None,
                row: row.row,
                bases: row.bases,
                want: row.want,
                unwant: row.unwant,
                renew_edges: None,
            });
        }
    }

    /// A pair's left record and what the mapping makes of it, as a meeting; parked when it cannot be mapped.
    pub(crate) fn invite(
        &mut self,
        link: LinkId,
        lane: Lane,
        pair: Pair,
        record: Record,
    ) -> Result<(), EngineError> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let row = self.prints.values(mapper.fingerprint(), record.values());
        match mapper.map(link, &record) {
            Ok(mapped) if mapped.in_scope => {
                self.meet(
                    link,
                    lane,
                    Meeting { pair, left: Left::Record { record, row, mapped }, parked: false },
                );
            }
            Ok(_) => self.leave_scope(link, &record, Some(pair), row, false),
            Err(error) => self.park_unmappable(link, record.id().clone(), row, &error),
        }
        Ok(())
    }
}

/// The places of properties that the right shows empty and had a value when both sides last agreed; `None`: there are
/// none.
pub(crate) fn newly_empty(
    rows: &[Meeting],
    shown: &[Option<Shown>],
    names: &[NameId],
    null: Fingerprint,
) -> Option<BTreeSet<usize>> {
    let had = |meeting: &Meeting, place: usize| {
        let base = names.get(place).and_then(|name| base_of(&meeting.pair.bases, *name));
        base.is_some_and(|base| base.right != null)
    };
    let mut places = BTreeSet::new();
    for (meeting, shown) in rows.iter().zip(shown) {
        let values = shown.iter().flat_map(|shown| shown.values.iter().enumerate());
        places.extend(
            values.filter(|(place, value)| value.is_null() && had(meeting, *place)).map(|(place, _)| place),
        );
    }
    Some(places).filter(|places| !places.is_empty() && !mutation::is(Bug::EmptyIsBelieved))
}

/// An empty value is believed only of a property that is still there: one that somebody has archived reads as empty in
/// every record (HubSpot docs: what is asked for and not defined is left out of the answer without a word), and to
/// bring that to the left would clear a whole column.
pub(crate) async fn still_there(
    destination: &dyn Destination,
    object: &ObjectType,
    properties: &[PropertyName],
    places: &BTreeSet<usize>,
) -> Result<(), DestinationError> {
    let schema = destination.describe(object).await?;
    let is_there = |name: &PropertyName| schema.properties.iter().any(|known| known.name == *name);
    match places.iter().filter_map(|place| properties.get(*place)).find(|name| !is_there(name)) {
        None => Ok(()),
        Some(name) => Err(DestinationError::new(
            DestinationErrorKind::NotProvisioned,
            format!(
                "the property `{name}` of {object} is not there any more, so that its empty values prove nothing: bring \
                 it back (`init` does), or take it out of the mapping"
            ),
        )),
    }
}

pub(crate) fn cause_code(cause: HoldCause) -> &'static str {
    match cause {
        HoldCause::BothChanged => "both-changed",
        HoldCause::FirstContact => "first-contact",
        HoldCause::StepBack => "step-back",
        HoldCause::LostUpdate => "lost-update",
        HoldCause::Oscillation => "oscillation",
    }
}

/// What stands before the number of a right record that something without a counterpart is parked under.
const STRANGER: &str = "HubSpot record ";

/// The external id under which something about a right record without a counterpart is parked.
pub(crate) fn stranger_id(record: &RecordId) -> ExternalId {
    ExternalId::new(format!("{STRANGER}{record}"))
}

/// The right record that is parked under this id, if one is.
pub(crate) fn stranger_of(id: &ExternalId) -> Option<RecordId> {
    id.as_str().strip_prefix(STRANGER).map(RecordId::from)
}

/// For `Mode`, where a plan writes nothing.
pub(crate) fn is_plan(mode: &Mode) -> bool {
    matches!(mode, Mode::Plan(_))
}
