//! Verification: both sides are read and every difference is named. Writes nothing.
//!
//! How deep it looks is a [`Level`]: numbers, ids, values, associations, and at last some records once more by themselves
//! and with their history (`samples.rs`).
//!
//! Three things are compared: the source with what it showed at the last agreement, HubSpot with the same, and
//! both with each other by canonical value. A value that HubSpot shows in another form than it was sent in is
//! counted apart; anything else that differs is a difference.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sync_types::{
    ConflictFilter, EdgeKind, EdgeState, ExternalId, Fingerprint, Fingerprinter, Lane, LinkId, Mapped,
    NameId, ObjectType, PageToken, Pair, PairId, PairState, PropertyName, ReadRequest, RecordId, Shown,
    StateStore,
};

use crate::engine::{Engine, Phase, Progress};
use crate::error::EngineError;
use crate::observe::is_at_rest;
use crate::pair_set::PairSet;
use crate::plan::{base_of, is_unchanged};
use crate::root::Root;
use samples::Sample;

mod level;
mod samples;

pub use level::Level;

/// How many differences are named one by one; all are counted.
pub(crate) const NAMED_MAX: usize = 1_000;

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// How deep it looked.
    #[serde(default)]
    pub level: Level,
    /// Per link, in the mapping's order.
    pub links: Vec<LinkVerify>,
    /// Associations that are as wanted.
    pub edges_agree: u64,
    /// Associations compared, wanted or found.
    pub edges_compared: u64,
    /// Differences, the first 1,000 of them by name.
    pub differences: Vec<Difference>,
    /// All differences.
    pub difference_count: u64,
}

/// One link's numbers. On the source's side: `source = in_sync + pending + held + parked + excluded + gone`. On
/// HubSpot's: `records = paired + foreign`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkVerify {
    /// The link's name.
    pub link: String,
    /// Records and unreadable rows of the source.
    pub source: u64,
    /// Source records that are in HubSpot as they are.
    pub in_sync: u64,
    /// Source records that are new or changed since the last run.
    pub pending: u64,
    /// Source records that differ in nothing but what a person has to decide on.
    #[serde(default)]
    pub held: u64,
    /// Source records and rows that are dead letters.
    pub parked: u64,
    /// Source records outside the scope.
    pub excluded: u64,
    /// Source records whose counterpart was deleted, merged away, erased or taken back: they rest until they change.
    #[serde(default)]
    pub gone: u64,
    /// Live records of the object type in HubSpot.
    pub records: u64,
    /// Those that are linked to a source record.
    pub paired: u64,
    /// Those that are not: made by others, or left by a record that has gone from the source.
    pub foreign: u64,
    /// Values compared.
    pub values: u64,
    /// Values that HubSpot shows otherwise than the source, as agreed: in a form of its own, or left as they were.
    pub reformatted: u64,
    /// Values in HubSpot that wait for a person's decision.
    #[serde(default)]
    pub values_held: u64,
    /// Records that were read once more, by themselves and with their history.
    #[serde(default)]
    pub sampled: u64,
    /// Over all linked records that HubSpot shows: both ids.
    #[serde(default)]
    pub pairs_root: Root,
    /// Over the same: both ids and the fingerprints of what each side shows of every mapped property.
    #[serde(default)]
    pub values_root: Root,
}

impl LinkVerify {
    /// Source records that are in no class: must be zero.
    #[must_use]
    pub fn source_unexplained(&self) -> i64 {
        let classes = self.in_sync + self.pending + self.held + self.parked + self.excluded + self.gone;
        self.source.cast_signed().wrapping_sub(classes.cast_signed())
    }

    /// HubSpot records that are in no class: must be zero.
    #[must_use]
    pub fn records_unexplained(&self) -> i64 {
        self.records.cast_signed().wrapping_sub((self.paired + self.foreign).cast_signed())
    }
}

