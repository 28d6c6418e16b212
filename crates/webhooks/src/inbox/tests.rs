//! What only the inside can bring about: calls that share a commit, a full disk, a flush that failed.

use rusqlite::Connection;

use super::sqlite::SqliteInbox;
use super::writer::{Line, start};
use super::*;
use crate::event::{ParseLimits, parse_events};

fn line() -> Line {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
    start(connection).unwrap().0
}

async fn insert(line: &Line, number: i64) -> Result<(), InboxError> {
    line.call(1, move |connection| connection.execute("INSERT INTO t VALUES (?1)", [number]).map(drop)).await
}

async fn count(line: &Line) -> i64 {
    line.call(0, |connection| connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_call_that_fails_takes_nothing_of_itself_and_the_next_one_works() {
    let line = line();
    insert(&line, 1).await.unwrap();
    let failed = line
        .call(2, |connection| {
            connection.execute("INSERT INTO t VALUES (2)", [])?;
            connection.execute("INSERT INTO t VALUES (1)", [])
        })
        .await;
    assert_eq!(failed.unwrap_err().kind, InboxErrorKind::Io);
    assert_eq!(count(&line).await, 1);
    insert(&line, 2).await.unwrap();
    assert_eq!(count(&line).await, 2);
}

#[tokio::test]
async fn after_a_failed_flush_nothing_runs_any_more() {
    let line = line();
    let flush = || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(10 | (4 << 8)), None);
    let failed = line.call(0, move |_| Err::<(), _>(flush())).await;
    assert_eq!(failed.unwrap_err().kind, InboxErrorKind::Broken);
    let (ran, watched) = watch::channel(false);
    let refused = line.call(0, move |_| Ok(ran.send_replace(true))).await;
    assert_eq!(refused.unwrap_err().kind, InboxErrorKind::Broken);
    assert!(!*watched.borrow());
}

#[tokio::test]
async fn a_full_disk_is_said_and_work_goes_on_once_there_is_space() {
    let inbox = SqliteInbox::in_memory().unwrap();
    let pages = async |count: i64| {
        inbox.line().call(0, move |connection| connection.pragma_update(None, "max_page_count", count)).await
    };
    pages(8).await.unwrap();
    let events = |from: u64| {
        let list: Vec<_> = (from..from + 200)
            .map(|id| serde_json::json!({"portalId": 1, "occurredAt": id, "subscriptionType": "contact.creation", "objectId": id}))
            .collect();
        parse_events(serde_json::Value::Array(list).to_string().as_bytes(), &ParseLimits::default()).unwrap()
    };
    let full = inbox.store(events(0), Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(full.kind, InboxErrorKind::Full);
    assert_eq!(inbox.waiting().await.unwrap(), [], "all or nothing");
    pages(1_000_000).await.unwrap();
    let stored = inbox.store(events(0), Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(stored, Stored { new: 200, repeated: 0 });
}
