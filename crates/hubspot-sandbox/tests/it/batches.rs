//! Batches: what one bad row does to the others.

use serde_json::{Value, json};

use crate::support::{Bench, CONTACTS, ids};

fn rows(inputs: Value) -> Value {
    json!({"inputs": inputs})
}

fn path(operation: &str) -> String {
    format!("{CONTACTS}/batch/{operation}")
}

#[test]
fn a_bad_row_refuses_a_create_batch_without_trace_ids() {
    let mut bench = Bench::new();
    let holder = bench.contact("taken@example.com");
    let refused = bench.ok(
        409,
        "POST",
        &path("create"),
        rows(json!([
            {"properties": {"email": "new@example.com"}, "objectWriteTraceId": "1"},
            {"properties": {"email": "taken@example.com"}},
            {"properties": {"nonsense": "x"}},
        ])),
    );
    assert_eq!(refused["message"], json!(format!("Contact already exists. Existing ID: {holder}")));
    assert_eq!(bench.portal.record_count("contacts").unwrap(), 1);
}

#[test]
fn with_a_trace_id_on_every_row_the_good_ones_are_written() {
    let mut bench = Bench::new();
    bench.contact("taken@example.com");
    let answer = bench.ok(
        207,
        "POST",
        &path("create"),
        rows(json!([
            {"properties": {"email": "new@example.com"}, "objectWriteTraceId": "1"},
            {"properties": {"email": "taken@example.com"}, "objectWriteTraceId": "2"},
            {"properties": {"email": "x@example.com", "nonsense": "x"}, "objectWriteTraceId": "3"},
        ])),
    );
    assert_eq!(answer["status"], "COMPLETE");
    assert_eq!(answer["numErrors"], 2);
    assert_eq!(answer["results"][0]["objectWriteTraceId"], "1");
    let errors: Vec<(&Value, &Value)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["context"]["objectWriteTraceId"][0], &error["category"]))
        .collect();
    assert_eq!(errors, [(&json!("2"), &json!("CONFLICT")), (&json!("3"), &json!("VALIDATION_ERROR"))]);
    assert_eq!(bench.portal.record_count("contacts").unwrap(), 2);
}

#[test]
fn two_rows_of_one_batch_cannot_take_one_address() {
    let mut bench = Bench::new();
    let answer = bench.ok(
        207,
        "POST",
        &path("create"),
        rows(json!([
            {"properties": {"email": "a@example.com"}, "objectWriteTraceId": "1"},
            {"properties": {"email": "A@example.com"}, "objectWriteTraceId": "2"},
        ])),
    );
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["context"]["objectWriteTraceId"], json!(["2"]));
}

#[test]
fn upsert_by_a_unique_property_is_safe_to_repeat() {
    let mut bench = Bench::new();
    bench.unique_key("contacts");
    let batch = rows(json!([
        {"id": "K-1", "idProperty": "key", "properties": {"firstname": "Ada"}},
        {"id": "K-2", "idProperty": "key", "properties": {"firstname": "Bo", "key": "K-2"}},
    ]));
    let first = bench.ok(200, "POST", &path("upsert"), batch.clone());
    assert!(first["results"].as_array().unwrap().iter().all(|one| one["new"] == json!(true)));
    let second = bench.ok(200, "POST", &path("upsert"), batch);
    assert!(second["results"].as_array().unwrap().iter().all(|one| one["new"] == json!(false)));
    assert_eq!(ids(&first), ids(&second));
}

#[test]
fn upsert_finds_secondary_addresses() {
    let mut bench = Bench::new();
    let id =
        bench.make("contacts", json!({"email": "a@example.com", "hs_additional_emails": "b@example.com"}));
    let batch = rows(json!([{"id": "B@example.com", "idProperty": "email", "properties": {"city": "Ulm"}}]));
    let answer = bench.ok(200, "POST", &path("upsert"), batch);
    assert_eq!(ids(&answer), [id.as_str()]);
    assert_eq!(bench.value("contacts", &id, "email"), "a@example.com");
}

#[test]
fn upsert_by_email_is_never_partial() {
    let mut bench = Bench::new();
    bench.ok(
        400,
        "POST",
        &path("upsert"),
        rows(json!([
            {"id": "a@example.com", "idProperty": "email", "properties": {}, "objectWriteTraceId": "1"},
            {"id": "b@example.com", "idProperty": "email", "properties": {"nonsense": "x"}, "objectWriteTraceId": "2"},
        ])),
    );
    assert_eq!(bench.portal.record_count("contacts").unwrap(), 0);
}

#[test]
fn keys_that_are_not_unique_refuse_the_batch() {
    let mut bench = Bench::new();
    let id = bench.contact("a@example.com");
    for (operation, property, key) in [
        ("update", "email", "a@example.com"),
        ("update", "hs_object_id", id.as_str()),
        ("upsert", "hs_object_id", id.as_str()),
        ("upsert", "city", "Ulm"),
    ] {
        let batch = rows(json!([{"id": key, "idProperty": property, "properties": {"city": "Bern"}}]));
        let refused = bench.ok(400, "POST", &path(operation), batch);
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("Unable to perform update/upsert by non-unique 0-1 property"),
            "{message}"
        );
        assert!(message.contains("in portal ID 51234567"));
    }
}