/// One difference, without values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The link or association rule.
    pub subject: String,
    /// The record's id in the source, where it has one.
    pub id: Option<String>,
    /// The record's id in HubSpot, where it has one.
    pub record: Option<String>,
    /// Property or association, where it is about one.
    pub what: Option<String>,
    /// What differs.
    pub why: String,
}

impl VerifyReport {
    /// Whether both sides agree.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let adds_up = |link: &LinkVerify| link.source_unexplained() == 0 && link.records_unexplained() == 0;
        self.difference_count == 0 && self.links.iter().all(|link| link.pending == 0 && adds_up(link))
    }

    fn differ(&mut self, difference: Difference) {
        self.difference_count += 1;
        if self.differences.len() < NAMED_MAX {
            self.differences.push(difference);
        }
    }
}

/// Compares both sides of every link and every association rule, as deep as asked. Another seed gives other samples.
pub(crate) async fn verify(
    engine: &mut Engine,
    level: Level,
    seed: u64,
) -> Result<VerifyReport, EngineError> {
    let mut report = VerifyReport { level, ..VerifyReport::default() };
    let prints = Fingerprinter::new(engine.parts.store.fingerprint_key());
    for place in 0..engine.names.len() {
        let Ok(place) = u16::try_from(place) else { break };
        let link = LinkId(place);
        let name = engine.parts.mapper.links()[usize::from(place)].name.clone();
        report.links.push(LinkVerify { link: name, ..LinkVerify::default() });
        let gone = verify_source(engine, &prints, link, &mut report).await?;
        let mut sample = Sample::new(seed, level);
        verify_records(engine, &prints, link, &gone, &mut sample, &mut report).await?;
        sample.verify(engine, &prints, link, &mut report).await?;
    }
    if level >= Level::Edges {
        verify_edges(engine, &mut report).await?;
    }
    Ok(report)
}

/// Reads the source in full: is every record brought over as it is now? Returns the pairs that were met.
async fn verify_source(
    engine: &mut Engine,
    prints: &Fingerprinter,
    link: LinkId,
    report: &mut VerifyReport,
) -> Result<PairSet, EngineError> {
    let mapper = Arc::clone(&engine.parts.mapper);
    let spec = mapper.links()[usize::from(link.0)].clone();
    let name = engine.names[usize::from(link.0)].link;
    let waiting = ConflictFilter { link: Some(name), ..ConflictFilter::default() };
    let held: HashSet<ExternalId> =
        engine.parts.store.conflicts(&waiting)?.into_iter().map(|held| held.external).collect();
    let mut met = PairSet::default();
    let mut after: Option<PageToken> = None;
    loop {
        let request = ReadRequest {
            collection: spec.collection.clone(),
            after: after.take(),
            max: engine.parts.options.page,
        };
        let page = engine.parts.source.read_page(&request).await?;
        let numbers = &mut report.links[usize::from(link.0)];
        numbers.source += page.records.len() as u64;
        let (good, bad): (Vec<_>, Vec<_>) = page.records.into_iter().partition(Result::is_ok);
        numbers.parked += bad.len() as u64;
        // A row that cannot be read any more is still there.
        let unread: Vec<_> = bad.into_iter().filter_map(|bad| bad.err().and_then(|bad| bad.id)).collect();
        for pair in engine.parts.store.pairs(name, &unread)?.into_iter().flatten() {
            met.insert(pair.id);
        }
        let good: Vec<_> = good.into_iter().flatten().collect();
        let ids: Vec<_> = good.iter().map(|record| record.id().clone()).collect();
        let pairs = engine.parts.store.pairs(name, &ids)?;
        let letters = engine.parts.store.parked(name, &ids)?;
        for ((record, pair), letter) in good.into_iter().zip(pairs).zip(letters) {
            let row = prints.values(mapper.fingerprint(), record.values());
            let numbers = &mut report.links[usize::from(link.0)];
            let is_repeated = pair.as_ref().is_some_and(|pair| !met.insert(pair.id));
            let is_parked = letter.is_some_and(|letter| letter.row == row);
            if is_repeated || is_parked {
                numbers.parked += 1;
            } else if pair.as_ref().is_some_and(|pair| is_unchanged(pair, row)) {
                match held.contains(record.id()) {
                    true => numbers.held += 1,
                    false => numbers.in_sync += 1,
                }
            } else if pair.as_ref().is_some_and(|pair| rests(pair, row)) {
                numbers.gone += 1;
            } else {
                match mapper.map(link, &record) {
                    Ok(mapped) if !mapped.in_scope => numbers.excluded += 1,
                    Ok(mapped) => match pair.filter(|pair| pair.record.is_some()) {
                        Some(pair) if agrees(&pair, &mapped, prints, engine, link)? => numbers.in_sync += 1,
                        Some(pair) if only_held(&pair, &mapped, prints, engine, link)? => numbers.held += 1,
                        pair => {
                            numbers.pending += 1;
                            let why =
                                if pair.is_some() { "changed at the source" } else { "not in HubSpot yet" };
                            report.differ(Difference {
                                subject: spec.name.clone(),
                                id: Some(record.id().to_string()),
                                record: pair.and_then(|pair| pair.record).map(|record| record.to_string()),
                                what: None,
                                why: format!("{why}: run again"),
                            });
                        }
                    },
                    Err(_) => {
                        numbers.pending += 1;
                        report.differ(Difference {
                            subject: spec.name.clone(),
                            id: Some(record.id().to_string()),
                            record: None,
                            what: None,
                            why: "cannot be mapped, and is not parked yet: run again".into(),
                        });
                    }
                }
            }
        }
        engine.report_progress(&Progress {
            subject: &spec.name,
            phase: Phase::Verify,
            done: report.links[usize::from(link.0)].source,
            written: 0,
        });
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(met),
        }
    }
}

