//! Both sides as they are outside of their blackouts; within, each call is refused before it begins.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sync_types::{
    Abilities, ChangesPage, ChangesRequest, Clock, Collection, Destination, DestinationError,
    DestinationErrorKind, EdgeBatch, EdgeOutcome, ExternalId, Fate, Feed, FeedPage, FeedSees, Lane,
    LeftBatch, LeftOutcome, Limits, ObjectType, Page, PropertyName, ReadRequest, Record, RecordId,
    RowOutcome, Schema, Shown, ShownEdge, ShownPage, Source, SourceError, SourceErrorKind, SourceWriter,
    SyncKey, Version, WriteBatch, Writes,
};

use super::Calendar;
use crate::decide::Side;
use crate::engine::Parts;

/// What a call is asked by, before it begins.
#[derive(Clone)]
struct Gate {
    calendar: Arc<Calendar>,
    clock: Arc<dyn Clock>,
    /// The lane of a run, for calls of a source.
    lane: Lane,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("calendar", &self.calendar).finish_non_exhaustive()
    }
}

impl Gate {
    fn right(&self, lane: Lane) -> Result<(), DestinationError> {
        match self.calendar.closed(Side::Right, lane, self.clock.now()) {
            None => Ok(()),
            Some(closed) => {
                Err(DestinationError::new(DestinationErrorKind::Unavailable, format!("HubSpot: {closed}")))
            }
        }
    }

    fn left(&self) -> Result<(), SourceError> {
        match self.calendar.closed(Side::Left, self.lane, self.clock.now()) {
            None => Ok(()),
            Some(closed) => {
                Err(SourceError::new(SourceErrorKind::Unavailable, format!("the source: {closed}")))
            }
        }
    }
}

/// Has each call of these parts ask the calendar first, if there is anything in it.
pub(crate) fn close(parts: Parts) -> Parts {
    if parts.options.calendar.blackouts.is_empty() {
        return parts;
    }
    let gate = Gate {
        calendar: Arc::new(parts.options.calendar.clone()),
        clock: Arc::clone(&parts.clock),
        lane: parts.options.lane,
    };
    Parts {
        source: Arc::new(GatedSource { gate: gate.clone(), inner: parts.source }),
        writer: parts
            .writer
            .map(|inner| Arc::new(GatedWriter { gate: gate.clone(), inner }) as Arc<dyn SourceWriter>),
        destination: Arc::new(GatedDestination { gate: gate.clone(), inner: parts.destination }),
        feed: parts.feed.map(|inner| Arc::new(GatedFeed { gate, inner }) as Arc<dyn Feed>),
        ..parts
    }
}

#[derive(Debug)]
struct GatedSource {
    gate: Gate,
    inner: Arc<dyn Source>,
}

#[async_trait]
impl Source for GatedSource {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        self.gate.left()?;
        self.inner.describe().await
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        self.gate.left()?;
        self.inner.read_page(request).await
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        self.gate.left()?;
        self.inner.read(collection, ids).await
    }

    fn abilities(&self, collection: &Collection) -> Abilities {
        self.inner.abilities(collection)
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        self.gate.left()?;
        self.inner.changes(request).await
    }
}

#[derive(Debug)]
struct GatedWriter {
    gate: Gate,
    inner: Arc<dyn SourceWriter>,
}

#[async_trait]
impl SourceWriter for GatedWriter {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        self.gate.left()?;
        self.inner.write(batch).await
    }

    fn write_max(&self) -> usize {
        self.inner.write_max()
    }

    fn writes(&self, collection: &Collection) -> Writes {
        self.inner.writes(collection)
    }
}

#[derive(Debug)]
struct GatedFeed {
    gate: Gate,
    inner: Arc<dyn Feed>,
}

#[async_trait]
impl Feed for GatedFeed {
    fn sees(&self) -> FeedSees {
        self.inner.sees()
    }

    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        self.gate.right(lane)?;
        self.inner.changes(object, after, lane).await
    }
}

#[derive(Debug)]
struct GatedDestination {
    gate: Gate,
    inner: Arc<dyn Destination>,
}

#[async_trait]
impl Destination for GatedDestination {
    async fn describe(&self, object: &ObjectType) -> Result<Schema, DestinationError> {
        self.gate.right(self.gate.lane)?;
        self.inner.describe(object).await
    }

    async fn prepare(&self, joins: &[(ObjectType, ObjectType)], lane: Lane) {
        if self.gate.right(lane).is_ok() {
            self.inner.prepare(joins, lane).await;
        }
    }

    async fn list(
        &self,
        object: &ObjectType,
        properties: &[PropertyName],
        after: Option<&str>,
        lane: Lane,
    ) -> Result<ShownPage, DestinationError> {
        self.gate.right(lane)?;
        self.inner.list(object, properties, after, lane).await
    }

    async fn read(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.read(object, ids, properties, lane).await
    }

    async fn read_by_key(
        &self,
        object: &ObjectType,
        key: &PropertyName,
        keys: &[SyncKey],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.read_by_key(object, key, keys, properties, lane).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, DestinationError> {
        self.gate.right(batch.lane)?;
        self.inner.write(batch).await
    }

    async fn write_edges(&self, batch: &EdgeBatch) -> Result<Vec<EdgeOutcome>, DestinationError> {
        self.gate.right(batch.lane)?;
        self.inner.write_edges(batch).await
    }

    async fn read_edges(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Vec<ShownEdge>>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.read_edges(from, to, ids, lane).await
    }

    async fn history(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Vec<Vec<Version>>>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.history(object, ids, properties, lane).await
    }

    async fn fates(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Fate>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.fates(object, ids, lane).await
    }

    async fn archive(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<EdgeOutcome>, DestinationError> {
        self.gate.right(lane)?;
        self.inner.archive(object, ids, lane).await
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn forecast(&self, calls: u64) -> Duration {
        self.inner.forecast(calls)
    }

    fn day(&self) -> Option<(u64, u64)> {
        self.inner.day()
    }
}
