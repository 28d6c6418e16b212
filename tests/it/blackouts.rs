//! Hours in which a side is left in peace: no call begins in them, what is under way has ended before, and nothing is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use sync_core::Options;
use sync_core::blackout::{Blackout, Calendar};
use sync_core::decide::Side;
use sync_core::report::RunReport;
use sync_testkit::CrashPlan;
use workspace_tests::World;

use crate::both_ways::{agrees, edit, pass, settle, world};

/// From a while after now on, for an hour, in a zone of its own; the world's time is UTC.
fn blackout(world: &World, side: Option<Side>, after: Duration) -> Calendar {
    let zone = TimeZone::get("America/New_York").unwrap();
    let begin = world.clock.now().checked_add(jiff::SignedDuration::try_from(after).unwrap()).unwrap();
    let begin = begin.to_zoned(zone.clone());
    let time = Time::new(begin.hour(), begin.minute(), begin.second(), 0).unwrap();
    let to = time.wrapping_add(jiff::Span::new().hours(1));
    let days = vec![begin.weekday(), Weekday::Sunday];
    let blackout = Blackout { name: "lunch".into(), side, lane: None, zone, days, from: time, to };
    Calendar { blackouts: vec![blackout], lead: Duration::from_secs(30) }
}

async fn run(world: &World, calendar: &Calendar) -> RunReport {
    let mut options = Options::default();
    options.calendar = calendar.clone();
    world.engine_with(&CrashPlan::count(), options).run_once().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn within_a_blackout_nobody_is_called_and_afterwards_everything_arrives() {
    for side in [None, Some(Side::Left), Some(Side::Right)] {
        let world = world(5).await;
        let calendar = blackout(&world, side, Duration::from_secs(10));
        world.source.set("people", "P1", "city", "Ulm");
        edit(&world, "p2@example.com", "jobtitle", "chief");
        let calls = || (world.calls.load(Ordering::Relaxed), world.source.calls());
        let before = calls();
        for _ in 0..4 {
            let report = run(&world, &calendar).await;
            let why = report.halted.unwrap_or_default();
            assert!(why.contains("`lunch`") && why.contains("America/New_York"), "{why}");
            pass(&world, 15 * 60).await;
        }
        assert_eq!(calls(), before, "not one call");
        pass(&world, 60).await;
        assert!(run(&world, &calendar).await.is_complete());
        settle(&world).await;
        agrees(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_a_blackout_meets_has_ended_its_calls_before_it_begins() {
    for side in [Some(Side::Left), Some(Side::Right)] {
        let world = world(450).await;
        pass(&world, 7_200).await;
        settle(&world).await;
        pass(&world, 7_200).await;
        for n in 0..400 {
            world.source.set("people", &format!("P{n}"), "city", "Ulm");
        }
        edit(&world, "p420@example.com", "jobtitle", "chief");
        pass(&world, 60).await;
        // Each call takes long enough that the blackout comes in the midst of the run.
        let calendar = blackout(&world, side, Duration::from_secs(75));
        world.portal().set_latency(Duration::from_secs(20));
        let began = world.clock.monotonic();
        let report = run(&world, &calendar).await;
        let took = world.clock.monotonic() - began;
        assert!(report.halted.unwrap_or_default().contains("`lunch`"), "{side:?} {took:?}");
        assert!(took > Duration::from_secs(20), "{side:?} {took:?}");
        // HubSpot may still be at work where it is the source that is left in peace.
        assert!(took <= Duration::from_secs(75) || side == Some(Side::Left), "{side:?} {took:?}");
        let calls = world.calls.load(Ordering::Relaxed);
        let now = world.clock.monotonic() - began;
        pass(&world, 80_u64.saturating_sub(now.as_secs())).await;
        assert!(run(&world, &calendar).await.halted.is_some());
        assert_eq!(world.calls.load(Ordering::Relaxed), calls, "not one call within");
        world.portal().set_latency(Duration::ZERO);
        pass(&world, 3_700).await;
        settle(&world).await;
        agrees(&world);
    }
}
