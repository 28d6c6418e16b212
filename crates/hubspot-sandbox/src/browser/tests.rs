//! The pages over a real portal: what they show, where they link, and that values stay text.

use serde_json::{Value, json};

use super::*;
use crate::PortalConfig;

const TOKEN: &str = "browser-test-token";

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn request(method: &str, path: &str, body: &Value) -> Request<Bytes> {
    let builder =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    builder.body(Bytes::from(body.to_string())).unwrap()
}

/// Calls the portal's API and returns the record's id.
fn create(portal: &mut Portal, object_type: &str, properties: Value) -> String {
    let path = format!("/crm/v3/objects/{object_type}");
    let reply = portal.handle(now(), &request("POST", &path, &json!({ "properties": properties })));
    assert_eq!(reply.response.status(), 201, "{:?}", reply.response.body());
    let record: Value = serde_json::from_slice(reply.response.body()).unwrap();
    record["id"].as_str().unwrap().to_owned()
}

fn get(portal: &Portal, path: &str) -> Response<Bytes> {
    page(portal, now(), &request("GET", path, &Value::Null)).unwrap()
}

fn text(portal: &Portal, path: &str) -> String {
    String::from_utf8(get(portal, path).body().to_vec()).unwrap()
}

fn portal() -> Portal {
    Portal::new(PortalConfig::new(TOKEN))
}

#[test]
fn an_empty_portal_says_so_and_a_filled_one_counts() {
    let mut portal = portal();
    assert!(text(&portal, "/").contains("This portal is empty"));
    create(&mut portal, "contacts", json!({ "email": "ada@example.com" }));
    create(&mut portal, "contacts", json!({ "email": "grace@example.com" }));
    let overview = text(&portal, "/");
    assert!(overview.contains("2 records"), "{overview}");
    assert!(overview.contains(r#"href="/records/contacts""#), "{overview}");
}

#[test]
fn values_are_text_and_never_markup() {
    let mut portal = portal();
    let id = create(&mut portal, "companies", json!({ "name": "<script>alert(1)</script> & Sons" }));
    for path in ["/records/companies".to_owned(), format!("/records/companies/{id}")] {
        let html = text(&portal, &path);
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
    }
    let query = text(&portal, "/records/companies?q=%22%3E%3Cb%3E");
    assert!(!query.contains("<b>\""), "{query}");
}

#[test]
fn every_answer_forbids_what_the_pages_do_not_need() {
    let portal = portal();
    for path in ["/", "/records/contacts", "/records/contacts/1", "/assets/browser.css"] {
        let policy =
            get(&portal, path).headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[test]
fn a_table_turns_pages_and_finds_by_any_value() {
    let mut portal = portal();
    for number in 0..51 {
        create(
            &mut portal,
            "contacts",
            json!({ "email": format!("reader{number}@example.com"), "city": "Turin" }),
        );
    }
    let first = text(&portal, "/records/contacts");
    assert!(first.contains("1–50 of 51") && first.contains("page=2"), "{first}");
    assert!(first.contains("Turin"), "{first}");
    let second = text(&portal, "/records/contacts?page=2");
    assert!(second.contains("51–51 of 51") && second.contains("reader50@example.com"), "{second}");
    assert!(!second.contains(r#"rel="next""#), "{second}");
    let found = text(&portal, "/records/contacts?q=READER17%40");
    assert!(found.contains("reader17@example.com") && !found.contains("reader18@example.com"), "{found}");
    assert!(text(&portal, "/records/contacts?q=nobody").contains("Nothing matches"));
}

#[test]
fn associated_records_link_to_each_other() {
    let mut portal = portal();
    let company = create(&mut portal, "companies", json!({ "name": "Analytical Engines" }));
    let contact = create(&mut portal, "contacts", json!({ "firstname": "Ada", "lastname": "Lovelace" }));
    let path = format!("/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}");
    assert_eq!(portal.handle(now(), &request("PUT", &path, &Value::Null)).response.status(), 200);
    let there = text(&portal, &format!("/records/contacts/{contact}"));
    assert!(
        there.contains(&format!(r#"<a href="/records/companies/{company}">Analytical Engines</a>"#)),
        "{there}"
    );
    let back = text(&portal, &format!("/records/companies/{company}"));
    assert!(back.contains(&format!(r#"<a href="/records/contacts/{contact}">Ada Lovelace</a>"#)), "{back}");
}

#[test]
fn a_record_shows_what_it_was_before() {
    let mut portal = portal();
    let id = create(&mut portal, "contacts", json!({ "firstname": "Augusta", "city": "London" }));
    let change = json!({ "properties": { "firstname": "Ada", "city": "" } });
    portal.handle(now(), &request("PATCH", &format!("/crm/v3/objects/contacts/{id}"), &change));
    let html = text(&portal, &format!("/records/contacts/{id}"));
    for part in ["<h1>Ada", "Augusta", "London", "cleared", "INTEGRATION"] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn codes_are_shown_by_their_labels() {
    let mut portal = portal();
    let deal = json!({ "dealname": "Order 10248", "pipeline": "default", "dealstage": "closedwon" });
    let id = create(&mut portal, "deals", deal);
    for path in ["/records/deals".to_owned(), format!("/records/deals/{id}")] {
        let html = text(&portal, &path);
        assert!(html.contains("Closed Won") && !html.contains(">closedwon<"), "{html}");
    }
}

#[test]
fn what_is_not_there_is_404_and_what_is_the_apis_is_left_alone() {
    let portal = portal();
    for path in ["/records/no_such_type", "/records/contacts/999", "/records/contacts/text"] {
        assert_eq!(get(&portal, path).status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert!(page(&portal, now(), &request("GET", "/crm/v3/objects/contacts", &Value::Null)).is_none());
    assert!(page(&portal, now(), &request("POST", "/", &Value::Null)).is_none());
}
