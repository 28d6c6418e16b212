//! Schemas of custom objects.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::object_type::ObjectType;
use crate::properties::{NewProperty, PropertyDefinition};
use crate::wire::{Collection, null_as_default, optional_text, to_body};

/// Schemas of custom objects. Creating them needs an Enterprise account.
#[derive(Clone, Debug)]
pub struct Schemas {
    client: Client,
}

/// A custom object's schema. Reads lag behind writes: the list by seconds, a single read by up to a minute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Schema {
    /// The type id, `2-n`.
    pub object_type_id: String,
    /// Internal name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// `p{portalId}_{name}`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub fully_qualified_name: String,
    /// Labels for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub labels: SchemaLabels,
    /// The property that stands for a record in lists.
    #[serde(default, deserialize_with = "optional_text")]
    pub primary_display_property: Option<Box<str>>,
    /// Properties that a record must have.
    #[serde(default, deserialize_with = "null_as_default")]
    pub required_properties: Vec<String>,
    /// Its property definitions.
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties: Vec<PropertyDefinition>,
    /// Its association types.
    #[serde(default, deserialize_with = "null_as_default")]
    pub associations: Vec<SchemaAssociation>,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
}

impl Schema {
    /// The type id, for use in calls.
    #[must_use]
    pub fn object_type(&self) -> Option<ObjectType> {
        ObjectType::new(self.object_type_id.as_str()).ok()
    }
}

/// Labels of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchemaLabels {
    /// One.
    #[serde(deserialize_with = "null_as_default")]
    pub singular: String,
    /// Many.
    #[serde(deserialize_with = "null_as_default")]
    pub plural: String,
}

/// An association type of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SchemaAssociation {
    /// Its number, as a text here.
    #[serde(deserialize_with = "crate::wire::text")]
    pub id: Box<str>,
    /// From this type id.
    #[serde(default, deserialize_with = "null_as_default")]
    pub from_object_type_id: String,
    /// To this type id.
    #[serde(default, deserialize_with = "null_as_default")]
    pub to_object_type_id: String,
    /// Internal name.
    #[serde(default, deserialize_with = "optional_text")]
    pub name: Option<Box<str>>,
}

/// A custom object to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSchema {
    /// Internal name, at most 50 characters, letter first; cannot be changed.
    pub name: String,
    /// Labels for people.
    pub labels: SchemaLabels,
    /// The property that stands for a record in lists; one of `properties`.
    pub primary_display_property: String,
    /// Properties that a record must have.
    pub required_properties: Vec<String>,
    /// Properties that the search box looks in.
    pub searchable_properties: Vec<String>,
    /// Properties shown beside the primary one, at most two.
    pub secondary_display_properties: Vec<String>,
    /// Its own properties. Their group is `{name}_information`.
    pub properties: Vec<NewProperty>,
    /// Types it can be associated with, by name or id.
    pub associated_objects: Vec<String>,
}

impl Schemas {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.client.version().schemas)
    }

    /// All active schemas.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn list(&self) -> Result<Vec<Schema>, Error> {
        let all: Collection<Schema> = self.client.fetch(Call::get(self.path(""))).await?;
        Ok(all.results)
    }

    /// One schema, or `None` when there is none.
    ///
    /// # Errors
    /// When the call fails otherwise.
    pub async fn find(&self, object_type: &ObjectType) -> Result<Option<Schema>, Error> {
        match self.client.fetch(Call::get(self.path(&format!("/{object_type}")))).await {
            Ok(schema) => Ok(Some(schema)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a custom object. With the name of an archived one, HubSpot purges that one.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when the name is taken. After an unknown outcome, look with [`list`](Self::list).
    pub async fn create(&self, schema: &NewSchema) -> Result<Schema, Error> {
        self.client.fetch(Call::post(self.path(""), to_body(schema, 4_096)?)).await
    }

    /// Archives a custom object that has no active records.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn archive(&self, object_type: &ObjectType) -> Result<(), Error> {
        let path = self.path(&format!("/{object_type}"));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }
}
