//! The described API as a [`Source`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use http::HeaderMap;
use http_transport::{Idempotency, Lane};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sync_types::{
    Abilities, BadRecord, ChangeCursor, ChangesPage, ChangesPromise, ChangesRequest, Collection, ExternalId,
    Page, PageToken, Property, PropertyKind, ReadCost, ReadRequest, Record, ScanPromise, Schema, Source,
    SourceChange, SourceError, SourceErrorKind, SourceWriter,
};

use super::answer::{Answer, Refused, RefusedKind};
use super::caller::{CallError, Caller};
use super::description::{CallSpec, CollectionSpec, Description, FieldSpec, GetSpec, ListSpec, PageKind};
use super::moment;
use super::origin::Base;
use super::paging::{Asked, Met, Place, Turn, asked, is_true, step};
use super::record::{Reading, undescribed};
use super::request::Filling;
use super::since::Course;

/// Calls that are made side by side where each reads one record; the limits hold beside this.
const TOGETHER: usize = 8;

/// Pages of which a part was not fetched yet; a scan that finds its own gone reads the page again.
const LEFT_MAX: usize = 8;

/// A JSON API by its description: every collection of it can be scanned, read by id and, where the description says how,
/// asked for changes and written.
///
/// A scan keeps the promise of [`Source::read_page`] as far as the kind of paging allows, and ends with
/// [`SourceErrorKind::StaleToken`] rather than leave records out. `Debug` shows no secret.
pub struct RestSource {
    pub(super) description: Arc<Description>,
    pub(super) caller: Caller,
    pub(super) base: Base,
    pub(super) headers: HeaderMap,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) write: bool,
    /// What was found out about collections without described fields.
    pub(super) known: Mutex<HashMap<String, Reading>>,
    /// Parts of pages that are longer than was asked for.
    pub(super) left: Mutex<VecDeque<Left>>,
}

impl fmt::Debug for RestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.description.name();
        f.debug_struct("RestSource").field("api", &name).field("write", &self.write).finish_non_exhaustive()
    }
}

/// A page of a list.
pub(super) struct Listed {
    pub(super) records: Vec<Json>,
    ids: Vec<u64>,
    /// Those of `ids` that were given before.
    known: Vec<u64>,
    pub(super) next: Option<Place>,
}

impl Listed {
    /// The records that were not given before.
    fn fresh(&self) -> impl Iterator<Item = &Json> {
        let pairs = self.records.iter().zip(&self.ids);
        pairs.filter(|(_, id)| !self.known.contains(id)).map(|(json, _)| json)
    }
}

/// The rest of a page.
pub(super) struct Left {
    /// The token that asks for it.
    token: PageToken,
    records: Vec<Result<Record, BadRecord>>,
    /// Where the scan goes on behind it.
    next: Option<PageToken>,
}

/// A page token: the collection, the place, and the part of the page where it was too long.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Token {
    collection: String,
    place: Place,
    #[serde(default)]
    part: u32,
}

