//! Property definitions and groups.

use serde_json::{Value, json};

use crate::support::{Bench, CONTACTS};

const PATH: &str = "/crm/properties/2026-09/contacts";

fn definition(name: &str) -> Value {
    json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"})
}

#[test]
fn a_definition_is_shown_with_what_it_may_do() {
    let mut bench = Bench::new();
    bench.ok(201, "POST", PATH, definition("colour"));
    let own = bench.ok(200, "GET", &format!("{PATH}/colour"), Value::Null);
    assert_eq!(
        own["modificationMetadata"],
        json!({
            "archivable": true, "readOnlyDefinition": false, "readOnlyValue": false, "readOnlyOptions": false,
        })
    );
    assert_eq!(own["hubspotDefined"], json!(false));
    let id = bench.ok(200, "GET", &format!("{PATH}/hs_object_id"), Value::Null);
    assert_eq!(id["modificationMetadata"]["readOnlyValue"], json!(true));
    assert!(id.get("archived").is_none());
    let listed = bench.ok(200, "GET", PATH, Value::Null);
    let names: Vec<&str> =
        listed["results"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"colour") && names.contains(&"email") && names.contains(&"lastmodifieddate"));
}

#[test]
fn refused_definitions() {
    let mut bench = Bench::new();
    bench.ok(201, "POST", PATH, definition("taken"));
    let change = |key: &str, value: Value| {
        let mut changed = definition("fresh");
        changed[key] = value;
        changed
    };
    for (body, status, marker) in [
        (definition("taken"), 409, "Properties.PROPERTY_WITH_NAME_EXISTS"),
        (change("name", json!("1st")), 400, "invalid"),
        (change("name", json!("hs_mine")), 400, "reserved"),
        (change("label", Value::Null), 400, "label"),
        (change("groupName", json!("nowhere")), 400, "does not exist"),
        (change("type", json!("colour")), 400, "Invalid property type"),
        (change("fieldType", json!("select")), 400, "does not go with"),
        (
            change("currencyPropertyName", json!("deal_currency_code")),
            400,
            "ONLY_CURRENCY_PROPERTIES_CAN_SPECIFY_CURRENCY",
        ),
        (
            json!({"name": "flag", "label": "x", "type": "bool", "fieldType": "booleancheckbox",
                   "groupName": "contactinformation", "options": [{"label": "y", "value": "true"}]}),
            400,
            "INVALID_BOOLEAN_OPTION",
        ),
        (
            json!({"name": "sum", "label": "x", "type": "number", "fieldType": "calculation_equation",
                   "groupName": "contactinformation", "calculationFormula": "nonsense * 2"}),
            404,
            "nonsense",
        ),
    ] {
        let refused = bench.ok(status, "POST", PATH, body);
        assert!(refused.to_string().contains(marker), "{marker}: {refused}");
    }
}

#[test]
fn an_archived_property_comes_back_with_its_values() {
    let mut bench = Bench::new();
    bench.ok(201, "POST", PATH, definition("colour"));
    let id = bench.make("contacts", json!({"email": "a@example.com", "colour": "red"}));
    bench.advance(crate::support::seconds(60));
    bench.ok(204, "DELETE", &format!("{PATH}/colour"), Value::Null);
    bench.ok(404, "GET", &format!("{PATH}/colour"), Value::Null);
    bench.ok(404, "DELETE", &format!("{PATH}/colour"), Value::Null);
    bench.ok(200, "GET", &format!("{PATH}/colour?archived=true"), Value::Null);
    bench.ok(400, "PATCH", &format!("{CONTACTS}/{id}"), json!({"properties": {"colour": "blue"}}));
    let mut again = definition("colour");
    again["label"] = json!("Colour!");
    let made = bench.ok(201, "POST", PATH, again);
    assert_eq!(made["createdAt"], "2026-11-02T09:30:00.000Z");
    assert_eq!(made["label"], "Colour!");
    assert_eq!(bench.value("contacts", &id, "colour"), "red");
}

#[test]
fn patch_replaces_options_whole_and_ignores_what_is_fixed() {
    let mut bench = Bench::new();
    let option = |value: &str| json!({"label": value, "value": value, "displayOrder": 0, "hidden": false});
    let mut body = definition("choice");
    body["type"] = json!("enumeration");
    body["fieldType"] = json!("select");
    body["options"] = json!([option("A"), option("B")]);
    bench.ok(201, "POST", PATH, body);
    let path = format!("{PATH}/choice");
    bench.ok(200, "PATCH", &path, json!({"label": "New", "hasUniqueValue": true, "name": "other"}));
    let kept = bench.ok(200, "GET", &path, Value::Null);
    assert_eq!(kept["options"].as_array().unwrap().len(), 2);
    assert_eq!((&kept["label"], &kept["hasUniqueValue"]), (&json!("New"), &json!(false)));
    bench.ok(200, "PATCH", &path, json!({"options": [option("C")]}));
    bench.ok(400, "POST", CONTACTS, json!({"properties": {"email": "a@example.com", "choice": "A"}}));
    bench.ok(201, "POST", CONTACTS, json!({"properties": {"email": "a@example.com", "choice": "C"}}));
}

#[test]
fn at_most_ten_unique_properties() {
    let mut bench = Bench::new();
    for n in 0..11 {
        let mut body = definition(&format!("key{n}"));
        body["hasUniqueValue"] = json!(true);
        bench.ok(if n < 10 { 201 } else { 400 }, "POST", PATH, body);
    }
}

#[test]
fn sensitivity_classes_are_listed_apart() {
    let mut bench = Bench::new();
    let mut body = definition("secret");
    body["dataSensitivity"] = json!("sensitive");
    bench.ok(201, "POST", PATH, body);
    bench.ok(404, "GET", &format!("{PATH}/secret"), Value::Null);
    bench.ok(200, "GET", &format!("{PATH}/secret?dataSensitivity=sensitive"), Value::Null);
}

#[test]
fn batches_report_row_by_row() {
    let mut bench = Bench::new();
    let made = bench.ok(
        207,
        "POST",
        &format!("{PATH}/batch/create"),
        json!({"inputs": [definition("a"), definition("email")]}),
    );
    assert_eq!(made["results"][0]["name"], "a");
    assert_eq!(made["errors"][0]["category"], "OBJECT_ALREADY_EXISTS");
    let names = json!({"inputs": [{"name": "a"}, {"name": "none"}]});
    let read = bench.ok(207, "POST", &format!("{PATH}/batch/read"), names.clone());
    assert_eq!(read["results"].as_array().unwrap().len(), 1);
    bench.ok(204, "POST", &format!("{PATH}/batch/archive"), names);
    bench.ok(404, "GET", &format!("{PATH}/a"), Value::Null);
}

#[test]
fn groups_hold_properties() {
    let mut bench = Bench::new();
    let groups = format!("{PATH}/groups");
    bench.ok(201, "POST", &groups, json!({"name": "mine", "label": "Mine"}));
    bench.ok(409, "POST", &groups, json!({"name": "mine", "label": "Mine"}));
    let mut body = definition("colour");
    body["groupName"] = json!("mine");
    bench.ok(201, "POST", PATH, body);
    let refused = bench.ok(400, "DELETE", &format!("{groups}/mine"), Value::Null);
    let inner: Value = serde_json::from_str(refused["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner["subCategory"], "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES");
    bench.ok(204, "DELETE", &format!("{PATH}/colour"), Value::Null);
    bench.ok(204, "DELETE", &format!("{groups}/mine"), Value::Null);
    bench.ok(404, "GET", &format!("{groups}/mine"), Value::Null);
}
