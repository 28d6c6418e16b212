//! A SQLite file that another program writes.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use source_adapters::sqlite_file::{SqliteConfig, SqliteFile};
use sync_testkit::conformance::{self, Workbench};
use sync_types::{
    Collection, ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId, Record, Seen, Source,
    SourceWriter, SyncKey, Value, Writes,
};

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
        let system = Connection::open(self.path()).unwrap();
        // A test loses nothing if the machine stops.
        system.pragma_update(None, "synchronous", "OFF").unwrap();
        system
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

#[tokio::test]
async fn a_file_that_is_written_keeps_what_it_declares() {
    conformance::adapter(&File::new(|path| SqliteConfig::new(path).with_writing())).await;
}

const SHOP: &str = "
    CREATE TABLE firms (code TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
    INSERT INTO firms VALUES ('acme', 'Acme'), ('7', 'Seven');
    CREATE TABLE customers (
        id INTEGER PRIMARY KEY, email TEXT UNIQUE, note TEXT NOT NULL DEFAULT '', points INTEGER, total NUMERIC(10, 2),
        is_vip BOOLEAN, born DATE, firm TEXT REFERENCES firms (code), loud TEXT AS (upper(email)),
        CHECK (points >= 0)
    );
    INSERT INTO customers (id, email, points, firm) VALUES (1, 'ada@example.com', 1, 'acme'), (2, 'bob@example.com', 2, NULL);
    CREATE TRIGGER no_secrets BEFORE UPDATE OF note ON customers WHEN new.note LIKE '%secret%'
        BEGIN SELECT raise(ABORT, 'the note is a secret'); END;
    CREATE TABLE codes (code TEXT, name TEXT);
    INSERT INTO codes VALUES ('a', 'one'), ('a', 'two');
";

struct Shop {
    _folder: tempfile::TempDir,
    path: PathBuf,
    file: Arc<SqliteFile>,
    writer: Arc<dyn SourceWriter>,
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.sqlite");
        Connection::open(&path).unwrap().execute_batch(SHOP).unwrap();
        let mut config =
            SqliteConfig::new(&path).with_writing().with_query("names", "SELECT id FROM customers", "id");
        config.busy_wait_ms = 0;
        let mut codes = source_adapters::sqlite_file::CollectionConfig::default();
        codes.key = Some("code".into());
        config.collections.insert("codes".into(), codes);
        let file = Arc::new(SqliteFile::open(config).unwrap());
        let writer = Arc::clone(&file).writer().unwrap();
        Shop { _folder: folder, path, file, writer }
    }

    async fn read(&self, collection: &str, id: &str) -> Record {
        let read = self.file.read(&collection.into(), &[id.into()]).await.unwrap();
        read.into_iter().flatten().next().unwrap()
    }

    async fn write(&self, collection: &str, verb: LeftVerb, fields: &[(&str, Value)]) -> LeftOutcome {
        let field = |(path, value): &(&str, Value)| LeftField { path: (*path).into(), value: value.clone() };
        let token = SyncKey::new(format!("{collection} {}", fields.len()));
        let row = LeftRow { verb, token, fields: fields.iter().map(field).collect() };
        let batch = LeftBatch { op: OpId(1), collection: collection.into(), rows: vec![row] };
        self.writer.write(&batch).await.unwrap().remove(0)
    }

    async fn change(&self, id: &str, field: &str, value: Value) -> LeftOutcome {
        let read = self.read("customers", id).await;
        self.write("customers", LeftVerb::Update(read), &[(field, value)]).await
    }
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

#[tokio::test]
async fn values_arrive_in_the_types_of_their_columns() {
    let shop = Shop::new();
    for (field, written, shown) in [
        ("points", number("12"), number("12")),
        ("points", "13".into(), number("13")),
        ("points", Value::Null, Value::Null),
        ("total", number("0.99"), number("0.99")),
        ("total", "12.50".into(), number("12.5")),
        ("is_vip", true.into(), number("1")),
        ("born", jiff::civil::date(2001, 2, 3).into(), "2001-02-03".into()),
        ("email", number("1.50"), "1.5".into()),
        // A column that must hold something is emptied by the empty text, which is read as empty.
        ("note", Value::Null, Value::Null),
        ("firm", "7".into(), "7".into()),
    ] {
        match shop.change("1", field, written).await {
            LeftOutcome::Written(record) => assert_eq!(record.get(field), Seen::Value(&shown), "{field}"),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_the_file_refuses_is_refused_with_a_code_and_without_values() {
    let shop = Shop::new();
    for (field, value, code) in [
        ("email", "bob@example.com".into(), "unique-value-taken"),
        ("points", number("-1"), "constraint"),
        ("points", "many".into(), "bad-number"),
        ("note", "a secret".into(), "constraint"),
        ("firm", "nobody".into(), "no-such-parent"),
        ("loud", "X".into(), "read-only"),
        ("id", number("9"), "read-only"),
        ("photo", "x".into(), "no-such-field"),
        ("note", Value::List(vec!["x".into()]), "bad-kind"),
    ] {
        let before = shop.read("customers", "1").await;
        match shop.change("1", field, value).await {
            LeftOutcome::Rejected(why) => {
                assert_eq!(why.code, code, "{field}: {why:?}");
                assert!(!why.reason.contains("secret") && !why.reason.contains("bob"), "{why:?}");
            }
            other => panic!("{field}: {other:?}"),
        }
        assert_eq!(shop.read("customers", "1").await, before, "{field}");
    }
    let acme = shop.read("firms", "acme").await;
    let outcome = shop.write("firms", LeftVerb::Delete(acme), &[]).await;
    assert!(matches!(outcome, LeftOutcome::Rejected(why) if why.code == "no-such-parent"));
}

#[tokio::test]
async fn keys_are_given_by_the_file_or_brought_by_the_mapping() {
    let shop = Shop::new();
    let made = shop.write("customers", LeftVerb::Create, &[("email", "eve@example.com".into())]).await;
    assert!(matches!(&made, LeftOutcome::Written(record) if record.id().as_str() == "3"), "{made:?}");
    let fields = [("code", "08".into()), ("name", "Eight".into())];
    let made = shop.write("firms", LeftVerb::Create, &fields).await;
    assert!(matches!(&made, LeftOutcome::Written(record) if record.id().as_str() == "08"), "{made:?}");
    for (collection, fields, code) in [
        ("firms", &[("code", "09".into())][..], "required"),
        ("codes", &[("name", "nameless".into())], "missing-key"),
    ] {
        match shop.write(collection, LeftVerb::Create, fields).await {
            LeftOutcome::Rejected(why) => assert_eq!(why.code, code),
            other => panic!("{collection}: {other:?}"),
        }
    }
    let names = shop.file.describe().await.unwrap();
    assert!(
        names.iter().all(|schema| schema.name != "kit_creations"),
        "the kit's own table is no collection"
    );
}

#[tokio::test]
async fn a_key_that_names_two_rows_is_not_written() {
    let shop = Shop::new();
    let read = shop.read("codes", "a").await;
    let outcome = shop.write("codes", LeftVerb::Update(read.clone()), &[("name", "both".into())]).await;
    assert!(matches!(outcome, LeftOutcome::Rejected(why) if why.code == "duplicate-key"));
    let outcome = shop.write("codes", LeftVerb::Delete(read.clone()), &[]).await;
    assert!(matches!(outcome, LeftOutcome::Rejected(why) if why.code == "duplicate-key"));
    assert_eq!(shop.read("codes", "a").await, read);
}

#[tokio::test]
async fn a_query_is_read_only_and_so_is_a_file_whose_settings_do_not_say_otherwise() {
    let shop = Shop::new();
    assert_eq!(shop.writer.writes(&"names".into()), Writes::NONE);
    assert_eq!(shop.writer.writes(&"customers".into()), Writes::ALL);
    let read = shop.read("names", "1").await;
    let outcome = shop.write("names", LeftVerb::Delete(read), &[]).await;
    assert!(matches!(outcome, LeftOutcome::Rejected(why) if why.code == "not-writable"));
    let reader = Arc::new(SqliteFile::open(SqliteConfig::new(&shop.path)).unwrap());
    assert!(reader.writer().is_none());
}

#[tokio::test]
async fn rows_wait_while_another_program_holds_the_file() {
    let shop = Shop::new();
    let read = shop.read("customers", "1").await;
    let other = Connection::open(&shop.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let outcome = shop.write("customers", LeftVerb::Update(read.clone()), &[("points", number("5"))]).await;
    assert!(matches!(outcome, LeftOutcome::NotSent(_)), "{outcome:?}");
    other.execute_batch("ROLLBACK").unwrap();
    let outcome = shop.write("customers", LeftVerb::Update(read), &[("points", number("5"))]).await;
    assert!(matches!(outcome, LeftOutcome::Written(_)), "{outcome:?}");
}

#[tokio::test]
async fn what_a_program_left_behind_that_was_cut_off_in_a_write_is_taken_back_by_whoever_may_write() {
    let file = File::new(SqliteConfig::new);
    let system = Connection::open(file.path()).unwrap();
    system.execute("INSERT INTO people (id, name) VALUES (1, 'Ada')", []).unwrap();
    // A transaction that is larger than its cache stands in the file, and how to take it back beside it.
    system.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").unwrap();
    system.execute("UPDATE people SET name = 'half'", []).unwrap();
    let many = "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 4000)
        INSERT INTO people (id, name) SELECT n, hex(randomblob(40)) FROM n";
    system.execute(many, []).unwrap();
    let left_behind = tempfile::tempdir().unwrap();
    let copy = left_behind.path().join("shop.sqlite");
    std::fs::copy(file.path(), &copy).unwrap();
    std::fs::copy(
        file.folder.path().join("shop.sqlite-journal"),
        left_behind.path().join("shop.sqlite-journal"),
    )
    .unwrap();
    drop(system);
    let refused = SqliteFile::open(SqliteConfig::new(copy.clone())).unwrap_err().to_string();
    assert!(refused.contains("was cut off while it wrote"), "{refused}");
    let mut config = SqliteConfig::new(copy);
    config.write = true;
    let source = SqliteFile::open(config).unwrap();
    let people: Collection = "people".into();
    let found = source.read(&people, &["1".into(), "2".into()]).await.unwrap();
    let [Some(ada), None] = found.as_slice() else { panic!("{found:?}") };
    assert!(ada.values().iter().any(|value| value.as_text() == Some("Ada")), "as it was before");
}
