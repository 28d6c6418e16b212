//! A run costs what has changed, not what is there: the source is asked for changes, and read in full only where that
//! would not do.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sync_core::Options;
use sync_core::report::{Reading, RunReport};
use sync_testkit::{CrashPlan, SourceCalls};
use sync_types::{ChangesPromise, Value};
use workspace_tests::World;

use crate::both_ways::{MAPPING, agrees, contacts, edit, left, pass, right, settle, world, world_of};

/// A world that has come to rest: what the first load left behind is heard and done.
async fn rested(people: usize) -> World {
    let world = world(people).await;
    pass(&world, 7_200).await;
    settle(&world).await;
    pass(&world, 7_200).await;
    settle(&world).await;
    pass(&world, 60).await;
    world
}

/// A run, with what it asked of the source and how often it called HubSpot.
async fn counted(world: &World) -> (RunReport, SourceCalls, u64) {
    let (asked, called) = (world.source.calls(), world.calls.load(Ordering::Relaxed));
    let report = world.run().await;
    (report, world.source.calls().since(asked), world.calls.load(Ordering::Relaxed) - called)
}

async fn run_with(world: &World, change: impl Fn(&mut Options)) -> RunReport {
    let mut options = Options::default();
    change(&mut options);
    let report = world.engine_with(&CrashPlan::count(), options).run_once().await.unwrap();
    World::adds_up(&report);
    report
}

#[tokio::test(start_paused = true)]
async fn an_idle_run_asks_once_and_reads_nothing() {
    let mut calls = Vec::new();
    for people in [10, 300] {
        let world = rested(people).await;
        let (report, asked, called) = counted(&world).await;
        assert_eq!((report.links[0].reading, report.links[0].read), (Reading::Changes, 0), "{report:?}");
        assert_eq!(asked, SourceCalls { changes: 1, ..SourceCalls::default() });
        calls.push(called);
    }
    assert!(calls[0] <= 2 && calls[0] == calls[1], "whatever is there: {calls:?}");
}

/// 40 changes on each side: what they cost in calls of either side, until the world is at rest again.
async fn cost_of_changes(people: usize) -> Vec<(SourceCalls, u64)> {
    let world = rested(people).await;
    let contacts = contacts(&world);
    let now = world.clock.now();
    for n in 0..40 {
        world.source.set("people", &format!("P{n}"), "city", "Ulm");
        let id = contacts.iter().find(|one| one.properties["email"] == format!("p{}@example.com", 100 + n));
        world.portal().edit_as_user(now, "contacts", id.unwrap().id, [("jobtitle", "chief")]).unwrap();
    }
    pass(&world, 60).await;
    let mut costs = Vec::new();
    for round in 0..3 {
        let (report, asked, called) = counted(&world).await;
        let people = &report.links[0];
        assert_eq!(people.reading, Reading::Changes, "{report:?}");
        let moved = (people.updated, people.brought_back);
        assert_eq!(moved, if round == 0 { (40, 40) } else { (0, 0) }, "{report:?}");
        costs.push((asked, called));
        pass(&world, 60).await;
    }
    agrees(&world);
    costs
}

#[tokio::test(start_paused = true)]
async fn the_same_changes_cost_the_same_calls_among_ten_times_as_many_pairs() {
    let (few, many) = (cost_of_changes(150).await, cost_of_changes(1_500).await);
    assert_eq!(few, many);
    // Both sides of 80 pairs are read, 40 written on each side, and the histories of those in HubSpot looked up.
    let (asked, called) = few[0];
    assert_eq!((asked.pages, asked.writes), (0, 1), "{few:?}");
    assert!(asked.total() <= 6 && called <= 8, "{few:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_source_forgot_or_never_told_is_found_by_reading_it_in_full() {
    let world = rested(5).await;
    world.source.set("people", "P1", "city", "Ulm");
    world.source.forget_changes("people");
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].updated), (Reading::Gap, 1), "{report:?}");
    let (report, asked, _) = counted(&world).await;
    assert_eq!((report.links[0].reading, asked.pages), (Reading::Changes, 0), "{report:?}");

    world.source.silence("people", true);
    world.source.set("people", "P2", "city", "Kiel");
    world.source.silence("people", false);
    assert_eq!(world.run().await.links[0].updated, 0, "nobody told");
    pass(&world, 24 * 3600).await;
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].updated), (Reading::Due, 1), "{report:?}");
    agrees(&world);
    assert_eq!(world.run().await.links[0].reading, Reading::Changes);
    let report = run_with(&world, |options| options.rescan = Duration::ZERO).await;
    assert_eq!(report.links[0].reading, Reading::Changes, "it counts from the scan on");
}

