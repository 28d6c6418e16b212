//! Laws that hold for any sequence of calls.

use std::collections::BTreeSet;
use std::time::Duration;

use hubspot_sandbox::{Limits, Tier};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Bench, CONTACTS, config, seconds};

/// One step of a random session.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Create(u8),
    Update(u8, u8),
    Archive(u8),
    Search,
    List,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_u64..4_000).prop_map(Step::Wait),
        any::<u8>().prop_map(Step::Create),
        (any::<u8>(), any::<u8>()).prop_map(|(at, value)| Step::Update(at, value)),
        any::<u8>().prop_map(Step::Archive),
        Just(Step::Search),
        Just(Step::List),
    ]
}

/// Runs a session; `look` sees every answer.
fn run(
    bench: &mut Bench,
    steps: &[Step],
    mut look: impl FnMut(&Bench, &Step, &http::Response<bytes::Bytes>),
) {
    let mut made: Vec<String> = Vec::new();
    for step in steps {
        let at = |index: u8| {
            made.get(usize::from(index) % made.len().max(1)).cloned().unwrap_or_else(|| "1".into())
        };
        let reply = match step {
            Step::Wait(ms) => {
                bench.advance(Duration::from_millis(*ms));
                continue;
            }
            Step::Create(n) => {
                let email = format!("p{}@example.com", n % 40);
                bench.reply("POST", CONTACTS, &json!({"properties": {"email": email, "city": "0"}}))
            }
            Step::Update(index, value) => {
                let body = json!({"properties": {"city": value.to_string()}});
                bench.reply("PATCH", &format!("{CONTACTS}/{}", at(*index)), &body)
            }
            Step::Archive(index) => {
                bench.reply("DELETE", &format!("{CONTACTS}/{}", at(*index)), &Value::Null)
            }
            Step::Search => {
                let body = json!({"properties": ["city"], "limit": 200, "sorts": ["-lastmodifieddate"]});
                bench.reply("POST", &format!("{CONTACTS}/search"), &body)
            }
            Step::List => bench.reply("GET", &format!("{CONTACTS}?limit=7"), &Value::Null),
        };
        if matches!(step, Step::Create(_)) && reply.response.status() == 201 {
            let body: Value = serde_json::from_slice(reply.response.body()).unwrap();
            made.push(body["id"].as_str().unwrap().to_owned());
        }
        look(bench, step, &reply.response);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_seed_and_calls_give_the_same_bytes(seed: u64, steps in prop::collection::vec(step(), 1..60)) {
        let trace = || {
            let mut config = config();
            config.seed = seed;
            config.limits = Limits::ByTier;
            let mut trace = Vec::new();
            run(&mut Bench::with(config), &steps, |_, _, response| {
                trace.push((response.status(), response.headers().clone(), response.body().clone()));
            });
            trace
        };
        prop_assert_eq!(trace(), trace());
    }

    #[test]
    fn search_never_shows_a_write_younger_than_the_lag(steps in prop::collection::vec(step(), 1..80)) {
        let mut bench = Bench::new();
        let mut worst = None;
        run(&mut bench, &steps, |bench, step, response| {
            if !matches!(step, Step::Search) {
                return;
            }
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            let horizon = bench.now.as_millisecond() - 5_000;
            for one in body["results"].as_array().unwrap() {
                let changed: Timestamp = one["updatedAt"].as_str().unwrap().parse().unwrap();
                let id: u64 = one["id"].as_str().unwrap().parse().unwrap();
                // The value shown is the one that stood at the horizon.
                let history = bench.portal.history("contacts", id, "city").unwrap();
                let stood = history.iter().find(|value| value.at.as_millisecond() <= horizon);
                let shown = one["properties"]["city"].as_str().map(str::to_owned);
                if changed.as_millisecond() > horizon || stood.map(|value| value.value.clone()) != shown {
                    worst = Some(one.clone());
                }
            }
        });
        prop_assert_eq!(worst, None);
    }

    #[test]
    fn pages_partition_the_live_ids(
        steps in prop::collection::vec(step(), 1..80),
        size in 1_usize..10,
    ) {
        let mut bench = Bench::new();
        run(&mut bench, &steps, |_, _, _| {});
        let mut seen: Vec<u64> = Vec::new();
        let mut after = None::<String>;
        loop {
            let from = after.as_deref().map(|after| format!("&after={after}")).unwrap_or_default();
            let page = bench.get(&format!("{CONTACTS}?limit={size}{from}")).body;
            let ids = page["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().parse::<u64>().unwrap());
            seen.extend(ids);
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        let live = bench.portal.records("contacts", 0, usize::MAX).unwrap().records;
        let wanted: Vec<u64> = live.iter().map(|record| record.id).collect();
        prop_assert_eq!(seen, wanted);
    }

    #[test]
    fn no_ten_seconds_hold_more_calls_than_allowed(waits in prop::collection::vec(0_u64..400, 150..600)) {
        let mut config = config();
        config.tier = Tier::Free;
        config.limits = Limits::ByTier;
        let mut bench = Bench::with(config);
        let mut accepted: Vec<Timestamp> = Vec::new();
        let mut refused_early = false;
        for wait in waits {
            bench.advance(Duration::from_millis(wait));
            let recent = accepted.iter().filter(|at| bench.now.duration_since(**at).as_millis() < 10_000).count();
            if bench.get(CONTACTS).status == 200 {
                accepted.push(bench.now);
            } else {
                refused_early |= recent < 100;
            }
        }
        for (first, at) in accepted.iter().enumerate() {
            let within = accepted.iter().skip(first).filter(|other| other.duration_since(*at).as_millis() < 10_000);
            prop_assert!(within.count() <= 100);
        }
        prop_assert!(!refused_early, "a call was refused although the window had room");
    }
}

#[test]
fn unique_values_stay_unique() {
    let mut bench = Bench::new();
    for n in 0..200_u32 {
        let email = format!("p{}@example.com", (n * 7) % 50);
        let status = bench.call("POST", CONTACTS, json!({"properties": {"email": email}})).status;
        assert!(status == 201 || status == 409);
        bench.advance(seconds(1));
    }
    let records = bench.portal.records("contacts", 0, usize::MAX).unwrap().records;
    let emails: BTreeSet<&String> = records.iter().map(|record| &record.properties["email"]).collect();
    assert_eq!((records.len(), emails.len()), (50, 50));
}
