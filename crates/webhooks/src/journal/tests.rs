//! Files as documents and published clients show them, and the URLs that are not fetched.

use jiff::Timestamp;
use sync_types::{ObjectType, PropertyName, RecordId};

use super::*;
use crate::event::{Change, Feed, PortalId, RecordRef};

fn record(object: &str, id: u64) -> RecordRef {
    RecordRef { object: ObjectType::new(object), id: RecordId::new(id.to_string()) }
}

fn file(events: &str) -> Result<JournalFile, FileError> {
    let text =
        format!(r#"{{"offset":"o-1","publishedAt":"2026-09-03T10:00:05Z","journalEvents":[{events}]}}"#);
    parse_file(text.as_bytes())
}

fn one(fields: &str) -> Change {
    let event = format!(r#"{{"portalId":33,"occurredAt":"2026-09-03T10:00:01Z",{fields}}}"#);
    let mut events = file(&event).unwrap().events;
    assert_eq!((events.len(), events[0].portal, events[0].feed), (1, PortalId(33), Feed::Journal));
    events.remove(0).change
}

#[test]
fn a_file_is_read_and_no_value_is_kept() {
    let event = r#"{"type":"OBJECT","portalId":33,"occurredAt":"2026-09-03T10:00:01Z","action":"UPDATE","objectTypeId":"0-1","objectId":1246965,"propertyChanges":{"email":"secret@example.com","phone":null}}"#;
    let read = file(event).unwrap();
    assert_eq!(read.offset, Some(Offset::new("o-1")));
    assert_eq!(read.published_at, Some("2026-09-03T10:00:05Z".parse().unwrap()));
    let event = &read.events[0];
    assert_eq!(event.occurred_at, "2026-09-03T10:00:01Z".parse::<Timestamp>().unwrap());
    let properties = ["email", "phone"].map(PropertyName::new).to_vec();
    assert_eq!(event.change, Change::Set { record: record("0-1", 1_246_965), properties });
    let kept = serde_json::to_string(event).unwrap() + &format!("{event:?}");
    assert!(!kept.contains("secret@"), "{kept}");
}

#[test]
fn every_action_is_known() {
    let r = || record("0-1", 5);
    let object = |action: &str| {
        one(&format!(r#""type":"OBJECT","action":"{action}","objectTypeId":"0-1","objectId":5"#))
    };
    assert_eq!(object("CREATE"), Change::Created(r()));
    assert_eq!(object("DELETE"), Change::Deleted(r()));
    assert_eq!(object("RESTORE"), Change::Restored(r()));
    assert_eq!(object("SNAPSHOT"), Change::Set { record: r(), properties: vec![] });
    let erased =
        one(r#""type":"GDPR_PRIVACY_DELETION","action":"GDPR_DELETE","objectTypeId":"0-1","objectId":5"#);
    assert_eq!(erased, Change::Erased(r()));
    for (action, removed) in [("ADDED_TO_LIST", false), ("REMOVED_FROM_LIST", true)] {
        let listed = one(&format!(
            r#""type":"LIST_MEMBERSHIP","action":"{action}","objectTypeId":"0-1","objectId":5,"listId":9"#
        ));
        assert_eq!(listed, Change::Listed { record: r(), removed });
    }
    let merged = one(
        r#""type":"OBJECT","action":"MERGE","objectTypeId":"0-2","objectId":5,"mergedObjectIds":[7,6],"newObjectId":8"#,
    );
    let ids = ["5", "6", "7"].map(RecordId::new).to_vec();
    assert_eq!(merged, Change::Merged { survivor: record("0-2", 8), merged: ids });
    // Two ways to name the ends, both published.
    for fields in [
        r#""objectTypeId":"0-1","fromObjectId":5,"toObjectId":6,"toObjectTypeId":"0-2","associationTypeId":1,"associationCategory":"HUBSPOT_DEFINED","isPrimary":true"#,
        r#""objectTypeId":"0-1","objectId":5,"associatedObjectId":6,"associatedObjectTypeId":"0-2""#,
    ] {
        for (action, removed) in [("ASSOCIATION_ADDED", false), ("ASSOCIATION_REMOVED", true)] {
            let expected = Change::Associated { from: r(), to: record("0-2", 6), removed };
            assert_eq!(one(&format!(r#""type":"ASSOCIATION","action":"{action}",{fields}"#)), expected);
        }
    }
    for (fields, expected) in [
        (r#""action":"APP_INSTALL""#, Change::Installed),
        (r#""action":"APP_UNINSTALL""#, Change::Uninstalled),
        (r#""eventTypeId":"4-1909196""#, Change::Installed),
        (r#""objectTypeId":"4-1916193","objectId":33"#, Change::Uninstalled),
    ] {
        assert_eq!(one(&format!(r#""type":"APP_LIFECYCLE_EVENT",{fields}"#)), expected);
    }
}

#[test]
fn what_is_unknown_is_kept_and_what_is_hostile_is_refused() {
    for fields in [
        r#""type":"EVENT","action":"VISIT""#,
        r#""type":"OBJECT","action":"UPDATE","objectTypeId":"0-1""#,
        r#""type":"OBJECT","action":["UPDATE"]"#,
        r#""type":"ASSOCIATION","action":"ASSOCIATION_ADDED","objectTypeId":"0-1","fromObjectId":5,"toObjectId":6"#,
    ] {
        assert!(matches!(one(fields), Change::Other { .. }), "{fields}");
    }
    assert_eq!(file(r#"{"type":"OBJECT"}"#), Err(FileError::NoEvent(0)));
    assert_eq!(file("1"), Err(FileError::NoEvent(0)));
    assert_eq!(parse_file(b"<html>"), Err(FileError::NotAFile));
    assert_eq!(parse_file(b"[]"), Err(FileError::NotAFile));
    assert_eq!(parse_file(b"{}"), Err(FileError::NotAFile));
    assert_eq!(parse_file("[".repeat(50).as_bytes()), Err(FileError::TooDeep));
    assert_eq!(parse_file(br#"{"journalEvents":[]}"#).unwrap().published_at, None);
}

#[test]
fn only_files_on_allowed_hosts_are_fetched() {
    let hosts = FileHosts::default();
    let secret = "?X-Amz-Signature=hidden";
    for url in [
        "https://files.hubspot.com/a",
        "https://hubapi.com/a",
        "https://API.HubApi.com/a",
        "https://bucket.s3.amazonaws.com/a",
        "https://bucket.s3.us-east-1.amazonaws.com:443/a",
        "https://bucket.s3.eu-central-1.amazonaws.com/a",
    ] {
        let checked = hosts.check(&format!("{url}{secret}")).unwrap();
        assert!(checked.expose().ends_with(secret));
        assert!(!format!("{checked:?}").contains("hidden"));
    }
    use FileUrlError::{Address, Credentials, NotAUrl, NotHttps, Port};
    let elsewhere = |host: &str| FileUrlError::Host(host.to_owned());
    for (url, expected) in [
        ("", NotAUrl),
        ("/a", NotAUrl),
        ("https://", NotAUrl),
        ("http://files.hubspot.com/a", NotHttps),
        ("file:///etc/passwd", NotHttps),
        ("ftp://files.hubspot.com/a", NotHttps),
        ("gopher://127.0.0.1:70/", NotHttps),
        ("data:text/plain,a", NotHttps),
        ("https://user:hidden@files.hubspot.com/a", Credentials),
        ("https://files.hubspot.com@evil.example/a", Credentials),
        ("https://files.hubspot.com:8443/a", Port),
        ("https://127.0.0.1/a", Address),
        ("https://2130706433/a", Address),
        ("https://0x7f.1/a", Address),
        ("https://0177.0.0.1/a", Address),
        ("https://127.1/a", Address),
        ("https://0/a", Address),
        ("https://169.254.169.254/latest/meta-data/", Address),
        ("https://[::1]/a", Address),
        ("https://[::ffff:169.254.169.254]/a", Address),
        ("https://[fd00:ec2::254]/a", Address),
        ("https://\u{ff11}27.0.0.1/a", Address),
        ("https://localhost/a", elsewhere("localhost")),
        ("https://metadata.google.internal/a", elsewhere("metadata.google.internal")),
        ("https://evil.example/files.hubspot.com", elsewhere("evil.example")),
        ("https://hubspot.com.evil.example/a", elsewhere("hubspot.com.evil.example")),
        ("https://evilhubspot.com/a", elsewhere("evilhubspot.com")),
        ("https://evil.example#.hubspot.com/a", elsewhere("evil.example")),
        ("https://evil.example\\.hubspot.com/a", elsewhere("evil.example")),
        ("https://hubspot.com./a", elsewhere("hubspot.com.")),
        ("https://ec2-1-2-3-4.compute-1.amazonaws.com/a", elsewhere("ec2-1-2-3-4.compute-1.amazonaws.com")),
    ] {
        let error = hosts.check(url).unwrap_err();
        assert_eq!(error, expected, "{url}");
        assert!(!error.to_string().contains("hidden"));
    }
    let local = FileHosts::new(["example.com"]).or_local();
    assert!(local.check("http://127.0.0.1:8765/file").is_ok());
    assert!(local.check("http://localhost:8765/file").is_ok());
    assert!(local.check("http://10.0.0.1/file").is_err());
    assert!(FileHosts::new(["example.com"]).check("http://127.0.0.1:8765/file").is_err());
}
