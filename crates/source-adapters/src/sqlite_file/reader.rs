//! The SQLite file as a [`Source`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, Statement, params_from_iter};
use sync_types::{
    Abilities, BadRecord, Collection, ExternalId, Page, PageToken, PropertyKind, ReadCost, ReadRequest,
    Record, ScanPromise, Schema, Shape, Source, SourceError, SourceWriter,
};

use super::config::{CollectionConfig, SqliteConfig};
use super::error;
use super::rows::{Columns, forms_of, key_of, kind_of, token_of};
use super::schema;
use super::writer::CREATIONS;

/// The token of the place before the first key, behind the rows that have none.
const FIRST_KEY: &str = "first";

/// A SQLite file: read, and written if its settings allow it.
///
/// Columns declared as `BLOB` are left out of a table's collection. Rows that share a key are all refused, since
/// nobody knows which one is meant; reading such a key by id gives the first of them. A collection whose key has no
/// index is sorted anew for every page: index it, or choose another key.
#[derive(Debug)]
pub struct SqliteFile {
    pub(super) config: SqliteConfig,
    connection: Mutex<Connection>,
    /// Another connection, for writing alone.
    pub(super) writing: Option<Mutex<Connection>>,
    /// What was found out about collections.
    known: Mutex<HashMap<String, Arc<Columns>>>,
}

impl SqliteFile {
    /// Opens the file for reading, and for writing if [`SqliteConfig::write`] says so. It must be there already.
    ///
    /// # Errors
    /// The file is not there, may not be read or is no database, or a collection's settings contradict each other.
    pub fn open(config: SqliteConfig) -> Result<SqliteFile, SourceError> {
        let place = config.path.display().to_string();
        for (name, collection) in &config.collections {
            if collection.query.is_some() && (collection.table.is_some() || collection.key.is_none()) {
                return Err(error::structure(
                    &format!("collection `{name}`"),
                    "a `query` needs a `key` and goes without a `table`",
                    "set `key` to the column that identifies a row, and remove `table`",
                ));
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&config.path, flags)?;
            connection.busy_timeout(Duration::from_millis(config.busy_wait_ms))?;
            // Opening alone does not look into the file.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        // First the one that may write: what a program left behind that was cut off in a write, perhaps this one, only a
        // writer can take back.
        let writing = if config.write {
            let writing = open_to_write(&config).map_err(|cause| error::refused(&place, cause))?;
            Some(Mutex::new(writing))
        } else {
            None
        };
        let connection = open().map_err(|cause| error::refused(&place, cause))?;
        let known = Mutex::new(HashMap::new());
        Ok(SqliteFile { config, connection: Mutex::new(connection), writing, known })
    }

    /// A poisoned lock is harmless: the connection is read only and no statement outlives its call.
    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, collection: &str) -> String {
        let file = self.config.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        format!("{file} collection `{collection}`")
    }

    /// Every collection: those of the settings, and tables with a primary key of one column.
    fn collections(&self, connection: &Connection) -> Result<Vec<String>, SourceError> {
        let mut names: Vec<String> = self.config.collections.keys().cloned().collect();
        let tables = list_tables(connection).map_err(|cause| error::refused(&self.place("*"), cause))?;
        for table in tables {
            let named = self.config.collections.values().any(|config| config.table.as_ref() == Some(&table));
            if named || names.contains(&table) {
                continue;
            }
            let key = primary_key(connection, &table)
                .map_err(|cause| error::refused(&self.place(&table), cause))?;
            if key.len() == 1 {
                names.push(table);
            }
        }
        names.sort();
        Ok(names)
    }

