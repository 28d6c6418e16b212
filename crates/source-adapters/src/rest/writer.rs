//! The described API as a [`SourceWriter`]: one record at a time, each looked at before it is changed.

use async_trait::async_trait;
use futures_util::future::join_all;
use http::header::{ETAG, HeaderValue, IF_MATCH};
use http_transport::{Idempotency, Lane};
use serde_json::{Map, Value as Json};
use sync_types::{
    Collection, ExternalId, Guard, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, Record, Rejection,
    Seen, SourceError, SourceErrorKind, SourceWriter, SyncKey, Value, Writes,
};

use super::answer::{Answer, Refused, RefusedKind};
use super::caller::CallError;
use super::description::{CallSpec, CollectionSpec, CreateSpec, GetSpec, ListSpec, Once, UpdateSpec};
use super::paging::{Asked, Place};
use super::pointer::{Pointer, scalar};
use super::record::{Reading, put};
use super::source::{Listed, RestSource, is_deleted};

/// Most rows of a batch: each is a call or three of its own.
const ROWS_MAX: usize = 20;

/// Most pages that are looked through for a record with a token; a list that is asked for one gives one record.
const FIND_PAGES_MAX: usize = 20;

/// By this header an API says that it gave the answer to an earlier call under the same key once more.
const REPLAYED: &str = "idempotent-replayed";

/// Most records that are made under one token, one after the other was deleted, while the API knows its key.
const GENERATIONS_MAX: u32 = 5;

/// Why a row was not written, where the row itself is not at fault.
enum Stop {
    Row(LeftOutcome),
    /// All further rows meet the same end.
    All(SourceError),
}

/// What a row is written with.
struct Desk<'d> {
    source: &'d RestSource,
    spec: &'d CollectionSpec,
    get: &'d GetSpec,
    reading: Reading,
}

#[async_trait]
impl SourceWriter for RestSource {
    async fn write(&self, batch: &LeftBatch) -> Result<Vec<LeftOutcome>, SourceError> {
        let spec = self.spec(&batch.collection)?;
        let Some(get) = spec.get.as_ref().filter(|_| self.write) else {
            let message =
                format!("{} is only read; set `write = true`", self.place(batch.collection.as_str()));
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        };
        let reading = self.reading(&batch.collection).await?;
        let desk = Desk { source: self, spec, get, reading };
        let mut outcomes = Vec::with_capacity(batch.rows.len());
        let Some((first, others)) = batch.rows.split_first() else { return Ok(outcomes) };
        // What stops every row is found out by the first one, before another is under way.
        match desk.row(first).await {
            Ok(outcome) | Err(Stop::Row(outcome)) => outcomes.push(outcome),
            Err(Stop::All(error)) => return Err(error),
        }
        for chunk in others.chunks(4) {
            let done = join_all(chunk.iter().map(|row| desk.row(row))).await;
            outcomes.extend(done.into_iter().map(|done| match done {
                Ok(outcome) | Err(Stop::Row(outcome)) => outcome,
                Err(Stop::All(error)) => LeftOutcome::NotSent(error.message),
            }));
        }
        Ok(outcomes)
    }

    fn write_max(&self) -> usize {
        ROWS_MAX
    }

    fn writes(&self, collection: &Collection) -> Writes {
        let Some(spec) = self.spec(collection).ok().filter(|_| self.write) else { return Writes::NONE };
        let is_atomic = spec.get.as_ref().is_some_and(|get| get.etag);
        Writes {
            create: spec.create.is_some(),
            update: spec.update.is_some(),
            delete: spec.delete.is_some(),
            guard: if is_atomic { Guard::Atomic } else { Guard::Checked },
        }
    }
}

