//! Laws of the state store: the embedded one keeps what the one in memory keeps, and lets one process in.

use fastrand::Rng;
use jiff::Timestamp;
use sync_core::stores::{Binding, SqliteStore};
use sync_testkit::Memory;
use sync_types::{
    ChangeKind, ConflictFilter, DeadLetter, DeadLetterFilter, EdgePlace, EdgeState, ExternalId, FieldBase,
    Fingerprint, HeldConflict, Intent, NameId, NameKind, OpId, PairId, PairState, PairWrite, RecordId,
    Sighting, StateStore, StoreErrorKind, Transition, Verb,
};

use super::ensure;

const KEY: [u8; 16] = [7; 16];

fn binding() -> Binding {
    Binding { engagement: "laws".into(), portal: "1".into() }
}

/// The store's numbers for two links, a rule and a property.
struct Names {
    links: [NameId; 2],
    rule: NameId,
    property: NameId,
}

/// Ids that look like numbers, and ids that only nearly do.
fn id(rng: &mut Rng) -> &'static str {
    ["7", "07", "a", "12", "-1"][rng.usize(0..5)]
}

fn some<T>(rng: &mut Rng, mut make: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    (0..[0, 0, 1, 2][rng.usize(0..4)]).map(|_| make(rng)).collect()
}

fn moment(rng: &mut Rng) -> Timestamp {
    Timestamp::from_millisecond(rng.i64(0..4_000_000_000)).unwrap_or_default()
}

fn pair(rng: &mut Rng, names: &Names) -> PairWrite {
    let states = [
        PairState::Linked,
        PairState::Detached,
        PairState::LeftMissing,
        PairState::RightMissing,
        PairState::LeftGone,
        PairState::RightGone,
        PairState::Collided,
        PairState::Erased,
    ];
    let bases = some(rng, |rng| FieldBase {
        property: names.property,
        left: Fingerprint(rng.u64(..)),
        right: Fingerprint(rng.u64(..)),
    });
    let far = |rng: &mut Rng| (names.rule, ExternalId::from(id(rng)));
    PairWrite {
        link: names.links[rng.usize(0..2)],
        external: id(rng).into(),
        record: (rng.u8(0..3) > 0).then(|| id(rng).into()),
        generation: rng.u32(0..3),
        state: states[rng.usize(0..states.len())],
        since: rng.bool().then(|| moment(rng)),
        row: Fingerprint(rng.u64(..)),
        bases: bases.into_iter().take(1).collect(),
        want: some(rng, far),
        unwant: some(rng, far),
        renew_edges: (rng.u8(0..4) == 0).then(|| vec![names.rule]),
    }
}

fn transition(rng: &mut Rng, names: &Names) -> Transition {
    let link = |rng: &mut Rng| names.links[rng.usize(0..2)];
    let edge = |rng: &mut Rng| {
        let states = [EdgeState::Wanted, EdgeState::There, EdgeState::Unwanted, EdgeState::Refused];
        let state = (rng.u8(0..5) > 0).then(|| states[rng.usize(0..states.len())]);
        (names.rule, EdgePlace { from: PairId(rng.u64(1..6)), to: id(rng).into() }, state)
    };
    let letter = |rng: &mut Rng| DeadLetter {
        link: link(rng),
        external: id(rng).into(),
        is_place: rng.bool(),
        cause: ["one", "other"][rng.usize(0..2)].into(),
        detail: "why".into(),
        remedy: "what".into(),
        row: Fingerprint(rng.u64(..)),
        first_run: rng.u64(1..9),
        last_run: rng.u64(1..9),
        tries: 1,
    };
    let held = |rng: &mut Rng| HeldConflict {
        link: link(rng),
        external: id(rng).into(),
        record: id(rng).into(),
        property: names.property,
        cause: ["one", "other"][rng.usize(0..2)].into(),
        opponent: rng.bool().then(|| "somebody".into()),
        left: Fingerprint(rng.u64(0..3)),
        right: Fingerprint(rng.u64(0..3)),
        run: rng.u64(1..9),
        decision: rng.bool().then(|| "left".into()),
        is_settled: rng.bool(),
    };
    let told = |rng: &mut Rng| {
        let kinds = [
            ChangeKind::Changed,
            ChangeKind::Deleted,
            ChangeKind::Erased,
            ChangeKind::MergedInto(id(rng).into()),
        ];
        (link(rng), Sighting { record: id(rng).into(), kind: kinds[rng.usize(0..kinds.len())].clone() })
    };
    let intent = |rng: &mut Rng| Intent {
        op: OpId(rng.u64(1..9)),
        verb: [Verb::Upsert, Verb::Update, Verb::Archive, Verb::WriteLeft][rng.usize(0..4)],
        subject: link(rng),
        sent_at: moment(rng),
        rows: vec![(id(rng).into(), rng.u32(..))],
    };
    let keyed = |rng: &mut Rng| (link(rng), ExternalId::from(id(rng)));
    Transition {
        pairs: some(rng, |rng| pair(rng, names)),
        rows: some(rng, |rng| (PairId(rng.u64(1..6)), Fingerprint(rng.u64(..)))),
        edges: some(rng, edge),
        open: some(rng, intent),
        close: some(rng, |rng| OpId(rng.u64(1..9))),
        park: some(rng, letter),
        unpark: some(rng, keyed),
        forget_places: some(rng, |rng| (link(rng), rng.u64(1..9))),
        hold: some(rng, held),
        release: some(rng, |rng| (link(rng), id(rng).into(), names.property)),
        sight: some(rng, told),
        sighted: some(rng, |rng| (link(rng), RecordId::from(id(rng)))),
        merged: some(rng, |rng| (link(rng), id(rng).into(), id(rng).into()))
            .into_iter()
            .filter(|(_, old, new): &(NameId, RecordId, RecordId)| old != new)
            .collect(),
        dirty: some(rng, keyed),
        clean: some(rng, keyed),
        cursors: some(rng, |rng| (id(rng).into(), id(rng).into())),
        ..Transition::default()
    }
}

