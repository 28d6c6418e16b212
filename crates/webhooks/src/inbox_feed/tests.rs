//! What a feed owes the engine: nothing is lost between two cursors, whatever is repeated, restarted or restored.

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use serde_json::json;
use sync_types::Feed as _;

use super::*;
use crate::event::{ParseLimits, parse_events};
use crate::{Replay, SqliteInbox};

#[derive(Debug)]
struct Hand(StdMutex<Timestamp>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

const PORTAL: PortalId = PortalId(33);

struct World {
    inbox: Arc<SqliteInbox>,
    clock: Arc<Hand>,
}

impl World {
    fn new() -> World {
        let start = Timestamp::from_millisecond(1_800_000_000_000).unwrap();
        World {
            inbox: Arc::new(SqliteInbox::in_memory().unwrap()),
            clock: Arc::new(Hand(StdMutex::new(start))),
        }
    }

    /// As a process makes it when it starts.
    fn feed(&self) -> InboxFeed {
        let types =
            BTreeMap::from([("contacts".into(), "0-1".into()), ("machines".into(), ObjectType::new("2-9"))]);
        InboxFeed::new(self.inbox.clone(), PORTAL, &types, vec![AppId(7)], self.clock.clone())
    }

    async fn tell(&self, events: serde_json::Value) {
        let events = parse_events(events.to_string().as_bytes(), &ParseLimits::default()).unwrap();
        self.inbox.store(events, self.clock.now()).await.unwrap();
    }

    async fn waiting(&self) -> u64 {
        self.inbox.waiting().await.unwrap().iter().map(|waiting| waiting.events).sum()
    }
}

fn event(kind: &str, id: u64, at: u64, more: &serde_json::Value) -> serde_json::Value {
    let mut event = json!({"portalId": 33, "appId": 7, "subscriptionId": 1, "eventId": 1, "attemptNumber": 0,
        "occurredAt": at, "subscriptionType": kind, "objectId": id, "changeSource": "CRM_UI"});
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn set(id: u64, at: u64) -> serde_json::Value {
    event("contact.propertyChange", id, at, &json!({"propertyName": "city", "propertyValue": "x"}))
}

async fn ask(feed: &InboxFeed, object: &str, after: Option<&str>) -> FeedPage {
    feed.changes(&object.into(), after, Lane::Live).await.unwrap()
}

fn ids(page: &FeedPage) -> Vec<&str> {
    page.changes.iter().map(|change| change.record.as_str()).collect()
}

#[tokio::test]
async fn what_comes_back_is_done_and_what_does_not_is_told_again() {
    let world = World::new();
    world.tell(json!([set(1, 10), set(1, 11), set(2, 12)])).await;
    let feed = world.feed();
    let first = ask(&feed, "contacts", None).await;
    assert_eq!(ids(&first), ["1", "2"], "two events of a record are one look");
    assert!(first.caught_up);
    // The engine failed before its commit: the same cursor as before.
    let again = ask(&feed, "contacts", None).await;
    assert_eq!(ids(&again), ["1", "2"]);
    assert_eq!(world.waiting().await, 3);
    // An older page's cursor proves nothing about a newer one.
    world.tell(json!([set(3, 13)])).await;
    let more = ask(&feed, "contacts", Some(&first.cursor)).await;
    assert_eq!(ids(&more), ["1", "2", "3"]);
    let rest = ask(&feed, "contacts", Some(&more.cursor)).await;
    assert_eq!((ids(&rest), world.waiting().await), (vec![], 0));
}

#[tokio::test]
async fn a_restart_and_a_restored_backup_lose_nothing() {
    let world = World::new();
    world.tell(json!([set(1, 10)])).await;
    let feed = world.feed();
    let backup = ask(&feed, "contacts", None).await.cursor;
    // The process ended after its commit and before the next call.
    let feed = world.feed();
    let page = ask(&feed, "contacts", Some(&backup)).await;
    assert_eq!(ids(&page), ["1"], "told twice, as nobody knows");
    let old = page.cursor;
    let settled = ask(&feed, "contacts", Some(&old)).await.cursor;
    assert_eq!(world.waiting().await, 0);
    let feed = world.feed();
    assert_eq!(ids(&ask(&feed, "contacts", Some(&settled)).await), [""; 0], "done is done");
    let feed = world.feed();
    assert_eq!(
        ids(&ask(&feed, "contacts", Some(&backup)).await),
        ["1"],
        "a backup from before knows nothing of it"
    );
}

#[tokio::test]
async fn an_event_of_two_types_waits_for_both() {
    let world = World::new();
    let association = json!({"objectTypeId": "0-1", "fromObjectId": 5, "toObjectId": 6, "fromObjectTypeId": "0-1", "toObjectTypeId": "2-9",
        "associationRemoved": false});
    world.tell(json!([event("object.associationChange", 5, 10, &association)])).await;
    let feed = world.feed();
    let people = ask(&feed, "contacts", None).await;
    let machines = ask(&feed, "machines", None).await;
    assert_eq!((ids(&people), ids(&machines)), (vec!["5"], vec!["6"]));
    assert_eq!(people.changes[0].kind, ChangeKind::Edges);
    ask(&feed, "contacts", Some(&people.cursor)).await;
    assert_eq!(world.waiting().await, 1);
    ask(&feed, "machines", Some(&machines.cursor)).await;
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn each_reason_is_told_in_the_engines_words_and_echoes_come_last() {
    let world = World::new();
    let ours = json!({"changeSource": "INTEGRATION", "sourceId": "7"});
    let merge = json!({"primaryObjectId": 20, "mergedObjectIds": [21], "newObjectId": 22});
    world
        .tell(json!([
            event("contact.creation", 1, 10, &ours),
            event("contact.deletion", 2, 11, &json!({})),
            event("contact.privacyDeletion", 3, 12, &json!({})),
            event("contact.restore", 4, 13, &json!({})),
            event("contact.merge", 20, 14, &merge),
            event("deal.creation", 9, 15, &json!({})),
            event("conversation.newMessage", 8, 16, &json!({"messageId": "m"})),
        ]))
        .await;
    let feed = world.feed();
    let page = ask(&feed, "contacts", None).await;
    let told: Vec<(String, ChangeKind)> =
        page.changes.iter().map(|change| (change.record.to_string(), change.kind.clone())).collect();
    let to = |id: &str, kind: ChangeKind| (id.to_owned(), kind);
    for expected in [
        to("2", ChangeKind::Deleted),
        to("3", ChangeKind::Erased),
        to("4", ChangeKind::Changed),
        to("22", ChangeKind::Changed),
        to("20", ChangeKind::MergedInto("22".into())),
        to("21", ChangeKind::MergedInto("22".into())),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    assert_eq!(told.len(), 7, "{told:?}");
    assert_eq!(told.last(), Some(&to("1", ChangeKind::Changed)), "an echo is looked at last");
    ask(&feed, "contacts", Some(&page.cursor)).await;
    assert_eq!(world.waiting().await, 0, "a deal and a message concern nobody");
}

#[tokio::test]
async fn more_than_a_window_is_told_page_by_page_and_others_do_not_block_it() {
    let world = World::new();
    let machine = json!({"objectTypeId": "2-9", "propertyName": "p", "propertyValue": "x"});
    for chunk in 0..60_u64 {
        let events: Vec<_> = (0..100)
            .map(|n| event("object.propertyChange", 1_000 + chunk * 100 + n, chunk * 100 + n, &machine))
            .collect();
        world.tell(json!(events)).await;
    }
    world.tell(json!([set(1, 1_000_000)])).await;
    let feed = world.feed();
    let mut people = Vec::new();
    let mut looked = 0;
    let (mut contacts, mut machines) = (None, None);
    for _ in 0..2 {
        for (object, cursor) in [("contacts", &mut contacts), ("machines", &mut machines)] {
            loop {
                let page = ask(&feed, object, cursor.as_deref()).await;
                if object == "contacts" {
                    people.extend(page.changes.iter().map(|change| change.record.to_string()));
                } else {
                    looked += page.changes.len();
                }
                *cursor = Some(page.cursor);
                if page.caught_up {
                    break;
                }
            }
        }
    }
    assert_eq!((people, looked), (vec!["1".to_owned()], 6_000));
}

#[tokio::test]
async fn a_replay_is_told_again_and_the_rest_can_be_passed_over() {
    let world = World::new();
    world.tell(json!([set(1, 10), event("deal.creation", 9, 15, &json!({}))])).await;
    let feed = world.feed();
    assert_eq!(feed.pass_over_the_rest().await.unwrap(), 1);
    let page = ask(&feed, "contacts", None).await;
    let page = ask(&feed, "contacts", Some(&page.cursor)).await;
    assert_eq!(world.waiting().await, 0);
    let all = Replay { portal: Some(PORTAL), from: Timestamp::UNIX_EPOCH, to: Timestamp::MAX };
    assert_eq!(world.inbox.replay(all).await.unwrap(), 2);
    assert_eq!(ids(&ask(&feed, "contacts", Some(&page.cursor)).await), ["1"]);
}
