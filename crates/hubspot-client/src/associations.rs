//! Associations between records of two types.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use http::Method;
use http_transport::Idempotency;
use serde::{Deserialize, Serialize};

use crate::batch::check_size;
use crate::call::{Call, CallKind, decode};
use crate::client::Client;
use crate::error::Error;
use crate::object_type::{ObjectType, RecordId};
use crate::outcome::{BatchOutcome, Ledger, UnknownReason};
use crate::refusal::ErrorBody;
use crate::wire::{Collection, Paging, Query, encode, null_as_default, optional_text, to_body};

/// The most inputs of a batch of links (HubSpot docs: associations).
pub(crate) const LINKS_MAX: usize = 2_000;
/// The most inputs of a batch read (HubSpot docs: associations).
pub(crate) const READS_MAX: usize = 1_000;
/// The most inputs of a batch of removals; undocumented, reported by users of the API.
pub(crate) const REMOVALS_MAX: usize = 100;
const LIST_MAX: u32 = 500;

/// Associations from records of one type to records of another.
///
/// Type ids are directional: contact to company is not company to contact.
#[derive(Clone, Debug)]
pub struct Associations {
    client: Client,
    from: ObjectType,
    to: ObjectType,
}

/// Who defined an association type. Numbers are unique within a category only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssociationCategory {
    /// HubSpot.
    HubspotDefined,
    /// A user of the portal.
    UserDefined,
    /// An app.
    IntegratorDefined,
    /// A category this version does not know.
    #[serde(other)]
    Other,
}

/// A type of association, in the direction of the call it is used in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssociationType {
    /// Who defined it.
    #[serde(rename = "associationCategory")]
    pub category: AssociationCategory,
    /// Its number within category and direction.
    #[serde(rename = "associationTypeId")]
    pub type_id: u32,
}

/// Two records to link or unlink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Record of the first type.
    pub from: &'a str,
    /// Record of the second type.
    pub to: &'a str,
}

/// Two records and the types to set or remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelledPair<'a> {
    /// Record of the first type.
    pub from: &'a str,
    /// Record of the second type.
    pub to: &'a str,
    /// The types.
    pub types: &'a [AssociationType],
}

/// A record at the other end, with every type that holds between the two.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssociatedRecord {
    /// The other record.
    #[serde(rename = "toObjectId")]
    pub to: RecordId,
    /// The types that hold.
    #[serde(rename = "associationTypes", default, deserialize_with = "null_as_default")]
    pub types: Vec<AttachedType>,
}

/// A type that holds between two records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AttachedType {
    /// Who defined it.
    pub category: AssociationCategory,
    /// Its number.
    pub type_id: u32,
    /// Its label; `None` for a plain link.
    #[serde(default, deserialize_with = "optional_text")]
    pub label: Option<Box<str>>,
}

impl AttachedType {
    /// The type without its label.
    #[must_use]
    pub fn association_type(&self) -> AssociationType {
        AssociationType { category: self.category, type_id: self.type_id }
    }
}

/// What a batch read found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssociationRead {
    /// All associated records by the record asked for, complete. A record without associations is present and empty.
    pub by_record: BTreeMap<RecordId, Vec<AssociatedRecord>>,
    /// Records asked for that HubSpot says do not exist.
    pub missing: Vec<RecordId>,
}

#[derive(Clone, Serialize)]
struct Id<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct LinkInput<'a> {
    from: Id<'a>,
    to: Id<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<&'a [AssociationType]>,
}

#[derive(Serialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

/// A link in an answer: `{from: {id}, to: {id}}` or `{fromObjectId, toObjectId}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkResult {
    #[serde(default)]
    from: Option<IdResult>,
    #[serde(default)]
    to: Option<IdResult>,
    #[serde(default)]
    from_object_id: Option<RecordId>,
    #[serde(default)]
    to_object_id: Option<RecordId>,
}

#[derive(Deserialize)]
struct IdResult {
    id: RecordId,
}

