//! A source in memory that breaks one promise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sync_testkit::MemorySource;
use sync_types::{
    Abilities, ChangeCursor, ChangesPage, ChangesRequest, Collection, ExternalId, LeftBatch, LeftField,
    LeftOutcome, LeftRow, LeftVerb, Page, PageToken, ReadRequest, Record, Rejection, Schema, Shape, Source,
    SourceError, SourceErrorKind, SourceWriter, SyncKey, Value, Writes,
};

macro_rules! faults {
    ($($name:ident => $promise:literal,)*) => {
        /// What is wrong with a source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault { $($name,)* }

        impl Fault {
            /// Every fault, and the promise that it breaks.
            pub(crate) const ALL: &[(Fault, &str)] = &[$((Fault::$name, $promise),)*];
        }
    };
}

faults! {
    DropsPageBorder => "every page size gives every record exactly once",
    IgnoresMax => "a page is bounded by `max`",
    RepeatsIds => "ids are unique",
    EmptyId => "no id is empty",
    ValuesByPage => "every page size gives the same values",
    NeverEnds => "a scan ends",
    MixesOrder => "a read answers in the order of the ids",
    LeavesOutUnknown => "a read gives one answer for each id",
    InventsRecords => "an unknown id is read as none",
    ReadsOtherwise => "a record is read by id as a scan shows it",
    ReadsAllForNone => "who asks for nothing gets nothing",
    TakesAnyToken => "a token that is not of this source is stale",
    InventsCollections => "an unknown collection is an error",
    InventsAbsence => "an unknown collection has no absent records",
    HidesSchema => "every collection is described",
    HidesProperty => "every property that records have is described",
    Trims => "a text arrives as it was set",
    KeepsDeleted => "a record that was deleted is read as none",
    CountsOff => "a scan that ends has seen every record that nobody touched",
    EndsOnChange => "a scan of a collection that changes goes on",
    GivesTwice => "a steady scan gives no record twice",
    AnswersUndeclared => "does not declare changes refuses",
    DeafToChanges => "a change after the cursor is told",
    DeafToNew => "a creation after the cursor is told",
    TellsOnce => "an older cursor tells again",
    HidesDeletions => "a deletion after the cursor is told",
    PassesBorder => "no change is passed over at a page border",
    SwallowsRepeats => "a change that comes just after a cursor is told",
    NeverCaughtUp => "catches up",
    ForgetsCursors => "a cursor outlives the process",
    PassesLate => "a change that is visible late",
    TakesAnyCursor => "a cursor that is not of this source is stale",
    NoRoom => "a batch holds at least one row",
    LosesOutcomes => "there is one outcome for each row",
    WritesNothing => "a change is written",
    ShowsHalf => "what was changed is shown whole",
    ShowsAsWished => "a change is shown as the source shows it",
    RefusesRepeats => "a change that was carried out may be repeated",
    Overwrites => "a field that somebody has changed is not overwritten",
    HidesMoves => "a field that has changed since it was read is told as moved",
    WritesBack => "a change of one field undoes no change of another",
    CannotClear => "an empty field can be filled, and a full one cleared",
    RefusesGone => "a change of a record that is gone is told as gone",
    MakesGone => "a change makes no record",
    IgnoresStrangers => "a field that there is not is refused",
    WritesHalf => "a refused row is not written by half",
    ShufflesOutcomes => "each row of a batch has an outcome of its own",
    DeletesMoved => "a record is not deleted when any of its fields has changed",
    DeletesNothing => "a record that was deleted is gone",
    RefusesDeletedTwice => "a deletion may be repeated",
    ForgetsTokens => "a creation that is repeated has found the first record",
    TokensOfOneProcess => "a creation can be repeated by another process",
    OneTokenForAll => "another token makes another record",
    NothingAnew => "a record that was made and is gone can be made anew",
    WritesWithheld => "what may not be written is refused",
    WritesAnywhere => "an unknown collection cannot be written",
}

/// Memory with a fault.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<MemorySource>,
    fault: Fault,
    /// Whether a change was begun and is not visible.
    is_pending: Arc<AtomicBool>,
    notes: Mutex<Notes>,
    /// Tells one process from another.
    process: String,
}

#[derive(Debug, Default)]
struct Notes {
    /// The changes there were when the scan began.
    begun: String,
    told: BTreeSet<ExternalId>,
    read: BTreeMap<ExternalId, Record>,
    known_cursors: BTreeSet<String>,
    updated: BTreeSet<ExternalId>,
    created: BTreeSet<SyncKey>,
}

static PROCESSES: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

