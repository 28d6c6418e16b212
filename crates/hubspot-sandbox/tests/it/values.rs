//! What becomes of property values on their way in.

use serde_json::{Value, json};

use crate::support::{Bench, COMPANIES, CONTACTS};

/// Adds a property of each kind to companies.
fn typed() -> Bench {
    let mut bench = Bench::new();
    let options =
        json!([{"label": "A", "value": "A"}, {"label": "B", "value": "B"}, {"label": "C", "value": "C"}]);
    for (name, kind, field, options) in [
        ("a_number", "number", "number", json!([])),
        ("a_date", "date", "date", json!([])),
        ("a_time", "datetime", "date", json!([])),
        ("a_choice", "enumeration", "select", options.clone()),
        ("choices", "enumeration", "checkbox", options),
        (
            "a_flag",
            "bool",
            "booleancheckbox",
            json!([{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]),
        ),
    ] {
        bench.ok(
            201,
            "POST",
            "/crm/properties/2026-09/companies",
            json!({"name": name, "label": name, "type": kind, "fieldType": field,
                   "groupName": "companyinformation", "options": options}),
        );
    }
    bench
}

#[test]
fn stored_forms() {
    let mut bench = typed();
    let id = bench.company("x");
    for (property, sent, stored) in [
        ("a_number", json!("1500.00"), json!("1500")),
        ("a_number", json!(12.5), json!("12.5")),
        ("a_number", json!("-0012"), json!("-12")),
        ("a_number", json!("1e3"), json!("1000")),
        ("a_date", json!("2026-02-28"), json!("2026-02-28")),
        ("a_date", json!("1772236800000"), json!("2026-02-28")),
        ("a_time", json!("2026-02-28T10:00:00+01:00"), json!("2026-02-28T09:00:00.000Z")),
        ("a_time", json!("1772236800123"), json!("2026-02-28T00:00:00.123Z")),
        ("a_choice", json!("B"), json!("B")),
        ("choices", json!("A;C"), json!("A;C")),
        ("choices", json!(";B"), json!("A;C;B")),
        ("choices", json!("B"), json!("B")),
        ("a_flag", json!(true), json!("true")),
        ("domain", json!("https://WWW.Example.com/about?x=1"), json!("example.com")),
        ("a_choice", json!(""), Value::Null),
        ("a_number", Value::Null, Value::Null),
    ] {
        bench.ok(200, "PATCH", &format!("{COMPANIES}/{id}"), json!({"properties": {property: sent}}));
        assert_eq!(bench.value("companies", &id, property), stored, "{property} {sent}");
    }
}

#[test]
fn refused_values_name_code_and_property() {
    let mut bench = typed();
    let id = bench.company("x");
    for (property, sent, code) in [
        ("a_number", "12,5", "INVALID_INTEGER"),
        ("a_date", "28.02.2026", "INVALID_DATE"),
        ("a_time", "soon", "INVALID_DATE"),
        ("a_choice", "b", "INVALID_OPTION"),
        ("choices", "A;D", "INVALID_OPTION"),
        ("a_flag", "yes", "INVALID_OPTION"),
        ("nonsense", "x", "PROPERTY_DOESNT_EXIST"),
        ("hs_object_id", "1", "READ_ONLY_VALUE"),
        ("hubspot_owner_id", "9200001", "INVALID_OWNER_ID"),
    ] {
        let path = format!("{COMPANIES}/{id}");
        let refused = bench.ok(400, "PATCH", &path, json!({"properties": {property: sent}}));
        assert_eq!(refused["category"], "VALIDATION_ERROR");
        assert_eq!(refused["errors"][0]["code"], code, "{property}");
        assert_eq!(refused["errors"][0]["context"]["propertyName"], json!([property]));
        let listed =
            refused["message"].as_str().unwrap().strip_prefix("Property values were not valid: ").unwrap();
        let listed: Value = serde_json::from_str(listed).unwrap();
        assert_eq!(listed[0]["error"], code);
        assert_eq!(listed[0]["name"], property);
        assert_eq!(listed[0]["isValid"], json!(false));
    }
}

#[test]
fn an_unknown_option_is_told_the_allowed_ones() {
    let mut bench = typed();
    let id = bench.company("x");
    let path = format!("{COMPANIES}/{id}");
    let refused = bench.ok(400, "PATCH", &path, json!({"properties": {"a_choice": "Z"}}));
    assert_eq!(refused["errors"][0]["message"], "Z was not one of the allowed options: [A, B, C]");
}

#[test]
fn dates_that_only_2026_09_takes() {
    // 2026-02-28T10:00:00Z in milliseconds, and midnight of that day in seconds.
    for sent in ["1772272800000", "1772236800", "2026-02-28T10:00:00Z"] {
        let mut bench = typed();
        let id = bench.company("x");
        for path in ["/crm/v3/objects/companies", "/crm/objects/2026-03/companies"] {
            let path = format!("{path}/{id}");
            bench.ok(400, "PATCH", &path, json!({"properties": {"a_date": sent}}));
        }
        let path = format!("{COMPANIES}/{id}");
        let answer = bench.ok(200, "PATCH", &path, json!({"properties": {"a_date": sent}}));
        assert_eq!(bench.value("companies", &id, "a_date"), "2026-02-28");
        assert_eq!(answer["warnings"][0]["category"], "PROPERTY_VALUE_NORMALIZED");
        assert_eq!(
            answer["warnings"][0]["context"],
            json!({"propertyName": "a_date", "rawValue": sent, "normalizedValue": "2026-02-28"})
        );
    }
}

#[test]
fn emails_are_lowered_trimmed_and_checked() {
    let mut bench = Bench::new();
    let id = bench.contact("  Ada.Lovelace@Example.COM ");
    assert_eq!(bench.value("contacts", &id, "email"), "ada.lovelace@example.com");
    assert_eq!(bench.value("contacts", &id, "hs_email_domain"), "example.com");
    for bad in ["ada", "ada@", "@example.com", "ada@example", "a b@example.com", "a@b@example.com"] {
        let refused = bench.ok(400, "POST", CONTACTS, json!({"properties": {"email": bad}}));
        assert_eq!(refused["errors"][0]["code"], "INVALID_EMAIL", "{bad}");
    }
}

#[test]
fn lifecycle_moves_forward_only_and_backwards_after_clearing() {
    let mut bench = Bench::new();
    let id = bench.make("contacts", json!({"email": "a@example.com", "lifecyclestage": "lead"}));
    let path = format!("{CONTACTS}/{id}");
    for (sent, stored) in [
        ("customer", json!("customer")),
        ("lead", json!("customer")),
        ("", Value::Null),
        ("lead", json!("lead")),
    ] {
        bench.ok(200, "PATCH", &path, json!({"properties": {"lifecyclestage": sent}}));
        assert_eq!(bench.value("contacts", &id, "lifecyclestage"), stored, "after {sent:?}");
    }
}

#[test]
fn a_deal_stage_must_belong_to_the_pipeline() {
    let mut bench = Bench::new();
    let deals = "/crm/objects/2026-09/deals";
    let id = bench.make("deals", json!({"dealname": "x", "dealstage": "closedwon", "amount": "10"}));
    assert_eq!(bench.value("deals", &id, "pipeline"), "default");
    assert_eq!(bench.value("deals", &id, "hs_is_closed_won"), "true");
    for properties in [
        json!({"dealstage": "nonsense"}),
        json!({"pipeline": "other"}),
        json!({"pipeline": "other", "dealstage": "closedwon"}),
    ] {
        let refused = bench.ok(400, "PATCH", &format!("{deals}/{id}"), json!({"properties": properties}));
        assert_eq!(refused["errors"][0]["code"], "INVALID_OPTION");
    }
}

#[test]
fn owners_take_owner_ids_only() {
    let mut bench = Bench::new();
    let owners = bench.ok(200, "GET", "/crm/owners/2026-09", Value::Null);
    let owner = owners["results"][0]["id"].as_str().unwrap().to_owned();
    let id = bench.make("contacts", json!({"email": "a@example.com", "hubspot_owner_id": owner}));
    assert_eq!(bench.value("contacts", &id, "hubspot_owner_id"), json!(owner));
    assert!(bench.portal.archive_owner(bench.now, owner.parse().unwrap()));
    bench.ok(
        400,
        "POST",
        CONTACTS,
        json!({"properties": {"email": "b@example.com", "hubspot_owner_id": owner}}),
    );
    let gone = bench.ok(200, "GET", &format!("/crm/owners/2026-09/{owner}?archived=true"), Value::Null);
    assert_eq!(gone["userId"], Value::Null);
    assert!(gone["userIdIncludingInactive"].is_u64());
}
