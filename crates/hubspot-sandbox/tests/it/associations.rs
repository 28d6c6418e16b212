//! Links, labels and their rules.

use serde_json::{Value, json};

use crate::support::{Bench, CONTACTS};

fn default_link(bench: &mut Bench, from: (&str, &str), to: (&str, &str)) {
    let path = format!("/crm/objects/2026-09/{}/{}/associations/default/{}/{}", from.0, from.1, to.0, to.1);
    bench.ok(200, "PUT", &path, Value::Null);
}

/// Type ids that a pair holds, seen from the first record.
fn held(bench: &mut Bench, from: (&str, &str), to: (&str, &str)) -> Vec<u64> {
    let path = format!("/crm/v4/objects/{}/{}/associations/{}", from.0, from.1, to.0);
    let listed = bench.ok(200, "GET", &path, Value::Null);
    let found = listed["results"].as_array().unwrap().iter().find(|one| one["toObjectId"] == json!(to.1));
    let types = found.map(|one| one["associationTypes"].as_array().unwrap().clone()).unwrap_or_default();
    let mut ids: Vec<u64> = types.iter().map(|one| one["typeId"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_default_link_shows_from_both_sides_under_directional_ids() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let deal = bench.make("deals", json!({"dealname": "x", "dealstage": "contractsent"}));
    default_link(&mut bench, ("contacts", &contact), ("deals", &deal));
    default_link(&mut bench, ("contacts", &contact), ("deals", &deal));
    assert_eq!(held(&mut bench, ("contacts", &contact), ("deals", &deal)), [4]);
    assert_eq!(held(&mut bench, ("deals", &deal), ("contacts", &contact)), [3]);
}

#[test]
fn the_first_company_of_a_contact_is_primary_and_the_role_moves() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let (first, second) = (bench.company("one"), bench.company("two"));
    default_link(&mut bench, ("companies", &first), ("contacts", &contact));
    default_link(&mut bench, ("contacts", &contact), ("companies", &second));
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &first)), [1, 279]);
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &second)), [279]);

    let path = format!("{CONTACTS}/{contact}/associations/companies/{second}");
    bench.ok(201, "PUT", &path, json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]));
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &first)), [279]);
    assert_eq!(held(&mut bench, ("companies", &second), ("contacts", &contact)), [2, 280]);
}

#[test]
fn put_replaces_the_labels_of_a_pair_and_keeps_the_plain_link() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("one");
    let labels = "/crm/associations/2026-09/contacts/companies/labels";
    let made =
        bench.ok(200, "POST", labels, json!({"name": "buyer", "label": "Buyer", "inverseLabel": "Buys for"}));
    assert_eq!(made["results"].as_array().unwrap().len(), 2);
    assert_eq!(made["results"][1]["label"], "Buys for");
    let buyer = made["results"][0]["typeId"].as_u64().unwrap();
    let spec = |category: &str, id: u64| json!({"associationCategory": category, "associationTypeId": id});
    let path = format!("{CONTACTS}/{contact}/associations/companies/{company}");
    let both = json!([spec("USER_DEFINED", buyer), spec("HUBSPOT_DEFINED", 931)]);
    let answer = bench.ok(201, "PUT", &path, both);
    assert_eq!(answer["fromObjectTypeId"], "0-1");
    // The numbers of user-defined types overlap HubSpot's, so both lists are compared as they are.
    let mut wanted = vec![1, 279, 931, buyer];
    wanted.sort_unstable();
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &company)), wanted);
    bench.ok(201, "PUT", &path, json!([spec("USER_DEFINED", buyer)]));
    let mut wanted = vec![279, buyer];
    wanted.sort_unstable();
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &company)), wanted);

    let remove = "/crm/associations/2026-09/contacts/companies/batch/labels/archive";
    let input =
        json!({"from": {"id": contact}, "to": {"id": company}, "types": [spec("USER_DEFINED", buyer)]});
    bench.ok(204, "POST", remove, json!({"inputs": [input]}));
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &company)), [279]);
    let input =
        json!({"from": {"id": contact}, "to": {"id": company}, "types": [spec("HUBSPOT_DEFINED", 279)]});
    bench.ok(204, "POST", remove, json!({"inputs": [input]}));
    assert!(held(&mut bench, ("contacts", &contact), ("companies", &company)).is_empty());
}

