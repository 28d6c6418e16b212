//! The conformance suites over PostgreSQL: tables and queries, read and written, with every way to tell of changes.

use std::sync::Arc;

use async_trait::async_trait;
use source_adapters::postgres::{Changes, Postgres, PostgresConfig, outbox_sql};
use sync_testkit::conformance::{self, Pending, Workbench};
use sync_types::{Collection, ExternalId, Source};
use tokio_postgres::Client;

use crate::server::Server;

/// The collection, and what its people do to it.
struct Bench<'s> {
    config: PostgresConfig,
    server: &'s Server,
    people: Client,
    collection: &'static str,
    table: &'static str,
    /// Whether the key is a text rather than a number.
    by_text: bool,
    /// Whether rows are marked as deleted.
    marks: bool,
}

impl Bench<'_> {
    fn key(&self, number: u32) -> String {
        if self.by_text { format!("Key {number:02}") } else { number.to_string() }
    }

    fn upsert(&self) -> String {
        let (table, cast) = (self.table, if self.by_text { "text" } else { "int4" });
        let undelete = if self.marks { ", deleted_at = NULL" } else { "" };
        format!(
            "INSERT INTO {table} (id, name, city, modified) VALUES ($1::text::{cast}, $2::text, $3::text, now())
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, city = excluded.city, modified = now(){undelete}"
        )
    }
}

#[async_trait]
impl Workbench for Bench<'_> {
    async fn open(&self) -> Arc<dyn Source> {
        Arc::new(Postgres::new(self.config.clone()).unwrap())
    }
    fn collection(&self) -> Collection {
        self.collection.into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, [name, city]: [&str; 2]) -> ExternalId {
        let key = self.key(number);
        self.people.execute(&self.upsert(), &[&key, &name, &city]).await.unwrap();
        key.into()
    }
    async fn remove(&self, number: u32) {
        let sql = match self.marks {
            true => format!(
                "UPDATE {} SET deleted_at = now(), modified = now() WHERE id::text = $1::text",
                self.table
            ),
            false => format!("DELETE FROM {} WHERE id::text = $1::text", self.table),
        };
        self.people.execute(&sql, &[&self.key(number)]).await.unwrap();
    }
    async fn put_later(&self, number: u32, [name, city]: [&str; 2]) -> Option<Box<dyn Pending>> {
        let (people, key) = (self.server.people().await, self.key(number));
        people.batch_execute("BEGIN").await.unwrap();
        people.execute(&self.upsert(), &[&key, &name, &city]).await.unwrap();
        Some(Box::new(Transaction { people, key }))
    }
}

/// A transaction that somebody has begun.
struct Transaction {
    people: Client,
    key: String,
}

#[async_trait]
impl Pending for Transaction {
    async fn commit(self: Box<Self>) -> ExternalId {
        self.people.batch_execute("COMMIT").await.unwrap();
        self.key.into()
    }
}

const TABLES: &str = "
    CREATE TABLE people (id serial PRIMARY KEY, name text, city text, modified timestamptz NOT NULL DEFAULT now());
    CREATE TABLE noted (id serial PRIMARY KEY, name text, city text, modified timestamptz NOT NULL DEFAULT now());
    CREATE TABLE members (
        id text PRIMARY KEY DEFAULT 'made ' || nextval('people_id_seq'), name varchar(80), city text NOT NULL DEFAULT '',
        modified timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
    );
    CREATE TABLE local (id serial PRIMARY KEY, name text, city text, modified timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'));
    -- The suite brings keys of its own, below these.
    ALTER SEQUENCE people_id_seq RESTART 1000; ALTER SEQUENCE noted_id_seq RESTART 1000;
";

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_keeps_what_it_declares() {
    let Some(server) = Server::start() else { return };
    let people = server.people().await;
    people.batch_execute(TABLES).await.unwrap();
    people.batch_execute(&outbox_sql("public", "noted", "id", "noted")).await.unwrap();
    // It may be run again.
    people.batch_execute(&outbox_sql("public", "noted", "id", "noted")).await.unwrap();
    let query = "SELECT id AS number, name, city, modified FROM people WHERE id >= 0;";
    let modified = || Changes::Modified { column: "modified".into(), overlap_s: 600 };
    let benches = [
        (server.config(), "people", "people", false, false),
        (
            server.config().with_writing().with_changes("people", Changes::Rows),
            "people",
            "people",
            false,
            false,
        ),
        (
            server.config().with_query("query", query, "number").with_changes("query", modified()),
            "query",
            "people",
            false,
            false,
        ),
        (
            server.config().with_writing().with_changes("noted", Changes::Outbox { keep_days: 30 }),
            "noted",
            "noted",
            false,
            false,
        ),
        (
            server
                .config()
                .with_writing()
                .with_deleted("members", "deleted_at")
                .with_changes("members", Changes::Rows),
            "members",
            "members",
            true,
            true,
        ),
        (server.config().with_changes("local", modified()), "local", "local", false, false),
    ];
    for (config, collection, table, by_text, marks) in benches {
        eprintln!("{collection} {config:?}");
        let people = server.people().await;
        conformance::adapter(&Bench { config, server: &server, people, collection, table, by_text, marks })
            .await;
    }
}
