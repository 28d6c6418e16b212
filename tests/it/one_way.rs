//! One direction, from a source to a portal: what must be true of every run.

use hubspot_client::Limits;
use hubspot_sandbox::{Limits as PortalLimits, PortalConfig, StoredRecord};
use sync_types::Value;
use workspace_tests::{TOKEN, World};

use crate::mapping::MAPPING;

pub(crate) async fn world() -> World {
    let config = PortalConfig { limits: PortalLimits::Off, ..PortalConfig::new(TOKEN) };
    let world = World::new(config, MAPPING, Limits::unlimited()).await;
    world.source.collection("firms", &["name", "domain"]);
    world.source.collection("people", &["email", "name", "points", "firm", "bills"]);
    world.source.collection("machines", &["serial", "firm"]);
    world
}

pub(crate) fn fill(world: &World, firms: usize, people: usize) {
    for n in 0..firms {
        let domain = format!("firm{n}.example");
        world.source.put("firms", &format!("F{n}"), vec![format!("Firm {n}").into(), domain.into()]);
        let machine = vec![format!("SN-{n:05}").into(), format!("F{n}").into()];
        world.source.put("machines", &format!("M{n}"), machine);
    }
    for n in 0..people {
        let firm = format!("F{}", n % firms.max(1));
        let bills = if n % 5 == 0 { Value::text(firm.clone()) } else { Value::Null };
        world.source.put("people", &format!("P{n}"), person(n, &firm, bills, n as i64));
    }
}

pub(crate) fn person(n: usize, firm: &str, bills: Value, points: i64) -> Vec<Value> {
    let email = format!("Person{n}@Example.com ");
    vec![email.into(), format!("Person {n}").into(), points.to_string().into(), firm.into(), bills]
}

/// Write calls that the portal saw since its statistics were last cleared.
pub(crate) fn writes(world: &World) -> u64 {
    let portal = world.portal();
    let stats = portal.stats();
    stats.writes + stats.upserts
}

#[tokio::test(start_paused = true)]
async fn everything_arrives_verifies_clean_and_the_second_run_writes_nothing() {
    let world = world().await;
    fill(&world, 40, 230);
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let created: Vec<u64> = report.links.iter().map(|link| link.created).collect();
    assert_eq!(created, [40, 230, 40]);
    let added: Vec<u64> = report.edges.iter().map(|edge| edge.added).collect();
    assert_eq!(added, [230, 46, 40]);

    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
    assert_eq!(verdict.links.iter().map(|link| link.in_sync).collect::<Vec<_>>(), [40, 230, 40]);
    assert!(verdict.edges_agree > 230 + 46 + 40, "plain associations are compared as well");

    world.portal().clear_stats();
    let again = world.run().await;
    assert_eq!(again.written() + again.edges_written(), 0);
    let calls: u64 = world.portal().requests().len() as u64;
    let before = calls;
    world.run().await;
    assert_eq!(world.portal().requests().len() as u64, before, "an unchanged world costs no call at all");
    assert_eq!(writes(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn a_change_costs_one_call_per_hundred_records() {
    let world = world().await;
    fill(&world, 10, 1_000);
    world.run().await;
    for n in 0..300 {
        world.source.put("people", &format!("P{n}"), person(n, "F1", Value::Null, 1_000_000));
    }
    world.portal().clear_stats();
    let report = world.run().await;
    assert_eq!(report.links[1].updated, 300);
    assert_eq!(world.portal().stats().upserts, 3);
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_changes_among_a_hundred_thousand_cost_ten_upserts_and_none_cost_nothing() {
    let world = world().await;
    // A source that cannot tell what changed: all of it is read each time.
    world.source.promise(None);
    fill(&world, 10, 100_000);
    world.run().await;
    world.portal().clear_stats();
    let unchanged = world.run().await;
    assert_eq!(unchanged.links[1].unchanged, 100_000);
    assert_eq!(world.portal().stats().calls, 0, "unchanged records cost no call of any kind");

    for n in (0..100_000).step_by(100) {
        let firm = format!("F{}", n % 10);
        let bills = if n % 5 == 0 { Value::text(firm.clone()) } else { Value::Null };
        world.source.put("people", &format!("P{n}"), person(n, &firm, bills, -1));
    }
    let changed = world.run().await;
    assert_eq!(changed.links[1].updated, 1_000);
    let stats = world.portal().stats().clone();
    assert_eq!((stats.upserts, stats.calls, stats.searches), (10, 10, 0), "{:?}", stats.by_operation);
}

/// All live records of a type.
pub(crate) fn live(world: &World, object: &str) -> Vec<StoredRecord> {
    world.portal().records(object, 0, 1_000_000).unwrap().records
}

/// The live contact with this e-mail address.
pub(crate) fn contact(world: &World, email: &str) -> Option<StoredRecord> {
    let is_it = |record: &StoredRecord| record.properties.get("email").is_some_and(|value| value == email);
    live(world, "contacts").into_iter().find(is_it)
}