#[test]
fn one_key_twice_refuses_the_batch() {
    let mut bench = Bench::new();
    bench.unique_key("contacts");
    let id = bench.contact("a@example.com");
    let upserts = rows(json!([
        {"id": "K", "idProperty": "key", "properties": {"firstname": "a"}},
        {"id": "K", "idProperty": "key", "properties": {"firstname": "b"}},
    ]));
    bench.ok(400, "POST", &path("upsert"), upserts);
    let updates = rows(json!([{"id": id, "properties": {}}, {"id": id, "properties": {}}]));
    bench.ok(400, "POST", &path("update"), updates);
}

#[test]
fn missing_ids_never_refuse_the_others() {
    let mut bench = Bench::new();
    let id = bench.contact("a@example.com");
    let batch =
        rows(json!([{"id": "999", "properties": {"city": "x"}}, {"id": id, "properties": {"city": "Ulm"}}]));
    let updated = bench.ok(207, "POST", &path("update"), batch);
    assert_eq!(ids(&updated), [id.as_str()]);
    assert_eq!(updated["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(updated["errors"][0]["context"]["ids"], json!(["999"]));

    let read = bench.ok(207, "POST", &path("read"), rows(json!([{"id": "999"}, {"id": id}, {"id": "998"}])));
    assert_eq!(ids(&read), [id.as_str()]);
    assert_eq!(read["errors"][0]["context"]["ids"], json!(["999", "998"]));
    bench.ok(204, "POST", &path("archive"), rows(json!([{"id": "999"}, {"id": id}])));
    assert_eq!(bench.portal.record_count("contacts").unwrap(), 0);
}

#[test]
fn batch_read_takes_keys_and_names() {
    let mut bench = Bench::new();
    bench.unique_key("contacts");
    bench.make("contacts", json!({"email": "a@example.com", "key": "K-1", "city": "Ulm"}));
    for (property, key) in [("key", "K-1"), ("email", "a@example.com")] {
        let body = json!({"idProperty": property, "properties": ["city"], "inputs": [{"id": key}]});
        let read = bench.ok(200, "POST", &path("read"), body);
        assert_eq!(read["results"][0]["properties"]["city"], "Ulm");
        assert!(read["results"][0]["properties"].get("email").is_none());
    }
}

#[test]
fn sizes_are_capped() {
    let mut bench = Bench::new();
    let many = |count: usize| rows(json!(vec![json!({"id": "1"}); count]));
    bench.ok(207, "POST", &path("read"), many(100));
    bench.ok(400, "POST", &path("read"), many(101));
    bench.ok(400, "POST", &path("archive"), many(0));
    let mut with_history = many(51);
    with_history["propertiesWithHistory"] = json!(["email"]);
    bench.ok(400, "POST", &path("read"), with_history);
}

#[test]
fn results_come_in_another_order_unless_told_otherwise() {
    let inputs: Vec<Value> =
        (0..50).map(|n| json!({"properties": {"email": format!("p{n:02}@example.com")}})).collect();
    let order = |shuffle: bool| {
        let mut config = crate::support::config();
        config.shuffle_batch_results = shuffle;
        let answer = Bench::with(config).ok(201, "POST", &path("create"), rows(json!(inputs)));
        let emails = answer["results"].as_array().unwrap().iter();
        emails.map(|one| one["properties"]["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sent: Vec<String> = (0..50).map(|n| format!("p{n:02}@example.com")).collect();
    assert_eq!(order(false), sent);
    let mut shuffled = order(true);
    assert_ne!(shuffled, sent);
    shuffled.sort();
    assert_eq!(shuffled, sent);
}

#[test]
fn administrators_rules_bind_2026_09_only() {
    use hubspot_sandbox::AdminRule;
    let mut bench = Bench::new();
    let rules = vec![
        AdminRule::RequiredOnCreate { property: "city".to_owned() },
        AdminRule::RequiredWhen {
            property: "phone".to_owned(),
            controller: "country".to_owned(),
            value: "CH".to_owned(),
        },
    ];
    bench.portal.set_admin_rules("contacts", rules).unwrap();
    let body = |email: &str| json!({"properties": {"email": email}});
    bench.ok(201, "POST", "/crm/objects/2026-03/contacts", body("a@example.com"));
    bench.ok(201, "POST", "/crm/v3/objects/contacts", body("b@example.com"));
    let refused = bench.ok(400, "POST", CONTACTS, body("c@example.com"));
    assert_eq!(refused["message"], "The property values provided are invalid");
    assert_eq!(refused["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY");
    assert_eq!(refused["errors"][0]["message"], "A value for city must be provided");
    let conditional = json!({"properties": {"email": "c@example.com", "city": "Bern", "country": "CH"}});
    let refused = bench.ok(400, "POST", CONTACTS, conditional);
    assert_eq!(refused["errors"][0]["code"], "MISSING_CONDITIONAL_REQUIRED_PROPERTY");
    assert_eq!(
        refused["errors"][0]["message"],
        "phone is required because of a conditional property rule based on [country]"
    );
}