#[tokio::test(start_paused = true)]
async fn another_mapping_reads_everything_once() {
    let mut world = rested(5).await;
    let other = MAPPING.replace(r#"to = "city", conflict"#, r#"to = "city", transform = ["trim"], conflict"#);
    let checked = mapping_engine::check("mapping.toml", &other, mapping_engine::Schemas::default());
    world.mapping = std::sync::Arc::new(checked.unwrap());
    assert_eq!(world.run().await.links[0].reading, Reading::NewMapping);
    assert_eq!(world.run().await.links[0].reading, Reading::Changes);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_left_something_open_is_made_again() {
    let world = rested(5).await;
    world.source.forget_changes("people");
    world.source.set("people", "P1", "city", "Ulm");
    let locked = hubspot_sandbox::Fault {
        matcher: hubspot_sandbox::Matcher {
            path_contains: Some("/contacts/batch/update".into()),
            ..hubspot_sandbox::Matcher::default()
        },
        skip: 0,
        count: None,
        kind: hubspot_sandbox::FaultKind::Locked,
    };
    world.portal().inject(locked).unwrap();
    let report = world.run().await;
    assert!(!report.is_complete() && report.links[0].reading == Reading::Gap, "{report:?}");
    world.portal().clear_faults();
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].updated), (Reading::Gap, 1), "{report:?}");
    assert_eq!(world.run().await.links[0].reading, Reading::Changes);
    agrees(&world);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_tried_until_it_is_though_nobody_tells_again() {
    let world = rested(5).await;
    world.source.set("people", "P1", "city", "Ulm");
    world
        .portal()
        .inject(hubspot_sandbox::Fault {
            matcher: hubspot_sandbox::Matcher {
                path_contains: Some("/contacts/batch/".into()),
                ..hubspot_sandbox::Matcher::default()
            },
            skip: 0,
            count: None,
            kind: hubspot_sandbox::FaultKind::Status { status: 502, retry_after: None },
        })
        .unwrap();
    for _ in 0..2 {
        let report = world.run().await;
        assert!(!report.is_complete(), "{report:?}");
    }
    world.portal().clear_faults();
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!(right(&world, "p1@example.com", "city"), "Ulm");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_told_counts_once_it_has_lasted_and_costs_nothing_meanwhile() {
    let world = rested(8).await;
    for id in ["P1", "P2"] {
        world.source.remove("people", id);
    }
    let report = world.run().await;
    assert_eq!((report.links[0].gone, report.links[0].deleted), (2, 0), "{report:?}");
    let (report, asked, called) = counted(&world).await;
    assert_eq!((report.links[0].read, asked.reads), (0, 0), "nothing can be known yet: {report:?}");
    assert!(called <= 2, "{called}");
    // P2 comes back, and goes again: it has not been away for long.
    pass(&world, 500).await;
    world.source.put(
        "people",
        "P2",
        vec!["p2@example.com".into(), Value::Null, Value::Null, Value::Null, "1".into()],
    );
    world.source.remove("people", "P2");
    pass(&world, 200).await;
    let report = world.run().await;
    assert_eq!((report.links[0].deleted, contacts(&world).len()), (1, 7), "{report:?}");
    pass(&world, 700).await;
    assert_eq!((world.run().await.links[0].deleted, contacts(&world).len()), (1, 6));
    assert_eq!(settle(&world).await, 0);
    assert_eq!(world.engine().totals().unwrap().dirty, 0, "nothing is left waiting");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_tell_deletions_is_read_in_full_where_they_matter() {
    let world = rested(6).await;
    world.source.promise(Some(ChangesPromise { deletes: false }));
    world.source.silence("people", true);
    world.source.remove("people", "P1");
    assert_eq!(world.run().await.links[0].reading, Reading::Deletions);
    pass(&world, 700).await;
    let report = world.run().await;
    assert_eq!((report.links[0].deleted, contacts(&world).len()), (1, 5), "{report:?}");

    // Where they do not, a scan finds them in its time, and a second one a little later.
    let kept = MAPPING.replace(r#"source = "delete""#, r#"source = "keep""#);
    let world = world_of(&kept, 6).await;
    settle(&world).await;
    world.source.promise(Some(ChangesPromise { deletes: false }));
    world.source.silence("people", true);
    world.source.remove("people", "P1");
    assert_eq!(world.run().await.links[0].reading, Reading::Changes);
    pass(&world, 24 * 3600).await;
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].gone), (Reading::Due, 1), "{report:?}");
    pass(&world, 700).await;
    assert_eq!(world.run().await.links[0].reading, Reading::Due, "the second look");
    assert_eq!((world.run().await.links[0].reading, contacts(&world).len()), (Reading::Changes, 6));
}

