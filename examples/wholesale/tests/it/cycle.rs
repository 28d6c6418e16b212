//! The whole cycle through the binary: init, plan, apply, verify, change, run, status, and the demo itself.

use serde_json::Value;
use wholesale::business::Business;

use crate::shop::Shop;

fn sum(report: &Value, part: &str, field: &str) -> u64 {
    report[part].as_array().unwrap().iter().map(|entry| entry[field].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_arrives_is_proved_and_then_costs_nothing() {
    let business = Business::new(60);
    let shop = Shop::open(&business).await;

    // The portal lacks everything: said by doctor and init, created on request only.
    let doctor = shop.expect(1, &["doctor"]);
    assert!(doctor.out.contains("✗ provisioned") && doctor.out.contains("init --yes"), "{doctor:?}");
    let missing = shop.expect(2, &["init", "--json"]).json();
    assert!(!missing["missing"].as_array().unwrap().is_empty());
    shop.expect(0, &["init", "--yes"]);
    assert_eq!(shop.expect(0, &["init", "--json"]).json()["missing"], serde_json::json!([]));
    shop.expect(0, &["doctor"]);
    assert!(shop.expect(0, &["check"]).out.contains("is sound"));

    // A plan writes nothing, and a saved one is what apply then does.
    let plan = shop.expect(2, &["plan", "--out", "plan.jsonl", "--json"]).json();
    assert!(sum(&plan, "links", "create") > 300, "{plan}");
    assert_eq!(shop.expect(2, &["plan", "--json"]).json()["links"], plan["links"]);
    let applied = shop.expect(0, &["apply", "plan.jsonl", "--json"]).json();
    assert_eq!(applied["moved"], serde_json::json!([]), "{applied}");
    // One e-mail belongs to somebody who came just before: only HubSpot's refusal tells, and it is parked.
    assert_eq!(applied["links"][1]["parked"]["duplicate"], 1, "{applied}");
    assert_eq!(sum(&applied, "links", "created"), sum(&plan, "links", "create") - 1);

    let verified = shop.expect(0, &["verify", "--json"]).json();
    assert_eq!(verified["difference_count"], 0);
    assert!(sum(&verified, "links", "values") > 1_000);
    shop.expect(0, &["plan"]);

    // Five people change and a customer comes late: those are written, and nobody else.
    business.change(5).write(&shop.path("data")).unwrap();
    let run = shop.expect(0, &["run", "--once", "--json"]).json();
    assert_eq!(sum(&run, "links", "updated"), 5, "{run}");
    assert_eq!(sum(&run, "links", "created"), 1, "{run}");
    assert!(sum(&run, "edges", "added") > 0, "orders that waited for the late customer: {run}");
    shop.expect(0, &["verify"]);

    let again = shop.expect(0, &["run", "--once", "--json"]).json();
    assert_eq!(sum(&again, "links", "updated") + sum(&again, "links", "created"), 0);
    assert_eq!(sum(&again, "edges", "added") + sum(&again, "edges", "removed"), 0);

    let status = shop.expect(0, &["status", "--json"]).json();
    assert_eq!(status["open_writes"], 0);
    assert_eq!(status["records"]["customers"], business.customers());
    let letters = shop.expect(0, &["dead-letters", "list", "--json"]).json();
    for letter in letters.as_array().unwrap() {
        assert!(!letter["remedy"].as_str().unwrap().is_empty(), "{letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_row_is_brought_over_and_its_dead_letter_goes() {
    let business = Business { mess: false, ..Business::new(10) };
    let shop = Shop::open(&business).await;
    shop.set_field("data/people.csv", 3, "first_order", "31.02.2021");
    shop.expect(0, &["init", "--yes"]);
    shop.expect(0, &["apply"]);
    let letter = shop.expect(0, &["dead-letters", "show", "people", "P-0000004", "--json"]).json();
    assert_eq!((&letter["cause"], &letter["tries"]), (&"bad-date".into(), &1.into()), "{letter}");
    shop.set_field("data/people.csv", 3, "first_order", "28.02.2021");
    let run = shop.expect(0, &["run", "--once", "--json"]).json();
    assert_eq!(sum(&run, "links", "created"), 1, "{run}");
    assert_eq!(shop.expect(0, &["dead-letters", "list", "--json"]).json(), serde_json::json!([]));
    shop.expect(0, &["verify"]);
}

#[test]
fn the_demo_ends_with_both_sides_agreed_and_a_run_that_writes_nothing() {
    let shop = Shop::without_portal();
    let demo = shop.expect(0, &["demo", "--rows", "80", "--json"]).json();
    assert_eq!(demo["verify"][0]["difference_count"], 0, "{demo}");
    assert_eq!(demo["verify"][1]["difference_count"], 0, "{demo}");
    assert_eq!(demo["runs"][2]["calls"]["write"], 0, "{demo}");
    assert!(demo["runs"][0]["calls"]["write"].as_u64().unwrap() > 5, "{demo}");
    // As a person reads it, in a pipe: plain lines, no colours, no bars.
    let told = shop.expect(0, &["demo", "--rows", "40", "--folder", "kept"]);
    assert!(told.out.contains("Both sides agree") && !told.out.contains('\u{1b}'), "{}", told.out);
    assert!(told.err.contains("people: ") && !told.err.contains('\u{1b}'), "{}", told.err);
    assert!(shop.path("kept/data/people.csv").is_file());
}

#[test]
fn the_command_line_explains_itself() {
    let shop = Shop::without_portal();
    assert!(shop.expect(0, &["--help"]).out.contains("dead-letters"));
    assert!(shop.expect(0, &["--version"]).out.starts_with("wholesale "));
    assert!(shop.expect(1, &["plam"]).err.contains("plan"));
    assert!(shop.expect(1, &[]).err.contains("Usage"));
}
