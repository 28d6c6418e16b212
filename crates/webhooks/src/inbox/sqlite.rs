//! The inbox in one SQLite file: write-ahead log, flushed at every commit, many calls to a commit.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::watch;

use super::arrivals::Arrivals;
use super::schema::{APPLICATION_ID, MIGRATIONS};
use super::writer::{self, Ended, Line, classify};
use super::{Inbox, InboxError, InboxErrorKind, Replay, Stored, Waiting};
use crate::event::{Event, EventId, PortalId};
use crate::journal::{Advance, Gap, GapCause, JournalStore, Offset, Position};

/// Done events that one call of [`Inbox::expire`] forgets, so that no receiver waits long for it.
const EXPIRE_ROWS: i64 = 5_000;

/// An inbox in one file, which is locked until [`SqliteInbox::close`] or drop.
///
/// A call returns once its commit is flushed to disk, so what was stored survives a crash of the process and of the
/// machine. Calls made while a commit is under way share the next one.
pub struct SqliteInbox {
    line: Line,
    ended: Ended,
    arrivals: Arrivals,
}

impl fmt::Debug for SqliteInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteInbox").finish_non_exhaustive()
    }
}

impl SqliteInbox {
    /// Opens the inbox in this file, or makes it.
    ///
    /// # Errors
    /// [`InboxErrorKind::Locked`] when another process has it, [`InboxErrorKind::Mismatch`] when it is something else
    /// or of a newer version, [`InboxErrorKind::Corrupt`] when it is damaged. Nothing is changed then.
    pub fn open(path: &Path) -> Result<Self, InboxError> {
        let named = |error: InboxError| {
            let InboxError { kind, message } = error;
            let advice = match kind {
                InboxErrorKind::Locked => ": another process has it open",
                InboxErrorKind::Corrupt => {
                    ": damaged. Move it away and start anew; what waited in it is found by a full comparison"
                }
                _ => "",
            };
            InboxError { kind, message: format!("{}{advice}: {message}", path.display()) }
        };
        let connection = Connection::open(path).map_err(|error| named(classify(&error)))?;
        Self::prepare(connection).map_err(named)
    }

