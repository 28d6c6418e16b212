//! HubSpot as the engine's destination: batches in, one outcome per row out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use hubspot_client::{
    BatchOutcome, Client, Error, ListOptions, ReadRequest, ReadRow, Record, UnknownReason, UpdateRow,
    UpsertRow, Written,
};
use sync_types::{
    Destination, DestinationError, DestinationErrorKind, EdgeBatch, EdgeOutcome, Fate, Lane, Limits,
    ObjectType, PropertyName, RecordId, RowOutcome, Schema, Shown, ShownEdge, ShownPage, SyncKey, Target,
    Value, Version, WriteBatch, WriteRow,
};

use tokio::sync::Mutex;

use crate::edges::{self, KnownTypes};
use crate::failure::{destination_error, rejection};
use crate::value::{from_hubspot, to_hubspot};
use crate::{lookback, schema};

/// A HubSpot portal, written by the engine.
///
/// What it looks up of the portal's schema (type ids of custom objects, association types) it keeps for its life:
/// after `init` changed something, make a new one.
pub struct HubSpotDestination {
    client: Client,
    /// Type ids of custom objects by name. Locked while it is looked up, so that many calls at once ask once.
    customs: Mutex<Option<HashMap<String, hubspot_client::ObjectType>>>,
    /// Association types by the two object types they join.
    types: Mutex<HashMap<(ObjectType, ObjectType), KnownTypes>>,
}

impl HubSpotDestination {
    /// A destination over this client.
    #[must_use]
    pub fn new(client: Client) -> HubSpotDestination {
        HubSpotDestination { client, customs: Mutex::new(None), types: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn client(&self, lane: Lane) -> Client {
        self.client.lane(lane)
    }

    /// The type as the API takes it: HubSpot knows its own types by name, a custom one by its type id only
    /// (observed live: the bare name is refused).
    pub(crate) async fn resolve(
        &self,
        object: &ObjectType,
    ) -> Result<hubspot_client::ObjectType, DestinationError> {
        let named = object_type(object)?;
        if is_standard(object.as_str()) {
            return Ok(named);
        }
        let mut known = self.customs.lock().await;
        let found = match known.as_ref() {
            Some(customs) => customs.get(object.as_str()).cloned(),
            None => {
                let schemas = self.client.schemas().list().await.map_err(destination_error)?;
                let customs: HashMap<String, hubspot_client::ObjectType> = schemas
                    .iter()
                    .filter_map(|schema| Some((schema, schema.object_type()?)))
                    .flat_map(|(schema, id)| {
                        [(schema.name.clone(), id.clone()), (schema.fully_qualified_name.clone(), id)]
                    })
                    .collect();
                let found = customs.get(object.as_str()).cloned();
                *known = Some(customs);
                found
            }
        };
        found.ok_or_else(|| {
            DestinationError::new(
                DestinationErrorKind::NotProvisioned,
                format!("the portal has no object type `{object}`: run `init`"),
            )
        })
    }

    /// The association types between two object types.
    pub(crate) async fn types(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        lane: Lane,
    ) -> Result<KnownTypes, DestinationError> {
        let key = (from.clone(), to.clone());
        let mut all = self.types.lock().await;
        if let Some(known) = all.get(&key) {
            return Ok(known.clone());
        }
        let associations =
            self.client(lane).associations(&self.resolve(from).await?, &self.resolve(to).await?);
        let types = KnownTypes::load(&associations).await.map_err(destination_error)?;
        all.insert(key, types.clone());
        Ok(types)
    }

    async fn batch_read(
        &self,
        object: &ObjectType,
        keys: &[&str],
        key_property: Option<&str>,
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        let names: Vec<&str> = properties.iter().map(PropertyName::as_str).collect();
        let objects = self.client(lane).objects(&self.resolve(object).await?);
        let request = ReadRequest { id_property: key_property, properties: &names, ..ReadRequest::default() };
        let rows = objects.batch_read(keys, &request).await.map_err(destination_error)?;
        let mut shown = Vec::with_capacity(rows.len());
        for (row, key) in rows.into_iter().zip(keys) {
            shown.push(match row {
                ReadRow::Found(record) => Some(show(&record, properties)),
                ReadRow::Missing => None,
                // A batch's silence proves nothing here; a single read follows merges.
                ReadRow::Unclear => {
                    let options = hubspot_client::GetOptions {
                        properties: names.iter().map(|name| (*name).to_owned()).collect(),
                        id_property: key_property.map(ToOwned::to_owned),
                        ..hubspot_client::GetOptions::default()
                    };
                    let record = objects.find(key, &options).await.map_err(destination_error)?;
                    record.map(|record| show(&record, properties))
                }
            });
        }
        Ok(shown)
    }
}

impl fmt::Debug for HubSpotDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubSpotDestination")
    }
}

