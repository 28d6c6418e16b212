//! Asking for changes: nothing is passed over, and cursors last.

use std::collections::BTreeMap;

use sync_types::{
    ChangeCursor, ChangesPage, ChangesPromise, ChangesRequest, ExternalId, Source, SourceError,
    SourceErrorKind,
};

use super::workbench::{Workbench, fill};
use super::{broken, check, good};

/// Pages after which a feed of a few changes must have come to an end.
const PAGES_MAX: usize = 1_000;

async fn ask(
    bench: &dyn Workbench,
    source: &dyn Source,
    after: Option<ChangeCursor>,
    max: usize,
) -> Result<ChangesPage, SourceError> {
    source.changes(&ChangesRequest { collection: bench.collection(), after, max }).await
}

/// Everything told after a cursor, each record with what was said of it last, and the last cursor.
async fn follow(
    bench: &dyn Workbench,
    source: &dyn Source,
    after: &ChangeCursor,
    max: usize,
) -> (BTreeMap<ExternalId, bool>, ChangeCursor) {
    let mut cursor = after.clone();
    let mut told = BTreeMap::new();
    for _ in 0..PAGES_MAX {
        let page = good(ask(bench, source, Some(cursor), max).await, "changes can be asked for");
        told.extend(page.changes.into_iter().map(|change| (change.id, change.deleted)));
        cursor = page.cursor;
        if page.caught_up {
            return (told, cursor);
        }
    }
    broken("who asks for changes of a collection at rest catches up")
}

/// A cursor that stands for now.
async fn now(bench: &dyn Workbench, source: &dyn Source) -> ChangeCursor {
    let page = good(ask(bench, source, None, 10).await, "without a cursor changes are asked for from now on");
    page.cursor
}

pub(super) async fn unsupported(bench: &dyn Workbench) {
    let source = bench.open().await;
    let answer = ask(bench, source.as_ref(), None, 1).await;
    check(
        answer.is_err_and(|error| error.kind == SourceErrorKind::Unsupported),
        "a source that does not declare changes refuses to be asked for them",
    );
}

pub(super) async fn told(bench: &dyn Workbench, promise: ChangesPromise) {
    fill(bench).await;
    let source = bench.open().await;
    let source = source.as_ref();
    let begin = now(bench, source).await;
    let changed = bench.put(1, ["changed", "second"]).await;
    let made = bench.put(20, ["made", "second"]).await;
    let (told, after) = follow(bench, source, &begin, 100).await;
    check(told.get(&changed) == Some(&false), "a change after the cursor is told");
    check(told.get(&made) == Some(&false), "a creation after the cursor is told");
    let (again, _) = follow(bench, source, &begin, 100).await;
    check(told.keys().all(|id| again.contains_key(id)), "an older cursor tells again");

    if promise.deletes {
        bench.remove(20).await;
        let (told, _) = follow(bench, source, &after, 100).await;
        check(told.get(&made) == Some(&true), "a deletion after the cursor is told");
    }

    // Many at once, so that some have the same time of change, over page borders of every width.
    let before = now(bench, source).await;
    let mut ids = Vec::new();
    for number in (21..33).rev() {
        ids.push(bench.put(number, ["many", "second"]).await);
    }
    for max in [1, 2, 5] {
        let (told, _) = follow(bench, source, &before, max).await;
        check(
            ids.iter().all(|id| told.contains_key(id)),
            "no change is passed over at a page border, with the same time of change or not",
        );
    }

    // A step at a time, with changes between the steps, some of records that were told a moment ago.
    let mut cursor = now(bench, source).await;
    for number in [30, 21, 30, 25, 21, 2] {
        let id = bench.put(number, ["step", &format!("second {number}")]).await;
        let (told, after) = follow(bench, source, &cursor, 3).await;
        check(told.contains_key(&id), "a change that comes just after a cursor is told");
        cursor = after;
    }

    let id = bench.put(3, ["later", "second"]).await;
    let other = bench.open().await;
    let (told, _) = follow(bench, other.as_ref(), &cursor, 100).await;
    check(told.contains_key(&id), "a cursor outlives the process");
    late(bench, source).await;

    let refused = ask(bench, source, Some(ChangeCursor("no cursor of anybody's".into())), 10).await;
    check(
        refused.is_err_and(|error| error.kind == SourceErrorKind::StaleToken),
        "a cursor that is not of this source is stale",
    );
}

/// A change that was begun first and is visible last.
async fn late(bench: &dyn Workbench, source: &dyn Source) {
    let begin = now(bench, source).await;
    let Some(pending) = bench.put_later(4, ["late", "second"]).await else { return };
    bench.put(5, ["early", "second"]).await;
    let (_, cursor) = follow(bench, source, &begin, 2).await;
    let id = pending.commit().await;
    let (told, _) = follow(bench, source, &cursor, 2).await;
    check(told.contains_key(&id), "a change that is visible late, with an old time of change, is told");
}
