//! Suites that ask whether an implementation keeps its trait's promises.

use std::collections::BTreeMap;

use sync_types::{
    Act, Collection, EdgeState, ExternalId, FieldBase, FieldWrite, Fingerprint, NameId, NameKind, OpId,
    PageToken, PairId, PairState, PairWrite, ReadRequest, Record, Source, StateStore, Transition, Verb,
    Writing, WrittenRow,
};

/// Reads a whole collection in pages of `max`.
async fn scan(source: &dyn Source, collection: &Collection, max: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let mut after: Option<PageToken> = None;
    for _ in 0..1_000_000 {
        let request = ReadRequest { collection: collection.clone(), after: after.take(), max };
        let page = match source.read_page(&request).await {
            Ok(page) => page,
            Err(error) => broken(&format!("a page of an unchanged collection can be read: {error}")),
        };
        check(page.records.len() <= max.max(1), "a page is bounded by `max`");
        records.extend(page.records.into_iter().flatten());
        match page.next {
            Some(next) => after = Some(next),
            None => return records,
        }
    }
    broken("a scan ends")
}

/// Does this source keep the promises of [`Source`] on this collection, which must hold at least three good
/// records and not change meanwhile?
///
/// # Panics
/// With the broken promise.
pub async fn source(source: &dyn Source, collection: &Collection) {
    let whole = scan(source, collection, usize::MAX / 2).await;
    check(whole.len() >= 3, "the suite needs at least three records");
    let by_id = |records: &[Record]| -> BTreeMap<ExternalId, Record> {
        records.iter().map(|record| (record.id().clone(), record.clone())).collect()
    };
    let expected = by_id(&whole);
    check(expected.len() == whole.len(), "ids are unique within a collection");
    for max in [1, 2, 3, 7] {
        let paged = scan(source, collection, max).await;
        check(paged.len() == whole.len(), "every page size gives every record exactly once");
        for record in paged {
            let known = expected.get(record.id());
            let same = known.is_some_and(|known| {
                record.shape().names().iter().all(|name| known.get(name) == record.get(name))
            });
            check(same, "every page size gives the same values");
        }
    }
    let ids: Vec<ExternalId> = whole
        .iter()
        .rev()
        .take(2)
        .map(|record| record.id().clone())
        .chain(["no such record".into()])
        .collect();
    match source.read(collection, &ids).await {
        Ok(read) => {
            check(read.len() == 3, "a read gives one answer for each id");
            for (id, record) in ids.iter().zip(&read).take(2) {
                check(
                    record.as_ref().is_some_and(|record| record.id() == id),
                    "a read answers in the order of the ids",
                );
            }
            check(read.get(2) == Some(&None), "an unknown id is read as none");
        }
        Err(error) => broken(&format!("records can be read by id: {error}")),
    }
    let unknown = ReadRequest { collection: "no such collection".into(), after: None, max: 1 };
    check(source.read_page(&unknown).await.is_err(), "an unknown collection is an error, not an empty one");
    let schemas = source.describe().await;
    let named = schemas.is_ok_and(|schemas| schemas.iter().any(|schema| schema.name == collection.as_str()));
    check(named, "every collection is described");
}

