//! The PostgreSQL database as a [`SourceWriter`].
//!
//! A batch is one transaction in a session of its own; each row stands in a savepoint. A row is locked, compared with
//! what was read, and written while the lock lasts, so that nobody writes in between.

use std::sync::Arc;

use async_trait::async_trait;
use sync_types::{
    Collection, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, Record, Rejection, SourceError,
    SourceErrorKind, SourceWriter, Writes,
};
use tokio_postgres::types::ToSql;

use super::catalog::text;
use super::error::{self, Failed, rejection};
use super::reader::Postgres;
use super::rows::{Columns, Form, quoted};
use super::session::Session;

/// Which creation made which record: kept in the database itself, in the transaction that makes the record, because
/// nothing else can tell whether a creation without an answer was carried out.
const CREATIONS: &str = "kit_creations";

/// Rows of one batch. Each is locked until the batch ends.
const ROWS_MAX: usize = 100;

/// Why a row was not written, and what becomes of the others.
enum Stop {
    /// This row alone.
    Row(LeftOutcome),
    /// None of the batch can be written.
    Batch(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(cause: tokio_postgres::Error) -> Stop {
        match error::failed(&cause) {
            Failed::Row(why) => Stop::Row(LeftOutcome::Rejected(why)),
            Failed::Busy => {
                Stop::Row(LeftOutcome::NotSent(String::from("somebody holds the row or its table")))
            }
            Failed::Lost | Failed::All => Stop::Batch(cause),
        }
    }
}

impl From<Rejection> for Stop {
    fn from(why: Rejection) -> Stop {
        Stop::Row(LeftOutcome::Rejected(why))
    }
}

#[async_trait]
impl SourceWriter for Postgres {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        let columns = self.columns(batch.collection.as_str()).await?;
        let Some(sessions) = self.writing.as_ref().filter(|_| self.writes(&batch.collection) != Writes::NONE)
        else {
            let why = rejection("not-writable", None, "the settings allow no writing here, or it is a query");
            return Ok(vec![LeftOutcome::Rejected(why); batch.rows.len()]);
        };
        let all = |outcome: LeftOutcome| Ok(vec![outcome; batch.rows.len()]);
        // A session of its own for each batch: dropped half-way, it ends, and the server takes everything back.
        let session = match sessions.connect().await {
            Ok(session) => session,
            Err(cause) => return Err(error::refused("the database", cause)),
        };
        let table = Table { source: self, columns, session };
        match table.write(batch).await {
            Ok(outcomes) => match table.session.client.batch_execute("COMMIT").await {
                Ok(()) => Ok(outcomes),
                Err(cause) => match error::failed(&cause) {
                    // A rule that is checked at the end; the server has taken everything back.
                    Failed::Row(why) => all(LeftOutcome::Rejected(why)),
                    Failed::Busy => all(LeftOutcome::NotSent(String::from("others wrote the same rows"))),
                    Failed::Lost | Failed::All => all(LeftOutcome::Unknown(String::from(
                        "the answer to the end of the transaction was lost",
                    ))),
                },
            },
            Err(cause) => match error::failed(&cause) {
                // Without its end a transaction has done nothing.
                Failed::Busy | Failed::Lost => {
                    all(LeftOutcome::NotSent(String::from("the session was lost")))
                }
                Failed::Row(_) | Failed::All => Err(self.cannot_write(&table.columns, &cause)),
            },
        }
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

impl Postgres {
    fn cannot_write(&self, columns: &Columns, cause: &tokio_postgres::Error) -> SourceError {
        let code = cause.code().map_or("", |code| code.code());
        let (kind, remedy) = match code {
            "42501" => (
                SourceErrorKind::Denied,
                format!(
                    "give the program's user the right to write it and `{CREATIONS}`: {}",
                    self.creations_sql()
                ),
            ),
            "25006" => (
                SourceErrorKind::Denied,
                String::from("the database is read only: name the one that is written"),
            ),
            _ => (SourceErrorKind::Structure, String::from("compare the table with the mapping")),
        };
        SourceError::new(kind, format!("{} cannot be written; {remedy} [SQLSTATE {code}]", columns.place))
    }

    fn creations(&self) -> String {
        format!("{}.{CREATIONS}", quoted(&self.config.schema))
    }

    fn creations_sql(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (collection text NOT NULL, token text NOT NULL, key text, \
             made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (collection, token))",
            self.creations()
        )
    }

    fn deleted_column(&self, collection: &str) -> Option<&str> {
        self.config.collections.get(collection)?.deleted.as_deref()
    }
}

/// One column to write.
struct Given<'f> {
    name: &'f str,
    /// Its parameter, cast to the column's type.
    cast: String,
    text: Option<String>,
}