/// All that a store shows.
fn shown(store: &dyn StateStore, names: &Names) -> Result<String, sync_types::StoreError> {
    let ids: Vec<ExternalId> = ["7", "07", "a", "12", "-1", "none"].map(ExternalId::from).to_vec();
    let records: Vec<RecordId> = ids.iter().map(|id| RecordId::from(id.as_str())).collect();
    let numbers: Vec<PairId> = (1..8).map(PairId).collect();
    let mut all = String::new();
    let mut add = |part: String| {
        all.push_str(&part);
        all.push('\n');
    };
    for link in names.links {
        add(format!("{:?}", store.pairs(link, &ids)?));
        add(format!("{:?}", store.pairs_by_record(link, &records)?));
        add(format!("{:?}", store.scan_pairs(link, PairId(1), 3)?));
        add(format!("{:?}", store.parked(link, &ids)?));
        add(format!("{:?}", store.conflicts_of(link, &ids)?));
        add(format!("{:?}", store.sighted(link, 10)?));
        let survivors = store.survivors(link, &records)?;
        for (record, into) in records.iter().zip(&survivors) {
            // One step leads to the end of every chain of merges.
            let next =
                into.as_ref().map(|into| store.survivors(link, std::slice::from_ref(into))).transpose()?;
            if next.is_some_and(|next| next.iter().any(Option::is_some)) {
                add(format!("{record} has become part of a record that has become part of another"));
            }
        }
        add(format!("{survivors:?}"));
        add(format!("{:?}", store.dirty(link, 10)?));
        for state in [EdgeState::Wanted, EdgeState::Unwanted, EdgeState::Refused] {
            add(format!("{:?}", store.ready_edges(names.rule, link, state, None, 10)?));
        }
        add(format!("{:?}", store.waiting_edges(names.rule, link, None, 10)?));
    }
    let mut edges = store.edges_of(&numbers)?;
    edges.iter_mut().for_each(|edges| edges.sort_by_key(|edge| (edge.rule, edge.to.to_string())));
    add(format!("{edges:?}"));
    add(format!("{:?}", store.last_pair()?));
    add(format!("{:?}", store.open_intents()?));
    add(format!("{:?}", store.dead_letters(&DeadLetterFilter::default())?));
    for settled in [false, true] {
        let mut held = store.conflicts(&ConflictFilter { settled, ..ConflictFilter::default() })?;
        held.sort_by_key(|held| format!("{held:?}"));
        add(format!("{held:?}"));
    }
    add(format!("{:?}", ids.iter().map(|id| store.cursor(id.as_str())).collect::<Result<Vec<_>, _>>()?));
    let totals = store.totals()?;
    add(format!("{:?} {:?} {:?}", totals.pairs, totals.edges, totals.dead_letters));
    add(format!("{} {} {:?} {}", totals.open_intents, totals.dirty, totals.conflicts, totals.sighted));
    Ok(all)
}

/// Whatever both stores are told, they show the same, and they refuse the same.
pub(super) fn same(rng: &mut Rng) -> Result<(), String> {
    let said = |error: sync_types::StoreError| error.to_string();
    let mut ours: Vec<Box<dyn StateStore>> = vec![
        Box::new(SqliteStore::in_memory(&binding(), KEY).map_err(said)?),
        Box::new(Memory::new(KEY).open().map_err(said)?),
    ];
    let mut named = Vec::new();
    for store in &mut ours {
        let mut name = |kind, text: &str| store.name(kind, text).map_err(said);
        named.push(Names {
            links: [name(NameKind::Link, "one")?, name(NameKind::Link, "other")?],
            rule: name(NameKind::EdgeRule, "rule")?,
            property: name(NameKind::Property, "one/property")?,
        });
    }
    let [first, _] = named.as_slice() else { return Err("no stores".into()) };
    for step in 0..8 {
        let transition = transition(rng, first);
        let done: Vec<bool> = ours.iter_mut().map(|store| store.commit(&transition).is_ok()).collect();
        ensure(done[0] == done[1], || format!("step {step}: {done:?} to {transition:?}"))?;
        let shown = ours.iter().map(|store| shown(store.as_ref(), first).map_err(said));
        let shown = shown.collect::<Result<Vec<_>, _>>()?;
        let differing = shown[0].lines().zip(shown[1].lines()).find(|(one, other)| one != other);
        if let Some((one, other)) = differing {
            return Err(format!("step {step}, after {transition:?}:\n{one}\nin memory:\n{other}"));
        }
        ensure(!shown[0].contains("has become part of"), || format!("step {step}: {}", shown[0]))?;
    }
    Ok(())
}

/// A second process is kept out of a file for as long as the first one has it, and let in afterwards.
pub(super) fn held(_rng: &mut Rng) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("state.sqlite");
    let open = || SqliteStore::open(&path, &binding(), KEY);
    let first = open().map_err(|error| error.to_string())?;
    let second = open().map(drop).map_err(|error| error.kind);
    ensure(second == Err(StoreErrorKind::Locked), || format!("a second process got {second:?}"))?;
    drop(first);
    open().map(drop).map_err(|error| error.to_string())
}
