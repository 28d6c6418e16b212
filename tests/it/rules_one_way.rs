//! Links to HubSpot alone whose rules depend on what HubSpot has: values that only move forward, values that only fill
//! what is empty, and deletions.

use std::time::Duration;

use sync_core::Options;
use sync_testkit::CrashPlan;
use workspace_tests::World;

use crate::both_ways::{contacts, edit, left, pass, right, world_of};

/// Contacts that flow to HubSpot. `city` belongs to the people there once they have filled it in.
const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
on_delete = { source = "delete" }
fields = [
    { from = "email", to = "email", transform = ["email"] },
    { from = "name", to = "lastname" },
    { from = "city", to = "city", overwrite = false },
    { from = "points", to = "points", transform = ["number"], kind = "number", when_empty = "ignore", ratchet = true, create = { label = "Points" } },
]
"#;

async fn world() -> World {
    world_of(MAPPING, 3).await
}

#[tokio::test(start_paused = true)]
async fn a_value_that_only_moves_forward_is_never_taken_back() {
    let world = world().await;
    world.source.set("people", "P0", "points", "5");
    world.source.set("people", "P1", "points", "0");
    edit(&world, "p2@example.com", "points", "9");
    world.source.set("people", "P2", "points", "7");
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let points = |person: &str| right(&world, &format!("{person}@example.com"), "points");
    assert_eq!(points("p0"), "5", "a step forward is carried over");
    assert_eq!(points("p1"), "1", "a step back is not");
    assert_eq!(points("p2"), "9", "nor is a step to before what HubSpot has");
    assert_eq!(report.links[0].held, 1, "the step back waits for a person: {report:?}");
    assert_eq!(left(&world, "P2", 4), "7", "nothing flows to the source");
    pass(&world, 60).await;
    let report = world.run().await;
    assert_eq!(report.links[0].written(), 0, "and nothing more happens: {report:?}");
    world.source.set("people", "P2", "points", "10");
    world.run().await;
    assert_eq!(points("p2"), "10", "past what HubSpot has it moves on");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_only_fills_what_is_empty_stays_theirs() {
    let world = world().await;
    edit(&world, "p0@example.com", "city", "Kiel");
    edit(&world, "p1@example.com", "city", "");
    for person in ["P0", "P1"] {
        world.source.set("people", person, "city", "Ulm");
        world.source.set("people", person, "name", "Jo");
    }
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let shown = |person: &str, property: &str| right(&world, &format!("{person}@example.com"), property);
    assert_eq!((shown("p0", "city"), shown("p0", "lastname")), ("Kiel".into(), "Jo".into()));
    assert_eq!((shown("p1", "city"), shown("p1", "lastname")), ("Ulm".into(), "Jo".into()));
    pass(&world, 60).await;
    let report = world.run().await;
    assert_eq!((report.links[0].written(), report.is_complete()), (0, true), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_from_the_source_is_deleted_in_hubspot_after_a_while() {
    let world = world().await;
    world.source.remove("people", "P0");
    let mut options = Options::default();
    options.absence = Duration::from_secs(600);
    let run = async || world.engine_with(&CrashPlan::count(), options.clone()).run_once().await.unwrap();
    let report = run().await;
    assert_eq!((report.links[0].deleted, contacts(&world).len()), (0, 3), "a first sign is no evidence");
    pass(&world, 660).await;
    let report = run().await;
    assert_eq!((report.links[0].deleted, contacts(&world).len()), (1, 2), "{report:?}");
    pass(&world, 660).await;
    let report = run().await;
    assert_eq!((report.links[0].deleted, contacts(&world).len()), (0, 2), "{report:?}");
}
