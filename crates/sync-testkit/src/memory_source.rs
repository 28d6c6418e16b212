//! A source in memory, edited by the test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sync_types::{
    BadRecord, Collection, ExternalId, Page, PageToken, Property, PropertyKind, ReadRequest, Record, Schema,
    Shape, Source, SourceError, SourceErrorKind, Value,
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
}

impl MemorySource {
    /// A source without collections.
    #[must_use]
    pub fn new() -> MemorySource {
        MemorySource::default()
    }

    /// Adds an empty collection with these properties.
    pub fn collection(&self, name: &str, properties: &[&str]) {
        let table =
            Table { shape: Shape::new(properties.iter().copied()), rows: BTreeMap::new(), bad: Vec::new() };
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

fn missing(collection: &Collection) -> SourceError {
    SourceError::new(SourceErrorKind::NoSuchCollection, format!("there is no collection {collection}"))
}