#[test]
fn deleting_a_label_takes_it_off_both_directions_and_the_records() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("one");
    let labels = "/crm/associations/2026-09/contacts/companies/labels";
    let made = bench.ok(200, "POST", labels, json!({"name": "buyer", "label": "Buyer"}));
    let (there, back) = (made["results"][0]["typeId"].clone(), made["results"][1]["typeId"].clone());
    let path = format!("{CONTACTS}/{contact}/associations/companies/{company}");
    bench.ok(201, "PUT", &path, json!([{"associationCategory": "USER_DEFINED", "associationTypeId": there}]));
    bench.ok(
        204,
        "DELETE",
        &format!("/crm/associations/2026-09/companies/contacts/labels/{back}"),
        Value::Null,
    );
    let left = bench.ok(200, "GET", labels, Value::Null);
    assert!(left["results"].as_array().unwrap().iter().all(|one| one["category"] == "HUBSPOT_DEFINED"));
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &company)), [1, 279]);
}

#[test]
fn label_names_are_checked_and_their_number_is_capped() {
    let mut config = crate::support::config();
    config.tier = hubspot_sandbox::Tier::Starter;
    let mut bench = Bench::with(config);
    let labels = "/crm/associations/2026-09/deals/companies/labels";
    for name in ["", "1st", "a-b"] {
        bench.ok(400, "POST", labels, json!({"name": name, "label": "x"}));
    }
    for n in 0..10 {
        bench.ok(200, "POST", labels, json!({"name": format!("l{n}"), "label": format!("L{n}")}));
    }
    bench.ok(400, "POST", labels, json!({"name": "l0", "label": "again"}));
    bench.ok(437, "POST", labels, json!({"name": "l10", "label": "L10"}));
}

#[test]
fn batches_report_missing_records_and_link_the_rest() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("one");
    let pair = |from: &str, to: &str| json!({"from": {"id": from}, "to": {"id": to}});
    let inputs = json!({"inputs": [pair(&contact, &company), pair("999", &company), pair(&contact, "998")]});
    let path = "/crm/associations/2026-09/contacts/companies/batch/associate/default";
    let answer = bench.ok(207, "POST", path, inputs);
    assert_eq!(answer["results"].as_array().unwrap().len(), 2, "one for each direction");
    let reasons: Vec<&Value> =
        answer["errors"].as_array().unwrap().iter().map(|one| &one["subCategory"]).collect();
    assert_eq!(reasons, ["crm.associations.FROM_OBJECT_NOT_FOUND", "crm.associations.TO_OBJECT_NOT_FOUND"]);
    assert_eq!(answer["errors"][0]["message"], "No contact with ID 999 exists");
}

#[test]
fn batch_read_pages_and_reports_the_unlinked() {
    let mut bench = Bench::new();
    let company = bench.company("one");
    let lonely = bench.company("two");
    for n in 0..501 {
        let contact = bench.contact(&format!("p{n}@example.com"));
        default_link(&mut bench, ("contacts", &contact), ("companies", &company));
    }
    let path = "/crm/associations/2026-09/companies/contacts/batch/read";
    let first = bench.ok(207, "POST", path, json!({"inputs": [{"id": company}, {"id": lonely}]}));
    assert_eq!(first["results"][0]["to"].as_array().unwrap().len(), 500);
    assert_eq!(first["errors"][0]["subCategory"], "crm.associations.NO_ASSOCIATIONS_FOUND");
    let after = first["results"][0]["paging"]["next"]["after"].clone();
    let second = bench.ok(200, "POST", path, json!({"inputs": [{"id": company, "after": after}]}));
    assert_eq!(second["results"][0]["to"].as_array().unwrap().len(), 1);
}

