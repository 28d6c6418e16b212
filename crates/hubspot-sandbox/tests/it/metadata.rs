//! Schemas, owners, account, record counts.

use serde_json::{Value, json};

use crate::support::{Bench, TOKEN, config};

const SCHEMAS: &str = "/crm-object-schemas/2026-09/schemas";

fn boat() -> Value {
    json!({
        "name": "boat", "labels": {"singular": "Boat", "plural": "Boats"},
        "primaryDisplayProperty": "title", "requiredProperties": ["title"], "searchableProperties": ["title"],
        "properties": [{"name": "title", "label": "Title", "type": "string", "fieldType": "text"}],
        "associatedObjects": ["CONTACT"],
    })
}

#[test]
fn a_custom_object_from_schema_to_record() {
    let mut bench = Bench::new();
    let schema = bench.ok(201, "POST", SCHEMAS, boat());
    let type_id = schema["objectTypeId"].as_str().unwrap().to_owned();
    assert!(type_id.starts_with("2-"));
    assert_eq!(schema["fullyQualifiedName"], "p51234567_boat");

    for name in [type_id.as_str(), "p51234567_boat"] {
        let made = bench.make(name, json!({"title": name}));
        assert_eq!(bench.value(name, &made, "title"), json!(name));
    }
    bench.ok(400, "GET", "/crm/objects/2026-09/boat", Value::Null);
    bench.ok(400, "POST", &format!("/crm/objects/2026-09/{type_id}"), json!({"properties": {}}));

    let contact = bench.contact("a@example.com");
    let record = bench.make(&type_id, json!({"title": "x"}));
    let path = format!("/crm/objects/2026-09/{type_id}/{record}/associations/default/contacts/{contact}");
    let linked = bench.ok(200, "PUT", &path, Value::Null);
    assert_eq!(linked["results"][0]["associationSpec"]["associationCategory"], "USER_DEFINED");
}

#[test]
fn schemas_are_checked() {
    let mut bench = Bench::new();
    let without = |key: &str| {
        let mut schema = boat();
        schema.as_object_mut().unwrap().remove(key);
        schema
    };
    let with = |key: &str, value: Value| {
        let mut schema = boat();
        schema[key] = value;
        schema
    };
    for (body, marker) in [
        (without("primaryDisplayProperty"), "PRIMARY_DISPLAY_PROPERTY_REQUIRED"),
        (with("name", json!("1boat")), "invalid"),
        (with("searchableProperties", json!(["nothing"])), "nothing"),
        (with("secondaryDisplayProperties", json!(["title", "title", "title"])), "At most 2"),
    ] {
        let refused = bench.ok(400, "POST", SCHEMAS, body);
        assert!(refused.to_string().contains(marker), "{marker}: {refused}");
    }
    assert_eq!(
        bench.ok(200, "GET", SCHEMAS, Value::Null)["results"],
        json!([]),
        "nothing stays of a refused schema"
    );
    bench.ok(201, "POST", SCHEMAS, boat());
    bench.ok(409, "POST", SCHEMAS, with("name", json!("BOAT")));
    bench.ok(201, "POST", SCHEMAS, with("name", json!("my_boat")));
}

#[test]
fn a_schema_is_deleted_when_its_records_are() {
    let mut bench = Bench::new();
    let schema = bench.ok(201, "POST", SCHEMAS, boat());
    let type_id = schema["objectTypeId"].as_str().unwrap().to_owned();
    let record = bench.make(&type_id, json!({"title": "x"}));
    let path = format!("{SCHEMAS}/{type_id}");
    let refused = bench.ok(400, "DELETE", &path, Value::Null);
    assert_eq!(refused["subCategory"], "EXISTING_OBJECT_RECORDS");
    bench.ok(204, "DELETE", &format!("/crm/objects/2026-09/{type_id}/{record}"), Value::Null);
    bench.ok(204, "DELETE", &path, Value::Null);
    bench.ok(404, "GET", &path, Value::Null);
    let again = bench.ok(201, "POST", SCHEMAS, boat());
    assert_ne!(again["objectTypeId"], json!(type_id));
}

#[test]
fn custom_objects_need_enterprise() {
    let mut config = config();
    config.tier = hubspot_sandbox::Tier::Professional;
    let refused = Bench::with(config).ok(403, "POST", SCHEMAS, boat());
    assert_eq!(refused["category"], "MISSING_SCOPES");
}

#[test]
fn owners_are_found_by_email_and_user() {
    let mut bench = Bench::new();
    let listed = bench.ok(200, "GET", "/crm/owners/2026-09?limit=1", Value::Null);
    let first = listed["results"][0].clone();
    let after = listed["paging"]["next"]["after"].as_str().unwrap();
    let second = bench.ok(200, "GET", &format!("/crm/v3/owners?after={after}"), Value::Null);
    assert_eq!(second["results"].as_array().unwrap().len(), 1);
    let by_email = bench.ok(200, "GET", "/crm/owners/2026-09?email=ROBIN.keller@example.com", Value::Null);
    assert_eq!(by_email["results"][0], first);
    let user = &first["userId"];
    let by_user = bench.ok(200, "GET", &format!("/crm/owners/2026-09/{user}?idProperty=userId"), Value::Null);
    assert_eq!(by_user["id"], first["id"]);
    assert_ne!(json!(user.to_string()), first["id"], "owner ids are not user ids");
}

#[test]
fn the_account_tells_its_zone_and_usage() {
    let mut config = config();
    config.time_zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let mut bench = Bench::with(config);
    let details = bench.ok(200, "GET", "/account-info/2026-09/details", Value::Null);
    assert_eq!(details["timeZone"], "Europe/Berlin");
    assert_eq!(details["utcOffset"], "+01:00");
    assert_eq!(details["utcOffsetMilliseconds"], 3_600_000);
    assert!(details.get("portalName").is_some());
    assert!(bench.ok(200, "GET", "/account-info/v3/details", Value::Null).get("portalName").is_none());
    let usage = bench.ok(200, "GET", "/account-info/v3/api-usage/daily/private-apps", Value::Null);
    assert_eq!(usage["results"][0]["currentUsage"], 3);
    assert_eq!(usage["results"][0]["usageLimit"], 1_000_000);
    assert_eq!(usage["results"][0]["resetsAt"], "2026-11-02T23:00:00.000Z");
}

#[test]
fn counts_follow_the_records() {
    let mut bench = Bench::new();
    bench.contact("a@example.com");
    let id = bench.contact("b@example.com");
    bench.ok(204, "DELETE", &format!("/crm/objects/2026-09/contacts/{id}"), Value::Null);
    let counts = bench.ok(200, "GET", "/crm/limits/2026-09/records", Value::Null);
    assert_eq!(counts["hubspotDefinedObjectTypes"][0]["objectTypeId"], "0-1");
    assert_eq!(counts["hubspotDefinedObjectTypes"][0]["usage"], 1);
    for path in ["custom-properties", "custom-object-types", "pipelines", "associations/labels"] {
        bench.ok(200, "GET", &format!("/crm/limits/2026-09/{path}"), Value::Null);
    }
}

#[test]
fn a_static_token_can_be_looked_up() {
    let mut bench = Bench::new();
    let path = "/oauth/v2/private-apps/get/access-token-info";
    let info = bench.ok(200, "POST", path, json!({"tokenKey": TOKEN}));
    assert_eq!(info["hubId"], 51_234_567);
    bench.ok(404, "POST", path, json!({"tokenKey": "another"}));
}
