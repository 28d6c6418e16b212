//! Looking back: earlier values of properties, and what became of records that are no longer there.

use std::collections::HashMap;

use hubspot_client::{GetOptions, PropertyVersion, ReadRequest, ReadRow};
use jiff::Timestamp;
use sync_types::{DestinationError, EdgeOutcome, Fate, Lane, ObjectType, PropertyName, RecordId, Version};

use crate::destination::HubSpotDestination;
use crate::failure::{destination_error, rejection};
use crate::value::from_hubspot;

/// HubSpot docs: a batch read with history takes half as many records.
const HISTORY_MAX: usize = 50;

pub(crate) async fn history(
    destination: &HubSpotDestination,
    object: &ObjectType,
    ids: &[RecordId],
    properties: &[PropertyName],
    lane: Lane,
) -> Result<Vec<Vec<Vec<Version>>>, DestinationError> {
    let objects = destination.client(lane).objects(&destination.resolve(object).await?);
    let names: Vec<&str> = properties.iter().map(PropertyName::as_str).collect();
    let request = ReadRequest { properties_with_history: &names, ..ReadRequest::default() };
    let mut all = Vec::with_capacity(ids.len());
    for ids in ids.chunks(HISTORY_MAX) {
        let keys: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        let rows = objects.batch_read(&keys, &request).await.map_err(destination_error)?;
        for row in rows {
            let ReadRow::Found(record) = row else {
                all.push(Vec::new());
                continue;
            };
            let versions = names.iter().map(|name| {
                let known = record.properties_with_history.get(*name);
                known.into_iter().flatten().map(version).collect()
            });
            all.push(versions.collect());
        }
    }
    Ok(all)
}

fn version(known: &PropertyVersion) -> Version {
    let at = known.timestamp.as_deref().and_then(|text| text.parse().ok());
    let kind = known.source_type.as_deref().unwrap_or("unknown");
    Version {
        value: from_hubspot(known.value.as_deref()),
        at: at.unwrap_or(Timestamp::UNIX_EPOCH),
        by: match known.source_id.as_deref() {
            // HubSpot names people by their e-mail address in some kinds of source.
            Some(id) if !id.is_empty() && !id.contains('@') => format!("{kind} {id}"),
            _ => kind.to_owned(),
        },
    }
}

/// First each record alone, because only a single read follows a merge; then the recycling bin.
pub(crate) async fn fates(
    destination: &HubSpotDestination,
    object: &ObjectType,
    ids: &[RecordId],
    lane: Lane,
) -> Result<Vec<Fate>, DestinationError> {
    let objects = destination.client(lane).objects(&destination.resolve(object).await?);
    let mut fates: HashMap<&RecordId, Fate> = HashMap::with_capacity(ids.len());
    let mut gone: Vec<&RecordId> = Vec::new();
    for id in ids {
        let found = objects.find(id.as_str(), &GetOptions::default()).await.map_err(destination_error)?;
        match found {
            Some(record) if record.id.as_str() == id.as_str() => {
                fates.insert(id, Fate::Live);
            }
            Some(record) => {
                fates.insert(id, Fate::MergedInto(record.id.as_str().into()));
            }
            None => gone.push(id),
        }
    }
    let request = ReadRequest { archived: true, ..ReadRequest::default() };
    for ids in gone.chunks(100) {
        let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let rows = objects.batch_read(&keys, &request).await.map_err(destination_error)?;
        for (id, row) in ids.iter().zip(rows) {
            let fate = if matches!(row, ReadRow::Found(_)) { Fate::Archived } else { Fate::Unknown };
            fates.insert(id, fate);
        }
    }
    Ok(ids.iter().map(|id| fates.get(id).cloned().unwrap_or(Fate::Unknown)).collect())
}

pub(crate) async fn archive(
    destination: &HubSpotDestination,
    object: &ObjectType,
    ids: &[RecordId],
    lane: Lane,
) -> Result<Vec<EdgeOutcome>, DestinationError> {
    let objects = destination.client(lane).objects(&destination.resolve(object).await?);
    let keys: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    match objects.batch_archive(&keys).await {
        Ok(()) => Ok(vec![EdgeOutcome::Done; ids.len()]),
        Err(error) if error.is_about_data() && ids.len() == 1 => {
            let refusal = error.refusal().map(|refusal| rejection(refusal, error.correlation_id()));
            Ok(refusal.map(EdgeOutcome::Rejected).into_iter().collect())
        }
        Err(error) if error.is_about_data() => {
            // One of them is at fault, and the answer need not say which: each for itself, which may be repeated.
            let mut outcomes = Vec::with_capacity(ids.len());
            for id in ids {
                let one = Box::pin(archive(destination, object, std::slice::from_ref(id), lane)).await?;
                outcomes.extend(one);
            }
            Ok(outcomes)
        }
        Err(error) if error.kind() == hubspot_client::ErrorKind::NoAnswer => {
            Ok(vec![EdgeOutcome::Unknown("no answer to the deletion".into()); ids.len()])
        }
        Err(error) => Err(destination_error(error)),
    }
}
