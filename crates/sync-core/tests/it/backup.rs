//! Copies of a state file: whole, checked, and put back only where they belong.

use std::path::Path;

use sync_core::stores::{Binding, SqliteStore};
use sync_testkit::conformance;
use sync_types::{StateStore, StoreError, StoreErrorKind, Transition};

fn binding() -> Binding {
    Binding { engagement: "acme".into(), portal: "123".into() }
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, &binding(), [1; 16])
}

fn set(store: &mut SqliteStore, position: &str) {
    let cursors = vec![("c".into(), position.into())];
    store.commit(&Transition { cursors, ..Transition::default() }).unwrap();
}

#[test]
fn a_backup_is_taken_while_the_store_is_held_and_put_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (state, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let mut store = open(&state).unwrap();
    conformance::store(&mut store);
    set(&mut store, "then");
    store.backup(&copy).unwrap();
    store.check().unwrap();
    set(&mut store, "later");
    let again = store.backup(&copy).unwrap_err();
    assert!(again.to_string().contains("there already"), "{again}");

    // While somebody holds it, nothing is put back.
    assert_eq!(SqliteStore::restore(&state, &copy, &binding()).unwrap_err().kind, StoreErrorKind::Locked);
    assert_eq!(store.cursor("c").unwrap().as_deref(), Some("later"));
    let totals = store.totals().unwrap();
    drop(store);

    let kept = SqliteStore::restore(&state, &copy, &binding()).unwrap().unwrap();
    let store = open(&state).unwrap();
    assert_eq!(store.cursor("c").unwrap().as_deref(), Some("then"));
    assert_eq!((store.totals().unwrap().pairs, store.fingerprint_key()), (totals.pairs, [1; 16]));
    // What was there is kept, and is itself a backup.
    drop(store);
    SqliteStore::restore(&state, &kept, &binding()).unwrap();
    assert_eq!(open(&state).unwrap().cursor("c").unwrap().as_deref(), Some("later"));
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().ends_with(".part")));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_state_file_and_its_copies() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (state, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    open(&state).unwrap().backup(&copy).unwrap();
    let kept = SqliteStore::restore(&state, &copy, &binding()).unwrap().unwrap();
    for path in [state, copy, kept] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn what_does_not_belong_there_is_refused_and_the_store_stays() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let mut store = open(&place("state.db")).unwrap();
    set(&mut store, "ours");
    store.backup(&place("newer.db")).unwrap();
    drop(store);
    for (name, other) in [
        ("portal.db", Binding { portal: "999".into(), ..binding() }),
        ("engagement.db", Binding { engagement: "other".into(), ..binding() }),
    ] {
        SqliteStore::in_memory(&other, [2; 16]).unwrap().backup(&place(name)).unwrap();
    }
    rusqlite::Connection::open(place("newer.db")).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    rusqlite::Connection::open(place("foreign.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    std::fs::write(place("text.db"), "no database at all, but long enough to be looked at".repeat(99))
        .unwrap();
    std::fs::write(place("empty.db"), "").unwrap();
    let mut damaged = std::fs::read(place("portal.db")).unwrap();
    let half = damaged.len() / 2;
    damaged[half..].fill(0xAA);
    std::fs::write(place("damaged.db"), damaged).unwrap();
    for (name, kind) in [
        ("portal.db", StoreErrorKind::Mismatch),
        ("engagement.db", StoreErrorKind::Mismatch),
        ("newer.db", StoreErrorKind::Mismatch),
        ("foreign.db", StoreErrorKind::Corrupt),
        ("text.db", StoreErrorKind::Corrupt),
        ("empty.db", StoreErrorKind::Corrupt),
        ("damaged.db", StoreErrorKind::Corrupt),
        ("gone.db", StoreErrorKind::Io),
    ] {
        let error = SqliteStore::restore(&place("state.db"), &place(name), &binding()).unwrap_err();
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(open(&place("state.db")).unwrap().cursor("c").unwrap().as_deref(), Some("ours"), "{name}");
    }
}

#[test]
fn a_damaged_store_is_moved_aside_for_its_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (state, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let mut store = open(&state).unwrap();
    set(&mut store, "ours");
    store.backup(&copy).unwrap();
    drop(store);
    std::fs::write(&state, "no database any more, but long enough to look like one".repeat(99)).unwrap();
    assert_eq!(open(&state).unwrap_err().kind, StoreErrorKind::Corrupt);
    let kept = SqliteStore::restore(&state, &copy, &binding()).unwrap().unwrap();
    assert!(std::fs::read(kept).unwrap().starts_with(b"no database any more"));
    assert_eq!(open(&state).unwrap().cursor("c").unwrap().as_deref(), Some("ours"));
    // Where nothing is, a backup is put without further ado.
    std::fs::remove_file(&state).unwrap();
    assert_eq!(SqliteStore::restore(&state, &copy, &binding()).unwrap(), None);
    assert_eq!(open(&state).unwrap().cursor("c").unwrap().as_deref(), Some("ours"));
}
