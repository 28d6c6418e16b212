//! Dropped files as a [`Source`].

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use sync_types::{
    Abilities, BadRecord, Clock, Collection, ExternalId, Page, PageToken, Property, PropertyKind, ReadCost,
    ReadRequest, Record, ScanPromise, Schema, Shape, Source, SourceError, SourceErrorKind, Value,
};

use super::config::{FileCollection, FilesConfig, Format, Holds, Ready};
use super::error;
use super::intake::{Intake, lock};
use super::place::{self, Place};
use super::staging::{Staging, StoredBad};

/// Shapes of records that are kept for the next ones.
const SHAPES_MAX: usize = 256;

/// Files that another system drops, as a source.
///
/// The first page of a scan, a read by id and a description take in what is ready at that moment. A file that cannot be taken
/// in is an error of its collection, with what to do, until somebody has dealt with it; what was taken in before stays.
///
/// A collection of [`Holds::Everything`] is scanned steadily, and what its newest file leaves out is gone. Of one of
/// [`Holds::Changes`] a scan gives what all files together have told, and its silence proves nothing.
pub struct Files {
    config: FilesConfig,
    place: Box<dyn Place>,
    clock: Arc<dyn Clock>,
    staging: Arc<Mutex<Staging>>,
    /// When files were looked for last, by the monotonic clock. One look at a time.
    looked: tokio::sync::Mutex<BTreeMap<String, Duration>>,
    shapes: Mutex<HashMap<Vec<String>, Arc<Shape>>>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Files {
    /// Opens place and staging file; files are looked for when they are read.
    ///
    /// # Errors
    /// [`SourceErrorKind::Structure`] for settings that cannot work, others for a place or a staging file that cannot be had.
    pub fn open(config: FilesConfig, clock: Arc<dyn Clock>) -> Result<Files, SourceError> {
        check(&config)?;
        let place = place::open(&config.place)?;
        let staging = Staging::open(&config.staging)?;
        Ok(Files {
            config,
            place,
            clock,
            staging: Arc::new(Mutex::new(staging)),
            looked: tokio::sync::Mutex::default(),
            shapes: Mutex::default(),
        })
    }

    fn collection(&self, name: &str) -> Result<&FileCollection, SourceError> {
        self.config.collections.get(name).ok_or_else(|| error::unknown(name))
    }

    /// Takes in what is ready, unless that was done a moment ago and `again` does not ask for it.
    async fn take_in(&self, name: &str, again: bool) -> Result<(), SourceError> {
        let collection = self.collection(name)?;
        let mut looked = self.looked.lock().await;
        let now = self.clock.monotonic();
        let rested = looked.get(name).map(|at| now.saturating_sub(*at));
        if !again && rested.is_some_and(|rested| rested < self.place.rest()) {
            return Ok(());
        }
        let intake = Intake {
            config: &self.config,
            place: self.place.as_ref(),
            staging: &self.staging,
            now: self.clock.now(),
        };
        intake.take_in(name, collection).await?;
        looked.insert(name.to_owned(), self.clock.monotonic());
        Ok(())
    }

    /// The columns that were met so far.
    fn columns(&self, name: &str) -> Result<Vec<String>, SourceError> {
        let known = lock(&self.staging).known(name)?.ok_or_else(|| {
            let message =
                format!("no file of `{name}` was taken in yet; it begins with the first one that is ready");
            SourceError::new(SourceErrorKind::Unavailable, message)
        })?;
        Ok(known.columns)
    }

    fn record(
        &self,
        collection: &FileCollection,
        columns: &[String],
        key: &str,
        body: &str,
    ) -> Result<Record, BadRecord> {
        let bad = |reason: &str| BadRecord {
            code: "bad-row",
            id: Some(key.into()),
            place: format!("staging file, key {key}"),
            reason: reason.to_owned(),
            remedy: "send the record once more".to_owned(),
        };
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(body).map_err(|_| bad("what is kept of it cannot be read"))?;
        // Of changes nobody may have told yet what a column holds; who tells everything leaves out what is empty.
        let all = collection.holds == Holds::Everything;
        let told = |name: &&String| all || fields.contains_key(name.as_str());
        let names: Vec<String> = columns.iter().filter(told).cloned().collect();
        let values =
            names.iter().map(|name| fields.get(name).map_or(Ok(Value::Null), |raw| value(raw.get())));
        let values: Result<Vec<Value>, &str> = values.collect();
        let values = values.map_err(bad)?;
        Ok(Record::new(key.into(), self.shape(names), values))
    }

    fn shape(&self, names: Vec<String>) -> Arc<Shape> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = shapes.get(&names) {
            return Arc::clone(shape);
        }
        if shapes.len() >= SHAPES_MAX {
            shapes.clear();
        }
        let shape = Shape::new(names.iter().map(String::as_str));
        shapes.insert(names, Arc::clone(&shape));
        shape
    }
}

/// What can be told of settings without looking at a file.
fn check(config: &FilesConfig) -> Result<(), SourceError> {
    if matches!(&config.ready, Ready::Marker { suffix } if suffix.is_empty()) {
        return Err(error::settings("`ready.suffix`", "it is empty", "set it, such as \".done\""));
    }
    if config.limits.row_bytes_max < 256 {
        return Err(error::settings("`limits.row_bytes_max`", "it is below 256 bytes", "raise it"));
    }
    for (name, collection) in &config.collections {
        let place = format!("collection `{name}`");
        if collection.key.is_empty() || collection.files.is_empty() {
            return Err(error::settings(&place, "`files` or `key` is empty", "set both"));
        }
    }
    Ok(())
}