/// Whether what the source shows now is what it showed at the last agreement, values and associations.
fn agrees(
    pair: &Pair,
    mapped: &Mapped,
    prints: &Fingerprinter,
    engine: &Engine,
    link: LinkId,
) -> Result<bool, EngineError> {
    let values = moved(pair, mapped, prints, engine, link).next().is_none();
    let known = engine.parts.store.edges_of(&[pair.id])?.pop().unwrap_or_default();
    let known: BTreeSet<(NameId, &str)> = known
        .iter()
        .filter(|edge| edge.state != EdgeState::Unwanted && engine.rules.contains(&edge.rule))
        .map(|edge| (edge.rule, edge.to.as_str()))
        .collect();
    let wanted: BTreeSet<(NameId, &str)> =
        mapped.edges.iter().map(|(rule, to)| (engine.rules[usize::from(rule.0)], to.as_str())).collect();
    Ok(pair.state == PairState::Linked && values && known == wanted)
}

/// Whether the pair takes no part in the sync: its counterpart is gone and the run leaves it at that.
fn rests(pair: &Pair, row: Fingerprint) -> bool {
    let is_gone = matches!(pair.state, PairState::RightGone | PairState::Collided) && pair.record.is_some();
    is_gone || is_at_rest(pair, row)
}

/// The properties that the source shows otherwise than at the last agreement.
fn moved<'a>(
    pair: &'a Pair,
    mapped: &'a Mapped,
    prints: &'a Fingerprinter,
    engine: &'a Engine,
    link: LinkId,
) -> impl Iterator<Item = NameId> + 'a {
    let properties = engine.names[usize::from(link.0)].properties.iter();
    let moved = mapped.values.iter().zip(properties).filter(move |(value, property)| match value {
        None => false,
        Some(value) => base_of(&pair.bases, **property).is_none_or(|base| base.left != prints.value(value)),
    });
    moved.map(|(_, property)| *property)
}

