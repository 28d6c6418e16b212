//! Pipelines and stages.

use serde_json::{Value, json};

use crate::support::Bench;

const DEALS: &str = "/crm/pipelines/2026-09/deals";
const TICKETS: &str = "/crm/pipelines/2026-09/tickets";

fn stage(label: &str, probability: &str) -> Value {
    json!({"label": label, "displayOrder": 0, "metadata": {"probability": probability}})
}

#[test]
fn built_in_pipelines() {
    let mut bench = Bench::new();
    let deals = bench.ok(200, "GET", DEALS, Value::Null);
    assert_eq!(deals["results"][0]["id"], "default");
    assert_eq!(deals["results"][0]["stages"][5]["id"], "closedwon");
    assert_eq!(
        deals["results"][0]["stages"][5]["metadata"],
        json!({"isClosed": "true", "probability": "1.0"})
    );
    let tickets = bench.ok(200, "GET", TICKETS, Value::Null);
    assert_eq!(tickets["results"][0]["id"], "0");
    let contacts = bench.ok(200, "GET", "/crm/pipelines/2026-09/contacts", Value::Null);
    assert_eq!(contacts["results"][0]["stages"][1]["id"], "lead");
}

#[test]
fn given_ids_are_kept_and_probabilities_printed_as_java_prints_them() {
    let mut bench = Bench::new();
    let body = json!({"label": "Big", "displayOrder": 1, "pipelineId": "big",
        "stages": [{"label": "Half", "stageId": "half", "displayOrder": 0, "metadata": {"probability": "0.50"}},
                   {"label": "Won", "stageId": "won-big", "displayOrder": 1, "metadata": {"probability": 1}}]});
    bench.ok(201, "POST", DEALS, body);
    let got = bench.ok(200, "GET", &format!("{DEALS}/big"), Value::Null);
    assert_eq!(got["stages"][0]["metadata"]["probability"], "0.5");
    assert_eq!(got["stages"][1]["metadata"], json!({"isClosed": "true", "probability": "1.0"}));
}

#[test]
fn refused_pipelines_and_stages() {
    let mut bench = Bench::new();
    for (path, body, status, marker) in [
        (DEALS, json!({"label": "x", "stages": []}), 400, "at least one stage"),
        (
            DEALS,
            json!({"label": " sales PIPELINE ", "stages": [stage("a", "0.1")]}),
            400,
            "PIPELINE_LABEL_EXISTS",
        ),
        (
            DEALS,
            json!({"label": "x", "pipelineId": "0", "stages": [stage("a", "0.1")]}),
            400,
            "There's another pipeline",
        ),
        (DEALS, json!({"label": "x", "stages": [stage("a", "1.5")]}), 400, "INVALID_PIPELINE_STAGE_METADATA"),
        (
            DEALS,
            json!({"label": "x", "stages": [stage("a", "0.1"), stage(" A ", "0.2")]}),
            400,
            "STAGE_LABEL_EXISTS",
        ),
        (
            DEALS,
            json!({"label": "x", "stages": [{"label": "a", "stageId": "closedwon", "metadata": {"probability": "1"}}]}),
            409,
            "STAGE_ID_EXISTS_IN_ANOTHER_PIPELINE",
        ),
        (TICKETS, json!({"label": "x", "stages": [{"label": "a"}]}), 400, "MISSING_CLOSED_STAGE"),
        (
            TICKETS,
            json!({"label": "x", "stages": [{"label": "a", "metadata": {"ticketState": "closed"}}]}),
            400,
            "INVALID_PIPELINE_STAGE_METADATA",
        ),
    ] {
        let refused = bench.ok(status, "POST", path, body);
        assert!(refused.to_string().contains(marker), "{marker}: {refused}");
    }
}

#[test]
fn a_taken_place_pushes_the_others_on() {
    let mut bench = Bench::new();
    let mut body = stage("New", "0.3");
    body["displayOrder"] = json!(1);
    bench.ok(201, "POST", &format!("{DEALS}/default/stages"), body);
    let stages = bench.ok(200, "GET", &format!("{DEALS}/default/stages"), Value::Null);
    let order: Vec<(&str, i64)> = stages["results"]
        .as_array()
        .unwrap()
        .iter()
        .take(4)
        .map(|one| (one["label"].as_str().unwrap(), one["displayOrder"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        order,
        [("Appointment Scheduled", 0), ("Qualified To Buy", 1), ("New", 2), ("Presentation Scheduled", 3)]
    );
    let path = format!("{DEALS}/default/stages/closedwon");
    bench.ok(400, "PATCH", &path, json!({"displayOrder": -1}));
}

#[test]
fn what_records_use_is_kept_since_2026_09() {
    let mut bench = Bench::new();
    let id = bench.make("deals", json!({"dealname": "x", "dealstage": "contractsent"}));
    let refused = bench.ok(400, "DELETE", &format!("{DEALS}/default/stages/contractsent"), Value::Null);
    assert_eq!(refused["subCategory"], "PipelineError.STAGE_ID_IN_USE");
    assert_eq!(refused["context"]["objectIds"], json!([id]));
    let older = "/crm/v3/pipelines/deals/default/stages/contractsent";
    bench.ok(400, "DELETE", &format!("{older}?validateReferencesBeforeDelete=true"), Value::Null);
    bench.ok(204, "DELETE", older, Value::Null);
    bench.ok(204, "DELETE", &format!("{DEALS}/default/stages/never-was"), Value::Null);
    assert_eq!(bench.get(&format!("{DEALS}/nowhere")).status, 404);
}
