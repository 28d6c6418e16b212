//! The PostgreSQL database as a [`Source`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sync_types::{
    Abilities, BadRecord, ChangesPage, ChangesPromise, ChangesRequest, Collection, ExternalId, Page,
    PageToken, ReadCost, ReadRequest, Record, ScanPromise, Schema, Source, SourceError, SourceWriter,
};
use tokio_postgres::error::SqlState;

use super::catalog;
use super::config::{Changes, PostgresConfig};
use super::error;
use super::rows::{Columns, Form, quoted};
use super::session::Sessions;

/// Rows of one page at most, whatever is asked: each is held in memory.
const PAGE_MAX: usize = 10_000;

/// What stands before the last key in a page token.
const AFTER: &str = "after ";

/// The token of the place before the first key, behind the rows that have none.
const FIRST: &str = "first";

/// A PostgreSQL database, version 13 or later: read, and written if its settings allow it.
///
/// Binary columns (`bytea`) are left out. Rows of a query or view that share a key are all refused, since nobody knows
/// which one is meant. Sessions are made when they are needed, and made anew when they were lost.
#[derive(Debug)]
pub struct Postgres {
    pub(super) config: PostgresConfig,
    pub(super) reading: Sessions,
    pub(super) writing: Option<Sessions>,
    /// What was found out about collections.
    known: Mutex<HashMap<String, Arc<Columns>>>,
}

impl Postgres {
    /// Looks at the settings; the database is reached when it is first asked.
    ///
    /// # Errors
    /// The address cannot be understood, the certificate file cannot be read, or a collection's settings contradict
    /// each other.
    pub fn new(config: PostgresConfig) -> Result<Postgres, SourceError> {
        for (name, said) in &config.collections {
            let place = format!("collection `{name}`");
            if said.query.is_some() && (said.table.is_some() || said.key.is_none()) {
                let remedy = "set `key` to the column that identifies a row, and remove `table`";
                return Err(error::structure(
                    &place,
                    "a `query` needs a `key` and goes without a `table`",
                    remedy,
                ));
            }
            if said.query.is_some() && matches!(said.changes, Some(Changes::Rows | Changes::Outbox { .. })) {
                let remedy = "tell changes by a `modified` column, or not at all";
                return Err(error::structure(
                    &place,
                    "only tables know which transaction wrote a row",
                    remedy,
                ));
            }
        }
        let reading = Sessions::new(&config, false)?;
        let writing = if config.write { Some(Sessions::new(&config, true)?) } else { None };
        Ok(Postgres { config, reading, writing, known: Mutex::new(HashMap::new()) })
    }

    pub(super) async fn columns(&self, collection: &str) -> Result<Arc<Columns>, SourceError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(collection).cloned();
        if let Some(columns) = known {
            return Ok(columns);
        }
        let columns = Arc::new(catalog::find(&self.config, &self.reading, collection).await?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(collection.to_owned(), Arc::clone(&columns));
        Ok(columns)
    }

    /// The error of a statement about a collection. A table that has changed is looked at anew the next time.
    pub(super) fn refused(
        &self,
        collection: &str,
        columns: &Columns,
        cause: tokio_postgres::Error,
    ) -> SourceError {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(collection);
        error::refused(&columns.place, cause)
    }

    async fn page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let collection = request.collection.as_str();
        let columns = self.columns(collection).await?;
        let refused = |cause| self.refused(collection, &columns, cause);
        let max = request.max.clamp(1, PAGE_MAX);
        let mut page = Page::default();
        let after = match request.after.as_ref().map(|token| token.0.as_str()) {
            None => {
                if !columns.is_keyed {
                    page.records.extend(self.without_key(&columns).await.map_err(refused)?.map(Err));
                }
                None
            }
            Some(FIRST) => None,
            Some(token) => Some(token.strip_prefix(AFTER).ok_or_else(|| error::stale(&columns.place))?),
        };
        let room = max - page.records.len();
        if room == 0 {
            page.next = Some(PageToken(FIRST.to_owned()));
            return Ok(page);
        }
        let key = Key::of(&columns);
        let condition = match after {
            None => format!("{} IS NOT NULL", quoted(columns.key_name())),
            Some(_) => format!("{} > {}", key.sorted, key.parameter(1)),
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE ({}) AND {condition} ORDER BY {} LIMIT {}",
            columns.list(),
            columns.relation,
            columns.live,
            key.sorted,
            // One more tells whether the last one has a twin, and whether there is another page.
            room + 1
        );
        let rows = match after {
            None => self.reading.query(&sql, &[]).await.map_err(refused)?,
            Some(after) => match self.reading.query(&sql, &[&after]).await {
                Err(cause) if is_bad_value(&cause) => return Err(error::stale(&columns.place)),
                other => other.map_err(refused)?,
            },
        };
        let mut last: Option<&str> = None;
        for row in &rows {
            let key = columns.key_of(row);
            if last.is_some() && key == last {
                // The record before has the same key: neither can be used.
                if let Some(slot @ Ok(_)) = page.records.last_mut() {
                    *slot = Err(duplicate(&columns, key.unwrap_or_default()));
                }
                continue;
            }
            if page.records.len() >= max {
                break;
            }
            last = key;
            page.records.push(columns.record(row));
        }
        if rows.len() > room {
            page.next = last.map(|key| PageToken(format!("{AFTER}{key}")));
        }
        Ok(page)
    }

    /// Rows whose key is null, as one bad record: they cannot be told apart.
    async fn without_key(&self, columns: &Columns) -> Result<Option<BadRecord>, tokio_postgres::Error> {
        let (key, relation, live) = (quoted(columns.key_name()), &columns.relation, &columns.live);
        let sql = format!("SELECT count(*)::text FROM {relation} WHERE ({live}) AND {key} IS NULL");
        let rows = self.reading.query(&sql, &[]).await?;
        let count = rows.first().map_or("0", |row| catalog::text(row, 0));
        Ok((count != "0").then(|| {
            let reason = format!("{count} rows have no key in `{}`", columns.key_name());
            columns.bad("missing-key", None, reason, "give every row a key of its own")
        }))
    }

    async fn by_ids(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let columns = self.columns(collection.as_str()).await?;
        let key = Key::of(&columns);
        let asked: Vec<&str> = ids.iter().map(ExternalId::as_str).filter(|id| key.may_be(id)).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE ({}) AND {} = ANY({})",
            columns.list(),
            columns.relation,
            columns.live,
            key.compared,
            key.parameters
        );
        let rows = self.reading.query(&sql, &[&asked]).await;
        let rows = rows.map_err(|cause| self.refused(collection.as_str(), &columns, cause))?;
        let mut found: HashMap<ExternalId, Record> = HashMap::with_capacity(rows.len());
        for record in rows.iter().filter_map(|row| columns.record(row).ok()) {
            found.entry(record.id().clone()).or_insert(record);
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}

