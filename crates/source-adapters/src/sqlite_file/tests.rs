//! SQLite files: typed values, paging by key, keys that are missing, doubled or odd, and the Chinook database.

use std::path::PathBuf;

use rusqlite::Connection;
use sync_types::{
    Collection, ExternalId, PageToken, PropertyKind, ReadRequest, Record, Seen, Source, SourceErrorKind,
    Value,
};

use super::{SqliteConfig, SqliteFile};

fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, path)
}

/// A scan's records and the codes of its bad ones.
async fn scan(source: &dyn Source, collection: &str, max: usize) -> (Vec<Record>, Vec<String>) {
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    let mut request = ReadRequest { collection: collection.into(), after: None, max };
    loop {
        let page = source.read_page(&request).await.unwrap();
        assert!(page.records.len() <= max, "a page is bounded");
        for record in page.records {
            match record {
                Ok(record) => records.push(record),
                Err(problem) => bad.push(format!("{} {}", problem.code, problem.place)),
            }
        }
        match page.next {
            Some(token) => request.after = Some(token),
            None => return (records, bad),
        }
    }
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id().as_str()).collect()
}

const SHOP: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name NVARCHAR(40), total NUMERIC(10,2), since DATETIME, photo BLOB);
    INSERT INTO customers VALUES (1, 'Ada', 0.99, '2026-01-02 00:00:00', x'00ff'), (2, NULL, 12, NULL, NULL),
        (10, '', -3.5, '', NULL);
    CREATE TABLE codes (code TEXT COLLATE NOCASE, label TEXT);
    INSERT INTO codes VALUES ('a', 'small'), ('A', 'large'), ('b', 'x'), ('b', 'y'), ('b', 'z'), (NULL, 'n'), ('c', 'end');
    CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
    CREATE VIEW names AS SELECT name FROM customers;
";

#[tokio::test]
async fn values_are_typed_and_binary_columns_left_out() {
    let (_folder, path) = database(SHOP);
    let source = SqliteFile::open(SqliteConfig::new(path)).unwrap();
    let schemas = source.describe().await.unwrap();
    assert_eq!(schemas.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>(), ["customers"]);
    let kinds: Vec<_> =
        schemas[0].properties.iter().map(|property| (property.name.as_str(), property.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("id", PropertyKind::Number),
            ("name", PropertyKind::Text),
            ("total", PropertyKind::Number),
            ("since", PropertyKind::Text)
        ]
    );
    assert!(schemas[0].property("id").unwrap().unique);
    assert!(!schemas[0].property("id").unwrap().required, "the file gives a new row its number");
    let (records, bad) = scan(&source, "customers", 2).await;
    assert_eq!(bad, [""; 0]);
    assert_eq!(ids(&records), ["1", "2", "10"], "in the order of the key's type");
    assert_eq!(records[0].get("total"), Seen::Value(&Value::Number("0.99".parse().unwrap())));
    assert_eq!(records[1].get("name"), Seen::Value(&Value::Null));
    assert_eq!(records[2].get("since"), Seen::Value(&Value::Null), "the empty text is empty");
    assert_eq!(records[0].get("photo"), Seen::NotFetched);
}

#[tokio::test]
async fn a_column_is_described_by_what_the_table_says_of_it() {
    let (_folder, path) = database(
        "CREATE TABLE a (code TEXT PRIMARY KEY, name TEXT NOT NULL, rank INTEGER NOT NULL DEFAULT 1,
             email TEXT UNIQUE, x INTEGER, y INTEGER, loud TEXT AS (upper(name)), UNIQUE (x, y));
         CREATE TABLE b (id INTEGER PRIMARY KEY) WITHOUT ROWID;
         CREATE TABLE c (id BIGINT PRIMARY KEY);",
    );
    let source = SqliteFile::open(SqliteConfig::new(path)).unwrap();
    let schemas = source.describe().await.unwrap();
    let all = schemas.iter().flat_map(|schema| schema.properties.iter().map(move |one| (&schema.name, one)));
    let told: Vec<String> = all
        .map(|(table, one)| {
            let marks = [("required", one.required), ("unique", one.unique), ("read-only", one.read_only)];
            let marks = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| format!(" {mark}"));
            format!("{table}.{}{}", one.name, marks.collect::<String>())
        })
        .collect();
    assert_eq!(
        told,
        [
            "a.code required unique",
            "a.name required",
            "a.rank",
            "a.email unique",
            "a.x",
            "a.y",
            "a.loud read-only",
            "b.id required unique",
            "c.id required unique"
        ]
    );
}

#[tokio::test]
async fn every_page_size_gives_the_same_scan() {
    let (_folder, path) = database(SHOP);
    let config = SqliteConfig::new(path).with_query("codes", "SELECT * FROM codes;", "code");
    let source = SqliteFile::open(config).unwrap();
    let whole = scan(&source, "codes", 1000).await;
    assert_eq!(ids(&whole.0), ["A", "a", "c"], "keys that differ in case are two records");
    assert_eq!(
        whole.1,
        [
            "missing-key shop.sqlite collection `codes` key null",
            "duplicate-key shop.sqlite collection `codes` key b"
        ]
    );
    for max in 1..8 {
        assert_eq!(scan(&source, "codes", max).await, whole, "pages of {max}");
    }
}

