//! What an undo or a run leaves in doubt when it is cut off: whoever comes next finds out, and nobody loses an edit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mapping_engine::{Schemas, check};
use sync_core::{Level, Options, UndoPlan, UndoVerb};
use sync_testkit::{Crash, CrashPlan, When};
use sync_types::Value;
use workspace_tests::World;

use crate::both_ways::{MAPPING, contact, contacts, edit, left, pass, right, settle, world};

/// Who comes after a crash.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    Run,
    Undo,
}

/// Carries an undo out until the crash, if one is planned.
async fn until(world: &World, crash: &Arc<CrashPlan>, plan: UndoPlan) {
    let mut engine = world.engine_with(crash, Options::default());
    tokio::select! {
        biased;
        () = crash.crashed() => {}
        _ = engine.undo(plan) => {}
    }
}

async fn run_until(world: &World, crash: &Arc<CrashPlan>) {
    let mut engine = world.engine_with(crash, Options::default());
    tokio::select! {
        biased;
        () = crash.crashed() => {}
        _ = engine.run_once() => {}
    }
}

async fn come(world: &World, next: Next, run: u64) {
    pass(world, 60).await;
    match next {
        Next::Run => drop(world.run().await),
        Next::Undo => {
            let plan = world.engine().plan_undo(run).await.unwrap();
            world.engine().undo(plan).await.unwrap();
        }
    }
}

fn in_doubt(world: &World) -> u64 {
    world.engine().totals().unwrap().open_intents
}

/// A world in which somebody edits, in HubSpot, what the first write of a process is about to write.
fn with_an_edit(world: &World, crash: Option<Crash>) -> (Arc<CrashPlan>, Arc<AtomicBool>) {
    let id = contact(world, "p1@example.com").id;
    let (portal, clock) = (Arc::clone(&world.portal), Arc::clone(&world.clock));
    let edited = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&edited);
    let deed = move |step: &'static str| {
        if step == "write" && !done.swap(true, Ordering::SeqCst) {
            let now = clock.now();
            portal.lock().unwrap().edit_as_user(now, "contacts", id, [("jobtitle", "hers")]).unwrap();
        }
    };
    (CrashPlan::new(crash, Some(Box::new(deed))), edited)
}

async fn with_a_run() -> (World, u64) {
    let world = world(3).await;
    world.source.set("people", "P1", "job", "ours");
    let run = world.run().await.run;
    pass(&world, 60).await;
    (world, run)
}

