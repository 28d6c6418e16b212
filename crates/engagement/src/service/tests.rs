//! When a pass is made, in virtual time.

use http_transport::TokioClock;

use super::*;

/// Notes each pass, and takes and ends as the test says.
struct Notes {
    clock: Arc<dyn Clock>,
    took: Duration,
    ends: Vec<Ended>,
    made: Vec<(u64, Why)>,
}

#[async_trait(?Send)]
impl Pass for Notes {
    async fn pass(&mut self, why: Why) -> Ended {
        self.made.push((u64::try_from(self.clock.monotonic().as_millis()).unwrap(), why));
        self.clock.sleep(self.took).await;
        if self.ends.is_empty() { Ended::Well } else { self.ends.remove(0) }
    }
}

struct World {
    news: watch::Sender<u64>,
    source: watch::Sender<u64>,
    asked: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
}

impl World {
    fn new() -> World {
        World {
            news: watch::channel(0).0,
            source: watch::channel(0).0,
            asked: watch::channel(0).0,
            stop: watch::channel(false).0,
            clock: Arc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
        }
    }

    async fn run(took: u64, ends: &[Ended], until: u64, happens: &[(u64, Why)]) -> Vec<(u64, Why)> {
        World::new().work(took, ends, until, happens).await
    }

    /// Works until `until`, with what happens at which second.
    async fn work(&self, took: u64, ends: &[Ended], until: u64, happens: &[(u64, Why)]) -> Vec<(u64, Why)> {
        let world = self;
        let signals = Signals {
            news: world.news.subscribe(),
            source: world.source.subscribe(),
            asked: world.asked.subscribe(),
            stop: world.stop.subscribe(),
        };
        let clock = world.clock.clone();
        let took = Duration::from_secs(took);
        let mut notes = Notes { clock: clock.clone(), took, ends: ends.to_vec(), made: Vec::new() };
        let script = async {
            for (at, what) in happens {
                let wait = Duration::from_secs(*at).saturating_sub(world.clock.monotonic());
                world.clock.sleep(wait).await;
                match what {
                    Why::Asked => world.asked.send_modify(|count| *count += 1),
                    Why::Source => world.source.send_modify(|count| *count += 1),
                    _ => world.news.send_modify(|count| *count += 1),
                }
            }
            world.clock.sleep(Duration::from_secs(until).saturating_sub(world.clock.monotonic())).await;
            world.stop.send_replace(true);
        };
        tokio::join!(keep_up(Pace::every(Duration::from_secs(60)), clock, signals, &mut notes), script);
        notes.made
    }
}

#[tokio::test(start_paused = true)]
async fn passes_come_by_interval_and_soon_after_news() {
    let made = World::run(1, &[], 140, &[(30, Why::News), (30, Why::News)]).await;
    let expected = [(0, Why::First), (30_200, Why::News), (91_200, Why::Interval)];
    assert_eq!(made, expected, "news that comes together starts one pass");
}

#[tokio::test(start_paused = true)]
async fn the_source_may_have_news_too() {
    let world = World::new();
    let source = world.source.clone();
    let ring = async {
        for at in [30, 31, 100] {
            let wait = Duration::from_secs(at).saturating_sub(world.clock.monotonic());
            world.clock.sleep(wait).await;
            source.send_modify(|count| *count += 1);
        }
    };
    let (made, ()) = tokio::join!(world.work(10, &[Ended::Well, Ended::Badly], 110, &[]), ring);
    let expected = [(0, Why::First), (30_200, Why::Source), (45_200, Why::Again), (100_200, Why::Source)];
    assert_eq!(made, expected, "what was told in a failing pass waits for the next");
}

#[tokio::test(start_paused = true)]
async fn news_during_a_pass_is_not_slept_over() {
    let made = World::run(10, &[], 40, &[(5, Why::News)]).await;
    assert_eq!(made, [(0, Why::First), (10_200, Why::News)]);
}

#[tokio::test(start_paused = true)]
async fn after_failures_news_waits_and_a_wish_does_not() {
    let bad = [Ended::Badly; 3];
    let made = World::run(0, &bad, 60, &[(1, Why::News), (2, Why::News), (16, Why::Asked)]).await;
    let expected = [(0, Why::First), (5_000, Why::Again), (15_000, Why::Again), (16_000, Why::Asked)];
    assert_eq!(made, expected);
}

#[tokio::test(start_paused = true)]
async fn after_a_wish_failures_are_counted_anew() {
    let bad = [Ended::Badly; 5];
    let made = World::run(0, &bad, 45, &[(30, Why::Asked)]).await;
    let expected = [(0, Why::First), (5_000, Why::Again), (15_000, Why::Again), (30_000, Why::Asked)];
    assert_eq!(made[..4], expected);
    assert_eq!(made[4], (35_000, Why::Again));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_a_pass_end_but_not_for_ever() {
    for (took, ends_at) in [(10, 10), (600, 30)] {
        let started = tokio::time::Instant::now();
        assert_eq!(World::run(took, &[], 5, &[]).await, [(0, Why::First)]);
        assert_eq!(started.elapsed().as_secs(), ends_at);
    }
}

#[test]
fn pauses_grow_and_are_bounded() {
    let pace = Pace::every(Duration::from_secs(60));
    let pauses: Vec<u64> =
        [0, 1, 2, 3, 7, 40, u32::MAX].map(|failures| pace.pause(failures).as_secs()).into();
    assert_eq!(pauses, [60, 5, 10, 20, 300, 300, 300]);
}

#[tokio::test(start_paused = true)]
async fn news_of_the_source_is_told_apart_also_when_it_comes_while_other_news_is_gathered() {
    let told = [(5, Why::News), (20, Why::Source), (40, Why::Source), (40, Why::News)];
    let made = World::run(1, &[], 50, &told).await;
    assert_eq!(made, [(0, Why::First), (5_200, Why::News), (20_200, Why::Source), (40_200, Why::Source)]);
}
