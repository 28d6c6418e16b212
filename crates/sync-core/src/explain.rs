//! Why a record is as it is: for each property, what both sides show, what was agreed, which rule decides and what the
//! next run does about it.
//!
//! Read anew from both sides whenever somebody asks. What the store does not keep is told by HubSpot's history, or not
//! at all.

use jiff::Timestamp;
use sync_types::{
    Act, Conflict, DeadLetter, Direction, EdgeState, ExternalId, Fate, FieldBase, Fingerprint, Fingerprinter,
    HeldConflict, Lane, LinkId, Mapped, MappedProperty, NameId, OpId, Pair, PairState, PropertyName, Record,
    RecordId, Sensitivity, Shown, Value, Verb, Version, WrittenRow,
};

use crate::absence::WHOLE_RECORD;
use crate::decide::{Contest, Decision, Field, Held, HoldCause, Side, decide, settle};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::meet::cause_code;
use crate::plan::base_of;
use crate::run::AUTHOR;

mod words;

/// The newest entries of a record's writings that are told.
const WRITINGS_MAX: usize = 20;

/// Which record to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// By its id in the source.
    Source(ExternalId),
    /// By its id in HubSpot.
    HubSpot(RecordId),
}

/// Everything that is known of a record.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The link.
    pub link: String,
    /// Its id in the source, where it is known.
    pub id: Option<ExternalId>,
    /// Its id in HubSpot, where it is known.
    pub record: Option<RecordId>,
    /// Where the two stand; `None`: they are no pair, as far as the store knows.
    pub state: Option<PairState>,
    /// Since when, where that is kept.
    pub since: Option<Timestamp>,
    /// What the source shows of it.
    pub source: Presence,
    /// What HubSpot shows of it.
    pub hubspot: Presence,
    /// Why the mapping cannot bring the source record over, if so: without values.
    pub problem: Option<String>,
    /// Each mapped property, in the mapping's order.
    pub fields: Vec<FieldStory>,
    /// Associations that it asks for: rule, far record's id in the source, state.
    pub edges: Vec<(String, ExternalId, EdgeState)>,
    /// Its dead letter.
    pub dead_letter: Option<DeadLetter>,
    /// Conflicts about the record itself, such as a deletion that a person has to decide on.
    pub held: Vec<HeldConflict>,
    /// What waits for the next run.
    pub waits: Vec<String>,
    /// What runs have written to it, newest first.
    pub writings: Vec<WritingStory>,
}

/// Whether a side has a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It is there, and within the link's scope.
    There,
    /// It is there, outside the link's scope.
    OutOfScope,
    /// It was not found.
    Missing,
    /// It is in HubSpot's recycling bin.
    Deleted,
    /// It is part of this record now.
    MergedInto(RecordId),
    /// Its id is not known, so nobody was asked.
    #[default]
    Unknown,
}

/// One property of a record.
#[derive(Clone, Debug)]
pub struct FieldStory {
    /// The property, with its rules.
    pub property: MappedProperty,
    /// Whether both sides ever agreed on it.
    pub is_agreed: bool,
    /// What the source shows.
    pub left: Shows,
    /// What HubSpot shows.
    pub right: Shows,
    /// Whether both show the same; `None`: one of them is not known.
    pub is_equal: Option<bool>,
    /// What the next run does about it, and why.
    pub verdict: String,
    /// When HubSpot's value was set.
    pub set_at: Option<Timestamp>,
    /// Who set it, in HubSpot's words.
    pub set_by: Option<String>,
    /// Whether it was this integration that set it; `None`: its own name in HubSpot's history is not known yet.
    pub set_by_us: Option<bool>,
    /// The last run that wrote it on either side, as far back as is kept.
    pub written: Option<(u64, Side)>,
    /// A conflict about it that waits for a person, or for the run that carries out what she said.
    pub conflict: Option<HeldConflict>,
}

/// What one side shows of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shows {
    /// The canonical value; `None`: not known, or too sensitive to be shown to anybody.
    pub value: Option<Value>,
    /// Whether it is known.
    pub is_known: bool,
    /// Whether it is empty.
    pub is_empty: bool,
    /// Whether it has changed since both sides agreed; `None`: not known, or never agreed.
    pub has_moved: Option<bool>,
}

/// One operation that wrote, or was about to write, a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritingStory {
    /// The run.
    pub run: u64,
    /// The operation.
    pub op: OpId,
    /// When it was about to be sent.
    pub at: Timestamp,
    /// The side that was written.
    pub side: Side,
    /// What was done.
    pub act: Act,
    /// The properties that were written, by name; none where the record was made or deleted whole.
    pub properties: Vec<String>,
}