#[tokio::test(start_paused = true)]
async fn an_undo_killed_at_any_step_overwrites_nobodys_edit() {
    let (world, run) = with_a_run().await;
    let plan = world.engine().plan_undo(run).await.unwrap();
    let (count, _) = with_an_edit(&world, None);
    until(&world, &count, plan).await;
    let steps = count.steps();
    assert_eq!((right(&world, "p1@example.com", "jobtitle").as_str(), in_doubt(&world)), ("hers", 0));
    for step in 0..steps {
        for (when, next) in [
            (When::Before, Next::Run),
            (When::Before, Next::Undo),
            (When::After, Next::Run),
            (When::After, Next::Undo),
        ] {
            let (world, run) = with_a_run().await;
            let plan = world.engine().plan_undo(run).await.unwrap();
            let (crash, edited) = with_an_edit(&world, Some(Crash { step, when }));
            until(&world, &crash, plan).await;
            come(&world, next, run).await;
            let place = format!("step {step} {when:?} of {:?}, then {next:?}", crash.names());
            assert_eq!(in_doubt(&world), 0, "{place}");
            pass(&world, 60).await;
            settle(&world).await;
            if edited.load(Ordering::SeqCst) {
                assert_eq!(right(&world, "p1@example.com", "jobtitle"), "hers", "{place}");
                assert_eq!(left(&world, "P1", 3), "hers", "{place}: it travels as any other change");
            }
            assert!(world.engine().verify().await.unwrap().is_clean(), "{place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_off_is_taken_back_with_what_it_had_sent() {
    let world = world(3).await;
    let row = ["new@example.com", "New", "Ulm", "poet", "3"].map(Value::from);
    world.source.put("people", "P90", row.to_vec());
    let count = CrashPlan::count();
    run_until(&world, &count).await;
    let step = count.names().iter().position(|name| *name == "write").unwrap() as u64;

    let world = self::world(3).await;
    world.source.put(
        "people",
        "P90",
        ["new@example.com", "New", "Ulm", "poet", "3"].map(Value::from).to_vec(),
    );
    run_until(&world, &CrashPlan::at(Crash { step, when: When::After })).await;
    assert_eq!((contacts(&world).len(), in_doubt(&world)), (4, 1), "sent, and nobody noted it");
    let run = world.engine().runs(1).unwrap()[0].run;
    pass(&world, 60).await;
    let plan = world.engine().plan_undo(run).await.unwrap();
    let verbs: Vec<UndoVerb> = plan.rows.iter().map(|row| row.verb).collect();
    assert_eq!((verbs, plan.kept.len()), (vec![UndoVerb::Archive], 0), "{plan:?}");
    world.engine().undo(plan).await.unwrap();
    assert_eq!((contacts(&world).len(), in_doubt(&world)), (3, 0));
    settle(&world).await;
    assert_eq!(contacts(&world).len(), 3, "it stays away");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_made_in_the_source_is_not_made_by_an_undo() {
    let fresh = || async {
        let world = world(3).await;
        let ada = [("email", "ada@example.com"), ("lastname", "Ada"), ("points", "1")];
        world.portal().create_as_user(world.clock.now(), "contacts", ada).unwrap();
        pass(&world, 60).await;
        world
    };
    let world = fresh().await;
    let count = CrashPlan::count();
    run_until(&world, &count).await;
    let step = count.names().iter().position(|name| *name == "write left").unwrap() as u64;
    let world = fresh().await;
    run_until(&world, &CrashPlan::at(Crash { step, when: When::Before })).await;
    let run = world.engine().runs(1).unwrap()[0].run;
    pass(&world, 60).await;
    let plan = world.engine().plan_undo(run).await.unwrap();
    let why: Vec<&str> = plan.kept.iter().map(|kept| kept.why.as_str()).collect();
    assert!(matches!(why.as_slice(), [why] if why.contains("nobody knows yet")), "{why:?}");
    world.engine().undo(plan).await.unwrap();
    assert_eq!((world.source.ids("people").len(), in_doubt(&world)), (3, 1), "nothing is made");
    // As it says: run again, and then the run can be taken back.
    world.run().await;
    assert_eq!((world.source.ids("people").len(), in_doubt(&world)), (4, 0));
    let plan = world.engine().plan_undo(run).await.unwrap();
    world.engine().undo(plan).await.unwrap();
    assert_eq!(world.source.ids("people").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_a_cut_off_run_has_overwritten_is_found_though_its_row_cannot_be_mapped_any_more() {
    let disturbed = || async {
        let world = world(3).await;
        world.source.set("people", "P1", "job", "ours");
        world
    };
    let world = disturbed().await;
    let (count, _) = with_an_edit(&world, None);
    run_until(&world, &count).await;
    let step = count.names().iter().position(|name| *name == "write").unwrap() as u64;
    for gone in [false, true] {
        let world = disturbed().await;
        let (crash, edited) = with_an_edit(&world, Some(Crash { step, when: When::After }));
        run_until(&world, &crash).await;
        assert!(edited.load(Ordering::SeqCst));
        assert_eq!((right(&world, "p1@example.com", "jobtitle").as_str(), in_doubt(&world)), ("ours", 1));
        if gone {
            world.source.remove("people", "P1");
        } else {
            world.source.set("people", "P1", "points", "many");
        }
        pass(&world, 60).await;
        let report = world.run().await;
        assert_eq!(right(&world, "p1@example.com", "jobtitle"), "hers", "{report:?}");
        assert_eq!((report.links[0].overridden, in_doubt(&world)), (1, 0), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_archiving_was_cut_off_is_a_difference_until_it_is_known_to_be_there() {
    let made = || async {
        let world = world(3).await;
        let row = ["new@example.com", "New", "Ulm", "poet", "3"].map(Value::from);
        world.source.put("people", "P90", row.to_vec());
        let run = world.run().await.run;
        let plan = world.engine().plan_undo(run).await.unwrap();
        pass(&world, 60).await;
        (world, plan)
    };
    let (world, plan) = made().await;
    let count = CrashPlan::count();
    until(&world, &count, plan).await;
    let step = count.names().iter().position(|name| *name == "archive").unwrap() as u64;
    for when in [When::Before, When::After] {
        let (world, plan) = made().await;
        until(&world, &CrashPlan::at(Crash { step, when }), plan).await;
        assert_eq!(contacts(&world).len(), if when == When::Before { 4 } else { 3 });
        for level in [Level::Ids, Level::Fields, Level::Samples] {
            let report = world.engine().verify_to(level, 7).await.unwrap();
            let named = report.differences.iter().filter(|of| of.id.as_deref() == Some("P90")).count();
            assert_eq!(named, usize::from(when == When::Before), "{level}: {:#?}", report.differences);
            assert_eq!(report.is_clean(), when == When::After, "{level}");
        }
        pass(&world, 60).await;
        settle(&world).await;
        // What did not arrive was never taken back, and is a pair like any other.
        assert_eq!(contacts(&world).len(), if when == When::Before { 4 } else { 3 });
        let report = world.engine().verify().await.unwrap();
        assert!(report.is_clean() && in_doubt(&world) == 0, "{report:#?}");
        if when == When::Before {
            edit(&world, "new@example.com", "city", "Kiel");
            pass(&world, 60).await;
            settle(&world).await;
            assert_eq!(left(&world, "P90", 2), "Kiel");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_mapping_cannot_bring_back_any_more_is_listed_and_not_counted() {
    let mut world = world(3).await;
    edit(&world, "p1@example.com", "city", "Kiel");
    edit(&world, "p2@example.com", "jobtitle", "chief");
    pass(&world, 60).await;
    let run = world.run().await.run;
    assert_eq!((left(&world, "P1", 2), left(&world, "P2", 3)), ("Kiel".into(), "chief".into()));
    // Since then the job flows to HubSpot only.
    let mapping = MAPPING.replace(
        r#"{ from = "job", to = "jobtitle", conflict = "hubspot" }"#,
        r#"{ from = "job", to = "jobtitle", direction = "to-hubspot" }"#,
    );
    assert_ne!(mapping, MAPPING);
    world.mapping = Arc::new(check("mapping.toml", &mapping, Schemas::default()).unwrap());
    let plan = world.engine().plan_undo(run).await.unwrap();
    let ids: Vec<&str> = plan.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["P1"], "{plan:?}");
    let kept: Vec<(&str, Option<&str>)> =
        plan.kept.iter().map(|kept| (kept.id.as_str(), kept.what.as_deref())).collect();
    assert_eq!(kept, [("P2", Some("jobtitle"))], "{:?}", plan.kept);
    let report = world.engine().undo(plan).await.unwrap();
    assert_eq!((report.links[0].brought_back, left(&world, "P1", 2)), (1, "Bonn".into()), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_with_the_key_of_a_record_that_was_taken_back_makes_no_second_one_in_the_source() {
    let world = world(3).await;
    let first = contact(&world, "p1@example.com").id;
    world.portal().archive_record(world.clock.now(), "contacts", first).unwrap();
    // The edit is stronger than the deletion: the record is made anew.
    world.source.set("people", "P1", "city", "Ulm");
    let mut run = 0;
    for _ in 0..3 {
        run = world.run().await.run;
        if contacts(&world).len() == 3 {
            break;
        }
        pass(&world, 700).await;
    }
    assert_eq!(contacts(&world).len(), 3, "made anew in run {run}");
    let plan = world.engine().plan_undo(run).await.unwrap();
    world.engine().undo(plan).await.unwrap();
    assert_eq!(contacts(&world).len(), 2);
    // The first one comes back from the recycling bin; nobody is linked to it any more.
    assert!(world.portal().restore_record(world.clock.now(), "contacts", first).unwrap());
    for _ in 0..3 {
        pass(&world, 700).await;
        let mut options = Options::default();
        options.sweep = true;
        world.engine_with(&CrashPlan::count(), options).run_once().await.unwrap();
    }
    assert_eq!(world.source.ids("people").len(), 3, "nobody stands there twice");
}

#[tokio::test(start_paused = true)]
async fn a_record_to_which_somebody_has_attached_a_note_is_not_archived() {
    let world = world(3).await;
    for name in ["new", "other"] {
        let email = format!("{name}@example.com");
        let row = [email.as_str(), name, "Ulm", "poet", "3"].map(Value::from);
        world.source.put("people", name, row.to_vec());
    }
    let run = world.run().await.run;
    pass(&world, 60).await;
    let types = |name: &str| hubspot_client::ObjectType::new(name).unwrap();
    let client = world.client();
    let (time, body) = (world.clock.now().to_string(), "she called");
    let note = client
        .objects(&types("notes"))
        .create(&[("hs_timestamp", time.as_str()), ("hs_note_body", body)], &[])
        .await
        .unwrap();
    let contact = contact(&world, "new@example.com").id.to_string();
    let links = client.associations(&types("contacts"), &types("notes"));
    links.link_default(&contact, note.id.as_str()).await.unwrap();
    let plan = world.engine().plan_undo(run).await.unwrap();
    let ids: Vec<&str> = plan.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["other"], "{plan:?}");
    let why: Vec<&str> = plan.kept.iter().map(|kept| kept.why.as_str()).collect();
    assert!(matches!(why.as_slice(), [why] if why.contains("of notes was attached")), "{why:?}");
    world.engine().undo(plan).await.unwrap();
    assert_eq!(contacts(&world).len(), 4);
}
