//! The embedded store: one SQLite file, write-ahead log, one transaction per transition.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sync_types::{
    ConflictFilter, DeadLetter, DeadLetterFilter, Edge, EdgePlace, EdgeState, ExternalId, HeldConflict,
    Intent, NameId, NameKind, OpId, Pair, PairId, ReadyEdge, RecordId, RunRecord, Sighting, StateStore,
    StoreError, StoreErrorKind, Totals, Transition, Writing,
};

use super::schema::{APPLICATION_ID, MIGRATIONS};
use crate::mutation::{self, Bug};
use codec::{
    CONFLICT, Ident, LETTER, PAIR, edge_number, edge_state, ident, pair_id, read_conflict, read_letter,
    read_pair, read_sighting, verb_of,
};
use error::{classify, corrupt, show};
use write::write;

mod backup;
mod codec;
mod error;
mod write;
mod writings;

/// What a store belongs to. A store opens only for the engagement and portal it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The engagement's name.
    pub engagement: String,
    /// The portal's id.
    pub portal: String,
}

/// A state store in one SQLite file.
pub struct SqliteStore {
    connection: Connection,
    path: Option<PathBuf>,
    key: [u8; 16],
    commits: u64,
}

impl SqliteStore {
    /// Opens the store in this file, or makes it with `fresh_key` as the secret of its fingerprints. The file is
    /// locked until the store is dropped.
    ///
    /// # Errors
    /// [`StoreErrorKind::Locked`] when another process has it, [`StoreErrorKind::Mismatch`] when it belongs to
    /// another engagement or portal or was written by a newer version, [`StoreErrorKind::Corrupt`] when it is
    /// damaged or no store at all. Nothing is changed then.
    pub fn open(path: &Path, binding: &Binding, fresh_key: [u8; 16]) -> Result<SqliteStore, StoreError> {
        // Where it cannot be made, opening it says why.
        let _ = backup::make_private(path);
        let connection = Connection::open(path).map_err(|error| classify(error, Some(path)))?;
        SqliteStore::prepare(connection, Some(path.to_owned()), binding, fresh_key)
    }

    /// A store in memory, gone when dropped: for tests and simulation.
    ///
    /// # Errors
    /// Only if SQLite itself fails.
    pub fn in_memory(binding: &Binding, fresh_key: [u8; 16]) -> Result<SqliteStore, StoreError> {
        let connection = Connection::open_in_memory().map_err(|error| classify(error, None))?;
        SqliteStore::prepare(connection, None, binding, fresh_key)
    }

