//! Labels of associations: definitions, not links.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::associations::{AssociationCategory, AssociationType, Associations};
use crate::call::{Call, CallKind};
use crate::error::Error;
use crate::wire::{Collection, optional_text, to_body};

/// A type of association that exists from one object type to another, in this direction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LabelDefinition {
    /// Who defined it.
    pub category: AssociationCategory,
    /// Its number in this direction.
    pub type_id: u32,
    /// The label; `None` for a plain link. The internal name is not in the list.
    #[serde(default, deserialize_with = "optional_text")]
    pub label: Option<Box<str>>,
}

impl LabelDefinition {
    /// The type, as links use it.
    #[must_use]
    pub fn association_type(&self) -> AssociationType {
        AssociationType { category: self.category, type_id: self.type_id }
    }
}

/// A label to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewLabel {
    /// Internal name: no hyphen, no leading digit, unique in the portal.
    pub name: String,
    /// Label in this direction.
    pub label: String,
    /// Label in the other direction; the same when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_label: Option<String>,
}

impl Associations {
    /// All types from the first object type to the second. New ones take up to minutes to show.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn labels(&self) -> Result<Vec<LabelDefinition>, Error> {
        let call = Call::get(self.batch_path("/labels")).kind(CallKind::Association);
        let all: Collection<LabelDefinition> = self.client().fetch(call).await?;
        Ok(all.results)
    }

    /// Creates a label; the answer holds its types in both directions.
    ///
    /// # Errors
    /// [`LimitReached`](crate::ErrorKind::LimitReached) when the pair has as many labels as HubSpot allows. After an unknown
    /// outcome, look with [`labels`](Self::labels).
    pub async fn create_label(&self, label: &NewLabel) -> Result<Vec<LabelDefinition>, Error> {
        let call = Call::post(self.batch_path("/labels"), to_body(label, 128)?).kind(CallKind::Association);
        let all: Collection<LabelDefinition> = self.client().fetch(call).await?;
        Ok(all.results)
    }

    /// Renames a label. Without `inverse_label` the new label stands in both directions.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn rename_label(
        &self,
        type_id: u32,
        label: &str,
        inverse_label: Option<&str>,
    ) -> Result<(), Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            association_type_id: u32,
            label: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            inverse_label: Option<&'a str>,
        }
        let body = to_body(&Body { association_type_id: type_id, label, inverse_label }, 128)?;
        let call = Call::new(Method::PUT, self.batch_path("/labels"), body).kind(CallKind::Association);
        self.client().perform(call).await
    }

    /// Deletes a label in both directions; records lose it.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn delete_label(&self, type_id: u32) -> Result<(), Error> {
        let path = self.batch_path(&format!("/labels/{type_id}"));
        let call = Call::new(Method::DELETE, path, Bytes::new()).kind(CallKind::Association);
        self.client().perform(call).await
    }
}