/// A table and the session that writes it.
struct Table<'s> {
    source: &'s Postgres,
    columns: Arc<Columns>,
    session: Session,
}

impl Table<'_> {
    /// Writes all rows; an error means that nothing was written.
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, tokio_postgres::Error> {
        let collection = batch.collection.as_str();
        if batch.rows.iter().any(|row| matches!(row.verb, LeftVerb::Create)) {
            self.prepare_creations().await?;
        }
        let client = &self.session.client;
        client.batch_execute("BEGIN").await?;
        let mut outcomes = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            client.batch_execute("SAVEPOINT this_row").await?;
            let (outcome, end) = match self.write_row(collection, row).await {
                Ok(outcome) => (outcome, "RELEASE SAVEPOINT this_row"),
                Err(Stop::Row(outcome)) => {
                    (outcome, "ROLLBACK TO SAVEPOINT this_row; RELEASE SAVEPOINT this_row")
                }
                Err(Stop::Batch(cause)) => return Err(cause),
            };
            client.batch_execute(end).await?;
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Makes the table of creations, unless it is there already: that takes no right to make tables.
    async fn prepare_creations(&self) -> Result<(), tokio_postgres::Error> {
        let sql = "SELECT (to_regclass($1::text) IS NOT NULL)::text";
        let rows = self.session.query(sql, &[&self.source.creations()]).await?;
        if rows.first().is_some_and(|row| text(row, 0) == "true") {
            return Ok(());
        }
        match self.session.client.batch_execute(&self.source.creations_sql()).await {
            // Somebody else made it in this moment.
            Err(cause) if cause.code().is_some_and(|code| matches!(code.code(), "42P07" | "23505")) => Ok(()),
            other => other,
        }
    }

    async fn write_row(&self, collection: &str, row: &LeftRow) -> Result<LeftOutcome, Stop> {
        match &row.verb {
            LeftVerb::Create => self.create(collection, row).await,
            LeftVerb::Update(read) => {
                let now = self.find(read.id().as_str()).await?.ok_or(Stop::Row(LeftOutcome::Gone))?;
                let values = self.values(&row.fields)?;
                if row.fields.iter().any(|field| now.get(&field.path) != read.get(&field.path)) {
                    return Ok(LeftOutcome::Moved);
                }
                self.update(read.id().as_str(), &values).await
            }
            LeftVerb::Delete(read) => {
                let now = self.find(read.id().as_str()).await?.ok_or(Stop::Row(LeftOutcome::Gone))?;
                if read.shape().names().iter().any(|name| now.get(name) != read.get(name)) {
                    return Ok(LeftOutcome::Moved);
                }
                self.delete(collection, read.id().as_str()).await
            }
        }
    }

    async fn create(&self, collection: &str, row: &LeftRow) -> Result<LeftOutcome, Stop> {
        let creations = self.source.creations();
        let token = row.token.as_str();
        let note = format!(
            "INSERT INTO {creations} (collection, token) VALUES ($1::text, $2::text) ON CONFLICT DO NOTHING"
        );
        self.ask(&note, &[Some(collection), Some(token)]).await?;
        // Whoever else makes the same record waits here.
        let known = format!(
            "SELECT key FROM {creations} WHERE collection = $1::text AND token = $2::text FOR UPDATE"
        );
        let known = self.ask(&known, &[Some(collection), Some(token)]).await?;
        let key = known.first().map_or("", |row| text(row, 0));
        if !key.is_empty()
            && let Some(record) = self.find(key).await?
        {
            return Ok(LeftOutcome::Found(record));
        }
        let values = self.values(&row.fields)?;
        let names: Vec<String> = values.iter().map(|value| quoted(value.name)).collect();
        let casts: Vec<&str> = values.iter().map(|value| value.cast.as_str()).collect();
        let texts: Vec<Option<&str>> = values.iter().map(|value| value.text.as_deref()).collect();
        let (table, key) = (&self.columns.relation, quoted(self.columns.key_name()));
        let sql = if values.is_empty() {
            format!("INSERT INTO {table} DEFAULT VALUES RETURNING {key}::text")
        } else {
            format!(
                "INSERT INTO {table} ({}) VALUES ({}) RETURNING {key}::text",
                names.join(", "),
                casts.join(", ")
            )
        };
        let made = self.ask(&sql, &texts).await?;
        let key = made.first().map_or("", |row| text(row, 0));
        if key.is_empty() {
            let reason = "the table gives a new row no key of its own, and the mapping brings none";
            return Err(rejection("missing-key", Some(self.columns.key_name()), reason).into());
        }
        let note =
            format!("UPDATE {creations} SET key = $3::text WHERE collection = $1::text AND token = $2::text");
        self.ask(&note, &[Some(collection), Some(token), Some(key)]).await?;
        Ok(LeftOutcome::Written(self.written(key).await?))
    }

    async fn update(&self, key: &str, values: &[Given<'_>]) -> Result<LeftOutcome, Stop> {
        let is_other_key =
            |given: &Given<'_>| given.name == self.columns.key_name() && given.text.as_deref() != Some(key);
        if values.iter().any(is_other_key) {
            let reason = "the key identifies the record and cannot be changed";
            return Err(rejection("read-only", Some(self.columns.key_name()), reason).into());
        }
        if !values.is_empty() {
            let set: Vec<String> =
                values.iter().map(|value| format!("{} = {}", quoted(value.name), value.cast)).collect();
            let mut texts: Vec<Option<&str>> = values.iter().map(|value| value.text.as_deref()).collect();
            texts.push(Some(key));
            let condition = self.is_key(texts.len());
            let sql = format!(
                "UPDATE {} SET {} WHERE {condition} RETURNING 1",
                self.columns.relation,
                set.join(", ")
            );
            one_row(self.ask(&sql, &texts).await?.len())?;
        }
        Ok(LeftOutcome::Written(self.written(key).await?))
    }

    async fn delete(&self, collection: &str, key: &str) -> Result<LeftOutcome, Stop> {
        let (relation, condition) = (&self.columns.relation, self.is_key(1));
        let marked = self.source.deleted_column(collection).and_then(|name| self.columns.column(name));
        let sql = match marked {
            Some(column) => {
                let mark = if column.form == Form::Bool { "true" } else { "now()" };
                let name = quoted(&column.name);
                format!("UPDATE {relation} SET {name} = {mark} WHERE {condition} RETURNING 1")
            }
            None => format!("DELETE FROM {relation} WHERE {condition} RETURNING 1"),
        };
        one_row(self.ask(&sql, &[Some(key)]).await?.len())?;
        Ok(LeftOutcome::Deleted)
    }

    /// The row of a key, locked; `None`: there is none.
    async fn find(&self, key: &str) -> Result<Option<Record>, Stop> {
        let Columns { relation, live, .. } = &*self.columns;
        let (list, condition) = (self.columns.list(), self.is_key(1));
        let sql = format!("SELECT {list} FROM {relation} WHERE ({live}) AND {condition} FOR UPDATE");
        let rows = match self.ask(&sql, &[Some(key)]).await {
            // An id that the key's type does not know is nobody's.
            Err(Stop::Row(LeftOutcome::Rejected(why))) if why.code == "bad-value" => {
                return Err(Stop::Row(LeftOutcome::Gone));
            }
            other => other?,
        };
        let Some(row) = rows.first() else { return Ok(None) };
        one_row(rows.len())?;
        match self.columns.record(row) {
            Ok(record) if record.id().as_str() == key => Ok(Some(record)),
            Ok(_) => Ok(None),
            // One that cannot be read is nothing that was ever read.
            Err(_) => Err(Stop::Row(LeftOutcome::Moved)),
        }
    }

    /// The row as it is now that it was written.
    async fn written(&self, key: &str) -> Result<Record, Stop> {
        let unreadable =
            || Stop::from(rejection("unreadable", None, "written, the row could not be read again"));
        match self.find(key).await {
            Ok(record) => record.ok_or_else(unreadable),
            Err(Stop::Row(LeftOutcome::Moved | LeftOutcome::Gone)) => Err(unreadable()),
            Err(stop) => Err(stop),
        }
    }

    fn is_key(&self, place: usize) -> String {
        let cast = self.columns.key_column().map(|column| column.cast(place)).unwrap_or_default();
        format!("{} = {cast}", quoted(self.columns.key_name()))
    }

    /// The columns to write: name, cast parameter, text.
    fn values<'f>(&self, fields: &'f [LeftField]) -> Result<Vec<Given<'f>>, Stop> {
        let value = |(field, place): (&'f LeftField, usize)| {
            let Some(column) = self.columns.column(&field.path) else {
                let reason = "the table has no such column, or it holds binary data";
                return Err(Stop::from(rejection("no-such-field", Some(&field.path), reason)));
            };
            Ok(Given { name: &field.path, cast: column.cast(place), text: column.text(&field.value)? })
        };
        fields.iter().zip(1..).map(value).collect()
    }

    async fn ask(&self, sql: &str, texts: &[Option<&str>]) -> Result<Vec<tokio_postgres::Row>, Stop> {
        let parameters: Vec<&(dyn ToSql + Sync)> =
            texts.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
        Ok(self.session.query(sql, &parameters).await?)
    }
}

/// A key that names several rows names none.
fn one_row(count: usize) -> Result<(), Stop> {
    if count == 1 {
        return Ok(());
    }
    Err(rejection("duplicate-key", None, "several rows have this key, so none of them is written").into())
}