/// Whether HubSpot takes the name as it is: one of its own types, or a type id.
pub(crate) fn is_standard(name: &str) -> bool {
    let is_id = name
        .split_once('-')
        .is_some_and(|(a, b)| !b.is_empty() && a.bytes().chain(b.bytes()).all(|byte| byte.is_ascii_digit()));
    let lower = name.to_ascii_lowercase();
    let is_it = |known: &&str| **known == *lower || known.strip_suffix('s') == Some(&lower);
    is_id || lower == "company" || STANDARD.iter().any(is_it)
}

/// HubSpot's own types by their plural names (HubSpot docs: using object APIs).
const STANDARD: &[&str] = &[
    "contacts",
    "companies",
    "deals",
    "tickets",
    "products",
    "line_items",
    "quotes",
    "communications",
    "feedback_submissions",
    "tasks",
    "notes",
    "meetings",
    "calls",
    "emails",
    "invoices",
    "marketing_events",
    "subscriptions",
    "goals",
    "discounts",
    "fees",
    "taxes",
    "commerce_payments",
    "users",
    "postal_mail",
    "orders",
    "leads",
    "carts",
    "services",
    "courses",
    "listings",
    "appointments",
    "projects",
];

/// A type name that the client takes; a bad one is a mapping's fault.
pub(crate) fn object_type(object: &ObjectType) -> Result<hubspot_client::ObjectType, DestinationError> {
    hubspot_client::ObjectType::new(object.as_str()).map_err(|error| {
        DestinationError::new(
            DestinationErrorKind::NotProvisioned,
            format!("`{object}` cannot be an object type: correct it in the mapping"),
        )
        .caused_by(error)
    })
}

fn show(record: &Record, properties: &[PropertyName]) -> Shown {
    Shown {
        id: RecordId::from(record.id.as_str()),
        values: properties.iter().map(|name| from_hubspot(record.get(name.as_str()))).collect(),
    }
}

#[async_trait]
impl Destination for HubSpotDestination {
    async fn describe(&self, object: &ObjectType) -> Result<Schema, DestinationError> {
        let properties = self.client(Lane::Live).properties(&self.resolve(object).await?);
        let definitions = properties.list().await.map_err(destination_error)?;
        Ok(schema::schema(object, &definitions))
    }

    async fn prepare(&self, joins: &[(ObjectType, ObjectType)], lane: Lane) {
        for (from, to) in joins {
            if self.types(from, to, lane).await.is_err() {
                return;
            }
        }
    }

    async fn list(
        &self,
        object: &ObjectType,
        properties: &[PropertyName],
        after: Option<&str>,
        lane: Lane,
    ) -> Result<ShownPage, DestinationError> {
        let options = ListOptions {
            get: hubspot_client::GetOptions {
                properties: properties.iter().map(ToString::to_string).collect(),
                ..hubspot_client::GetOptions::default()
            },
            after: after.map(ToOwned::to_owned),
            ..ListOptions::default()
        };
        let page = self.client(lane).objects(&self.resolve(object).await?).list_page(&options).await;
        let page = page.map_err(destination_error)?;
        Ok(ShownPage {
            records: page.records.iter().map(|record| show(record, properties)).collect(),
            next: page.after.map(Into::into),
        })
    }

    async fn read(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        let keys: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        self.batch_read(object, &keys, None, properties, lane).await
    }