impl Engine {
    /// Explains one record: reads both sides, the history of HubSpot's values and the store. Writes nothing.
    ///
    /// # Errors
    /// When the mapping has no such link, or a side or the store cannot be read.
    pub async fn explain(&mut self, link: &str, of: &Of) -> Result<Explanation, EngineError> {
        let Some(link) = self.link_by_name(link) else {
            return Err(EngineError::Unknown(format!(
                "the mapping has no link `{link}`: it has {}",
                self.parts
                    .mapper
                    .links()
                    .iter()
                    .map(|link| link.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        };
        let seen = self.look_at_both(link, of).await?;
        let names = &self.names[usize::from(link.0)];
        let spec = &self.parts.mapper.links()[usize::from(link.0)];
        let conflicts = match &seen.id {
            Some(id) => self.parts.store.conflicts_of(names.link, std::slice::from_ref(id))?,
            None => Vec::new(),
        };
        let conflicts: Vec<HeldConflict> = conflicts.into_iter().flatten().collect();
        let writings = self.writings_of(link, seen.id.as_ref(), seen.record.as_ref())?;
        let author = self.parts.store.cursor(AUTHOR)?;
        let mut fields = Vec::with_capacity(spec.properties.len());
        for (place, (property, name)) in spec.properties.iter().zip(&names.properties).enumerate() {
            let conflict = conflicts.iter().find(|held| held.property == *name).cloned();
            let written = writings
                .iter()
                .find(|story| story.properties.contains(&property.name.to_string()))
                .map(|story| (story.run, story.side));
            fields.push(self.field_story(
                link,
                place,
                property,
                *name,
                &seen,
                conflict,
                written,
                author.as_deref(),
            ));
        }
        let dead_letter = match &seen.id {
            Some(id) => {
                self.parts.store.parked(names.link, std::slice::from_ref(id))?.into_iter().flatten().next()
            }
            None => None,
        };
        Ok(Explanation {
            link: spec.name.clone(),
            edges: self.edge_stories(seen.pair.as_ref())?,
            waits: self.what_waits(names.link, seen.id.as_ref(), seen.record.as_ref())?,
            held: conflicts.into_iter().filter(|held| held.property == WHOLE_RECORD).collect(),
            state: seen.pair.as_ref().map(|pair| pair.state),
            since: seen.pair.as_ref().and_then(|pair| pair.since),
            id: seen.id,
            record: seen.record,
            source: seen.source,
            hubspot: seen.hubspot,
            problem: seen.problem,
            fields,
            dead_letter,
            writings,
        })
    }

    #[allow(clippy::too_many_arguments, reason = "one property's whole situation, used in one place")]
    fn field_story(
        &self,
        link: LinkId,
        place: usize,
        property: &MappedProperty,
        name: NameId,
        seen: &Seen,
        conflict: Option<HeldConflict>,
        written: Option<(u64, Side)>,
        author: Option<&str>,
    ) -> FieldStory {
        let prints = Fingerprinter::new(self.parts.store.fingerprint_key());
        let null = prints.value(&Value::Null);
        let base = seen.pair.as_ref().and_then(|pair| base_of(&pair.bases, name)).copied();
        let left = seen.left.as_ref().and_then(|mapped| mapped.values.get(place)?.clone());
        let right = seen
            .right
            .as_ref()
            .and_then(|shown| shown.values.get(place))
            .map(|value| self.parts.mapper.canonical(link, place, value.clone()));
        let (left_print, right_print) =
            (left.as_ref().map(|value| prints.value(value)), right.as_ref().map(|value| prints.value(value)));
        let newest = seen.history.get(place).and_then(|versions| versions.first());
        let known = Known { base, left: left_print, right: right_print };
        let verdict =
            self.verdict_on(link, property, name, &known, (&left, &right), conflict.as_ref(), newest, null);
        let shows = |value: Option<Value>, print: Option<Fingerprint>, agreed: Option<Fingerprint>| Shows {
            is_known: value.is_some(),
            is_empty: value.as_ref().is_some_and(Value::is_null),
            has_moved: print.zip(agreed).map(|(print, agreed)| print != agreed),
            value: value.filter(|_| property.sensitivity != Sensitivity::Sensitive),
        };
        FieldStory {
            property: property.clone(),
            is_agreed: base.is_some(),
            is_equal: left_print.zip(right_print).map(|(left, right)| left == right),
            left: shows(left, left_print, base.map(|base| base.left)),
            right: shows(right, right_print, base.map(|base| base.right)),
            verdict,
            set_at: newest.map(|version| version.at),
            set_by: newest.map(|version| version.by.clone()),
            set_by_us: newest.and_then(|version| Some(version.by == author?)),
            written,
            conflict,
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one property's whole situation, used in one place")]
    fn verdict_on(
        &self,
        link: LinkId,
        property: &MappedProperty,
        name: NameId,
        known: &Known,
        (left, right): (&Option<Value>, &Option<Value>),
        conflict: Option<&HeldConflict>,
        newest: Option<&Version>,
        null: Fingerprint,
    ) -> String {
        if !self.names[usize::from(link.0)].is_both_ways {
            return words::one_way(known).to_owned();
        }
        let held = conflict.map(|held| Held {
            left: held.left,
            right: held.right,
            decision: match held.decision.as_deref() {
                Some("left") => Some(Side::Left),
                Some("right") => Some(Side::Right),
                _ => None,
            },
            is_frozen: held.cause == cause_code(HoldCause::Oscillation),
        });
        let field = Field {
            property,
            name,
            base: known.base,
            left: known.left,
            right: known.right,
            held: held.as_ref(),
        };
        let spec = &self.parts.mapper.links()[usize::from(link.0)];
        let decision = decide(&field, spec.first_contact, null);
        let settled = match (decision, left, right) {
            (Decision::Contest, Some(left), Some(right)) => {
                let moved = known.moved().unwrap_or((true, true));
                let right_at = newest.map(|version| version.at);
                let contest = Contest { left, right, moved, left_at: None, right_at };
                Some(settle(property, &contest, known.base.is_none()))
            }
            _ => None,
        };
        words::both_ways(property, decision, settled, known)
    }

    /// What both sides show of a record now.
    async fn look_at_both(&mut self, link: LinkId, of: &Of) -> Result<Seen, EngineError> {
        let spec = &self.parts.mapper.links()[usize::from(link.0)];
        let name = self.names[usize::from(link.0)].link;
        let store = &self.parts.store;
        let pair = match of {
            Of::Source(id) => store.pairs(name, std::slice::from_ref(id))?,
            Of::HubSpot(record) => store.pairs_by_record(name, std::slice::from_ref(record))?,
        };
        let pair = pair.into_iter().flatten().next();
        let id = match of {
            Of::Source(id) => Some(id.clone()),
            Of::HubSpot(_) => pair.as_ref().map(|pair| pair.external.clone()),
        };
        let record = match of {
            Of::Source(_) => pair.as_ref().and_then(|pair| pair.record.clone()),
            Of::HubSpot(record) => Some(record.clone()),
        };
        let mut seen = Seen { pair, id, record, ..Seen::default() };
        if let Some(id) = &seen.id {
            let found = self.parts.source.read(&spec.collection, std::slice::from_ref(id)).await?;
            let found: Option<Record> = found.into_iter().flatten().next();
            seen.source = Presence::Missing;
            match found.map(|record| self.parts.mapper.map(link, &record)) {
                Some(Ok(mapped)) => {
                    seen.source = if mapped.in_scope { Presence::There } else { Presence::OutOfScope };
                    seen.left = Some(mapped);
                }
                Some(Err(error)) => {
                    seen.source = Presence::There;
                    seen.problem = Some(error.to_string());
                }
                None => {}
            }
        }
        if let Some(record) = seen.record.clone() {
            let ids = std::slice::from_ref(&record);
            let mapped: Vec<PropertyName> =
                spec.properties.iter().map(|property| property.name.clone()).collect();
            let read: Vec<PropertyName> = mapped.iter().chain(&spec.right_reads).cloned().collect();
            let destination = &self.parts.destination;
            let shown =
                destination.read(&spec.object, ids, &read, Lane::Live).await?.into_iter().flatten().next();
            match shown.filter(|shown| shown.id == record) {
                Some(shown) => {
                    let values: Vec<Value> = shown
                        .values
                        .iter()
                        .enumerate()
                        .map(|(place, value)| match place < mapped.len() {
                            true => self.parts.mapper.canonical(link, place, value.clone()),
                            false => value.clone(),
                        })
                        .collect();
                    let is_in_scope = self.parts.mapper.right_in_scope(link, &values);
                    seen.hubspot = if is_in_scope { Presence::There } else { Presence::OutOfScope };
                    let history = destination.history(&spec.object, ids, &mapped, Lane::Live).await?;
                    seen.history = history.into_iter().next().unwrap_or_default();
                    seen.right = Some(shown);
                }
                None => {
                    let fate = destination.fates(&spec.object, ids, Lane::Live).await?.into_iter().next();
                    seen.hubspot = match fate {
                        Some(Fate::Archived) => Presence::Deleted,
                        Some(Fate::MergedInto(survivor)) => Presence::MergedInto(survivor),
                        _ => Presence::Missing,
                    };
                }
            }
        }
        Ok(seen)
    }

    fn edge_stories(&self, pair: Option<&Pair>) -> Result<Vec<(String, ExternalId, EdgeState)>, EngineError> {
        let Some(pair) = pair else { return Ok(Vec::new()) };
        let edges = self.parts.store.edges_of(&[pair.id])?.pop().unwrap_or_default();
        Ok(edges.into_iter().map(|edge| (self.rule_title(edge.rule), edge.to, edge.state)).collect())
    }

    fn what_waits(
        &self,
        link: NameId,
        id: Option<&ExternalId>,
        record: Option<&RecordId>,
    ) -> Result<Vec<String>, EngineError> {
        let store = &self.parts.store;
        let mut waits = Vec::new();
        for intent in store.open_intents()? {
            if intent.subject == link && id.is_some_and(|id| intent.rows.iter().any(|(of, _)| of == id)) {
                waits.push(format!(
                    "operation {} was sent at {} and its outcome is not known: the next run settles it",
                    intent.op.0, intent.sent_at
                ));
            }
        }
        if let Some(record) = record
            && store.sighted(link, usize::MAX >> 1)?.iter().any(|sighting| sighting.record == *record)
        {
            waits.push("HubSpot told of a change that was not looked at yet".into());
        }
        if let Some(id) = id
            && store.dirty(link, usize::MAX >> 1)?.contains(id)
        {
            waits.push("somebody asked to look at it: the next run does".into());
        }
        Ok(waits)
    }

    /// What runs have written to a record, newest first.
    fn writings_of(
        &self,
        link: LinkId,
        id: Option<&ExternalId>,
        record: Option<&RecordId>,
    ) -> Result<Vec<WritingStory>, EngineError> {
        let name = self.names[usize::from(link.0)].link;
        let mut stories: Vec<WritingStory> = Vec::new();
        self.each_writing(0, |writing| {
            if writing.subject != name || !writing.verb.is_of_records() {
                return;
            }
            let side = if writing.verb == Verb::WriteLeft { Side::Left } else { Side::Right };
            for row in &writing.rows {
                let WrittenRow::Record { id: of, act, fields } = row else { continue };
                let is_made_of = side == Side::Left && *act == Act::Make;
                let is_it = match is_made_of {
                    true => record.is_some_and(|record| record.as_str() == of.as_str()),
                    false => id == Some(of),
                };
                if is_it {
                    stories.push(WritingStory {
                        run: writing.run,
                        op: writing.op,
                        at: writing.at,
                        side,
                        act: *act,
                        properties: fields
                            .iter()
                            .map(|field| self.property_name(name, field.property))
                            .collect(),
                    });
                }
            }
        })?;
        stories.reverse();
        stories.truncate(WRITINGS_MAX);
        Ok(stories)
    }
}

/// What both sides show of a record.
#[derive(Debug, Default)]
struct Seen {
    pair: Option<Pair>,
    id: Option<ExternalId>,
    record: Option<RecordId>,
    source: Presence,
    hubspot: Presence,
    left: Option<Mapped>,
    right: Option<Shown>,
    history: Vec<Vec<Version>>,
    problem: Option<String>,
}

/// What is known of one property, as fingerprints.
#[derive(Clone, Copy, Debug)]
struct Known {
    base: Option<FieldBase>,
    left: Option<Fingerprint>,
    right: Option<Fingerprint>,
}

impl Known {
    /// Whether each side has moved since both agreed.
    fn moved(&self) -> Option<(bool, bool)> {
        let base = self.base?;
        Some((self.left? != base.left, self.right? != base.right))
    }
}

/// A policy's name in the mapping file.
pub(crate) fn policy(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::Left => "source",
        Conflict::Right => "hubspot",
        Conflict::Newest => "newest",
        Conflict::Filled => "filled",
        Conflict::Furthest => "furthest",
        Conflict::Ask => "ask",
    }
}

/// A direction as people say it.
pub(crate) fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::ToRight => "to HubSpot",
        Direction::ToLeft => "to the source",
        Direction::Both => "both ways",
    }
}
