//! Every kind of paging and every way to write, held against what the adapter declares.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use sync_testkit::conformance::{self, Workbench};
use sync_types::{Collection, ExternalId, Source};

use super::shop::{Shop, described};

struct Bench {
    shop: Shop,
    description: String,
}

#[async_trait]
impl Workbench for Bench {
    async fn open(&self) -> Arc<dyn Source> {
        Arc::new(self.shop.open(&self.description))
    }
    fn collection(&self) -> Collection {
        "people".into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId {
        // What the suite makes by number is apart from what the API makes itself.
        let id = 1_000 + u64::from(number);
        self.shop.stock().set(id, &json!({ "name": texts[0], "city": texts[1] }));
        id.to_string().into()
    }
    async fn remove(&self, number: u32) {
        self.shop.stock().people.remove(&(1_000 + u64::from(number)));
    }
}

const LISTS: &[(&str, &str)] = &[
    ("none", r#"path = "/all", records = "", paging = { kind = "none" }"#),
    (
        "page",
        r#"path = "/page", records = "/data", paging = { kind = "page", parameter = "page", total = "/total",
           size = { parameter = "limit", value = 100 } }"#,
    ),
    (
        "offset",
        r#"path = "/offset", records = "/data", paging = { kind = "offset", parameter = "offset",
           size = { parameter = "limit", value = 4 } }"#,
    ),
    (
        "cursor",
        r#"path = "/cursor", records = "/data", paging = { kind = "cursor", parameter = "after", next = "/next",
           size = { parameter = "limit", value = 4 } }"#,
    ),
    (
        "token in the body",
        r#"method = "POST", path = "/search", records = "/data", body = { filter = { kind = "all" } },
           paging = { kind = "cursor", parameter = "/after", next = "/next" }"#,
    ),
    ("link", r#"path = "/link", records = "", paging = { kind = "link", stable = false }"#),
    ("next address", r#"path = "/url", records = "/data", paging = { kind = "next-url", next = "/next" }"#),
    (
        "keyset",
        r#"path = "/after", records = "/data", paging = { kind = "keyset", parameter = "since", from = "/id" }"#,
    ),
    (
        "keyset of times, included",
        r#"path = "/changed", records = "/data", paging = { kind = "keyset", parameter = "from", from = "/changed",
           ties = "included", size = { parameter = "limit", value = 100 } }"#,
    ),
];

const WRITES: &str = r#"
[collections.people.get]
path = "/people/{id}"
etag = true
[collections.people.update]
path = "/people/{id}"
wrap = "/person"
[collections.people.delete]
path = "/people/{id}"
"#;

#[tokio::test(start_paused = true)]
async fn every_kind_of_paging_keeps_its_promise() {
    for (name, list) in LISTS {
        let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
        let description = described(&format!("list = {{ {list} }}"));
        let bench = Bench { shop: Shop::with(0), description };
        println!("{name}");
        conformance::adapter(&bench).await;
    }
}

#[tokio::test(start_paused = true)]
async fn changes_and_both_ways_of_creation_keep_their_promises() {
    let since = r#"
[collections.people.since]
path = "/changed"
query = { from = "{from}", to = "{to}" }
records = "/data"
format = "epoch"
range_max = "1d"
paging = { kind = "offset", parameter = "skip", size = { parameter = "limit", value = 3 } }
"#;
    let by_header = r#"
[collections.people.create]
path = "/people"
wrap = "/person"
id = "/person/id"
idempotency_header = "Idempotency-Key"
"#;
    let by_field = r#"
[collections.people.create]
path = "/people"
wrap = "/person"
record = "/person"
token_field = "token"
find = { path = "/token-of", query = { token = "{token}" }, records = "/data", paging = { kind = "none" } }
"#;
    for create in [by_header, by_field] {
        let list = LISTS[7].1;
        let batch = r#"batch = { path = "/some", query = { ids = "{ids}" }, records = "/data", max = 2 }"#;
        let description = described(&format!("list = {{ {list} }}\n{batch}\n{WRITES}{since}{create}"));
        conformance::adapter(&Bench { shop: Shop::with(0), description }).await;
    }
}
