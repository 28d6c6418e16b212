//! A source in memory, edited by the test.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sync_types::{
    Abilities, BadRecord, ChangeCursor, ChangesPage, ChangesPromise, ChangesRequest, Collection, ExternalId,
    LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, Page, PageToken, Property, PropertyKind, ReadCost,
    ReadRequest, Record, Rejection, ScanPromise, Schema, Shape, Source, SourceChange, SourceError,
    SourceErrorKind, SourceWriter, Value,
};

/// What stands before the last id in a page token, and before the count of changes in a cursor.
const AFTER: &str = "after ";

/// A source whose collections a test fills and edits. Pages run in id order; every ability is declared and kept, unless
/// the test takes one away.
#[derive(Default)]
pub struct MemorySource {
    collections: Mutex<BTreeMap<String, Table>>,
    calls: Mutex<SourceCalls>,
    promise: Mutex<Option<Option<ChangesPromise>>>,
}

/// What a source was asked for so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCalls {
    /// Pages of scans.
    pub pages: u64,
    /// Reads by id.
    pub reads: u64,
    /// Requests for changes.
    pub changes: u64,
    /// Batches that were written.
    pub writes: u64,
}

impl SourceCalls {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.pages + self.reads + self.changes + self.writes
    }

    /// What has come since.
    #[must_use]
    pub fn since(&self, before: SourceCalls) -> SourceCalls {
        SourceCalls {
            pages: self.pages.saturating_sub(before.pages),
            reads: self.reads.saturating_sub(before.reads),
            changes: self.changes.saturating_sub(before.changes),
            writes: self.writes.saturating_sub(before.writes),
        }
    }
}

struct Table {
    shape: Arc<Shape>,
    rows: BTreeMap<String, Vec<Value>>,
    bad: Vec<BadRecord>,
    /// The record that each creation made.
    made: BTreeMap<String, String>,
    last_made: u64,
    /// Every change there was, unless nobody was to be told.
    changes: Vec<SourceChange>,
    is_silent: bool,
    /// So many of the changes are forgotten: who asks for them is told so.
    forgotten: usize,
}

impl MemorySource {
    /// A source without collections.
    #[must_use]
    pub fn new() -> MemorySource {
        MemorySource::default()
    }

    /// Adds an empty collection with these properties.
    pub fn collection(&self, name: &str, properties: &[&str]) {
        let table = Table {
            shape: Shape::new(properties.iter().copied()),
            rows: BTreeMap::new(),
            bad: Vec::new(),
            made: BTreeMap::new(),
            last_made: 0,
            changes: Vec::new(),
            is_silent: false,
            forgotten: 0,
        };
        self.tables().insert(name.to_owned(), table);
    }

    /// Inserts or replaces a record. Of an unknown collection, nothing happens.
    pub fn put(&self, collection: &str, id: &str, values: Vec<Value>) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.rows.insert(id.to_owned(), values);
            table.note(id, false);
        }
    }

    /// Removes a record.
    pub fn remove(&self, collection: &str, id: &str) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.rows.remove(id);
            table.note(id, true);
        }
    }

    /// Adds a row that cannot be read, at the head of every scan.
    pub fn spoil(&self, collection: &str, bad: BadRecord) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.bad.push(bad);
        }
    }

    /// A record's values now, by the names of the collection; `None`: there is no such record.
    #[must_use]
    pub fn get(&self, collection: &str, id: &str) -> Option<Vec<Value>> {
        self.tables().get(collection)?.rows.get(id).cloned()
    }

    /// Sets one property of a record that is there.
    pub fn set(&self, collection: &str, id: &str, property: &str, value: impl Into<Value>) {
        if let Some(table) = self.tables().get_mut(collection)
            && let Some(place) = table.shape.place(property)
            && let Some(slot) = table.rows.get_mut(id).and_then(|row| row.get_mut(place))
        {
            *slot = value.into();
            table.note(id, false);
        }
    }

    /// What it promises to tell of changes from now on; `None`: it cannot be asked.
    pub fn promise(&self, changes: Option<ChangesPromise>) {
        *self.promise.lock().unwrap_or_else(PoisonError::into_inner) = Some(changes);
    }

    /// Whether changes of a collection are kept to itself from now on, which breaks its promise.
    pub fn silence(&self, collection: &str, is_silent: bool) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.is_silent = is_silent;
        }
    }

    /// Forgets the changes that there were: every older place in them is stale.
    pub fn forget_changes(&self, collection: &str) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.note("", false);
            table.forgotten = table.changes.len();
        }
    }

    /// What it was asked for so far.
    #[must_use]
    pub fn calls(&self) -> SourceCalls {
        *self.counted()
    }

    fn counted(&self) -> MutexGuard<'_, SourceCalls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of a collection's records, in order.
    #[must_use]
    pub fn ids(&self, collection: &str) -> Vec<String> {
        self.tables().get(collection).map(|table| table.rows.keys().cloned().collect()).unwrap_or_default()
    }

    fn tables(&self) -> MutexGuard<'_, BTreeMap<String, Table>> {
        self.collections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.tables().iter().map(|(name, table)| (name.clone(), table.rows.len())))
            .finish()
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let schema = |(name, table): (&String, &Table)| Schema {
            name: name.clone(),
            properties: table
                .shape
                .names()
                .iter()
                .map(|name| Property::new(&**name, PropertyKind::Text))
                .collect(),
        };
        Ok(self.tables().iter().map(schema).collect())
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        self.counted().pages += 1;
        let tables = self.tables();
        let table = tables.get(request.collection.as_str()).ok_or_else(|| missing(&request.collection))?;
        let mut page = Page::default();
        let rows: Box<dyn Iterator<Item = (&String, &Vec<Value>)>> = match &request.after {
            None => {
                page.records.extend(table.bad.iter().cloned().map(Err));
                Box::new(table.rows.iter())
            }
            Some(PageToken(token)) => {
                let last = token.strip_prefix(AFTER).ok_or_else(|| stale(&request.collection))?;
                Box::new(table.rows.range::<str, _>((Bound::Excluded(last), Bound::Unbounded)))
            }
        };
        for (id, values) in rows {
            if page.records.len() >= request.max {
                let last = page.records.iter().rev().find_map(|record| record.as_ref().ok());
                page.next = last.map(|record| PageToken(format!("{AFTER}{}", record.id())));
                break;
            }
            page.records.push(Ok(Record::new(id.as_str().into(), Arc::clone(&table.shape), values.clone())));
        }
        Ok(page)
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        self.counted().reads += 1;
        let tables = self.tables();
        let table = tables.get(collection.as_str()).ok_or_else(|| missing(collection))?;
        let read = |id: &ExternalId| {
            let values = table.rows.get(id.as_str())?;
            Some(Record::new(id.clone(), Arc::clone(&table.shape), values.clone()))
        };
        Ok(ids.iter().map(read).collect())
    }

    fn abilities(&self, _collection: &Collection) -> Abilities {
        let said = *self.promise.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = said.unwrap_or(Some(ChangesPromise { deletes: true }));
        Abilities { scan: ScanPromise::Steady, read: ReadCost::Keyed, changes }
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        self.counted().changes += 1;
        let tables = self.tables();
        let table = tables.get(request.collection.as_str()).ok_or_else(|| missing(&request.collection))?;
        let count = table.changes.len();
        let from = match &request.after {
            None => count,
            Some(ChangeCursor(text)) => {
                let from = text.strip_prefix(AFTER).and_then(|number| number.parse().ok());
                from.filter(|from| (table.forgotten..=count).contains(from))
                    .ok_or_else(|| stale(&request.collection))?
            }
        };
        let to = from.saturating_add(request.max.max(1)).min(count);
        Ok(ChangesPage {
            changes: table.changes.get(from..to).unwrap_or_default().to_vec(),
            cursor: ChangeCursor(format!("{AFTER}{to}")),
            caught_up: to == count,
        })
    }

    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        Some(self)
    }
}

