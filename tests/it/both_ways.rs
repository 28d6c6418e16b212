//! Both directions between a source and a portal: what must be true whatever people do on either side.

use std::sync::Arc;
use std::time::Duration;

use hubspot_client::Limits;
use hubspot_sandbox::{Limits as PortalLimits, PortalConfig, StoredRecord};
use sync_core::report::RunReport;
use sync_core::{Engine, Options};
use sync_testkit::{Crash, CrashPlan, When};
use sync_types::Value;
use workspace_tests::{TOKEN, World};

/// Contacts that flow both ways, each property with another policy.
pub(crate) const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
direction = "both"
creates = "both"
on_delete = { source = "delete", hubspot = "delete", conflict = "edit" }
fields = [
    { from = "email", to = "email", transform = ["email"], conflict = "source" },
    { from = "name", to = "lastname", conflict = "ask" },
    { from = "city", to = "city", conflict = "source" },
    { from = "job", to = "jobtitle", conflict = "hubspot" },
    { from = "points", to = "points", transform = ["number"], kind = "number", conflict = "furthest", create = { label = "Points" } },
]
"#;

pub(crate) async fn world(people: usize) -> World {
    world_of(MAPPING, people).await
}

pub(crate) async fn world_of(mapping: &str, people: usize) -> World {
    let config = PortalConfig { limits: PortalLimits::Off, ..PortalConfig::new(TOKEN) };
    let world = World::new(config, mapping, Limits::unlimited()).await;
    world.source.collection("people", &["email", "name", "city", "job", "points"]);
    for n in 0..people {
        let row = vec![
            format!("p{n}@example.com").into(),
            format!("Person {n}").into(),
            "Bonn".into(),
            "clerk".into(),
            "1".into(),
        ];
        world.source.put("people", &format!("P{n}"), row);
    }
    let report = world.run().await;
    assert!(report.is_complete() && report.written() == people as u64, "{report:?}");
    pass(&world, 60).await;
    world
}

pub(crate) async fn pass(world: &World, seconds: u64) {
    world.clock.sleep(Duration::from_secs(seconds)).await;
}

pub(crate) fn contacts(world: &World) -> Vec<StoredRecord> {
    let page = world.portal().records("contacts", 0, 10_000).unwrap();
    page.records.into_iter().filter(|record| !record.archived).collect()
}

pub(crate) fn contact(world: &World, email: &str) -> StoredRecord {
    let found = contacts(world).into_iter().find(|contact| contact.properties["email"] == email);
    found.expect(email)
}

pub(crate) fn edit(world: &World, email: &str, property: &str, value: &str) {
    let (now, id) = (world.clock.now(), contact(world, email).id);
    world.portal().edit_as_user(now, "contacts", id, [(property, value)]).unwrap();
}

/// A column of a source record.
pub(crate) fn left(world: &World, id: &str, column: usize) -> String {
    world.source.get("people", id).map_or_else(String::new, |row| row[column].reveal().to_string())
}

pub(crate) fn right(world: &World, email: &str, property: &str) -> String {
    contact(world, email).properties.get(property).cloned().unwrap_or_default()
}

/// Runs until nothing moves any more, and says in how many runs.
pub(crate) async fn settle(world: &World) -> usize {
    for round in 0..7 {
        assert!(round < 6, "the world does not come to rest");
        let report = world.run().await;
        assert!(report.halted.is_none(), "{report:?}");
        let people = &report.links[0];
        if report.is_complete() && people.written() + people.written_left() + people.deleted == 0 {
            return round;
        }
        pass(world, 60).await;
    }
    unreachable!()
}

