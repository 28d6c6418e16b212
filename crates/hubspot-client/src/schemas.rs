//! Schemas of custom objects.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::object_type::ObjectType;
use crate::properties::{NewProperty, PropertyDefinition};
use crate::wire::{Collection, encode, null_as_default, optional_text, to_body};

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
    /// Description for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// Properties that a record must have.
    #[serde(default, deserialize_with = "null_as_default")]
    pub required_properties: Vec<String>,
    /// Properties that the search box looks in.
    #[serde(default, deserialize_with = "null_as_default")]
    pub searchable_properties: Vec<String>,
    /// Properties shown beside the primary one.
    #[serde(default, deserialize_with = "null_as_default")]
    pub secondary_display_properties: Vec<String>,
    /// Whether it may have properties for sensitive data.
    #[serde(default, deserialize_with = "null_as_default")]
    pub allows_sensitive_properties: bool,
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

    /// What an update would have to say to leave the schema as it is: change a field of it, and give it to
    /// [`Schemas::update`].
    #[must_use]
    pub fn to_update(&self) -> SchemaUpdate {
        SchemaUpdate {
            labels: self.labels.clone(),
            description: self.description.clone(),
            primary_display_property: self.primary_display_property.as_deref().map(str::to_owned),
            required_properties: self.required_properties.clone(),
            searchable_properties: self.searchable_properties.clone(),
            secondary_display_properties: self.secondary_display_properties.clone(),
            allows_sensitive_properties: self.allows_sensitive_properties,
        }
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

/// Everything of a schema that can be changed, as it shall be.
///
/// All fields are sent, for HubSpot was seen to set fields left out back to values minutes old. Start from
/// [`Schema::to_update`] of a settled read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaUpdate {
    /// Labels for people.
    pub labels: SchemaLabels,
    /// Description for people; none when empty.
    pub description: String,
    /// The property that stands for a record in lists; left as it is when `None`, for it cannot be unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_display_property: Option<String>,
    /// Properties that a record must have.
    pub required_properties: Vec<String>,
    /// Properties that the search box looks in.
    pub searchable_properties: Vec<String>,
    /// Properties shown beside the primary one, at most two.
    pub secondary_display_properties: Vec<String>,
    /// Whether it may have properties for sensitive data.
    pub allows_sensitive_properties: bool,
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

    /// Changes a custom object. Reads may show the old state for over a minute: settle before comparing.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn update(&self, object_type: &ObjectType, schema: &SchemaUpdate) -> Result<(), Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            #[serde(flatten)]
            schema: &'a SchemaUpdate,
            clear_description: bool,
        }
        let body = to_body(&Body { schema, clear_description: schema.description.is_empty() }, 1_024)?;
        let path = self.path(&format!("/{object_type}"));
        self.client.perform(Call::new(Method::PATCH, path, body)).await
    }

    /// Lets records of a custom object be associated with those of another type. HubSpot chooses the internal name when
    /// `name` is `None`.
    ///
    /// # Errors
    /// When refused. After an unknown outcome, look with [`find`](Self::find): repeating may define a second one.
    pub async fn create_association(
        &self,
        from: &ObjectType,
        to: &ObjectType,
        name: Option<&str>,
    ) -> Result<SchemaAssociation, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            from_object_type_id: &'a str,
            to_object_type_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
        }
        let body = Body { from_object_type_id: from.as_str(), to_object_type_id: to.as_str(), name };
        let path = self.path(&format!("/{from}/associations"));
        self.client.fetch(Call::post(path, to_body(&body, 128)?)).await
    }

    /// Deletes an association type of a custom object, by [`SchemaAssociation::id`]; records lose their links of it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it is missing; otherwise when refused, or when the outcome is unknown. Repeating does
    /// no harm.
    pub async fn delete_association(&self, object_type: &ObjectType, association: &str) -> Result<(), Error> {
        let path = self.path(&format!("/{object_type}/associations/{}", encode(association)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
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
