//! The SQLite file as a [`SourceWriter`].
//!
//! A batch is one transaction that holds the file's write lock from its beginning, so that nobody writes between
//! comparing and changing. Within it each row stands alone: a refused one is rolled back to where it began.

use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::types::Value as SqlValue;
use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params, params_from_iter,
};
use sync_types::{
    Collection, ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, Record, Rejection,
    SourceError, SourceErrorKind, SourceWriter, Writes,
};

use super::error::{self, rejection};
use super::reader::{SqliteFile, column_list, quoted};
use super::rows::{Columns, forms_of};
use super::table::Table;

/// Which creation made which record: kept in the file itself, in the transaction that makes the record, because
/// nothing else can tell whether a creation without an answer was carried out.
pub(super) const CREATIONS: &str = "kit_creations";

/// Rows of one batch. More would hold the file's lock for longer than others like to wait.
const ROWS_MAX: usize = 100;

/// Why a row was not written, and what becomes of the others.
enum Stop {
    /// This row alone.
    Row(LeftOutcome),
    /// None of the batch can be written now.
    Batch(rusqlite::Error),
}

#[async_trait]
impl SourceWriter for SqliteFile {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        self.write_batch(batch)
    }

    fn write_max(&self) -> usize {
        ROWS_MAX
    }

    fn writes(&self, collection: &Collection) -> Writes {
        let is_query =
            self.config.collections.get(collection.as_str()).is_some_and(|said| said.query.is_some());
        if is_query || self.writing.is_none() { Writes::NONE } else { Writes::ALL }
    }
}

impl SqliteFile {
    /// A poisoned lock is harmless: a transaction that was not committed is gone.
    fn writing(&self) -> Option<MutexGuard<'_, Connection>> {
        let writing = self.writing.as_ref()?;
        Some(writing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write_batch(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        let collection = batch.collection.as_str();
        let columns = self.columns(&self.connection(), collection)?;
        let Some(mut connection) = self.writing().filter(|_| self.writes(&batch.collection) != Writes::NONE)
        else {
            let reason = "the settings allow no writing here, or the collection is a query";
            return Ok(vec![
                LeftOutcome::Rejected(rejection("not-writable", None, reason));
                batch.rows.len()
            ]);
        };
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(cause) => return none_was_written(&columns, batch, cause),
        };
        let table =
            Table::read(&transaction, &columns).map_err(|cause| error::refused(&columns.place, cause))?;
        let mut outcomes = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let stopped = match transaction.savepoint() {
                Ok(savepoint) => match table.write(&savepoint, collection, row) {
                    Ok(outcome) => match savepoint.commit() {
                        Ok(()) => Ok(outcome),
                        Err(cause) => Err(Stop::Batch(cause)),
                    },
                    // Dropped, the savepoint takes back what the row did.
                    Err(stop) => Err(stop),
                },
                Err(cause) => Err(Stop::Batch(cause)),
            };
            match stopped {
                Ok(outcome) | Err(Stop::Row(outcome)) => outcomes.push(outcome),
                Err(Stop::Batch(cause)) => return none_was_written(&columns, batch, cause),
            }
        }
        match transaction.commit() {
            Ok(()) => Ok(outcomes),
            // A deferred foreign key, or a lock: the file says that nothing happened.
            Err(cause) if error::is_busy(&cause) || error::is_constraint(&cause) => {
                none_was_written(&columns, batch, cause)
            }
            Err(_) => {
                let why = "the file's answer to the end of the transaction was lost";
                Ok(vec![LeftOutcome::Unknown(why.into()); batch.rows.len()])
            }
        }
    }
}

