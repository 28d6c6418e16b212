//! The embedded token store: one SQLite file, shared by the processes of one machine.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::memory::full;
use crate::envelope::Sealed;
use crate::lease::{Acquired, Lease, LeaseHold};
use crate::pending::{PENDING_MAX, PendingEntry, PendingStore};
use crate::store::{Entry, Revision, SealedStore, StoreError, StoreErrorKind};
use crate::time::later;

/// Marks the file as ours: "HKTS".
const APPLICATION_ID: i64 = 0x484B_5453;

/// Each brings the file from the version before to its own, counted from 1.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE entry (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, revision INTEGER NOT NULL) STRICT;
    CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL,
                        since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE pending (id TEXT PRIMARY KEY, sealed BLOB NOT NULL, expires_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO counter VALUES ('writes', 0), ('fences', 0);
"];

/// Writers wait for each other this long; a transaction here takes milliseconds.
const BUSY: Duration = Duration::from_secs(10);

/// Tokens, leases and pending installs in one file. Any number of processes may have it open; cloning shares the
/// connection. Only sealed content is in it, and the file is readable by its owner alone where the system knows owners.
#[derive(Clone)]
pub struct SqliteTokenStore {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
}

impl SqliteTokenStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] when the file cannot be had, [`StoreErrorKind::Corrupt`] when it is damaged, is no
    /// token store, or was written by a newer version. Nothing is changed then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        private(path)?;
        let mut connection = Connection::open(path).map_err(|error| classify(error, path))?;
        prepare(&mut connection, path)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), path: path.to_owned() })
    }

    /// Runs one transaction that reads, which waits for nobody.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(TransactionBehavior::Deferred, work).await
    }

    /// Runs one transaction that may write. It has the file from its first statement on, so that what it reads is what it
    /// writes over.
    async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(TransactionBehavior::Immediate, work).await
    }

    /// Runs one transaction on a thread that may wait.
    async fn run<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (connection, path) = (Arc::clone(&self.connection), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            // After a panic the transaction under way was rolled back as it was dropped.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        match done.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(Failed::Sqlite(error))) => Err(classify(error, &path)),
            Ok(Err(Failed::Store(error))) => Err(error),
            Err(stopped) => {
                Err(StoreError::new(StoreErrorKind::Unavailable, "the program is ending")
                    .with_source(stopped))
            }
        }
    }
}

/// Why a transaction was rolled back.
enum Failed {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Failed::Sqlite(error)
    }
}

impl fmt::Debug for SqliteTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTokenStore").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl SealedStore for SqliteTokenStore {
    async fn get(&self, name: &str) -> Result<Option<Entry>, StoreError> {
        let name = name.to_owned();
        self.read(move |transaction| Ok(entry(transaction, &name)?)).await
    }

    async fn put(
        &self,
        name: &str,
        sealed: &Sealed,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let (name, sealed) = (name.to_owned(), sealed.clone());
        self.transact(move |transaction| {
            if entry(transaction, &name)?.map(|entry| entry.revision) != expected {
                return Err(Failed::Store(StoreError::conflict(&name)));
            }
            let revision = next(transaction, "writes")?;
            transaction.execute(
                "INSERT INTO entry VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, revision = excluded.revision",
                params![name, sealed.as_bytes(), revision],
            )?;
            Ok(Revision(u64::try_from(revision).unwrap_or(0)))
        })
        .await
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.transact(move |transaction| {
            transaction.execute("DELETE FROM entry WHERE name = ?1", [name])?;
            Ok(())
        })
        .await
    }

    async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.read(|transaction| {
            let mut statement = transaction.prepare("SELECT name FROM entry")?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
        .await
    }
}

