//! The inbox in a file, against a plain model of what it promises.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use webhooks::{
    Event, EventId, Inbox as _, InboxErrorKind, ParseLimits, PortalId, Replay, SqliteInbox, Stored, Waiting,
    parse_events,
};

use crate::support::now;

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// The creation of record `id` in `portal`, `seconds` after the tests' beginning.
fn event(portal: u64, id: u64, seconds: i64) -> Event {
    let body = serde_json::json!([{"portalId": portal, "subscriptionId": 1, "occurredAt": at(seconds).as_millisecond(),
        "subscriptionType": "contact.creation", "objectId": id}]);
    parse_events(body.to_string().as_bytes(), &ParseLimits::default()).unwrap().remove(0)
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn what_was_stored_is_there_after_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = SqliteInbox::open(&path).unwrap();
    let events = vec![event(1, 1, 10), event(1, 2, 5), event(2, 3, 0)];
    inbox.store(events.clone(), at(20)).await.unwrap();
    assert_eq!(*inbox.arrivals().borrow(), 3);
    let before = inbox.take(PortalId(1), 10).await.unwrap();
    assert_eq!(before, [events[1].clone(), events[0].clone()], "oldest first, as they were");
    inbox.done(PortalId(1), ids(&before[..1]), at(30)).await.unwrap();
    inbox.close().await;

    let inbox = SqliteInbox::open(&path).unwrap();
    let left = inbox.take(PortalId(1), 10).await.unwrap();
    assert_eq!(left, before[1..]);
    let waiting = inbox.waiting().await.unwrap();
    let expected = [
        Waiting { portal: PortalId(1), events: 1, oldest: at(10) },
        Waiting { portal: PortalId(2), events: 1, oldest: at(0) },
    ];
    assert_eq!(waiting, expected);
    let again = inbox.store(events, at(40)).await.unwrap();
    assert_eq!(again, Stored { new: 0, repeated: 3 }, "done or not");
}

