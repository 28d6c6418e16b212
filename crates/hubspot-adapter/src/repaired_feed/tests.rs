//! When search is asked, since when, and that nothing heard is lost for it.

use std::sync::Mutex as StdMutex;

use super::*;
use sync_types::{Change, ChangeKind};

#[derive(Debug, Default)]
struct Hand(StdMutex<Duration>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

/// Answers with what the test laid down, and notes what it was asked.
#[derive(Debug, Default)]
struct Script {
    pages: StdMutex<Vec<Result<FeedPage, ()>>>,
    asked: StdMutex<Vec<Option<String>>>,
}

#[async_trait]
impl Feed for Script {
    fn sees(&self) -> FeedSees {
        FeedSees::default()
    }
    async fn changes(
        &self,
        _: &ObjectType,
        after: Option<&str>,
        _: Lane,
    ) -> Result<FeedPage, DestinationError> {
        self.asked.lock().unwrap().push(after.map(str::to_owned));
        let mut pages = self.pages.lock().unwrap();
        let page =
            if pages.is_empty() { Ok(page(&[], "2026-01-01T00:00:00Z", true)) } else { pages.remove(0) };
        page.map_err(|()| DestinationError::new(DestinationErrorKind::Unavailable, "as the test wants it"))
    }
}

impl Script {
    fn asked(&self) -> Vec<Option<String>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn page(records: &[&str], cursor: &str, caught_up: bool) -> FeedPage {
    let change = |id: &&str| Change { record: (*id).into(), kind: ChangeKind::Changed, at: None };
    FeedPage {
        changes: records.iter().map(change).collect(),
        cursor: cursor.to_owned(),
        caught_up,
        gap: None,
    }
}

struct World {
    prompt: Arc<Script>,
    search: Arc<Script>,
    clock: Arc<Hand>,
    feed: RepairedFeed,
}

impl World {
    fn new() -> World {
        let (prompt, search, clock) =
            (Arc::<Script>::default(), Arc::<Script>::default(), Arc::<Hand>::default());
        let every = Duration::from_secs(300);
        let feed = RepairedFeed::new(Some(prompt.clone()), search.clone(), every, clock.clone());
        World { prompt, search, clock, feed }
    }

    async fn ask(&self, after: Option<&str>) -> Result<FeedPage, DestinationError> {
        self.feed.changes(&"contacts".into(), after, Lane::Live).await
    }
}

fn ids(page: &FeedPage) -> Vec<&str> {
    page.changes.iter().map(|change| change.record.as_str()).collect()
}

#[tokio::test]
async fn search_looks_at_first_and_then_every_so_often_from_its_own_place() {
    let world = World::new();
    let first = world.ask(None).await.unwrap();
    assert_eq!(world.search.asked(), [None]);
    let next = world.ask(Some(&first.cursor)).await.unwrap();
    assert_eq!(world.search.asked(), [None; 0], "not due");
    *world.clock.0.lock().unwrap() = Duration::from_secs(300);
    world.ask(Some(&next.cursor)).await.unwrap();
    assert_eq!(world.search.asked(), [Some("2026-01-01T00:00:00Z".to_owned())]);
    assert_eq!(world.prompt.asked().len(), 3, "the quick one is asked every time");
}

#[tokio::test]
async fn what_was_heard_is_durable_before_a_search_that_may_fail() {
    let world = World::new();
    let cursor = world.ask(None).await.unwrap().cursor;
    *world.clock.0.lock().unwrap() = Duration::from_secs(300);
    world.prompt.pages.lock().unwrap().push(Ok(page(&["1"], "h-1", true)));
    world.search.pages.lock().unwrap().push(Err(()));
    let heard = world.ask(Some(&cursor)).await.unwrap();
    assert_eq!((ids(&heard), heard.caught_up), (vec!["1"], false));
    world.ask(Some(&heard.cursor)).await.unwrap_err();
    assert_eq!(world.prompt.asked().last(), Some(&Some("h-1".to_owned())), "the page came back as durable");
    let healed = world.ask(Some(&heard.cursor)).await.unwrap();
    assert!(healed.caught_up);
}

#[tokio::test]
async fn a_demand_to_look_back_is_met_once_and_never_forward() {
    let world = World::new();
    let cursor = world.ask(None).await.unwrap().cursor;
    world.search.asked();
    let early: Timestamp = "2025-12-24T00:00:00Z".parse().unwrap();
    world.feed.look_back(early);
    world.feed.look_back(early);
    for expected in [vec![Some(early.to_string())], vec![]] {
        world.ask(Some(&cursor)).await.unwrap();
        assert_eq!(world.search.asked(), expected);
    }
    world.feed.look_back("2026-02-01T00:00:00Z".parse().unwrap());
    world.ask(Some(&cursor)).await.unwrap();
    assert_eq!(world.search.asked(), [Some("2026-01-01T00:00:00Z".to_owned())], "its own place is older");
}

#[tokio::test]
async fn a_place_of_search_alone_is_taken_over() {
    let world = World::new();
    let page = world.ask(Some("2025-06-01T00:00:00Z")).await.unwrap();
    assert_eq!(world.search.asked(), [Some("2025-06-01T00:00:00Z".to_owned())]);
    assert_eq!(world.prompt.asked(), [None]);
    assert!(page.caught_up);
    world.ask(Some("{broken")).await.unwrap_err();
}