#[async_trait]
impl Lease for SqliteTokenStore {
    async fn acquire(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Acquired, StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.transact(move |transaction| {
            let held = transaction
                .query_row("SELECT holder, since_ms, until_ms FROM lease WHERE name = ?1", [&name], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
                })
                .optional()?;
            if let Some((holder, since, until)) = held
                && now.as_millisecond() < until
            {
                return Ok(Acquired::Busy { holder, since: moment(since), until: moment(until) });
            }
            let fence = next(transaction, "fences")?;
            transaction.execute(
                "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name, holder, fence, now.as_millisecond(), later(now, life).as_millisecond()],
            )?;
            Ok(Acquired::Held(LeaseHold { name, fence: u64::try_from(fence).unwrap_or(0) }))
        })
        .await
    }

    async fn release(&self, hold: &LeaseHold) -> Result<(), StoreError> {
        let hold = hold.clone();
        self.transact(move |transaction| {
            let fence = i64::try_from(hold.fence).unwrap_or(i64::MAX);
            transaction
                .execute("DELETE FROM lease WHERE name = ?1 AND fence = ?2", params![hold.name, fence])?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl PendingStore for SqliteTokenStore {
    async fn keep(&self, id: &str, entry: &PendingEntry, now: Timestamp) -> Result<(), StoreError> {
        let (id, entry) = (id.to_owned(), entry.clone());
        self.transact(move |transaction| {
            transaction.execute("DELETE FROM pending WHERE expires_ms <= ?1", [now.as_millisecond()])?;
            let kept: i64 = transaction.query_row("SELECT count(*) FROM pending", [], |row| row.get(0))?;
            if u64::try_from(kept).is_ok_and(|kept| kept >= PENDING_MAX) {
                return Err(Failed::Store(full()));
            }
            transaction.execute(
                "INSERT OR REPLACE INTO pending VALUES (?1, ?2, ?3)",
                params![id, entry.sealed.as_bytes(), entry.expires_at.as_millisecond()],
            )?;
            Ok(())
        })
        .await
    }

    async fn take(&self, id: &str, now: Timestamp) -> Result<Option<PendingEntry>, StoreError> {
        let id = id.to_owned();
        self.transact(move |transaction| {
            let taken = transaction
                .query_row("DELETE FROM pending WHERE id = ?1 RETURNING sealed, expires_ms", [&id], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?))
                })
                .optional()?;
            Ok(taken
                .map(|(sealed, expires)| PendingEntry {
                    sealed: Sealed::from_bytes(sealed),
                    expires_at: moment(expires),
                })
                .filter(|entry| now < entry.expires_at))
        })
        .await
    }
}

fn entry(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<Entry>> {
    transaction
        .query_row("SELECT sealed, revision FROM entry WHERE name = ?1", [name], |row| {
            let revision: i64 = row.get(1)?;
            Ok(Entry {
                sealed: Sealed::from_bytes(row.get(0)?),
                revision: Revision(u64::try_from(revision).unwrap_or(0)),
            })
        })
        .optional()
}

/// Counts on, across all entries, so that a removed and remade one has no earlier one's number.
fn next(transaction: &Transaction<'_>, counter: &str) -> rusqlite::Result<i64> {
    let sql = "UPDATE counter SET value = value + 1 WHERE name = ?1 RETURNING value";
    transaction.query_row(sql, [counter], |row| row.get(0))
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// Makes the file, if it is not there, for its owner alone. SQLite gives the files beside it the same rights.
fn private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ()).map_err(|error| {
        let message = format!("{} cannot be opened or made: check the folder and its rights", path.display());
        StoreError::new(StoreErrorKind::Unavailable, message).with_source(error)
    })
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| classify(error, path);
    connection.busy_timeout(BUSY).map_err(fail)?;
    // Old content is overwritten when it is replaced: even sealed, a token has no business in a free page.
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .map_err(fail)?;
    // Two processes may start at once: what the file is, is asked under the lock.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(fail)?;
    let number =
        |pragma: &str| transaction.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let (version, application) =
        (number("user_version").map_err(fail)?, number("application_id").map_err(fail)?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if tables > 0 && application != APPLICATION_ID {
        let message = format!("{} is no token store of this kit: name another file", path.display());
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    if version > known {
        let message = format!("{} was written by a newer version: update this program", path.display());
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    for (number, migration) in (1..).zip(MIGRATIONS) {
        if number > version {
            transaction.execute_batch(migration).map_err(fail)?;
        }
    }
    transaction
        .execute_batch(&format!("PRAGMA user_version = {known}; PRAGMA application_id = {APPLICATION_ID}"))
        .map_err(fail)?;
    transaction.commit().map_err(fail)
}

fn classify(error: rusqlite::Error, path: &Path) -> StoreError {
    let (kind, what) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            StoreErrorKind::Corrupt,
            "is damaged or no token store: bring it back from a backup, or install again",
        ),
        Some(ErrorCode::DiskFull) => (StoreErrorKind::Unavailable, "cannot be written: the disk is full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (StoreErrorKind::Unavailable, "is held by another program")
        }
        _ => (StoreErrorKind::Unavailable, "cannot be read or written"),
    };
    StoreError::new(kind, format!("{} {what}", path.display())).with_source(error)
}
