//! Usage against the account's limits on records and definitions.

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::wire::null_as_default;

/// Usage against the account's limits.
#[derive(Clone, Debug)]
pub struct Quota {
    client: Client,
}

/// Records held and allowed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RecordLimits {
    /// Custom objects.
    #[serde(deserialize_with = "null_as_default")]
    pub custom_object_types: Usage,
    /// HubSpot's own types.
    #[serde(deserialize_with = "null_as_default")]
    pub hubspot_defined_object_types: Vec<ObjectTypeUsage>,
}

impl RecordLimits {
    /// Records of a type, by its type id.
    #[must_use]
    pub fn records_of(&self, object_type_id: &str) -> Option<u64> {
        let all = self.hubspot_defined_object_types.iter().chain(&self.custom_object_types.by_object_type);
        all.filter(|usage| usage.object_type_id == object_type_id).map(|usage| usage.usage).next()
    }
}

/// Usage over all types, and by type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Usage {
    /// By type.
    #[serde(deserialize_with = "null_as_default")]
    pub by_object_type: Vec<ObjectTypeUsage>,
    /// Allowed in all.
    #[serde(deserialize_with = "null_as_default")]
    pub overall_limit: u64,
    /// Used in all.
    #[serde(deserialize_with = "null_as_default")]
    pub overall_usage: u64,
}

/// Usage of one type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ObjectTypeUsage {
    /// The type id.
    #[serde(deserialize_with = "null_as_default")]
    pub object_type_id: String,
    /// Allowed, where there is a limit for the type alone.
    pub limit: Option<u64>,
    /// Used.
    #[serde(deserialize_with = "null_as_default")]
    pub usage: u64,
    /// Label for people.
    #[serde(deserialize_with = "null_as_default")]
    pub plural_label: String,
}

impl Quota {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Records held and allowed, by type. Needs a read scope of some object.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn records(&self) -> Result<RecordLimits, Error> {
        self.client.fetch(Call::get(format!("{}/records", self.client.version().limits))).await
    }

    /// Custom properties held and allowed, by type.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn custom_properties(&self) -> Result<Usage, Error> {
        self.client.fetch(Call::get(format!("{}/custom-properties", self.client.version().limits))).await
    }
}
