//! What apps are told, when and how often: subscriptions, requests, retries and faults, in the portal's own time.

use std::collections::BTreeMap;
use std::time::Duration;

use hubspot_sandbox::{
    Credential, Portal, PortalConfig, WebhookApp, WebhookFaults, WebhookRequest, WebhookSignature,
};
use serde_json::{Value, json};

use crate::support::{Bench, COMPANIES, CONTACTS, config};

/// The app of the bench's credential.
const APP: u64 = 1_000_001;
const BASE: &str = "/webhooks/2026-03/1000001";
const TARGET: &str = "https://hooks.example.com/events";

fn app() -> WebhookApp {
    WebhookApp {
        app_id: APP,
        client_secret: "secret".to_owned(),
        developer_key: Some("dev-key".to_owned()),
        signature: WebhookSignature::V3,
    }
}

/// A bench whose app has a target and these subscriptions, all running.
fn listening(subscriptions: &[Value]) -> Bench {
    let mut bench = Bench::new();
    bench.portal.set_webhook_app(app());
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 10}});
    bench.ok(200, "PUT", &format!("{BASE}/settings"), settings);
    for subscription in subscriptions {
        subscribe(&mut bench, subscription.clone());
    }
    bench
}

fn subscribe(bench: &mut Bench, mut subscription: Value) -> String {
    subscription["active"] = json!(true);
    let made = bench.ok(201, "POST", &format!("{BASE}/subscriptions"), subscription);
    let id = made["id"].as_str().unwrap().to_owned();
    bench.ok(200, "PATCH", &format!("{BASE}/subscriptions/{id}"), json!({"active": true}));
    id
}

fn kind(name: &str) -> Value {
    json!({ "eventType": name })
}

fn property(object: &str, name: &str) -> Value {
    json!({"eventType": format!("{object}.propertyChange"), "propertyName": name})
}

fn requests(bench: &mut Bench) -> Vec<WebhookRequest> {
    bench.portal.webhook_requests(bench.now)
}

fn events(request: &WebhookRequest) -> Vec<Value> {
    serde_json::from_slice(request.request.body()).unwrap()
}

/// Takes everything that is due and answers it with 200.
fn delivered(bench: &mut Bench) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let due = requests(bench);
        if due.is_empty() {
            return all;
        }
        for request in due {
            all.extend(events(&request));
            bench.portal.webhook_answered(bench.now, request.id, Some(200));
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["subscriptionType"].as_str().unwrap()).collect()
}

