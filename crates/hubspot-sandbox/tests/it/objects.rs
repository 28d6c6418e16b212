//! Create, get, list, update and archive of single records.

use serde_json::{Value, json};

use crate::support::{Bench, CONTACTS, ids, seconds};

#[test]
fn a_record_has_hubspots_shape() {
    let mut bench = Bench::new();
    let id = bench.contact("ada@example.com");
    let got = bench.ok(200, "GET", &format!("{CONTACTS}/{id}"), Value::Null);
    assert_eq!(
        got,
        json!({
            "id": id,
            "properties": {
                "createdate": "2026-11-02T09:30:00.000Z",
                "email": "ada@example.com",
                "firstname": null,
                "hs_object_id": id,
                "lastmodifieddate": "2026-11-02T09:30:00.000Z",
                "lastname": null,
            },
            "createdAt": "2026-11-02T09:30:00.000Z",
            "updatedAt": "2026-11-02T09:30:00.000Z",
            "archived": false,
            "url": format!("https://app.hubspot.com/contacts/51234567/record/0-1/{id}"),
        })
    );
}

#[test]
fn ids_have_twelve_digits_and_grow_with_gaps() {
    let mut bench = Bench::new();
    let made: Vec<u64> =
        (0..50).map(|n| bench.contact(&format!("p{n}@example.com")).parse().unwrap()).collect();
    assert!(made.iter().all(|id| (100_000_000_000..1_000_000_000_000).contains(id)));
    let steps: Vec<u64> = made.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step >= 1));
    assert!(steps.iter().any(|step| *step > 1));
}