    async fn read_by_key(
        &self,
        object: &ObjectType,
        key: &PropertyName,
        keys: &[SyncKey],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Option<Shown>>, DestinationError> {
        let keys: Vec<&str> = keys.iter().map(SyncKey::as_str).collect();
        self.batch_read(object, &keys, Some(key.as_str()), properties, lane).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, DestinationError> {
        let objects = self.client(batch.lane).objects(&self.resolve(&batch.object).await?);
        let spelled: Vec<Vec<(&str, Cow<'_, str>)>> = batch
            .rows
            .iter()
            .map(|row| {
                let name =
                    |place: u16| batch.properties.get(usize::from(place)).map_or("", PropertyName::as_str);
                let mut values: Vec<_> =
                    row.values.iter().map(|(place, value)| (name(*place), to_hubspot(value))).collect();
                if batch.target == Target::Record {
                    values.push((batch.key.as_str(), Cow::Borrowed(row.key.as_str())));
                }
                values
            })
            .collect();
        let pairs: Vec<Vec<(&str, &str)>> = spelled
            .iter()
            .map(|values| values.iter().map(|(name, value)| (*name, value.as_ref())).collect())
            .collect();
        let result = match batch.target {
            Target::Key => {
                let rows: Vec<UpsertRow<'_>> = batch
                    .rows
                    .iter()
                    .zip(&pairs)
                    .map(|(row, properties)| UpsertRow { key: row.key.as_str(), properties })
                    .collect();
                objects.batch_upsert_isolating(batch.key.as_str(), &rows).await
            }
            Target::Record => {
                let rows: Vec<UpdateRow<'_>> = batch
                    .rows
                    .iter()
                    .zip(&pairs)
                    .map(|(row, properties)| UpdateRow {
                        id: row.record.as_ref().map_or("", RecordId::as_str),
                        properties,
                    })
                    .collect();
                objects.batch_update_isolating(&rows).await
            }
        };
        outcomes(batch, &pairs, result)
    }

    async fn write_edges(&self, batch: &EdgeBatch) -> Result<Vec<EdgeOutcome>, DestinationError> {
        edges::write(self, batch).await
    }

    async fn read_edges(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Vec<ShownEdge>>, DestinationError> {
        edges::read(self, from, to, ids, lane).await
    }

    async fn history(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        properties: &[PropertyName],
        lane: Lane,
    ) -> Result<Vec<Vec<Vec<Version>>>, DestinationError> {
        lookback::history(self, object, ids, properties, lane).await
    }

    async fn fates(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<Fate>, DestinationError> {
        lookback::fates(self, object, ids, lane).await
    }

    async fn archive(
        &self,
        object: &ObjectType,
        ids: &[RecordId],
        lane: Lane,
    ) -> Result<Vec<EdgeOutcome>, DestinationError> {
        lookback::archive(self, object, ids, lane).await
    }

    fn attachable(&self) -> Vec<ObjectType> {
        // HubSpot docs: engagements; each of them can be associated with records of any type.
        ["notes", "tasks", "calls", "emails", "meetings"].map(ObjectType::from).to_vec()
    }

    fn limits(&self) -> Limits {
        // HubSpot docs: 100 inputs of a CRM batch and 100 records of a list page; 2,000 associations of a create,
        // 1,000 ids of a read.
        Limits {
            write_max: 100,
            read_max: 100,
            edges_max: 2_000,
            edge_removals_max: edges::REMOVE_MAX,
            edge_reads_max: 1_000,
            page_max: 100,
            in_flight_max: self.client.limits().in_flight_max,
        }
    }

    fn forecast(&self, calls: u64) -> Duration {
        self.client.limits().forecast(calls, CALL_TIME)
    }

    fn day(&self) -> Option<(u64, u64)> {
        let daily = self.client.limits_status()?.daily;
        daily.max.map(|max| (daily.remaining.unwrap_or(max), max))
    }
}

/// What a full batch takes; no figure is published, users report some tenths of a second.
const CALL_TIME: Duration = Duration::from_millis(300);

/// The rows' outcomes in the engine's words.
fn outcomes(
    batch: &WriteBatch,
    sent: &[Vec<(&str, &str)>],
    result: Result<BatchOutcome<Written>, Error>,
) -> Result<Vec<RowOutcome>, DestinationError> {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) if error.is_about_data() => {
            // One row alone, refused as a whole.
            let refusal = error.refusal().map(|refusal| rejection(refusal, error.correlation_id()));
            return match (refusal, batch.rows.len()) {
                (Some(refusal), 1) => Ok(vec![RowOutcome::Rejected(refusal)]),
                _ => Err(destination_error(error)),
            };
        }
        Err(error) if error.kind() == hubspot_client::ErrorKind::Locked => {
            let why = "HubSpot holds a lock on one of the records";
            return Ok(batch.rows.iter().map(|_| RowOutcome::NotSent(why.into())).collect());
        }
        Err(error) => return Err(destination_error(error)),
    };
    let correlation = outcome.cause.as_ref().and_then(Error::correlation_id);
    // HubSpot shows the properties of all rows in one order: where one stood, it stands in the next row too.
    let mut guesses = Vec::new();
    let rows =
        outcome.rows.into_iter().zip(batch.rows.iter().zip(sent)).map(
            |(outcome, (row, sent))| match outcome {
                hubspot_client::RowOutcome::Written(written) => RowOutcome::Written {
                    record: RecordId::from(written.id.as_str()),
                    created: written.new,
                    reshown: reshown(row, sent, &written.record, &mut guesses),
                },
                hubspot_client::RowOutcome::Rejected(refusal) => {
                    RowOutcome::Rejected(rejection(&refusal, correlation))
                }
                hubspot_client::RowOutcome::Unknown(UnknownReason::NotAttempted) => {
                    RowOutcome::NotSent("an earlier part of the batch failed".into())
                }
                hubspot_client::RowOutcome::Unknown(why) => RowOutcome::Unknown(format!("{why:?}")),
            },
        );
    Ok(rows.collect())
}

/// What HubSpot shows otherwise than it was sent.
fn reshown(
    row: &WriteRow,
    sent: &[(&str, &str)],
    record: &Record,
    guesses: &mut Vec<usize>,
) -> Vec<(u16, Value)> {
    let mut reshown = Vec::new();
    guesses.resize(guesses.len().max(row.values.len()), 0);
    for (((place, _), (name, sent)), guess) in row.values.iter().zip(sent).zip(guesses) {
        if let Some(shown) = record.properties.named_near(name, guess)
            && shown.unwrap_or_default() != *sent
        {
            reshown.push((*place, from_hubspot(shown)));
        }
    }
    reshown
}