#[test]
fn settings_and_subscriptions_are_managed_by_the_app_alone() {
    let mut bench = Bench::new();
    let settings = format!("{BASE}/settings");
    let body = |url: &str, max: u32| json!({"targetUrl": url, "throttling": {"maxConcurrentRequests": max}});
    bench.ok(404, "GET", &settings, Value::Null);
    bench.portal.set_webhook_app(app());
    bench.ok(404, "GET", &settings, Value::Null);
    for (url, max) in [("http://hooks.example.com/", 10), ("nonsense", 10), (TARGET, 5), ("https://", 10)] {
        bench.ok(400, "PUT", &settings, body(url, max));
    }
    bench.ok(200, "PUT", &settings, body("http://127.0.0.1:9/local", 6));
    bench.ok(200, "PUT", &settings, body(TARGET, 6));
    let read = bench.ok(200, "GET", &settings, Value::Null);
    assert_eq!(
        (&read["targetUrl"], &read["throttling"]["maxConcurrentRequests"]),
        (&json!(TARGET), &json!(6))
    );

    let list = format!("{BASE}/subscriptions");
    for refused in [
        kind("contact.exploded"),
        kind("contact.propertyChange"),
        kind("object.creation"),
        kind("product.associationChange"),
        kind("company.privacyDeletion"),
        json!({"eventType": "object.creation", "objectTypeId": "2-1"}),
        json!({"eventType": "contact.creation", "propertyName": "email"}),
        property("contact", "hs_lastmodifieddate"),
    ] {
        let mut refused = refused;
        refused["active"] = json!(true);
        bench.ok(400, "POST", &list, refused);
    }
    let mut wanted = kind("contact.creation");
    wanted["active"] = json!(true);
    let made = bench.ok(201, "POST", &list, wanted.clone());
    assert_eq!(made["active"], false, "new ones start paused");
    bench.ok(409, "POST", &list, wanted);
    let id = made["id"].as_str().unwrap();
    let update =
        json!({"inputs": [{"id": id.parse::<u64>().unwrap(), "active": true}, {"id": 1, "active": true}]});
    let answer = bench.ok(207, "POST", &format!("{list}/batch/update"), update);
    assert_eq!((&answer["results"][0]["active"], &answer["numErrors"]), (&json!(true), &json!(1)));
    assert_eq!(bench.ok(200, "GET", &list, Value::Null)["results"].as_array().unwrap().len(), 1);
    bench.ok(200, "GET", &format!("{list}/{id}"), Value::Null);
    bench.ok(204, "DELETE", &format!("{list}/{id}"), Value::Null);
    bench.ok(404, "DELETE", &format!("{list}/{id}"), Value::Null);

    // The developer's key will do, another app's credential will not.
    let by_key = |key: &str| format!("/webhooks/v3/{APP}/settings?hapikey={key}");
    assert_eq!(bench.reply_as("", "GET", &by_key("dev-key"), &Value::Null).response.status(), 200);
    assert_eq!(bench.reply_as("", "GET", &by_key("wrong"), &Value::Null).response.status(), 403);
    assert_eq!(bench.reply_as("", "GET", &settings, &Value::Null).response.status(), 401);
    bench.portal.add_credential(Credential { app_id: 7, ..Credential::private_app("other") });
    assert_eq!(bench.reply_as("other", "GET", &settings, &Value::Null).response.status(), 403);
    bench.ok(204, "DELETE", &settings, Value::Null);
    bench.ok(404, "GET", &settings, Value::Null);
}

#[test]
fn a_record_s_life_is_told_to_who_asked_for_it() {
    let mut bench = listening(&[
        kind("contact.creation"),
        kind("contact.deletion"),
        kind("contact.restore"),
        kind("contact.privacyDeletion"),
        property("contact", "city"),
    ]);
    let id: u64 = bench
        .make("contacts", json!({"email": "a@example.com", "city": "Ulm", "phone": "1"}))
        .parse()
        .unwrap();
    let told = delivered(&mut bench);
    assert_eq!(kinds(&told), ["contact.creation", "contact.propertyChange"]);
    let created = &told[0];
    for (name, value) in [
        ("portalId", json!(51_234_567)),
        ("appId", json!(APP)),
        ("objectId", json!(id)),
        ("changeFlag", json!("CREATED")),
        ("attemptNumber", json!(0)),
        ("occurredAt", json!(bench.now.as_millisecond())),
        ("changeSource", json!("INTEGRATION")),
        ("sourceId", json!(APP.to_string())),
    ] {
        assert_eq!(created[name], value, "{name}");
    }
    assert_eq!((&told[1]["propertyName"], &told[1]["propertyValue"]), (&json!("city"), &json!("Ulm")));

    bench.portal.edit_as_user(bench.now, "contacts", id, [("city", "Ulm"), ("phone", "2")]).unwrap();
    assert_eq!(delivered(&mut bench), Vec::<Value>::new(), "the same value again is no change");
    bench.portal.edit_as_user(bench.now, "contacts", id, [("city", "Bern")]).unwrap();
    let told = delivered(&mut bench);
    assert_eq!(
        (&told[0]["changeSource"], &told[0]["sourceId"]),
        (&json!("CRM_UI"), &json!("userId:9200001"))
    );

    bench.portal.archive_record(bench.now, "contacts", id).unwrap();
    bench.portal.restore_record(bench.now, "contacts", id).unwrap();
    assert_eq!(kinds(&delivered(&mut bench)), ["contact.deletion", "contact.restore"]);
    bench.ok(204, "POST", &format!("{CONTACTS}/gdpr-delete"), json!({"objectId": id.to_string()}));
    assert_eq!(kinds(&delivered(&mut bench)), ["contact.privacyDeletion", "contact.deletion"]);
}

