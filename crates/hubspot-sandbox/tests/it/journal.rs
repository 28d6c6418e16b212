//! The journal: what is written, in which files, how they are read and when they are gone.

use std::time::Duration;

use hubspot_sandbox::{Credential, JournalTiming, OAuthApp, Scopes};
use serde_json::{Value, json};

use crate::support::{Bench, COMPANIES, CONTACTS, seconds};

const SUBSCRIPTIONS: &str = "/webhooks-journal/subscriptions/2026-03";
const JOURNAL: &str = "/webhooks-journal/journal/2026-03";
const PORTAL: u64 = 51_234_567;

fn object(actions: &[&str], properties: &[&str]) -> Value {
    json!({"subscriptionType": "OBJECT", "portalId": PORTAL, "objectTypeId": "0-1", "actions": actions,
        "properties": properties, "objectIds": []})
}

fn listening(subscriptions: &[Value]) -> Bench {
    let mut bench = Bench::new();
    for subscription in subscriptions {
        bench.ok(201, "POST", SUBSCRIPTIONS, subscription.clone());
    }
    bench
}

/// Lets what happened come into a file.
fn publish(bench: &mut Bench) {
    bench.advance(seconds(2));
}

/// Fetches the file behind a URL, without a credential.
fn fetch(bench: &mut Bench, url: &Value) -> (u16, Value) {
    let path = url.as_str().unwrap().strip_prefix("https://files.sandbox.hubspot.com").unwrap();
    let reply = bench.reply_as("", "GET", path, &Value::Null);
    let body = serde_json::from_slice(reply.response.body()).unwrap();
    (reply.response.status().as_u16(), body)
}

