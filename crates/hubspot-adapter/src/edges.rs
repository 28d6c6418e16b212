//! Associations: the mapping's kinds in HubSpot's type ids, and back.

use std::collections::HashMap;

use hubspot_client::{
    AssociatedRecord, AssociationCategory, AssociationType, Associations, AttachedType, BatchOutcome, Error,
    LabelledPair, Pair, RowOutcome,
};
use sync_types::{
    DestinationError, DestinationErrorKind, EdgeBatch, EdgeChange, EdgeKind, EdgeOutcome, Lane, ObjectType,
    RecordId, ShownEdge,
};

use crate::destination::HubSpotDestination;
use crate::failure::{destination_error, rejection};

/// How HubSpot labels the primary association of its own types.
const PRIMARY: &str = "Primary";

/// HubSpot docs: associations, archive: no number is documented for removals; a hundred is what others use.
pub(crate) const REMOVE_MAX: usize = 100;

/// The association types between two object types, in one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownTypes(HashMap<EdgeKind, AssociationType>);

impl KnownTypes {
    /// Looks the types up.
    pub(crate) async fn load(associations: &Associations) -> Result<KnownTypes, Error> {
        let mut known = HashMap::new();
        for label in associations.labels().await? {
            let kind = kind_of(label.category, label.label.as_deref());
            // Where several are plain, HubSpot's own comes first in the list and counts.
            known.entry(kind).or_insert_with(|| label.association_type());
        }
        Ok(KnownTypes(known))
    }

    /// The type of a kind, if the portal has it.
    pub(crate) fn get(&self, kind: &EdgeKind) -> Option<AssociationType> {
        self.0.get(kind).copied()
    }
}

/// What a type is to the mapping. Between custom objects even the plain type is user-defined, without a label
/// (observed live).
fn kind_of(category: AssociationCategory, label: Option<&str>) -> EdgeKind {
    match label {
        None => EdgeKind::Plain,
        Some(PRIMARY) if category == AssociationCategory::HubspotDefined => EdgeKind::Primary,
        Some(label) => EdgeKind::Label(label.to_owned()),
    }
}

fn kind_of_attached(attached: &AttachedType) -> EdgeKind {
    kind_of(attached.category, attached.label.as_deref())
}

/// Adds or removes associations.
pub(crate) async fn write(
    destination: &HubSpotDestination,
    batch: &EdgeBatch,
) -> Result<Vec<EdgeOutcome>, DestinationError> {
    let (from, to) = (destination.resolve(&batch.from).await?, destination.resolve(&batch.to).await?);
    let associations = destination.client(batch.lane).associations(&from, &to);
    let pairs: Vec<Pair<'_>> =
        batch.edges.iter().map(|(from, to)| Pair { from: from.as_str(), to: to.as_str() }).collect();
    match &batch.change {
        EdgeChange::Add(EdgeKind::Plain) => add(&associations, &pairs, None).await,
        EdgeChange::Add(kind) => {
            let types = [association_type(destination, batch, kind).await?];
            add(&associations, &pairs, Some(&types)).await
        }
        EdgeChange::Remove(kind) => {
            let types = [association_type(destination, batch, kind).await?];
            removed(&associations, &pairs, Some(&types)).await
        }
        EdgeChange::RemoveLast(kind) => remove_last(destination, batch, &associations, &pairs, kind).await,
    }
}

/// Removes associations with what lies under them, but leaves what somebody else has labelled.
async fn remove_last(
    destination: &HubSpotDestination,
    batch: &EdgeBatch,
    associations: &Associations,
    pairs: &[Pair<'_>],
    kind: &EdgeKind,
) -> Result<Vec<EdgeOutcome>, DestinationError> {
    let near: Vec<&str> = pairs.iter().map(|pair| pair.from).collect();
    let known = associations.batch_read(&near).await.map_err(destination_error)?;
    let is_foreign = |pair: &Pair<'_>| {
        let records = known.by_record.get(&hubspot_client::RecordId::from(pair.from));
        let found = records.into_iter().flatten().find(|record| record.to.as_str() == pair.to);
        found.is_some_and(|record| {
            let mut kinds = record.types.iter().map(kind_of_attached);
            kinds.any(|found| found != EdgeKind::Plain && found != EdgeKind::Primary && found != *kind)
        })
    };
    let (foreign, ours): (Vec<usize>, Vec<usize>) =
        (0..pairs.len()).partition(|place| pairs.get(*place).is_some_and(is_foreign));
    let pick =
        |places: &[usize]| places.iter().filter_map(|place| pairs.get(*place)).copied().collect::<Vec<_>>();
    let mut outcomes = vec![EdgeOutcome::Done; pairs.len()];
    let mut settle = |places: &[usize], found: Vec<EdgeOutcome>| {
        for (place, outcome) in places.iter().zip(found) {
            if let Some(slot) = outcomes.get_mut(*place) {
                *slot = outcome;
            }
        }
    };
    settle(&ours, removed(associations, &pick(&ours), None).await?);
    // Under a foreign label the plain association has to stay; of ours, only a label can go.
    if *kind != EdgeKind::Plain && !foreign.is_empty() {
        let types = [association_type(destination, batch, kind).await?];
        settle(&foreign, removed(associations, &pick(&foreign), Some(&types)).await?);
    }
    Ok(outcomes)
}

