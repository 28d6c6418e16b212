//! Every kind of event that HubSpot names, what is new, and what is hostile.

use proptest::prelude::*;

use super::*;

fn parse(body: &str) -> Result<Vec<Event>, ParseError> {
    parse_events(body.as_bytes(), &ParseLimits::default())
}

fn one(fields: &str) -> Event {
    let body = format!(
        r#"[{{"portalId":33,"appId":7,"subscriptionId":25,"eventId":1,"attemptNumber":0,"occurredAt":1462216307945,{fields}}}]"#
    );
    let mut events = parse(&body).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn record(object: &str, id: u64) -> RecordRef {
    RecordRef { object: ObjectType::new(object), id: RecordId::new(id.to_string()) }
}

#[test]
fn the_documented_example_is_read_and_its_value_is_not_kept() {
    let body = r#"[ { "eventId": 3816279340, "subscriptionId": 25, "portalId": 33, "appId": 1160452, "occurredAt": 1462216307945,
        "subscriptionType": "contact.propertyChange", "attemptNumber": 0, "objectId": 1246965,
        "propertyName": "lifecyclestage", "propertyValue": "secret-value", "changeSource": "CRM_UI", "sourceId": "userId:123" } ]"#;
    let event = parse(body).unwrap().remove(0);
    assert_eq!(event.portal, PortalId(33));
    assert_eq!(event.app, Some(AppId(1_160_452)));
    assert_eq!(event.subscription, Some(25));
    assert_eq!(event.occurred_at.as_millisecond(), 1_462_216_307_945);
    let properties = vec![PropertyName::new("lifecyclestage")];
    assert_eq!(event.change, Change::Set { record: record("0-1", 1_246_965), properties });
    assert_eq!(event.origin.source.as_deref(), Some("CRM_UI"));
    let kept = serde_json::to_string(&event).unwrap() + &format!("{event:?}");
    assert!(!kept.contains("secret-value"), "{kept}");
}