impl Faulty {
    pub(crate) fn new(inner: Arc<MemorySource>, fault: Fault, is_pending: Arc<AtomicBool>) -> Faulty {
        let process = PROCESSES.fetch_add(1, Ordering::Relaxed).to_string();
        Faulty { inner, fault, is_pending, notes: Mutex::default(), process }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn now(&self, collection: &Collection) -> Result<String, SourceError> {
        let request = ChangesRequest { collection: collection.clone(), after: None, max: 1 };
        Ok(self.inner.changes(&request).await?.cursor.0)
    }

    /// Pages that are counted off instead of following the ids.
    async fn counted(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let skip = match &request.after {
            None => 0,
            Some(token) => token.0.parse().map_err(|_| stale())?,
        };
        let whole = ReadRequest { after: None, max: usize::MAX / 2, ..request.clone() };
        let all = self.inner.read_page(&whole).await?.records;
        let count = all.len();
        let records: Vec<_> = all.into_iter().skip(skip).take(request.max).collect();
        let next = skip + records.len();
        Ok(Page { records, next: (next < count).then(|| PageToken(next.to_string())) })
    }
}

fn stale() -> SourceError {
    SourceError::new(SourceErrorKind::StaleToken, "start anew")
}

/// The same record with its texts made otherwise.
fn with(record: &Record, change: impl Fn(&str) -> String) -> Record {
    let values = record.values().iter().map(|value| match value.as_text() {
        Some(text) => Value::text(change(text)),
        None => value.clone(),
    });
    Record::new(record.id().clone(), Arc::clone(record.shape()), values.collect())
}

#[async_trait]
impl Source for Faulty {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let mut schemas = self.inner.describe().await?;
        match self.fault {
            Fault::HidesSchema => schemas.clear(),
            Fault::HidesProperty => schemas.iter_mut().for_each(|schema| drop(schema.properties.pop())),
            _ => {}
        }
        Ok(schemas)
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let mut request = request.clone();
        match (self.fault, &request.after) {
            (Fault::InventsCollections, _) if request.collection.as_str() != "people" => {
                return Ok(Page::default());
            }
            (Fault::CountsOff, _) => return self.counted(&request).await,
            (Fault::IgnoresMax, _) => request.max = usize::MAX / 2,
            (Fault::TakesAnyToken, Some(token)) if !token.0.starts_with("after ") => request.after = None,
            (Fault::GivesTwice, Some(token)) if token.0 == "again" => {
                let last = self.inner.read(&request.collection, &["p08".into()]).await?;
                return Ok(Page { records: last.into_iter().flatten().map(Ok).collect(), next: None });
            }
            _ => {}
        }
        let now = self.now(&request.collection).await?;
        if request.after.is_none() {
            self.notes().begun.clone_from(&now);
        }
        let is_changed = self.notes().begun != now;
        let mut page = self.inner.read_page(&request).await?;
        match self.fault {
            Fault::DropsPageBorder if request.after.is_some() && page.records.len() > 1 => {
                drop(page.records.remove(0));
            }
            Fault::RepeatsIds if request.max > 100 => page.records.extend(page.records.first().cloned()),
            Fault::EmptyId => {
                for record in page.records.iter_mut().flatten().take(1) {
                    *record = Record::new("".into(), Arc::clone(record.shape()), record.values().to_vec());
                }
            }
            Fault::ValuesByPage if request.max == 3 => {
                page.records.iter_mut().flatten().for_each(|record| *record = with(record, |_| "3".into()));
            }
            Fault::NeverEnds if page.next.is_none() => page.next = Some(PageToken("after ".into())),
            Fault::Trims => {
                let trim = |record: &mut Record| *record = with(record, |text| text.trim().to_owned());
                page.records.iter_mut().flatten().for_each(trim);
            }
            Fault::EndsOnChange if is_changed => return Err(stale()),
            Fault::GivesTwice if is_changed && page.next.is_none() => {
                page.next = Some(PageToken("again".into()));
            }
            _ => {}
        }
        Ok(page)
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        if self.is(Fault::InventsAbsence) && collection.as_str() != "people" {
            return Ok(vec![None; ids.len()]);
        }
        let mut read = self.inner.read(collection, ids).await?;
        match self.fault {
            Fault::MixesOrder if ids.len() > 1 => read.swap(0, 1),
            Fault::LeavesOutUnknown => read.retain(Option::is_some),
            Fault::InventsRecords => {
                let any = read.iter().flatten().next().cloned();
                read.iter_mut().filter(|record| record.is_none()).for_each(|record| record.clone_from(&any));
            }
            Fault::ReadsOtherwise => {
                let other = |record: &Record| with(record, |text| format!("{text}!"));
                read = read.iter().map(|record| record.as_ref().map(other)).collect();
            }
            Fault::ReadsAllForNone if ids.is_empty() => read.push(None),
            Fault::Trims => {
                let trim = |record: &Record| with(record, |text| text.trim().to_owned());
                read = read.iter().map(|record| record.as_ref().map(trim)).collect();
            }
            Fault::KeepsDeleted => {
                let mut notes = self.notes();
                for (id, record) in ids.iter().zip(&mut read) {
                    match record {
                        Some(record) => drop(notes.read.insert(id.clone(), record.clone())),
                        None => *record = notes.read.get(id).cloned(),
                    }
                }
            }
            _ => {}
        }
        Ok(read)
    }