impl RestSource {
    /// The API's host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.host()
    }

    pub(super) fn filling(&self) -> Filling<'_> {
        Filling { base: &self.base, headers: &self.headers, variables: &self.variables }
    }

    pub(super) fn place(&self, what: &str) -> String {
        format!("{} {what}", self.description.api.name)
    }

    pub(super) fn spec(&self, collection: &Collection) -> Result<&CollectionSpec, SourceError> {
        self.description.collections.get(collection.as_str()).ok_or_else(|| {
            let known: Vec<&str> = self.description.collections().collect();
            let message = format!(
                "{} has no collection `{collection}`; it has `{}`",
                self.description.api.name,
                known.join("`, `")
            );
            SourceError::new(SourceErrorKind::NoSuchCollection, message)
        })
    }

    fn structure(&self, call: &str, why: &str) -> SourceError {
        SourceError::new(SourceErrorKind::Structure, format!("{}: {why}", self.place(call)))
    }

    /// Makes a call that only reads.
    pub(super) async fn ask(
        &self,
        call: &CallSpec,
        own: &[(&str, &str)],
        asked: &Asked,
        lane: Lane,
    ) -> Result<Answer, CallError> {
        let prepared = self
            .filling()
            .request(call, own, asked, None)
            .map_err(|why| CallError::Halt(self.structure(&call.name, &why)))?;
        self.caller.call(&prepared, Idempotency::Safe, lane).await
    }

    /// An error of a call where no single record is at fault.
    pub(super) fn failed(&self, call: &str, error: CallError) -> SourceError {
        match error {
            CallError::Refused(refused) => self.caller.of_refused(&self.place(call), &refused),
            CallError::NotNow(error) | CallError::Unknown(error) | CallError::Halt(error) => error,
        }
    }

    /// One page of a list: its records as JSON, and where to go on.
    pub(super) async fn page(
        &self,
        list: &ListSpec,
        key: &super::pointer::Pointer,
        own: &[(&str, &str)],
        place: &Place,
        lane: Lane,
    ) -> Result<Listed, SourceError> {
        let asked = asked(&list.pages, place);
        let name = &list.call.name;
        let answer = match self.ask(&list.call, own, &asked, lane).await {
            Ok(answer) => answer,
            Err(CallError::Refused(refused)) if forgot(&refused) && *place != Place::default() => {
                return Err(stale(&self.place(name), "the API no longer knows this place in the list"));
            }
            Err(error) => return Err(self.failed(name, error)),
        };
        let Answer { headers, mut json, .. } = answer;
        let records = match json.pointer_mut(list.records.as_str()).map(Json::take) {
            Some(Json::Array(records)) => records,
            // Some write an empty list so.
            Some(Json::Null) => Vec::new(),
            found => {
                let is = found.map_or("nothing", |_| "no list");
                let at = list.records.as_str();
                let why = format!("there is {is} at `{at}` of the answer; correct `records`");
                return Err(self.structure(name, &why));
            }
        };
        let met = Met::of(&list.pages, key, &records, &json, &headers);
        let Turn { next, known } = step(&list.pages, place, &met).map_err(|fault| {
            let kind = if fault.passes() { SourceErrorKind::StaleToken } else { SourceErrorKind::Structure };
            SourceError::new(kind, format!("{}: {fault}", self.place(name)))
        })?;
        Ok(Listed { records, ids: met.ids, known, next })
    }

    /// How the records of a collection are read; found out from a first page where it is not described.
    pub(super) async fn reading(&self, collection: &Collection) -> Result<Reading, SourceError> {
        let spec = self.spec(collection)?;
        let name = collection.as_str();
        if let Some(fields) = &spec.fields {
            return Ok(Reading::new(self.place(name), spec.key.clone(), fields.clone(), false));
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(reading) = known {
            return Ok(reading);
        }
        let place = Place::default().sized(&spec.list.pages, usize::MAX);
        let page = self.page(&spec.list, &spec.key, &[], &place, Lane::Live).await?;
        let reading = self.found_out(name, spec, &page.records);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), reading.clone());
        Ok(reading)
    }

    fn found_out(&self, name: &str, spec: &CollectionSpec, records: &[Json]) -> Reading {
        let id = spec.key.only_step();
        let mut fields: Vec<FieldSpec> = Vec::new();
        for (name, json) in records.iter().filter_map(Json::as_object).flatten() {
            let kind = match json {
                Json::Null => None,
                Json::Bool(_) => Some(PropertyKind::Bool),
                Json::Number(_) => Some(PropertyKind::Number),
                Json::String(_) => Some(PropertyKind::Text),
                Json::Array(_) | Json::Object(_) => Some(PropertyKind::Json),
            };
            match fields.iter_mut().find(|field| field.name == *name) {
                None => {
                    let mut field = undescribed(name, kind.unwrap_or(PropertyKind::Text));
                    field.read_only = Some(name) == id.as_ref();
                    field.required = field.read_only;
                    fields.push(field);
                }
                // What differs from record to record is taken as it comes.
                Some(field) if kind.is_some_and(|kind| kind != field.kind) => field.kind = PropertyKind::Json,
                Some(_) => {}
            }
        }
        Reading::new(self.place(name), spec.key.clone(), fields, true)
    }

    /// One record by its id, with the answer it came in; `None` where there is none.
    pub(super) async fn get(
        &self,
        get: &GetSpec,
        spec: &CollectionSpec,
        id: &ExternalId,
    ) -> Result<Option<(Json, Answer)>, CallError> {
        let mut answer =
            match self.ask(&get.call, &[("id", id.as_str())], &Asked::default(), Lane::Live).await {
                Ok(answer) => answer,
                Err(CallError::Refused(Refused { kind: RefusedKind::Gone, .. })) => return Ok(None),
                Err(error) => return Err(error),
            };
        let found = answer.json.pointer_mut(get.record.as_str()).map(Json::take);
        match found {
            None | Some(Json::Null) => Ok(None),
            Some(json) if is_deleted(spec, &json) => Ok(None),
            Some(json) => Ok(Some((json, answer))),
        }
    }

    async fn by_get(
        &self,
        get: &GetSpec,
        spec: &CollectionSpec,
        reading: &Reading,
        id: &ExternalId,
    ) -> Result<Option<Record>, SourceError> {
        let found = self.get(get, spec, id).await.map_err(|error| self.failed(&get.call.name, error))?;
        let Some((json, _)) = found else { return Ok(None) };
        self.sole(get, reading, &json, id).map(Some)
    }

    /// The record of an answer that has to be of this id.
    pub(super) fn sole(
        &self,
        get: &GetSpec,
        reading: &Reading,
        json: &Json,
        id: &ExternalId,
    ) -> Result<Record, SourceError> {
        let reading = reading.widened(std::slice::from_ref(json));
        let record = reading
            .record(json)
            .map_err(|bad| self.structure(&get.call.name, &format!("{}; {}", bad.reason, bad.remedy)))?;
        if record.id() == id {
            return Ok(record);
        }
        let why = "the answer is of another record than was asked for; correct `record`, `path` or `key`";
        Err(self.structure(&get.call.name, why))
    }

    pub(super) async fn by_batch(
        &self,
        collection: &Collection,
        spec: &CollectionSpec,
        reading: &Reading,
        ids: &[ExternalId],
    ) -> Result<HashMap<ExternalId, Record>, SourceError> {
        let Some(batch) = &spec.batch else { return Ok(HashMap::new()) };
        let mut found = HashMap::new();
        for chunk in ids.chunks(batch.max) {
            // An id that holds the separator would be read as two; it is read by itself.
            let listed: Vec<&str> =
                chunk.iter().map(ExternalId::as_str).filter(|id| !id.contains(&batch.separator)).collect();
            if listed.is_empty() {
                continue;
            }
            let listed = listed.join(&batch.separator);
            let name = &batch.call.name;
            let answer = self.ask(&batch.call, &[("ids", &listed)], &Asked::default(), Lane::Live).await;
            let answer = answer.map_err(|error| self.failed(name, error))?;
            let Some(Json::Array(records)) = answer.json.pointer(batch.records.as_str()) else {
                let at = batch.records.as_str();
                return Err(self.structure(name, &format!("there is no list at `{at}` of the answer")));
            };
            let reading = reading.widened(records);
            for json in records.iter().filter(|json| !is_deleted(spec, json)) {
                let record = reading.record(json).map_err(|bad| {
                    self.structure(collection.as_str(), &format!("{}; {}", bad.reason, bad.remedy))
                })?;
                found.insert(record.id().clone(), record);
            }
        }
        Ok(found)
    }

    async fn by_scan(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<HashMap<ExternalId, Record>, SourceError> {
        let mut found = HashMap::new();
        let mut after = None;
        loop {
            let request = ReadRequest { collection: collection.clone(), after, max: 1_000 };
            let page = self.read_page(&request).await?;
            for record in page.records.into_iter().flatten().filter(|record| ids.contains(record.id())) {
                found.insert(record.id().clone(), record);
            }
            match page.next {
                Some(next) if ids.iter().any(|id| !found.contains_key(id)) => after = Some(next),
                _ => return Ok(found),
            }
        }
    }

    /// Takes at most `max` records, and keeps the rest for the token that follows.
    fn split(
        &self,
        mut token: Token,
        mut records: Vec<Result<Record, BadRecord>>,
        max: usize,
        next: Option<PageToken>,
    ) -> Result<Page, SourceError> {
        let max = max.max(1);
        if records.len() <= max {
            return Ok(Page { records, next });
        }
        let rest = records.split_off(max);
        token.part += 1;
        let following = written(&token)?;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|known| known.token != following);
        if left.len() >= LEFT_MAX {
            left.pop_front();
        }
        left.push_back(Left { token: following.clone(), records: rest, next });
        Ok(Page { records, next: Some(following) })
    }

    fn taken(&self, token: &PageToken) -> Option<Left> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let place = left.iter().position(|known| known.token == *token)?;
        left.remove(place)
    }
}