/// Does this fresh store keep the promises of [`StateStore`]?
///
/// # Panics
/// With the broken promise.
pub fn store(store: &mut dyn StateStore) {
    let name = |store: &mut dyn StateStore, kind, text: &str| match store.name(kind, text) {
        Ok(id) => id,
        Err(error) => broken(&format!("names are given out: {error}")),
    };
    let people = name(store, NameKind::Link, "people");
    let firms = name(store, NameKind::Link, "firms");
    let employer = name(store, NameKind::EdgeRule, "employer");
    check(people != firms && people == name(store, NameKind::Link, "people"), "a name keeps its number");
    let write = |link, id: &str, record: Option<&str>, want: &[&str], unwant: &[&str]| PairWrite {
        link,
        external: id.into(),
        record: record.map(Into::into),
        generation: 0,
        state: PairState::Linked,
        since: None,
        row: Fingerprint(u64::MAX),
        bases: vec![
            FieldBase { property: employer, left: Fingerprint(1), right: Fingerprint(1) },
            FieldBase { property: firms, left: Fingerprint(u64::MAX), right: Fingerprint(2) },
        ],
        want: want.iter().map(|to| (employer, ExternalId::from(*to))).collect(),
        unwant: unwant.iter().map(|to| (employer, ExternalId::from(*to))).collect(),
        renew_edges: None,
    };
    let commit = |store: &mut dyn StateStore, pairs: Vec<PairWrite>| {
        let done = store.commit(&Transition { pairs, ..Transition::default() });
        check(done.is_ok(), "a transition is committed");
    };
    // Ids that look like numbers, and ids that only nearly do.
    let ids = ["7", "07", "seven", "9223372036854775808", "-1"];
    commit(store, ids.iter().map(|id| write(people, id, None, &["f1"], &[])).collect());
    commit(store, vec![write(people, "7", Some("700"), &["f2"], &[])]);
    let asked: Vec<ExternalId> = ids.iter().copied().chain(["8"]).map(ExternalId::from).collect();
    let pairs = store.pairs(people, &asked).unwrap_or_default();
    let found: Vec<Option<&str>> =
        pairs.iter().map(|pair| pair.as_ref().map(|pair| pair.external.as_str())).collect();
    check(
        found == ids.iter().map(|id| Some(*id)).chain([None]).collect::<Vec<_>>(),
        "pairs are found by their exact id, in the order asked",
    );
    let expected = write(people, "7", None, &[], &[]);
    let seven = pairs.into_iter().flatten().next();
    check(
        seven.as_ref().is_some_and(|pair| pair.bases == expected.bases && pair.row == expected.row),
        "bases and fingerprints are kept exactly",
    );
    let by_record = store.pairs_by_record(people, &["700".into(), "701".into()]).unwrap_or_default();
    check(
        by_record.first().is_some_and(|pair| pair.as_ref().is_some_and(|pair| pair.external.as_str() == "7")),
        "a pair is found by its record",
    );
    check(
        store.pairs(firms, &["7".into()]).unwrap_or_default() == [None],
        "another link's records are other records",
    );
    let ready = |store: &dyn StateStore, state| {
        let edges = store.ready_edges(employer, firms, state, None, 10).unwrap_or_default();
        edges
            .into_iter()
            .map(|edge| (edge.place, edge.from.to_string(), edge.to.to_string()))
            .collect::<Vec<_>>()
    };
    check(ready(store, EdgeState::Wanted).is_empty(), "an edge waits for both ends");
    check(
        store.waiting_edges(employer, firms, None, 100).unwrap_or_default().len() == ids.len() + 1,
        "what waits is listed",
    );
    commit(store, vec![write(firms, "f1", Some("900"), &[], &[]), write(firms, "f2", Some("901"), &[], &[])]);
    let open = ready(store, EdgeState::Wanted);
    check(open.len() == 2, "an edge is ready when both ends have records");
    for (place, ..) in &open {
        let done = store.commit(&Transition {
            edges: vec![(employer, place.clone(), Some(EdgeState::There))],
            ..Transition::default()
        });
        check(done.is_ok(), "an edge's state moves");
    }
    check(ready(store, EdgeState::Wanted).is_empty(), "an edge that is there is not wanted any more");
    commit(store, vec![write(people, "7", Some("700"), &["f1"], &["f2"])]);
    check(ready(store, EdgeState::Wanted).is_empty(), "wanting an edge that is there changes nothing");
    check(ready(store, EdgeState::Unwanted).len() == 1, "an edge that is there can be unwanted");
    let scanned = store.scan_pairs(people, PairId(0), 3).unwrap_or_default();
    check(
        scanned.len() == 3 && scanned.windows(2).all(|two| two[0].id < two[1].id),
        "pairs are scanned in order",
    );
    writings(store, people, employer);
}

fn writings(store: &mut dyn StateStore, people: NameId, employer: NameId) {
    let at = |second| jiff::Timestamp::from_second(second).unwrap_or_default();
    let field = FieldWrite { property: employer, before: None, after: Fingerprint(u64::MAX) };
    let known = FieldWrite { before: Some(Fingerprint(3)), ..field };
    let rows = vec![
        WrittenRow::Record { id: "7".into(), act: Act::Change, fields: vec![field, known] },
        WrittenRow::Record { id: "07".into(), act: Act::Make, fields: Vec::new() },
        WrittenRow::Edge { from: PairId(u64::MAX), to: "f1".into() },
    ];
    let line = |op, run| Writing {
        op: OpId(op),
        run,
        verb: Verb::Upsert,
        subject: people,
        at: at(i64::try_from(op).unwrap_or_default()),
        rows: rows.clone(),
    };
    let lines: Vec<Writing> = [(1, 1), (2, 1), (3, 2)].into_iter().map(|(op, run)| line(op, run)).collect();
    let done = store.commit(&Transition { writings: lines.clone(), ..Transition::default() });
    check(done.is_ok(), "what is about to be written is kept");
    let read = |store: &dyn StateStore, run, after| store.writings(run, OpId(after), 10).unwrap_or_default();
    check(read(store, 1, 0) == lines, "what was about to be written is kept exactly, in order");
    check(read(store, 1, 1) == lines[1..] && read(store, 2, 0) == lines[2..], "it is read from a place on");
    let forget = Transition { forget_writings: Some(at(3)), ..Transition::default() };
    check(store.commit(&forget).is_ok() && read(store, 1, 0) == lines[2..], "it is forgotten by its age");
}

#[allow(clippy::panic, reason = "a suite fails by panicking, like an assertion")]
fn broken(promise: &str) -> ! {
    panic!("broken promise: {promise}")
}

fn check(holds: bool, promise: &str) {
    if !holds {
        broken(promise);
    }
}