    fn abilities(&self, collection: &Collection) -> Abilities {
        let abilities = self.inner.abilities(collection);
        if self.is(Fault::AnswersUndeclared) { Abilities { changes: None, ..abilities } } else { abilities }
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        let mut request = request.clone();
        let after = request.after.as_ref().map(|cursor| cursor.0.clone()).unwrap_or_default();
        let is_known = self.notes().known_cursors.contains(&after);
        match self.fault {
            Fault::ForgetsCursors if !is_known && after.starts_with("after ") => request.after = None,
            Fault::TakesAnyCursor if !after.starts_with("after ") => request.after = None,
            Fault::TellsOnce => {
                let mut notes = self.notes();
                if request.after.is_some() && !notes.told.insert(after.as_str().into()) {
                    request.after = None;
                }
            }
            _ => {}
        }
        let mut page = self.inner.changes(&request).await?;
        let place = |by: u64| {
            let number = page.cursor.0.strip_prefix("after ").and_then(|number| number.parse::<u64>().ok());
            ChangeCursor(format!("after {}", number.unwrap_or_default() + by))
        };
        let is_old = |id: &ExternalId| id.as_str() < "p09";
        match self.fault {
            Fault::DeafToChanges => page.changes.retain(|change| !is_old(&change.id)),
            Fault::DeafToNew => page.changes.retain(|change| is_old(&change.id)),
            Fault::HidesDeletions => page.changes.retain(|change| !change.deleted),
            Fault::PassesBorder if !page.caught_up && request.max == 2 => page.cursor = place(1),
            Fault::PassesLate if self.is_pending.load(Ordering::Relaxed) => page.cursor = place(1),
            Fault::SwallowsRepeats if request.max == 3 => {
                let mut notes = self.notes();
                page.changes.retain(|change| notes.told.insert(change.id.clone()));
            }
            Fault::NeverCaughtUp => page.caught_up = false,
            _ => {}
        }
        self.notes().known_cursors.insert(page.cursor.0.clone());
        Ok(page)
    }

    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        Some(self)
    }
}

fn refused() -> LeftOutcome {
    let reason = "not today".into();
    LeftOutcome::Rejected(Rejection {
        code: "no".into(),
        property: None,
        reason,
        holder: None,
        correlation: None,
    })
}

