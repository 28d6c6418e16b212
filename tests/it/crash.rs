//! Killed at every durable step, on either side of it, and started again: the same end, nothing doubled.

use std::io::BufReader;
use std::sync::Arc;

use sync_core::{Options, PlanFile};
use sync_testkit::{Crash, CrashPlan, When};
use sync_types::Value;
use workspace_tests::World;

use crate::one_way::{contact, fill, live, person, world};
use crate::plans::plan;

/// What is done when the kill comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// `run_once`.
    Run,
    /// `apply` of a plan that was made before.
    Apply,
}

/// Does a deed until the crash plan kills it, or to its end.
async fn until_crash(world: &World, crash: &Arc<CrashPlan>, plan: Option<&str>) {
    let mut engine = world.engine_with(crash, Options::default());
    let deed = async {
        match plan {
            None => engine.run_once().await,
            Some(plan) => engine.apply(PlanFile::read(BufReader::new(plan.as_bytes())).unwrap()).await,
        }
    };
    tokio::select! {
        biased;
        () = crash.crashed() => {}
        ended = deed => assert!(crash.is_dead() || ended.is_ok(), "{ended:?}"),
    }
}

/// A portal that holds companies and contacts of its own, some of which the source knows as well.
async fn first_load() -> World {
    let world = world().await;
    fill(&world, 7, 230);
    let now = world.clock.now();
    for n in [1, 3] {
        let domain = format!("firm{n}.example");
        world
            .portal()
            .create_as_user(now, "companies", [("name", "By hand"), ("domain", domain.as_str())])
            .unwrap();
    }
    let person = [("email", "person9@example.com"), ("lastname", "By hand")];
    world.portal().create_as_user(now, "contacts", person).unwrap();
    world
}

/// A converged world in which much has changed since: values, employers, billing, a record deleted in HubSpot.
async fn later_changes() -> World {
    let world = first_load().await;
    assert!(world.run().await.is_complete());
    for n in 0..130 {
        let firm = format!("F{}", (n + 1) % 7);
        world.source.put("people", &format!("P{n}"), person(n, &firm, Value::Null, -1));
    }
    world.source.put("firms", "F2", vec!["Renamed".into(), "firm2.example".into()]);
    let now = world.clock.now();
    let gone = contact(&world, "person5@example.com").unwrap().id;
    world.portal().archive_record(now, "contacts", gone).unwrap();
    let gone =
        live(&world, "companies").into_iter().find(|firm| firm.properties["domain"] == "firm2.example");
    world.portal().archive_record(now, "companies", gone.unwrap().id).unwrap();
    world
}

/// Kills the deed before and after each of its durable steps, each time in a fresh world, and lets `run` go on.
async fn sweep<F: Future<Output = World>>(make: impl Fn() -> F, deed: Deed) {
    let prepare = async || {
        let world = make().await;
        let plan = if deed == Deed::Apply { Some(plan(&world).await.1) } else { None };
        (world, plan)
    };
    let (world, text) = prepare().await;
    let counting = CrashPlan::count();
    until_crash(&world, &counting, text.as_deref()).await;
    let steps = counting.steps();
    for kind in ["commit", "write", "write edges"] {
        assert!(counting.names().contains(&kind), "no step of kind {kind}: {:?}", counting.names());
    }
    for step in 0..steps {
        for when in [When::Before, When::After] {
            let (world, text) = prepare().await;
            let crash = CrashPlan::at(Crash { step, when });
            until_crash(&world, &crash, text.as_deref()).await;
            assert!(crash.is_dead(), "step {step} was never reached");
            if deed == Deed::Apply {
                // The plan itself may be applied again: what it began it ends, and nothing else.
                until_crash(&world, &CrashPlan::count(), text.as_deref()).await;
            }
            let report = world.run().await;
            let place = format!("{deed:?} killed {when:?} step {step} of {:?}", counting.names());
            assert!(report.is_complete(), "{place}: {report:?}");
            assert_eq!(report.parked(), 0, "{place}: {report:?}");
            let counts = ["companies", "contacts", "machines"].map(|object| live(&world, object).len());
            assert_eq!(counts, [7, 230, 7], "{place}");
            let verdict = world.engine().verify().await.unwrap();
            assert!(verdict.is_clean(), "{place}: {:#?}", verdict.differences);
            let quiet = world.run().await;
            assert_eq!(quiet.written() + quiet.edges_written(), 0, "{place}: the world is not quiet");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_load_killed_at_any_step_loses_nothing_and_doubles_nothing() {
    sweep(first_load, Deed::Run).await;
}

#[tokio::test(start_paused = true)]
async fn an_apply_killed_at_any_step_loses_nothing_and_doubles_nothing() {
    sweep(first_load, Deed::Apply).await;
}

#[tokio::test(start_paused = true)]
async fn later_changes_killed_at_any_step_lose_nothing_and_double_nothing() {
    sweep(later_changes, Deed::Run).await;
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again_during_recovery_it_still_converges() {
    let world = first_load().await;
    for step in [9, 1, 2, 3, 0, 1] {
        let crash = CrashPlan::at(Crash { step, when: When::After });
        until_crash(&world, &crash, None).await;
        assert!(crash.is_dead(), "step {step} was never reached");
    }
    assert!(world.run().await.is_complete());
    assert_eq!(live(&world, "contacts").len(), 230);
    assert!(world.engine().verify().await.unwrap().is_clean());
}
