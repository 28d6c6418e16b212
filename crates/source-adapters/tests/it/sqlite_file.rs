//! A SQLite file that another program writes.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use source_adapters::sqlite_file::{SqliteConfig, SqliteFile};
use sync_testkit::conformance::{self, Workbench};
use sync_types::{Collection, ExternalId, Source};

struct File {
    folder: tempfile::TempDir,
    config: fn(PathBuf) -> SqliteConfig,
}

impl File {
    fn new(config: fn(PathBuf) -> SqliteConfig) -> File {
        let file = File { folder: tempfile::tempdir().unwrap(), config };
        let table =
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT, points INTEGER DEFAULT 7)";
        file.system().execute_batch(table).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.sqlite")
    }

    /// The other program.
    fn system(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

#[async_trait]
impl Workbench for File {
    async fn open(&self) -> Arc<dyn Source> {
        Arc::new(SqliteFile::open((self.config)(self.path())).unwrap())
    }
    fn collection(&self) -> Collection {
        "people".into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, [name, city]: [&str; 2]) -> ExternalId {
        let sql = "INSERT INTO people (id, name, city) VALUES (?1, nullif(?2, ''), nullif(?3, ''))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, city = excluded.city";
        self.system().execute(sql, params![number, name, city]).unwrap();
        number.to_string().into()
    }
    async fn remove(&self, number: u32) {
        self.system().execute("DELETE FROM people WHERE id = ?1", params![number]).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_only_read_keeps_what_it_declares() {
    conformance::adapter(&File::new(SqliteConfig::new)).await;
}
