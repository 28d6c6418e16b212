//! Faults, log, statistics, clock and snapshots.

use std::time::Duration;

use hubspot_sandbox::{Delivery, Fault, FaultKind, Matcher, Portal, RatePolicy};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, CONTACTS, TOKEN, seconds};

fn on(operation: &str) -> Matcher {
    Matcher { operation: Some(operation.to_owned()), ..Matcher::default() }
}

#[test]
fn a_lost_answer_took_effect_or_did_not() {
    let mut bench = Bench::new();
    for (kind, delivery, records) in [
        (FaultKind::LostAfterApply, Delivery::LostAfterApply, 1),
        (FaultKind::LostBeforeApply, Delivery::LostBeforeApply, 1),
        (FaultKind::CutBody { bytes: 10 }, Delivery::CutBody(10), 2),
    ] {
        bench.portal.inject(Fault::once(on("objects.create"), kind)).unwrap();
        let body = json!({"properties": {"email": format!("p{records}{delivery:?}@example.com").replace(['(', ')'], "")}});
        assert_eq!(bench.reply("POST", CONTACTS, &body).delivery, delivery);
        assert_eq!(bench.portal.record_count("contacts").unwrap(), records);
    }
    assert_eq!(bench.portal.faults().count(), 0);
}

#[test]
fn a_call_that_was_given_up_on_lands_late() {
    let mut bench = Bench::new();
    for ms in [4_000, 2_000] {
        bench.portal.inject(Fault::once(on("objects.create"), FaultKind::LandsLate { ms })).unwrap();
        let body = json!({"properties": {"email": format!("p{ms}@example.com")}});
        assert_eq!(bench.reply("POST", CONTACTS, &body).delivery, Delivery::LostBeforeApply);
    }
    let count = |bench: &mut Bench, at| {
        bench.portal.land_late(bench.now.checked_add(seconds(at)).unwrap());
        bench.portal.record_count("contacts").unwrap()
    };
    assert_eq!([1, 2, 3, 4].map(|at| count(&mut bench, at)), [0, 1, 1, 2]);
    let first = bench.portal.records("contacts", 0, 1).unwrap().records.remove(0);
    assert_eq!(first.properties["email"], "p2000@example.com", "each when its time has come");
}

#[test]
fn answers_on_demand() {
    let mut bench = Bench::new();
    let limit = FaultKind::RateLimit { policy: RatePolicy::Daily, retry_after: Some(7) };
    for (kind, status, retry_after) in [
        (limit, 429, Some("7")),
        (FaultKind::Status { status: 502, retry_after: None }, 502, None),
        (FaultKind::Locked, 423, None),
        (FaultKind::Migrating { retry_after: 60 }, 477, Some("60")),
    ] {
        bench.portal.inject(Fault::once(Matcher::default(), kind)).unwrap();
        let answer = bench.get(CONTACTS);
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.get("retry-after").map(|value| value.to_str().unwrap()), retry_after);
        assert_eq!(bench.get(CONTACTS).status, 200);
    }
}

#[test]
fn faults_choose_their_calls() {
    let mut bench = Bench::new();
    let fault = Fault {
        matcher: Matcher {
            method: Some("GET".to_owned()),
            path_contains: Some("/objects/".to_owned()),
            path_regex: Some("contacts$".to_owned()),
            operation: None,
        },
        skip: 1,
        count: Some(2),
        kind: FaultKind::Status { status: 503, retry_after: None },
    };
    bench.portal.inject(fault).unwrap();
    let statuses: Vec<u16> = ["contacts", "companies", "contacts", "contacts", "contacts"]
        .map(|name| bench.get(&format!("/crm/objects/2026-09/{name}")).status)
        .into();
    assert_eq!(statuses, [200, 200, 503, 503, 200]);
    let broken = Matcher { path_regex: Some("(".to_owned()), ..Matcher::default() };
    assert!(bench.portal.inject(Fault::once(broken, FaultKind::Locked)).is_err());
}

