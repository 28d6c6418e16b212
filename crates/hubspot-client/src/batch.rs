//! Batches of records: inputs borrowed from the caller, one request each, every input accounted for.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use http_transport::Idempotency;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::associations::AssociationType;
use crate::call::{Answer, Call, decode};
use crate::error::Error;
use crate::objects::Objects;
use crate::outcome::{BatchOutcome, InputNames, RowOutcome, UnknownReason, Written, account};
use crate::record::Record;
use crate::refusal::ErrorBody;
use crate::wire::{null_as_default, to_body};

/// The most inputs of one batch (HubSpot docs: CRM objects).
pub(crate) const BATCH_MAX: usize = 100;

/// Names and values of the properties to write. The empty text clears a property.
pub type PropertyValues<'a> = &'a [(&'a str, &'a str)];

/// An input of a batch create. `Debug` shows no value.
#[derive(Clone, Copy)]
pub struct CreateRow<'a> {
    /// The values.
    pub properties: PropertyValues<'a>,
    /// Associations to make along with it.
    pub associations: &'a [NewAssociation<'a>],
}

/// An association of a record that is being created.
#[derive(Clone, Debug)]
pub struct NewAssociation<'a> {
    /// The other record, which exists.
    pub to: &'a str,
    /// The association's types, in the direction from the new record.
    pub types: Vec<AssociationType>,
}

/// An input of a batch update, by record id. `Debug` shows no value.
#[derive(Clone, Copy)]
pub struct UpdateRow<'a> {
    /// The record.
    pub id: &'a str,
    /// The values; properties not named stay as they are.
    pub properties: PropertyValues<'a>,
}

/// An input of a batch upsert. `Debug` shows no value.
#[derive(Clone, Copy)]
pub struct UpsertRow<'a> {
    /// The value of the unique property that names the record.
    pub key: &'a str,
    /// The values; the key need not be repeated.
    pub properties: PropertyValues<'a>,
}

/// What to read of which records.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadRequest<'a> {
    /// The property that the keys are values of; record ids when `None`.
    pub id_property: Option<&'a str>,
    /// Properties to answer, besides those HubSpot always answers.
    pub properties: &'a [&'a str],
    /// Properties whose earlier values to answer; halves the batch HubSpot takes.
    pub properties_with_history: &'a [&'a str],
    /// Read from the recycling bin instead.
    pub archived: bool,
}

/// What was found under one key of a batch read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadRow {
    /// The record.
    Found(Box<Record>),
    /// No such record, by HubSpot's word or its silence.
    Missing,
    /// The answer holds records that match no key (records merged into others, or keys that HubSpot resolves in a way of
    /// its own, such as a secondary e-mail), so its silence about this key proves nothing: get it singly.
    Unclear,
}

/// An input as it is written: `objectWriteTraceId` is its index, which makes HubSpot judge each row by itself and name it
/// in its answer.
#[derive(Serialize)]
struct Input<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "idProperty", skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    #[serde(serialize_with = "as_map")]
    properties: PropertyValues<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    associations: Option<Vec<AssociationInput<'a>>>,
    #[serde(rename = "objectWriteTraceId", serialize_with = "as_text")]
    trace_id: usize,
}

#[derive(Serialize)]
pub(crate) struct AssociationInput<'a> {
    to: ToInput<'a>,
    types: &'a [AssociationType],
}

#[derive(Serialize)]
struct ToInput<'a> {
    id: &'a str,
}

impl<'a> From<&'a NewAssociation<'a>> for AssociationInput<'a> {
    fn from(association: &'a NewAssociation<'a>) -> Self {
        Self { to: ToInput { id: association.to }, types: &association.types }
    }
}

fn as_text<S: Serializer>(index: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(index)
}