fn labelled<'a>(pairs: &[Pair<'a>], types: &'a [AssociationType]) -> Vec<LabelledPair<'a>> {
    pairs.iter().map(|pair| LabelledPair { from: pair.from, to: pair.to, types }).collect()
}

async fn association_type(
    destination: &HubSpotDestination,
    batch: &EdgeBatch,
    kind: &EdgeKind,
) -> Result<AssociationType, DestinationError> {
    let types = destination.types(&batch.from, &batch.to, batch.lane).await?;
    types.get(kind).ok_or_else(|| {
        DestinationError::new(
            DestinationErrorKind::NotProvisioned,
            format!("{} to {} has no association {}: run `init`", batch.from, batch.to, describe(kind)),
        )
    })
}

fn describe(kind: &EdgeKind) -> String {
    match kind {
        EdgeKind::Plain => "without a label".into(),
        EdgeKind::Primary => "that is primary".into(),
        EdgeKind::Label(label) => format!("labelled `{label}`"),
    }
}

/// Adds associations. When HubSpot refuses a whole batch because of some, those are found by halving.
async fn add(
    associations: &Associations,
    pairs: &[Pair<'_>],
    types: Option<&[AssociationType]>,
) -> Result<Vec<EdgeOutcome>, DestinationError> {
    let mut outcomes = Vec::with_capacity(pairs.len());
    let mut parts: Vec<&[Pair<'_>]> = vec![pairs];
    while let Some(part) = parts.pop() {
        let result = match types {
            None => associations.batch_link_default(part).await,
            Some(types) => associations.batch_link(&labelled(part, types)).await,
        };
        match result {
            Ok(outcome) => outcomes.extend(rows(outcome)),
            Err(error) if is_about_rows(&error) && part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.push(second);
                parts.push(first);
            }
            Err(error) if is_about_rows(&error) => outcomes.push(refused(&error)),
            Err(error) if outcomes.is_empty() => return Err(destination_error(error)),
            // Earlier parts are done: say so, and leave the rest for another time.
            Err(error) => outcomes.extend(part.iter().map(|_| EdgeOutcome::Unknown(error.to_string()))),
        }
    }
    Ok(outcomes)
}

fn rows(outcome: BatchOutcome<()>) -> Vec<EdgeOutcome> {
    let correlation = outcome.cause.as_ref().and_then(Error::correlation_id).map(ToOwned::to_owned);
    let row = |row| match row {
        RowOutcome::Written(()) => EdgeOutcome::Done,
        RowOutcome::Rejected(refusal) => EdgeOutcome::Rejected(rejection(&refusal, correlation.as_deref())),
        RowOutcome::Unknown(why) => EdgeOutcome::Unknown(format!("{why:?}")),
    };
    outcome.rows.into_iter().map(row).collect()
}

/// Whether a refusal is about one of the records, so that the others can be served.
fn is_about_rows(error: &Error) -> bool {
    error.is_about_data() || error.kind() == hubspot_client::ErrorKind::NotFound
}

fn refused(error: &Error) -> EdgeOutcome {
    match error.refusal() {
        Some(refusal) => EdgeOutcome::Rejected(rejection(refusal, error.correlation_id())),
        None => EdgeOutcome::Unknown(error.to_string()),
    }
}

/// Removes these types, or all, in parts; a part whose outcome is not known is said to be so and may be repeated.
async fn removed(
    associations: &Associations,
    pairs: &[Pair<'_>],
    types: Option<&[AssociationType]>,
) -> Result<Vec<EdgeOutcome>, DestinationError> {
    let mut outcomes = Vec::with_capacity(pairs.len());
    for part in pairs.chunks(REMOVE_MAX) {
        let result = match types {
            None => associations.batch_unlink(part).await,
            Some(types) => associations.batch_remove_types(&labelled(part, types)).await,
        };
        let outcome = match result {
            Ok(()) => EdgeOutcome::Done,
            Err(error) if error.outcome_unknown() => EdgeOutcome::Unknown(error.to_string()),
            Err(error) if is_about_rows(&error) => refused(&error),
            Err(error) if outcomes.is_empty() => return Err(destination_error(error)),
            // Earlier parts are done: say so, and leave the rest for another time.
            Err(error) => EdgeOutcome::Unknown(error.to_string()),
        };
        outcomes.extend(part.iter().map(|_| outcome.clone()));
    }
    Ok(outcomes)
}

/// Reads all associations of each of these records.
pub(crate) async fn read(
    destination: &HubSpotDestination,
    from: &ObjectType,
    to: &ObjectType,
    ids: &[RecordId],
    lane: Lane,
) -> Result<Vec<Vec<ShownEdge>>, DestinationError> {
    let (from, to) = (destination.resolve(from).await?, destination.resolve(to).await?);
    let keys: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    let read = destination.client(lane).associations(&from, &to).batch_read(&keys).await;
    let mut read = read.map_err(destination_error)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let key = hubspot_client::RecordId::from(id.as_str());
        let records = read.by_record.remove(&key).unwrap_or_default();
        found.push(records.iter().map(shown).collect());
    }
    Ok(found)
}

fn shown(record: &AssociatedRecord) -> ShownEdge {
    ShownEdge {
        to: RecordId::from(record.to.as_str()),
        kinds: record.types.iter().map(kind_of_attached).collect(),
    }
}