/// Whether a person has to decide on everything in which the source differs from the last agreement.
fn only_held(
    pair: &Pair,
    mapped: &Mapped,
    prints: &Fingerprinter,
    engine: &Engine,
    link: LinkId,
) -> Result<bool, EngineError> {
    let held = held_of(engine, link, pair)?;
    Ok(!held.is_empty() && moved(pair, mapped, prints, engine, link).all(|property| held.contains(&property)))
}

/// The properties of a pair on which a person has to decide.
fn held_of(engine: &Engine, link: LinkId, pair: &Pair) -> Result<Vec<NameId>, EngineError> {
    let link = engine.names[usize::from(link.0)].link;
    let held = engine.parts.store.conflicts_of(link, std::slice::from_ref(&pair.external))?;
    Ok(held.into_iter().flatten().map(|held| held.property).collect())
}

/// Reads HubSpot in full: does every linked record show what was agreed?
async fn verify_records(
    engine: &mut Engine,
    prints: &Fingerprinter,
    link: LinkId,
    met: &PairSet,
    sample: &mut Sample,
    report: &mut VerifyReport,
) -> Result<(), EngineError> {
    let level = report.level;
    let mapper = Arc::clone(&engine.parts.mapper);
    let spec = mapper.links()[usize::from(link.0)].clone();
    let names = &engine.names[usize::from(link.0)];
    let mut properties: Vec<PropertyName> = Vec::new();
    if level >= Level::Fields {
        properties.extend(spec.properties.iter().map(|p| p.name.clone()));
    }
    if level >= Level::Ids {
        properties.push(spec.sync_key.clone());
    }
    let (mut found, mut misplaced) = (PairSet::default(), 0_u64);
    let mut after: Option<String> = None;
    loop {
        let page =
            engine.parts.destination.list(&spec.object, &properties, after.as_deref(), Lane::Verify).await?;
        let ids: Vec<RecordId> = page.records.iter().map(|shown| shown.id.clone()).collect();
        let pairs = engine.parts.store.pairs_by_record(names.link, &ids)?;
        for (shown, pair) in page.records.into_iter().zip(pairs) {
            report.links[usize::from(link.0)].records += 1;
            match pair {
                None => {
                    report.links[usize::from(link.0)].foreign += 1;
                    if level >= Level::Ids {
                        stray(engine, link, &shown, report);
                    }
                }
                Some(pair) => {
                    let numbers = &mut report.links[usize::from(link.0)];
                    numbers.paired += 1;
                    numbers.pairs_root.add([pair.external.as_str().as_bytes(), shown.id.as_str().as_bytes()]);
                    found.insert(pair.id);
                    sample.meet(prints, &pair);
                    let why = presence(pair.state, met.contains(pair.id));
                    if let Some(why) = why.filter(|_| level >= Level::Ids) {
                        report.differ(Difference {
                            subject: spec.name.clone(),
                            id: Some(pair.external.to_string()),
                            record: Some(shown.id.to_string()),
                            what: None,
                            why: why.into(),
                        });
                    } else if why.is_some() {
                        misplaced += 1;
                    }
                    if level >= Level::Fields && pair.state == PairState::Linked {
                        compare(engine, prints, link, &pair, shown, report)?;
                    }
                }
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let (mut last, mut missing) = (PairId(0), 0_u64);
    loop {
        let pairs = engine.parts.store.scan_pairs(names.link, last, 1_000)?;
        let Some(end) = pairs.last() else { break };
        last = end.id;
        let linked = |pair: &&Pair| pair.record.is_some() && pair.state == PairState::Linked;
        for pair in pairs.iter().filter(linked).filter(|pair| !found.contains(pair.id)) {
            if level < Level::Ids {
                missing += 1;
                continue;
            }
            report.differ(Difference {
                subject: spec.name.clone(),
                id: Some(pair.external.to_string()),
                record: pair.record.as_ref().map(ToString::to_string),
                what: None,
                why: "deleted or merged in HubSpot".into(),
            });
        }
    }
    if missing > 0 {
        report.differ(Difference {
            subject: spec.name.clone(),
            id: None,
            record: None,
            what: None,
            why: format!("{missing} linked records are not in HubSpot: verify the ids to have them named"),
        });
    }
    if misplaced > 0 {
        report.differ(Difference {
            subject: spec.name.clone(),
            id: None,
            record: None,
            what: None,
            why: format!(
                "{misplaced} records are in HubSpot whose counterpart is not in the source, or that count as gone: \
                 verify the ids to have them named"
            ),
        });
    }
    Ok(())
}

/// Why the record of a pair in this state should not be in HubSpot, if so.
fn presence(state: PairState, is_in_source: bool) -> Option<&'static str> {
    match state {
        PairState::Linked if !is_in_source => Some("gone from the source, still in HubSpot"),
        PairState::LeftMissing if !is_in_source => {
            Some("missing at the source, still in HubSpot: run again, until it is known to be deleted")
        }
        PairState::RightGone | PairState::RightMissing => {
            Some("counts as deleted in HubSpot, and is there: run again, with a sweep")
        }
        _ => None,
    }
}

/// A record that carries a sync key of ours but belongs to no pair is a loose end; any other foreign record is
/// somebody else's.
fn stray(engine: &Engine, link: LinkId, shown: &Shown, report: &mut VerifyReport) {
    let spec = &engine.parts.mapper.links()[usize::from(link.0)];
    let shares_object = engine
        .parts
        .mapper
        .links()
        .iter()
        .filter(|other| other.object == spec.object && other.sync_key == spec.sync_key)
        .count()
        > 1;
    // Another link of the same object type may own it: that link's own comparison speaks for it.
    if !shares_object && shown.values.last().is_some_and(|key| !key.is_null()) {
        report.differ(Difference {
            subject: spec.name.clone(),
            id: None,
            record: Some(shown.id.to_string()),
            what: Some(spec.sync_key.to_string()),
            why: "carries a sync key that no source record has".into(),
        });
    }
}

fn compare(
    engine: &Engine,
    prints: &Fingerprinter,
    link: LinkId,
    pair: &Pair,
    shown: Shown,
    report: &mut VerifyReport,
) -> Result<(), EngineError> {
    let spec = &engine.parts.mapper.links()[usize::from(link.0)];
    let names = &engine.names[usize::from(link.0)];
    // The ids, then for each property its name and what each side shows.
    let mut leaf: Vec<[u8; 8]> = Vec::with_capacity(names.properties.len() * 2);
    let mut agreed: Vec<&str> = Vec::with_capacity(names.properties.len());
    let mut held: Option<Vec<NameId>> = None;
    for (place, (property, value)) in names.properties.iter().zip(shown.values).enumerate() {
        let Some(base) = base_of(&pair.bases, *property) else { continue };
        let right = prints.value(&engine.parts.mapper.canonical(link, place, value));
        agreed.extend(spec.properties.get(place).map(|property| property.name.as_str()));
        leaf.extend([base.left.0.to_le_bytes(), right.0.to_le_bytes()]);
        let numbers = &mut report.links[usize::from(link.0)];
        numbers.values += 1;
        if right == base.left {
            continue;
        }
        if right == base.right {
            numbers.reformatted += 1;
            continue;
        }
        let held = match &held {
            Some(held) => held,
            None => held.insert(held_of(engine, link, pair)?),
        };
        if held.contains(property) {
            numbers.values_held += 1;
            continue;
        }
        report.differ(Difference {
            subject: spec.name.clone(),
            id: Some(pair.external.to_string()),
            record: Some(shown.id.to_string()),
            what: spec.properties.get(place).map(|property| property.name.to_string()),
            why: "changed in HubSpot since both last agreed".into(),
        });
    }
    let ids = [pair.external.as_str().as_bytes(), shown.id.as_str().as_bytes()];
    let names = agreed.iter().map(|name| name.as_bytes());
    let values = leaf.iter().map(<[u8; 8]>::as_slice);
    report.links[usize::from(link.0)].values_root.add(ids.into_iter().chain(names).chain(values));
    Ok(())
}

type Kinds = BTreeMap<EdgeKind, ()>;

/// Compares the associations of every pair of object types that a rule joins, in the rules' direction.
async fn verify_edges(engine: &mut Engine, report: &mut VerifyReport) -> Result<(), EngineError> {
    let rules = engine.parts.mapper.edge_rules().to_vec();
    let mut done: Vec<(LinkId, LinkId)> = Vec::new();
    for rule in &rules {
        if done.contains(&(rule.from, rule.to)) {
            continue;
        }
        done.push((rule.from, rule.to));
        verify_edges_between(engine, rule.from, rule.to, report).await?;
    }
    Ok(())
}

async fn verify_edges_between(
    engine: &mut Engine,
    from: LinkId,
    to: LinkId,
    report: &mut VerifyReport,
) -> Result<(), EngineError> {
    let mapper = Arc::clone(&engine.parts.mapper);
    let (near, far) = (&mapper.links()[usize::from(from.0)], &mapper.links()[usize::from(to.0)]);
    let subject = format!("{} to {}", near.name, far.name);
    let size = engine.parts.destination.limits().edge_reads_max.max(1);
    let rules = mapper.edge_rules().iter().filter(|rule| rule.from == from && rule.to == to);
    let managed: BTreeSet<EdgeKind> = rules.map(|rule| rule.kind.clone()).chain([EdgeKind::Plain]).collect();
    let mut last = PairId(0);
    loop {
        let pairs = engine.parts.store.scan_pairs(engine.names[usize::from(from.0)].link, last, size)?;
        let Some(end) = pairs.last() else { return Ok(()) };
        last = end.id;
        let pairs: Vec<Pair> = pairs.into_iter().filter(|pair| pair.record.is_some()).collect();
        let wanted = wanted_edges(engine, from, to, &pairs)?;
        let ids: Vec<RecordId> = pairs.iter().filter_map(|pair| pair.record.clone()).collect();
        let objects: (ObjectType, ObjectType) = (near.object.clone(), far.object.clone());
        let shown = engine.parts.destination.read_edges(&objects.0, &objects.1, &ids, Lane::Verify).await?;
        for ((pair, wanted), shown) in pairs.iter().zip(wanted).zip(shown) {
            let mut shown: HashMap<RecordId, Vec<EdgeKind>> =
                shown.into_iter().map(|edge| (edge.to, edge.kinds)).collect();
            for (record, kinds) in wanted {
                let found = shown.remove(&record).unwrap_or_default();
                for kind in kinds.keys() {
                    report.edges_compared += 1;
                    if found.contains(kind) {
                        report.edges_agree += 1;
                    } else {
                        report.differ(edge_difference(&subject, pair, &record, kind, "missing in HubSpot"));
                    }
                }
                let is_shared = found.iter().any(|kind| !kinds.contains_key(kind))
                    && other_way(engine, from, to, pair, &record)?;
                // A label that no rule makes is somebody else's, and the plain association lies under any label.
                let is_ours = |kind: &EdgeKind| managed.contains(kind) && *kind != EdgeKind::Plain;
                let extra = |kind: &&EdgeKind| !is_shared && !kinds.contains_key(*kind) && is_ours(kind);
                for kind in found.iter().filter(extra) {
                    // HubSpot makes the first company of a record its primary one by itself.
                    if *kind != EdgeKind::Primary {
                        report.edges_compared += 1;
                        report.differ(edge_difference(
                            &subject,
                            pair,
                            &record,
                            kind,
                            "not asked for by the source",
                        ));
                    }
                }
            }
            for (record, kinds) in shown {
                // Ours are only associations between two linked records; others belong to the portal's people.
                let name = engine.names[usize::from(to.0)].link;
                let is_ours = engine
                    .parts
                    .store
                    .pairs_by_record(name, std::slice::from_ref(&record))?
                    .iter()
                    .any(Option::is_some);
                if is_ours && !other_way(engine, from, to, pair, &record)? {
                    for kind in kinds.into_iter().filter(|kind| managed.contains(kind)) {
                        report.edges_compared += 1;
                        report.differ(edge_difference(
                            &subject,
                            pair,
                            &record,
                            &kind,
                            "not asked for by the source",
                        ));
                    }
                }
            }
        }
        engine.report_progress(&Progress {
            subject: &subject,
            phase: Phase::Verify,
            done: report.edges_compared,
            written: 0,
        });
    }
}

/// Whether a rule in the other direction asks for the two records: then what is shown from this side is its
/// inverse.
fn other_way(
    engine: &Engine,
    from: LinkId,
    to: LinkId,
    near: &Pair,
    far: &RecordId,
) -> Result<bool, EngineError> {
    let store = &engine.parts.store;
    let rules = engine.parts.mapper.edge_rules();
    let is_reverse = |name: NameId| {
        let place = engine.rules.iter().position(|known| *known == name);
        place.and_then(|place| rules.get(place)).is_some_and(|rule| rule.from == to && rule.to == from)
    };
    let far = store.pairs_by_record(engine.names[usize::from(to.0)].link, std::slice::from_ref(far))?;
    let far: Vec<PairId> = far.into_iter().flatten().map(|pair| pair.id).collect();
    let edges = store.edges_of(&far)?;
    Ok(edges.iter().flatten().any(|edge| is_reverse(edge.rule) && edge.to == near.external))
}

/// What each of these pairs should be associated with: records of the far link and the kinds between them.
fn wanted_edges(
    engine: &Engine,
    from: LinkId,
    to: LinkId,
    pairs: &[Pair],
) -> Result<Vec<BTreeMap<RecordId, Kinds>>, EngineError> {
    let store: &dyn StateStore = engine.parts.store.as_ref();
    let rules = engine.parts.mapper.edge_rules();
    let ids: Vec<PairId> = pairs.iter().map(|pair| pair.id).collect();
    let mut all = Vec::with_capacity(pairs.len());
    for edges in store.edges_of(&ids)? {
        let mut wanted: BTreeMap<RecordId, Kinds> = BTreeMap::new();
        for edge in edges.iter().filter(|edge| matches!(edge.state, EdgeState::Wanted | EdgeState::There)) {
            let place = engine.rules.iter().position(|name| *name == edge.rule);
            let Some(rule) = place.and_then(|place| rules.get(place)) else { continue };
            if rule.from != from || rule.to != to {
                continue;
            }
            let far = store.pairs(engine.names[usize::from(to.0)].link, std::slice::from_ref(&edge.to))?;
            let record = far.into_iter().flatten().find_map(|pair| pair.record);
            if let Some(record) = record {
                let kinds = wanted.entry(record).or_default();
                kinds.insert(rule.kind.clone(), ());
                // Whatever its label, the plain association stands beside it.
                kinds.insert(EdgeKind::Plain, ());
            }
        }
        all.push(wanted);
    }
    Ok(all)
}

fn edge_difference(subject: &str, pair: &Pair, record: &RecordId, kind: &EdgeKind, why: &str) -> Difference {
    let what = match kind {
        EdgeKind::Plain => "plain association".to_owned(),
        EdgeKind::Primary => "primary association".to_owned(),
        EdgeKind::Label(label) => format!("association `{label}`"),
    };
    Difference {
        subject: subject.to_owned(),
        id: Some(pair.external.to_string()),
        record: pair.record.as_ref().map(ToString::to_string),
        what: Some(format!("{what} with {record}")),
        why: why.to_owned(),
    }
}