#[derive(Deserialize)]
struct LinkAnswer {
    #[serde(default = "Vec::new")]
    results: Vec<LinkResult>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<ErrorBody>,
}

#[derive(Deserialize)]
struct ReadAnswer {
    #[serde(default = "Vec::new")]
    results: Vec<ReadResult>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<ErrorBody>,
}

#[derive(Deserialize)]
struct ReadResult {
    from: IdResult,
    #[serde(default, deserialize_with = "null_as_default")]
    to: Vec<AssociatedRecord>,
    #[serde(default)]
    paging: Option<Paging>,
}

impl Associations {
    pub(crate) fn new(client: Client, from: ObjectType, to: ObjectType) -> Self {
        Self { client, from, to }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn batch_path(&self, rest: &str) -> String {
        format!("{}/{}/{}{rest}", self.client.version().associations, self.from, self.to)
    }

    pub(crate) fn definition_path(&self, rest: &str) -> String {
        let base = &self.client.version().associations;
        format!("{base}/definitions/configurations/{}/{}{rest}", self.from, self.to)
    }

    fn record_path(&self, from: &str, rest: &str) -> String {
        let base = &self.client.version().record_associations;
        format!("{base}/{}/{}/associations{rest}", self.from, encode(from))
    }

    /// Links two records plainly. Repeating is harmless.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown.
    pub async fn link_default(&self, from: &str, to: &str) -> Result<(), Error> {
        let path = self.record_path(from, &format!("/default/{}/{}", self.to, encode(to)));
        self.client.perform(Call::new(Method::PUT, path, Bytes::new()).kind(CallKind::Association)).await
    }

    /// Sets the whole set of types between two records: types not named are removed, the plain link aside.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn link(&self, from: &str, to: &str, types: &[AssociationType]) -> Result<(), Error> {
        let path = self.record_path(from, &format!("/{}/{}", self.to, encode(to)));
        let body = to_body(&types, 128)?;
        self.client.perform(Call::new(Method::PUT, path, body).kind(CallKind::Association)).await
    }

