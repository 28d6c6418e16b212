//! `try_calls`: what is understood, what is doubtful, what failed, and no value shown.

use serde_json::json;
use source_adapters::rest::{RestSource, Tried, Verdict};

use super::shop::{Shop, described, status};

const PEOPLE: &str = r#"
[collections.people.list]
path = "/page"
records = "/data"
paging = { kind = "page", parameter = "page", size = { parameter = "limit", value = 4 } }
[collections.people.since]
path = "/changed"
query = { from = "{from}" }
records = "/data"
format = "epoch"
paging = { kind = "none" }
[collections.people.get]
path = "/people/{id}"
[collections.people.batch]
path = "/some"
query = { ids = "{ids}" }
records = "/data"
[collections.people.delete]
path = "/people/{id}"
"#;

async fn tried(source: &RestSource) -> Vec<Tried> {
    source.try_calls(None).await.unwrap()
}

fn verdicts(tried: &[Tried]) -> Vec<(&str, Verdict)> {
    tried.iter().map(|tried| (tried.call.as_str(), tried.verdict)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sound_description_is_understood_and_no_value_is_shown() {
    let shop = Shop::with(9);
    shop.stock().set(3, &json!({ "name": "Zoë O'Neill", "token": "ann@example.com" }));
    let tried = tried(&shop.open(&described(PEOPLE))).await;
    assert_eq!(
        verdicts(&tried),
        [
            ("people.list", Verdict::Good),
            ("people.since", Verdict::Good),
            ("people.get", Verdict::Good),
            ("people.batch", Verdict::Good),
            ("people.delete", Verdict::NotTried),
        ],
        "{tried:#?}"
    );
    assert!(shop.stock().requests.iter().all(|asked| asked.method != "DELETE"));
    let shown = format!("{tried:?}");
    assert!(!shown.contains("Ulm") && !shown.contains("Neill") && !shown.contains("example.com"), "{shown}");
    let list = &tried[0];
    assert!(list.told.iter().any(|line| line.contains("4 records on the second page, 0 of them known")));
    let token = list.fields.iter().find(|field| field.name == "token").unwrap();
    assert_eq!((token.records, token.sample.as_deref(), token.described), (1, Some("xxx@xxxxxxx.xxx"), true));
    assert!(list.fields.iter().any(|field| field.name == "city" && field.sample.as_deref() == Some("Xxx")));
}

#[tokio::test(start_paused = true)]
async fn what_is_odd_is_told() {
    for (change, with, call, word) in [
        ("parameter = \"page\"", "parameter = \"pg\"", "people.list", "the first page again"),
        ("key = \"/id\"", "key = \"/city\"", "people.list", "is it the key?"),
        ("at = \"/changed\"", "at = \"/name\"", "people.list", "time of change"),
        ("query = { from", "query = { form", "people.since", "does the API know it?"),
        ("city = \"text\"", "town = \"text\"", "people.list", "no record has the field `town`"),
        ("name = \"text\", city", "name = \"date\", city", "people.list", "cannot be read"),
        ("query = { ids = \"{ids}\" }", "query = { id = \"{ids}\" }", "people.batch", "0 found"),
        (
            "path = \"/people/{id}\"\n[collections.people.batch",
            "path = \"/persons/{id}\"\n[collections.people.batch",
            "people.get",
            "not found by its id",
        ),
    ] {
        let shop = Shop::with(9);
        let long_ago = 1_700_000_000;
        shop.stock().people.values_mut().for_each(|record| record["changed"] = json!(long_ago));
        let description = described(PEOPLE);
        assert!(description.contains(change), "{change}");
        let tried = tried(&shop.open(&description.replacen(change, with, 1))).await;
        let found = tried.iter().find(|tried| tried.call == call).unwrap();
        assert_eq!(found.verdict, Verdict::Doubtful, "{with}: {found:#?}");
        assert!(found.told.iter().any(|line| line.contains(word)), "{with}: {found:#?}");
    }
    let shop = Shop::with(1);
    let bare =
        described(PEOPLE).lines().filter(|line| !line.starts_with("fields")).collect::<Vec<_>>().join("\n");
    let tried_bare = tried(&shop.open(&bare)).await;
    let suggested = tried_bare[0].suggested.as_deref().unwrap();
    assert_eq!(suggested, "changed = \"number\"\ncity = \"text\"\nid = \"number\"\nname = \"text\"\n");

    shop.before(|stock, _| stock.instead.push(Some(status(401, json!({})))));
    let tried = tried(&shop.open(&described(PEOPLE))).await;
    assert_eq!(verdicts(&tried), [("people.list", Verdict::Failed)]);
}