#[test]
fn a_refused_row_follows_the_rules_of_its_batch() {
    let mut bench = Bench::new();
    let path = format!("{CONTACTS}/batch/create");
    let row = |n: u8, trace: bool| {
        let mut row = json!({"properties": {"email": format!("p{n}{trace}@example.com")}});
        if trace {
            row["objectWriteTraceId"] = json!(n.to_string());
        }
        row
    };
    for (trace, status, written) in [(false, 400, 0), (true, 207, 2)] {
        bench
            .portal
            .inject(Fault::once(on("objects.batch_create"), FaultKind::RefuseRow { row: 1 }))
            .unwrap();
        bench.ok(status, "POST", &path, json!({"inputs": [row(0, trace), row(1, trace), row(2, trace)]}));
        assert_eq!(bench.portal.record_count("contacts").unwrap(), written);
    }
}

#[test]
fn the_index_can_fall_further_behind() {
    let mut bench = Bench::new();
    bench.contact("a@example.com");
    bench.advance(seconds(6));
    let path = format!("{CONTACTS}/search");
    bench.portal.inject(Fault::once(on("objects.search"), FaultKind::IndexLag { ms: 60_000 })).unwrap();
    assert_eq!(bench.ok(200, "POST", &path, json!({}))["total"], 0);
    assert_eq!(bench.ok(200, "POST", &path, json!({}))["total"], 1);
}

#[test]
fn latency_is_reported_not_waited_for() {
    let mut config = crate::support::config();
    config.latency = Duration::from_millis(300);
    let mut bench = Bench::with(config);
    assert_eq!(bench.reply("GET", CONTACTS, &Value::Null).delay, Duration::from_millis(300));
    bench.portal.inject(Fault::once(Matcher::default(), FaultKind::Latency { ms: 2_000 })).unwrap();
    assert_eq!(bench.reply("GET", CONTACTS, &Value::Null).delay, Duration::from_millis(2_300));
}

#[test]
fn the_log_and_the_counts_tell_calls_without_values() {
    let mut bench = Bench::new();
    bench.contact("ada@example.com");
    bench.ok(200, "GET", &format!("{CONTACTS}/ada@example.com?idProperty=email"), Value::Null);
    bench.ok(207, "POST", &format!("{CONTACTS}/batch/read"), json!({"inputs": [{"id": "1"}, {"id": "2"}]}));
    bench.ok(200, "POST", &format!("{CONTACTS}/search"), json!({}));
    bench.get("/nowhere");
    let log: Vec<(String, u16, &str, usize)> = bench
        .portal
        .requests()
        .map(|one| (one.path.clone(), one.status, one.operation, one.inputs))
        .collect();
    assert_eq!(
        log,
        [
            (CONTACTS.to_owned(), 201, "objects.create", 0),
            (format!("{CONTACTS}/{{key}}"), 200, "objects.get", 0),
            (format!("{CONTACTS}/batch/read"), 207, "objects.batch_read", 2),
            (format!("{CONTACTS}/search"), 200, "objects.search", 0),
            ("/nowhere".to_owned(), 404, "unknown", 0),
        ]
    );
    let stats = bench.portal.stats();
    assert_eq!((stats.calls, stats.reads, stats.writes, stats.searches, stats.failed), (5, 2, 1, 1, 1));
    assert_eq!(stats.inputs_by_operation["objects.batch_read"], 2);
}

