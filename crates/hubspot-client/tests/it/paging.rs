//! Exhaustive iterators, against portals that page as HubSpot does and portals that do not.

use std::collections::BTreeSet;

use hubspot_client::{
    ErrorKind, Filter, FilterGroup, ListOptions, ObjectType, Record, ScanRequest, SearchRequest,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::scripted::{Act, Seen, client};

/// Records as (id, changed at), searched with filters, one sort, a page size and the cap of 10,000.
struct Index(Vec<(u64, i64)>);

impl Index {
    fn search(&self, body: &Value) -> Value {
        let number = |value: &Value| value.as_str().unwrap().parse::<i64>().unwrap();
        let mut matching: Vec<(u64, i64)> = self.0.clone();
        for filter in body["filterGroups"][0]["filters"].as_array().unwrap() {
            matching.retain(|(id, changed)| {
                let field = match filter["propertyName"].as_str().unwrap() {
                    "hs_object_id" => i64::try_from(*id).unwrap(),
                    "hs_lastmodifieddate" => *changed,
                    _ => return true,
                };
                match filter["operator"].as_str().unwrap() {
                    "GT" => field > number(&filter["value"]),
                    "GTE" => field >= number(&filter["value"]),
                    "LTE" => field <= number(&filter["value"]),
                    "BETWEEN" => field >= number(&filter["value"]) && field <= number(&filter["highValue"]),
                    other => panic!("{other}"),
                }
            });
        }
        match body["sorts"][0]["propertyName"].as_str().unwrap() {
            "hs_object_id" => matching.sort_by_key(|(id, _)| *id),
            // Ties in no useful order, as HubSpot's.
            _ => matching.sort_by_key(|(id, changed)| (*changed, id.wrapping_mul(0x9E37_79B9) % 1_000)),
        }
        assert!(body.get("after").is_none(), "offsets shift while records change");
        let limit = usize::try_from(body["limit"].as_u64().unwrap()).unwrap();
        let total = matching.len();
        let results: Vec<Value> = matching
            .iter()
            .take(limit)
            .map(|(id, changed)| {
                let time = Timestamp::from_millisecond(*changed).unwrap().to_string();
                json!({"id": id.to_string(), "properties": {"hs_lastmodifieddate": time}})
            })
            .collect();
        let paging = (total > limit).then(|| json!({"next": {"after": limit.to_string()}}));
        json!({"total": total, "results": results, "paging": paging})
    }
}

fn ids(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.id.as_str().parse().unwrap()).collect()
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

async fn scan_modified(index: Index, page_size: u32, since: i64, until: i64) -> (Vec<u64>, usize) {
    let (client, transport) = client(move |seen, _| Act::Answer(200, index.search(&seen.body)));
    let request = ScanRequest { page_size, ..ScanRequest::default() };
    let mut scan = client.objects(&ObjectType::DEALS).scan_modified(request, time(since), time(until));
    let mut all = Vec::new();
    while let Some(page) = scan.next_page().await.unwrap() {
        all.extend(ids(&page));
    }
    (all, transport.seen().len())
}

#[tokio::test(start_paused = true)]
async fn modified_scans_find_each_record_once_whatever_shares_an_instant() {
    let t = 1_700_000_000_000;
    for (name, index, page_size) in [
        ("no records", Index(vec![]), 200),
        (
            "all at different times",
            Index((1..=1_001).map(|id| (id, t + i64::try_from(id).unwrap())).collect()),
            200,
        ),
        ("12,000 in one instant", Index((1..=12_000).map(|id| (id, t)).collect()), 200),
        (
            "instants larger than, equal to and smaller than a page",
            Index((1..=60).map(|id| (id, t + [0, 1, 1, 1, 1, 1, 2, 3, 3, 9][(id % 10) as usize])).collect()),
            5,
        ),
        (
            "an instant that fills exactly a page",
            Index((1..=10).map(|id| (id, t + i64::from(id > 5))).collect()),
            5,
        ),
        ("pages of one", Index((1..=7).map(|id| (id, t + i64::from(id > 3))).collect()), 1),
    ] {
        let expected: BTreeSet<u64> = index.0.iter().map(|(id, _)| *id).collect();
        let (found, calls) = scan_modified(index, page_size, t, t + 2_000).await;
        assert_eq!(found.len(), expected.len(), "{name}: none twice");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{name}: none missing");
        assert!(calls <= 3 * expected.len() / page_size as usize + 8, "{name}: {calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn modified_scans_stay_within_their_bounds() {
    let (found, _) =
        scan_modified(Index((1..=9).map(|id| (id, 100 * i64::try_from(id).unwrap())).collect()), 2, 300, 600)
            .await;
    assert_eq!(found, [3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn id_scans_pass_the_cap_and_keep_every_filter_group() {
    let index = Index((1..=10_450).map(|id| (id * 3, 0)).collect());
    let (client, transport) = client(move |seen, _| Act::Answer(200, index.search(&seen.body)));
    let group = |name: &str| FilterGroup { filters: vec![Filter::eq(name, "x")] };
    let request = ScanRequest { filter_groups: vec![group("a"), group("b")], ..ScanRequest::default() };
    let mut scan = client.objects(&ObjectType::DEALS).scan_by_id(request);
    let mut all = Vec::new();
    while let Some(page) = scan.next_page().await.unwrap() {
        all.extend(ids(&page));
    }
    assert!(all.iter().copied().eq((1..=10_450).map(|id| id * 3)));
    let second = &transport.seen()[1].body["filterGroups"];
    for group in [0, 1] {
        let after = json!({"propertyName": "hs_object_id", "operator": "GT", "value": "600"});
        assert_eq!(second[group]["filters"][1], after);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_would_lose_records_or_never_end_are_errors() {
    let record = |id: u64| json!({"id": id.to_string(), "properties": {"hs_lastmodifieddate": "2026-01-01T00:00:00Z"}});
    let next = json!({"next": {"after": "1"}});
    for (name, answer) in [
        ("cut short", json!({"total": 3, "results": [record(1)]})),
        ("empty with a next page", json!({"total": 3, "results": [], "paging": next})),
        ("out of order", json!({"total": 2, "results": [record(2), record(1)]})),
        ("the same again", json!({"total": 9, "results": [record(5)], "paging": next})),
    ] {
        let (client, _) = client(move |_, _| Act::Answer(200, answer.clone()));
        let mut scan = client.objects(&ObjectType::DEALS).scan_by_id(ScanRequest::default());
        let error = loop {
            match scan.next_page().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{name}: ended"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Unreadable, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_follow_after_through_empty_pages_to_the_end() {
    let pages = |seen: &Seen, _: usize| {
        let after =
            seen.path.split_once("after=").map(|(_, rest)| rest.split('&').next().unwrap().to_owned());
        Act::Answer(
            200,
            match after.as_deref() {
                None => {
                    json!({"results": [{"id": "1"}], "paging": {"next": {"after": "a", "link": "https://elsewhere"}}})
                }
                Some("a") => json!({"results": [], "paging": {"next": {"after": "b"}}}),
                Some(_) => json!({"results": [{"id": "2"}]}),
            },
        )
    };
    let (client, transport) = client(pages);
    let mut list = client.objects(&ObjectType::DEALS).list(ListOptions::default());
    let mut all = Vec::new();
    while let Some(page) = list.next_page().await.unwrap() {
        all.extend(ids(&page));
    }
    assert_eq!(all, [1, 2]);
    assert_eq!(
        transport.paths(),
        [
            "GET /crm/objects/2026-03/deals?limit=100",
            "GET /crm/objects/2026-03/deals?limit=100&after=a",
            "GET /crm/objects/2026-03/deals?limit=100&after=b",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn pages_that_follow_themselves_are_errors() {
    let (client, _) =
        client(|_, _| Act::Answer(200, json!({"results": [], "paging": {"next": {"after": "a"}}})));
    let mut list = client.objects(&ObjectType::DEALS).list(ListOptions::default());
    list.next_page().await.unwrap();
    assert_eq!(list.next_page().await.unwrap_err().kind(), ErrorKind::Unreadable);
    let mut links = client.associations(&ObjectType::DEALS, &ObjectType::CONTACTS).list("1");
    links.next_page().await.unwrap();
    assert_eq!(links.next_page().await.unwrap_err().kind(), ErrorKind::Unreadable);
    assert_eq!(client.owners().list(false).await.unwrap_err().kind(), ErrorKind::Unreadable);
}

#[tokio::test(start_paused = true)]
async fn searches_beyond_the_documented_limits_are_not_sent() {
    let (client, transport) = client(|_, _| Act::Answer(200, json!({"total": 0, "results": []})));
    let groups = |groups: usize, filters: usize| SearchRequest {
        filter_groups: vec![FilterGroup { filters: vec![Filter::has("a"); filters] }; groups],
        ..SearchRequest::default()
    };
    for request in
        [groups(6, 1), groups(1, 7), groups(4, 5), SearchRequest { limit: 201, ..SearchRequest::default() }]
    {
        let error = client.objects(&ObjectType::DEALS).search(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
    client.objects(&ObjectType::DEALS).search(&groups(3, 6)).await.unwrap();
    assert_eq!(transport.seen().len(), 1);
}