#[tokio::test(start_paused = true)]
async fn a_record_of_hubspot_that_the_source_has_under_another_id_is_not_made_there() {
    let world = rested(4).await;
    // A pair that nobody tells of in this run, and a parked record that has no pair at all.
    world.source.put(
        "people",
        "P9",
        vec!["bad@example.com".into(), Value::Null, Value::Null, Value::Null, "1".into()],
    );
    let refused = hubspot_sandbox::FaultKind::Status { status: 400, retry_after: None };
    let matcher = hubspot_sandbox::Matcher {
        path_contains: Some("/contacts/batch/upsert".into()),
        ..hubspot_sandbox::Matcher::default()
    };
    world
        .portal()
        .inject(hubspot_sandbox::Fault { matcher, skip: 0, count: Some(3), kind: refused })
        .unwrap();
    let report = world.run().await;
    assert_eq!(report.links[0].parked_total(), 1, "{report:?}");
    world.portal().clear_faults();
    let now = world.clock.now();
    let twin = [("email", "bad@example.com"), ("lastname", "Twin")];
    world.portal().create_as_user(now, "contacts", twin).unwrap();
    pass(&world, 60).await;
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].created_left), (Reading::Changes, 0), "{report:?}");
    assert_eq!(world.source.ids("people").len(), 5);
    let letters = world.engine().dead_letters(&Default::default()).unwrap();
    assert!(letters.iter().any(|(_, letter)| letter.cause == "duplicate"), "{letters:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_for_the_right_side_leaves_the_source_unread() {
    let world = rested(6).await;
    world.source.promise(None);
    edit(&world, "p1@example.com", "jobtitle", "chief");
    world.source.set("people", "P2", "city", "Ulm");
    pass(&world, 60).await;
    let asked = world.source.calls();
    let report = run_with(&world, |options| options.right_only = true).await;
    assert_eq!((report.links[0].reading, report.links[0].brought_back), (Reading::Nothing, 1), "{report:?}");
    assert_eq!((world.source.calls().since(asked).pages, left(&world, "P1", 3)), (0, "chief".into()));
    assert_eq!(right(&world, "p2@example.com", "city"), "Bonn", "that waits for the next run");
    let report = world.run().await;
    assert_eq!((report.links[0].reading, report.links[0].updated), (Reading::Full, 1), "{report:?}");
    agrees(&world);
}