    fn prepare(
        mut connection: Connection,
        path: Option<PathBuf>,
        binding: &Binding,
        fresh_key: [u8; 16],
    ) -> Result<SqliteStore, StoreError> {
        let place = path.as_deref();
        let fail = |error| classify(error, place);
        connection.set_prepared_statement_cache_capacity(64);
        if !mutation::is(Bug::NoLock) {
            hold(&connection).map_err(fail)?;
        }
        let version = refuse_strange(&connection, place)?;
        if version > 0 {
            let verdict: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fail)?;
            if verdict != "ok" {
                return Err(corrupt(place));
            }
        }
        let transaction = connection.transaction().map_err(fail)?;
        for (done, migration) in MIGRATIONS.iter().enumerate() {
            if i64::try_from(done).is_ok_and(|done| done >= version) {
                transaction.execute_batch(migration).map_err(fail)?;
            }
        }
        let known = MIGRATIONS.len();
        transaction
            .execute_batch(&format!(
                "PRAGMA user_version = {known}; PRAGMA application_id = {APPLICATION_ID}"
            ))
            .map_err(fail)?;
        let key = match binding_of(&transaction).map_err(fail)? {
            None => {
                transaction
                    .execute(
                        "INSERT INTO binding VALUES (?1, ?2, ?3)",
                        params![binding.engagement, binding.portal, fresh_key.as_slice()],
                    )
                    .map_err(fail)?;
                fresh_key
            }
            Some((found, key)) => {
                refuse_other(&found, binding, place)?;
                <[u8; 16]>::try_from(key.as_slice()).map_err(|_| corrupt(place))?
            }
        };
        transaction.commit().map_err(fail)?;
        Ok(SqliteStore { connection, path, key, commits: 0 })
    }

    fn fail(&self, error: rusqlite::Error) -> StoreError {
        classify(error, self.path.as_deref())
    }

    /// One row of `sql` for each id, in order.
    fn each<I: AsRef<str>, T>(
        &self,
        sql: &str,
        link: NameId,
        ids: &[I],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let inner = || -> rusqlite::Result<Vec<Option<T>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            ids.iter()
                .map(|id| statement.query_row(params![link.0, Ident(id.as_ref())], &read).optional())
                .collect()
        };
        inner().map_err(|error| self.fail(error))
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let inner = || -> rusqlite::Result<Vec<T>> {
            self.connection.prepare_cached(sql)?.query_map(params, read)?.collect()
        };
        inner().map_err(|error| self.fail(error))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl StateStore for SqliteStore {
    fn fingerprint_key(&self) -> [u8; 16] {
        self.key
    }

    fn name(&mut self, kind: NameKind, name: &str) -> Result<NameId, StoreError> {
        let kind = match kind {
            NameKind::Link => 0,
            NameKind::EdgeRule => 1,
            NameKind::Property => 2,
        };
        let inner = |connection: &Connection| -> rusqlite::Result<i64> {
            let found = connection
                .prepare_cached("SELECT id FROM name WHERE kind = ?1 AND name = ?2")?
                .query_row(params![kind, name], |row| row.get(0))
                .optional()?;
            match found {
                Some(id) => Ok(id),
                None => {
                    connection
                        .execute("INSERT INTO name (kind, name) VALUES (?1, ?2)", params![kind, name])?;
                    Ok(connection.last_insert_rowid())
                }
            }
        };
        let id = inner(&self.connection).map_err(|error| self.fail(error))?;
        // The top bit of a property's number has another meaning in a pair's bases.
        u16::try_from(id).ok().filter(|id| *id < 0x8000).map(NameId).ok_or_else(|| {
            StoreError::new(
                StoreErrorKind::Io,
                "the state store holds more than 32,767 names: start a new one",
            )
        })
    }

    fn pairs(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<Pair>>, StoreError> {
        self.each(&format!("SELECT {PAIR} FROM pair WHERE link = ?1 AND external = ?2"), link, ids, read_pair)
    }

    fn pairs_by_record(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<Pair>>, StoreError> {
        self.each(&format!("SELECT {PAIR} FROM pair WHERE link = ?1 AND record = ?2"), link, ids, read_pair)
    }

    fn scan_pairs(&self, link: NameId, after: PairId, max: usize) -> Result<Vec<Pair>, StoreError> {
        self.all(
            &format!("SELECT {PAIR} FROM pair WHERE id > ?2 AND link = ?1 ORDER BY id LIMIT ?3"),
            params![link.0, after.0.cast_signed(), max as i64],
            read_pair,
        )
    }

    fn last_pair(&self) -> Result<PairId, StoreError> {
        self.connection
            .query_row("SELECT coalesce(max(id), 0) FROM pair", [], |row| pair_id(row, 0))
            .map_err(|error| self.fail(error))
    }

    fn edges_of(&self, pairs: &[PairId]) -> Result<Vec<Vec<Edge>>, StoreError> {
        pairs
            .iter()
            .map(|pair| {
                self.all(
                    "SELECT rule, far, state FROM edge WHERE pair = ?1",
                    params![pair.0.cast_signed()],
                    |row| {
                        Ok(Edge {
                            rule: NameId(row.get(0)?),
                            to: ident(row, 1)?.into(),
                            state: edge_state(row, 2)?,
                        })
                    },
                )
            })
            .collect()
    }

    fn ready_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        state: EdgeState,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<ReadyEdge>, StoreError> {
        self.all(
            "SELECT e.pair, e.far, f.record, t.record FROM edge e
             JOIN pair f ON f.id = e.pair
             JOIN pair t ON t.link = ?2 AND t.external = e.far
             WHERE e.rule = ?1 AND e.state = ?3 AND e.state <> 1 AND (e.pair, e.far) > (?4, ?5)
               AND f.record IS NOT NULL AND t.record IS NOT NULL
             ORDER BY e.pair, e.far LIMIT ?6",
            params![
                rule.0,
                to_link.0,
                edge_number(state),
                after.map_or(-1, |place| place.from.0.cast_signed()),
                Ident(after.map_or("", |place| place.to.as_str())),
                max as i64
            ],
            |row| {
                Ok(ReadyEdge {
                    place: EdgePlace { from: pair_id(row, 0)?, to: ident(row, 1)?.into() },
                    from: ident(row, 2)?.into(),
                    to: ident(row, 3)?.into(),
                })
            },
        )
    }

    fn waiting_edges(
        &self,
        rule: NameId,
        to_link: NameId,
        after: Option<&EdgePlace>,
        max: usize,
    ) -> Result<Vec<(EdgePlace, ExternalId)>, StoreError> {
        self.all(
            "SELECT e.pair, e.far, f.external FROM edge e
             JOIN pair f ON f.id = e.pair
             LEFT JOIN pair t ON t.link = ?2 AND t.external = e.far AND t.record IS NOT NULL
             WHERE e.rule = ?1 AND e.state = 0 AND e.state <> 1 AND (e.pair, e.far) > (?3, ?4) AND t.id IS NULL
             ORDER BY e.pair, e.far LIMIT ?5",
            params![
                rule.0,
                to_link.0,
                after.map_or(-1, |place| place.from.0.cast_signed()),
                Ident(after.map_or("", |place| place.to.as_str())),
                max as i64
            ],
            |row| {
                Ok((EdgePlace { from: pair_id(row, 0)?, to: ident(row, 1)?.into() }, ident(row, 2)?.into()))
            },
        )
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        let place = self.path.clone();
        let rows =
            self.all("SELECT op, verb, subject, sent_at, rows FROM intent ORDER BY op", [], |row| {
                Ok((
                    OpId(row.get::<_, i64>(0)?.cast_unsigned()),
                    row.get::<_, i64>(1)?,
                    NameId(row.get(2)?),
                    row.get::<_, i64>(3)?,
                    row.get::<_, String>(4)?,
                ))
            })?;
        rows.into_iter()
            .map(|(op, verb, subject, sent_at, rows)| {
                Ok(Intent {
                    op,
                    verb: verb_of(verb).ok_or_else(|| corrupt(place.as_deref()))?,
                    subject,
                    sent_at: Timestamp::from_millisecond(sent_at).unwrap_or(Timestamp::UNIX_EPOCH),
                    rows: serde_json::from_str(&rows).map_err(|_| corrupt(place.as_deref()))?,
                })
            })
            .collect()
    }

    fn parked(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Option<DeadLetter>>, StoreError> {
        self.each(
            &format!("SELECT {LETTER} FROM dead_letter WHERE link = ?1 AND external = ?2"),
            link,
            ids,
            read_letter,
        )
    }

    fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        self.all(
            &format!(
                "SELECT {LETTER} FROM dead_letter
                 WHERE (?1 IS NULL OR link = ?1) AND (?2 IS NULL OR cause = ?2) AND (?3 IS NULL OR external = ?3)
                 ORDER BY first_run, link, external LIMIT ?4"
            ),
            params![
                filter.link.map(|link| link.0),
                filter.cause,
                filter.external.as_ref().map(|id| Ident(id.as_str())),
                if filter.max == 0 { -1 } else { filter.max as i64 }
            ],
            read_letter,
        )
    }

    fn conflicts(&self, filter: &ConflictFilter) -> Result<Vec<HeldConflict>, StoreError> {
        self.all(
            &format!(
                "SELECT {CONFLICT} FROM conflict
                 WHERE (?1 IS NULL OR link = ?1) AND (?2 IS NULL OR cause = ?2) AND (?3 IS NULL OR external = ?3)
                   AND (settled <> '') = ?4
                 ORDER BY run, link, external, property LIMIT ?5"
            ),
            params![
                filter.link.map(|link| link.0),
                filter.cause,
                filter.external.as_ref().map(|id| Ident(id.as_str())),
                filter.settled,
                if filter.max == 0 { -1 } else { filter.max as i64 }
            ],
            read_conflict,
        )
    }

    fn conflicts_of(&self, link: NameId, ids: &[ExternalId]) -> Result<Vec<Vec<HeldConflict>>, StoreError> {
        ids.iter()
            .map(|id| {
                self.all(
                    &format!(
                        "SELECT {CONFLICT} FROM conflict WHERE link = ?1 AND external = ?2 AND settled = ''"
                    ),
                    params![link.0, Ident(id.as_str())],
                    read_conflict,
                )
            })
            .collect()
    }

    fn sighted(&self, link: NameId, max: usize) -> Result<Vec<Sighting>, StoreError> {
        self.all(
            "SELECT record, kind, into_record FROM sighting WHERE link = ?1 ORDER BY seq LIMIT ?2",
            params![link.0, max as i64],
            read_sighting,
        )
    }

    fn survivors(&self, link: NameId, ids: &[RecordId]) -> Result<Vec<Option<RecordId>>, StoreError> {
        self.each("SELECT into_record FROM merged WHERE link = ?1 AND record = ?2", link, ids, |row| {
            Ok(ident(row, 0)?.into())
        })
    }

    fn dirty(&self, link: NameId, max: usize) -> Result<Vec<ExternalId>, StoreError> {
        self.all(
            "SELECT external FROM dirty WHERE link = ?1 ORDER BY seq LIMIT ?2",
            params![link.0, max as i64],
            |row| Ok(ident(row, 0)?.into()),
        )
    }

    fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .prepare_cached("SELECT position FROM cursor WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(|error| self.fail(error))
    }

    fn runs(&self, max: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.all(
            "SELECT run, started, ended, report FROM run ORDER BY run DESC LIMIT ?1",
            params![max as i64],
            |row| {
                let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
                Ok(RunRecord {
                    run: row.get::<_, i64>(0)?.cast_unsigned(),
                    started: at(row.get(1)?),
                    ended: row.get::<_, Option<i64>>(2)?.map(at),
                    report: row.get(3)?,
                })
            },
        )
    }

    fn writings(&self, from_run: u64, after: OpId, max: usize) -> Result<Vec<Writing>, StoreError> {
        let found = self.all(
            "SELECT op, run, verb, subject, at, rows FROM writing WHERE op > ?2 AND run >= ?1 ORDER BY op LIMIT ?3",
            params![from_run.cast_signed(), after.0.cast_signed(), max as i64],
            writings::read,
        )?;
        found.into_iter().map(|read| read.ok_or_else(|| corrupt(self.path.as_deref()))).collect()
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let count = |row: &Row<'_>, index| Ok(row.get::<_, i64>(index)?.cast_unsigned());
        let one = |sql: &str| {
            self.connection.query_row(sql, [], |row| count(row, 0)).map_err(|error| self.fail(error))
        };
        Ok(Totals {
            pairs: self.all(
                "SELECT link, count(*) FROM pair WHERE record IS NOT NULL GROUP BY link ORDER BY link",
                [],
                |row| Ok((NameId(row.get(0)?), count(row, 1)?)),
            )?,
            edges: self.all(
                "SELECT rule, state, count(*) FROM edge GROUP BY rule, state ORDER BY rule, state",
                [],
                |row| Ok((NameId(row.get(0)?), edge_state(row, 1)?, count(row, 2)?)),
            )?,
            dead_letters: self.all(
                "SELECT link, cause, count(*) FROM dead_letter GROUP BY link, cause ORDER BY link, cause",
                [],
                |row| Ok((NameId(row.get(0)?), row.get(1)?, count(row, 2)?)),
            )?,
            open_intents: one("SELECT count(*) FROM intent")?,
            dirty: one("SELECT count(*) FROM dirty")?,
            conflicts: self.all(
                "SELECT link, cause, count(*) FROM conflict WHERE settled = ''
                 GROUP BY link, cause ORDER BY link, cause",
                [],
                |row| Ok((NameId(row.get(0)?), row.get(1)?, count(row, 2)?)),
            )?,
            sighted: one("SELECT count(*) FROM sighting")?,
            commits: self.commits,
            bytes: one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")?,
        })
    }

    fn commit(&mut self, transition: &Transition) -> Result<(), StoreError> {
        if transition.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        write(&mut self.connection, transition).map_err(|error| classify(error, path.as_deref()))?;
        self.commits += 1;
        Ok(())
    }
}

/// Takes the file for this process alone.
fn hold(connection: &Connection) -> rusqlite::Result<()> {
    // A store that is held is held for a whole run: waiting for it would only look like a hang.
    connection.busy_timeout(Duration::from_millis(200))?;
    // EXCLUSIVE keeps a second process out for as long as this one lives, and needs no shared memory file.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;",
    )
}

/// The version of the tables, 0 of an empty file; refuses what is no state store or a newer one's.
fn refuse_strange(connection: &Connection, place: Option<&Path>) -> Result<i64, StoreError> {
    let fail = |error| classify(error, place);
    let version: i64 = pragma(connection, "user_version").map_err(fail)?;
    let application: i64 = pragma(connection, "application_id").map_err(fail)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    if tables > 0 && application != i64::from(APPLICATION_ID) {
        return Err(StoreError::new(
            StoreErrorKind::Corrupt,
            format!(
                "{} is an SQLite file but not a state store of this kit: name another state file",
                show(place)
            ),
        ));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(StoreError::new(
            StoreErrorKind::Mismatch,
            format!(
                "{} was written by a newer version (schema {version}, this one knows {known}): update this program",
                show(place)
            ),
        ));
    }
    Ok(version)
}

/// What a store belongs to, and the key of its fingerprints.
fn binding_of(connection: &Connection) -> rusqlite::Result<Option<(Binding, Vec<u8>)>> {
    connection
        .query_row("SELECT engagement, portal, key FROM binding", [], |row| {
            Ok((Binding { engagement: row.get(0)?, portal: row.get(1)? }, row.get(2)?))
        })
        .optional()
}

fn refuse_other(found: &Binding, asked: &Binding, place: Option<&Path>) -> Result<(), StoreError> {
    if found == asked {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Mismatch,
        format!(
            "{} belongs to engagement `{}` in portal {}, not to `{}` in portal {}: name that engagement's own state \
             file, or a new one",
            show(place),
            found.engagement,
            found.portal,
            asked.engagement,
            asked.portal
        ),
    ))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}
