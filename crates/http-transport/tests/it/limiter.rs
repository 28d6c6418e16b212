//! The limiter's promises, on virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{join_all, poll_immediate};
use http_transport::{
    BudgetSet, Clock, DailyConfig, Lane, Limiter, Observed, PaceConfig, SplitMix64, TokioClock, WindowConfig,
};
use proptest::prelude::*;

use crate::server::Server;

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn clock() -> Arc<TokioClock> {
    Arc::new(TokioClock::start())
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_use_the_whole_window_and_never_exceed_it() {
    let clock = clock();
    let server = Server::new(&clock, 190, TEN_SECONDS, (300, 300));
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(190, TEN_SECONDS));
    let limiter = builder.build();

    join_all((0..1_000).map(|_| server.call(&limiter, burst, Lane::Backfill))).await;

    // 190 starts in each 10 s: the last 50 start at 50 s and take 0.3 s.
    let (taken, possible) = (clock.monotonic().as_secs_f64(), 50.3);
    assert_eq!(server.refusals(), 0);
    assert!(possible / taken >= 0.98, "took {taken} s of {possible} s");
}

#[tokio::test(start_paused = true)]
async fn a_long_run_with_jittering_latency_keeps_the_rate() {
    let clock = clock();
    let server = Server::new(&clock, 190, TEN_SECONDS, (100, 500));
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(190, TEN_SECONDS).margin(ms(250)));
    let limiter = builder.build();
    join_all((0..5_700).map(|_| server.call(&limiter, burst, Lane::Backfill))).await;
    let taken = clock.monotonic().as_secs_f64();
    assert_eq!(server.refusals(), 0);
    assert!(taken <= 300.0 / 0.95, "took {taken} s of 300 s");
}

#[tokio::test(start_paused = true)]
async fn a_live_call_starts_soon_at_any_moment_of_a_backfill() {
    let clock = clock();
    let server = Server::new(&clock, 190, TEN_SECONDS, (300, 300));
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(190, TEN_SECONDS));
    let limiter = builder.build();
    let backfill = join_all((0..1_000).map(|_| server.call(&limiter, burst, Lane::Backfill)));
    // One live change of three calls each second, at odd moments.
    let live = join_all((0..45).map(|second| {
        let (server, limiter, clock) = (&server, &limiter, &clock);
        async move {
            clock.sleep(ms(1_037 * second)).await;
            let begun = clock.monotonic();
            server.call(limiter, burst, Lane::Live).await;
            clock.monotonic() - begun - ms(300)
        }
    }));
    let (_, mut waits) = tokio::join!(backfill, live);
    waits.sort();
    assert_eq!(server.refusals(), 0);
    assert!(waits.last() <= Some(&ms(2_000)), "longest wait {:?}", waits.last());
    assert!(waits[waits.len() / 2] <= ms(600), "median wait {:?}", waits[waits.len() / 2]);
}

#[tokio::test(start_paused = true)]
async fn with_another_app_eating_half_refusals_stay_under_one_percent() {
    for (name, foreign_gap_ms, foreign_burst) in
        [("evenly", 105, 1), ("in bursts of ten", 1_053, 10), ("in one burst", 10_000, 95)]
    {
        let clock = clock();
        let server = Server::new(&clock, 190, TEN_SECONDS, (300, 300));
        let mut builder = Limiter::builder(clock.clone());
        let burst = builder.window(WindowConfig::new(190, TEN_SECONDS));
        let limiter = builder.build();
        let other = {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                loop {
                    for _ in 0..foreign_burst {
                        // It too repeats what was refused, after half a second.
                        while server.arrive().is_none() {
                            server.clock.sleep(ms(500)).await;
                        }
                    }
                    server.clock.sleep(ms(foreign_gap_ms)).await;
                }
            })
        };
        // It has been at it for a while.
        clock.sleep(TEN_SECONDS).await;
        let begun = clock.monotonic();
        join_all((0..2_000).map(|_| server.call(&limiter, burst, Lane::Backfill))).await;
        other.abort();
        let taken = (clock.monotonic() - begun).as_secs_f64();
        let share = server.refusals() as f64 / 2_000.0;
        assert!(share < 0.01, "{name}: {} refusals", server.refusals());
        assert!(taken < 2_000.0 / 9.5 * 1.25, "{name}: took {taken} s");
    }
}