#[test]
fn inline_associations_show_slugs_without_labels() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("one");
    default_link(&mut bench, ("contacts", &contact), ("companies", &company));
    let got =
        bench.ok(200, "GET", &format!("{CONTACTS}/{contact}?associations=companies,deals"), Value::Null);
    assert_eq!(
        got["associations"],
        json!({"companies": {"results": [
            {"id": company, "type": "contact_to_company_unlabeled"},
            {"id": company, "type": "contact_to_company"},
        ]}})
    );
}

#[test]
fn a_create_links_at_once_or_not_at_all() {
    let mut bench = Bench::new();
    let company = bench.company("one");
    let body = |email: &str, to: &str, type_id: u64| {
        let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]);
        json!({"properties": {"email": email}, "associations": [{"to": {"id": to}, "types": types}]})
    };
    let made = bench.ok(201, "POST", CONTACTS, body("a@example.com", &company, 279));
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(held(&mut bench, ("contacts", &id), ("companies", &company)), [1, 279]);
    bench.ok(400, "POST", CONTACTS, body("b@example.com", "999", 279));
    bench.ok(400, "POST", CONTACTS, body("b@example.com", &company, 280));
    assert_eq!(bench.portal.record_count("contacts").unwrap(), 1);
}

#[test]
fn limits_set_by_users_bind() {
    let mut bench = Bench::new();
    let path = "/crm/associations/2026-09/definitions/configurations/deals/contacts/batch/create";
    let input = json!({"category": "HUBSPOT_DEFINED", "typeId": 3, "maxToObjectIds": 1});
    bench.ok(201, "POST", path, json!({"inputs": [input]}));
    let deal = bench.make("deals", json!({"dealname": "x", "dealstage": "contractsent"}));
    let (one, two) = (bench.contact("a@example.com"), bench.contact("b@example.com"));
    default_link(&mut bench, ("deals", &deal), ("contacts", &one));
    default_link(&mut bench, ("deals", &deal), ("contacts", &one));
    let from_the_other_side = format!("{CONTACTS}/{two}/associations/default/deals/{deal}");
    bench.ok(400, "PUT", &from_the_other_side, Value::Null);
    let listed =
        bench.ok(200, "GET", "/crm/associations/2026-09/definitions/configurations/all", Value::Null);
    assert_eq!(listed["results"][0]["userEnforcedMaxToObjectIds"], 1);
}

#[test]
fn v3_links_by_name() {
    let mut bench = Bench::new();
    let contact = bench.contact("a@example.com");
    let company = bench.company("one");
    let inputs =
        json!({"inputs": [{"from": {"id": contact}, "to": {"id": company}, "type": "contact_to_company"}]});
    bench.ok(201, "POST", "/crm/v3/associations/contacts/companies/batch/create", inputs.clone());
    assert_eq!(held(&mut bench, ("contacts", &contact), ("companies", &company)), [1, 279]);
    let read = "/crm/v3/associations/contacts/companies/batch/read";
    let answer = bench.ok(200, "POST", read, json!({"inputs": [{"id": contact}]}));
    assert_eq!(answer["results"][0]["to"][0]["id"], json!(company));
    bench.ok(204, "POST", "/crm/v3/associations/contacts/companies/batch/archive", inputs);
    assert!(held(&mut bench, ("contacts", &contact), ("companies", &company)).is_empty());
}

#[test]
fn products_cannot_be_associated() {
    let mut bench = Bench::new();
    let product = bench.make("products", json!({"name": "x"}));
    let contact = bench.contact("a@example.com");
    let path = format!("{CONTACTS}/{contact}/associations/default/products/{product}");
    bench.ok(400, "PUT", &path, Value::Null);
}