pub(crate) fn as_map<S: Serializer>(values: &PropertyValues<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, value) in *values {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

#[derive(Serialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

#[derive(Deserialize)]
struct WriteAnswer {
    #[serde(default = "Vec::new")]
    results: Vec<Record>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<ErrorBody>,
}

impl Objects {
    /// Creates records. Not repeated after a lost answer: HubSpot would create them again.
    ///
    /// # Errors
    /// An error promises that no input was written. Inputs whose fate is open are
    /// [`RowOutcome::Unknown`] in an `Ok`.
    pub async fn batch_create(&self, rows: &[CreateRow<'_>]) -> Result<BatchOutcome<Written>, Error> {
        let inputs = rows.iter().enumerate().map(|(trace_id, row)| Input {
            id: None,
            id_property: None,
            properties: row.properties,
            associations: Some(row.associations.iter().map(AssociationInput::from).collect()),
            trace_id,
        });
        let names = InputNames::new(rows.iter().map(|_| None), None);
        self.write_batch("create", inputs, &names, Idempotency::Once).await
    }

    /// Changes records by id. Ids of records merged away are refused by HubSpot; e-mails as keys are ignored by it, which
    /// is why only record ids are taken here.
    ///
    /// # Errors
    /// As [`batch_create`](Self::batch_create).
    pub async fn batch_update(&self, rows: &[UpdateRow<'_>]) -> Result<BatchOutcome<Written>, Error> {
        let inputs = rows.iter().enumerate().map(|(trace_id, row)| Input {
            id: Some(row.id),
            id_property: None,
            properties: row.properties,
            associations: None,
            trace_id,
        });
        let names = InputNames::new(rows.iter().map(|row| Some(row.id)), None);
        self.write_batch("update", inputs, &names, Idempotency::Idempotent).await
    }

    /// Creates or changes records by a unique property: the only way of creating that is safe to repeat.
    ///
    /// # Errors
    /// As [`batch_create`](Self::batch_create).
    pub async fn batch_upsert(
        &self,
        id_property: &str,
        rows: &[UpsertRow<'_>],
    ) -> Result<BatchOutcome<Written>, Error> {
        let inputs = rows.iter().enumerate().map(|(trace_id, row)| Input {
            id: Some(row.key),
            id_property: Some(id_property),
            properties: row.properties,
            associations: None,
            trace_id,
        });
        let names = InputNames::new(rows.iter().map(|row| Some(row.key)), Some(id_property));
        self.write_batch("upsert", inputs, &names, Idempotency::Idempotent).await
    }

    /// As [`batch_create`](Self::batch_create), and when HubSpot refuses the whole batch because of some rows, finds and
    /// rejects those and writes the others. Takes any number of rows.
    ///
    /// # Errors
    /// Only when nothing at all was written; rows left out after a failure in between are
    /// [`UnknownReason::NotAttempted`].
    pub async fn batch_create_isolating(
        &self,
        rows: &[CreateRow<'_>],
    ) -> Result<BatchOutcome<Written>, Error> {
        let properties = |index: usize| rows.get(index).map(|row| row.properties);
        isolate(rows.len(), properties, |range| self.batch_create(rows.get(range).unwrap_or_default())).await
    }

    /// As [`batch_update`](Self::batch_update), isolating rows as in
    /// [`batch_create_isolating`](Self::batch_create_isolating).
    ///
    /// # Errors
    /// As there.
    pub async fn batch_update_isolating(
        &self,
        rows: &[UpdateRow<'_>],
    ) -> Result<BatchOutcome<Written>, Error> {
        let properties = |index: usize| rows.get(index).map(|row| row.properties);
        isolate(rows.len(), properties, |range| self.batch_update(rows.get(range).unwrap_or_default())).await
    }

    /// As [`batch_upsert`](Self::batch_upsert), isolating rows as in
    /// [`batch_create_isolating`](Self::batch_create_isolating).
    ///
    /// # Errors
    /// As there.
    pub async fn batch_upsert_isolating(
        &self,
        id_property: &str,
        rows: &[UpsertRow<'_>],
    ) -> Result<BatchOutcome<Written>, Error> {
        let properties = |index: usize| rows.get(index).map(|row| row.properties);
        isolate(rows.len(), properties, |range| {
            self.batch_upsert(id_property, rows.get(range).unwrap_or_default())
        })
        .await
    }

    /// Puts records into the recycling bin. HubSpot answers the same whether they existed or not.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn batch_archive(&self, ids: &[&str]) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Id<'a> {
            id: &'a str,
        }
        if ids.is_empty() {
            return Ok(());
        }
        check_size(ids.len(), BATCH_MAX)?;
        let inputs = Inputs { inputs: ids.iter().map(|id| Id { id }).collect() };
        let body = to_body(&inputs, ids.len() * 24 + 16)?;
        let call = Call::post(self.path("/batch/archive"), body).idempotency(Idempotency::Idempotent);
        self.client().perform(call).await
    }

    /// Reads records by id or by a unique property; one answer per key, in the order of the keys.
    ///
    /// # Errors
    /// When the call fails. Reading again is always safe.
    pub async fn batch_read(&self, keys: &[&str], request: &ReadRequest<'_>) -> Result<Vec<ReadRow>, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            properties: BTreeSet<&'a str>,
            properties_with_history: &'a [&'a str],
            #[serde(skip_serializing_if = "Option::is_none")]
            id_property: Option<&'a str>,
            inputs: Vec<Key<'a>>,
        }
        #[derive(Serialize)]
        struct Key<'a> {
            id: &'a str,
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let history = !request.properties_with_history.is_empty();
        check_size(keys.len(), if history { BATCH_MAX / 2 } else { BATCH_MAX })?;
        // Without the key among the answered values, an answer could not be matched to its input.
        let properties = request.properties.iter().copied().chain(request.id_property).collect();
        // A key given twice is sent once: HubSpot answers it once.
        let distinct: BTreeSet<&str> = keys.iter().copied().collect();
        let body = Body {
            properties,
            properties_with_history: request.properties_with_history,
            id_property: request.id_property,
            inputs: distinct.into_iter().map(|id| Key { id }).collect(),
        };
        let path = self.path(if request.archived { "/batch/read?archived=true" } else { "/batch/read" });
        let call = Call::post(path, to_body(&body, keys.len() * 24 + 512)?).idempotency(Idempotency::Safe);
        let answer: WriteAnswer = self.client().fetch(call).await?;
        let names = InputNames::new(keys.iter().map(|key| Some(*key)), request.id_property);
        Ok(match_reads(&names, keys.len(), answer.results, &answer.errors))
    }

    async fn write_batch<'a>(
        &self,
        operation: &str,
        inputs: impl ExactSizeIterator<Item = Input<'a>>,
        names: &InputNames<'_>,
        idempotency: Idempotency,
    ) -> Result<BatchOutcome<Written>, Error> {
        let count = inputs.len();
        if count == 0 {
            return Ok(BatchOutcome { rows: Vec::new(), cause: None });
        }
        check_size(count, BATCH_MAX)?;
        // About what a record of twenty short properties takes.
        let body = to_body(&Inputs { inputs: inputs.collect() }, count * 1_024)?;
        let call = Call::post(self.path(&format!("/batch/{operation}")), body).idempotency(idempotency);
        match self.client().send(&call).await {
            Ok(answer) => Ok(read_write_answer(names, count, &answer)),
            Err(error) if error.outcome_unknown() => {
                Ok(BatchOutcome::all_unknown(count, UnknownReason::NoAnswer, Some(error)))
            }
            Err(error) => {
                let input = offending(count, &error);
                Err(error.with_input(input))
            }
        }
    }
}

/// The one input that the refusal of a whole batch names by its trace id.
fn offending(count: usize, error: &Error) -> Option<usize> {
    match error.refusal()?.trace_ids.as_slice() {
        [trace_id] => trace_id.parse().ok().filter(|index| *index < count),
        _ => None,
    }
}

fn read_write_answer(names: &InputNames<'_>, count: usize, answer: &Answer) -> BatchOutcome<Written> {
    match decode_leniently(&answer.body) {
        Ok(read) => {
            BatchOutcome { rows: account(names, read.results, &read.errors, answer.repeated), cause: None }
        }
        Err(error) => {
            let error = error
                .with_status(answer.status)
                .with_correlation(answer.correlation_id.clone())
                .with_outcome_unknown();
            BatchOutcome::all_unknown(count, UnknownReason::Unreadable, Some(error))
        }
    }
}

/// Reads a batch answer; if one result is odd, reads the others without it, so that it alone becomes unknown.
fn decode_leniently(body: &[u8]) -> Result<WriteAnswer, Error> {
    #[derive(Deserialize)]
    struct Guarded<'a> {
        #[serde(borrow, default = "Vec::new")]
        results: Vec<&'a serde_json::value::RawValue>,
        #[serde(borrow, default = "Vec::new")]
        errors: Vec<&'a serde_json::value::RawValue>,
    }
    decode(body).or_else(|error| {
        let guarded: Guarded<'_> = serde_json::from_slice(body).map_err(|_| error)?;
        Ok(WriteAnswer {
            results: guarded.results.iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect(),
            errors: guarded.errors.iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect(),
        })
    })
}

fn match_reads(
    names: &InputNames<'_>,
    count: usize,
    results: Vec<Record>,
    errors: &[ErrorBody],
) -> Vec<ReadRow> {
    let mut rows: Vec<Option<ReadRow>> = std::iter::repeat_with(|| None).take(count).collect();
    let mut stray = false;
    for record in results {
        let Some((first, others)) = names.of_record(&record).split_first() else {
            stray = true;
            continue;
        };
        for index in others {
            if let Some(row) = rows.get_mut(*index) {
                *row = Some(ReadRow::Found(Box::new(record.clone())));
            }
        }
        if let Some(row) = rows.get_mut(*first) {
            *row = Some(ReadRow::Found(Box::new(record)));
        }
    }
    for index in errors.iter().flat_map(|entry| names.of_error(entry)) {
        if let Some(row @ None) = rows.get_mut(index) {
            *row = Some(ReadRow::Missing);
        }
    }
    let silence = if stray { ReadRow::Unclear } else { ReadRow::Missing };
    rows.into_iter().map(|row| row.unwrap_or_else(|| silence.clone())).collect()
}

pub(crate) fn check_size(count: usize, max: usize) -> Result<(), Error> {
    if count > max {
        return Err(Error::invalid_request(format!(
            "a batch of {count} inputs; HubSpot takes at most {max}"
        )));
    }
    Ok(())
}

/// Writes ranges of rows, parting a range that HubSpot refuses because of its data, until the rows at fault are alone.
///
/// Only definite refusals part a range: after an unknown outcome nothing is sent again.
pub(crate) async fn isolate<'a, T, F>(
    count: usize,
    properties: impl Fn(usize) -> Option<PropertyValues<'a>>,
    mut write: impl FnMut(Range<usize>) -> F,
) -> Result<BatchOutcome<T>, Error>
where
    F: Future<Output = Result<BatchOutcome<T>, Error>>,
{
    let mut rows: Vec<Option<RowOutcome<T>>> = std::iter::repeat_with(|| None).take(count).collect();
    let mut todo: VecDeque<Range<usize>> =
        (0..count).step_by(BATCH_MAX).map(|start| start..(start + BATCH_MAX).min(count)).collect();
    let mut cause = None;
    let mut written_any = false;
    while let Some(range) = todo.pop_front() {
        match write(range.clone()).await {
            Ok(outcome) => {
                written_any = true;
                cause = cause.or(outcome.cause);
                for (slot, row) in rows.iter_mut().skip(range.start).zip(outcome.rows) {
                    *slot = Some(row);
                }
            }
            Err(error) if error.is_about_data() => {
                let guilty = guilty_rows(&error, &range, &properties);
                if let Some(refusal) = error.refusal() {
                    for index in &guilty {
                        if let Some(slot) = rows.get_mut(*index) {
                            *slot = Some(RowOutcome::Rejected(Box::new(refusal.clone())));
                        }
                    }
                }
                for part in parts(range, &guilty).into_iter().rev() {
                    todo.push_front(part);
                }
            }
            // Not the data's fault: sending more of it would fail as well.
            Err(error) if written_any || rows.iter().any(Option::is_some) => {
                cause = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let rows =
        rows.into_iter().map(|row| row.unwrap_or(RowOutcome::Unknown(UnknownReason::NotAttempted))).collect();
    Ok(BatchOutcome { rows, cause })
}

/// The rows of a refused range that are certainly at fault: the one named, the only one, or, when a property itself is
/// at fault, every row that has it.
fn guilty_rows<'a>(
    error: &Error,
    range: &Range<usize>,
    properties: &impl Fn(usize) -> Option<PropertyValues<'a>>,
) -> Vec<usize> {
    if range.len() == 1 {
        return vec![range.start];
    }
    if let Some(named) = error.offending_input() {
        return vec![range.start + named];
    }
    const ABOUT_THE_PROPERTY: [&str; 2] = ["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"];
    let at_fault: Vec<&str> = error
        .details()
        .iter()
        .filter(|detail| detail.code.as_deref().is_some_and(|code| ABOUT_THE_PROPERTY.contains(&code)))
        .filter_map(|detail| detail.property.as_deref())
        .collect();
    range
        .clone()
        .filter(|index| {
            properties(*index).is_some_and(|row| row.iter().any(|(name, _)| at_fault.contains(name)))
        })
        .collect()
}

/// What is left of a range: its runs between the guilty rows, or its halves when none is known.
fn parts(range: Range<usize>, guilty: &[usize]) -> Vec<Range<usize>> {
    if guilty.is_empty() {
        let middle = range.start + range.len() / 2;
        return vec![range.start..middle, middle..range.end];
    }
    let mut parts = Vec::new();
    let mut start = range.start;
    for index in guilty.iter().copied().chain([range.end]) {
        if start < index {
            parts.push(start..index);
        }
        start = index + 1;
    }
    parts
}

#[cfg(test)]
mod tests;