#[async_trait]
impl SourceWriter for MemorySource {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        self.counted().writes += 1;
        let mut tables = self.tables();
        let table = tables.get_mut(batch.collection.as_str()).ok_or_else(|| missing(&batch.collection))?;
        Ok(batch.rows.iter().map(|row| table.write(row)).collect())
    }

    fn write_max(&self) -> usize {
        100
    }
}

impl Table {
    fn record(&self, id: &str) -> Option<Record> {
        let values = self.rows.get(id)?;
        Some(Record::new(id.into(), Arc::clone(&self.shape), values.clone()))
    }

    fn note(&mut self, id: &str, deleted: bool) {
        if !self.is_silent {
            self.changes.push(SourceChange { id: id.into(), deleted });
        }
    }

    fn write(&mut self, row: &LeftRow) -> LeftOutcome {
        if let Some(field) = row.fields.iter().find(|field| self.shape.place(&field.path).is_none()) {
            return LeftOutcome::Rejected(Rejection {
                code: "no-such-field".into(),
                property: Some(field.path.to_string()),
                reason: "the collection has no such field".into(),
                holder: None,
                correlation: None,
            });
        }
        let is_repeated =
            |at: usize, field: &LeftField| row.fields.iter().take(at).any(|of| of.path == field.path);
        if let Some((_, field)) = row.fields.iter().enumerate().find(|(at, field)| is_repeated(*at, field)) {
            return LeftOutcome::Rejected(Rejection {
                code: "field-twice".into(),
                property: Some(field.path.to_string()),
                reason: "the row names the field twice".into(),
                holder: None,
                correlation: None,
            });
        }
        match &row.verb {
            LeftVerb::Create => {
                let made = self.made.get(row.token.as_str()).and_then(|id| self.record(id));
                if let Some(made) = made {
                    return LeftOutcome::Found(made);
                }
                self.last_made += 1;
                let id = format!("new-{}", self.last_made);
                self.rows.insert(id.clone(), vec![Value::Null; self.shape.names().len()]);
                self.made.insert(row.token.as_str().to_owned(), id.clone());
                self.fill(&id, &row.fields)
            }
            LeftVerb::Update(read) | LeftVerb::Delete(read) => {
                let id = read.id().as_str().to_owned();
                match self.rows.get(&id) {
                    None => LeftOutcome::Gone,
                    Some(now) if now != read.values() => LeftOutcome::Moved,
                    Some(_) if matches!(row.verb, LeftVerb::Delete(_)) => {
                        self.rows.remove(&id);
                        self.note(&id, true);
                        LeftOutcome::Deleted
                    }
                    Some(_) => self.fill(&id, &row.fields),
                }
            }
        }
    }

    fn fill(&mut self, id: &str, fields: &[LeftField]) -> LeftOutcome {
        for field in fields {
            if let Some(place) = self.shape.place(&field.path)
                && let Some(slot) = self.rows.get_mut(id).and_then(|row| row.get_mut(place))
            {
                *slot = field.value.clone();
            }
        }
        self.note(id, false);
        self.record(id).map_or(LeftOutcome::Gone, LeftOutcome::Written)
    }
}

fn missing(collection: &Collection) -> SourceError {
    SourceError::new(SourceErrorKind::NoSuchCollection, format!("there is no collection {collection}"))
}

fn stale(collection: &Collection) -> SourceError {
    SourceError::new(
        SourceErrorKind::StaleToken,
        format!("this is no place in {collection}; start the scan anew"),
    )
}