#[test]
fn merges_tell_of_the_losers_and_not_of_values() {
    let mut bench = listening(&[
        kind("company.merge"),
        kind("company.deletion"),
        property("company", "city"),
        property("company", "name"),
    ]);
    let one = bench.make("companies", json!({"name": "one", "city": "Ulm"}));
    let two = bench.make("companies", json!({"name": "two", "city": "Bern"}));
    delivered(&mut bench);
    let body = json!({"primaryObjectId": one, "objectIdToMerge": two});
    let survivor = bench.ok(200, "POST", &format!("{COMPANIES}/merge"), body)["id"].clone();
    let told = delivered(&mut bench);
    assert_eq!(kinds(&told), ["company.merge", "company.deletion", "company.deletion"]);
    assert_eq!(told[0]["newObjectId"].to_string(), survivor.as_str().unwrap());
    assert_eq!(told[0]["primaryObjectId"].to_string(), one);
    assert_eq!(told[0]["mergedObjectIds"], json!([two.parse::<u64>().unwrap()]));
}

#[test]
fn associations_are_told_from_each_side_and_for_each_type() {
    let mut bench = listening(&[kind("contact.associationChange"), kind("company.associationChange")]);
    let (contact, company) = (bench.contact("a@example.com"), bench.company("one"));
    let path = format!("{CONTACTS}/{contact}/associations/default/companies/{company}");
    bench.ok(200, "PUT", &path, Value::Null);
    let told = delivered(&mut bench);
    // The first company becomes the primary one, which is an event more for each side.
    assert_eq!(told.len(), 4);
    let mut sides: BTreeMap<(String, bool), u32> = BTreeMap::new();
    for event in &told {
        assert_eq!(event["associationRemoved"], false);
        let name = event["associationType"].as_str().unwrap().to_owned();
        *sides.entry((name, event["isPrimaryAssociation"].as_bool().unwrap())).or_default() += 1;
    }
    let expected: Vec<(String, bool)> = ["COMPANY_TO_CONTACT", "CONTACT_TO_COMPANY"]
        .into_iter()
        .flat_map(|name| [(name.to_owned(), false), (name.to_owned(), true)])
        .collect();
    assert_eq!(sides.into_keys().collect::<Vec<_>>(), expected);
    bench.ok(204, "DELETE", &format!("{CONTACTS}/{contact}/associations/companies/{company}"), Value::Null);
    let told = delivered(&mut bench);
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|event| event["associationRemoved"] == true));
}

#[test]
fn other_types_are_told_as_objects() {
    let mut bench = listening(&[json!({"eventType": "object.creation", "objectTypeId": "0-27"})]);
    bench.make("tasks", json!({"hs_timestamp": "2026-11-02T09:30:00Z"}));
    bench.contact("a@example.com");
    let told = delivered(&mut bench);
    assert_eq!(kinds(&told), ["object.creation"]);
    assert_eq!(told[0]["objectTypeId"], "0-27");
}

#[test]
fn requests_carry_a_hundred_events_and_wait_for_answers() {
    let mut bench = listening(&[kind("contact.creation")]);
    for batch in 0..11 {
        let inputs: Vec<Value> = (0..100)
            .map(|row| json!({"properties": {"email": format!("{batch}-{row}@example.com")}}))
            .collect();
        bench.ok(201, "POST", &format!("{CONTACTS}/batch/create"), json!({ "inputs": inputs }));
    }
    let first = requests(&mut bench);
    assert_eq!(first.len(), 10, "as many as may be under way");
    assert!(first.iter().all(|request| events(request).len() == 100));
    assert_eq!(bench.portal.next_webhook_at(), None, "there is room only after an answer");
    assert_eq!(requests(&mut bench).len(), 0);
    bench.portal.webhook_answered(bench.now, first[0].id, Some(204));
    assert_eq!(bench.portal.next_webhook_at(), Some(bench.now));
    assert_eq!(requests(&mut bench).len(), 1);
    let stats = bench.portal.webhook_stats();
    assert_eq!((stats.events, stats.requests, stats.delivered), (1_100, 11, 100));
}