    pub(super) fn columns(
        &self,
        connection: &Connection,
        collection: &str,
    ) -> Result<Arc<Columns>, SourceError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(collection).cloned();
        if let Some(columns) = known {
            return Ok(columns);
        }
        let columns = Arc::new(self.find_columns(connection, collection)?);
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(collection.to_owned(), columns.clone());
        Ok(columns)
    }

    fn find_columns(&self, connection: &Connection, collection: &str) -> Result<Columns, SourceError> {
        let place = self.place(collection);
        let refused = |cause| error::refused(&place, cause);
        let config = self.config.collections.get(collection).cloned().unwrap_or_default();
        let CollectionConfig { query, table, key } = config;
        let table = table.unwrap_or_else(|| collection.to_owned());
        let (relation, primary) = match &query {
            Some(query) => (format!("({})", query.trim().trim_end_matches(';')), Vec::new()),
            None => {
                let tables = list_tables(connection).map_err(refused)?;
                if !tables.contains(&table) {
                    let known = self.collections(connection)?;
                    return Err(error::no_such_collection(&self.config.path, &table, &known));
                }
                (quoted(&table), primary_key(connection, &table).map_err(refused)?)
            }
        };
        let probe = format!("SELECT * FROM {relation} LIMIT 0");
        let statement = connection.prepare(&probe).map_err(refused)?;
        let kept = statement.columns().filter_map(|column| {
            let declared = column.decl_type();
            let blob = declared.is_some_and(|kind| kind.to_ascii_uppercase().contains("BLOB"));
            (!blob).then(|| (column.name().to_owned(), kind_of(declared)))
        });
        let kept: Vec<(String, PropertyKind)> = kept.collect();
        let wanted = match (key, primary.as_slice()) {
            (Some(key), _) => key,
            (None, [key]) => key.clone(),
            (None, _) => {
                return Err(error::structure(
                    &place,
                    "the table has no primary key of one column",
                    "set `key` to the column that identifies a row",
                ));
            }
        };
        let Some(key) = kept.iter().position(|(name, _)| *name == wanted) else {
            let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
            let reason = format!("there is no key column `{wanted}` among `{}`", names.join("`, `"));
            return Err(error::structure(&place, &reason, "set `key` to the column that identifies a row"));
        };
        let (names, kinds): (Vec<String>, Vec<PropertyKind>) = kept.into_iter().unzip();
        let table = if query.is_some() { String::new() } else { table };
        Ok(Columns { place, shape: Shape::new(names), kinds, key, key_name: wanted, relation, table })
    }

    fn page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let connection = self.connection();
        let columns = self.columns(&connection, request.collection.as_str())?;
        let refused = |cause| error::refused(&columns.place, cause);
        let mut page = Page::default();
        let after = match &request.after {
            Some(token) if token.0 == FIRST_KEY => None,
            Some(token) => Some(key_of(token).ok_or_else(|| error::stale(&columns.place))?),
            None => {
                page.records.extend(rows_without_key(&connection, &columns).map_err(refused)?.map(Err));
                None
            }
        };
        let mut statement = select(&connection, &columns, after.is_some()).map_err(refused)?;
        let mut rows = statement.query(params_from_iter(after)).map_err(refused)?;
        let mut last: Option<rusqlite::types::Value> = None;
        let mut token = Some(PageToken(FIRST_KEY.to_owned()));
        while let Some(row) = rows.next().map_err(refused)? {
            let key = row.get_ref(columns.key).map_err(refused)?;
            let same = last.as_ref().is_some_and(|last| rusqlite::types::ValueRef::from(last) == key);
            if same {
                // The record before has the same key: neither can be used.
                if let Some(slot @ Ok(_)) = page.records.last_mut() {
                    *slot = Err(duplicate(&columns, slot));
                }
                continue;
            }
            if page.records.len() >= request.max.max(1) {
                page.next = token;
                return Ok(page);
            }
            last = key.try_into().ok();
            token = token_of(key);
            page.records.push(columns.record(row));
        }
        Ok(page)
    }

    fn by_ids(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let connection = self.connection();
        let columns = self.columns(&connection, collection.as_str())?;
        let refused = |cause| error::refused(&columns.place, cause);
        let key = quoted(&columns.key_name);
        let list = column_list(&columns);
        let same = format!("{key} = ?1 COLLATE BINARY OR {key} = ?2 COLLATE BINARY");
        let sql = format!("SELECT {list} FROM {} WHERE {same} LIMIT 1", columns.relation);
        let mut statement = connection.prepare_cached(&sql).map_err(refused)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let (number, text) = forms_of(id);
            let mut rows = statement.query([number, text]).map_err(refused)?;
            let record = rows.next().map_err(refused)?.and_then(|row| columns.record(row).ok());
            // A number may match a text that writes it in another way.
            found.push(record.filter(|record| record.id() == id));
        }
        Ok(found)
    }
}

