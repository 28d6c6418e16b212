//! The same events give the same work, in whatever order and number they come.

use proptest::prelude::*;

use super::*;
use crate::event::{ParseLimits, parse_events};

fn events(body: &serde_json::Value) -> Vec<Event> {
    parse_events(body.to_string().as_bytes(), &ParseLimits::default()).unwrap()
}

fn record(object: &str, id: u64) -> RecordRef {
    RecordRef { object: object.into(), id: RecordId::new(id.to_string()) }
}

#[test]
fn many_events_of_a_record_are_one_read() {
    let set = |name: &str, at: u64, source: &str| {
        serde_json::json!({"portalId": 1, "subscriptionId": 1, "occurredAt": at, "subscriptionType": "contact.propertyChange",
            "objectId": 5, "propertyName": name, "propertyValue": "v", "changeSource": source, "sourceId": "7"})
    };
    let body = serde_json::json!([
        set("email", 20, "INTEGRATION"),
        set("phone", 10, "INTEGRATION"),
        set("email", 20, "INTEGRATION")
    ]);
    let work = Work::of(events(&body), &[AppId(7)]);
    assert_eq!(work.dirty.len(), 1);
    let dirty = &work.dirty[0];
    assert_eq!(dirty.record, record("0-1", 5));
    assert_eq!(dirty.reasons, BTreeSet::from([Reason::Set]));
    assert_eq!(dirty.properties, BTreeSet::from(["email".into(), "phone".into()]));
    assert_eq!(dirty.since.as_millisecond(), 10);
    assert!(dirty.maybe_echo);
    assert_eq!(work.events.len(), 2);

    let mixed = serde_json::json!([set("email", 20, "INTEGRATION"), set("phone", 10, "CRM_UI")]);
    let work = Work::of(events(&mixed), &[AppId(7)]);
    assert!(!work.dirty[0].maybe_echo, "one person's change is enough");
    assert!(!Work::of(events(&body), &[AppId(8)]).dirty[0].maybe_echo);
}

#[test]
fn merges_and_associations_touch_both_sides() {
    let body = serde_json::json!([
        {"portalId": 1, "occurredAt": 1, "subscriptionType": "company.merge", "primaryObjectId": 4, "mergedObjectIds": [8], "newObjectId": 9},
        {"portalId": 1, "occurredAt": 2, "subscriptionType": "contact.associationChange", "fromObjectId": 1, "toObjectId": 4,
            "associationType": "CONTACT_TO_COMPANY", "associationRemoved": true},
    ]);
    let work = Work::of(events(&body), &[]);
    let touched: Vec<_> =
        work.dirty.iter().map(|dirty| (dirty.record.clone(), dirty.reasons.clone())).collect();
    let expected = [
        (record("0-1", 1), BTreeSet::from([Reason::Associated])),
        (record("0-2", 4), BTreeSet::from([Reason::Merged, Reason::Associated])),
        (record("0-2", 8), BTreeSet::from([Reason::Merged])),
        (record("0-2", 9), BTreeSet::from([Reason::Merged])),
    ];
    assert_eq!(touched, expected);
    let into = record("0-2", 9);
    let merges = ["4", "8"].map(|from| Merge { into: into.clone(), from: RecordId::new(from) });
    assert_eq!(work.merges, BTreeSet::from(merges));
}

#[test]
fn what_names_no_record_is_shown_to_a_person() {
    let body = serde_json::json!([
        {"portalId": 1, "occurredAt": 1, "subscriptionType": "conversation.newMessage", "objectId": 4, "messageId": "m"},
        {"portalId": 1, "occurredAt": 1, "subscriptionType": "brand.new"},
        {"portalId": 1, "occurredAt": 1, "subscriptionType": "contact.new", "objectId": 4},
    ]);
    let work = Work::of(events(&body), &[]);
    assert_eq!(work.unplaced.len(), 2);
    assert_eq!(work.dirty.len(), 1);
    assert_eq!(work.dirty[0].reasons, BTreeSet::from([Reason::Unknown]));
    assert_eq!(work.events.len(), 3);
}

#[test]
fn an_app_that_came_back_is_not_uninstalled() {
    let event = |change: Change, at: i64| Event {
        id: EventId::from_bytes([u8::try_from(at).unwrap(); 16]),
        portal: crate::PortalId(1),
        app: None,
        subscription: None,
        occurred_at: Timestamp::from_second(at).unwrap(),
        change,
        origin: crate::Origin::default(),
        feed: crate::Feed::Journal,
    };
    for (list, expected) in [
        (vec![event(Change::Uninstalled, 1)], true),
        (vec![event(Change::Uninstalled, 1), event(Change::Installed, 2)], false),
        (vec![event(Change::Installed, 2), event(Change::Uninstalled, 1)], false),
        (vec![event(Change::Uninstalled, 3), event(Change::Installed, 2)], true),
        (vec![], false),
    ] {
        assert_eq!(Work::of(list, &[]).uninstalled, expected);
    }
}

fn some_event() -> impl Strategy<Value = serde_json::Value> {
    let kind = prop::sample::select(vec![
        "contact.creation",
        "contact.deletion",
        "contact.propertyChange",
        "contact.merge",
        "contact.associationChange",
        "x.y",
    ]);
    (kind, 1_u64..4, 1_u64..4, 0_u64..5, prop::sample::select(vec!["a", "b"]), any::<bool>()).prop_map(
        |(kind, id, other, at, name, echo)| {
            serde_json::json!({"portalId": 1, "occurredAt": at, "subscriptionType": kind, "objectId": id,
                "primaryObjectId": id, "mergedObjectIds": [other], "fromObjectId": id, "toObjectId": other,
                "associationType": "CONTACT_TO_DEAL", "propertyName": name, "propertyValue": name,
                "changeSource": if echo { "INTEGRATION" } else { "CRM_UI" }, "sourceId": "7"})
        },
    )
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(list in prop::collection::vec(some_event(), 0..20), seed in any::<prop::sample::Index>()) {
        let straight = events(&serde_json::Value::Array(list));
        let mut shuffled: Vec<Event> = straight.iter().chain(&straight).cloned().collect();
        if !shuffled.is_empty() {
            let at = seed.index(shuffled.len());
            shuffled.rotate_left(at);
            shuffled.reverse();
        }
        prop_assert_eq!(Work::of(straight, &[AppId(7)]), Work::of(shuffled, &[AppId(7)]));
    }
}