#[test]
fn unknown_names_are_left_out_and_empty_ones_are_null() {
    let mut bench = Bench::new();
    let id = bench.contact("ada@example.com");
    let path = format!("{CONTACTS}/{id}?properties=phone,nonsense&properties=city");
    let got = bench.ok(200, "GET", &path, Value::Null);
    let names: Vec<&String> = got["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["city", "createdate", "hs_object_id", "lastmodifieddate", "phone"]);
    assert_eq!(got["properties"]["phone"], Value::Null);
}

#[test]
fn types_answer_to_id_singular_plural_and_any_case() {
    let mut bench = Bench::new();
    for name in ["contacts", "contact", "CONTACTS", "0-1"] {
        bench.ok(200, "GET", &format!("/crm/v3/objects/{name}"), Value::Null);
    }
    let unknown = bench.ok(400, "GET", "/crm/v3/objects/boats", Value::Null);
    assert!(unknown["message"].as_str().unwrap().starts_with("Unable to infer object type"));
}

#[test]
fn a_taken_email_is_a_conflict_that_names_the_holder() {
    let mut bench = Bench::new();
    let id = bench.contact("Ada@Example.com");
    let refused = bench.ok(409, "POST", CONTACTS, json!({"properties": {"email": " ADA@example.com "}}));
    assert_eq!(refused["message"], json!(format!("Contact already exists. Existing ID: {id}")));
    assert_eq!(refused["category"], "CONFLICT");
}

#[test]
fn a_taken_unique_value_names_record_and_holder_in_that_order() {
    let mut bench = Bench::new();
    let first = bench.contact("a@example.com");
    let second = bench.contact("b@example.com");
    let path = format!("{CONTACTS}/{second}");
    let refused = bench.ok(400, "PATCH", &path, json!({"properties": {"email": "a@example.com"}}));
    let wanted = format!(
        "Cannot set PropertyValueCoordinates{{portalId=51234567, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, \
         propertyName=email, value=a@example.com}} on {second}. {first} already has that value."
    );
    assert_eq!(refused["message"], json!(wanted));
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    assert!(refused.get("errors").is_none());
}

#[test]
fn a_secondary_address_is_taken_too_but_worded_otherwise() {
    let mut bench = Bench::new();
    let holder =
        bench.make("contacts", json!({"email": "a@example.com", "hs_additional_emails": "old@example.com"}));
    let refused = bench.ok(400, "POST", CONTACTS, json!({"properties": {"email": "old@example.com"}}));
    assert!(refused["message"].as_str().unwrap().ends_with(&format!("{holder} already has that value.")));
}

#[test]
fn single_calls_find_by_unique_property() {
    let mut bench = Bench::new();
    bench.unique_key("contacts");
    let id = bench.make("contacts", json!({"email": "ada@example.com", "key": "K-1"}));
    for (key, property) in [("ada@example.com", "email"), ("ADA%40EXAMPLE.COM", "email"), ("K-1", "key")] {
        let path = format!("{CONTACTS}/{key}?idProperty={property}");
        assert_eq!(bench.ok(200, "GET", &path, Value::Null)["id"], json!(id));
        bench.ok(200, "PATCH", &path, json!({"properties": {"city": "Ulm"}}));
    }
    bench.ok(400, "GET", &format!("{CONTACTS}/Ulm?idProperty=city"), Value::Null);
    bench.ok(404, "GET", &format!("{CONTACTS}/nobody@example.com?idProperty=email"), Value::Null);
}

#[test]
fn archiving_frees_the_address_and_shows_only_on_request() {
    let mut bench = Bench::new();
    let id = bench.contact("ada@example.com");
    let path = format!("{CONTACTS}/{id}");
    bench.ok(204, "DELETE", &path, Value::Null);
    bench.ok(404, "GET", &path, Value::Null);
    let archived = bench.ok(200, "GET", &format!("{path}?archived=true"), Value::Null);
    assert_eq!(archived["archived"], json!(true));
    assert_eq!(archived["archivedAt"], "2026-11-02T09:30:00.000Z");
    assert_eq!(ids(&bench.get(&format!("{CONTACTS}?archived=true")).body), [id.as_str()]);
    assert_ne!(bench.contact("ada@example.com"), id);
}

#[test]
fn a_restored_record_gives_up_what_somebody_else_took() {
    let mut bench = Bench::new();
    let first = bench.contact("ada@example.com");
    let company = bench.company("Analytical");
    link(&mut bench, &first, &company);
    bench.ok(204, "DELETE", &format!("{CONTACTS}/{first}"), Value::Null);
    let second = bench.contact("ada@example.com");
    let restored = bench.portal.restore_record(bench.now, "contacts", first.parse().unwrap()).unwrap();
    assert!(restored);
    assert_eq!(bench.value("contacts", &first, "email"), Value::Null);
    assert_eq!(bench.value("contacts", &second, "email"), "ada@example.com");
    let record = bench.portal.record("contacts", first.parse().unwrap()).unwrap().unwrap();
    assert_eq!(record.associations.len(), 2, "plain and primary are back");
}

fn link(bench: &mut Bench, contact: &str, company: &str) {
    let path = format!("{CONTACTS}/{contact}/associations/default/companies/{company}");
    bench.ok(200, "PUT", &path, Value::Null);
}

#[test]
fn history_names_value_time_and_source() {
    let mut bench = Bench::new();
    let id = bench.make("contacts", json!({"email": "a@example.com", "city": "Ulm"}));
    bench.advance(seconds(60));
    bench.portal.edit_as_user(bench.now, "contacts", id.parse().unwrap(), [("city", "Bern")]).unwrap();
    let got = bench.ok(200, "GET", &format!("{CONTACTS}/{id}?propertiesWithHistory=city"), Value::Null);
    assert_eq!(
        got["propertiesWithHistory"]["city"],
        json!([
            {"value": "Bern", "timestamp": "2026-11-02T09:31:00.000Z", "sourceType": "CRM_UI",
             "sourceId": "userId:9200001", "updatedByUserId": 9_200_001},
            {"value": "Ulm", "timestamp": "2026-11-02T09:30:00.000Z", "sourceType": "INTEGRATION",
             "sourceId": "1000001"},
        ])
    );
    assert_eq!(got["updatedAt"], "2026-11-02T09:31:00.000Z");
}

#[test]
fn history_is_capped() {
    for (object_type, needed, kept) in [("contacts", "email", 45), ("companies", "name", 20)] {
        let mut bench = Bench::new();
        let id = bench.make(object_type, json!({needed: "a@example.com", "city": "0"}));
        for n in 1..60 {
            bench.advance(seconds(10));
            let path = format!("/crm/objects/2026-09/{object_type}/{id}");
            bench.ok(200, "PATCH", &path, json!({"properties": {"city": n.to_string()}}));
        }
        let path = format!("/crm/objects/2026-09/{object_type}/{id}?propertiesWithHistory=city");
        let got = bench.ok(200, "GET", &path, Value::Null);
        let history = got["propertiesWithHistory"]["city"].as_array().unwrap();
        assert_eq!(history.len(), kept, "{object_type}");
        assert_eq!(history[0]["value"], "59");
    }
}

#[test]
fn a_write_that_changes_nothing_leaves_no_trace() {
    let mut bench = Bench::new();
    let id = bench.make("contacts", json!({"email": "a@example.com", "city": "Ulm"}));
    bench.advance(seconds(60));
    let path = format!("{CONTACTS}/{id}");
    let answer = bench.ok(200, "PATCH", &path, json!({"properties": {"city": "Ulm"}}));
    assert_eq!(answer["updatedAt"], "2026-11-02T09:30:00.000Z");
    assert_eq!(bench.portal.history("contacts", id.parse().unwrap(), "city").unwrap().len(), 1);
}

#[test]
fn types_insist_on_what_they_need() {
    let mut bench = Bench::new();
    for (object_type, properties, missing) in [
        ("contacts", json!({"city": "Ulm"}), json!(["email", "firstname", "lastname"])),
        ("companies", json!({"city": "Ulm"}), json!(["name", "domain"])),
        ("deals", json!({"dealname": "x"}), json!(["dealstage"])),
        ("tickets", json!({"subject": "x"}), json!(["hs_pipeline_stage"])),
        ("notes", json!({"hs_note_body": "x"}), json!(["hs_timestamp"])),
        ("emails", json!({"hs_timestamp": "2026-01-01T00:00:00Z"}), json!(["hs_email_direction"])),
    ] {
        let path = format!("/crm/objects/2026-09/{object_type}");
        let refused = bench.ok(400, "POST", &path, json!({"properties": properties}));
        assert_eq!(refused["context"]["properties"], missing, "{object_type}");
    }
}

#[test]
fn malformed_and_misdirected_requests() {
    let mut bench = Bench::new();
    let request = http::Request::post(CONTACTS)
        .header("authorization", format!("Bearer {}", crate::support::TOKEN))
        .body("{\"properties\":".into())
        .unwrap();
    let reply = bench.portal.handle(bench.now, &request);
    assert_eq!(reply.response.status(), 400);
    assert!(String::from_utf8_lossy(reply.response.body()).contains("Invalid input JSON on line 1"));

    assert_eq!(bench.get("/crm/objects/2026-10/contacts").status, 404);
    assert_eq!(bench.call("PUT", CONTACTS, Value::Null).status, 405);
    let long = format!("{CONTACTS}?properties={}", "x".repeat(9_000));
    assert_eq!(bench.get(&long).status, 414);
    let text = http::Request::post(CONTACTS)
        .header("authorization", format!("Bearer {}", crate::support::TOKEN))
        .header("content-type", "text/plain")
        .body("{}".into())
        .unwrap();
    assert_eq!(bench.portal.handle(bench.now, &text).response.status(), 415);
}