impl Desk<'_> {
    async fn row(&self, row: &LeftRow) -> Result<LeftOutcome, Stop> {
        match &row.verb {
            LeftVerb::Create => match &self.spec.create {
                Some(create) => self.create(create, &row.token, &row.fields).await,
                None => Ok(refused("not-writable", "the description does not say how a record is made")),
            },
            LeftVerb::Update(record) => match &self.spec.update {
                Some(update) => self.update(update, record, &row.fields).await,
                None => Ok(refused("not-writable", "the description does not say how a record is changed")),
            },
            LeftVerb::Delete(record) => match &self.spec.delete {
                Some(call) => self.delete(call, record).await,
                None => Ok(refused("not-writable", "the description does not say how a record is deleted")),
            },
        }
    }

    async fn create(
        &self,
        create: &CreateSpec,
        token: &SyncKey,
        fields: &[LeftField],
    ) -> Result<LeftOutcome, Stop> {
        let mut body = Json::Object(Map::new());
        for field in fields {
            put(&mut body, &self.reading, &field.path, &field.value).map_err(bad_field)?;
        }
        let name = match &create.once {
            Once::Header(name) => name,
            Once::Field { field, find } => {
                if let Some(made) = self.find(find, field, token).await? {
                    return Ok(LeftOutcome::Found(made));
                }
                put(&mut body, &self.reading, field, &Value::from(token.as_str())).map_err(bad_field)?;
                let made =
                    self.send(&create.call, None, &create.wrap, Some(body), &[], Idempotency::Once).await?;
                return Ok(match self.made(create, &made).await? {
                    Ok(record) => LeftOutcome::Written(record),
                    Err(unknown) => LeftOutcome::Unknown(unknown),
                });
            }
        };
        let mut unknown = String::new();
        for generation in 1..=GENERATIONS_MAX {
            let key = match generation {
                1 => token.as_str().to_owned(),
                more => format!("{}-{more}", token.as_str()),
            };
            let headers = [(name.as_str(), key.as_str())];
            let (wrap, once) = (&create.wrap, Idempotency::Idempotent);
            let answer = self.send(&create.call, None, wrap, Some(body.clone()), &headers, once).await?;
            match self.made(create, &answer).await? {
                // Whether it was made by this call or by an earlier one with the same key, few APIs tell.
                Ok(record) => return Ok(LeftOutcome::Found(record)),
                Err(why) => unknown = why,
            }
            // An old answer about a record that is gone by now: only another key makes a new one.
            if answer.headers.get(REPLAYED).is_none_or(|value| value.as_bytes() != b"true") {
                break;
            }
        }
        Ok(LeftOutcome::Unknown(unknown))
    }

    /// The record of an answer to a creation as it is now, or why it is not known. An answer that is given again for a
    /// repeated call shows what was, not what is.
    async fn made(&self, create: &CreateSpec, answer: &Answer) -> Result<Result<Record, String>, Stop> {
        let id = match (&create.id, &create.record) {
            (Some(at), _) => at.text(&answer.json).map(ExternalId::from),
            (None, Some(at)) => at.get(&answer.json).and_then(|json| self.reading.id(json)),
            (None, None) => None,
        };
        let Some(id) = id.filter(|id| !id.as_str().is_empty()) else {
            return Ok(Err(format!("{}: the answer has no id", create.call.name)));
        };
        let current = self.current(&id).await?;
        Ok(current
            .map(|(record, ..)| record)
            .ok_or_else(|| String::from("the new record cannot be read yet")))
    }

    /// The record that holds a token, if there is one.
    async fn find(&self, find: &ListSpec, field: &str, token: &SyncKey) -> Result<Option<Record>, Stop> {
        let own = [("token", token.as_str())];
        let mut place = Some(Place::default().sized(&find.pages, usize::MAX));
        let mut pages = 0;
        while let Some(here) = place.take().filter(|_| pages < FIND_PAGES_MAX) {
            pages += 1;
            let Listed { records, next, .. } = self
                .source
                .page(find, &self.spec.key, &own, &here, Lane::Live)
                .await
                .map_err(|error| Stop::Row(LeftOutcome::NotSent(error.message)))?;
            // A list that searches by words may give others as well.
            let holds = |json: &&Json| {
                json.get(field).and_then(scalar).is_some_and(|found| found == token.as_str())
                    && !is_deleted(self.spec, json)
            };
            if let Some(id) = records.iter().find(holds).and_then(|json| self.reading.id(json)) {
                return Ok(self.current(&id).await?.map(|(record, ..)| record));
            }
            place = next;
        }
        if place.is_some() {
            let message = format!("{}: the list is not narrowed by `{{token}}`", find.call.name);
            return Err(Stop::All(SourceError::new(SourceErrorKind::Structure, message)));
        }
        Ok(None)
    }

    async fn update(
        &self,
        update: &UpdateSpec,
        before: &Record,
        fields: &[LeftField],
    ) -> Result<LeftOutcome, Stop> {
        let Some((now, json, etag)) = self.current(before.id()).await? else { return Ok(LeftOutcome::Gone) };
        if fields.iter().any(|field| at(before, &field.path) != at(&now, &field.path)) {
            return Ok(LeftOutcome::Moved);
        }
        // A nested value is sent with all that stands beside it: most APIs replace it as a whole.
        let mut whole = json;
        for field in fields {
            put(&mut whole, &self.reading, &field.path, &field.value).map_err(bad_field)?;
        }
        let body = if update.whole { whole } else { narrowed(whole, &self.reading, fields) };
        let headers: Vec<(&str, &str)> =
            etag.as_deref().map(|etag| (IF_MATCH.as_str(), etag)).into_iter().collect();
        let id = Some(before.id());
        let answer =
            self.send(&update.call, id, &update.wrap, Some(body), &headers, Idempotency::Idempotent).await?;
        if let Some(json) = update.record.as_ref().and_then(|at| at.get(&answer.json))
            && let Ok(record) = self.reading.widened(std::slice::from_ref(json)).record(json)
            && record.id() == before.id()
        {
            return Ok(LeftOutcome::Written(record));
        }
        match self.current(before.id()).await {
            Ok(Some((record, ..))) => Ok(LeftOutcome::Written(record)),
            Ok(None) => Ok(LeftOutcome::Gone),
            // It was written; what it looks like now is not known.
            Err(_) => Ok(LeftOutcome::Unknown(String::from("it was written and could not be read again"))),
        }
    }

    async fn delete(&self, call: &CallSpec, before: &Record) -> Result<LeftOutcome, Stop> {
        let Some((now, _, etag)) = self.current(before.id()).await? else { return Ok(LeftOutcome::Gone) };
        let names = before.shape().names();
        if names.iter().any(|name| before.get(name) != now.get(name)) {
            return Ok(LeftOutcome::Moved);
        }
        let headers: Vec<(&str, &str)> =
            etag.as_deref().map(|etag| (IF_MATCH.as_str(), etag)).into_iter().collect();
        let root = Pointer::default();
        let id = Some(before.id());
        self.send(call, id, &root, None, &headers, Idempotency::Idempotent).await?;
        Ok(LeftOutcome::Deleted)
    }

    /// The record as it is, its JSON, and its entity tag where changes are made conditional.
    async fn current(&self, id: &ExternalId) -> Result<Option<(Record, Json, Option<String>)>, Stop> {
        let found = self.source.get(self.get, self.spec, id).await;
        let found = found.map_err(|error| match error {
            CallError::Halt(error) => Stop::All(error),
            error => {
                let failed = self.source.failed(&self.get.call.name, error);
                Stop::Row(LeftOutcome::NotSent(failed.message))
            }
        })?;
        let Some((json, answer)) = found else { return Ok(None) };
        let record = self.source.sole(self.get, &self.reading, &json, id).map_err(Stop::All)?;
        let etag = answer.headers.get(ETAG).and_then(|value| value.to_str().ok());
        // Only a strong tag says that nothing changed (RFC 9110, 8.8.3.2).
        let etag = etag.filter(|etag| self.get.etag && !etag.starts_with("W/")).map(str::to_owned);
        if self.get.etag && etag.is_none() {
            let message = format!(
                "{}: the answer has no strong ETag; remove `etag = true` from the description",
                self.source.place(&self.get.call.name)
            );
            return Err(Stop::All(SourceError::new(SourceErrorKind::Structure, message)));
        }
        Ok(Some((record, json, etag)))
    }

    async fn send(
        &self,
        call: &CallSpec,
        id: Option<&ExternalId>,
        wrap: &Pointer,
        body: Option<Json>,
        headers: &[(&str, &str)],
        idempotency: Idempotency,
    ) -> Result<Answer, Stop> {
        let own: Vec<(&str, &str)> = id.map(|id| ("id", id.as_str())).into_iter().collect();
        let body = body.map(|body| {
            let mut wrapped = Json::Null;
            wrap.set(&mut wrapped, body);
            wrapped
        });
        let unusable = |why: String| Stop::Row(refused("bad-value", &why));
        let filling = self.source.filling();
        let mut prepared = filling.request(call, &own, &Asked::default(), body).map_err(unusable)?;
        for (name, value) in headers {
            let (name, _) = super::request::header(name, "").map_err(unusable)?;
            let value = HeaderValue::from_str(value)
                .map_err(|_| unusable(String::from("the token cannot stand in a header")))?;
            prepared.headers.insert(name, value);
        }
        let sent = self.source.caller.call(&prepared, idempotency, Lane::Live).await;
        sent.map_err(|error| match error {
            CallError::Refused(refused) => self.refusal(call, id.is_some(), refused),
            CallError::NotNow(error) => Stop::Row(LeftOutcome::NotSent(error.message)),
            CallError::Unknown(error) => Stop::Row(LeftOutcome::Unknown(error.message)),
            CallError::Halt(error) => Stop::All(error),
        })
    }

    fn refusal(&self, call: &CallSpec, of_record: bool, told: Refused) -> Stop {
        match told.kind {
            RefusedKind::Gone if of_record => Stop::Row(LeftOutcome::Gone),
            RefusedKind::Moved => Stop::Row(LeftOutcome::Moved),
            RefusedKind::Gone | RefusedKind::Redirect => {
                Stop::All(self.source.failed(&call.name, CallError::Refused(told)))
            }
            RefusedKind::Http(_) | RefusedKind::Unreadable => {
                let status = told.status;
                let reason = told.reason.unwrap_or_else(|| String::from("it does not say why"));
                Stop::Row(refused("refused", &format!("the API refused it (status {status}): {reason}")))
            }
        }
    }
}

