//! Lists that move while they are read: nothing is missed, or the scan says that it cannot be trusted.

use std::collections::BTreeSet;

use serde_json::json;
use sync_types::{ChangeCursor, ChangesRequest, ReadRequest, Source as _, SourceError, SourceErrorKind};

use source_adapters::rest::RestSource;

use super::shop::{Shop, described, ok, status};

const PEOPLE: u64 = 13;

/// The ids that a whole scan gives, and how often records were given.
async fn scan(source: &RestSource) -> Result<(BTreeSet<u64>, usize), SourceError> {
    let (mut ids, mut count) = (BTreeSet::new(), 0);
    let mut after = None;
    for _ in 0..200 {
        let request = ReadRequest { collection: "people".into(), after: after.take(), max: 1_000 };
        let page = source.read_page(&request).await?;
        count += page.records.len();
        ids.extend(
            page.records.into_iter().map(|record| record.unwrap().id().as_str().parse::<u64>().unwrap()),
        );
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((ids, count)),
        }
    }
    unreachable!("the scan does not end")
}

fn list(lines: &str) -> String {
    described(&format!("list = {{ {lines} }}"))
}

fn page(more: &str) -> String {
    list(&format!(
        "path = '/page', records = '/data', paging = {{ kind = 'page', parameter = 'page', size = {{ parameter = \
         'limit', value = 4 }}{more} }}"
    ))
}

fn offset(more: &str) -> String {
    list(&format!(
        "path = '/offset', records = '/data', paging = {{ kind = 'offset', parameter = 'offset', size = {{ parameter \
         = 'limit', value = 4 }}{more} }}"
    ))
}

fn link() -> String {
    list("path = '/link', records = '', paging = { kind = 'link', stable = false }")
}

fn times(ties: &str, query: &str) -> String {
    list(&format!(
        "path = '/changed', query = {{ {query} }}, records = '/data', paging = {{ kind = 'keyset', parameter = \
         'from', from = '/changed', ties = '{ties}', size = {{ parameter = 'limit', value = 4 }} }}"
    ))
}