    /// Removes every type between two records.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn unlink(&self, from: &str, to: &str) -> Result<(), Error> {
        let path = self.record_path(from, &format!("/{}/{}", self.to, encode(to)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new()).kind(CallKind::Association)).await
    }

    /// All records linked to one record, in pages of 500.
    #[must_use]
    pub fn list(&self, from: &str) -> AssociationPager {
        AssociationPager { associations: self.clone(), from: from.to_owned(), after: None, done: false }
    }

    /// Links up to 2,000 pairs plainly.
    ///
    /// # Errors
    /// An error promises that no pair was linked by this call. Pairs whose fate is open are
    /// [`RowOutcome::Unknown`](crate::RowOutcome::Unknown).
    pub async fn batch_link_default(&self, pairs: &[Pair<'_>]) -> Result<BatchOutcome<()>, Error> {
        let inputs = pairs.iter().map(|pair| LinkInput {
            from: Id { id: pair.from },
            to: Id { id: pair.to },
            types: None,
        });
        self.write_links("/batch/associate/default", inputs.collect()).await
    }

    /// Adds types to up to 2,000 pairs, beside those that hold already.
    ///
    /// # Errors
    /// As [`batch_link_default`](Self::batch_link_default).
    pub async fn batch_link(&self, pairs: &[LabelledPair<'_>]) -> Result<BatchOutcome<()>, Error> {
        self.write_links("/batch/create", labelled(pairs)).await
    }

    async fn write_links(&self, path: &str, inputs: Vec<LinkInput<'_>>) -> Result<BatchOutcome<()>, Error> {
        let count = inputs.len();
        if count == 0 {
            return Ok(BatchOutcome { rows: Vec::new(), cause: None });
        }
        check_size(count, LINKS_MAX)?;
        let inputs = Inputs { inputs };
        let body = to_body(&inputs, count * 128)?;
        let call = Call::post(self.batch_path(path), body)
            .kind(CallKind::Association)
            .idempotency(Idempotency::Idempotent);
        let answer = match self.client.send(&call).await {
            Ok(answer) => answer,
            Err(error) if error.outcome_unknown() => {
                return Ok(BatchOutcome::all_unknown(count, UnknownReason::NoAnswer, Some(error)));
            }
            Err(error) => return Err(error),
        };
        Ok(match decode::<LinkAnswer>(&answer.body) {
            Ok(read) => BatchOutcome { rows: account_links(&inputs.inputs, read).rows(), cause: None },
            Err(error) => {
                let error = error.with_status(answer.status).with_outcome_unknown();
                BatchOutcome::all_unknown(count, UnknownReason::Unreadable, Some(error))
            }
        })
    }

    /// Reads the associations of any number of records, 1,000 to a call, following the paging of records that have many.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's paging does not advance. Reading again is always safe.
    pub async fn batch_read(&self, from: &[&str]) -> Result<AssociationRead, Error> {
        #[derive(Serialize)]
        struct Input<'a> {
            id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            after: Option<Box<str>>,
        }
        let mut read = AssociationRead::default();
        let mut todo: Vec<(RecordId, Option<Box<str>>)> =
            from.iter().map(|id| (RecordId::from(*id), None)).collect();
        todo.sort_unstable();
        todo.dedup();
        while !todo.is_empty() {
            let rest = todo.split_off(todo.len().min(READS_MAX));
            let asked = std::mem::replace(&mut todo, rest);
            let inputs: Vec<Input<'_>> =
                asked.iter().map(|(id, after)| Input { id: id.as_str(), after: after.clone() }).collect();
            let body = to_body(&Inputs { inputs }, asked.len() * 32)?;
            let call = Call::post(self.batch_path("/batch/read"), body)
                .kind(CallKind::Association)
                .idempotency(Idempotency::Safe);
            let answer: ReadAnswer = self.client.fetch(call).await?;
            let tokens: HashMap<&RecordId, &Option<Box<str>>> =
                asked.iter().map(|(id, after)| (id, after)).collect();
            for result in answer.results {
                let Some(token) = tokens.get(&result.from.id) else { continue };
                if let Some(after) = Paging::after(result.paging) {
                    if token.as_deref() == Some(&*after) {
                        return Err(Error::unreadable(
                            "the paging does not advance: the same page follows itself",
                        ));
                    }
                    todo.push((result.from.id.clone(), Some(after)));
                }
                read.by_record.entry(result.from.id).or_default().extend(result.to);
            }
            for entry in &answer.errors {
                if entry.sub_category().is_some_and(|sub| sub.ends_with("NO_ASSOCIATIONS_FOUND")) {
                    continue;
                }
                let named = entry.context_texts(&["id", "ids", "fromObjectId"]).chain(entry.id());
                read.missing.extend(named.map(RecordId::from).filter(|id| tokens.contains_key(id)));
            }
            for (id, _) in asked {
                if !read.missing.contains(&id) {
                    read.by_record.entry(id).or_default();
                }
            }
        }
        Ok(read)
    }

    /// Removes every type between up to 100 pairs.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn batch_unlink(&self, pairs: &[Pair<'_>]) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Input<'a> {
            from: Id<'a>,
            to: Vec<Id<'a>>,
        }
        let inputs = pairs
            .iter()
            .map(|pair| Input { from: Id { id: pair.from }, to: vec![Id { id: pair.to }] })
            .collect();
        self.remove("/batch/archive", &Inputs { inputs }, pairs.len()).await
    }

    /// Removes the named types between up to 100 pairs; plain links stay.
    ///
    /// # Errors
    /// As [`batch_unlink`](Self::batch_unlink).
    pub async fn batch_remove_types(&self, pairs: &[LabelledPair<'_>]) -> Result<(), Error> {
        self.remove("/batch/labels/archive", &Inputs { inputs: labelled(pairs) }, pairs.len()).await
    }

    async fn remove<T: Serialize>(&self, path: &str, inputs: &Inputs<T>, count: usize) -> Result<(), Error> {
        if count == 0 {
            return Ok(());
        }
        check_size(count, REMOVALS_MAX)?;
        let call = Call::post(self.batch_path(path), to_body(inputs, count * 128)?)
            .kind(CallKind::Association)
            .idempotency(Idempotency::Idempotent);
        self.client.perform(call).await
    }
}

