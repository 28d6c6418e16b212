//! What the API refuses, delays or breaks.

use std::time::Duration;

use http_transport::Clock as _;
use serde_json::json;
use sync_types::{
    BadRecord, ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId, ReadRequest, Source,
    SourceErrorKind, SyncKey, Value,
};

use super::shop::{Shop, described, ok, status};

const ALL: &str = "list = { path = '/all', records = '', paging = { kind = 'none' } }\n\
                   get = { path = '/people/{id}', etag = true }\n\
                   update = { path = '/people/{id}', wrap = '/person' }\n\
                   create = { path = '/people', wrap = '/person', id = '/person/id', idempotency_header = 'Idempotency-Key' }";

fn request() -> ReadRequest {
    ReadRequest { collection: "people".into(), after: None, max: 100 }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_and_ours_is_kept() {
    let shop = Shop::with(3);
    let mut refused = status(429, json!({}));
    refused.headers_mut().insert("retry-after", "7".parse().unwrap());
    shop.stock().instead.push(Some(refused));
    let source = shop.open(&described(ALL));
    let start = shop.clock.monotonic();
    source.read_page(&request()).await.unwrap();
    assert!(shop.clock.monotonic() - start >= Duration::from_secs(7));

    let limited = format!("{}\n[limits]\nper_second = 2\n", described(ALL));
    let source = shop.open(&limited);
    let start = shop.clock.monotonic();
    for _ in 0..9 {
        source.read_page(&request()).await.unwrap();
    }
    assert!(shop.clock.monotonic() - start >= Duration::from_secs(4), "nine calls at two a second");

    let limited = format!("{}\n[limits]\nper_day = 20\n", described(ALL));
    let source = shop.open(&limited);
    let mut made = 0;
    let error = loop {
        match source.read_page(&request()).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!((15..=20).contains(&made), "{made}");
}

#[tokio::test(start_paused = true)]
async fn errors_mean_what_the_description_says() {
    let rules = r#"
[errors]
message = "/error/text"
[[errors.when]]
status = 200
at = "/success"
equals = "false"
means = "refused"
[[errors.when]]
status = [400, 403]
at = "/error/code"
equals = "busy"
means = "not-now"
"#;
    let shop = Shop::with(3);
    let source = shop.open(&format!("{}{rules}", described(ALL)));
    let said = json!({ "success": false, "error": { "text": "no \"Ann\" here, ask ann@example.com" } });
    shop.stock().instead.push(Some(ok(said)));
    let error = source.read_page(&request()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Structure);
    assert!(error.message.contains("no \"…\" here"), "{error}");
    assert!(!error.message.contains("Ann") && !error.message.contains("ann@"), "{error}");

    shop.stock().instead.push(Some(status(403, json!({ "error": { "code": "busy" } }))));
    assert_eq!(source.read_page(&request()).await.unwrap().records.len(), 3, "asked again");
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_failure_has_its_own_kind_of_error() {
    for (answer, kind) in [
        (status(401, json!({})), SourceErrorKind::Denied),
        (status(403, json!({})), SourceErrorKind::Denied),
        (status(404, json!({})), SourceErrorKind::NoSuchCollection),
        (status(400, json!({})), SourceErrorKind::Structure),
        (status(500, json!({})), SourceErrorKind::Unavailable),
        (status(302, json!({})), SourceErrorKind::Structure),
        (ok(json!({ "not": "a list" })), SourceErrorKind::Structure),
    ] {
        let shop = Shop::with(3);
        shop.before(move |stock, _| stock.instead.push(Some(answer.clone())));
        let error = shop.open(&described(ALL)).read_page(&request()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_of_another_server_is_not_followed() {
    let url = "list = { path = '/url', records = '/data', paging = { kind = 'next-url', next = '/next' } }";
    for next in [
        "https://evil.example/steal",
        "//evil.example/steal",
        "http://shop.example/api/url",
        "https://shop.example:8443/api/url",
        "https://kit:pw@shop.example/api/url",
        "https://169.254.169.254/latest/meta-data",
    ] {
        let shop = Shop::with(3);
        shop.stock().instead.push(Some(ok(json!({ "data": [{ "id": 1 }], "next": next }))));
        let source = shop.open(&described(url));
        let page = source.read_page(&request()).await.unwrap();
        let error = source.read_page(&ReadRequest { after: page.next, ..request() }).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Structure, "{next}");
        assert_eq!(shop.stock().requests.len(), 1, "{next}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_during_maintenance() {
    let window = "[[maintenance]]\ndays = ['fri']\nfrom = '08:00'\nto = '09:00'\nzone = 'UTC'\n";
    let shop = Shop::with(3);
    let source = shop.open(&format!("{}\n{window}", described(ALL)));
    // The shop opens on Friday, 15 January 2027, at 8:00.
    let error = source.read_page(&request()).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!(error.message.contains("2027-01-15T09:00:00Z"), "{error}");
    assert!(shop.stock().requests.is_empty());
    shop.clock.sleep(Duration::from_secs(3_600)).await;
    assert!(source.read_page(&request()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_does_not_hide_the_others() {
    let shop = Shop::with(2);
    let fields = json!([{ "id": 1, "name": "x", "changed": 1 }, { "name": "no id" }, { "id": 3, "changed": "later" },
                        { "id": 4.5e20 }, 7, { "id": "5", "city": { "zip": "89073" } }]);
    shop.stock().instead.push(Some(ok(fields)));
    let page = shop.open(&described(ALL)).read_page(&request()).await.unwrap();
    let codes: Vec<&str> = page
        .records
        .iter()
        .map(|record| record.as_ref().map_or_else(|bad: &BadRecord| bad.code, |_| ""))
        .collect();
    assert_eq!(codes, ["", "missing-key", "bad-value", "missing-key", "missing-key", ""]);
    let shown = format!("{page:?}");
    assert!(!shown.contains("later") && !shown.contains("89073"), "no value is shown: {shown}");
}

fn row(verb: LeftVerb, name: &str) -> LeftBatch {
    let fields = vec![LeftField { path: "name".into(), value: Value::from(name) }];
    let rows = vec![LeftRow { verb, token: SyncKey::new("token-1"), fields }];
    LeftBatch { op: OpId(1), collection: "people".into(), rows }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_repeated_or_told_as_unknown() {
    let shop = Shop::with(1);
    let source = std::sync::Arc::new(shop.open(&described(ALL)));
    let writer = source.clone().writer().unwrap();
    // The answer is lost; the repetition under the same key answers with the first record.
    let mut lost = false;
    shop.before(move |stock, asked| {
        if asked.method == "POST" && !std::mem::replace(&mut lost, true) {
            stock.instead.push(None);
        }
    });
    let outcomes = writer.write(&row(LeftVerb::Create, "Bea")).await.unwrap();
    assert!(
        matches!(&outcomes[..], [LeftOutcome::Found(record)] if record.id().as_str() == "2"),
        "{outcomes:?}"
    );

    // It never comes: nobody knows.
    let read = source.read(&"people".into(), &[ExternalId::from("1")]).await.unwrap();
    let record = read[0].clone().unwrap();
    shop.before(|stock, asked| {
        if asked.method == "PATCH" {
            stock.instead.push(None);
        }
    });
    let outcomes = writer.write(&row(LeftVerb::Update(record.clone()), "Cid")).await.unwrap();
    assert!(matches!(&outcomes[..], [LeftOutcome::Unknown(_)]), "{outcomes:?}");

    // Somebody changes it between our look and our write: the entity tag tells.
    let mut changed = false;
    shop.before(move |stock, asked| {
        if asked.method == "PATCH" && !std::mem::replace(&mut changed, true) {
            stock.set(1, &json!({ "city": "Bonn" }));
        }
    });
    let outcomes = writer.write(&row(LeftVerb::Update(record.clone()), "Cid")).await.unwrap();
    assert_eq!(outcomes, [LeftOutcome::Moved]);

    shop.before(|stock, asked| {
        if asked.method == "PATCH" {
            stock.instead.push(Some(status(422, json!({ "error": "no" }))));
        }
    });
    let outcomes = writer.write(&row(LeftVerb::Update(record), "Cid")).await.unwrap();
    assert!(matches!(&outcomes[..], [LeftOutcome::Rejected(_)]), "{outcomes:?}");
}
