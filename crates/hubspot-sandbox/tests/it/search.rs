//! Search: operators, paging, caps and the index that lags.

use serde_json::{Value, json};

use crate::support::{Bench, ids, seconds};

const SEARCH: &str = "/crm/objects/2026-09/companies/search";

/// Four companies, indexed.
fn filled() -> (Bench, Vec<String>) {
    let mut bench = Bench::new();
    let rows = [
        json!({"name": "Alpha Werke", "domain": "alpha.example", "annualrevenue": "100", "type": "PARTNER"}),
        json!({"name": "Beta GmbH", "domain": "beta.example", "annualrevenue": "20", "type": "VENDOR"}),
        json!({"name": "Gamma", "annualrevenue": "3"}),
        json!({"name": "delta Werke", "phone": "+49 (731) 123-4567"}),
    ];
    let made = rows.into_iter().map(|row| bench.make("companies", row)).collect();
    bench.advance(seconds(6));
    (bench, made)
}

fn filter(property: &str, operator: &str, rest: Value) -> Value {
    let mut filter = json!({"propertyName": property, "operator": operator});
    filter.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!({"filterGroups": [{"filters": [filter]}]})
}

#[test]
fn operators() {
    let (mut bench, made) = filled();
    for (property, operator, rest, found) in [
        ("name", "EQ", json!({"value": "ALPHA werke"}), vec![0]),
        ("name", "NEQ", json!({"value": "gamma"}), vec![0, 1, 3]),
        ("annualrevenue", "LT", json!({"value": "20"}), vec![2]),
        ("annualrevenue", "LTE", json!({"value": "20"}), vec![1, 2]),
        ("annualrevenue", "GT", json!({"value": 20}), vec![0]),
        ("annualrevenue", "GTE", json!({"value": "20.0"}), vec![0, 1]),
        ("annualrevenue", "BETWEEN", json!({"value": "3", "highValue": "20"}), vec![1, 2]),
        ("type", "IN", json!({"values": ["PARTNER", "VENDOR"]}), vec![0, 1]),
        ("type", "EQ", json!({"value": "partner"}), vec![]),
        ("type", "NOT_IN", json!({"values": ["PARTNER"]}), vec![1, 2, 3]),
        ("name", "IN", json!({"values": ["gamma"]}), vec![2]),
        ("name", "IN", json!({"values": ["Gamma"]}), vec![]),
        ("domain", "HAS_PROPERTY", json!({}), vec![0, 1]),
        ("domain", "NOT_HAS_PROPERTY", json!({}), vec![2, 3]),
        ("name", "CONTAINS_TOKEN", json!({"value": "werke"}), vec![0, 3]),
        ("name", "CONTAINS_TOKEN", json!({"value": "wer"}), vec![]),
        ("name", "CONTAINS_TOKEN", json!({"value": "wer*"}), vec![0, 3]),
        ("domain", "CONTAINS_TOKEN", json!({"value": "*.example"}), vec![0, 1]),
        ("name", "NOT_CONTAINS_TOKEN", json!({"value": "werke"}), vec![1, 2]),
        ("hs_object_id", "EQ", json!({"value": made[2]}), vec![2]),
        ("hs_object_id", "GT", json!({"value": made[1]}), vec![2, 3]),
        ("hs_lastmodifieddate", "GTE", json!({"value": "2026-11-02T09:30:00Z"}), vec![0, 1, 2, 3]),
        ("hs_lastmodifieddate", "GT", json!({"value": "1793611800000"}), vec![]),
    ] {
        let answer = bench.ok(200, "POST", SEARCH, filter(property, operator, rest.clone()));
        let mut wanted: Vec<String> = found.iter().map(|at: &usize| made[*at].clone()).collect();
        wanted.sort();
        assert_eq!(ids(&answer), wanted, "{property} {operator} {rest}");
        assert_eq!(answer["total"], json!(found.len()));
    }
}

#[test]
fn groups_are_joined_by_or_and_their_filters_by_and() {
    let (mut bench, made) = filled();
    let one =
        |property: &str, value: &str| json!({"propertyName": property, "operator": "EQ", "value": value});
    let body = json!({"filterGroups": [
        {"filters": [one("type", "PARTNER"), one("name", "alpha werke")]},
        {"filters": [one("type", "PARTNER"), one("name", "gamma")]},
        {"filters": [one("name", "gamma")]},
    ]});
    let mut wanted = vec![made[0].clone(), made[2].clone()];
    wanted.sort();
    assert_eq!(ids(&bench.ok(200, "POST", SEARCH, body)), wanted);
    let shorthand = json!({"filters": [one("name", "gamma")]});
    assert_eq!(ids(&bench.ok(200, "POST", SEARCH, shorthand)), [made[2].as_str()]);
}