fn labelled<'a>(pairs: &'a [LabelledPair<'a>]) -> Vec<LinkInput<'a>> {
    pairs
        .iter()
        .map(|pair| LinkInput { from: Id { id: pair.from }, to: Id { id: pair.to }, types: Some(pair.types) })
        .collect()
}

/// Matches links by their two ids; inputs that name the same pair share its fate.
fn account_links(inputs: &[LinkInput<'_>], answer: LinkAnswer) -> Ledger<()> {
    let mut by_pair: HashMap<(&str, &str), Vec<usize>> = HashMap::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        by_pair.entry((input.from.id, input.to.id)).or_default().push(index);
    }
    let mut ledger = Ledger::new(inputs.len());
    for result in answer.results {
        let from = result.from.map(|id| id.id).or(result.from_object_id);
        let to = result.to.map(|id| id.id).or(result.to_object_id);
        let (Some(from), Some(to)) = (from, to) else { continue };
        // A plain link is answered from both ends.
        let indexes =
            by_pair.get(&(from.as_str(), to.as_str())).or_else(|| by_pair.get(&(to.as_str(), from.as_str())));
        for index in indexes.into_iter().flatten() {
            ledger.written(*index, ());
        }
    }
    ledger.reject_all(&answer.errors, |entry| inputs_of_error(inputs, entry));
    ledger
}

/// The inputs an error is about: a missing record takes every pair it is part of with it.
fn inputs_of_error(inputs: &[LinkInput<'_>], entry: &ErrorBody) -> Vec<usize> {
    let from: Vec<&str> = entry.context_texts(&["fromObjectId"]).collect();
    let to: Vec<&str> = entry.context_texts(&["toObjectId"]).collect();
    let ids: Vec<&str> = entry.context_texts(&["id", "ids", "objectId"]).chain(entry.id()).collect();
    let sub_category = entry.sub_category().unwrap_or_default();
    let is_about = |input: &LinkInput<'_>| {
        if !from.is_empty() || !to.is_empty() {
            return (from.is_empty() || from.contains(&input.from.id))
                && (to.is_empty() || to.contains(&input.to.id));
        }
        if sub_category.contains("TO_OBJECT") {
            return ids.contains(&input.to.id);
        }
        ids.contains(&input.from.id) || (!sub_category.contains("FROM_OBJECT") && ids.contains(&input.to.id))
    };
    inputs.iter().enumerate().filter(|(_, input)| is_about(input)).map(|(index, _)| index).collect()
}

/// All records linked to one record, page by page.
#[derive(Debug)]
pub struct AssociationPager {
    associations: Associations,
    from: String,
    after: Option<Box<str>>,
    done: bool,
}

impl AssociationPager {
    /// The next page, or `None` after the last. After an error the same page can be asked for again.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's paging does not advance.
    pub async fn next_page(&mut self) -> Result<Option<Vec<AssociatedRecord>>, Error> {
        if self.done {
            return Ok(None);
        }
        let mut query = Query::default();
        query.push("limit", &LIST_MAX.to_string());
        if let Some(after) = &self.after {
            query.push("after", after);
        }
        let path = self
            .associations
            .record_path(&self.from, &format!("/{}{}", self.associations.to, query.as_str()));
        let call = Call::get(path).kind(CallKind::Association);
        let page: Collection<AssociatedRecord> = self.associations.client.fetch(call).await?;
        match Paging::after(page.paging) {
            None => self.done = true,
            Some(after) if self.after.as_ref() == Some(&after) => {
                return Err(Error::unreadable("the paging does not advance: the same page follows itself"));
            }
            Some(after) => self.after = Some(after),
        }
        Ok(Some(page.results))
    }
}

#[cfg(test)]
mod tests;
