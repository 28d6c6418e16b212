//! Taking a run back: everything is as it was before it, but for what somebody has changed since, which is listed.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::Arc;

use sync_core::{Options, UndoPlan, UndoVerb};
use sync_testkit::{Crash, CrashPlan, When};
use sync_types::Value;
use workspace_tests::World;

use crate::both_ways::{MAPPING, contact, edit, left, pass, right, settle, world, world_of};
use crate::one_way;

type Side = BTreeMap<String, BTreeMap<String, String>>;

/// What both sides hold, by record: HubSpot's mapped properties and the source's columns; empty ones left out.
fn both(world: &World) -> (Side, Side) {
    let page = world.portal().records("contacts", 0, 10_000).unwrap();
    let contacts = page.records.into_iter().filter(|record| !record.archived).map(|record| {
        let mapped = ["email", "lastname", "city", "jobtitle", "points"];
        let values = record
            .properties
            .iter()
            .filter(|(name, value)| mapped.contains(&name.as_str()) && !value.is_empty());
        (record.id.to_string(), values.map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    let columns = ["email", "name", "city", "job", "points"];
    let people = world.source.ids("people").into_iter().map(|id| {
        let row = world.source.get("people", &id).unwrap();
        let values = columns.iter().zip(&row).filter(|(_, value)| !value.is_null());
        (id, values.map(|(name, value)| ((*name).to_owned(), value.reveal().to_string())).collect())
    });
    (contacts.collect(), people.collect())
}

async fn plan(world: &World, run: u64) -> UndoPlan {
    world.engine().plan_undo(run).await.unwrap()
}

async fn undo(world: &World, run: u64) -> sync_core::report::RunReport {
    let plan = plan(world, run).await;
    let report = world.engine().undo(plan).await.unwrap();
    World::adds_up(&report);
    report
}

fn row(n: usize) -> Vec<Value> {
    vec![
        format!("new{n}@example.com").into(),
        format!("New {n}").into(),
        "Ulm".into(),
        Value::Null,
        "3".into(),
    ]
}

/// A world in which everything that a run can do is due.
async fn eventful() -> World {
    let world = world(12).await;
    world.source.set("people", "P0", "city", "Ulm");
    world.source.set("people", "P1", "points", "9");
    world.source.set("people", "P2", "city", Value::Null);
    edit(&world, "p3@example.com", "jobtitle", "chief");
    edit(&world, "p4@example.com", "city", "Kiel");
    edit(&world, "p5@example.com", "jobtitle", "");
    world.source.set("people", "P6", "city", "Jena");
    edit(&world, "p6@example.com", "jobtitle", "poet");
    world.source.put("people", "P90", row(90));
    world.source.put("people", "P91", row(91));
    let ada = [("email", "ada@example.com"), ("lastname", "Ada"), ("city", "London")];
    world.portal().create_as_user(world.clock.now(), "contacts", ada).unwrap();
    pass(&world, 60).await;
    world
}

#[tokio::test(start_paused = true)]
async fn what_nobody_edited_since_is_as_before_and_the_rest_is_listed() {
    let world = eventful().await;
    let before = both(&world);
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let run = report.run;
    let after = both(&world);
    assert_ne!(before, after);
    pass(&world, 60).await;
    // People go on: each touches something that the run had written.
    edit(&world, "p0@example.com", "city", "hers");
    world.source.set("people", "P3", "job", "his");
    edit(&world, "new91@example.com", "lastname", "hers");

    let planned = plan(&world, run).await;
    let verb = |verb| {
        planned.rows.iter().filter(|row| row.verb == verb).map(|row| row.id.as_str()).collect::<Vec<_>>()
    };
    let mut restored = verb(UndoVerb::Restore);
    restored.sort_unstable();
    assert_eq!(restored, ["P1", "P2", "P6"]);
    let mut left_ones = verb(UndoVerb::RestoreSource);
    left_ones.sort_unstable();
    assert_eq!(left_ones, ["P4", "P5", "P6"]);
    assert_eq!(verb(UndoVerb::Archive), ["P90"]);
    assert_eq!(verb(UndoVerb::DeleteSource).len(), 1, "the one that was made of Ada");
    let kept: Vec<(&str, Option<&str>)> =
        planned.kept.iter().map(|kept| (kept.id.as_str(), kept.what.as_deref())).collect();
    assert_eq!(kept.len(), 3, "{:?}", planned.kept);
    for expected in [("P0", Some("city")), ("P3", Some("jobtitle")), ("P91", None)] {
        assert!(kept.contains(&expected), "{expected:?} in {:?}", planned.kept);
    }
    assert_eq!(both(&world), {
        let mut now = after.clone();
        let id = |email: &str| contact(&world, email).id.to_string();
        now.0.get_mut(&id("p0@example.com")).unwrap().insert("city".into(), "hers".into());
        now.0.get_mut(&id("new91@example.com")).unwrap().insert("lastname".into(), "hers".into());
        now.1.get_mut("P3").unwrap().insert("job".into(), "his".into());
        now
    });

    let report = world.engine().undo(planned).await.unwrap();
    World::adds_up(&report);
    assert_eq!((report.undoes, report.moved.len()), (Some(run), 0), "{report:?}");
    let mut expected = before;
    let id = |email: &str| contact(&world, email).id.to_string();
    expected.0.get_mut(&id("p0@example.com")).unwrap().insert("city".into(), "hers".into());
    expected.0.insert(id("new91@example.com"), both(&world).0[&id("new91@example.com")].clone());
    expected.1.get_mut("P3").unwrap().insert("job".into(), "his".into());
    assert_eq!(both(&world), expected);

    // What was taken back stays, and what people did since travels as ever.
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!((right(&world, "p1@example.com", "points"), left(&world, "P1", 4)), ("1".into(), "9".into()));
    assert_eq!(
        (right(&world, "p4@example.com", "city"), left(&world, "P4", 2)),
        ("Kiel".into(), "Bonn".into())
    );
    assert_eq!(
        (left(&world, "P0", 2), right(&world, "p3@example.com", "jobtitle")),
        ("hers".into(), "his".into())
    );
    assert!(!both(&world).0.values().any(|contact| contact["email"] == "new90@example.com"));
    assert!(!both(&world).1.values().any(|person| person["email"] == "ada@example.com"));
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{verdict:#?}");

    // Until the source speaks again.
    world.source.set("people", "P1", "points", "10");
    world.source.set("people", "P90", "city", "Kiel");
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!(right(&world, "p1@example.com", "points"), "10");
    assert_eq!(right(&world, "new90@example.com", "city"), "Kiel");
}

#[tokio::test(start_paused = true)]
async fn an_undo_is_repeated_in_vain_and_is_itself_taken_back() {
    let world = world(5).await;
    world.source.set("people", "P1", "city", "Ulm");
    world.source.set("people", "P2", "points", "7");
    edit(&world, "p3@example.com", "jobtitle", "chief");
    let before = both(&world);
    let run = world.run().await.run;
    let after = both(&world);
    let undone = undo(&world, run).await;
    assert_eq!(both(&world), before);
    assert_eq!((undone.links[0].updated, undone.links[0].brought_back), (2, 1));
    let again = plan(&world, run).await;
    assert!(again.is_empty() && again.kept.is_empty(), "{again:?}");
    undo(&world, undone.run).await;
    assert_eq!(both(&world), after);
    // Now a later run has written it: the first one cannot be taken back past it.
    let third = plan(&world, run).await;
    assert!(third.is_empty(), "{third:?}");
    assert!(third.kept.iter().all(|kept| kept.why.contains("take that run back first")), "{:?}", third.kept);
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!(both(&world), after);
    assert!(world.engine().verify().await.unwrap().is_clean());
    let unknown = world.engine().plan_undo(99).await.unwrap_err();
    assert!(unknown.to_string().contains("no run 99"), "{unknown}");
    // A run that wrote nothing has nothing to take back; one of long ago is not on record any more.
    let idle = world.run().await.run;
    assert!(plan(&world, idle).await.is_empty());
    pass(&world, 40 * 24 * 3600).await;
    world.run().await;
    let forgotten = world.engine().plan_undo(run).await.unwrap_err();
    assert!(forgotten.to_string().contains("kept for 30 days"), "{forgotten}");
}

#[tokio::test(start_paused = true)]
async fn what_moves_between_plan_and_undo_is_skipped_and_listed() {
    let world = world(6).await;
    for id in ["P1", "P2", "P3"] {
        world.source.set("people", id, "city", "Ulm");
    }
    edit(&world, "p4@example.com", "jobtitle", "chief");
    let run = world.run().await.run;
    let planned = plan(&world, run).await;
    let mut text = Vec::new();
    planned.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for value in ["Ulm", "Bonn", "chief", "clerk", "example.com"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
    assert!(UndoPlan::begins_with(text.lines().next().unwrap()));
    edit(&world, "p1@example.com", "city", "hers");
    world.source.set("people", "P4", "job", "his");
    let read = UndoPlan::read(BufReader::new(text.as_bytes())).unwrap();
    assert_eq!(read, planned);
    let report = world.engine().undo(read).await.unwrap();
    World::adds_up(&report);
    let mut moved: Vec<&str> = report.moved.iter().map(|moved| moved.id.as_str()).collect();
    moved.sort_unstable();
    assert_eq!((moved, report.links[0].updated), (vec!["P1", "P4"], 2), "{report:?}");
    assert_eq!(
        (right(&world, "p1@example.com", "city"), left(&world, "P4", 3)),
        ("hers".into(), "his".into())
    );

    // A file that is not whole, or not of this engagement, is refused.
    let lines: Vec<&str> = text.lines().collect();
    for (bad, words) in [
        (lines[..lines.len() - 1].join("\n"), "cut off"),
        ([lines[0], lines[lines.len() - 1]].join("\n"), "lines are missing"),
        ("{}".to_owned(), "line 1"),
        (text.replacen("{\"undo\"", "{\"undid\"", 1), "line 2"),
    ] {
        let error = UndoPlan::read(BufReader::new(bad.as_bytes())).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let other = UndoPlan::read(BufReader::new(text.replacen("\"acme\"", "\"other\"", 1).as_bytes())).unwrap();
    assert!(world.engine().undo(other).await.unwrap_err().to_string().contains("engagement other"));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_sets_in_the_moment_of_an_undo_is_told_and_put_back() {
    let world = world(3).await;
    world.source.set("people", "P1", "job", "ours");
    let run = world.run().await.run;
    let planned = plan(&world, run).await;
    let id = contact(&world, "p1@example.com").id;
    let (portal, clock) = (Arc::clone(&world.portal), Arc::clone(&world.clock));
    let mut done = false;
    let crash = CrashPlan::before_each(move |step| {
        if step == "write" && !done {
            done = true;
            let now = clock.now();
            portal.lock().unwrap().edit_as_user(now, "contacts", id, [("jobtitle", "hers")]).unwrap();
        }
    });
    let report = world.engine_with(&crash, Options::default()).undo(planned).await.unwrap();
    assert_eq!((report.links[0].overridden, report.moved.len()), (1, 1), "{report:?}");
    assert_eq!(right(&world, "p1@example.com", "jobtitle"), "hers");
    let told = sync_core::Which { settled: true, ..Default::default() };
    assert!(world.engine().conflicts(&told).unwrap().iter().any(|(_, _, told)| told.cause == "lost-update"));
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!(left(&world, "P1", 3), "hers", "it travels as any other change");
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_step_an_undo_that_is_begun_again_comes_to_the_same_end() {
    let world = eventful().await;
    let before = both(&world);
    let run = world.run().await.run;
    let planned = plan(&world, run).await;
    let count = CrashPlan::count();
    world.engine_with(&count, Options::default()).undo(planned).await.unwrap();
    assert_eq!(both(&world), before);
    let names = count.names();
    for step in ["write", "write left", "archive", "commit"] {
        assert!(names.contains(&step), "{step} in {names:?}");
    }
    for step in 0..count.steps() {
        for when in [When::Before, When::After] {
            let world = eventful().await;
            let before = both(&world);
            let run = world.run().await.run;
            let planned = plan(&world, run).await;
            let crash = CrashPlan::at(Crash { step, when });
            {
                let mut engine = world.engine_with(&crash, Options::default());
                tokio::select! {
                    biased;
                    () = crash.crashed() => {}
                    _ = engine.undo(planned) => {}
                }
            }
            pass(&world, 60).await;
            undo(&world, run).await;
            assert_eq!(both(&world), before, "step {step} {when:?} of {names:?}");
            settle(&world).await;
            assert_eq!(both(&world), before, "step {step} {when:?}: it stays");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_step_a_run_in_place_of_the_second_undo_brings_nothing_back() {
    let world = eventful().await;
    let run = world.run().await.run;
    let planned = plan(&world, run).await;
    let count = CrashPlan::count();
    world.engine_with(&count, Options::default()).undo(planned).await.unwrap();
    for step in 0..count.steps() {
        let world = eventful().await;
        let before = both(&world);
        let run = world.run().await.run;
        let after = both(&world);
        let planned = plan(&world, run).await;
        let crash = CrashPlan::at(Crash { step, when: When::After });
        {
            let mut engine = world.engine_with(&crash, Options::default());
            tokio::select! {
                biased;
                () = crash.crashed() => {}
                _ = engine.undo(planned) => {}
            }
        }
        pass(&world, 60).await;
        settle(&world).await;
        // Each record is as it was before the run or as the run left it, and nothing else.
        let now = both(&world);
        for (now, before, after) in [(&now.0, &before.0, &after.0), (&now.1, &before.1, &after.1)] {
            let ids = now.keys().chain(before.keys()).chain(after.keys());
            for id in ids {
                let here = now.get(id);
                assert!(here == before.get(id) || here == after.get(id), "step {step}: {id} {here:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_way_a_first_load_goes_again_and_associations_go_back() {
    let world = one_way::world().await;
    one_way::fill(&world, 7, 130);
    let first = world.run().await.run;
    world.source.put("people", "P0", one_way::person(0, "F3", Value::Null, 0));
    world.source.put("people", "P1", one_way::person(1, "F1", Value::text("F2"), 77));
    let report = world.run().await;
    assert!(report.edges_written() >= 3, "{report:?}");
    let plan_of_first = plan(&world, first).await;
    assert!(
        plan_of_first
            .kept
            .iter()
            .any(|kept| kept.id == "P1" && kept.why.contains("take that run back first"))
    );

    let undone = undo(&world, report.run).await;
    assert_eq!(undone.moved, [], "{undone:?}");
    assert_eq!(undone.edges_written(), report.edges_written(), "{undone:?}");
    let points = |n: usize| {
        one_way::contact(&world, &format!("person{n}@example.com")).unwrap().properties["points"].clone()
    };
    assert_eq!(points(1), "1");
    // Back and forth: an undo is a run, associations and all.
    let redone = undo(&world, undone.run).await;
    assert_eq!((redone.edges_written(), points(1)), (report.edges_written(), "77".into()), "{redone:?}");
    let undone = undo(&world, redone.run).await;
    assert_eq!((undone.edges_written(), points(1)), (report.edges_written(), "1".into()), "{undone:?}");
    world.portal().clear_stats();
    world.run().await;
    assert_eq!(one_way::writes(&world), 0, "what was taken back is not written again");
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);

    // Somebody edits one of the records that the first run made; the others go.
    let id = one_way::contact(&world, "person5@example.com").unwrap().id;
    pass(&world, 60).await;
    world.portal().edit_as_user(world.clock.now(), "contacts", id, [("city", "Bonn")]).unwrap();
    let planned = plan(&world, first).await;
    let why: Vec<&str> =
        planned.kept.iter().filter(|kept| kept.id == "P5").map(|kept| kept.why.as_str()).collect();
    assert!(matches!(why.as_slice(), [why] if why.contains("city was changed since")), "{why:?}");
    let undone = world.engine().undo(planned).await.unwrap();
    World::adds_up(&undone);
    assert_eq!(undone.links[0].deleted + undone.links[2].deleted, 14, "{undone:?}");
    // P1 was written since, by the second run, but that was taken back.
    assert_eq!(undone.links[1].deleted, 129, "{undone:?}");
    world.portal().clear_stats();
    world.run().await;
    assert_eq!(one_way::writes(&world), 0, "nothing comes back by itself");
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
    // What speaks again is made again.
    world.source.put("people", "P9", one_way::person(9, "F2", Value::Null, 99));
    let report = world.run().await;
    assert_eq!((report.links[1].created, report.written()), (1, 1), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn what_only_goes_forward_is_not_taken_back() {
    let mapping = MAPPING.replace(
        r#"conflict = "furthest""#,
        r#"conflict = "furthest", ratchet = true, when_empty = "ignore""#,
    );
    assert_ne!(mapping, MAPPING);
    let world = world_of(&mapping, 3).await;
    world.source.set("people", "P1", "points", "9");
    world.source.set("people", "P1", "city", "Ulm");
    edit(&world, "p2@example.com", "points", "7");
    let run = world.run().await.run;
    assert_eq!((right(&world, "p1@example.com", "points"), left(&world, "P2", 4)), ("9".into(), "7".into()));
    let planned = plan(&world, run).await;
    let kept: Vec<&str> = planned.kept.iter().map(|kept| kept.why.as_str()).collect();
    assert_eq!(kept.len(), 2, "{planned:?}");
    assert!(kept.iter().all(|why| why.contains("forward only")), "{kept:?}");
    world.engine().undo(planned).await.unwrap();
    assert_eq!((right(&world, "p1@example.com", "points"), left(&world, "P2", 4)), ("9".into(), "7".into()));
    assert_eq!(right(&world, "p1@example.com", "city"), "Bonn", "the rest of the record goes back");
}