#[tokio::test]
async fn records_are_read_by_id_in_the_order_asked() {
    let (_folder, path) = database(SHOP);
    let config = SqliteConfig::new(path).with_query("codes", "SELECT * FROM codes", "code");
    let source = SqliteFile::open(config).unwrap();
    let asked: Vec<ExternalId> = ["10", "7", "1", "01", "x", "1"].map(ExternalId::from).to_vec();
    let found = source.read(&Collection::from("customers"), &asked).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|record| record.as_ref().map(|record| record.id().as_str())).collect();
    assert_eq!(found, [Some("10"), None, Some("1"), None, None, Some("1")]);
    let found = source.read(&Collection::from("codes"), &["a".into(), "A".into(), "B".into()]).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|record| record.as_ref().map(|record| record.id().as_str())).collect();
    assert_eq!(found, [Some("a"), Some("A"), None]);
}

#[tokio::test]
async fn odd_keys_and_values_are_bad_records_and_do_not_end_the_scan() {
    let (_folder, path) = database(
        "CREATE TABLE odd (k PRIMARY KEY, v);
         INSERT INTO odd VALUES (1.5, 'real'), (2, 1e300), (x'01', 'blob'), ('t', x'ff'), ('u', 'fine'), (3, 4);",
    );
    let source = SqliteFile::open(SqliteConfig::new(path)).unwrap();
    let expected = ["missing-key", "bad-value", "bad-value", "missing-key"];
    for max in [1, 2, 100] {
        let (records, bad) = scan(&source, "odd", max).await;
        assert_eq!(ids(&records), ["3", "u"], "pages of {max}");
        let codes: Vec<&str> = bad.iter().filter_map(|bad| bad.split(' ').next()).collect();
        assert_eq!(codes, expected, "pages of {max}");
    }
}

#[tokio::test]
async fn faults_name_their_place_and_remedy() {
    let (folder, path) = database(SHOP);
    let junk = folder.path().join("junk.sqlite");
    std::fs::write(&junk, "this is no database at all, but long enough to look at").unwrap();
    for (path, kind, word) in [
        (folder.path().join("none.sqlite"), SourceErrorKind::Unavailable, "exists"),
        (junk, SourceErrorKind::Structure, "SQLite database"),
    ] {
        let fault = SqliteFile::open(SqliteConfig::new(&path)).unwrap_err();
        assert_eq!(fault.kind, kind);
        assert!(fault.message.contains(word) && fault.message.contains("sqlite"), "{fault}");
    }
    let config = SqliteConfig::new(&path).with_query("typo", "SELEC 1", "id").with_query(
        "keyless",
        "SELECT name FROM customers",
        "id",
    );
    let source = SqliteFile::open(config).unwrap();
    for (collection, after, kind, word) in [
        ("orders", None, SourceErrorKind::NoSuchCollection, "`customers`"),
        ("typo", None, SourceErrorKind::Structure, "`query`"),
        ("keyless", None, SourceErrorKind::Structure, "`name`"),
        ("pairs", None, SourceErrorKind::Structure, "set `key`"),
        ("customers", Some("zz"), SourceErrorKind::StaleToken, "anew"),
    ] {
        let after = after.map(|token| PageToken(String::from(token)));
        let request = ReadRequest { collection: collection.into(), after, max: 10 };
        let fault = source.read_page(&request).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{collection}: {fault}");
        assert!(fault.message.contains(word), "{collection}: {fault}");
    }
    let mut config = SqliteConfig::new(path);
    config.collections.insert(
        String::from("x"),
        super::CollectionConfig { query: Some(String::from("SELECT 1")), table: None, key: None },
    );
    assert!(SqliteFile::open(config).unwrap_err().message.contains("needs a `key`"));
}

#[tokio::test]
async fn the_file_is_not_written() {
    let (_folder, path) = database(SHOP);
    let config = SqliteConfig::new(path).with_query("evil", "DELETE FROM customers RETURNING id", "id");
    let source = SqliteFile::open(config).unwrap();
    let request = ReadRequest { collection: "evil".into(), after: None, max: 10 };
    assert_eq!(source.read_page(&request).await.unwrap_err().kind, SourceErrorKind::Structure);
    assert_eq!(scan(&source, "customers", 10).await.0.len(), 3);
}

#[tokio::test]
async fn settings_are_read_and_unknown_keys_refused() {
    let config: SqliteConfig = toml::from_str(
        "path = 'shop.sqlite'\n[collections.invoices]\nquery = 'SELECT 1 AS id'\nkey = 'id'\n",
    )
    .unwrap();
    assert_eq!(config, SqliteConfig::new("shop.sqlite").with_query("invoices", "SELECT 1 AS id", "id"));
    assert!(
        toml::from_str::<SqliteConfig>("path = 'x'\nfolder = 'y'").unwrap_err().message().contains("folder")
    );
}

/// The Chinook sample database, a music shop; its folder is not part of the repository.
#[tokio::test]
async fn chinook_is_read_whole() {
    let data = std::env::var_os("KIT_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = data.join("chinook/Chinook_Sqlite.sqlite");
    if !path.exists() {
        println!("skipped: no Chinook database at {}; set KIT_SHARED_DATA to its folder", path.display());
        return;
    }
    let config = SqliteConfig::new(path).with_query(
        "big invoices",
        "SELECT InvoiceId, CustomerId, Total FROM Invoice WHERE Total >= 10",
        "InvoiceId",
    );
    let source = SqliteFile::open(config).unwrap();
    let schemas = source.describe().await.unwrap();
    assert!(schemas.iter().any(|schema| schema.name == "Customer" && schema.property("Email").is_some()));
    for (collection, count) in
        [("Customer", 59), ("Invoice", 412), ("InvoiceLine", 2240), ("big invoices", 64)]
    {
        let (records, bad) = scan(&source, collection, 100).await;
        assert_eq!((records.len(), bad.len()), (count, 0), "{collection}");
    }
}