/// A value as it is kept, in JSON.
fn value(raw: &str) -> Result<Value, &'static str> {
    match raw.bytes().next() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw).map_err(|_| "a text of it cannot be read")?;
            Ok(Value::text(text))
        }
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'[') => {
            let items: Vec<&RawValue> =
                serde_json::from_str(raw).map_err(|_| "a list of it cannot be read")?;
            items.into_iter().map(|item| value(item.get())).collect::<Result<_, _>>().map(Value::List)
        }
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(raw).map_err(|_| "an object of it cannot be read")?;
            let entry = |(name, raw): (String, &RawValue)| Ok((name.into(), value(raw.get())?));
            fields.into_iter().map(entry).collect::<Result<_, _>>().map(Value::Object)
        }
        Some(b'n') | None => Ok(Value::Null),
        _ => {
            let number = raw.parse().or_else(|_| Decimal::from_scientific(raw));
            number.map(Value::Number).map_err(|_| "a number of it has more digits than can be kept exactly")
        }
    }
}

fn bad_record(stored: StoredBad) -> BadRecord {
    BadRecord {
        code: known_code(&stored.code),
        id: stored.key.map(ExternalId::from),
        place: stored.place,
        reason: stored.reason,
        remedy: stored.remedy,
    }
}

/// The codes of ours that a staging file may hold.
fn known_code(code: &str) -> &'static str {
    const CODES: [&str; 9] = [
        "bad-quote",
        "bad-cell",
        "bad-encoding",
        "missing-key",
        "repeated-key",
        "row-too-long",
        "wrong-field-count",
        "wrong-width",
        "bad-row",
    ];
    CODES.into_iter().find(|known| *known == code).unwrap_or("bad-row")
}

/// Where a scan goes on.
enum From {
    Bad(String),
    Rows(Option<String>),
}

impl From {
    fn of(token: Option<&PageToken>, collection: &str) -> Result<From, SourceError> {
        let Some(PageToken(token)) = token else { return Ok(From::Bad(String::new())) };
        match token.split_once(' ') {
            Some(("bad", place)) => Ok(From::Bad(place.to_owned())),
            Some(("row", key)) => Ok(From::Rows(Some(key.to_owned()))),
            _ => Err(error::stale(collection)),
        }
    }
}

#[async_trait]
impl Source for Files {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let mut schemas = Vec::new();
        for (name, collection) in &self.config.collections {
            let looked = self.take_in(name, true).await;
            let columns = match (self.columns(name), looked) {
                (Ok(columns), _) => columns,
                // Why there is nothing yet says more than that there is nothing.
                (Err(_), Err(error)) => return Err(error),
                (Err(_), Ok(())) => continue,
            };
            // What names its own columns has numbers and truth values too, each where it likes.
            let kind = match collection.format_of(&collection.files) {
                Some(Format::JsonLines | Format::Xlsx) => PropertyKind::Json,
                _ => PropertyKind::Text,
            };
            let property = |column: &String| {
                let mut property = Property::new(column.as_str(), kind);
                property.required = *column == collection.key;
                property.unique = property.required;
                property
            };
            schemas.push(Schema { name: name.clone(), properties: columns.iter().map(property).collect() });
        }
        Ok(schemas)
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let name = request.collection.as_str();
        let collection = self.collection(name)?;
        let mut from = From::of(request.after.as_ref(), name)?;
        if request.after.is_none() {
            self.take_in(name, true).await?;
        }
        let columns = self.columns(name)?;
        let max = request.max.max(1);
        let mut records = Vec::new();
        let mut next = None;
        let staging = lock(&self.staging);
        if let From::Bad(place) = &from {
            let bad = staging.bad(name, place, max)?;
            next = bad.last().map(|last| format!("bad {}", last.place));
            records.extend(bad.into_iter().map(|stored| Err(bad_record(stored))));
            if records.len() < max {
                from = From::Rows(None);
            }
        }
        if let From::Rows(key) = from {
            let rows = staging.rows(name, key.as_deref(), max - records.len())?;
            let is_full = records.len() + rows.len() == max;
            next = rows.last().filter(|_| is_full).map(|(key, _)| format!("row {key}"));
            records.extend(rows.iter().map(|(key, body)| self.record(collection, &columns, key, body)));
        }
        Ok(Page { records, next: next.map(PageToken) })
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let name = collection.as_str();
        let described = self.collection(name)?;
        self.take_in(name, false).await?;
        let columns = self.columns(name)?;
        let staging = lock(&self.staging);
        let read = |id: &ExternalId| {
            let body = staging.row(name, id.as_str())?;
            Ok(body.and_then(|body| self.record(described, &columns, id.as_str(), &body).ok()))
        };
        ids.iter().map(read).collect()
    }

    fn abilities(&self, collection: &Collection) -> Abilities {
        let holds = self.config.collections.get(collection.as_str()).map(|collection| collection.holds);
        let scan = match holds {
            Some(Holds::Everything) => ScanPromise::Steady,
            _ => ScanPromise::Shifting,
        };
        Abilities { scan, read: ReadCost::Keyed, changes: None }
    }
}