#[test]
fn the_same_over_http_without_credential_or_log() {
    let mut bench = Bench::new();
    let mut control = |method: &str, path: &str, body: Value| {
        let answer = Answer::from(bench.reply_as("", method, &format!("/_sandbox{path}"), &body));
        (answer.status, answer.body)
    };
    let fault =
        json!({"matcher": {"operation": "objects.create"}, "count": 3, "kind": "status", "status": 500});
    assert_eq!(control("POST", "/faults", fault), (200, json!({"id": 1})));
    assert_eq!(control("GET", "/faults", Value::Null).1["results"][0]["fault"]["status"], 500);
    assert_eq!(control("DELETE", "/faults/1", Value::Null).0, 200);
    assert_eq!(control("DELETE", "/faults/1", Value::Null).0, 404);
    assert_eq!(control("POST", "/faults", json!({"kind": "nonsense"})).0, 400);

    let (_, made) = control("POST", "/records/contacts", json!({"properties": {"email": "a@example.com"}}));
    let record = format!("/records/contacts/{}", made["id"]);
    assert_eq!(control("PATCH", &record, json!({"properties": {"city": "Ulm"}})).0, 200);
    assert_eq!(control("PATCH", &record, json!({"properties": {"nonsense": "x"}})).0, 400);
    assert_eq!(control("GET", &record, Value::Null).1["properties"]["city"], "Ulm");
    assert_eq!(
        control("GET", &format!("{record}/history/city"), Value::Null).1["results"][0]["source"],
        "CRM_UI"
    );
    assert_eq!(control("DELETE", &record, Value::Null).0, 200);
    assert_eq!(control("POST", &format!("{record}/restore"), Value::Null).0, 200);
    assert_eq!(control("GET", "/records/contacts", Value::Null).1["records"].as_array().unwrap().len(), 1);

    assert_eq!(control("POST", "/clock", json!({"advanceMs": 60_000})).1["offsetMs"], 60_000);
    assert_eq!(
        control("POST", "/clock", json!({"now": "2026-11-02T09:30:30Z"})).1["now"],
        "2026-11-02T09:30:30Z"
    );
    assert_eq!(control("PUT", "/search-lag", json!({"ms": 0})).0, 200);
    assert_eq!(control("PUT", "/burst-share", json!({"share": 0.5})).0, 200);
    assert_eq!(
        control(
            "PUT",
            "/rules/contacts",
            json!({"rules": [{"rule": "required_on_create", "property": "city"}]})
        )
        .0,
        200
    );
    assert_eq!(control("PUT", "/credentials/scopes", json!({"token": TOKEN, "scopes": []})).0, 200);
    assert_eq!(control("POST", "/credentials/revoke", json!({"token": TOKEN})).0, 200);
    assert_eq!(control("GET", "/requests", Value::Null).1["results"], json!([]));
    assert_eq!(control("GET", "/stats", Value::Null).1["calls"], 0);
    assert_eq!(control("GET", "/nonsense", Value::Null).0, 404);
    assert_eq!(bench.get(CONTACTS).status, 401);
}

#[test]
fn the_clock_is_shifted_against_the_wall() {
    let mut bench = Bench::new();
    let wall = bench.now;
    assert_eq!(bench.portal.time(wall), wall);
    let set = json!({"now": "2030-01-01T00:00:00Z"});
    assert_eq!(bench.reply_as("", "POST", "/_sandbox/clock", &set).response.status(), 200);
    assert_eq!(bench.portal.time(wall), "2030-01-01T00:00:00Z".parse().unwrap());
}

#[test]
fn a_snapshot_brings_everything_back() {
    let mut bench = Bench::new();
    bench.unique_key("contacts");
    let contact = bench.make("contacts", json!({"email": "a@example.com", "key": "K", "city": "Ulm"}));
    let gone = bench.contact("b@example.com");
    let company = bench.company("one");
    let path = format!("{CONTACTS}/{contact}/associations/default/companies/{company}");
    bench.ok(200, "PUT", &path, Value::Null);
    bench.ok(204, "DELETE", &format!("{CONTACTS}/{gone}"), Value::Null);
    bench.advance(seconds(10));

    let mut copy = Bench { portal: Portal::from_snapshot(&bench.portal.snapshot()).unwrap(), now: bench.now };
    for (method, path, body) in [
        (
            "GET",
            format!("{CONTACTS}/K?idProperty=key&associations=companies&propertiesWithHistory=city"),
            Value::Null,
        ),
        ("GET", format!("{CONTACTS}?archived=true"), Value::Null),
        ("POST", CONTACTS.to_owned(), json!({"properties": {"email": "a@example.com"}})),
        ("POST", CONTACTS.to_owned(), json!({"properties": {"email": "c@example.com"}})),
        ("POST", format!("{CONTACTS}/search"), json!({"sorts": ["-lastmodifieddate"]})),
        ("GET", "/crm/limits/2026-09/records".to_owned(), Value::Null),
    ] {
        let (left, right) = (bench.reply(method, &path, &body), copy.reply(method, &path, &body));
        assert_eq!(left.response.body(), right.response.body(), "{method} {path}");
        assert_eq!(left.response.headers(), right.response.headers());
    }
    assert_eq!(bench.portal.snapshot(), copy.portal.snapshot());
}

#[test]
fn bytes_that_are_no_snapshot_are_refused() {
    for bytes in [&b"not json"[..], br#"{"format":1}"#, br#"{"format":99}"#] {
        assert!(Portal::from_snapshot(bytes).is_err());
    }
}
