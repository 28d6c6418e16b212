//! What every store promises, asked of each.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use oauth::{
    Acquired, Lease, MemoryStore, PendingEntry, PendingStore, Revision, Sealed, SealedStore,
    SqliteTokenStore, StoreErrorKind,
};

trait Store: SealedStore + Lease + PendingStore {}
impl<S: SealedStore + Lease + PendingStore> Store for S {}

/// Every store, each as two handles on one content.
fn each(folder: &tempfile::TempDir) -> Vec<[Arc<dyn Store>; 2]> {
    let memory = Arc::new(MemoryStore::new());
    let file = folder.path().join("tokens.db");
    let open = || Arc::new(SqliteTokenStore::open(&file).unwrap());
    vec![[memory.clone(), memory], [open(), open()]]
}

fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

#[tokio::test]
async fn an_entry_is_written_over_the_revision_that_was_read_and_over_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for [one, other] in each(&folder) {
        assert_eq!(one.get("a").await.unwrap(), None);
        let first = one.put("a", &sealed("1"), None).await.unwrap();
        assert_eq!(other.get("a").await.unwrap().unwrap().revision, first);
        let second = other.put("a", &sealed("2"), Some(first)).await.unwrap();
        for stale in [None, Some(first), Some(Revision(second.0 + 1))] {
            let error = one.put("a", &sealed("3"), stale).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Conflict, "{stale:?}");
        }
        assert_eq!(one.get("a").await.unwrap().unwrap().sealed, sealed("2"));
        one.put("b", &sealed("b"), None).await.unwrap();
        assert_eq!(
            one.put("c", &sealed("c"), Some(first)).await.unwrap_err().kind(),
            StoreErrorKind::Conflict
        );
        let mut names = other.names().await.unwrap();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        other.delete("a").await.unwrap();
        other.delete("a").await.unwrap();
        let remade = one.put("a", &sealed("4"), None).await.unwrap();
        assert!(remade > second, "a remade entry has no earlier one's revision");
    }
}

#[tokio::test]
async fn of_many_writers_on_one_revision_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    for handles in each(&folder) {
        let first = handles[0].put("a", &sealed("0"), None).await.unwrap();
        let texts: Vec<Sealed> = (1..=20).map(|n| sealed(&n.to_string())).collect();
        let writes = texts.iter().enumerate().map(|(n, text)| handles[n % 2].put("a", text, Some(first)));
        let outcomes = join_all(writes).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    }
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_is_given_back_or_over() {
    let folder = tempfile::tempdir().unwrap();
    let life = Duration::from_secs(60);
    for [one, other] in each(&folder) {
        let Acquired::Held(first) = one.acquire("x", "one", at(0), life).await.unwrap() else {
            panic!("held")
        };
        let busy = Acquired::Busy { holder: "one".to_owned(), since: at(0), until: at(60) };
        assert_eq!(other.acquire("x", "other", at(59), life).await.unwrap(), busy);
        assert!(matches!(other.acquire("y", "other", at(0), life).await.unwrap(), Acquired::Held(_)));
        let Acquired::Held(second) = other.acquire("x", "other", at(60), life).await.unwrap() else {
            panic!("over")
        };
        assert!(second.fence > first.fence);
        // The one that was frozen gives back what is no longer its own.
        one.release(&first).await.unwrap();
        assert!(matches!(one.acquire("x", "one", at(61), life).await.unwrap(), Acquired::Busy { .. }));
        other.release(&second).await.unwrap();
        assert!(matches!(one.acquire("x", "one", at(61), life).await.unwrap(), Acquired::Held(_)));
    }
}

#[tokio::test]
async fn a_begun_install_is_taken_once_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    for handles in each(&folder) {
        let entry = PendingEntry { sealed: sealed("p"), expires_at: at(600) };
        for id in ["a", "b", "c"] {
            handles[0].keep(id, &entry, at(0)).await.unwrap();
        }
        let takes = join_all((0..20).map(|n| handles[n % 2].take("a", at(1)))).await;
        let taken: Vec<_> = takes.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(taken, std::slice::from_ref(&entry));
        assert_eq!(handles[0].take("b", at(600)).await.unwrap(), None);
        assert_eq!(handles[0].take("b", at(1)).await.unwrap(), None, "a late one is gone");
        assert_eq!(handles[1].take("c", at(599)).await.unwrap(), Some(entry));
    }
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, and long enough to be taken for one".repeat(20)).unwrap();
    assert_eq!(SqliteTokenStore::open(&text).unwrap_err().kind(), StoreErrorKind::Corrupt);
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let error = SqliteTokenStore::open(&other).unwrap_err();
    assert!(error.to_string().contains("other.db is no token store"), "{error}");
    let newer = folder.path().join("newer.db");
    drop(SqliteTokenStore::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    assert!(SqliteTokenStore::open(&newer).unwrap_err().to_string().contains("newer version"));
    assert!(SqliteTokenStore::open(&folder.path().join("no/folder.db")).is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.db");
    let store = SqliteTokenStore::open(&file).unwrap();
    store.put("a", &sealed("1"), None).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}
