//! The SQLite store: its role's promises, and every file it must refuse.

use std::path::Path;

use sync_core::stores::{Binding, SqliteStore};
use sync_testkit::conformance;
use sync_types::{NameKind, StateStore, StoreErrorKind, Transition};

fn binding() -> Binding {
    Binding { engagement: "acme".into(), portal: "123".into() }
}

fn open(path: &Path) -> Result<SqliteStore, sync_types::StoreError> {
    SqliteStore::open(path, &binding(), [1; 16])
}

#[test]
fn it_keeps_the_promises_in_memory_and_on_disk() {
    conformance::store(&mut SqliteStore::in_memory(&binding(), [1; 16]).unwrap());
    let folder = tempfile::tempdir().unwrap();
    conformance::store(&mut open(&folder.path().join("state.sqlite")).unwrap());
}

#[test]
fn what_was_committed_is_there_after_reopening_and_the_key_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let mut store = open(&path).unwrap();
    let id = store.name(NameKind::Link, "people").unwrap();
    store.commit(&Transition { cursors: vec![("c".into(), "42".into())], ..Transition::default() }).unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path, &binding(), [9; 16]).unwrap();
    assert_eq!(store.cursor("c").unwrap().as_deref(), Some("42"));
    assert_eq!(store.name(NameKind::Link, "people").unwrap(), id);
    assert_eq!(store.fingerprint_key(), [1; 16], "a fresh key never replaces the store's own");
}

#[test]
fn it_refuses_what_is_not_its_own_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    drop(open(&path).unwrap());
    let refuse = |binding: Binding, kind, words: &[&str]| {
        let error = SqliteStore::open(&path, &binding, [1; 16]).unwrap_err();
        assert_eq!(error.kind, kind);
        for word in words {
            assert!(error.to_string().contains(word), "{error} lacks `{word}`");
        }
    };
    let other_portal = Binding { portal: "999".into(), ..binding() };
    refuse(other_portal, StoreErrorKind::Mismatch, &["state.sqlite", "portal 123", "portal 999", "name"]);
    let other = Binding { engagement: "other".into(), ..binding() };
    refuse(other, StoreErrorKind::Mismatch, &["`acme`", "`other`"]);

    let held = open(&path).unwrap();
    refuse(binding(), StoreErrorKind::Locked, &["in use", "wait"]);
    drop(held);

    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    refuse(binding(), StoreErrorKind::Mismatch, &["newer version", "update"]);

    std::fs::write(&path, b"this is no database at all, but long enough to be looked at").unwrap();
    refuse(binding(), StoreErrorKind::Corrupt, &["damaged", "restore"]);
    assert!(std::fs::read(&path).unwrap().starts_with(b"this is no"), "a refused file is left as it is");

    std::fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(foreign);
    refuse(binding(), StoreErrorKind::Corrupt, &["not a state store"]);
}

#[test]
fn a_damaged_page_is_found_on_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    conformance::store(&mut open(&path).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let third = bytes.len() / 3;
    for byte in &mut bytes[third..2 * third] {
        *byte = 0xAA;
    }
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(&path).unwrap_err().kind, StoreErrorKind::Corrupt);
}
