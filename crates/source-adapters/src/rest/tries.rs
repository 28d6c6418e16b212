//! Each call of a description made once, and what was understood of its answer; values masked.

use std::collections::BTreeSet;

use http_transport::Lane;
use jiff::SignedDuration;
use serde_json::Value as Json;
use sync_types::{ChangeCursor, ChangesRequest, Collection, ExternalId, Source as _, SourceError};

use super::description::CollectionSpec;
use super::mask::mask;
use super::moment;
use super::paging::Place;
use super::since::Course;
use super::source::{RestSource, is_deleted};

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The call, such as `customers.list`.
    pub call: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was understood, and what is doubtful, one thing a line; no value of a record.
    pub told: Vec<String>,
    /// Fields that were found, for a list.
    pub fields: Vec<FoundField>,
    /// Lines of TOML that name the fields, where the description does not.
    pub suggested: Option<String>,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was understood.
    Good,
    /// It was understood, and something about it is odd.
    Doubtful,
    /// It failed.
    Failed,
    /// It was not made.
    NotTried,
}

/// A field as it was found in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundField {
    /// Its name.
    pub name: String,
    /// What its values are: `text`, `number`, `bool`, `json`, `empty`, or several of them.
    pub kinds: Vec<&'static str>,
    /// In how many records it stands.
    pub records: usize,
    /// A value, masked: letters and digits are replaced.
    pub sample: Option<String>,
    /// Whether the description names it.
    pub described: bool,
}

struct Trial(Tried);

impl Trial {
    fn of(call: &str) -> Trial {
        Trial(Tried {
            call: call.to_owned(),
            verdict: Verdict::Good,
            told: Vec::new(),
            fields: Vec::new(),
            suggested: None,
        })
    }
    fn say(&mut self, line: impl Into<String>) {
        self.0.told.push(line.into());
    }
    fn doubt(&mut self, line: impl Into<String>) {
        self.0.verdict = Verdict::Doubtful;
        self.say(line);
    }
    fn failed(mut self, error: &SourceError) -> Tried {
        self.0.verdict = Verdict::Failed;
        self.say(&error.message);
        let mut cause = std::error::Error::source(error);
        while let Some(below) = cause {
            self.say(format!("because: {below}"));
            cause = below.source();
        }
        self.0
    }
}

impl RestSource {
    /// Makes every call that reads once, for all collections or one, and says what was understood. Calls that write are
    /// not made.
    ///
    /// # Errors
    /// There is no such collection. A call that fails is told in its place.
    pub async fn try_calls(&self, only: Option<&Collection>) -> Result<Vec<Tried>, SourceError> {
        let names: Vec<Collection> = match only {
            Some(collection) => {
                self.spec(collection)?;
                vec![collection.clone()]
            }
            None => self.description.collections().map(Collection::from).collect(),
        };
        let mut all = Vec::new();
        for collection in names {
            let spec = self.spec(&collection)?;
            let records = match self.try_list(spec).await {
                Ok((tried, records)) => {
                    all.push(tried);
                    records
                }
                Err(tried) => {
                    all.push(tried);
                    continue;
                }
            };
            if let Some(since) = &spec.since {
                all.push(self.try_since(&collection, &since.list.call.name).await);
            }
            all.extend(self.try_reads(&collection, spec, &records).await);
            let writes = [
                spec.create.as_ref().map(|create| &create.call.name),
                spec.update.as_ref().map(|update| &update.call.name),
                spec.delete.as_ref().map(|call| &call.name),
            ];
            for name in writes.into_iter().flatten() {
                let mut trial = Trial::of(name);
                trial.0.verdict = Verdict::NotTried;
                trial.say("it writes: try it by a mapping, on a record that nobody needs");
                all.push(trial.0);
            }
        }
        Ok(all)
    }