/// Whether a refusal is about the place in the list rather than the call.
fn forgot(refused: &Refused) -> bool {
    matches!(refused.status, 400 | 404 | 410 | 422)
}

pub(super) fn is_deleted(spec: &CollectionSpec, json: &Json) -> bool {
    spec.deleted.as_ref().and_then(|at| at.get(json)).is_some_and(is_true)
}

fn stale(place: &str, why: &str) -> SourceError {
    SourceError::new(SourceErrorKind::StaleToken, format!("{place}: {why}; start the scan anew"))
}

fn written<T: Serialize>(token: &T) -> Result<PageToken, SourceError> {
    serde_json::to_string(token).map(PageToken).map_err(|error| {
        SourceError::new(SourceErrorKind::Structure, "a place in a list cannot be written down")
            .caused_by(error)
    })
}

#[async_trait]
impl Source for RestSource {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let mut schemas = Vec::new();
        for (name, spec) in &self.description.collections {
            let reading = self.reading(&Collection::new(name.as_str())).await?;
            let id = spec.key.only_step();
            let properties = reading.fields.iter().map(|field| {
                let mut property = Property::new(field.name.as_str(), field.kind);
                property.required = field.required;
                property.read_only = field.read_only;
                property.unique = Some(&field.name) == id.as_ref();
                property.options.clone_from(&field.options);
                property
            });
            schemas.push(Schema { name: name.clone(), properties: properties.collect() });
        }
        Ok(schemas)
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let spec = self.spec(&request.collection)?;
        let name = request.collection.as_str();
        let token = match &request.after {
            None => Token { collection: name.to_owned(), ..Token::default() },
            Some(token) => serde_json::from_str::<Token>(&token.0)
                .ok()
                .filter(|token| token.collection == name)
                .ok_or_else(|| stale(&self.place(name), "the page token is not one of this collection"))?,
        };
        if let Some(after) = &request.after
            && let Some(Left { records, next, .. }) = self.taken(after)
        {
            return self.split(token, records, request.max, next);
        }
        let reading = self.reading(&request.collection).await?;
        let place = token.place.clone().sized(&spec.list.pages, request.max);
        let page = self.page(&spec.list, &spec.key, &[], &place, Lane::Backfill).await?;
        let reading = reading.widened(&page.records);
        let kept = page.fresh().filter(|json| !is_deleted(spec, json));
        let read = kept.map(|json| reading.record(json)).collect();
        let next = match page.next {
            Some(place) => Some(written(&Token { collection: name.to_owned(), place, part: 0 })?),
            None => None,
        };
        self.split(Token { place, ..token }, read, request.max, next)
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let spec = self.spec(collection)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let reading = self.reading(collection).await?;
        if spec.get.is_none() && spec.batch.is_none() {
            let found = self.by_scan(collection, ids).await?;
            return Ok(ids.iter().map(|id| found.get(id).cloned()).collect());
        }
        let mut found = self.by_batch(collection, spec, &reading, ids).await?;
        if let Some(get) = &spec.get {
            // What a batch leaves out may only have been cut off: each is looked for by itself.
            let missing: Vec<&ExternalId> = ids.iter().filter(|id| !found.contains_key(*id)).collect();
            for chunk in missing.chunks(TOGETHER) {
                let calls = chunk.iter().map(|id| self.by_get(get, spec, &reading, id));
                for (id, record) in chunk.iter().zip(join_all(calls).await) {
                    if let Some(record) = record? {
                        found.insert((*id).clone(), record);
                    }
                }
            }
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    fn abilities(&self, collection: &Collection) -> Abilities {
        let Ok(spec) = self.spec(collection) else { return Abilities::default() };
        let is_keyed = spec.get.is_some() || spec.batch.is_some();
        let steady = matches!(spec.list.pages.kind, PageKind::Keyset { ties: None, .. });
        Abilities {
            scan: if steady { ScanPromise::Steady } else { ScanPromise::Whole },
            read: if is_keyed { ReadCost::Keyed } else { ReadCost::Scan },
            changes: spec.since.as_ref().map(|since| ChangesPromise { deletes: since.deletes }),
        }
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        let spec = self.spec(&request.collection)?;
        let name = request.collection.as_str();
        let (Some(since), Some(modified)) = (&spec.since, &spec.modified) else {
            let message =
                format!("the collection {name} cannot be asked for changes: describe `since`, or scan it");
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        };
        let now = self.caller.clock().now();
        let course = match &request.after {
            None => {
                let course = Course::from_now(now);
                let cursor = ChangeCursor(written(&course)?.0);
                return Ok(ChangesPage { changes: Vec::new(), cursor, caught_up: true });
            }
            Some(cursor) => serde_json::from_str::<Course>(&cursor.0)
                .map_err(|_| stale(&self.place(name), "the cursor is not one of this collection"))?,
        };
        let span = course.span(since, now);
        let (from, to) = span.bounds(since.format);
        let own = [("from", from.as_str()), ("to", to.as_str())];
        let place = span.place.clone().sized(&since.list.pages, request.max);
        let page = self.page(&since.list, &spec.key, &own, &place, Lane::Live).await?;
        // All of them: one that was told before may have changed again since.
        let Listed { records, next, .. } = page;
        let reading = Reading::new(self.place(name), spec.key.clone(), Vec::new(), true);
        let changes = records.iter().filter_map(|json| {
            // One without an id cannot be named; a scan tells of it.
            Some(SourceChange { id: reading.id(json)?, deleted: since.deletes && is_deleted(spec, json) })
        });
        let changes = changes.collect();
        let times = records
            .iter()
            .filter_map(|json| modified.at.text(json).and_then(|text| moment::parse(&text, modified.format)));
        let newest = times.max();
        if newest.is_none() && !records.is_empty() {
            let at = modified.at.as_str();
            let why = format!("no record has a time of change at `{at}`; correct `modified` or its format");
            return Err(self.structure(&since.list.call.name, &why));
        }
        let (course, caught_up) = course.after(since, span, newest, next);
        Ok(ChangesPage { changes, cursor: ChangeCursor(written(&course)?.0), caught_up })
    }

    fn writer(self: Arc<Self>) -> Option<Arc<dyn SourceWriter>> {
        let can = self.write && self.description.collections().any(|name| self.description.is_written(name));
        can.then_some(self as Arc<dyn SourceWriter>)
    }
}