fn refused(code: &str, reason: &str) -> LeftOutcome {
    LeftOutcome::Rejected(Rejection {
        code: code.to_owned(),
        property: None,
        reason: reason.to_owned(),
        holder: None,
        correlation: None,
    })
}

fn bad_field(why: String) -> Stop {
    Stop::Row(refused("no-such-field", &why))
}

/// The value at a path of a record: a field's whole name, or steps between dots below one. What is not there is empty.
fn at<'r>(record: &'r Record, path: &str) -> &'r Value {
    const EMPTY: &Value = &Value::Null;
    let mut end = path.len();
    let mut value = loop {
        let name = path.get(..end).unwrap_or_default();
        if let Seen::Value(value) = record.get(name) {
            break value;
        }
        match name.rfind('.') {
            Some(dot) => end = dot,
            None => return EMPTY,
        }
    };
    for step in path.get(end..).unwrap_or_default().split('.').filter(|step| !step.is_empty()) {
        let next = match value {
            Value::Object(entries) => {
                entries.iter().find(|(name, _)| **name == *step).map(|(_, value)| value)
            }
            Value::List(items) => step.parse::<usize>().ok().and_then(|place| items.get(place)),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return EMPTY,
        }
    }
    value
}

/// Of a whole record, only the fields that are written.
fn narrowed(whole: Json, reading: &Reading, fields: &[LeftField]) -> Json {
    let Json::Object(entries) = whole else { return whole };
    let is_written = |name: &str| {
        fields.iter().any(|field| {
            let path: &str = &field.path;
            let rest = path.strip_prefix(name);
            reading.field(name).is_some() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    Json::Object(entries.into_iter().filter(|(name, _)| is_written(name)).collect())
}
