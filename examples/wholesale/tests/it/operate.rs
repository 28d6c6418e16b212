//! What an operator does after a run, through the binary: explain, certify, back up and restore.

use serde_json::{Value, json};
use wholesale::business::Business;

use crate::shop::Shop;

const SOUND: Business = Business { seed: 7, people: 10, mess: false, changed: 0, complete: false };

async fn synced() -> Shop {
    let shop = Shop::open(&SOUND).await;
    shop.expect(0, &["init", "--yes"]);
    shop.expect(0, &["apply"]);
    shop
}

fn field<'v>(told: &'v Value, name: &str) -> &'v Value {
    told["fields"].as_array().unwrap().iter().find(|field| field["property"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_explained_and_its_values_are_shown_on_request_only() {
    let shop = synced().await;
    shop.set_field("data/people.csv", 4, "job_title", "Zoologist");
    let told = shop.expect(0, &["explain", "people", "P-0000005", "--json"]);
    let job = told.json();
    let job = field(&job, "jobtitle");
    assert!(job["verdict"].as_str().unwrap().contains("the next run writes it"), "{job}");
    assert_eq!((&job["source"]["moved"], &job["hubspot"]["moved"]), (&json!(true), &json!(false)));
    assert!(!told.out.contains("Zoologist"), "{}", told.out);
    let told = shop.expect(0, &["explain", "people", "P-0000005", "--values"]);
    assert!(told.out.contains("the source shows Zoologist"), "{}", told.out);
    assert!(told.out.contains("run 1, operation"), "{}", told.out);
    shop.expect(1, &["explain", "peple", "P-0000005"]).fails_with("no link `peple`", "");
    assert!(shop.expect(0, &["conflicts", "list"]).out.contains("No conflicts"));
    shop.expect(1, &["conflicts", "resolve", "--take", "source"]).fails_with("which conflicts", "--all");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_form_a_chain_that_is_checked_without_portal_or_state() {
    let shop = synced().await;
    std::fs::create_dir(shop.path("proof")).unwrap();
    let first = shop.expect(0, &["verify", "--certificate", "proof", "--level", "samples", "--json"]).json();
    assert_eq!(first["certificate"]["number"], 1, "{first}");
    assert!(first["links"][1]["sampled"].as_u64().unwrap() >= 10, "{first}");
    shop.set_field("data/people.csv", 4, "job_title", "Zoologist");
    // What is not brought over yet is a difference, and certified as one.
    let second = shop.expect(2, &["verify", "--certificate", "proof", "--json"]).json();
    assert_eq!(second["links"][1]["pending"], 1);
    assert_eq!(second["links"][1]["pairs_root"], first["links"][1]["pairs_root"], "the same pairs");
    shop.expect(0, &["apply"]);
    let third = shop.expect(0, &["verify", "--certificate", "proof", "--json"]).json();
    assert_ne!(third["links"][1]["values_root"], first["links"][1]["values_root"], "another value");
    shop.expect(1, &["verify", "--certificate", "proof/certificate-000002.json"])
        .fails_with("there already", "folder");

    let names: Vec<String> = (1..=3).map(|number| format!("proof/certificate-{number:06}.json")).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let checked = shop.expect(0, &[&["certificate", "check", "--json"], &files[..]].concat()).json();
    let agrees: Vec<&Value> =
        checked["certificates"].as_array().unwrap().iter().map(|checked| &checked["agrees"]).collect();
    assert_eq!(agrees, [true, false, true]);
    let key = shop.expect(0, &["certificate", "key"]).out;
    assert_eq!(checked["certificates"][0]["public_key"], key.trim());
    assert!(
        std::fs::read_to_string(shop.path("proof/certificate-000002.html")).unwrap().contains("do not agree")
    );
    shop.edit(&names[1], |text| text.replacen("\"pending\": 1", "\"pending\": 0", 1));
    shop.expect(1, &[&["certificate", "check"], &files[..]].concat())
        .fails_with("000002.json", "do not rely on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_back_what_was_known_and_the_next_run_the_rest() {
    let shop = synced().await;
    shop.expect(0, &["state", "check"]);
    shop.expect(0, &["state", "backup", "copy.db"]);
    shop.set_field("data/people.csv", 4, "job_title", "Zoologist");
    shop.expect(0, &["apply"]);
    shop.expect(1, &["state", "restore", "copy.db", "--set", "hubspot.url=http://127.0.0.1:1"]);
    let restored = shop.expect(0, &["state", "restore", "copy.db", "--json"]).json();
    assert_eq!(restored["last_run"], 1, "{restored}");
    assert!(restored["kept"].as_str().unwrap().ends_with(".replaced"), "{restored}");
    let run = shop.expect(0, &["run", "--once", "--json"]).json();
    assert_eq!(run["links"][1]["updated"], 1, "written again, for nobody knows that it was: {run}");
    assert_eq!(
        run["links"].as_array().unwrap().iter().map(|link| link["created"].as_u64().unwrap()).sum::<u64>(),
        0
    );
    shop.expect(0, &["verify"]);
    shop.expect(1, &["state", "restore", "data/people.csv"]).fails_with("no sound backup", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_taken_back_and_what_somebody_touched_since_stays() {
    let shop = synced().await;
    shop.set_field("data/people.csv", 4, "job_title", "Zoologist");
    shop.set_field("data/people.csv", 5, "job_title", "Botanist");
    assert_eq!(shop.expect(0, &["apply", "--json"]).json()["run"], 2);
    let planned = shop.expect(2, &["undo", "2", "--json"]);
    assert_eq!(planned.json()["records"].as_array().unwrap().len(), 2, "{planned:?}");
    assert!(!planned.out.contains("Zoologist"), "{}", planned.out);
    shop.expect(2, &["undo", "2", "--out", "undo.jsonl"]);
    let applied = shop.expect(0, &["apply", "undo.jsonl", "--json"]).json();
    assert_eq!((&applied["undoes"], &applied["links"][1]["updated"]), (&json!(2), &json!(2)), "{applied}");
    let told = shop.expect(0, &["explain", "people", "P-0000005", "--values"]);
    assert!(
        told.out.contains("the source shows Zoologist") && !told.out.contains("HubSpot shows Zoologist"),
        "{}",
        told.out
    );
    shop.expect(0, &["verify"]);
    assert_eq!(shop.expect(0, &["run", "--once", "--json"]).json()["links"][1]["updated"], 0, "it stays");
    shop.expect(0, &["undo", "2"]);
    // The undo is a run, and is taken back as one.
    shop.expect(0, &["undo", "3", "--yes"]);
    let told = shop.expect(0, &["explain", "people", "P-0000005", "--values"]);
    assert!(told.out.contains("HubSpot shows Zoologist"), "{}", told.out);
    shop.expect(1, &["undo", "77"]).fails_with("run 77", "status");
    // The first load goes as a whole, but for the records that a later run has written.
    let first = shop.expect(2, &["undo", "1", "--json"]).json();
    assert_eq!(first["kept"].as_array().unwrap().len(), 2, "{first}");
}