/// A connection that keeps the foreign keys that the file declares, which SQLite does only when asked.
fn open_to_write(config: &SqliteConfig) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&config.path, flags)?;
    connection.busy_timeout(Duration::from_millis(config.busy_wait_ms))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Rows behind a key, in key order. Keys are compared byte by byte whatever collation the column has, so that two
/// keys that only differ in case are two records.
fn select<'c>(
    connection: &'c Connection,
    columns: &Columns,
    after: bool,
) -> rusqlite::Result<rusqlite::CachedStatement<'c>> {
    let key = quoted(&columns.key_name);
    let list = column_list(columns);
    let relation = &columns.relation;
    let condition = if after { format!("{key} > ?1 COLLATE BINARY") } else { format!("{key} IS NOT NULL") };
    let sql = format!("SELECT {list} FROM {relation} WHERE {condition} ORDER BY {key} COLLATE BINARY");
    connection.prepare_cached(&sql)
}

pub(super) fn column_list(columns: &Columns) -> String {
    let names: Vec<String> = columns.shape.names().iter().map(|name| quoted(name)).collect();
    names.join(", ")
}

/// Rows whose key is null, as one bad record: they cannot be told apart.
fn rows_without_key(connection: &Connection, columns: &Columns) -> rusqlite::Result<Option<BadRecord>> {
    let sql =
        format!("SELECT count(*) FROM {} WHERE {} IS NULL", columns.relation, quoted(&columns.key_name));
    let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok((count > 0).then(|| {
        let reason = format!("{count} rows have no key in `{}`", columns.key_name);
        columns.bad("missing-key", None, "null", reason, "give every row a key of its own")
    }))
}

fn duplicate(columns: &Columns, slot: &Result<Record, BadRecord>) -> BadRecord {
    let id = slot.as_ref().ok().map(|record| record.id().clone());
    let key = id.as_ref().map_or_else(String::new, ToString::to_string);
    let reason = format!("several rows have this key in `{}`, so none of them is used", columns.key_name);
    columns.bad("duplicate-key", id, &key, reason, "give every row a key of its own, or correct the query")
}

/// Tables and views, without those of SQLite and of this adapter.
fn list_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut names = collect_names(&mut connection.prepare(sql)?, [])?;
    names.retain(|name| name != CREATIONS);
    Ok(names)
}

fn primary_key(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    collect_names(&mut connection.prepare(sql)?, [table])
}

fn collect_names(
    statement: &mut Statement<'_>,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<String>> {
    statement.query_map(params, |row| row.get(0))?.collect()
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[async_trait]
impl Source for SqliteFile {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let connection = self.connection();
        let names = self.collections(&connection)?;
        names
            .into_iter()
            .map(|name| {
                let columns = self.columns(&connection, &name)?;
                let properties = schema::properties(&connection, &columns)
                    .map_err(|cause| error::refused(&columns.place, cause))?;
                Ok(Schema { name, properties })
            })
            .collect()
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        self.page(request)
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        self.by_ids(collection, ids)
    }

    fn abilities(&self, _collection: &Collection) -> Abilities {
        Abilities { scan: ScanPromise::Steady, read: ReadCost::Keyed, changes: None }
    }

    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        self.writing.is_some().then_some(self as Arc<dyn SourceWriter>)
    }
}
