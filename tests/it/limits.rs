//! A portal's limits in virtual time: full use without a refusal, and room for those who wait.

use std::time::Duration;

use hubspot_client::Limits;
use hubspot_sandbox::{PortalConfig, StoredRecord, Tier};
use sync_core::PlanSink;
use sync_types::Value;
use workspace_tests::{TOKEN, World};

use crate::mapping::MAPPING;
use crate::one_way::{fill, person};

const CONTACTS: usize = 100_000;
const FIRMS: usize = 1_000;
const VIP: &str = "person1000000@example.com";

async fn professional() -> World {
    let config = PortalConfig {
        tier: Tier::Professional,
        latency: Duration::from_millis(300),
        ..PortalConfig::new(TOKEN)
    };
    // Custom objects need a higher tier: this world has companies and contacts.
    let mapping = without_machines();
    let world = World::new(config, &mapping, Limits::professional()).await;
    world.source.collection("firms", &["name", "domain"]);
    world.source.collection("people", &["email", "name", "points", "firm", "bills"]);
    world
}

fn without_machines() -> String {
    let head = MAPPING.split("[[objects]]").next().unwrap();
    let links = MAPPING.split("[[links]]").collect::<Vec<_>>();
    format!("{head}[[links]]{}[[links]]{}", links[1], links[2])
}

/// The least time that so many calls take: 190 may start in any 10 s, each takes 300 ms.
fn possible(calls: u64) -> Duration {
    let windows = u32::try_from((calls - 1) / 190).unwrap();
    Duration::from_secs(10) * windows + Duration::from_millis(300)
}

#[tokio::test(start_paused = true)]
async fn a_backfill_uses_the_limit_in_full_without_one_refusal_and_as_long_as_planned() {
    let world = professional().await;
    fill(&world, FIRMS, CONTACTS);
    // The window of `init` must have passed: the measure begins with a fresh one.
    world.clock.sleep(Duration::from_secs(11)).await;
    let forecast = world.engine().plan(PlanSink::none()).await.unwrap();
    world.clock.sleep(Duration::from_secs(11)).await;
    world.portal().clear_stats();

    let start = world.clock.monotonic();
    let report = world.run().await;
    let took = world.clock.monotonic() - start;

    assert!(report.is_complete());
    assert_eq!(report.links[1].created, CONTACTS as u64);
    let stats = world.portal().stats().clone();
    assert_eq!(stats.rate_limited, 0, "a call was refused");
    // 100,000 contacts, 1,000 companies, 100,000 primary and 20,000 labelled associations.
    let needed = 1_000 + 10 + 50 + 10;
    let share = possible(needed).as_secs_f64() / took.as_secs_f64();
    assert!(share >= 0.98, "{:.1} % of what is possible: {took:?} for {} calls", share * 100.0, stats.calls);
    let off = (forecast.duration.as_secs_f64() - took.as_secs_f64()).abs() / took.as_secs_f64();
    assert!(off <= 0.05, "planned {:?}, took {took:?}", forecast.duration);
}

#[tokio::test(start_paused = true)]
async fn a_live_change_is_written_within_two_seconds_of_a_running_backfill() {
    let world = professional().await;
    fill(&world, 50, 40_000);
    world.source.put("people", "VIP", person(1_000_000, "F1", Value::Null, 0));
    let mut engine = world.engine();
    let live = engine.live_handle();
    let portal = std::sync::Arc::clone(&world.portal);
    let clock = std::sync::Arc::clone(&world.clock);
    let source = std::sync::Arc::clone(&world.source);
    let watch = async {
        let mut waits = Vec::new();
        let mut place = 0;
        // At odd moments of the rolling window, drained or not.
        for (n, pause) in [1_700, 2_900, 3_100, 2_300, 1_900].into_iter().enumerate() {
            clock.sleep(Duration::from_millis(pause)).await;
            let points = 500_000 + i64::try_from(n).unwrap();
            source.put("people", "VIP", person(1_000_000, "F1", Value::Null, points));
            let since = clock.monotonic();
            live.touch("people", "VIP".into());
            loop {
                clock.sleep(Duration::from_millis(20)).await;
                let portal = portal.lock().unwrap();
                // Where the record is, once it has been found.
                let page = portal.records("contacts", place, if place == 0 { 1_000_000 } else { 1 }).unwrap();
                let is_it =
                    |record: &&StoredRecord| record.properties.get("email").is_some_and(|email| email == VIP);
                let Some(record) = page.records.iter().find(is_it) else { continue };
                place = record.id;
                if record.properties.get("points") == Some(&points.to_string()) {
                    break;
                }
            }
            waits.push(clock.monotonic() - since);
        }
        waits
    };
    let (report, waits) = tokio::join!(engine.run_once(), watch);
    let report = report.unwrap();
    assert!(report.is_complete() && report.parked() == 0, "{report:?}");
    assert_eq!(waits.len(), 5);
    for wait in waits {
        assert!(wait <= Duration::from_secs(2), "a live change waited {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_another_app_eating_half_of_the_burst_refusals_stay_under_one_percent() {
    let world = professional().await;
    fill(&world, 100, 60_000);
    world.portal().set_burst_share(0.5);
    world.portal().clear_stats();
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let stats = world.portal().stats().clone();
    let share = stats.rate_limited as f64 / stats.calls as f64;
    assert!(share < 0.01, "{} of {} calls were refused", stats.rate_limited, stats.calls);
}