/// Every value of every pair agrees, and nobody stands alone.
pub(crate) fn agrees(world: &World) {
    let contacts = contacts(world);
    let ids = world.source.ids("people");
    assert_eq!(contacts.len(), ids.len(), "as many here as there");
    for id in ids {
        let email = left(world, &id, 0).to_lowercase();
        let contact = contact(world, &email);
        for (column, property) in [(1, "lastname"), (2, "city"), (3, "jobtitle"), (4, "points")] {
            let there = contact.properties.get(property).cloned().unwrap_or_default();
            assert_eq!(left(world, &id, column).replace("(empty)", ""), there, "{property} of {id}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_on_either_side_arrives_on_the_other_and_the_echo_moves_nothing() {
    let world = world(20).await;
    world.source.set("people", "P1", "city", "Ulm");
    edit(&world, "p2@example.com", "city", "Kiel");
    edit(&world, "p3@example.com", "jobtitle", "chief");
    world.source.set("people", "P3", "city", "Jena");
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(right(&world, "p1@example.com", "city"), "Ulm");
    assert_eq!(left(&world, "P2", 2), "Kiel");
    assert_eq!(
        (right(&world, "p3@example.com", "city"), left(&world, "P3", 3)),
        ("Jena".into(), "chief".into())
    );
    assert_eq!((report.links[0].updated, report.links[0].brought_back), (2, 1));
    pass(&world, 60).await;
    assert_eq!(settle(&world).await, 0, "the echoes are no changes");
    agrees(&world);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_goes_by_its_policy_and_a_person_is_asked_where_it_says_so() {
    let world = world(6).await;
    for (property, column) in [("city", "city"), ("jobtitle", "job"), ("lastname", "name")] {
        edit(&world, "p1@example.com", property, "there");
        world.source.set("people", "P1", column, "here");
    }
    edit(&world, "p1@example.com", "points", "7");
    world.source.set("people", "P1", "points", "5");
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        (left(&world, "P1", 2), right(&world, "p1@example.com", "city")),
        ("here".into(), "here".into())
    );
    assert_eq!(
        (left(&world, "P1", 3), right(&world, "p1@example.com", "jobtitle")),
        ("there".into(), "there".into())
    );
    assert_eq!((left(&world, "P1", 4), right(&world, "p1@example.com", "points")), ("7".into(), "7".into()));
    assert_eq!(
        (left(&world, "P1", 1), right(&world, "p1@example.com", "lastname")),
        ("here".into(), "there".into())
    );
    assert_eq!((report.links[0].held, report.links[0].overridden), (1, 3));

    let engine = world.engine();
    let held = engine.conflicts(&Default::default()).unwrap();
    let [(link, property, conflict)] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!(
        (link.as_str(), property.as_str(), conflict.cause.as_str()),
        ("people", "lastname", "both-changed")
    );
    assert_eq!(engine.conflicts(&sync_core::Which { settled: true, ..Default::default() }).unwrap().len(), 3);
    // Asking again and again costs nothing and changes nothing.
    drop(engine);
    pass(&world, 60).await;
    assert_eq!(settle(&world).await, 0);
    let mut engine = world.engine();
    let told = engine.resolve_conflicts(&Default::default(), sync_core::decide::Side::Right).unwrap();
    assert_eq!(told, 1);
    drop(engine);
    settle(&world).await;
    agrees(&world);
    assert_eq!(left(&world, "P1", 1), "there");
    assert!(world.engine().conflicts(&Default::default()).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_record_on_either_side_is_made_on_the_other_once() {
    let world = world(3).await;
    let now = world.clock.now();
    let ada = [("email", "ada@example.com"), ("lastname", "Ada"), ("city", "London")];
    world.portal().create_as_user(now, "contacts", ada).unwrap();
    world.source.put(
        "people",
        "P9",
        vec!["Bob@example.com".into(), "Bob".into(), Value::Null, Value::Null, "3".into()],
    );
    // The search index takes some seconds to show a new record.
    pass(&world, 60).await;
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.links[0].created, report.links[0].created_left), (1, 1));
    pass(&world, 60).await;
    assert_eq!(settle(&world).await, 0);
    assert_eq!(world.source.ids("people").len(), 5);
    agrees(&world);
}

#[tokio::test(start_paused = true)]
async fn the_same_person_made_on_both_sides_is_one_pair() {
    let world = world(3).await;
    let now = world.clock.now();
    let ada = [("email", "ada@example.com"), ("lastname", "Ada"), ("city", "London")];
    world.portal().create_as_user(now, "contacts", ada).unwrap();
    world.source.put(
        "people",
        "P9",
        vec!["ada@example.com".into(), "Ada".into(), Value::Null, "poet".into(), "3".into()],
    );
    settle(&world).await;
    agrees(&world);
    assert_eq!((left(&world, "P9", 2), world.source.ids("people").len()), ("London".into(), 4));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_travels_after_its_evidence_has_lasted_and_an_edit_is_stronger() {
    let world = world(8).await;
    world.source.remove("people", "P1");
    world.source.remove("people", "P2");
    edit(&world, "p2@example.com", "city", "Kiel");
    let now = world.clock.now();
    for (email, id) in [("p3@example.com", "P3"), ("p4@example.com", "P4")] {
        let contact = contact(&world, email).id;
        world.portal().archive_record(now, "contacts", contact).unwrap();
        // Only a look at the record finds out; search does not tell.
        world.source.set("people", id, "city", if id == "P4" { "Jena" } else { "Bonn" });
    }
    // P3 was not changed: nothing makes the engine look, until a sweep does. Touch it without a change.
    world.source.set("people", "P3", "points", "1.0");
    let report = world.run().await;
    assert_eq!(report.links[0].deleted, 0, "one look is no evidence: {report:?}");
    assert_eq!(contacts(&world).len(), 6);
    pass(&world, 700).await;
    settle(&world).await;
    let emails: Vec<String> =
        contacts(&world).iter().map(|contact| contact.properties["email"].clone()).collect();
    assert!(!emails.contains(&"p1@example.com".to_owned()), "deleted at the source: {emails:?}");
    assert!(emails.contains(&"p2@example.com".to_owned()), "edited in HubSpot meanwhile: {emails:?}");
    assert!(!world.source.ids("people").contains(&"P3".to_owned()), "deleted in HubSpot");
    assert!(emails.contains(&"p4@example.com".to_owned()), "edited at the source meanwhile, so made anew");
    assert_eq!(right(&world, "p4@example.com", "city"), "Jena");
}

#[tokio::test(start_paused = true)]
async fn a_merge_deletes_nobody() {
    let world = world(4).await;
    let (one, two) = (contact(&world, "p1@example.com").id, contact(&world, "p2@example.com").id);
    let client = world.client();
    let objects = client.objects(&hubspot_client::ObjectType::new("contacts").unwrap());
    objects.merge(&one.to_string().as_str().into(), &two.to_string().as_str().into()).await.unwrap();
    for round in 0..4 {
        world.source.set("people", "P2", "city", format!("Town {round}"));
        let report = world.run().await;
        assert!(report.halted.is_none(), "{report:?}");
        pass(&world, 700).await;
    }
    assert_eq!(world.source.ids("people").len(), 4, "both people are still there");
    assert_eq!(contacts(&world).len(), 3);
    let letters = world.engine().dead_letters(&Default::default()).unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].1.cause, "merged");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_set_between_our_read_and_our_write_is_put_back_and_decided_on() {
    for (column, property, expected) in
        [("job", "jobtitle", "hers"), ("city", "city", "ours"), ("points", "points", "9")]
    {
        let world = world(3).await;
        let ours = if column == "points" { "5" } else { "ours" };
        let hers = if column == "points" { "9" } else { "hers" };
        world.source.set("people", "P1", column, ours);
        let id = contact(&world, "p1@example.com").id;
        let (portal, clock) = (Arc::clone(&world.portal), Arc::clone(&world.clock));
        let mut done = false;
        let crash = CrashPlan::before_each(move |step| {
            if step == "write" && !done {
                done = true;
                let now = clock.now();
                portal.lock().unwrap().edit_as_user(now, "contacts", id, [(property, hers)]).unwrap();
            }
        });
        let report = world.engine_with(&crash, Options::default()).run_once().await.unwrap();
        assert!(report.links[0].overridden >= 1, "{report:?}");
        let told = sync_core::Which { settled: true, ..Default::default() };
        let told = world.engine().conflicts(&told).unwrap();
        assert!(told.iter().any(|(_, _, conflict)| conflict.cause == "lost-update"), "{told:?}");
        settle(&world).await;
        assert_eq!(right(&world, "p1@example.com", property), expected, "{property}");
        agrees(&world);
    }
}

/// Keys that somebody else had set before (an earlier installation, a merge) do not tell how the history names us.
#[tokio::test(start_paused = true)]
async fn what_is_put_back_is_put_back_once_where_our_own_name_in_the_history_is_not_known() {
    let world = world(2).await;
    let fields = [("email", "p9@example.com"), ("lastname", "Nine")];
    let id = world.portal().create_as_user(world.clock.now(), "contacts", fields).unwrap();
    let other = contact(&world, "p1@example.com").id;
    let client = world.client();
    let objects = client.objects(&hubspot_client::ObjectType::new("contacts").unwrap());
    objects.merge(&id.to_string().as_str().into(), &other.to_string().as_str().into()).await.unwrap();
    settle(&world).await;
    world.source.set("people", "P1", "points", "5");
    let (portal, clock) = (Arc::clone(&world.portal), Arc::clone(&world.clock));
    let (mut writes, mut done) = (0, false);
    let crash = CrashPlan::before_each(move |step| {
        if step == "write" && !done {
            done = true;
            portal.lock().unwrap().edit_as_user(clock.now(), "contacts", id, [("points", "9")]).unwrap();
        }
        if step == "write" {
            writes += 1;
            assert!(writes < 10, "written again and again");
        }
    });
    world.engine_with(&crash, Options::default()).run_once().await.unwrap();
    settle(&world).await;
    assert_eq!(right(&world, "p9@example.com", "points"), "9");
    agrees(&world);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_from_the_recycling_bin_is_the_same_pair() {
    let mapping = MAPPING.replace(r#"hubspot = "delete""#, r#"hubspot = "keep""#);
    let world = world_of(&mapping, 3).await;
    let id = contact(&world, "p1@example.com").id;
    world.portal().archive_record(world.clock.now(), "contacts", id).unwrap();
    for round in 0..3 {
        world.source.set("people", "P1", "city", format!("Town {round}"));
        let report = world.run().await;
        assert!(report.halted.is_none(), "{report:?}");
        pass(&world, 700).await;
    }
    assert_eq!(
        (contacts(&world).len(), world.source.ids("people").len()),
        (2, 3),
        "each side is left as it is"
    );
    world.portal().restore_record(world.clock.now(), "contacts", id).unwrap();
    edit(&world, "p1@example.com", "jobtitle", "back");
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!(left(&world, "P1", 3), "back");
    agrees(&world);
}

#[tokio::test(start_paused = true)]
async fn many_missing_records_are_no_deletion() {
    let world = world(100).await;
    for n in 0..30 {
        world.source.remove("people", &format!("P{n}"));
    }
    for _ in 0..3 {
        let report = world.run().await;
        assert!(report.halted.as_deref().unwrap_or_default().contains("30 of 100"), "{report:?}");
        pass(&world, 700).await;
    }
    assert_eq!(contacts(&world).len(), 100);
}

/// What happens to a world while a run is killed at one of its steps.
async fn disturbed() -> World {
    let world = world(12).await;
    let now = world.clock.now();
    world.source.set("people", "P1", "city", "Ulm");
    edit(&world, "p2@example.com", "city", "Kiel");
    edit(&world, "p3@example.com", "jobtitle", "chief");
    world.source.set("people", "P3", "city", "Jena");
    edit(&world, "p4@example.com", "points", "7");
    world.source.set("people", "P4", "points", "5");
    for name in ["ada", "eve"] {
        let email = format!("{name}@example.com");
        world
            .portal()
            .create_as_user(now, "contacts", [("email", email.as_str()), ("lastname", name)])
            .unwrap();
    }
    world.source.put(
        "people",
        "P20",
        vec!["bob@example.com".into(), "Bob".into(), Value::Null, Value::Null, "3".into()],
    );
    world
}

async fn run_until(world: &World, crash: &Arc<CrashPlan>) -> Option<RunReport> {
    let mut engine: Engine = world.engine_with(crash, Options::default());
    tokio::select! {
        biased;
        () = crash.crashed() => None,
        ended = engine.run_once() => ended.ok(),
    }
}

#[tokio::test(start_paused = true)]
async fn killed_failed_or_late_at_any_step_it_comes_to_the_same_end() {
    let count = CrashPlan::count();
    let world = disturbed().await;
    run_until(&world, &count).await.unwrap();
    let names = count.names();
    assert!(names.contains(&"write left") && names.contains(&"write"), "{names:?}");
    for step in 0..count.steps() {
        for when in [When::Before, When::After, When::Fails, When::Late] {
            let world = disturbed().await;
            let crash = CrashPlan::at(Crash { step, when });
            run_until(&world, &crash).await;
            pass(&world, 60).await;
            settle(&world).await;
            agrees(&world);
            assert_eq!(world.source.ids("people").len(), 15, "nothing doubled: {step} {when:?} {names:?}");
        }
    }
}
