//! Hearing by search, whose index lags: what comes late is told all the same, and how late it may come is learned.

use std::sync::Arc;
use std::time::Duration;

use hubspot_adapter::{HubSpotDestination, SearchFeed};
use hubspot_sandbox::{Fault, FaultKind, Matcher};
use jiff::Timestamp;
use sync_types::{Feed, Lane, ObjectType};
use workspace_tests::World;

use crate::both_ways::{edit, pass, world};

const MINUTE: u64 = 60;

fn feed(world: &World) -> SearchFeed {
    SearchFeed::new(Arc::new(HubSpotDestination::new(world.client())), Arc::clone(&world.clock))
}

/// Asks once: how many changes, the place behind them, and how many minutes that lies back.
async fn ask(world: &World, feed: &SearchFeed, after: Option<&str>) -> (usize, String, i64) {
    let page = feed.changes(&ObjectType::from("contacts"), after, Lane::Live).await.unwrap();
    let at: Timestamp = page.cursor.split(' ').next().unwrap().parse().unwrap();
    let back = world.clock.now().duration_since(at).as_mins();
    (page.changes.len(), page.cursor, back)
}

#[tokio::test(start_paused = true)]
async fn how_late_the_index_may_be_is_learned_and_outlives_the_process() {
    let world = world(3).await;
    pass(&world, 3 * 60 * MINUTE).await;
    let first = feed(&world);
    let (_, place, _) = ask(&world, &first, None).await;
    let kind = FaultKind::IndexLag { ms: 50 * MINUTE * 1_000 };
    let lag = Fault { matcher: Matcher::default(), skip: 0, count: None, kind };
    world.portal().inject(lag).unwrap();
    edit(&world, "p1@example.com", "city", "Kiel");
    let (mut place, mut found) = (place, Vec::new());
    for _ in 0..8 {
        pass(&world, 10 * MINUTE).await;
        let (told, next, _) = ask(&world, &first, Some(&place)).await;
        (place, found) = (next, [found, vec![told]].concat());
    }
    assert_eq!(found, [0, 0, 0, 0, 0, 1, 0, 0], "the far window finds what the near ones have missed");
    world.portal().clear_faults();
    pass(&world, 300 * MINUTE).await;
    for feed in [&first, &feed(&world)] {
        let (_, _, back) = ask(&world, feed, Some(&place)).await;
        assert!(back > 90, "as late as that and as much again: {back} min");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_what_was_told_teaches_nothing() {
    let world = world(3).await;
    pass(&world, 3 * 60 * MINUTE).await;
    let feed = feed(&world);
    let (_, before, _) = ask(&world, &feed, None).await;
    edit(&world, "p1@example.com", "city", "Kiel");
    pass(&world, MINUTE).await;
    let (told, mut place, _) = ask(&world, &feed, Some(&before)).await;
    assert_eq!(told, 1);
    for _ in 0..4 {
        world.clock.sleep(Duration::from_secs(60 * MINUTE)).await;
        place = ask(&world, &feed, Some(&place)).await.1;
    }
    let (told, _, back) = ask(&world, &feed, Some(&before)).await;
    assert_eq!((told, back), (1, 60), "told again, and no later than it was");
}
