//! Changes that are easily missed, and servers that go away in the middle.

use source_adapters::postgres::{Changes, Postgres, outbox_sql};
use std::sync::Arc;
use sync_types::{
    ChangeCursor, ChangesRequest, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId, ReadRequest,
    Source, SourceErrorKind, SourceWriter as _,
};

use crate::server::{Server, Stop};

async fn ids(
    source: &Postgres,
    collection: &str,
    after: &ChangeCursor,
    max: usize,
) -> (Vec<String>, ChangeCursor) {
    let (mut cursor, mut ids) = (after.clone(), Vec::new());
    loop {
        let request = ChangesRequest { collection: collection.into(), after: Some(cursor), max };
        let page = source.changes(&request).await.unwrap();
        ids.extend(page.changes.into_iter().map(|change| change.id.to_string()));
        cursor = page.cursor;
        if page.caught_up {
            ids.sort();
            ids.dedup();
            return (ids, cursor);
        }
    }
}

async fn now(source: &Postgres, collection: &str) -> ChangeCursor {
    let request = ChangesRequest { collection: collection.into(), after: None, max: 1 };
    source.changes(&request).await.unwrap().cursor
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_midst_of_a_scan_misses_nothing() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    let sql = "CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people SELECT n, 'n' || n FROM generate_series(1, 500) n";
    people.batch_execute(sql).await.unwrap();
    let source = Postgres::new(server.config().with_changes("people", Changes::Rows)).unwrap();
    let begin = now(&source, "people").await;
    let mut request = ReadRequest { collection: "people".into(), after: None, max: 100 };
    let mut seen = Vec::new();
    for stop in [Some(Stop::Fast), Some(Stop::Immediate), None, None, None, None] {
        let page = source.read_page(&request).await.unwrap();
        seen.extend(
            page.records.into_iter().flatten().map(|record| record.id().as_str().parse::<i32>().unwrap()),
        );
        let Some(next) = page.next else { break };
        request.after = Some(next);
        if let Some(stop) = stop {
            server.down(stop);
            let down = source.read_page(&request).await.unwrap_err();
            assert_eq!(down.kind, SourceErrorKind::Unavailable, "{down}");
            server.up();
        }
    }
    assert_eq!(seen, (1..=500).collect::<Vec<_>>());
    server.people().await.batch_execute("UPDATE people SET name = 'changed' WHERE id = 250").await.unwrap();
    assert_eq!(ids(&source, "people", &begin, 10).await.0, ["250"], "a cursor outlives the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_late_or_all_at_once_is_told() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    let sql =
        "CREATE TABLE people (id int PRIMARY KEY, name text, modified timestamptz NOT NULL DEFAULT now());
        INSERT INTO people SELECT n, 'n' FROM generate_series(1, 300) n";
    people.batch_execute(sql).await.unwrap();
    people.batch_execute(&outbox_sql("public", "people", "id", "outbox")).await.unwrap();
    let modified = Changes::Modified { column: "modified".into(), overlap_s: 600 };
    let mut config = server
        .config()
        .with_changes("people", Changes::Rows)
        .with_changes("outbox", Changes::Outbox { keep_days: 30 });
    config.collections.get_mut("outbox").unwrap().table = Some("people".into());
    let config = config.with_query("query", "SELECT * FROM people", "id").with_changes("query", modified);
    let source = Postgres::new(config).unwrap();
    for (collection, max) in [("people", 7), ("outbox", 7), ("query", 7), ("people", 1000), ("outbox", 1000)]
    {
        let begin = now(&source, collection).await;
        // Two are begun, one by a nested transaction; another is written and committed after them.
        let late = server.people().await;
        late.batch_execute("BEGIN; UPDATE people SET name = 'late', modified = now() WHERE id = 1")
            .await
            .unwrap();
        let nested = server.people().await;
        let sql =
            "BEGIN; SELECT 1; SAVEPOINT a; UPDATE people SET name = 'nested', modified = now() WHERE id = 2";
        nested.batch_execute(sql).await.unwrap();
        // One statement gives two hundred rows the same time.
        people
            .batch_execute("UPDATE people SET name = 'many', modified = now() WHERE id > 100")
            .await
            .unwrap();
        let (told, cursor) = ids(&source, collection, &begin, max).await;
        let all_at_once = (101..=300).all(|id: i32| told.contains(&id.to_string()));
        assert!(all_at_once, "{collection}: {} told", told.len());
        assert!(collection == "query" || !told.contains(&"1".to_owned()), "{collection}: not visible yet");
        late.batch_execute("COMMIT").await.unwrap();
        let (told, cursor) = ids(&source, collection, &cursor, max).await;
        assert!(told.contains(&"1".to_owned()), "{collection}: committed late");
        nested.batch_execute("COMMIT").await.unwrap();
        let (told, cursor) = ids(&source, collection, &cursor, max).await;
        assert!(told.contains(&"2".to_owned()), "{collection}: committed later still");
        if collection != "query" {
            assert_eq!(
                ids(&source, collection, &cursor, max).await.0,
                [""; 0],
                "{collection}: at rest, it is quiet"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_tells_of_deletions_new_keys_and_an_emptied_table() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    people
        .batch_execute("CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1), (2), (3)")
        .await
        .unwrap();
    people.batch_execute(&outbox_sql("public", "people", "id", "people")).await.unwrap();
    let source =
        Postgres::new(server.config().with_changes("people", Changes::Outbox { keep_days: 30 })).unwrap();
    let begin = now(&source, "people").await;
    people
        .batch_execute("DELETE FROM people WHERE id = 1; UPDATE people SET id = 20 WHERE id = 2")
        .await
        .unwrap();
    let request = ChangesRequest { collection: "people".into(), after: Some(begin), max: 100 };
    let page = source.changes(&request).await.unwrap();
    let told: Vec<_> = page.changes.iter().map(|change| (change.id.as_str(), change.deleted)).collect();
    assert_eq!(told, [("1", true), ("2", true), ("20", false)]);
    people.batch_execute("TRUNCATE people").await.unwrap();
    let request = ChangesRequest { after: Some(page.cursor.clone()), ..request };
    assert_eq!(source.changes(&request).await.unwrap_err().kind, SourceErrorKind::StaleToken);
    // A cursor that is older than what is kept is refused rather than believed.
    let old = page.cursor.0.rsplitn(3, '|').last().unwrap().to_owned() + "|1000|";
    let request = ChangesRequest { after: Some(ChangeCursor(old)), ..request };
    assert_eq!(source.changes(&request).await.unwrap_err().kind, SourceErrorKind::StaleToken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_may_only_read_writes_nothing() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    let sql = "CREATE TABLE people (id int PRIMARY KEY);
        CREATE FUNCTION sneak() RETURNS TABLE (id int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO people VALUES (1); RETURN QUERY SELECT 1; END $$;
        CREATE ROLE guest LOGIN PASSWORD 'test-password'";
    people.batch_execute(sql).await.unwrap();
    // The reading session of a source that may write is no other.
    let config = server.config().with_writing().with_query("sneak", "SELECT * FROM sneak()", "id");
    let source = Postgres::new(config).unwrap();
    let request = ReadRequest { collection: "sneak".into(), after: None, max: 10 };
    let refused = source.read_page(&request).await.unwrap_err();
    assert_eq!(refused.kind, SourceErrorKind::Denied, "{refused}");
    let count = people.query_one("SELECT count(*) FROM people", &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 0);

    for (address, kind, word) in [
        (server.address("guest"), SourceErrorKind::Denied, "right to it"),
        (server.address("nobody"), SourceErrorKind::Denied, "password"),
        (
            server.address("owner").replace("dbname=postgres", "dbname=none"),
            SourceErrorKind::Structure,
            "database",
        ),
        (server.address("owner") + " sslmode=require", SourceErrorKind::Unavailable, "reached"),
    ] {
        let mut config = server.config();
        config.server = address;
        let source = Postgres::new(config).unwrap();
        let request = ReadRequest { collection: "people".into(), after: None, max: 10 };
        let refused = source.read_page(&request).await.unwrap_err();
        assert_eq!(refused.kind, kind, "{refused}");
        assert!(refused.message.contains(word), "{refused}");
        assert!(!format!("{refused:?} {source:?}").contains("test-password"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_holds_waits_and_a_server_that_dies_has_written_nothing() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    people.batch_execute("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'a'), (2, 'b')").await.unwrap();
    let mut config = server.config().with_writing();
    config.lock_timeout_ms = 50;
    let source = Arc::new(Postgres::new(config).unwrap());
    let read = source.read(&"people".into(), &["1".into(), "2".into()]).await.unwrap();
    let rows = |name: &str| -> Vec<LeftRow> {
        let verbs = read.iter().flatten().cloned().map(LeftVerb::Update);
        let fields = vec![LeftField { path: "name".into(), value: name.into() }];
        verbs.map(|verb| LeftRow { verb, token: "t".into(), fields: fields.clone() }).collect()
    };
    let batch = |rows| LeftBatch { op: OpId(1), collection: "people".into(), rows };
    people.batch_execute("BEGIN; SELECT * FROM people WHERE id = 1 FOR UPDATE").await.unwrap();
    let outcomes = source.write(&batch(rows("c"))).await.unwrap();
    assert!(matches!(&outcomes[..], [LeftOutcome::NotSent(_), LeftOutcome::Written(_)]), "{outcomes:?}");
    people.batch_execute("ROLLBACK").await.unwrap();

    server.down(Stop::Immediate);
    assert_eq!(source.write(&batch(rows("d"))).await.unwrap_err().kind, SourceErrorKind::Unavailable);
    server.up();
    let outcomes = source.write(&batch(rows("d"))).await.unwrap();
    assert!(matches!(&outcomes[..], [LeftOutcome::Written(_), LeftOutcome::Moved]), "{outcomes:?}");
}
