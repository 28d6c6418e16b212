//! Merges, and deletion for good.

use serde_json::{Value, json};

use crate::support::{Bench, COMPANIES, CONTACTS};

fn merge(bench: &mut Bench, object_type: &str, primary: &str, other: &str) -> String {
    let path = format!("/crm/objects/2026-09/{object_type}/merge");
    let body = json!({"primaryObjectId": primary, "objectIdToMerge": other});
    bench.ok(200, "POST", &path, body)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_merged_contact_keeps_the_primary_id_and_gains_the_other_address() {
    let mut bench = Bench::new();
    let first = bench.make("contacts", json!({"email": "a@example.com", "city": "Ulm"}));
    let second = bench.make("contacts", json!({"email": "b@example.com", "city": "Bern", "phone": "1"}));
    assert_eq!(merge(&mut bench, "contacts", &first, &second), first);
    for (property, value) in [
        ("email", "a@example.com"),
        ("hs_additional_emails", "b@example.com"),
        ("city", "Ulm"),
        ("phone", "1"),
        ("hs_merged_object_ids", &format!("{first};{second}")),
    ] {
        assert_eq!(bench.value("contacts", &first, property), value, "{property}");
    }
    let by_secondary = format!("{CONTACTS}/b@example.com?idProperty=email");
    assert_eq!(bench.ok(200, "GET", &by_secondary, Value::Null)["id"], json!(first));
}

#[test]
fn retired_ids_work_on_single_calls_only() {
    let mut bench = Bench::new();
    let (one, two) = (bench.company("one"), bench.company("two"));
    let survivor = merge(&mut bench, "companies", &one, &two);
    assert!(survivor != one && survivor != two, "companies get a new record");
    for id in [&one, &two] {
        let got = bench.ok(200, "GET", &format!("{COMPANIES}/{id}"), Value::Null);
        assert_eq!(got["id"], json!(survivor));
        let patched =
            bench.ok(200, "PATCH", &format!("{COMPANIES}/{id}"), json!({"properties": {"city": "Ulm"}}));
        assert_eq!(patched["id"], json!(survivor));
        let batch = json!({"inputs": [{"id": id, "properties": {"city": "Bern"}}]});
        let answer = bench.ok(207, "POST", &format!("{COMPANIES}/batch/update"), batch);
        assert_eq!(answer["errors"][0]["category"], "OBJECT_NOT_FOUND");
        bench.ok(207, "POST", &format!("{COMPANIES}/batch/read"), json!({"inputs": [{"id": id}]}));
    }
    assert_eq!(bench.portal.record_count("companies").unwrap(), 1);
}

#[test]
fn links_move_to_the_survivor() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let (one, two) = (bench.company("one"), bench.company("two"));
    for company in [&one, &two] {
        let path = format!("{CONTACTS}/{contact}/associations/default/companies/{company}");
        bench.ok(200, "PUT", &path, Value::Null);
    }
    let survivor = merge(&mut bench, "companies", &one, &two);
    let record = bench.portal.record("contacts", contact.parse().unwrap()).unwrap().unwrap();
    let linked: Vec<(String, u32)> =
        record.associations.iter().map(|link| (link.id.to_string(), link.type_id)).collect();
    assert_eq!(linked.len(), 2);
    assert!(linked.contains(&(survivor.clone(), 279)) && linked.contains(&(survivor, 1)));
}

#[test]
fn a_lineage_ends_at_250() {
    let mut bench = Bench::new();
    let first = bench.contact("p@example.com");
    for n in 0..250 {
        let other = bench.contact(&format!("p{n}@example.com"));
        merge(&mut bench, "contacts", &first, &other);
    }
    let other = bench.contact("last@example.com");
    let body = json!({"primaryObjectId": first, "objectIdToMerge": other});
    let refused = bench.ok(414, "POST", &format!("{CONTACTS}/merge"), body);
    assert_eq!(refused["message"], "Cannot have more than 250 identities on a profile");
}

#[test]
fn a_person_deleted_for_good_does_not_come_back() {
    let mut bench = Bench::new();
    let id =
        bench.make("contacts", json!({"email": "a@example.com", "hs_additional_emails": "b@example.com"}));
    let path = format!("{CONTACTS}/gdpr-delete");
    bench.ok(204, "POST", &path, json!({"objectId": "A@example.com", "idProperty": "email"}));
    bench.ok(404, "GET", &format!("{CONTACTS}/{id}?archived=true"), Value::Null);
    for email in ["a@example.com", "b@example.com"] {
        bench.ok(400, "POST", CONTACTS, json!({"properties": {"email": email}}));
    }
    bench.ok(404, "POST", &path, json!({"objectId": id}));
    bench.ok(404, "POST", &format!("{COMPANIES}/gdpr-delete"), json!({"objectId": "1"}));
}