/// Every event of the journal, read from the beginning, file by file.
fn read_all(bench: &mut Bench) -> Vec<Value> {
    let mut events = Vec::new();
    let mut next = format!("{JOURNAL}/earliest");
    loop {
        let answer = bench.get(&next);
        if answer.status == 204 {
            return events;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        let (status, file) = fetch(bench, &answer.body["url"]);
        assert_eq!(status, 200);
        assert_eq!(file["offset"], answer.body["currentOffset"]);
        events.extend(file["journalEvents"].as_array().unwrap().clone());
        next = format!("{JOURNAL}/offset/{}/next", answer.body["currentOffset"].as_str().unwrap());
    }
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

#[test]
fn a_record_s_life_stands_in_the_journal_with_the_properties_asked_for() {
    let mut bench = listening(&[
        object(&["CREATE", "UPDATE", "DELETE", "RESTORE"], &["city", "phone"]),
        json!({"subscriptionType": "GDPR_PRIVACY_DELETION", "portalId": PORTAL, "objectTypeId": "0-1", "actions": ["GDPR_DELETE"]}),
    ]);
    let id: u64 = bench.make("contacts", json!({"email": "a@example.com", "city": "Ulm"})).parse().unwrap();
    bench.portal.edit_as_user(bench.now, "contacts", id, [("city", "Bern"), ("phone", "1")]).unwrap();
    bench.portal.edit_as_user(bench.now, "contacts", id, [("lastname", "Sam")]).unwrap();
    bench.portal.archive_record(bench.now, "contacts", id).unwrap();
    bench.portal.restore_record(bench.now, "contacts", id).unwrap();
    bench.ok(204, "POST", &format!("{CONTACTS}/gdpr-delete"), json!({"objectId": id.to_string()}));
    assert_eq!(bench.get(&format!("{JOURNAL}/earliest")).status, 204, "not published yet");
    publish(&mut bench);
    let events = read_all(&mut bench);
    assert_eq!(actions(&events), ["CREATE", "UPDATE", "DELETE", "RESTORE", "GDPR_DELETE", "DELETE"]);
    assert_eq!(events[0]["propertyChanges"], json!({"city": "Ulm"}));
    assert_eq!(events[1]["propertyChanges"], json!({"city": "Bern", "phone": "1"}));
    for (name, value) in [
        ("type", json!("OBJECT")),
        ("portalId", json!(PORTAL)),
        ("objectTypeId", json!("0-1")),
        ("objectId", json!(id)),
        ("occurredAt", json!("2026-11-02T09:30:00.000Z")),
    ] {
        assert_eq!(events[0][name], value, "{name}");
    }
}

#[test]
fn merges_and_associations_stand_in_it_too() {
    let mut bench = listening(&[
        json!({"subscriptionType": "OBJECT", "portalId": PORTAL, "objectTypeId": "0-2", "actions": ["MERGE", "DELETE"]}),
        json!({"subscriptionType": "ASSOCIATION", "portalId": PORTAL, "objectTypeId": "0-1",
            "associatedObjectTypeIds": ["0-2"], "actions": ["ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"]}),
    ]);
    let (one, two, contact) = (bench.company("one"), bench.company("two"), bench.contact("a@example.com"));
    let deal = bench.make("deals", json!({"dealname": "d", "dealstage": "appointmentscheduled"}));
    bench.ok(200, "PUT", &format!("{CONTACTS}/{contact}/associations/default/companies/{one}"), Value::Null);
    bench.ok(200, "PUT", &format!("{CONTACTS}/{contact}/associations/default/deals/{deal}"), Value::Null);
    let body = json!({"primaryObjectId": one, "objectIdToMerge": two});
    let survivor = bench.ok(200, "POST", &format!("{COMPANIES}/merge"), body)["id"].clone();
    publish(&mut bench);
    let events = read_all(&mut bench);
    let added: Vec<&Value> = events.iter().filter(|event| event["action"] == "ASSOCIATION_ADDED").collect();
    assert!(added.iter().all(|event| event["toObjectTypeId"] == "0-2"), "companies only");
    assert_eq!(added[0]["fromObjectId"].to_string(), contact);
    assert_eq!(added[0]["toObjectId"].to_string(), one);
    assert!(added.iter().any(|event| event["isPrimary"] == true));
    let merge = events.iter().find(|event| event["action"] == "MERGE").unwrap();
    assert_eq!(merge["newObjectId"].to_string(), survivor.as_str().unwrap());
    assert_eq!(events.iter().filter(|event| event["action"] == "DELETE").count(), 2);
}

#[test]
fn subscriptions_are_checked_listed_and_deleted() {
    let mut bench = Bench::new();
    for refused in [
        object(&[], &[]),
        object(&["ASSOCIATION_ADDED"], &[]),
        json!({"subscriptionType": "WISH", "portalId": PORTAL, "objectTypeId": "0-1", "actions": ["CREATE"]}),
        json!({"subscriptionType": "OBJECT", "portalId": 1, "objectTypeId": "0-1", "actions": ["CREATE"]}),
        json!({"subscriptionType": "OBJECT", "portalId": PORTAL, "objectTypeId": "2-9", "actions": ["CREATE"]}),
        json!({"subscriptionType": "APP_LIFECYCLE_EVENT", "properties": []}),
    ] {
        bench.ok(400, "POST", SUBSCRIPTIONS, refused);
    }
    let made = bench.ok(201, "POST", SUBSCRIPTIONS, object(&["CREATE"], &[]));
    bench.ok(201, "POST", SUBSCRIPTIONS, object(&["DELETE"], &[]));
    assert_eq!(made["appId"], 1_000_001);
    let one = format!("{SUBSCRIPTIONS}/{}", made["id"]);
    assert_eq!(bench.ok(200, "GET", &one, Value::Null)["actions"], json!(["CREATE"]));
    bench.ok(204, "DELETE", &one, Value::Null);
    bench.ok(404, "GET", &one, Value::Null);
    bench.ok(204, "DELETE", &format!("{SUBSCRIPTIONS}/portals/1"), Value::Null);
    let left = |bench: &mut Bench| {
        bench.ok(200, "GET", SUBSCRIPTIONS, Value::Null)["results"].as_array().unwrap().len()
    };
    assert_eq!(left(&mut bench), 1);
    bench.ok(204, "DELETE", &format!("{SUBSCRIPTIONS}/portals/{PORTAL}"), Value::Null);
    assert_eq!(left(&mut bench), 0);
}

#[test]
fn scopes_of_the_journal_are_asked_for_and_no_limit_counts() {
    let mut bench = Bench::new();
    let scopes = ["developer.webhooks_journal.read", "developer.webhooks_journal.subscriptions.read"];
    let scopes = Scopes::Some(scopes.into_iter().map(str::to_owned).collect());
    bench.portal.add_credential(Credential { scopes, ..Credential::private_app("reader") });
    let call = |bench: &mut Bench, method: &str, path: &str, body: &Value| {
        bench.reply_as("reader", method, path, body).response.status().as_u16()
    };
    assert_eq!(call(&mut bench, "GET", SUBSCRIPTIONS, &Value::Null), 200);
    assert_eq!(call(&mut bench, "GET", &format!("{JOURNAL}/latest"), &Value::Null), 204);
    assert_eq!(call(&mut bench, "POST", SUBSCRIPTIONS, &object(&["CREATE"], &[])), 403);
    assert_eq!(bench.reply_as("", "GET", SUBSCRIPTIONS, &Value::Null).response.status(), 401);
    let headers = bench.get(SUBSCRIPTIONS).headers;
    assert!(!headers.contains_key("x-hubspot-ratelimit-max"));
}

#[test]
fn batches_walk_the_journal_and_name_what_is_missing() {
    let mut bench = listening(&[object(&["CREATE"], &[])]);
    for number in 0..5 {
        bench.contact(&format!("{number}@example.com"));
        publish(&mut bench);
    }
    let offsets = |body: &Value| -> Vec<String> {
        let all = body["results"].as_array().unwrap();
        all.iter().map(|one| one["currentOffset"].as_str().unwrap().to_owned()).collect()
    };
    let all = bench.ok(200, "GET", &format!("{JOURNAL}/batch/earliest/100"), Value::Null);
    let all = offsets(&all);
    assert_eq!(all.len(), 5);
    let some = bench.ok(200, "GET", &format!("{JOURNAL}/batch/{}/next/2", all[1]), Value::Null);
    assert_eq!(offsets(&some), all[2..4]);
    let last = bench.ok(200, "GET", &format!("{JOURNAL}/batch/latest/2"), Value::Null);
    assert_eq!(offsets(&last), all[3..]);
    let newest = bench.ok(200, "GET", "/webhooks-journal/journal-local/2026-03/latest", Value::Null);
    assert_eq!(newest["currentOffset"], json!(all[4]));
    let none = bench.ok(200, "GET", &format!("{JOURNAL}/batch/{}/next/2", all[4]), Value::Null);
    assert_eq!(offsets(&none), Vec::<String>::new());
    let read =
        bench.ok(207, "POST", &format!("{JOURNAL}/batch/read"), json!({"inputs": [all[0], "unknown"]}));
    assert_eq!((offsets(&read), &read["numErrors"]), (vec![all[0].clone()], &json!(1)));
    bench.ok(400, "GET", &format!("{JOURNAL}/batch/earliest/101"), Value::Null);
    assert_eq!(bench.get(&format!("{JOURNAL}/earliest?installPortalId=1")).status, 204);
    assert_eq!(bench.get(&format!("{JOURNAL}/earliest?installPortalId={PORTAL}")).status, 200);
}

#[test]
fn urls_expire_and_files_are_gone_after_three_days() {
    let mut bench = listening(&[object(&["CREATE"], &[])]);
    bench.portal.set_journal_timing(JournalTiming { publish_after_ms: 1_000, url_life_ms: 60_000 });
    bench.contact("a@example.com");
    publish(&mut bench);
    let offered = bench.ok(200, "GET", &format!("{JOURNAL}/earliest"), Value::Null);
    let url = offered["url"].as_str().unwrap().to_owned();
    assert_eq!(fetch(&mut bench, &json!(url)).0, 200);
    for (from, to) in [("expires=1", "expires=2"), ("signature=", "signature=0"), ("/1000001/", "/1000002/")]
    {
        let altered = url.replacen(from, to, 1);
        assert_ne!(altered, url);
        assert_eq!(fetch(&mut bench, &json!(altered)).0, 403, "{to}");
    }
    bench.advance(seconds(60));
    assert_eq!(fetch(&mut bench, &json!(url)).0, 403, "expired");
    let again = bench.ok(200, "GET", &format!("{JOURNAL}/earliest"), Value::Null);
    assert_eq!(again["currentOffset"], offered["currentOffset"]);
    assert_eq!(fetch(&mut bench, &again["url"]).0, 200);

    bench.advance(Duration::from_secs(3 * 86_400));
    assert_eq!(bench.get(&format!("{JOURNAL}/earliest")).status, 204);
    let old = offered["currentOffset"].as_str().unwrap();
    bench.ok(404, "GET", &format!("{JOURNAL}/offset/{old}/next"), Value::Null);
}

#[test]
fn an_install_and_an_uninstall_stand_in_the_app_s_journal() {
    let mut bench = Bench::new();
    let mut app = OAuthApp::new(7, "client", "secret", "https://app.example.com/done", &["oauth"]);
    app.app_scopes = ["read", "subscriptions.read", "subscriptions.write"]
        .map(|scope| format!("developer.webhooks_journal.{scope}"))
        .into();
    let registered = bench.call("POST", "/_sandbox/apps", serde_json::to_value(&app).unwrap());
    assert_eq!(registered.status, 200, "{}", registered.body);
    let token = |bench: &mut Bench, form: &str| {
        let request = http::Request::post("/oauth/2026-03/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(bytes::Bytes::from(form.to_owned()))
            .unwrap();
        let reply = bench.portal.handle(bench.now, &request).response;
        let body: Value = serde_json::from_slice(reply.body()).unwrap();
        assert_eq!(reply.status(), 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    };
    let scopes = app.app_scopes.iter().cloned().collect::<Vec<_>>().join("%20");
    let own = token(
        &mut bench,
        &format!("grant_type=client_credentials&client_id=client&client_secret=secret&scope={scopes}"),
    );
    for event_type in ["4-1909196", "4-1916193"] {
        let body =
            json!({"subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": event_type, "properties": []});
        assert_eq!(bench.reply_as(&own, "POST", SUBSCRIPTIONS, &body).response.status(), 201);
    }
    let contacts = object(&["CREATE"], &[]);
    let refused = bench.reply_as(&own, "POST", SUBSCRIPTIONS, &contacts).response;
    assert_eq!(refused.status(), 400, "the portal has not installed the app");
    let link =
        "/oauth/authorize?client_id=client&redirect_uri=https%3A%2F%2Fapp.example.com%2Fdone&scope=oauth";
    let consent = http::Request::post(link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from_static(b"answer=allow"))
        .unwrap();
    let consented = bench.portal.handle(bench.now, &consent).response;
    let location = consented.headers()["location"].to_str().unwrap().to_owned();
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap();
    let redirect = "redirect_uri=https%3A%2F%2Fapp.example.com%2Fdone";
    token(
        &mut bench,
        &format!(
            "grant_type=authorization_code&client_id=client&client_secret=secret&{redirect}&code={code}"
        ),
    );
    assert_eq!(bench.reply_as(&own, "POST", SUBSCRIPTIONS, &contacts).response.status(), 201);
    bench.contact("heard@example.com");
    bench.ok(200, "POST", "/_sandbox/apps/7/uninstall", Value::Null);
    bench.contact("unheard@example.com");
    publish(&mut bench);
    let reply = bench.reply_as(&own, "GET", &format!("{JOURNAL}/earliest"), &Value::Null);
    let offered: Value = serde_json::from_slice(reply.response.body()).unwrap();
    let (_, file) = fetch(&mut bench, &offered["url"]);
    assert_eq!(
        actions(file["journalEvents"].as_array().unwrap()),
        ["APP_INSTALL", "CREATE", "APP_UNINSTALL"]
    );
}
