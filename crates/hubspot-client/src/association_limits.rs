//! Limits that users set on how many records of one type a record may be linked with.

use http_transport::Idempotency;
use serde::{Deserialize, Serialize};

use crate::associations::{AssociationCategory, AssociationType, Associations};
use crate::batch::check_size;
use crate::call::{Call, CallKind, decode};
use crate::client::Client;
use crate::error::Error;
use crate::outcome::{BatchOutcome, Ledger, UnknownReason};
use crate::refusal::ErrorBody;
use crate::wire::{Collection, null_as_default, optional_text, to_body};

/// The most inputs of a batch; undocumented, so the size that HubSpot's other batches of definitions take.
const BATCH_MAX: usize = 100;

/// How many records a record may be linked with by one association type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssociationLimit {
    /// Who defined the type.
    pub category: AssociationCategory,
    /// The type's number in this direction.
    pub type_id: u32,
    /// The type's label; `None` for a plain link.
    #[serde(default, deserialize_with = "optional_text")]
    pub label: Option<Box<str>>,
    /// The most records that users allow at the other end; `None` where only HubSpot's own limit holds.
    #[serde(rename = "userEnforcedMaxToObjectIds", default)]
    pub max_to_records: Option<u32>,
}

impl AssociationLimit {
    /// The type, as links use it.
    #[must_use]
    pub fn association_type(&self) -> AssociationType {
        AssociationType { category: self.category, type_id: self.type_id }
    }
}

/// A limit to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAssociationLimit {
    /// The type, in the direction of the call.
    pub association_type: AssociationType,
    /// The most records at the other end, at most 10,000; a label's not above that of the plain link (HubSpot knowledge
    /// base: limits for record associations).
    pub max_to_records: u32,
}

/// A type as these endpoints name it: not as links do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    category: AssociationCategory,
    type_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_to_object_ids: Option<u32>,
}

#[derive(Serialize)]
struct Inputs {
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default = "Vec::new")]
    results: Vec<AssociationLimit>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<ErrorBody>,
}

impl Client {
    /// The limits of all association types of the portal that have one. HubSpot does not say between which object types
    /// each holds: for that, ask with [`Associations::limits`].
    ///
    /// # Errors
    /// When the call fails.
    pub async fn association_limits(&self) -> Result<Vec<AssociationLimit>, Error> {
        let path = format!("{}/definitions/configurations/all", self.version().associations);
        let all: Collection<AssociationLimit> =
            self.fetch(Call::get(path).kind(CallKind::Association)).await?;
        Ok(all.results)
    }
}

impl Associations {
    /// The limits of the types from the first object type to the second.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn limits(&self) -> Result<Vec<AssociationLimit>, Error> {
        let call = Call::get(self.definition_path("")).kind(CallKind::Association);
        let all: Collection<AssociationLimit> = self.client().fetch(call).await?;
        Ok(all.results)
    }

    /// Sets a limit on up to 100 types that have none yet.
    ///
    /// # Errors
    /// An error promises that no limit was set by this call. Limits whose fate is open are
    /// [`RowOutcome::Unknown`](crate::RowOutcome::Unknown): look with [`limits`](Self::limits).
    pub async fn create_limits(&self, limits: &[NewAssociationLimit]) -> Result<BatchOutcome<()>, Error> {
        // Repeated after a lost answer, it could be refused for the limits that it set itself.
        self.write_limits("/batch/create", limits, Idempotency::Once).await
    }

    /// Changes the limits of up to 100 types.
    ///
    /// # Errors
    /// As [`create_limits`](Self::create_limits); repeating is harmless.
    pub async fn update_limits(&self, limits: &[NewAssociationLimit]) -> Result<BatchOutcome<()>, Error> {
        self.write_limits("/batch/update", limits, Idempotency::Idempotent).await
    }

    /// Removes the limits of up to 100 types; HubSpot's own limits still hold.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn purge_limits(&self, types: &[AssociationType]) -> Result<(), Error> {
        if types.is_empty() {
            return Ok(());
        }
        check_size(types.len(), BATCH_MAX)?;
        let inputs = types.iter().map(|of| input(*of, None)).collect();
        let body = to_body(&Inputs { inputs }, types.len() * 64)?;
        let call = Call::post(self.definition_path("/batch/purge"), body)
            .kind(CallKind::Association)
            .idempotency(Idempotency::Idempotent);
        self.client().perform(call).await
    }

    async fn write_limits(
        &self,
        path: &str,
        limits: &[NewAssociationLimit],
        idempotency: Idempotency,
    ) -> Result<BatchOutcome<()>, Error> {
        let count = limits.len();
        if count == 0 {
            return Ok(BatchOutcome { rows: Vec::new(), cause: None });
        }
        check_size(count, BATCH_MAX)?;
        let inputs =
            limits.iter().map(|limit| input(limit.association_type, Some(limit.max_to_records))).collect();
        let body = to_body(&Inputs { inputs }, count * 96)?;
        let call =
            Call::post(self.definition_path(path), body).kind(CallKind::Association).idempotency(idempotency);
        let answer = match self.client().send(&call).await {
            Ok(answer) => answer,
            Err(error) if error.outcome_unknown() => {
                return Ok(BatchOutcome::all_unknown(count, UnknownReason::NoAnswer, Some(error)));
            }
            Err(error) => return Err(error),
        };
        Ok(match decode::<Answer>(&answer.body) {
            Ok(read) => BatchOutcome { rows: account(limits, &read).rows(), cause: None },
            Err(error) => {
                let error = error.with_status(answer.status).with_outcome_unknown();
                BatchOutcome::all_unknown(count, UnknownReason::Unreadable, Some(error))
            }
        })
    }
}

fn input(of: AssociationType, max_to_object_ids: Option<u32>) -> Input {
    Input { category: of.category, type_id: of.type_id, max_to_object_ids }
}

/// Matches limits by category and number; inputs that name the same type share its fate.
fn account(limits: &[NewAssociationLimit], answer: &Answer) -> Ledger<()> {
    let mut ledger = Ledger::new(limits.len());
    for result in &answer.results {
        for (index, limit) in limits.iter().enumerate() {
            if limit.association_type == result.association_type() {
                ledger.written(index, ());
            }
        }
    }
    ledger.reject_all(&answer.errors, |entry| {
        let named: Vec<u32> = entry
            .context_texts(&["typeId", "associationTypeId"])
            .filter_map(|text| text.parse().ok())
            .collect();
        let is_about = |limit: &NewAssociationLimit| named.contains(&limit.association_type.type_id);
        limits.iter().enumerate().filter(|(_, limit)| is_about(limit)).map(|(index, _)| index).collect()
    });
    ledger
}