#[test]
fn what_is_not_answered_well_is_tried_ten_times_in_a_day_and_then_lost() {
    for failure in [None, Some(503), Some(404), Some(302)] {
        let mut bench = listening(&[kind("contact.creation")]);
        bench.contact("a@example.com");
        let began = bench.now;
        let mut attempts = Vec::new();
        while let Some(at) = bench.portal.next_webhook_at() {
            bench.now = bench.now.max(at);
            for request in requests(&mut bench) {
                let signed =
                    request.request.headers()["x-hubspot-request-timestamp"].to_str().unwrap().to_owned();
                assert_eq!(signed, bench.now.as_millisecond().to_string(), "signed when it is sent");
                attempts.push(events(&request)[0]["attemptNumber"].as_u64().unwrap());
                bench.portal.webhook_answered(bench.now, request.id, failure);
            }
        }
        assert_eq!(attempts, (0..=10).collect::<Vec<_>>());
        let hours = bench.now.duration_since(began).as_hours();
        assert!((12..24).contains(&hours), "{hours}");
        assert_eq!(bench.portal.webhook_stats().lost, 1);
    }
}

#[test]
fn faults_drop_repeat_and_shuffle_and_say_how_often() {
    let mut bench = listening(&[kind("contact.creation")]);
    let share = 0.1;
    bench.portal.set_webhook_faults(WebhookFaults { drop: share, duplicate: share, shuffle: share });
    let mut made = Vec::new();
    for number in 0..500 {
        made.push(bench.contact(&format!("{number}@example.com")).parse::<u64>().unwrap());
    }
    let mut told = delivered(&mut bench);
    bench.advance(Duration::from_secs(61));
    let late = delivered(&mut bench);
    assert!((20..100).contains(&late.len()), "{}", late.len());
    told.extend(late);
    let mut count: BTreeMap<u64, u32> = made.iter().map(|id| (*id, 0)).collect();
    for event in &told {
        *count.get_mut(&event["objectId"].as_u64().unwrap()).unwrap() += 1;
    }
    let stats = bench.portal.webhook_stats();
    let times = |wanted: u32| count.values().filter(|times| **times == wanted).count() as u64;
    assert_eq!((times(0), times(2)), (stats.dropped, stats.duplicated));
    assert!((20..100).contains(&stats.dropped) && (20..100).contains(&stats.duplicated), "{stats:?}");
}

#[test]
fn subscribing_changes_no_answer_and_a_snapshot_keeps_what_waits() {
    let mut quiet = Bench::with(PortalConfig { seed: 7, ..config() });
    let mut loud = Bench::with(PortalConfig { seed: 7, ..config() });
    loud.portal.set_webhook_app(app());
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 10}});
    loud.ok(200, "PUT", &format!("{BASE}/settings"), settings);
    subscribe(&mut loud, kind("contact.creation"));
    for number in 0..20 {
        let email = format!("{number}@example.com");
        // Correlation ids differ, as more calls were made; records must not.
        let ids = [quiet.contact(&email).len(), loud.contact(&email).len()];
        assert_eq!(ids[0], ids[1]);
    }
    let under_way = requests(&mut loud);
    assert_eq!(under_way.len(), 1);
    let restored = Portal::from_snapshot(&loud.portal.snapshot()).unwrap();
    let mut bench = Bench { portal: restored, now: loud.now };
    assert_eq!(delivered(&mut bench).len(), 20, "a request without an answer is sent again");
    assert_eq!(
        bench.ok(200, "GET", &format!("{BASE}/subscriptions"), Value::Null)["results"][0]["active"],
        true
    );
}
