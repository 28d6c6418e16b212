//! What was taken in of files, in one SQLite file: rows by key, rows that cannot be used, and which files it was.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::value::RawValue;
use sync_types::{SourceError, SourceErrorKind};

use super::error;
use super::format::{BadRow, Cell, Row};
use super::pickup::{Listed, Looked};

/// Marks a file as ours: "HKFS".
const APPLICATION_ID: i64 = 0x484B_4653;

const TABLES: &str = "
CREATE TABLE collection (
    name    TEXT PRIMARY KEY,
    columns TEXT NOT NULL,      -- JSON array, in the order in which they were met
    last    TEXT NOT NULL,      -- the file that was taken in last
    changed INTEGER NOT NULL,   -- and its time of change, epoch ns / 1000
    loads   INTEGER NOT NULL    -- files that were taken in
) STRICT;
CREATE TABLE row (
    collection TEXT NOT NULL,
    key        TEXT NOT NULL,
    load       INTEGER NOT NULL,    -- the file that told of it last
    body       TEXT NOT NULL,       -- JSON object
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE bad (
    collection TEXT NOT NULL,
    place      TEXT NOT NULL,
    key        TEXT,
    code       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    remedy     TEXT NOT NULL,
    at         INTEGER NOT NULL,    -- epoch ms
    PRIMARY KEY (collection, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX bad_key ON bad (collection, key) WHERE key IS NOT NULL;
-- Files that lie there still.
CREATE TABLE seen (
    name  TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    stamp TEXT NOT NULL,
    since INTEGER NOT NULL,         -- epoch ms
    taken INTEGER NOT NULL          -- whether it was taken in as it is
) STRICT;
";

/// A stored bad row.
#[derive(Clone, Debug)]
pub(super) struct StoredBad {
    pub(super) place: String,
    pub(super) key: Option<String>,
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) remedy: String,
}

/// What is known of a collection.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) columns: Vec<String>,
    pub(super) last: (String, Timestamp),
    pub(super) loads: i64,
}

pub(super) struct Staging {
    connection: Connection,
}

impl Staging {
    pub(super) fn open(path: &Path) -> Result<Staging, SourceError> {
        let place = path.display().to_string();
        private(path).map_err(|cause| error::io(&format!("{place} cannot be opened or made"), cause))?;
        let connection = Connection::open(path).map_err(error::staging)?;
        let tables = |connection: &Connection| -> rusqlite::Result<(i64, i64)> {
            connection.busy_timeout(Duration::from_secs(10))?;
            let count = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((count, connection.query_row("PRAGMA application_id", [], |row| row.get(0))?))
        };
        let (tables, application) = tables(&connection).map_err(error::staging)?;
        if tables > 0 && application != APPLICATION_ID {
            let reason = "this is an SQLite file, but no staging file";
            return Err(error::settings(&place, reason, "name another file as `staging`"));
        }
        let prepare = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            if tables == 0 {
                connection.execute_batch(&format!(
                    "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; COMMIT"
                ))?;
            }
            Ok(())
        };
        prepare().map_err(error::staging)?;
        Ok(Staging { connection })
    }

    /// What is known of a collection; `None` before its first file.
    pub(super) fn known(&self, collection: &str) -> Result<Option<Known>, SourceError> {
        let found = self.connection.query_row(
            "SELECT columns, last, changed, loads FROM collection WHERE name = ?1",
            [collection],
            |row| {
                let columns: String = row.get(0)?;
                let changed = Timestamp::from_microsecond(row.get(2)?).unwrap_or_default();
                Ok(Known {
                    columns: serde_json::from_str(&columns).unwrap_or_default(),
                    last: (row.get(1)?, changed),
                    loads: row.get(3)?,
                })
            },
        );
        found.optional().map_err(error::staging)
    }

    /// Notes what lies there, and answers with what earlier looks saw of it: since when it is so, and whether it was taken
    /// in. What does not lie there any more is forgotten.
    pub(super) fn look(
        &mut self,
        files: &[Listed],
        now: Timestamp,
    ) -> Result<BTreeMap<String, (Looked, bool)>, SourceError> {
        let work = |connection: &mut Connection| -> rusqlite::Result<_> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut before = BTreeMap::new();
            {
                let mut select = transaction.prepare("SELECT name, bytes, stamp, since, taken FROM seen")?;
                let mut rows = select.query([])?;
                while let Some(row) = rows.next()? {
                    let since = Timestamp::from_millisecond(row.get(3)?).unwrap_or_default();
                    let looked =
                        Looked { bytes: row.get::<_, i64>(1)?.unsigned_abs(), stamp: row.get(2)?, since };
                    before.insert(row.get::<_, String>(0)?, (looked, row.get::<_, bool>(4)?));
                }
                let mut insert = transaction
                    .prepare("INSERT OR REPLACE INTO seen (name, bytes, stamp, since, taken) VALUES (?1, ?2, ?3, ?4, 0)")?;
                for file in files {
                    let is_same = before
                        .get(&file.name)
                        .is_some_and(|(looked, _)| looked.bytes == file.bytes && looked.stamp == file.stamp);
                    if !is_same {
                        before.remove(&file.name);
                        let bytes = file.bytes.cast_signed();
                        insert.execute(params![file.name, bytes, file.stamp, now.as_millisecond()])?;
                    }
                }
                let there: std::collections::BTreeSet<&str> = files.iter().map(|file| &*file.name).collect();
                for gone in before.keys().filter(|name| !there.contains(name.as_str())) {
                    transaction.execute("DELETE FROM seen WHERE name = ?1", [gone])?;
                }
            }
            transaction.commit()?;
            Ok(before)
        };
        work(&mut self.connection).map_err(error::staging)
    }

    /// Begins to take a file in. Nothing of it is there before [`Load::commit`].
    pub(super) fn load<'s>(&'s mut self, collection: &'s str) -> Result<Load<'s>, SourceError> {
        let known = self.known(collection)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(error::staging)?;
        let (columns, loads) = known.map_or_else(Default::default, |known| (known.columns, known.loads));
        Ok(Load { transaction, collection, columns, load: loads + 1, unidentified: 0, rows: 0 })
    }

    /// Bad rows behind a place, in its order.
    pub(super) fn bad(
        &self,
        collection: &str,
        after: &str,
        max: usize,
    ) -> Result<Vec<StoredBad>, SourceError> {
        let work = || -> rusqlite::Result<_> {
            let mut select = self.connection.prepare_cached(
                "SELECT place, key, code, reason, remedy FROM bad WHERE collection = ?1 AND place > ?2
                 ORDER BY place LIMIT ?3",
            )?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok(StoredBad {
                    place: row.get(0)?,
                    key: row.get(1)?,
                    code: row.get(2)?,
                    reason: row.get(3)?,
                    remedy: row.get(4)?,
                })
            };
            select.query_map(params![collection, after, count(max)], read)?.collect()
        };
        work().map_err(error::staging)
    }

    /// Rows behind a key, in its order. A key that a bad row has too is left out: it is told as that.
    pub(super) fn rows(
        &self,
        collection: &str,
        after: Option<&str>,
        max: usize,
    ) -> Result<Vec<(String, String)>, SourceError> {
        let work = || -> rusqlite::Result<_> {
            let mut select = self.connection.prepare_cached(
                "SELECT key, body FROM row WHERE collection = ?1 AND (?2 IS NULL OR key > ?2) AND NOT EXISTS
                     (SELECT 1 FROM bad WHERE bad.collection = row.collection AND bad.key = row.key)
                 ORDER BY key LIMIT ?3",
            )?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            select.query_map(params![collection, after, count(max)], read)?.collect()
        };
        work().map_err(error::staging)
    }

    /// One row.
    pub(super) fn row(&self, collection: &str, key: &str) -> Result<Option<String>, SourceError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT body FROM row WHERE collection = ?1 AND key = ?2")
            .map_err(error::staging)?;
        select.query_row([collection, key], |row| row.get(0)).optional().map_err(error::staging)
    }
}