    /// An inbox in memory, gone when dropped: for tests.
    ///
    /// # Errors
    /// Only if SQLite itself fails.
    pub fn in_memory() -> Result<Self, InboxError> {
        Self::prepare(Connection::open_in_memory().map_err(|error| classify(&error))?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, InboxError> {
        migrate(&mut connection)?;
        let (line, ended) = writer::start(connection)?;
        Ok(Self { line, ended, arrivals: Arrivals::default() })
    }

    #[cfg(test)]
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Lets every call under way end and closes the file. Dropping the inbox does the same without waiting.
    pub async fn close(self) {
        drop(self.line);
        // The thread is gone either way.
        let _ = self.ended.await;
    }

    /// Moves done events back, and wakes who waits for work.
    async fn wait_again(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<HashMap<PortalId, u64>> + Send + 'static,
    ) -> Result<u64, InboxError> {
        let counts = self.line.call(0, work).await?;
        self.arrivals.tell(&counts);
        Ok(counts.values().sum())
    }

    async fn insert(
        &self,
        events: Vec<Event>,
        received: Timestamp,
        more: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<Stored, InboxError> {
        let total = events.len() as u64;
        // Written out here, so that the one thread has less to do.
        let mut rows = events.iter().map(Row::of).collect::<Result<Vec<_>, _>>()?;
        // In the order of the tree.
        rows.sort_unstable_by_key(|row| (row.portal, row.id));
        let received = received.as_millisecond();
        let new = self
            .line
            .call(rows.len() + 1, move |connection| {
                // Nearly every event is younger than all that is done, and then there is nothing to look for.
                let newest_done: Option<[u8; 16]> = connection
                    .prepare_cached("SELECT max(id) FROM done")?
                    .query_row([], |row| row.get(0))?;
                let mut is_done = connection.prepare_cached("SELECT 1 FROM done WHERE id = ?1")?;
                let mut insert = connection.prepare_cached(
                    "INSERT INTO waiting (portal, id, received, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?;
                let mut new: HashMap<PortalId, u64> = HashMap::new();
                for row in &rows {
                    let id = row.id.as_bytes();
                    if newest_done.is_some_and(|newest| *id <= newest) && is_done.exists([id])? {
                        continue;
                    }
                    if insert.execute(params![row.portal, id, received, row.body])? > 0 {
                        *new.entry(PortalId(row.portal.cast_unsigned())).or_default() += 1;
                    }
                }
                more(connection)?;
                Ok(new)
            })
            .await?;
        self.arrivals.tell(&new);
        let new = new.values().sum();
        Ok(Stored { new, repeated: total - new })
    }
}

struct Row {
    id: EventId,
    portal: i64,
    body: String,
}

impl Row {
    fn of(event: &Event) -> Result<Self, InboxError> {
        let body = serde_json::to_string(event).map_err(|error| {
            InboxError::new(InboxErrorKind::Io, format!("an event cannot be written: {error}"))
        })?;
        Ok(Self { id: event.id, portal: event.portal.0.cast_signed(), body })
    }
}

fn migrate(connection: &mut Connection) -> Result<(), InboxError> {
    let fail = |error: rusqlite::Error| classify(&error);
    connection.set_prepared_statement_cache_capacity(32);
    connection.busy_timeout(Duration::from_millis(200)).map_err(fail)?;
    // EXCLUSIVE keeps a second process out for as long as this one lives. FULL flushes at every commit: an answer of
    // 200 is a promise.
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;",
        )
        .map_err(fail)?;
    let pragma = |name: &str| -> Result<i64, InboxError> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(fail)
    };
    let (version, application) = (pragma("user_version")?, pragma("application_id")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    if tables > 0 && application != i64::from(APPLICATION_ID) {
        return Err(InboxError::new(
            InboxErrorKind::Mismatch,
            "an SQLite file, but no inbox: name another file",
        ));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        let message =
            format!("written by a newer version (schema {version}, this one knows {known}): update");
        return Err(InboxError::new(InboxErrorKind::Mismatch, message));
    }
    if version > 0 {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fail)?;
        if verdict != "ok" {
            return Err(InboxError::new(InboxErrorKind::Corrupt, verdict));
        }
    }
    let transaction = connection.transaction().map_err(fail)?;
    for (migration, number) in MIGRATIONS.iter().zip(0_i64..) {
        if number >= version {
            transaction.execute_batch(migration).map_err(fail)?;
        }
    }
    let marks = format!("PRAGMA user_version = {known}; PRAGMA application_id = {APPLICATION_ID}");
    transaction.execute_batch(&marks).map_err(fail)?;
    transaction.commit().map_err(fail)
}

#[async_trait]
impl Inbox for SqliteInbox {
    async fn store(&self, events: Vec<Event>, received: Timestamp) -> Result<Stored, InboxError> {
        self.insert(events, received, |_| Ok(())).await
    }

    async fn take(&self, portal: PortalId, count_max: usize) -> Result<Vec<Event>, InboxError> {
        let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
        let rows: Vec<([u8; 16], String)> = self
            .line
            .call(0, move |connection| {
                let mut select = connection
                    .prepare_cached("SELECT id, body FROM waiting WHERE portal = ?1 ORDER BY id LIMIT ?2")?;
                let rows = select.query_map(params![portal.0.cast_signed(), count_max], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                rows.collect()
            })
            .await?;
        rows.into_iter().map(|(id, body)| read(EventId::from_bytes(id), &body)).collect()
    }

    async fn done(&self, portal: PortalId, events: Vec<EventId>, now: Timestamp) -> Result<(), InboxError> {
        let (portal, now) = (portal.0.cast_signed(), now.as_millisecond());
        self.line
            .call(events.len(), move |connection| {
                let mut copy = connection.prepare_cached(
                    "INSERT INTO done (id, portal, received, at, body)
                     SELECT id, portal, received, ?3, body FROM waiting WHERE portal = ?1 AND id = ?2",
                )?;
                let mut delete =
                    connection.prepare_cached("DELETE FROM waiting WHERE portal = ?1 AND id = ?2")?;
                for id in &events {
                    copy.execute(params![portal, id.as_bytes(), now])?;
                    delete.execute(params![portal, id.as_bytes()])?;
                }
                Ok(())
            })
            .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, InboxError> {
        self.line
            .call(0, |connection| {
                let mut select = connection.prepare_cached(
                    "SELECT portal, count(*), min(id) FROM waiting GROUP BY portal ORDER BY portal",
                )?;
                let rows = select.query_map([], |row| {
                    let id: [u8; 16] = row.get(2)?;
                    Ok(Waiting {
                        portal: PortalId(row.get::<_, i64>(0)?.cast_unsigned()),
                        events: row.get::<_, i64>(1)?.cast_unsigned(),
                        oldest: EventId::from_bytes(id).time(),
                    })
                })?;
                rows.collect()
            })
            .await
    }

    async fn replay(&self, what: Replay) -> Result<u64, InboxError> {
        let (from, to) = (EventId::first_at(what.from), EventId::first_at(what.to));
        let portal = what.portal.map(|portal| portal.0.cast_signed());
        self.wait_again(move |connection| {
            let bounds = params![from.as_bytes(), to.as_bytes(), portal];
            again(connection, "id >= ?1 AND id < ?2 AND (?3 IS NULL OR portal = ?3)", bounds)
        })
        .await
    }

    async fn reopen(&self, portal: PortalId, since: Timestamp) -> Result<u64, InboxError> {
        let bounds = (portal.0.cast_signed(), since.as_millisecond());
        self.wait_again(move |connection| {
            again(connection, "portal = ?1 AND at > ?2", params![bounds.0, bounds.1])
        })
        .await
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, InboxError> {
        let before = EventId::first_at(before);
        self.line
            .call(0, move |connection| {
                let mut delete = connection.prepare_cached(
                    "DELETE FROM done WHERE id IN (SELECT id FROM done WHERE id < ?1 ORDER BY id LIMIT ?2)",
                )?;
                Ok(delete.execute(params![before.as_bytes(), EXPIRE_ROWS])? as u64)
            })
            .await
    }

    async fn forget_portal(&self, portal: PortalId) -> Result<u64, InboxError> {
        self.line
            .call(0, move |connection| {
                let mut deleted = 0;
                for table in ["waiting", "done"] {
                    let delete = format!("DELETE FROM {table} WHERE portal = ?1");
                    deleted += connection.execute(&delete, [portal.0.cast_signed()])? as u64;
                }
                Ok(deleted)
            })
            .await
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.all()
    }

    fn arrivals_of(&self, portal: PortalId) -> watch::Receiver<u64> {
        self.arrivals.of_portal(portal)
    }
}

/// Lets the done events of a span wait again; says how many of each portal.
fn again(
    connection: &Connection,
    span: &str,
    bounds: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<HashMap<PortalId, u64>> {
    let copy = "INSERT INTO waiting (portal, id, received, body) SELECT portal, id, received, body FROM done";
    connection.execute(&format!("{copy} WHERE {span}"), bounds)?;
    let mut moved =
        connection.prepare(&format!("SELECT portal, count(*) FROM done WHERE {span} GROUP BY portal"))?;
    let counts = moved.query_map(bounds, |row| {
        Ok((PortalId(row.get::<_, i64>(0)?.cast_unsigned()), row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    let counts = counts.collect::<rusqlite::Result<_>>()?;
    connection.execute(&format!("DELETE FROM done WHERE {span}"), bounds)?;
    Ok(counts)
}

fn read(id: EventId, body: &str) -> Result<Event, InboxError> {
    let event: Event = serde_json::from_str(body).map_err(|error| {
        // Without the text: it may be the content of an event that we do not know.
        let place = format!("line {}, column {}", error.line(), error.column());
        InboxError::new(InboxErrorKind::Corrupt, format!("event {id} cannot be read: {place}"))
    })?;
    Ok(Event { id, ..event })
}

#[async_trait]
impl JournalStore for SqliteInbox {
    async fn position(&self, journal: &str) -> Result<Option<Position>, InboxError> {
        let journal = journal.to_owned();
        self.line
            .call(0, move |connection| {
                let mut select = connection
                    .prepare_cached("SELECT offset, published, checked FROM position WHERE journal = ?1")?;
                select
                    .query_row([journal], |row| {
                        Ok(Position {
                            offset: row.get::<_, Option<String>>(0)?.map(Offset::new),
                            published_at: row.get::<_, Option<i64>>(1)?.map(time),
                            checked_at: time(row.get(2)?),
                        })
                    })
                    .optional()
            })
            .await
    }

    async fn advance(&self, journal: &str, step: Advance) -> Result<Stored, InboxError> {
        let Advance { events, received, position, gap } = step;
        let journal = journal.to_owned();
        self.insert(events, received, move |connection| {
            connection.prepare_cached("INSERT OR REPLACE INTO position VALUES (?1, ?2, ?3, ?4)")?.execute(
                params![
                    journal,
                    position.offset.as_ref().map(Offset::as_str),
                    position.published_at.map(Timestamp::as_millisecond),
                    position.checked_at.as_millisecond(),
                ],
            )?;
            if let Some(gap) = gap {
                connection
                    .prepare_cached("INSERT INTO gap (journal, since, until, cause) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![
                        journal,
                        gap.from.as_millisecond(),
                        gap.to.as_millisecond(),
                        gap.cause.name()
                    ])?;
            }
            Ok(())
        })
        .await
    }

    async fn gaps(&self) -> Result<Vec<Gap>, InboxError> {
        self.line
            .call(0, |connection| {
                let mut select = connection
                    .prepare_cached("SELECT id, journal, since, until, cause FROM gap ORDER BY id")?;
                let rows = select.query_map([], |row| {
                    Ok(Gap {
                        id: row.get::<_, i64>(0)?.cast_unsigned(),
                        journal: row.get(1)?,
                        from: time(row.get(2)?),
                        to: time(row.get(3)?),
                        cause: GapCause::from_name(&row.get::<_, String>(4)?),
                    })
                })?;
                rows.collect()
            })
            .await
    }

    async fn close_gap(&self, id: u64) -> Result<(), InboxError> {
        self.line
            .call(1, move |connection| {
                connection.execute("DELETE FROM gap WHERE id = ?1", [id.cast_signed()]).map(drop)
            })
            .await
    }
}

fn time(epoch_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(epoch_ms).unwrap_or_default()
}