    /// Two pages of the list, and its records.
    async fn try_list(&self, spec: &CollectionSpec) -> Result<(Tried, Vec<Json>), Tried> {
        let list = &spec.list;
        let mut trial = Trial::of(&list.call.name);
        let place = Place::default().sized(&list.pages, usize::MAX);
        let first = match self.page(list, &spec.key, &[], &place, Lane::Live).await {
            Ok(first) => first,
            Err(error) => return Err(trial.failed(&error)),
        };
        let mut records = first.records;
        trial.say(format!("{} on the first page, at `{}`", counted(records.len()), list.records.as_str()));
        let ids = |records: &[Json]| -> BTreeSet<String> {
            records.iter().filter_map(|record| spec.key.text(record)).collect()
        };
        let first_ids = ids(&records);
        if records.is_empty() {
            trial.doubt("there is no record to look at: try it again when there is one");
        } else if first_ids.len() == records.len() {
            trial.say(format!("every record has an id of its own at `{}`", spec.key.as_str()));
        } else {
            let with = records.iter().filter(|record| spec.key.text(record).is_some()).count();
            let key = spec.key.as_str();
            trial.doubt(format!(
                "{with} have an id at `{key}`, and {} differ: is it the key?",
                first_ids.len()
            ));
        }
        match first.next {
            None => trial.say("there is no second page"),
            Some(next) => match self.page(list, &spec.key, &[], &next, Lane::Live).await {
                Err(error) => {
                    trial.doubt(format!("the second page failed: {}", error.message));
                }
                Ok(second) => {
                    let known = second.records.iter().filter_map(|record| spec.key.text(record));
                    let known = known.filter(|id| first_ids.contains(id)).count();
                    let count = second.records.len();
                    trial.say(format!("{} on the second page, {known} of them known", counted(count)));
                    if count > 2 && known == count {
                        trial.doubt("it is the first page again: does the API know the paging parameter?");
                    }
                    records.extend(second.records);
                }
            },
        }
        if let Some(modified) = &spec.modified {
            let times = records.iter().filter_map(|record| modified.at.text(record));
            let read = times.filter(|text| moment::parse(text, modified.format).is_some()).count();
            let at = modified.at.as_str();
            if read == records.len() {
                trial.say(format!("every record has a time of change at `{at}`"));
            } else {
                trial.doubt(format!("{read} of {} have a readable time of change at `{at}`", records.len()));
            }
        }
        let deleted = records.iter().filter(|record| is_deleted(spec, record)).count();
        if deleted > 0 {
            trial.say(format!("{} deleted", counted(deleted)));
        }
        self.judge_fields(spec, &records, &mut trial);
        trial.0.fields = found_fields(spec, &records);
        Ok((trial.0, records))
    }

    fn judge_fields(&self, spec: &CollectionSpec, records: &[Json], trial: &mut Trial) {
        let Some(fields) = &spec.fields else {
            trial.say("the description names no fields: put those below into `fields`");
            trial.0.suggested = Some(super::import::fields_of(records)).filter(|lines| !lines.is_empty());
            return;
        };
        let reading = super::record::Reading::new(String::new(), spec.key.clone(), fields.clone(), false);
        let mut reasons: Vec<(String, usize)> = Vec::new();
        for bad in records.iter().filter_map(|record| reading.record(record).err()) {
            match reasons.iter_mut().find(|(reason, _)| *reason == bad.reason) {
                Some((_, count)) => *count += 1,
                None => reasons.push((bad.reason, 1)),
            }
        }
        for (reason, count) in reasons {
            trial.doubt(format!("{} cannot be read: {reason}", counted(count)));
        }
        for field in fields {
            if !records.is_empty() && records.iter().all(|record| record.get(&field.name).is_none()) {
                trial.doubt(format!("no record has the field `{}`", field.name));
            }
        }
    }