fn count(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// Makes the file for its owner alone, where the system knows owners: it holds what the dropped files hold. SQLite gives the
/// files that it makes beside it the same rights.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A file on its way in.
pub(super) struct Load<'s> {
    transaction: Transaction<'s>,
    collection: &'s str,
    /// All that were ever met, those of this file too.
    pub(super) columns: Vec<String>,
    load: i64,
    unidentified: u64,
    pub(super) rows: u64,
}

impl Load<'_> {
    /// The rows that the collection has.
    pub(super) fn count(&self) -> Result<i64, SourceError> {
        self.transaction
            .query_row("SELECT count(*) FROM row WHERE collection = ?1", [self.collection], |row| row.get(0))
            .map_err(error::staging)
    }

    /// Takes a row in. What it does not tell of stays, if the file holds `changes`. False when a row with that key came with
    /// the same file, and the file holds everything: nobody knows which one is meant.
    pub(super) fn row(&mut self, key: &str, row: &Row, changes: bool) -> Result<bool, SourceError> {
        for (name, _) in &row.cells {
            if !self.columns.iter().any(|known| **known == **name) {
                self.columns.push(name.to_string());
            }
        }
        self.rows += 1;
        let (load, collection) = (self.load, self.collection);
        let work = || -> rusqlite::Result<bool> {
            let before: Option<(String, i64)> = self
                .transaction
                .prepare_cached("SELECT body, load FROM row WHERE collection = ?1 AND key = ?2")?
                .query_row([collection, key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            if !changes && before.as_ref().is_some_and(|(_, told)| *told == load) {
                return Ok(false);
            }
            let body = body(row, before.filter(|_| changes).as_ref().map(|(body, _)| body.as_str()));
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO row (collection, key, load, body) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![collection, key, load, body])?;
            if changes {
                self.transaction
                    .prepare_cached("DELETE FROM bad WHERE collection = ?1 AND key = ?2")?
                    .execute([collection, key])?;
            }
            Ok(true)
        };
        work().map_err(error::staging)
    }

    /// Notes a row that cannot be used. What is known of its record stays as it is.
    pub(super) fn bad(&mut self, file: &str, bad: &BadRow, now: Timestamp) -> Result<(), SourceError> {
        if bad.key.is_none() {
            self.unidentified += 1;
        }
        let (collection, load) = (self.collection, self.load);
        let place = format!("{file} line {}", bad.line);
        let work = || -> rusqlite::Result<()> {
            self.transaction.execute(
                "INSERT OR REPLACE INTO bad VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![collection, place, bad.key, bad.code, bad.reason, bad.remedy, now.as_millisecond()],
            )?;
            self.transaction.execute(
                "UPDATE row SET load = ?3 WHERE collection = ?1 AND key = ?2",
                params![collection, bad.key, load],
            )?;
            Ok(())
        };
        work().map_err(error::staging)
    }

    /// Forgets the bad rows of earlier files: all of them, or those before a time.
    pub(super) fn forget_bad(&self, before: Option<Timestamp>) -> Result<(), SourceError> {
        let before = before.map_or(i64::MAX, Timestamp::as_millisecond);
        self.transaction
            .execute("DELETE FROM bad WHERE collection = ?1 AND at < ?2", params![self.collection, before])
            .map(drop)
            .map_err(error::staging)
    }

    /// Removes what the file did not tell of. With a row of which nobody knows whose it is, nothing is removed: it may be any
    /// of them. Says how many.
    pub(super) fn remove_untold(&self) -> Result<usize, SourceError> {
        if self.unidentified > 0 {
            return Ok(0);
        }
        self.transaction
            .execute(
                "DELETE FROM row WHERE collection = ?1 AND load < ?2",
                params![self.collection, self.load],
            )
            .map_err(error::staging)
    }

    /// The file is in.
    pub(super) fn commit(self, file: &Listed) -> Result<(), SourceError> {
        let columns = serde_json::to_string(&self.columns).map_err(|cause| {
            SourceError::new(SourceErrorKind::Unavailable, "the columns cannot be noted").caused_by(cause)
        })?;
        let Load { transaction, collection, load, .. } = self;
        let work = || -> rusqlite::Result<()> {
            transaction.execute(
                "INSERT OR REPLACE INTO collection (name, columns, last, changed, loads) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![collection, columns, file.name, file.changed.as_microsecond(), load],
            )?;
            transaction.execute(
                "INSERT OR REPLACE INTO seen (name, bytes, stamp, since, taken) VALUES (?1, ?2, ?3, 0, 1)",
                params![file.name, file.bytes.cast_signed(), file.stamp],
            )?;
            transaction.commit()
        };
        work().map_err(error::staging)
    }
}

/// A row as it is kept: what is known already, and over it what the row says.
fn body(row: &Row, before: Option<&str>) -> String {
    let known: BTreeMap<String, &RawValue> =
        before.and_then(|before| serde_json::from_str(before).ok()).unwrap_or_default();
    let mut fields: BTreeMap<&str, String> =
        known.iter().map(|(name, raw)| (name.as_str(), raw.get().to_owned())).collect();
    for (name, cell) in &row.cells {
        let json = match cell {
            Cell::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Cell::Json(json) => json.clone(),
        };
        fields.insert(name, json);
    }
    let pairs: Vec<String> =
        fields.iter().map(|(name, json)| format!("{}:{json}", serde_json::Value::from(*name))).collect();
    format!("{{{}}}", pairs.join(","))
}
