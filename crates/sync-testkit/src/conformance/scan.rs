//! Reading: scans of a collection that rests and of one that changes, and reading by id.

use std::collections::{BTreeMap, BTreeSet};

use sync_types::{
    Collection, ExternalId, Page, PageToken, ReadRequest, Record, Seen, Source, SourceErrorKind, Value,
};

use super::workbench::{FILLED, Workbench, fill};
use super::{broken, check, good};

/// Reads a page and checks its bound.
async fn page(
    source: &dyn Source,
    collection: &Collection,
    after: Option<PageToken>,
    max: usize,
) -> Result<Page, sync_types::SourceError> {
    let page = source.read_page(&ReadRequest { collection: collection.clone(), after, max }).await?;
    check(page.records.len() <= max.max(1), "a page is bounded by `max`");
    Ok(page)
}

/// Reads a whole collection in pages of `max`.
async fn scan(source: &dyn Source, collection: &Collection, max: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let mut after: Option<PageToken> = None;
    for _ in 0..100_000 {
        let read = page(source, collection, after.take(), max).await;
        let page = good(read, "a page of an unchanged collection can be read");
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
    check(expected.keys().all(|id| !id.as_str().is_empty()), "no id is empty");
    for max in [1, 2, 3, 7] {
        let paged = scan(source, collection, max).await;
        check(paged.len() == whole.len(), "every page size gives every record exactly once");
        for record in paged {
            let known = expected.get(record.id());
            check(known.is_some_and(|known| same(known, &record)), "every page size gives the same values");
        }
    }
    reads(source, collection, &whole).await;
    for token in ["no token of anybody's", ""] {
        let refused = page(source, collection, Some(PageToken(token.into())), 2).await;
        let is_stale = refused.is_err_and(|error| error.kind == SourceErrorKind::StaleToken);
        check(is_stale, "a token that is not of this source is stale, not a beginning");
    }
    let unknown = "no such collection".into();
    let missing = page(source, &unknown, None, 1).await;
    check(
        missing.is_err_and(|error| error.kind == SourceErrorKind::NoSuchCollection),
        "an unknown collection is an error, not an empty one",
    );
    check(source.read(&unknown, &["1".into()]).await.is_err(), "an unknown collection has no absent records");
    let schemas = good(source.describe().await, "a source describes itself");
    let Some(schema) = schemas.iter().find(|schema| schema.name == collection.as_str()) else {
        broken("every collection is described")
    };
    let names = whole.iter().flat_map(|record| record.shape().names().iter());
    let names: BTreeSet<&str> = names.map(|name| &**name).collect();
    check(
        names.iter().all(|name| schema.property(name).is_some()),
        "every property that records have is described",
    );
}

async fn reads(source: &dyn Source, collection: &Collection, whole: &[Record]) {
    let two = whole.iter().rev().take(2);
    let ids: Vec<ExternalId> = two.map(|record| record.id().clone()).collect();
    let [last, before] = ids.as_slice() else { broken("the suite needs at least three records") };
    let asked = [last.clone(), before.clone(), "no such record".into(), last.clone()];
    let read = good(source.read(collection, &asked).await, "records can be read by id");
    check(read.len() == asked.len(), "a read gives one answer for each id, also for one that is asked twice");
    check(read.get(2) == Some(&None), "an unknown id is read as none");
    for (id, record) in asked.iter().zip(&read).filter(|(id, _)| id.as_str() != "no such record") {
        check(
            record.as_ref().is_some_and(|record| record.id() == id),
            "a read answers in the order of the ids",
        );
        let scanned = whole.iter().find(|scanned| scanned.id() == id);
        let agrees = scanned.zip(record.as_ref()).is_some_and(|(scanned, record)| same(scanned, record));
        check(agrees, "a record is read by id as a scan shows it");
    }
    let none = good(source.read(collection, &[]).await, "no records can be asked for");
    check(none.is_empty(), "who asks for nothing gets nothing");
}

/// Whether two records have the same names and values, in whatever order.
fn same(one: &Record, other: &Record) -> bool {
    let names = |record: &Record| record.shape().names().len();
    names(one) == names(other) && one.shape().names().iter().all(|name| one.get(name) == other.get(name))
}

/// Texts arrive as they were set, and what people change is seen by the next read.
pub(super) async fn words(bench: &dyn Workbench) {
    fill(bench).await;
    let (source, collection) = (bench.open().await, bench.collection());
    let [first, second] = bench.fields();
    for text in ["Zoë O'Brien \"the 2nd\"; 100%_\\", " two\twords ", "日本語 🦀", ""] {
        let id = bench.put(1, [text, "second"]).await;
        let read = good(source.read(&collection, &[id]).await, "records can be read by id");
        let Some(Some(record)) = read.first() else { broken("a record that was made can be read") };
        check(record.get(first) == Seen::Value(&Value::text(text)), "a text arrives as it was set");
        check(record.get(second) == Seen::Value(&Value::text("second")), "a text arrives as it was set");
    }
    let id = bench.put(1, ["first 1", "second"]).await;
    bench.remove(1).await;
    let read = good(source.read(&collection, &[id]).await, "records can be read by id");
    check(read.first() == Some(&None), "a record that was deleted is read as none");
}

/// What a scan has seen of records that nobody touched, while people change the others.
pub(super) async fn while_it_changes(bench: &dyn Workbench, is_steady: bool) {
    // Where in the scan the people come by, and in which pages it goes on.
    for (at, sizes) in [(1, [2, 2, 2]), (2, [2, 1, 3]), (1, [3, 1, 2]), (3, [1, 2, 5])] {
        let ids = fill(bench).await;
        let (source, collection) = (bench.open().await, bench.collection());
        let mut given: Vec<ExternalId> = Vec::new();
        let mut touched: BTreeSet<ExternalId> = BTreeSet::new();
        let mut after: Option<PageToken> = None;
        for number in 0..1_000_usize {
            let size = sizes.get(number % sizes.len()).copied().unwrap_or(2);
            let page = match page(source.as_ref(), &collection, after.take(), size).await {
                Ok(page) => page,
                Err(error) if !is_steady && error.kind == SourceErrorKind::StaleToken => break,
                Err(error) => broken(&format!("a scan of a collection that changes goes on: {error}")),
            };
            given.extend(page.records.into_iter().flatten().map(|record| record.id().clone()));
            if number + 1 == at {
                touched = meddle(bench, &ids, &given).await;
            }
            let Some(next) = page.next else {
                settle(&ids, &given, &touched, is_steady);
                break;
            };
            after = Some(next);
        }
    }
}

/// Deletes two records that a scan has given and one that it has not, changes one and makes two.
async fn meddle(bench: &dyn Workbench, ids: &[ExternalId], given: &[ExternalId]) -> BTreeSet<ExternalId> {
    let numbers = |is_given: bool| {
        let all = (0..FILLED).zip(ids);
        all.filter(move |(_, id)| given.contains(id) == is_given).map(|(number, id)| (number, id.clone()))
    };
    let mut touched = BTreeSet::new();
    for (number, id) in numbers(true).take(2).chain(numbers(false).take(1)) {
        bench.remove(number).await;
        touched.insert(id);
    }
    for (number, id) in numbers(false).skip(1).take(1) {
        bench.put(number, ["changed", "changed"]).await;
        touched.insert(id);
    }
    for number in [FILLED, FILLED + 1] {
        touched.insert(bench.put(number, ["new", "new"]).await);
    }
    touched
}

fn settle(ids: &[ExternalId], given: &[ExternalId], touched: &BTreeSet<ExternalId>, is_steady: bool) {
    for id in ids.iter().filter(|id| !touched.contains(*id)) {
        let times = given.iter().filter(|seen| *seen == id).count();
        check(times >= 1, "a scan that ends has seen every record that nobody touched");
        check(times == 1 || !is_steady, "a steady scan gives no record twice");
    }
}