    async fn try_since(&self, collection: &Collection, name: &str) -> Tried {
        let mut trial = Trial::of(name);
        let day = SignedDuration::from_hours(24);
        let now = self.caller.clock().now();
        let begin = now.checked_sub(day).unwrap_or(now);
        let after = serde_json::to_string(&Course::from_now(begin)).ok().map(ChangeCursor);
        let request = ChangesRequest { collection: collection.clone(), after, max: 100 };
        match self.changes(&request).await {
            Err(error) => return trial.failed(&error),
            Ok(page) => {
                trial.say(format!("{} on the first page of the last day", counted(page.changes.len())));
                let deleted = page.changes.iter().filter(|change| change.deleted).count();
                if deleted > 0 {
                    trial.say(format!("{} deleted", counted(deleted)));
                }
                let newest =
                    serde_json::from_str::<Course>(&page.cursor.0).ok().map(|course| course.newest());
                if page.changes.len() > 2 && newest.is_some_and(|newest| newest <= begin) {
                    trial.doubt(
                        "all of them changed before the time that was asked for: does the API know it?",
                    );
                }
            }
        }
        trial.0
    }

    async fn try_reads(
        &self,
        collection: &Collection,
        spec: &CollectionSpec,
        records: &[Json],
    ) -> Vec<Tried> {
        let ids = records.iter().filter(|record| !is_deleted(spec, record));
        let ids: Vec<ExternalId> =
            ids.filter_map(|record| spec.key.text(record)).map(ExternalId::from).take(2).collect();
        let mut all = Vec::new();
        let Ok(reading) = self.reading(collection).await else { return all };
        if let Some(get) = &spec.get {
            let mut trial = Trial::of(&get.call.name);
            all.push(match ids.first() {
                None => {
                    trial.doubt("there is no record to ask for");
                    trial.0
                }
                Some(id) => match self.get(get, spec, id).await {
                    Err(error) => trial.failed(&self.failed(&get.call.name, error)),
                    Ok(None) => {
                        trial.doubt("a record of the list is not found by its id: is `record` right?");
                        trial.0
                    }
                    Ok(Some((json, answer))) => {
                        match self.sole(get, &reading, &json, id) {
                            Ok(_) => trial.say("a record of the list is found by its id"),
                            Err(error) => return [all, vec![trial.failed(&error)]].concat(),
                        }
                        let has_tag = answer.headers.contains_key(http::header::ETAG);
                        match (get.etag, has_tag) {
                            (true, false) => trial.doubt("`etag = true`, and the answer has no ETag"),
                            (false, true) => {
                                trial.say(
                                    "the answer has an ETag: set `etag = true` if the API obeys If-Match",
                                );
                            }
                            _ => {}
                        }
                        trial.0
                    }
                },
            });
        }
        if let Some(batch) = &spec.batch {
            let mut trial = Trial::of(&batch.call.name);
            all.push(match self.by_batch(collection, spec, &reading, &ids).await {
                Err(error) => trial.failed(&error),
                Ok(found) if found.len() == ids.len() && !ids.is_empty() => {
                    trial.say(format!("{} of the list found by their ids", counted(ids.len())));
                    trial.0
                }
                Ok(found) => {
                    trial.doubt(format!("of {} asked for, {} found", counted(ids.len()), found.len()));
                    trial.0
                }
            });
        }
        all
    }
}

fn found_fields(spec: &CollectionSpec, records: &[Json]) -> Vec<FoundField> {
    let mut fields: Vec<FoundField> = Vec::new();
    for (name, value) in records.iter().filter_map(Json::as_object).flatten() {
        let place = match fields.iter().position(|field| field.name == *name) {
            Some(place) => place,
            None => {
                let described = spec.fields.iter().flatten().any(|field| field.name == *name);
                let (name, kinds) = (name.clone(), Vec::new());
                fields.push(FoundField { name, kinds, records: 0, sample: None, described });
                fields.len() - 1
            }
        };
        let Some(field) = fields.get_mut(place) else { continue };
        field.records += 1;
        let kind = match value {
            Json::Null => "empty",
            Json::Bool(_) => "bool",
            Json::Number(_) => "number",
            Json::String(_) => "text",
            Json::Array(_) | Json::Object(_) => "json",
        };
        if !field.kinds.contains(&kind) {
            field.kinds.push(kind);
        }
        if field.sample.is_none() && kind != "empty" {
            field.sample = Some(mask(value));
        }
    }
    fields
}

fn counted(count: usize) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}