impl Faulty {
    async fn row(&self, collection: &Collection, row: &LeftRow) -> Result<LeftOutcome, SourceError> {
        let mut row = row.clone();
        let read = match &row.verb {
            LeftVerb::Create => None,
            LeftVerb::Update(read) | LeftVerb::Delete(read) => Some(read.clone()),
        };
        let now = match &read {
            Some(read) => {
                self.inner.read(collection, &[read.id().clone()]).await?.into_iter().flatten().next()
            }
            None => None,
        };
        let is_stranger = |field: &LeftField| field.path.starts_with("no such");
        match (self.fault, &row.verb, &now, &read) {
            (Fault::RefusesRepeats, LeftVerb::Update(read), ..)
                if !self.notes().updated.insert(read.id().clone()) =>
            {
                return Ok(refused());
            }
            (Fault::WritesNothing, LeftVerb::Update(_), Some(now), _) => {
                return Ok(LeftOutcome::Written(now.clone()));
            }
            (Fault::DeletesNothing, LeftVerb::Delete(_), Some(now), Some(read)) if now == read => {
                return Ok(LeftOutcome::Deleted);
            }
            (Fault::Overwrites, LeftVerb::Update(_), Some(now), _) => {
                row.verb = LeftVerb::Update(now.clone())
            }
            (Fault::WritesBack, LeftVerb::Update(_), Some(now), Some(read))
                if row.fields.iter().all(|field| now.get(&field.path) == read.get(&field.path)) =>
            {
                row.verb = LeftVerb::Update(now.clone());
                let names = read.shape().names().iter().zip(read.values());
                let others = names.filter(|(name, _)| row.fields.iter().all(|field| field.path != **name));
                let others: Vec<_> = others
                    .map(|(name, value)| LeftField { path: name.clone(), value: value.clone() })
                    .collect();
                row.fields.extend(others);
            }
            (Fault::DeletesMoved, LeftVerb::Delete(_), Some(now), _) => {
                row.verb = LeftVerb::Delete(now.clone())
            }
            (Fault::CannotClear, ..) => row.fields.retain(|field| !field.value.is_null()),
            (Fault::MakesGone, LeftVerb::Update(read), None, _) => {
                self.inner.put(collection.as_str(), read.id().as_str(), read.values().to_vec());
                return Ok(LeftOutcome::Gone);
            }
            (Fault::IgnoresStrangers, ..) => row.fields.retain(|field| !is_stranger(field)),
            (Fault::WritesHalf, LeftVerb::Update(_), ..) if row.fields.iter().any(is_stranger) => {
                row.fields.retain(|field| !is_stranger(field));
                self.inner.write(&batch(collection, row)).await?;
                return Ok(refused());
            }
            (Fault::ForgetsTokens, LeftVerb::Create, ..) => {
                let count = self.inner.ids(collection.as_str()).len();
                row.token = SyncKey::new(format!("{} {count}", row.token));
            }
            (Fault::TokensOfOneProcess, LeftVerb::Create, ..) => {
                row.token = SyncKey::new(format!("{} {}", row.token, self.process));
            }
            (Fault::OneTokenForAll, LeftVerb::Create, ..) => row.token = "one".into(),
            (Fault::NothingAnew, LeftVerb::Create, ..) => {
                let is_known = !self.notes().created.insert(row.token.clone());
                let count =
                    self.inner.ids(collection.as_str()).iter().filter(|id| id.starts_with("new")).count();
                if is_known && count == 0 {
                    return Ok(LeftOutcome::Gone);
                }
            }
            _ => {}
        }
        let outcome = self.inner.write(&batch(collection, row)).await?.into_iter().next();
        Ok(match (self.fault, outcome.unwrap_or(LeftOutcome::Gone)) {
            (Fault::ShowsHalf, LeftOutcome::Written(shown)) => {
                let first = shown.values().iter().take(1).cloned().collect();
                LeftOutcome::Written(Record::new(shown.id().clone(), Shape::new(["name"]), first))
            }
            (Fault::ShowsAsWished, LeftOutcome::Written(shown)) => {
                let mut values = shown.values().to_vec();
                values.truncate(2);
                LeftOutcome::Written(Record::new(shown.id().clone(), Arc::clone(shown.shape()), values))
            }
            (Fault::HidesMoves, LeftOutcome::Moved)
                if now.as_ref().is_some_and(|now| now.values().contains(&"somebody's".into())) =>
            {
                LeftOutcome::Unknown("who knows".into())
            }
            (Fault::RefusesGone, LeftOutcome::Gone) => refused(),
            (Fault::RefusesDeletedTwice, LeftOutcome::Gone) if now.is_none() && read.is_some() => {
                if self.notes().told.contains(&ExternalId::from("deleted")) {
                    refused()
                } else {
                    LeftOutcome::Gone
                }
            }
            (Fault::RefusesDeletedTwice, LeftOutcome::Deleted) => {
                self.notes().told.insert("deleted".into());
                LeftOutcome::Deleted
            }
            (_, outcome) => outcome,
        })
    }
}

fn batch(collection: &Collection, row: LeftRow) -> LeftBatch {
    LeftBatch { op: sync_types::OpId(0), collection: collection.clone(), rows: vec![row] }
}

#[async_trait]
impl SourceWriter for Faulty {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        if self.is(Fault::WritesAnywhere) && batch.collection.as_str() != "people" {
            return Ok(vec![LeftOutcome::Deleted; batch.rows.len()]);
        }
        let mut outcomes = Vec::new();
        for row in &batch.rows {
            outcomes.push(self.row(&batch.collection, row).await?);
        }
        match self.fault {
            Fault::LosesOutcomes => drop(outcomes.pop()),
            Fault::ShufflesOutcomes if outcomes.len() > 1 => outcomes.swap(0, 3),
            _ => {}
        }
        Ok(outcomes)
    }

    fn write_max(&self) -> usize {
        if self.is(Fault::NoRoom) { 0 } else { 100 }
    }

    fn writes(&self, _collection: &Collection) -> Writes {
        if self.is(Fault::WritesWithheld) { Writes { update: false, ..Writes::ALL } } else { Writes::ALL }
    }
}