#[tokio::test(start_paused = true)]
async fn another_app_that_comes_and_goes_is_made_room_for() {
    let clock = clock();
    let server = Server::new(&clock, 190, TEN_SECONDS, (300, 300));
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(190, TEN_SECONDS));
    let limiter = builder.build();
    let other = {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            server.clock.sleep(ms(35_000)).await;
            for _ in 0..600 {
                server.arrive();
                server.clock.sleep(ms(105)).await;
            }
        })
    };
    join_all((0..2_500).map(|_| server.call(&limiter, burst, Lane::Backfill))).await;
    other.abort();
    assert!(server.refusals() <= 25, "{} refusals", server.refusals());
}

#[tokio::test(start_paused = true)]
async fn no_call_starts_before_the_time_the_server_gave() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(100, TEN_SECONDS));
    let limiter = builder.build();
    let first = limiter.acquire(Lane::Live, burst.into()).await.unwrap();
    first.throttled(burst.into(), Some(Duration::from_secs(7)));
    for lane in [Lane::Backfill, Lane::Live] {
        let permit = limiter.acquire(lane, burst.into()).await.unwrap();
        assert!(permit.started_at() >= Duration::from_secs(7));
    }
    assert_eq!(
        limiter.status(burst).unwrap().allowed,
        Some(57),
        "halved, and seven tenths of a window recovered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_patience_is_an_error_at_once() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(100, TEN_SECONDS));
    let daily = builder.daily(DailyConfig::default());
    let limiter = builder.build();
    limiter.set_daily(
        daily,
        Observed { max: Some(1_000), remaining: Some(0), interval: None },
        Some(clock.now() + jiff::SignedDuration::from_hours(5)),
    );
    let refused = limiter.acquire(Lane::Live, BudgetSet::from(burst) | daily).await.unwrap_err();
    assert!(refused.daily);
    assert_eq!(refused.retry_after, Duration::from_secs(5 * 3_600));
    limiter.pause(burst.into(), Duration::from_secs(3_600));
    let refused = limiter.acquire(Lane::Live, burst.into()).await.unwrap_err();
    assert_eq!((refused.daily, refused.retry_after), (false, Duration::from_secs(3_600)));
    assert_eq!(clock.monotonic(), Duration::ZERO, "nobody waited");
    assert_eq!(limiter.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn lanes_are_served_in_order_and_each_by_arrival() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let pace = builder.pace(PaceConfig::new(1, Duration::from_secs(1)));
    let limiter = builder.build();
    let first = limiter.acquire(Lane::Live, pace.into()).await.unwrap();
    let order = Mutex::new(Vec::new());
    let wait = |name, lane| {
        let (limiter, order) = (&limiter, &order);
        async move {
            let permit = limiter.acquire(lane, pace.into()).await.unwrap();
            order.lock().unwrap().push(name);
            permit.answered();
        }
    };
    drop(first);
    tokio::join!(
        wait("backfill 1", Lane::Backfill),
        wait("live 1", Lane::Live),
        wait("verify", Lane::Verify),
        wait("backfill 2", Lane::Backfill),
        wait("live 2", Lane::Live),
    );
    assert_eq!(*order.lock().unwrap(), ["live 1", "live 2", "verify", "backfill 1", "backfill 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_window_does_not_hold_up_other_budgets() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let small = builder.window(WindowConfig::new(1, TEN_SECONDS));
    let large = builder.window(WindowConfig::new(100, TEN_SECONDS));
    let limiter = builder.build();
    let _first = limiter.acquire(Lane::Live, small.into()).await.unwrap();
    let (blocked, free) = tokio::join!(
        limiter.acquire(Lane::Live, BudgetSet::from(small) | large),
        limiter.acquire(Lane::Backfill, large.into()),
    );
    assert_eq!(free.unwrap().started_at(), Duration::ZERO);
    assert!(blocked.unwrap().started_at() >= TEN_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_capped_with_room_kept_for_live_ones() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(1_000, TEN_SECONDS));
    let limiter = builder.in_flight_max(5).live_reserve(2).build();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(limiter.acquire(Lane::Backfill, burst.into()).await.unwrap());
    }
    let fourth = tokio::time::timeout(ms(100), limiter.acquire(Lane::Verify, burst.into())).await;
    assert!(fourth.is_err(), "bulk work has three");
    for _ in 0..2 {
        held.push(limiter.acquire(Lane::Live, burst.into()).await.unwrap());
    }
    let sixth = tokio::time::timeout(ms(100), limiter.acquire(Lane::Live, burst.into())).await;
    assert!(sixth.is_err(), "five in all");
    held.pop();
    assert!(limiter.acquire(Lane::Live, burst.into()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_admitted_while_its_caller_gives_up_is_ended() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(100, TEN_SECONDS));
    let limiter = builder.in_flight_max(1).live_reserve(0).build();
    let first = limiter.acquire(Lane::Live, burst.into()).await.unwrap();
    {
        let mut second = std::pin::pin!(limiter.acquire(Lane::Live, burst.into()));
        assert!(poll_immediate(&mut second).await.is_none(), "it waits");
        drop(first);
        assert_eq!(limiter.in_flight(), 1, "admitted, but not yet told");
    }
    assert_eq!(limiter.in_flight(), 0);
    assert!(limiter.acquire(Lane::Live, burst.into()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_replaces_what_was_configured() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let burst = builder.window(WindowConfig::new(190, TEN_SECONDS).share(0.5));
    let limiter = builder.build();
    let permit = limiter.acquire(Lane::Live, burst.into()).await.unwrap();
    permit.observe(burst, Observed { max: Some(100), remaining: Some(99), interval: Some(TEN_SECONDS) });
    permit.answered();
    let status = limiter.status(burst).unwrap();
    assert_eq!((status.max, status.allowed, status.used), (Some(100), Some(50), 1));
}

/// Runs random callers, some of whom give up waiting or drop their permit, and returns every start.
fn random_run(seed: u64, max: u32, lanes: &[u8]) -> (Vec<(Lane, Duration)>, usize) {
    paused(async {
        let clock = clock();
        let random = SplitMix64::new(seed);
        let mut builder = Limiter::builder(clock.clone());
        let window = builder.window(WindowConfig::new(max, ms(1_000)).margin(Duration::ZERO));
        let limiter = builder.in_flight_max(7).build();
        let starts = Mutex::new(Vec::new());
        join_all(lanes.iter().map(|lane| {
            let lane = [Lane::Live, Lane::Verify, Lane::Backfill][usize::from(lane % 3)];
            let (arrive, hold) = (ms(random.next_u64() % 3_000), ms(random.next_u64() % 400));
            let patience = ms(200 + random.next_u64() % 20_000);
            let (clock, limiter, starts) = (&clock, &limiter, &starts);
            async move {
                clock.sleep(arrive).await;
                let waiting = limiter.acquire(lane, window.into());
                if let Ok(permit) = tokio::time::timeout(patience, waiting).await {
                    let permit = permit.unwrap();
                    starts.lock().unwrap().push((lane, permit.started_at()));
                    clock.sleep(hold).await;
                    if hold.as_millis() % 2 == 0 { permit.answered() } else { drop(permit) }
                }
            }
        }))
        .await;
        (starts.into_inner().unwrap(), limiter.in_flight())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_window_ever_holds_more_than_max(seed: u64, max in 1_u32..20, lanes in prop::collection::vec(0_u8..3, 1..120)) {
        let (mut starts, in_flight) = random_run(seed, max, &lanes);
        prop_assert_eq!(in_flight, 0);
        starts.sort_by_key(|(_, at)| *at);
        for pair in starts.windows(max as usize + 1) {
            let apart = pair[max as usize].1 - pair[0].1;
            prop_assert!(apart >= ms(1_000), "{} starts within {:?}", max + 1, apart);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_starts() {
    let lanes: Vec<u8> = (0..100).collect();
    assert_eq!(random_run(5, 10, &lanes), random_run(5, 10, &lanes));
}

#[tokio::test(start_paused = true)]
async fn a_pace_spaces_calls_so_that_no_second_holds_more() {
    let clock = clock();
    let mut builder = Limiter::builder(clock.clone());
    let search = builder.pace(PaceConfig::new(5, Duration::from_secs(1)));
    let limiter = builder.build();
    let starts = join_all((0..50).map(|_| async {
        let permit = limiter.acquire(Lane::Backfill, search.into()).await.unwrap();
        permit.started_at()
    }))
    .await;
    assert!(starts.windows(6).all(|six| six[5] - six[0] >= Duration::from_secs(1)));
    assert!(starts[49] <= ms(10_100), "last at {:?}", starts[49]);
}