/// Whether the server could not make the key's type of a text.
pub(super) fn is_bad_value(cause: &tokio_postgres::Error) -> bool {
    cause.code().is_some_and(|code| code.code().starts_with("22") && *code != SqlState::DIVISION_BY_ZERO)
}

fn duplicate(columns: &Columns, key: &str) -> BadRecord {
    let reason = format!("several rows have this key in `{}`, so none of them is used", columns.key_name());
    let remedy = "give every row a key of its own, or correct the query";
    columns.bad("duplicate-key", Some(key.into()), reason, remedy)
}

/// How a collection's key is sorted and compared, in SQL.
pub(super) struct Key {
    /// What rows are sorted by: different for different keys, whatever collation the column has.
    pub(super) sorted: String,
    cast: String,
    compared: String,
    parameters: &'static str,
    family: Family,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Whole,
    Text,
    Uuid,
    Other,
}

impl Key {
    pub(super) fn of(columns: &Columns) -> Key {
        // With the relation's name: alone, PostgreSQL takes it in ORDER BY for the column of the result, which is text.
        let name = format!("t.{}", quoted(columns.key_name()));
        let (form, of) =
            columns.key_column().map_or((Form::Text, ""), |key| (key.form, key.sql_type.as_str()));
        let is = |names: &[&str]| names.iter().any(|name| of == format!("\"pg_catalog\".\"{name}\""));
        let family = match form {
            Form::Number if is(&["int2", "int4", "int8"]) => Family::Whole,
            Form::Text if is(&["text", "varchar"]) => Family::Text,
            Form::Text if is(&["uuid"]) => Family::Uuid,
            _ => Family::Other,
        };
        let as_text = format!("{name}::text");
        // What is unique by the table's own index follows that index; else two keys that the collation takes for the
        // same, such as in another case, would hide one another at a page border.
        let (sorted, cast) = if columns.is_keyed || family == Family::Whole || family == Family::Uuid {
            (name.clone(), of.to_owned())
        } else {
            (format!("{as_text} COLLATE \"C\""), String::from("text"))
        };
        let (compared, parameters) = match family {
            Family::Whole => (name, "$1::text[]::int8[]"),
            Family::Uuid => (name, "$1::text[]::uuid[]"),
            Family::Text => (name, "$1::text[]"),
            Family::Other => (as_text, "$1::text[]"),
        };
        Key { sorted, cast, compared, parameters, family }
    }

    /// A parameter of text as the key's type.
    pub(super) fn parameter(&self, place: usize) -> String {
        format!("${place}::text::{}", self.cast)
    }

    /// Whether an id can be a key at all, so that asking for it is no error.
    fn may_be(&self, id: &str) -> bool {
        match self.family {
            Family::Whole => id.parse::<i64>().is_ok_and(|number| number.to_string() == id),
            Family::Uuid => {
                let is_dash = |place| matches!(place, 8 | 13 | 18 | 23);
                id.len() == 36
                    && id.bytes().enumerate().all(|(place, byte)| match byte {
                        b'-' => is_dash(place),
                        b'0'..=b'9' | b'a'..=b'f' => !is_dash(place),
                        _ => false,
                    })
            }
            Family::Text | Family::Other => !id.contains('\0'),
        }
    }
}

#[async_trait]
impl Source for Postgres {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let mut schemas = Vec::new();
        for name in catalog::collections(&self.config, &self.reading).await? {
            let columns = self.columns(&name).await?;
            schemas.push(Schema { name, properties: catalog::properties(&columns) });
        }
        Ok(schemas)
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        self.page(request).await
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        self.by_ids(collection, ids).await
    }

    fn abilities(&self, collection: &Collection) -> Abilities {
        let said = self.config.collections.get(collection.as_str()).and_then(|said| said.changes.as_ref());
        let changes =
            said.map(|changes| ChangesPromise { deletes: matches!(changes, Changes::Outbox { .. }) });
        Abilities { scan: ScanPromise::Steady, read: ReadCost::Keyed, changes }
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        self.changes_page(request).await
    }

    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        self.writing.is_some().then_some(self as Arc<dyn SourceWriter>)
    }
}