/// Deletes `who` just before the request of this number, and says which of the others the scan missed.
async fn deleting(description: &str, before: usize, who: &[u64]) -> Result<BTreeSet<u64>, SourceError> {
    let shop = Shop::with(PEOPLE);
    let (mut number, gone) = (0, who.to_vec());
    shop.before(move |stock, _| {
        number += 1;
        if number == before {
            gone.iter().for_each(|id| drop(stock.people.remove(id)));
        }
    });
    let (seen, _) = scan(&shop.open(description)).await?;
    Ok((1..=PEOPLE).filter(|id| !who.contains(id) && !seen.contains(id)).collect())
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_during_a_scan_makes_no_other_slip_past() {
    for description in [page(""), offset(""), link()] {
        for before in 1..=8 {
            for who in 1..=PEOPLE {
                let missed = deleting(&description, before, &[who]).await.unwrap();
                assert!(missed.is_empty(), "{who} deleted before request {before}: missed {missed:?}");
            }
            for many in 2..=PEOPLE {
                let who: Vec<u64> = (1..=many).collect();
                match deleting(&description, before, &who).await {
                    Ok(missed) => {
                        assert!(missed.is_empty(), "1 to {many} before {before}: missed {missed:?}")
                    }
                    Err(error) => assert_eq!(error.kind, SourceErrorKind::StaleToken, "{error}"),
                }
            }
        }
    }
    // What the declaration is for: without it, one slips past.
    let missed = deleting(&page(", stable = true"), 2, &[1]).await.unwrap();
    assert_eq!(missed, [5].into());
    let missed = deleting(&offset(", stable = true"), 2, &[1]).await.unwrap();
    assert_eq!(missed, [5].into());
}

#[tokio::test(start_paused = true)]
async fn records_added_during_a_scan_hide_no_other() {
    for description in [page(""), offset(""), link()] {
        for before in 2..=6 {
            let shop = Shop::with(PEOPLE);
            // The newest stands first: everything moves back by one.
            let mut number = 0;
            shop.before(move |stock, _| {
                number += 1;
                if number == before {
                    stock.set(0, &json!({ "name": "new" }));
                }
            });
            let (seen, _) = scan(&shop.open(&description)).await.unwrap();
            assert!((1..=PEOPLE).all(|id| seen.contains(&id)), "before request {before}: {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_may_give_fewer_records_than_it_was_asked_for_and_change_its_mind() {
    for description in [page(""), offset(""), link()] {
        for (from, to) in [(2, 2), (4, 2), (2, 4), (3, 1), (1, 3)] {
            for before in 1..=4 {
                let shop = Shop::with(PEOPLE);
                shop.stock().page_max = from;
                let mut number = 0;
                shop.before(move |stock, _| {
                    number += 1;
                    if number == before {
                        stock.page_max = to;
                    }
                });
                match scan(&shop.open(&description)).await {
                    Ok((seen, _)) => {
                        assert_eq!(
                            seen.len() as u64,
                            PEOPLE,
                            "{from} to {to} before {before} with {description}"
                        );
                    }
                    Err(error) => assert_eq!(error.kind, SourceErrorKind::StaleToken, "{error}"),
                }
            }
        }
    }
    let shop = Shop::with(PEOPLE);
    shop.stock().page_max = 2;
    assert_eq!(
        scan(&shop.open(&page(""))).await.unwrap().0.len() as u64,
        PEOPLE,
        "a short page ends nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_again_is_asked_for_once_more_and_then_refused() {
    let cached = |_: u32| ok(json!({ "data": [{ "id": 1 }, { "id": 2 }, { "id": 3 }, { "id": 4 }] }));
    for description in [page(""), page(", stable = true"), offset(", stable = true")] {
        let shop = Shop::with(PEOPLE);
        let mut number = 0;
        shop.before(move |stock, _| {
            number += 1;
            if number == 2 {
                stock.instead.push(Some(cached(number)));
            }
        });
        let (seen, _) = scan(&shop.open(&description)).await.unwrap();
        assert_eq!(seen.len() as u64, PEOPLE, "one page from a cache");

        let shop = Shop::with(PEOPLE);
        shop.before(move |stock, _| stock.instead.push(Some(cached(0))));
        let error = scan(&shop.open(&description)).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Structure, "{error}");
        assert!(shop.stock().requests.len() <= 4);
    }
}

#[tokio::test(start_paused = true)]
async fn cursors_that_lead_in_a_circle_end_the_scan() {
    for length in [1_u32, 2, 7] {
        let shop = Shop::with(PEOPLE);
        let mut number = 0;
        shop.before(move |stock, _| {
            number += 1;
            let next = format!("c-{}", number % length);
            stock.instead.push(Some(ok(json!({ "data": [{ "id": number }], "next": next }))));
        });
        let cursor = list(
            "path = '/cursor', records = '/data', paging = { kind = 'cursor', parameter = 'after', next = '/next' }",
        );
        let error = scan(&shop.open(&cursor)).await.unwrap_err();
        assert!(error.message.contains("circle"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_times_over_a_page_border_are_all_met() {
    for description in [times("included", ""), times("excluded", "exclusive = 'yes'")] {
        for (second, third) in [(3, 4), (4, 7), (2, 5), (5, 8)] {
            let shop = Shop::with(0);
            for id in 1..=10 {
                let at = if id <= second {
                    0
                } else if id <= third {
                    5
                } else {
                    9
                };
                shop.stock().now = 1_800_000_000 + at;
                shop.stock().set(id, &json!({ "name": "x" }));
            }
            match scan(&shop.open(&description)).await {
                Ok((seen, count)) => assert_eq!((seen.len(), count), (10, 10), "{second}, {third}"),
                Err(error) => {
                    let most = second.max(third - second).max(10 - third);
                    assert!(
                        error.message.contains("share one value") && most >= 4,
                        "{second}, {third}: {error}"
                    );
                }
            }
        }
    }
    // Without a word about ties, the second half of those who share a time is left out.
    let shop = Shop::with(6);
    let bare = list(
        "path = '/changed', query = { exclusive = 'yes' }, records = '/data', paging = { kind = 'keyset', parameter = 'from', from = \
         '/changed', size = { parameter = 'limit', value = 4 } }",
    );
    assert_eq!(scan(&shop.open(&bare)).await.unwrap().0.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_cut_off_is_no_scan() {
    let shop = Shop::with(PEOPLE);
    let error = scan(&shop.open(&offset(", cap = 10"))).await.unwrap_err();
    assert!(error.message.contains("10 records"), "{error}");
    assert!(scan(&shop.open(&offset(", cap = 100"))).await.is_ok());

    // The API says that there is more than it gave.
    shop.before(|stock, asked| {
        if asked.query.get("page").is_some_and(|page| page == "3") {
            stock.instead.push(Some(ok(json!({ "data": [], "total": 13 }))));
        }
    });
    let error = scan(&shop.open(&page(", total = '/total', stable = true"))).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::StaleToken);
    assert!(error.message.contains("13 records") && error.message.contains("met 8"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_the_api_forgot_begins_the_scan_anew() {
    let shop = Shop::with(PEOPLE);
    let cursor = list(
        "path = '/cursor', records = '/data', paging = { kind = 'cursor', parameter = 'after', next = '/next' }",
    );
    shop.before(|stock, asked| {
        if asked.query.contains_key("after") {
            stock.instead.push(Some(status(410, json!({ "error": "expired" }))));
        }
    });
    let error = scan(&shop.open(&cursor)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::StaleToken);
}

const SINCE: &str = r#"
[collections.people.list]
path = "/all"
records = ""
paging = { kind = "none" }
[collections.people.since]
path = "/changed"
query = { from = "{from}", to = "{to}" }
records = "/data"
format = "epoch"
overlap = "5m"
range_max = "1h"
paging = { kind = "offset", parameter = "skip", size = { parameter = "limit", value = 3 } }
"#;

async fn follow(source: &RestSource, cursor: &mut Option<ChangeCursor>) -> BTreeSet<u64> {
    let mut told = BTreeSet::new();
    for _ in 0..100 {
        let request = ChangesRequest { collection: "people".into(), after: cursor.take(), max: 100 };
        let page = source.changes(&request).await.unwrap();
        told.extend(page.changes.iter().map(|change| change.id.as_str().parse::<u64>().unwrap()));
        *cursor = Some(page.cursor);
        if page.caught_up {
            return told;
        }
    }
    unreachable!("no end of changes")
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_whatever_the_clocks_say() {
    use std::time::Duration;

    use http_transport::Clock as _;

    for skew in [-200, 0, 200] {
        let shop = Shop::with(2);
        let source = shop.open(&described(SINCE));
        let mut cursor = None;
        assert!(follow(&source, &mut cursor).await.is_empty(), "from now on");
        let start = shop.stock().now;
        for step in 1..=30_i64 {
            shop.clock.sleep(Duration::from_secs(1_700)).await;
            shop.stock().now = start + step * 1_700 + skew;
            let id = 100 + u64::try_from(step).unwrap();
            shop.stock().set(id, &json!({ "name": "x" }));
            let told = follow(&source, &mut cursor).await;
            // A clock that goes before ours: what is from the future is told when its time has come.
            let due = if skew > 0 { id - 1 } else { id };
            assert!(told.contains(&due) || due == 100, "skew {skew}, step {step}: {told:?}");
        }
        // One that was begun four minutes before it can be seen.
        shop.stock().now -= 240;
        shop.stock().set(900, &json!({ "name": "late" }));
        shop.clock.sleep(Duration::from_secs(600)).await;
        assert!(follow(&source, &mut cursor).await.contains(&900));
        let asked = shop.stock().requests.last().unwrap().query.clone();
        let span = asked["to"].parse::<i64>().unwrap() - asked["from"].parse::<i64>().unwrap();
        assert!((0..=3_600).contains(&span), "the API's longest span is kept to: {span}");
    }
}