#[test]
fn the_query_looks_through_names_and_phones() {
    let (mut bench, made) = filled();
    for (query, found) in
        [("werke", vec![0, 3]), ("alpha werke", vec![0]), ("7311234567", vec![3]), ("none", vec![])]
    {
        let answer = bench.ok(200, "POST", SEARCH, json!({"query": query}));
        let mut wanted: Vec<String> = found.iter().map(|at: &usize| made[*at].clone()).collect();
        wanted.sort();
        assert_eq!(ids(&answer), wanted, "{query}");
    }
}

#[test]
fn sorts_by_number_and_pages_by_offset() {
    let (mut bench, made) = filled();
    let body = |after: &str| json!({"sorts": [{"propertyName": "annualrevenue", "direction": "DESCENDING"}], "limit": 2, "after": after});
    let order = |answer: &Value| {
        answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = bench.ok(200, "POST", SEARCH, body("0"));
    assert_eq!(order(&first), made[..2]);
    assert_eq!(first["paging"]["next"]["after"], "2");
    let second = bench.ok(200, "POST", SEARCH, body("2"));
    assert_eq!(order(&second), made[2..]);
    assert!(second.get("paging").is_none());
}

#[test]
fn a_write_is_searchable_after_the_lag_and_not_before() {
    let mut bench = Bench::new();
    let id = bench.company("Old name");
    let named = |name: &str| filter("name", "EQ", json!({"value": name}));
    bench.advance(std::time::Duration::from_millis(4_999));
    assert_eq!(bench.ok(200, "POST", SEARCH, named("old name"))["total"], 0);
    bench.advance(std::time::Duration::from_millis(1));
    assert_eq!(bench.ok(200, "POST", SEARCH, named("old name"))["total"], 1);

    let path = format!("/crm/objects/2026-09/companies/{id}");
    bench.ok(200, "PATCH", &path, json!({"properties": {"name": "New name"}}));
    bench.advance(seconds(3));
    assert_eq!(bench.value("companies", &id, "name"), "New name");
    let stale = bench.ok(200, "POST", SEARCH, named("old name"));
    assert_eq!(stale["results"][0]["properties"]["name"], "Old name");
    assert_eq!(stale["results"][0]["updatedAt"], "2026-11-02T09:30:00.000Z");
    bench.advance(seconds(2));
    assert_eq!(bench.ok(200, "POST", SEARCH, named("old name"))["total"], 0);
    assert_eq!(bench.ok(200, "POST", SEARCH, named("new name"))["total"], 1);
}

#[test]
fn an_archived_record_lingers_in_the_index() {
    let mut bench = Bench::new();
    let id = bench.company("x");
    bench.advance(seconds(10));
    bench.ok(204, "DELETE", &format!("/crm/objects/2026-09/companies/{id}"), Value::Null);
    assert_eq!(bench.ok(200, "POST", SEARCH, json!({}))["total"], 1);
    bench.advance(seconds(5));
    assert_eq!(bench.ok(200, "POST", SEARCH, json!({}))["total"], 0);
}

#[test]
fn associations_are_searched_by_a_pseudo_property() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("x");
    bench.company("y");
    let path = format!("/crm/objects/2026-09/contacts/{contact}/associations/default/companies/{company}");
    bench.ok(200, "PUT", &path, Value::Null);
    let search = filter("associations.contact", "EQ", json!({"value": contact}));
    assert_eq!(bench.ok(200, "POST", SEARCH, search.clone())["total"], 0);
    bench.advance(seconds(5));
    assert_eq!(ids(&bench.ok(200, "POST", SEARCH, search)), [company.as_str()]);
}

#[test]
fn caps() {
    let mut bench = Bench::new();
    let one = json!({"propertyName": "name", "operator": "HAS_PROPERTY"});
    let groups = |count: usize, size: usize| json!({"filterGroups": vec![json!({"filters": vec![one.clone(); size]}); count]});
    bench.ok(200, "POST", SEARCH, groups(3, 6));
    for body in [
        groups(6, 1),
        groups(1, 7),
        groups(4, 5),
        json!({"limit": 201}),
        json!({"after": "9900", "limit": 101}),
        json!({"query": "x".repeat(3_000)}),
        json!({"sorts": ["name", "domain"]}),
        json!({"sorts": ["nonsense"]}),
        filter("nonsense", "EQ", json!({"value": "x"})),
        filter("name", "LIKE", json!({"value": "x"})),
        filter("name", "EQ", json!({})),
        filter("annualrevenue", "GT", json!({"value": "many"})),
    ] {
        assert_eq!(bench.ok(400, "POST", SEARCH, body)["category"], "VALIDATION_ERROR");
    }
    bench.ok(200, "POST", SEARCH, json!({"after": "9900", "limit": 100}));
}
