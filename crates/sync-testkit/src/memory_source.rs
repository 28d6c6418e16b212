//! A source in memory, edited by the test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sync_types::{
    BadRecord, Collection, ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, Page, PageToken,
    Property, PropertyKind, ReadRequest, Record, Schema, Shape, Source, SourceError, SourceErrorKind,
    SourceWriter, Value,
};

/// A source whose collections a test fills and edits. Pages run in id order.
#[derive(Default)]
pub struct MemorySource {
    collections: Mutex<BTreeMap<String, Table>>,
}

struct Table {
    shape: Arc<Shape>,
    rows: BTreeMap<String, Vec<Value>>,
    bad: Vec<BadRecord>,
    /// The record that each creation made.
    made: BTreeMap<String, String>,
    last_made: u64,
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
        };
        self.tables().insert(name.to_owned(), table);
    }

    /// Inserts or replaces a record. Of an unknown collection, nothing happens.
    pub fn put(&self, collection: &str, id: &str, values: Vec<Value>) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.rows.insert(id.to_owned(), values);
        }
    }

    /// Removes a record.
    pub fn remove(&self, collection: &str, id: &str) {
        if let Some(table) = self.tables().get_mut(collection) {
            table.rows.remove(id);
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
        }
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
        let tables = self.tables();
        let table = tables.get(request.collection.as_str()).ok_or_else(|| missing(&request.collection))?;
        let mut page = Page::default();
        let rows: Box<dyn Iterator<Item = (&String, &Vec<Value>)>> = match &request.after {
            None => {
                page.records.extend(table.bad.iter().cloned().map(Err));
                Box::new(table.rows.iter())
            }
            Some(PageToken(last)) => Box::new(
                table
                    .rows
                    .range::<str, _>((std::ops::Bound::Excluded(last.as_str()), std::ops::Bound::Unbounded)),
            ),
        };
        for (id, values) in rows {
            if page.records.len() >= request.max {
                let last = page.records.iter().rev().find_map(|record| record.as_ref().ok());
                page.next = last.map(|record| PageToken(record.id().to_string()));
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
        let tables = self.tables();
        let table = tables.get(collection.as_str()).ok_or_else(|| missing(collection))?;
        let read = |id: &ExternalId| {
            let values = table.rows.get(id.as_str())?;
            Some(Record::new(id.clone(), Arc::clone(&table.shape), values.clone()))
        };
        Ok(ids.iter().map(read).collect())
    }
}

#[async_trait]
impl SourceWriter for MemorySource {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
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

    fn write(&mut self, row: &LeftRow) -> LeftOutcome {
        match &row.verb {
            LeftVerb::Create => {
                let made = self.made.get(row.token.as_str()).and_then(|id| self.record(id));
                if let Some(made) = made {
                    return LeftOutcome::Written(made);
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
        self.record(id).map_or(LeftOutcome::Gone, LeftOutcome::Written)
    }
}

fn missing(collection: &Collection) -> SourceError {
    SourceError::new(SourceErrorKind::NoSuchCollection, format!("there is no collection {collection}"))
}
