//! The reader against a journal that a test writes: order, repeats, expired URLs, gaps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sync_types::Clock as _;
use webhooks::{
    Advance, FileHosts, FileRef, FileUrl, Gap, GapCause, Inbox as _, InboxError, InboxErrorKind, JournalApi,
    JournalError, JournalErrorKind, JournalReader, JournalSettings, JournalStore, Offset, PortalId, Position,
    Progress, SqliteInbox, Start, Stored,
};

use crate::support::{TestClock, now};

const NAME: &str = "app 7";

/// A journal whose file `n` has the offset `n`, and holds the creation of record `n` in portal `n % 2`.
#[derive(Debug)]
struct Journal {
    clock: Arc<TestClock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When each file was published.
    files: Vec<Timestamp>,
    /// How many of them are gone.
    aged: usize,
    /// Offsets of files that cannot be read.
    poison: Vec<usize>,
    /// How many fetches more fail because the URL has expired.
    expired: u32,
    /// Where files are said to lie.
    host: &'static str,
    fetches: Vec<String>,
}

impl Journal {
    fn publish(&self, count: usize) {
        let at = self.clock.now();
        self.change(|state| state.files.extend((0..count).map(|_| at)));
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    fn offer(&self, number: usize, state: &State) -> FileRef {
        FileRef {
            offset: Offset::new(number.to_string()),
            url: format!("https://{}/{number}?secret", state.host),
            expires_at: Some(self.clock.now() + SignedDuration::from_mins(5)),
        }
    }
}

#[async_trait]
impl JournalApi for Journal {
    async fn files_after(&self, offset: Option<&Offset>, count: usize) -> Result<Vec<FileRef>, JournalError> {
        self.change(|state| {
            let first = match offset.map(|offset| offset.as_str().parse::<usize>().unwrap()) {
                Some(offset) if offset + 1 < state.aged => {
                    return Err(JournalError::new(JournalErrorKind::OffsetGone, "unknown offset"));
                }
                Some(offset) => offset + 1,
                None => state.aged,
            };
            Ok((first..state.files.len()).take(count).map(|number| self.offer(number, state)).collect())
        })
    }

    async fn latest_file(&self) -> Result<Option<FileRef>, JournalError> {
        self.change(|state| Ok(state.files.len().checked_sub(1).map(|number| self.offer(number, state))))
    }

    async fn fetch(&self, url: &FileUrl, bytes_max: usize) -> Result<Bytes, JournalError> {
        self.change(|state| {
            state.fetches.push(url.expose().to_owned());
            if state.expired > 0 {
                state.expired -= 1;
                return Err(JournalError::new(JournalErrorKind::Expired, "expired"));
            }
            let path = url.expose().rsplit('/').next().unwrap();
            let number: usize = path.trim_end_matches("?secret").parse().unwrap();
            if state.poison.contains(&number) {
                return Ok(Bytes::from_static(b"<html>"));
            }
            let text = serde_json::json!({"offset": number.to_string(), "publishedAt": state.files[number].to_string(),
                "journalEvents": [{"type": "OBJECT", "portalId": number % 2, "action": "CREATE", "objectTypeId": "0-1",
                    "objectId": number, "occurredAt": state.files[number].to_string()}]});
            assert!(text.to_string().len() < bytes_max);
            Ok(Bytes::from(text.to_string()))
        })
    }
}

struct World {
    clock: Arc<TestClock>,
    journal: Arc<Journal>,
    inbox: Arc<SqliteInbox>,
}

impl World {
    fn new() -> World {
        let clock = TestClock::new();
        let state = Mutex::new(State { host: "files.hubspot.com", ..State::default() });
        let journal = Arc::new(Journal { clock: clock.clone(), state });
        World { clock, journal, inbox: Arc::new(SqliteInbox::in_memory().unwrap()) }
    }

    fn settings() -> JournalSettings {
        JournalSettings { files_max: 3, ..JournalSettings::new(NAME) }
    }

    fn reader(&self) -> JournalReader {
        self.reader_with(World::settings())
    }

    fn reader_with(&self, settings: JournalSettings) -> JournalReader {
        JournalReader::new(self.journal.clone(), self.inbox.clone(), self.clock.clone(), settings)
    }

    async fn offset(&self) -> Option<String> {
        let position = self.inbox.position(NAME).await.unwrap()?;
        position.offset.map(|offset| offset.as_str().to_owned())
    }