/// The transaction is rolled back: later, or never until somebody mends what is wrong.
fn none_was_written(
    columns: &Columns,
    batch: &LeftBatch,
    cause: rusqlite::Error,
) -> Result<Vec<LeftOutcome>, SourceError> {
    if error::is_busy(&cause) {
        let why = "another program holds the file";
        return Ok(vec![LeftOutcome::NotSent(why.into()); batch.rows.len()]);
    }
    if error::is_constraint(&cause) {
        let why =
            rejection("constraint", None, "the rows together break a rule that the file checks at the end");
        return Ok(vec![LeftOutcome::Rejected(why); batch.rows.len()]);
    }
    let kind = match cause.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            SourceErrorKind::Denied
        }
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::Structure,
    };
    let remedy =
        "check the rights to the file and its folder and the room on the disk, or set `write = false`";
    Err(SourceError::new(kind, format!("{} cannot be written; {remedy}", columns.place)).caused_by(cause))
}

impl Table<'_> {
    /// Writes one row, or says why not; what it did before it stopped is for the caller to take back.
    fn write(&self, connection: &Connection, collection: &str, row: &LeftRow) -> Result<LeftOutcome, Stop> {
        match &row.verb {
            LeftVerb::Create => self.create(connection, collection, row),
            LeftVerb::Update(read) => {
                let (key, now) = self.find(connection, read.id())?;
                if row.fields.iter().any(|field| now.get(&field.path) != read.get(&field.path)) {
                    // A field that the table does not have is told as such, not as one that moved.
                    self.values(&row.fields)?;
                    return Ok(LeftOutcome::Moved);
                }
                self.update(connection, &key, &row.fields)
            }
            LeftVerb::Delete(read) => {
                let (key, now) = self.find(connection, read.id())?;
                let names = read.shape().names();
                if names.iter().any(|name| now.get(name) != read.get(name)) {
                    return Ok(LeftOutcome::Moved);
                }
                let sql = format!("DELETE FROM {} WHERE {} IS ?1", self.columns.relation, self.key());
                let count = connection.execute(&sql, [&key]).map_err(stop)?;
                one_row(count)?;
                Ok(LeftOutcome::Deleted)
            }
        }
    }

    fn create(&self, connection: &Connection, collection: &str, row: &LeftRow) -> Result<LeftOutcome, Stop> {
        let made = format!(
            "CREATE TABLE IF NOT EXISTS {CREATIONS} (collection TEXT NOT NULL, token TEXT NOT NULL, key NOT NULL,
             made_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (collection, token)) WITHOUT ROWID"
        );
        connection.execute(&made, []).map_err(stop)?;
        let known = format!("SELECT key FROM {CREATIONS} WHERE collection = ?1 AND token = ?2");
        let known: Option<SqlValue> = connection
            .query_row(&known, params![collection, row.token.as_str()], |row| row.get(0))
            .optional()
            .map_err(stop)?;
        if let Some(key) = known
            && let Some(record) = self.record(connection, &key)?
        {
            return Ok(LeftOutcome::Found(record));
        }
        let values = self.values(&row.fields)?;
        let names: Vec<String> = values.iter().map(|(name, _)| quoted(name)).collect();
        let places: Vec<String> = (1..=values.len()).map(|place| format!("?{place}")).collect();
        let (table, key) = (&self.columns.relation, self.key());
        let sql = if values.is_empty() {
            format!("INSERT INTO {table} DEFAULT VALUES RETURNING {key}")
        } else {
            format!(
                "INSERT INTO {table} ({}) VALUES ({}) RETURNING {key}",
                names.join(", "),
                places.join(", ")
            )
        };
        let values = params_from_iter(values.into_iter().map(|(_, value)| value));
        let key: SqlValue = connection.query_row(&sql, values, |row| row.get(0)).map_err(stop)?;
        if key == SqlValue::Null {
            let reason = "the table gives a new row no key of its own, and the mapping brings none";
            return Err(refuse("missing-key", Some(&self.columns.key_name), reason));
        }
        let record = self.written(connection, &key)?;
        let note = format!("INSERT OR REPLACE INTO {CREATIONS} (collection, token, key) VALUES (?1, ?2, ?3)");
        connection.execute(&note, params![collection, row.token.as_str(), key]).map_err(stop)?;
        Ok(LeftOutcome::Written(record))
    }

    fn update(
        &self,
        connection: &Connection,
        key: &SqlValue,
        fields: &[LeftField],
    ) -> Result<LeftOutcome, Stop> {
        let values = self.values(fields)?;
        if values.iter().any(|(name, value)| *name == self.columns.key_name && value != key) {
            let reason = "the key identifies the record and cannot be changed";
            return Err(refuse("read-only", Some(&self.columns.key_name), reason));
        }
        if !values.is_empty() {
            let set = values.iter().zip(1..).map(|((name, _), place)| format!("{} = ?{place}", quoted(name)));
            let set: Vec<String> = set.collect();
            let (table, place) = (&self.columns.relation, values.len() + 1);
            let sql = format!("UPDATE {table} SET {} WHERE {} IS ?{place}", set.join(", "), self.key());
            let values = values.into_iter().map(|(_, value)| value).chain([key.clone()]);
            let count = connection.execute(&sql, params_from_iter(values)).map_err(stop)?;
            one_row(count)?;
        }
        Ok(LeftOutcome::Written(self.written(connection, key)?))
    }

    /// The row as it is now that it was written.
    fn written(&self, connection: &Connection, key: &SqlValue) -> Result<Record, Stop> {
        match self.record(connection, key) {
            Ok(Some(record)) => Ok(record),
            Ok(None) | Err(Stop::Row(_)) => {
                Err(refuse("unreadable", None, "written, the row could not be read again"))
            }
            Err(stop) => Err(stop),
        }
    }

    fn key(&self) -> String {
        quoted(&self.columns.key_name)
    }

    /// The row of an id, with its key as it stands in the file.
    fn find(&self, connection: &Connection, id: &ExternalId) -> Result<(SqlValue, Record), Stop> {
        let (number, text) = forms_of(id);
        for key in [number, text] {
            if let Some(record) = self.record(connection, &key)?
                && record.id() == id
            {
                return Ok((key, record));
            }
        }
        Err(Stop::Row(LeftOutcome::Gone))
    }

    /// The row with this key, if there is one. One that cannot be read is nothing that was ever read.
    fn record(&self, connection: &Connection, key: &SqlValue) -> Result<Option<Record>, Stop> {
        let (list, table) = (column_list(self.columns), &self.columns.relation);
        let sql = format!("SELECT {list} FROM {table} WHERE {} IS ?1", self.key());
        let mut statement = connection.prepare_cached(&sql).map_err(stop)?;
        let mut rows = statement.query([key]).map_err(stop)?;
        let Some(row) = rows.next().map_err(stop)? else { return Ok(None) };
        match self.columns.record(row) {
            Ok(record) => Ok(Some(record)),
            Err(_) => Err(Stop::Row(LeftOutcome::Moved)),
        }
    }

    /// The columns to write and their values in the file's types.
    fn values<'f>(&self, fields: &'f [LeftField]) -> Result<Vec<(&'f str, SqlValue)>, Stop> {
        let value = |field: &'f LeftField| Ok((&*field.path, self.value(&field.path, &field.value)?));
        fields.iter().map(value).collect()
    }
}

/// A key that names several rows names none.
fn one_row(count: usize) -> Result<(), Stop> {
    if count == 1 {
        return Ok(());
    }
    Err(refuse("duplicate-key", None, "several rows have this key, so none of them is written"))
}

fn refuse(code: &str, property: Option<&str>, reason: &str) -> Stop {
    rejection(code, property, reason).into()
}

/// What a statement's failure means for its row and for the batch.
fn stop(cause: rusqlite::Error) -> Stop {
    match error::constraint(&cause) {
        Some(why) => why.into(),
        None => Stop::Batch(cause),
    }
}

impl From<Rejection> for Stop {
    fn from(why: Rejection) -> Stop {
        Stop::Row(LeftOutcome::Rejected(why))
    }
}
