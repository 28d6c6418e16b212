//! Names instead of ids: a mapping of two files, whose pipeline is found by its label, in the portal that it is for.

use wholesale::business::Business;

use crate::shop::{Shop, own_mapping, with_mapping};

const PIPELINES: &str = r#"
[pipelines.sales]
object = "deals"
label = "sales pipeline"
[pipelines.sales.stages]
open = { label = "Qualified To Buy" }
sent = { label = "Contract Sent" }
won = { label = "Closed Won" }
lost = "closedlost"
"#;

/// The example's mapping, with its stages by name.
fn named() -> String {
    let own = own_mapping();
    let mut text = own
        .replace("[picklists.stage.map]", "[picklists.stage]\npipeline = \"sales\"\n[picklists.stage.map]");
    for (id, name) in [
        ("\"qualifiedtobuy\"", "\"open\""),
        ("\"contractsent\"", "\"sent\""),
        ("\"closedwon\"", "\"won\""),
        ("\"closedlost\"", "\"lost\""),
        ("{ value = \"default\", ", "{ pipeline = \"sales\", "),
    ] {
        assert!(text.contains(id), "the example has no {id}");
        text = text.replace(id, name);
    }
    format!("include = \"names/pipelines.toml\"\n{text}")
}

fn write(shop: &Shop, pipelines: &str, mapping: &str) {
    std::fs::create_dir_all(shop.path("names")).unwrap();
    std::fs::write(shop.path("names/pipelines.toml"), pipelines).unwrap();
    with_mapping(shop, mapping);
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_are_found_by_their_labels_and_written_by_their_ids() {
    let shop = Shop::open(&Business { mess: false, ..Business::new(20) }).await;
    write(&shop, PIPELINES, &named());
    shop.expect(0, &["init", "--yes"]);
    shop.expect(0, &["check"]);
    shop.expect(0, &["doctor"]);
    let run = shop.expect(0, &["run", "--once", "--json"]).json();
    assert_eq!(run["moved"], serde_json::json!([]), "{run}");
    assert_eq!(shop.expect(0, &["verify", "--json"]).json()["difference_count"], 0);
    // The same mapping by ids wants nothing else of the portal.
    with_mapping(&shop, &own_mapping());
    let plan = shop.expect(0, &["plan", "--json"]).json();
    assert!(plan["links"].as_array().unwrap().iter().all(|link| link["update"] == 0), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_or_a_portal_that_is_not_there_is_told_before_anything_is_written() {
    let shop = Shop::open(&Business { mess: false, ..Business::new(5) }).await;
    shop.expect(0, &["init", "--yes"]);
    write(&shop, &PIPELINES.replace("Closed Won", "Closed Wonn"), &named());
    shop.expect(1, &["plan"]).fails_with("names/pipelines.toml:8", "Closed Won");
    let elsewhere = format!("{PIPELINES}[environments.live]\nportal = 999\n");
    write(&shop, &elsewhere, &named());
    shop.expect(1, &["plan"]).fails_with("none of the environments is portal", "credential");
}