    async fn records(&self, portal: u64) -> Vec<u64> {
        let events = self.inbox.take(PortalId(portal), 1_000).await.unwrap();
        let id = |event: webhooks::Event| match event.change {
            webhooks::Change::Created(record) => record.id.as_str().parse().unwrap(),
            other => panic!("{other:?}"),
        };
        let mut ids: Vec<u64> = events.into_iter().map(id).collect();
        ids.sort_unstable();
        ids
    }
}

fn read(files: u64, new_events: u64) -> Progress {
    Progress { files, new_events, ..Progress::default() }
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

#[tokio::test]
async fn files_are_read_in_order_and_events_go_to_their_portals() {
    let world = World::new();
    world.journal.publish(7);
    let reader = world.reader();
    assert_eq!(reader.step().await.unwrap(), read(3, 3));
    assert_eq!(world.offset().await.as_deref(), Some("2"));
    // A restart goes on where it was.
    let reader = world.reader();
    assert_eq!(reader.step().await.unwrap(), read(3, 3));
    assert_eq!(reader.step().await.unwrap(), read(1, 1));
    assert_eq!(reader.step().await.unwrap(), Progress { caught_up: true, ..Progress::default() });
    assert_eq!(world.records(0).await, [0, 2, 4, 6]);
    assert_eq!(world.records(1).await, [1, 3, 5]);
    assert_eq!(world.inbox.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn the_latest_is_a_place_to_begin_too() {
    let world = World::new();
    let reader = world.reader_with(JournalSettings { start: Start::Latest, ..World::settings() });
    assert!(reader.step().await.unwrap().caught_up, "an empty journal");
    assert_eq!(world.offset().await, None);
    world.journal.publish(2);
    assert_eq!(reader.step().await.unwrap(), read(2, 2), "what came since is read from its beginning");

    let world = World::new();
    world.journal.publish(5);
    let reader = world.reader_with(JournalSettings { start: Start::Latest, ..World::settings() });
    assert_eq!(reader.step().await.unwrap(), read(1, 1));
    assert_eq!(world.offset().await.as_deref(), Some("4"));
}

/// A store that fails once, before anything is stored or after everything is.
#[derive(Debug)]
struct Failing {
    inbox: Arc<SqliteInbox>,
    after: bool,
    left: Mutex<u32>,
}

#[async_trait]
impl JournalStore for Failing {
    async fn position(&self, journal: &str) -> Result<Option<Position>, InboxError> {
        self.inbox.position(journal).await
    }
    async fn advance(&self, journal: &str, step: Advance) -> Result<Stored, InboxError> {
        let fails = {
            let mut left = self.left.lock().unwrap();
            *left = left.wrapping_sub(1);
            *left == 0
        };
        let error = || InboxError { kind: InboxErrorKind::Full, message: "as the test wants it".to_owned() };
        if fails && !self.after {
            return Err(error());
        }
        let stored = self.inbox.advance(journal, step).await?;
        if fails { Err(error()) } else { Ok(stored) }
    }
    async fn gaps(&self) -> Result<Vec<Gap>, InboxError> {
        self.inbox.gaps().await
    }
    async fn close_gap(&self, id: u64) -> Result<(), InboxError> {
        self.inbox.close_gap(id).await
    }
}

#[tokio::test]
async fn a_failure_at_any_file_loses_nothing_and_repeats_nothing() {
    for after in [false, true] {
        for at in 1..=6 {
            let world = World::new();
            world.journal.publish(6);
            let store = Arc::new(Failing { inbox: world.inbox.clone(), after, left: Mutex::new(at) });
            let reader =
                JournalReader::new(world.journal.clone(), store, world.clock.clone(), World::settings());
            let mut failures = 0;
            let mut events = 0;
            loop {
                match reader.step().await {
                    Ok(Progress { caught_up: true, .. }) => break,
                    Ok(progress) => events += progress.new_events,
                    Err(error) => {
                        assert_eq!(error.kind, JournalErrorKind::Inbox);
                        failures += 1;
                    }
                }
            }
            assert_eq!(failures, 1);
            assert!(events <= 6);
            assert_eq!(world.records(0).await.len() + world.records(1).await.len(), 6);
            assert_eq!(world.offset().await.as_deref(), Some("5"));
        }
    }
}

#[tokio::test]
async fn an_expired_url_is_asked_for_again() {
    let world = World::new();
    world.journal.publish(3);
    world.journal.change(|state| state.expired = 1);
    assert_eq!(world.reader().step().await.unwrap(), read(3, 3));
    world.journal.publish(1);
    world.journal.change(|state| state.expired = 2);
    let error = world.reader().step().await.unwrap_err();
    assert_eq!(error.kind, JournalErrorKind::Expired, "once a step, or a wrong clock would never end");
    assert_eq!(world.reader().step().await.unwrap(), read(1, 1));
}

#[tokio::test]
async fn a_reader_that_was_away_too_long_says_what_it_missed() {
    for knows in [true, false] {
        let world = World::new();
        world.journal.publish(2);
        world.reader().step().await.unwrap();
        let last = world.clock.now();
        world.clock.advance(hours(1)).await;
        world.journal.publish(2);
        world.clock.advance(hours(96)).await;
        world.journal.publish(1);
        let back = world.clock.now();
        // HubSpot drops what is old, and may or may not know the old offset then.
        world.journal.change(|state| state.aged = if knows { 0 } else { 4 });
        let progress = world.reader().step().await.unwrap();
        let gap = progress.gap.clone().expect("a gap");
        let (to, cause) = if knows {
            (last + SignedDuration::from_hours(1), GapCause::Away)
        } else {
            (back, GapCause::OffsetGone)
        };
        assert_eq!((gap.from, gap.to, gap.cause), (last, to, cause));
        let open = world.inbox.gaps().await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(Gap { id: 0, ..open[0].clone() }, gap, "it is durable");
        assert_eq!(world.offset().await.as_deref(), Some("4"));
        assert_eq!(world.reader().step().await.unwrap().gap, None, "once");
        world.inbox.close_gap(open[0].id).await.unwrap();
        assert_eq!(world.inbox.gaps().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_journal_that_is_silent_while_it_is_watched_has_no_gap() {
    let world = World::new();
    world.journal.publish(1);
    let reader = world.reader();
    reader.step().await.unwrap();
    for _ in 0..10 {
        world.clock.advance(hours(24)).await;
        // Watched every day; the offset ages out meanwhile, as every other one.
        assert_eq!(reader.step().await.unwrap(), Progress { caught_up: true, ..Progress::default() });
    }
    world.journal.publish(1);
    assert_eq!(reader.step().await.unwrap(), read(1, 1));
    // And a whole outage in which nothing was published may have lost something: nobody can tell.
    world.clock.advance(hours(80)).await;
    let progress = reader.step().await.unwrap();
    assert_eq!(progress.gap.map(|gap| gap.cause), Some(GapCause::Away));
}

#[tokio::test]
async fn an_offset_that_is_gone_from_an_empty_journal_is_given_up() {
    let world = World::new();
    world.journal.publish(3);
    world.reader().step().await.unwrap();
    world.journal.publish(2);
    world.journal.change(|state| state.aged = 5);
    let gap = world.reader().step().await.unwrap().gap.expect("a gap");
    assert_eq!(gap.cause, GapCause::OffsetGone);
    assert_eq!(world.offset().await, None);
    world.journal.publish(1);
    assert_eq!(world.reader().step().await.unwrap(), read(1, 1));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_becomes_a_gap_after_some_tries() {
    let world = World::new();
    world.journal.publish(3);
    world.journal.change(|state| state.poison = vec![1]);
    let reader = world.reader();
    for _ in 0..2 {
        assert_eq!(reader.step().await.unwrap_err().kind, JournalErrorKind::Unreadable);
        assert_eq!(world.offset().await.as_deref(), Some("0"));
    }
    let progress = reader.step().await.unwrap();
    assert_eq!(progress.gap.map(|gap| gap.cause), Some(GapCause::Unreadable));
    assert_eq!(world.offset().await.as_deref(), Some("2"));
    assert_eq!((world.records(0).await, world.records(1).await), (vec![0, 2], vec![]));
}

#[tokio::test]
async fn a_url_that_leads_elsewhere_is_never_fetched() {
    let world = World::new();
    world.journal.publish(1);
    world.journal.change(|state| state.host = "169.254.169.254");
    let error = world.reader().step().await.unwrap_err();
    assert_eq!(error.kind, JournalErrorKind::Unreadable);
    assert!(!error.message.contains("secret"), "{error}");
    assert_eq!(world.journal.change(|state| state.fetches.len()), 0);
    let hosts = FileHosts::new(["files.example.com"]);
    let reader = world.reader_with(JournalSettings { hosts, ..World::settings() });
    world.journal.change(|state| state.host = "files.example.com");
    assert_eq!(reader.step().await.unwrap(), read(1, 1));
}

#[tokio::test]
async fn running_polls_and_stops_when_told() {
    let world = World::new();
    world.journal.publish(4);
    let reader = world.reader();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut arrivals = world.inbox.arrivals();
    let running = tokio::spawn(async move {
        reader.run(async { drop(stopped.await) }).await;
    });
    arrivals.wait_for(|count| *count == 4).await.unwrap();
    world.journal.publish(2);
    // Time goes on until the reader has asked again.
    while *arrivals.borrow_and_update() < 6 {
        world.clock.advance(Duration::from_secs(1)).await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    assert!(world.inbox.position(NAME).await.unwrap().is_some_and(|position| position.checked_at >= now()));
}