#[test]
fn every_kind_of_record_event_is_known_for_every_object() {
    for (name, object) in [
        ("contact", "0-1"),
        ("company", "0-2"),
        ("deal", "0-3"),
        ("ticket", "0-5"),
        ("product", "0-7"),
        ("line_item", "0-8"),
        ("object", "2-4711"),
    ] {
        let event = |what: &str, more: &str| {
            one(&format!(r#""subscriptionType":"{name}.{what}","objectTypeId":"2-4711","objectId":5{more}"#))
                .change
        };
        let r = || record(object, 5);
        assert_eq!(event("creation", r#","changeFlag":"CREATED""#), Change::Created(r()));
        assert_eq!(event("deletion", r#","changeFlag":"DELETED""#), Change::Deleted(r()));
        assert_eq!(event("restore", ""), Change::Restored(r()));
        assert_eq!(event("privacyDeletion", ""), Change::Erased(r()));
        let set = Change::Set { record: r(), properties: vec![PropertyName::new("email")] };
        assert_eq!(event("propertyChange", r#","propertyName":"email","propertyValue":null"#), set);
        let merged = Change::Merged {
            survivor: record(object, 9),
            merged: vec![RecordId::new("3"), RecordId::new("5")],
        };
        let fields =
            r#","primaryObjectId":5,"mergedObjectIds":[3,"5"],"newObjectId":9,"numberOfPropertiesMoved":2"#;
        assert_eq!(event("merge", fields), merged);
        let linked = |removed| Change::Associated { from: record(object, 1), to: record("0-2", 2), removed };
        let fields = r#","fromObjectId":1,"toObjectId":2,"toObjectTypeId":"0-2","associationRemoved":true"#;
        assert_eq!(event("associationChange", fields), linked(true));
    }
}

#[test]
fn a_merge_without_a_new_id_survives_under_the_primary_one() {
    let change =
        one(r#""subscriptionType":"company.merge","objectId":4,"primaryObjectId":4,"mergedObjectIds":[8]"#)
            .change;
    assert_eq!(change, Change::Merged { survivor: record("0-2", 4), merged: vec![RecordId::new("8")] });
}

#[test]
fn an_association_names_its_types_by_its_own_name() {
    let fields = r#""subscriptionType":"deal.associationChange","fromObjectId":1,"toObjectId":2,"associationType":"DEAL_TO_LINE_ITEM","associationRemoved":false,"isPrimaryAssociation":false"#;
    let expected = Change::Associated { from: record("0-3", 1), to: record("0-8", 2), removed: false };
    assert_eq!(one(fields).change, expected);
}

#[test]
fn conversations_are_threads_and_no_records() {
    for what in ["creation", "deletion", "privacyDeletion", "propertyChange", "newMessage"] {
        let fields = format!(
            r#""subscriptionType":"conversation.{what}","objectId":77,"messageId":"m","messageType":"MESSAGE""#
        );
        let Change::Conversation { kind, thread: 77 } = one(&fields).change else { panic!("{what}") };
        assert_eq!(kind, format!("conversation.{what}"));
    }
}

#[test]
fn what_is_unknown_is_kept_whole_with_its_record_where_it_names_one() {
    for (fields, kind, expected) in [
        (r#""subscriptionType":"event.completed","more":{"a":[1]}"#, "event.completed", None),
        (r#""subscriptionType":"contact.newThing","objectId":5"#, "contact.newThing", Some(record("0-1", 5))),
        (
            r#""subscriptionType":"object.x","objectId":5,"objectTypeId":"0-999""#,
            "object.x",
            Some(record("0-999", 5)),
        ),
        (r#""subscriptionType":"invoice.creation","objectId":5"#, "invoice.creation", None),
        // Known kinds without what they need.
        (r#""subscriptionType":"contact.creation""#, "contact.creation", None),
        (r#""subscriptionType":"object.creation","objectId":5"#, "object.creation", None),
        (r#""subscriptionType":"contact.creation","objectId":-5"#, "contact.creation", None),
        (
            r#""subscriptionType":"contact.associationChange","fromObjectId":1,"toObjectId":2,"associationType":"CONTACT_TO_X""#,
            "contact.associationChange",
            None,
        ),
        // Known fields of types never seen.
        (r#""subscriptionType":"contact.merge","objectId":1,"mergedObjectIds":"all""#, "contact.merge", None),
        (r#""subscriptionType":["contact.merge"],"objectId":1"#, "", None),
        (r#""objectId":1"#, "", None),
    ] {
        let event = one(fields);
        let Change::Other { kind: found, record, json } = event.change else { panic!("{fields}") };
        assert_eq!((found.as_str(), record), (kind, expected), "{fields}");
        assert!(json.contains(fields), "{fields}");
        assert_eq!(event.portal, PortalId(33));
    }
}

#[test]
fn an_event_without_a_believable_time_is_kept() {
    for time in ["null", "\"soon\"", "-1", "99999999999999999999", "18446744073709551615"] {
        let body = format!(
            r#"[{{"portalId":1,"subscriptionType":"contact.creation","objectId":2,"occurredAt":{time}}}]"#
        );
        let event = parse(&body).unwrap().remove(0);
        assert!(matches!(event.change, Change::Other { record: Some(_), .. }), "{time}: {event:?}");
    }
}

#[test]
fn an_event_has_one_name_however_often_it_is_sent() {
    let base = r#""subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"email","propertyValue":"a@b.c""#;
    let id = one(base).id;
    let again = |attempt: u32, event: u64, occurred: u64, fields: &str| {
        let body = format!(
            r#"[{{"attemptNumber":{attempt},"eventId":{event},"portalId":33,"appId":7,"subscriptionId":25,"occurredAt":{occurred},{fields}}}]"#
        );
        parse(&body).unwrap().remove(0).id
    };
    assert_eq!(again(3, 2, 1_462_216_307_945, base), id, "another attempt, another number");
    assert_ne!(again(0, 1, 1_462_216_307_946, base), id, "another time");
    for other in [
        r#""subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"email","propertyValue":"a@b.d""#,
        r#""subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"email","propertyValue":null"#,
        r#""subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"email""#,
        r#""subscriptionType":"contact.propertyChange","objectId":6,"propertyName":"email","propertyValue":"a@b.c""#,
        r#""subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"emai","propertyValue":"la@b.c""#,
        r#""subscriptionType":"company.propertyChange","objectId":5,"propertyName":"email","propertyValue":"a@b.c""#,
    ] {
        assert_ne!(one(other).id, id, "{other}");
    }
    let unknown = r#""subscriptionType":"x.y","some":{"b":1,"a":2}"#;
    assert_eq!(again(0, 1, 5, unknown), again(9, 1, 5, unknown));
    assert_ne!(again(0, 1, 5, unknown), again(0, 2, 5, unknown));
}

#[test]
fn names_sort_by_time() {
    let at = |ms: i64| EventId::first_at(Timestamp::from_millisecond(ms).unwrap());
    let event = one(r#""subscriptionType":"contact.creation","objectId":2"#);
    assert!(at(1_462_216_307_945) <= event.id && event.id < at(1_462_216_307_946));
    assert_eq!(EventId::first_at(Timestamp::MIN), EventId::first_at(Timestamp::UNIX_EPOCH));
}

#[test]
fn hostile_bodies_are_refused_whole() {
    let deep = format!("[{}{}]", r#"{"portalId":1,"x":"#.repeat(40), "1".to_owned() + &"}".repeat(40));
    let many = format!("[{}]", vec![r#"{"portalId":1}"#; 1_001].join(","));
    for (body, expected) in [
        ("", ParseError::NotAnArray),
        ("{}", ParseError::NotAnArray),
        ("null", ParseError::NotAnArray),
        ("[1", ParseError::NotAnArray),
        ("[] []", ParseError::NotAnArray),
        ("[1]", ParseError::NoEvent(0)),
        (r#"[{"portalId":1},{}]"#, ParseError::NoEvent(1)),
        (r#"[{"portalId":"x"}]"#, ParseError::NoEvent(0)),
        (r#"[{"portalId":1,"portalId":2}]"#, ParseError::NoEvent(0)),
        (deep.as_str(), ParseError::TooDeep),
        (many.as_str(), ParseError::TooMany),
        ("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", ParseError::TooDeep),
    ] {
        assert_eq!(parse(body), Err(expected), "{}", &body[..body.len().min(60)]);
    }
    assert_eq!(parse("[]"), Ok(Vec::new()));
    assert_eq!(parse_events(b"[\"\xff\"]", &ParseLimits::default()), Err(ParseError::NotAnArray));
    let digits = format!(r#"[{{"portalId":1,"objectId":{}}}]"#, "9".repeat(100_000));
    assert!(parse(&digits).is_ok_and(|events| events.len() == 1));
}

#[test]
fn brackets_in_strings_are_not_nesting() {
    for (json, depth) in [
        ("", 0),
        ("[]", 1),
        ("[{}]", 2),
        (r#"["[[[{{{"]"#, 1),
        (r#"["\"[["]"#, 1),
        (r#"["\\",[[]]]"#, 3),
        ("]]][", 1),
    ] {
        assert_eq!(nesting(json.as_bytes()), depth, "{json}");
    }
}

#[test]
fn only_the_app_itself_is_an_echo() {
    let says = |source: Option<&str>, id: Option<&str>| {
        Origin { source: source.map(Into::into), source_id: id.map(Into::into) }.says(AppId(7))
    };
    for (source, id, expected) in [
        (Some("INTEGRATION"), Some("7"), true),
        (Some("API"), Some("appId:7"), true),
        (Some("INTEGRATION"), Some("8"), false),
        (Some("INTEGRATION"), None, false),
        (Some("CRM_UI"), Some("7"), false),
        (None, Some("7"), false),
    ] {
        assert_eq!(says(source, id), expected, "{source:?} {id:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_and_what_is_stored_reads_back(body: Vec<u8>) {
        let _ = parse_events(&body, &ParseLimits::default());
    }

    #[test]
    fn any_event_reads_back_as_it_was_stored(kind in "(contact|company|object|x)\\.(creation|merge|propertyChange|associationChange|y)",
                                             ids in prop::collection::vec(prop::option::of(0_u64..50), 5),
                                             name in prop::option::of("[a-z\"\\\\]{0,5}"), at in 0_u64..4_000_000_000_000) {
        let mut event = serde_json::json!({"portalId": 1, "subscriptionType": kind, "occurredAt": at, "objectTypeId": "2-1", "toObjectTypeId": "0-1"});
        for (key, id) in ["objectId", "fromObjectId", "toObjectId", "primaryObjectId", "newObjectId"].iter().zip(&ids) {
            event[*key] = serde_json::json!(id);
        }
        event["propertyName"] = serde_json::json!(name);
        let body = serde_json::json!([event]).to_string();
        let event = parse(&body).unwrap().remove(0);
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(Event { id: event.id, ..read }, event);
    }
}