#[tokio::test]
async fn done_events_can_be_replayed_until_they_expire() {
    let inbox = SqliteInbox::in_memory().unwrap();
    let events: Vec<Event> =
        (0..10).map(|second| event(second % 2, 1, i64::try_from(second).unwrap())).collect();
    inbox.store(events.clone(), at(0)).await.unwrap();
    for portal in [PortalId(0), PortalId(1)] {
        // Those of the other portal are none of this one's.
        inbox.done(portal, ids(&events), at(1)).await.unwrap();
    }
    let span = |portal| Replay { portal, from: at(2), to: at(6) };
    assert_eq!(inbox.replay(span(Some(PortalId(0)))).await.unwrap(), 2);
    assert_eq!(ids(&inbox.take(PortalId(0), 10).await.unwrap()), [events[2].id, events[4].id]);
    assert_eq!(inbox.replay(span(None)).await.unwrap(), 2, "those that wait already do not count");

    assert_eq!(inbox.expire(at(5)).await.unwrap(), 2, "what waits is never forgotten");
    assert_eq!(inbox.expire(at(5)).await.unwrap(), 0);
    let again = inbox.store(events, at(9)).await.unwrap();
    assert_eq!(again, Stored { new: 2, repeated: 8 });
    assert_eq!(inbox.forget_portal(PortalId(1)).await.unwrap(), 5);
    assert!(inbox.waiting().await.unwrap().iter().all(|waiting| waiting.portal == PortalId(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_are_all_stored_and_nothing_is_counted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = std::sync::Arc::new(SqliteInbox::open(&folder.path().join("inbox.sqlite")).unwrap());
    let calls: Vec<_> = (0..200_u64)
        .map(|call| {
            let inbox = inbox.clone();
            // Every event comes in two of the calls.
            let events = vec![event(1, call, 0), event(1, (call + 1) % 200, 0)];
            tokio::spawn(async move { inbox.store(events, now()).await.unwrap() })
        })
        .collect();
    let mut sum = Stored::default();
    for call in calls {
        let Stored { new, repeated } = call.await.unwrap();
        sum = Stored { new: sum.new + new, repeated: sum.repeated + repeated };
    }
    assert_eq!(sum, Stored { new: 200, repeated: 200 });
    assert_eq!(inbox.take(PortalId(1), 1_000).await.unwrap().len(), 200);
}

#[tokio::test]
async fn a_file_that_is_not_ours_to_open_is_left_alone_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| SqliteInbox::open(path).map(drop).unwrap_err();

    let taken = folder.path().join("taken.sqlite");
    let first = SqliteInbox::open(&taken).unwrap();
    first.store(vec![event(1, 1, 0)], now()).await.unwrap();
    assert_eq!(refused(&taken).kind, InboxErrorKind::Locked);
    first.close().await;
    assert!(SqliteInbox::open(&taken).is_ok());

    let text = folder.path().join("text.sqlite");
    std::fs::write(&text, "not a database, but long enough to be looked at ".repeat(100)).unwrap();
    let error = refused(&text);
    assert_eq!(error.kind, InboxErrorKind::Corrupt);
    assert!(error.message.contains("text.sqlite") && error.message.contains("Move it away"), "{error}");

    let foreign = folder.path().join("foreign.sqlite");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(other);
    assert_eq!(refused(&foreign).kind, InboxErrorKind::Mismatch);

    let newer = folder.path().join("newer.sqlite");
    SqliteInbox::open(&newer).unwrap().close().await;
    let other = rusqlite::Connection::open(&newer).unwrap();
    other.pragma_update(None, "user_version", 1_000).unwrap();
    drop(other);
    let error = refused(&newer);
    assert_eq!(error.kind, InboxErrorKind::Mismatch);
    assert!(error.message.contains("newer version"), "{error}");
}

#[derive(Clone, Debug)]
enum Step {
    Store(Vec<(u64, i64)>),
    Take(usize),
    DoneFirst(usize),
    Replay(i64, i64),
    Expire(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::collection::vec((0_u64..4, 0_i64..8), 0..5).prop_map(Step::Store),
        2 => (0_usize..6).prop_map(Step::Take),
        2 => (0_usize..6).prop_map(Step::DoneFirst),
        1 => (0_i64..8, 0_i64..8).prop_map(|(from, to)| Step::Replay(from, to)),
        1 => (0_i64..8).prop_map(Step::Expire),
    ];
    prop::collection::vec(step, 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_behaves_as_a_map_from_name_to_done(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let inbox = SqliteInbox::in_memory().unwrap();
            let portal = PortalId(1);
            let mut model: BTreeMap<EventId, (Event, bool)> = BTreeMap::new();
            for step in steps {
                let waits = |model: &BTreeMap<EventId, (Event, bool)>, count: usize| -> Vec<Event> {
                    model.values().filter(|(_, done)| !done).take(count).map(|(event, _)| event.clone()).collect()
                };
                match step {
                    Step::Store(list) => {
                        let events: Vec<Event> = list.iter().map(|(id, second)| event(1, *id, *second)).collect();
                        let before = model.len();
                        for event in &events {
                            model.entry(event.id).or_insert_with(|| (event.clone(), false));
                        }
                        let new = (model.len() - before) as u64;
                        let repeated = events.len() as u64 - new;
                        assert_eq!(inbox.store(events, now()).await.unwrap(), Stored { new, repeated });
                    }
                    Step::Take(count) => {
                        assert_eq!(inbox.take(portal, count).await.unwrap(), waits(&model, count));
                    }
                    Step::DoneFirst(count) => {
                        let ids = ids(&waits(&model, count));
                        for id in &ids {
                            model.entry(*id).and_modify(|(_, done)| *done = true);
                        }
                        inbox.done(portal, ids, now()).await.unwrap();
                    }
                    Step::Replay(from, to) => {
                        let mut count = 0;
                        for (event, done) in model.values_mut() {
                            if *done && event.occurred_at >= at(from) && event.occurred_at < at(to) {
                                *done = false;
                                count += 1;
                            }
                        }
                        let what = Replay { portal: Some(portal), from: at(from), to: at(to) };
                        assert_eq!(inbox.replay(what).await.unwrap(), count);
                    }
                    Step::Expire(before) => {
                        let size = model.len();
                        model.retain(|_, (event, done)| !*done || event.occurred_at >= at(before));
                        assert_eq!(inbox.expire(at(before)).await.unwrap(), (size - model.len()) as u64);
                    }
                }
            }
        });
    }
}
