//! Does a state store keep the promises of its trait?

use sync_types::{
    Act, EdgeState, ExternalId, FieldBase, FieldWrite, Fingerprint, NameId, NameKind, OpId, PairId,
    PairState, PairWrite, StateStore, Transition, Verb, Writing, WrittenRow,
};

use super::{broken, check};

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
