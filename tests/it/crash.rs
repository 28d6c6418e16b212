//! Killed at every durable step, on either side of it, and started again: the same end, nothing doubled.

use sync_core::Options;
use sync_testkit::{Crash, CrashPlan, When};
use workspace_tests::World;

use crate::one_way::{fill, live, world};

/// A run that is killed where the plan says, or ends.
async fn run_until_crash(world: &World, plan: &std::sync::Arc<CrashPlan>) {
    let mut engine = world.engine_with(plan, Options::default());
    tokio::select! {
        biased;
        () = plan.crashed() => {}
        ended = engine.run_once() => {
            // A store that died ends the run with an error; nothing else may.
            assert!(ended.is_ok() || plan.steps() > 0, "{ended:?}");
        }
    }
}

async fn filled() -> World {
    let world = world().await;
    fill(&world, 7, 230);
    world
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_step_loses_nothing_and_doubles_nothing() {
    let counting = CrashPlan::count();
    let world = filled().await;
    run_until_crash(&world, &counting).await;
    let steps = counting.steps();
    assert!(steps >= 12, "too few steps to be worth it: {:?}", counting.names());
    for kind in ["commit", "write", "write edges"] {
        assert!(counting.names().contains(&kind), "no step of kind {kind}");
    }
    for step in 0..steps {
        for when in [When::Before, When::After] {
            let world = filled().await;
            run_until_crash(&world, &CrashPlan::at(Crash { step, when })).await;
            let report = world.run().await;
            let place =
                format!("killed {when:?} step {step} ({})", counting.names()[usize::try_from(step).unwrap()]);
            assert!(report.is_complete(), "{place}: {report:?}");
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
async fn killed_again_and_again_during_recovery_it_still_converges() {
    let world = filled().await;
    for step in [9, 1, 2, 3, 0, 1] {
        run_until_crash(&world, &CrashPlan::at(Crash { step, when: When::After })).await;
    }
    assert!(world.run().await.is_complete());
    assert_eq!(live(&world, "contacts").len(), 230);
    assert!(world.engine().verify().await.unwrap().is_clean());
}
