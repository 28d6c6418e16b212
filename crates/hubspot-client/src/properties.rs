//! Property definitions and groups of one object type.

use bytes::Bytes;
use http::Method;
use http_transport::Idempotency;
use serde::{Deserialize, Serialize};

use crate::batch::{BATCH_MAX, check_size};
use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::object_type::ObjectType;
use crate::wire::{Collection, encode, null_as_default, optional_text, to_body};

/// Property definitions and groups of one type.
#[derive(Clone, Debug)]
pub struct Properties {
    client: Client,
    object_type: ObjectType,
}

/// A property's definition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PropertyDefinition {
    /// Internal name.
    pub name: String,
    /// Label for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub label: String,
    /// Such as `string`, `number`, `date`, `datetime`, `bool`, `enumeration`; an open set.
    #[serde(rename = "type", default, deserialize_with = "null_as_default")]
    pub value_type: String,
    /// Such as `text`, `select`, `checkbox`; an open set.
    #[serde(default, deserialize_with = "null_as_default")]
    pub field_type: String,
    /// The group it is shown in.
    #[serde(default, deserialize_with = "null_as_default")]
    pub group_name: String,
    /// For people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// Allowed values of an enumeration.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: Vec<PropertyOption>,
    /// Whether no two records may hold the same value, so that it can name a record.
    #[serde(default, deserialize_with = "null_as_default")]
    pub has_unique_value: bool,
    /// Whether HubSpot computes it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub calculated: bool,
    /// Whether HubSpot made it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hubspot_defined: bool,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
    /// Whether it is hidden in the user interface.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hidden: bool,
    /// Whether its options come from elsewhere, such as the owners.
    #[serde(default, deserialize_with = "null_as_default")]
    pub external_options: bool,
    /// What it refers to, such as `OWNER`.
    #[serde(default, deserialize_with = "optional_text")]
    pub referenced_object_type: Option<Box<str>>,
    /// `non_sensitive`, `sensitive` or `highly_sensitive`.
    #[serde(default, deserialize_with = "optional_text")]
    pub data_sensitivity: Option<Box<str>>,
    /// What may be changed about it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) modification_metadata: ModificationMetadata,
}

impl PropertyDefinition {
    /// Whether HubSpot refuses writes to its value.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.modification_metadata.read_only_value || self.calculated
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ModificationMetadata {
    #[serde(deserialize_with = "null_as_default")]
    read_only_value: bool,
}

/// An allowed value of an enumeration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyOption {
    /// Label for people.
    pub label: String,
    /// The value that records hold; exact case matters.
    pub value: String,
    /// Place in the list; -1 is last.
    #[serde(default, deserialize_with = "null_as_default")]
    pub display_order: i32,
    /// Whether it is hidden in the user interface.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hidden: bool,
}

/// A property to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewProperty {
    /// Internal name: lower-case letters, digits and underscores. An archived property of the same name comes back with its
    /// old values and this definition.
    pub name: String,
    /// Label for people.
    pub label: String,
    /// Such as `string`, `number`, `enumeration`.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Such as `text`, `number`, `select`.
    pub field_type: String,
    /// An existing group.
    pub group_name: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Allowed values of an enumeration; `true` and `false` for a `bool`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<PropertyOption>,
    /// Whether no two records may hold the same value; cannot be changed later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_unique_value: bool,
    /// Hidden in the user interface.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A group of properties.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PropertyGroup {
    /// Internal name.
    pub name: String,
    /// Label for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub label: String,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
}

/// A group to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewGroup {
    /// Internal name.
    pub name: String,
    /// Label for people.
    pub label: String,
}

#[derive(Serialize)]
struct Inputs<T> {
    inputs: T,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

impl Properties {
    pub(crate) fn new(client: Client, object_type: ObjectType) -> Self {
        Self { client, object_type }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.client.version().properties, self.object_type)
    }

    /// All active definitions of the non-sensitive class, in one answer.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn list(&self) -> Result<Vec<PropertyDefinition>, Error> {
        let all: Collection<PropertyDefinition> = self.client.fetch(Call::get(self.path(""))).await?;
        Ok(all.results)
    }

    /// One definition, or `None` when there is none or it is archived.
    ///
    /// # Errors
    /// When the call fails otherwise.
    pub async fn find(&self, name: &str) -> Result<Option<PropertyDefinition>, Error> {
        match self.client.fetch(Call::get(self.path(&format!("/{}", encode(name))))).await {
            Ok(definition) => Ok(Some(definition)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a property.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when the name is taken. After an unknown outcome, look with [`find`](Self::find).
    pub async fn create(&self, property: &NewProperty) -> Result<PropertyDefinition, Error> {
        self.client.fetch(Call::post(self.path(""), to_body(property, 512)?)).await
    }

    /// Creates up to 100 properties. HubSpot takes all or none of them.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn batch_create(&self, properties: &[NewProperty]) -> Result<Vec<PropertyDefinition>, Error> {
        if properties.is_empty() {
            return Ok(Vec::new());
        }
        check_size(properties.len(), BATCH_MAX)?;
        let body = to_body(&Inputs { inputs: properties }, 512 * properties.len())?;
        let all: Collection<PropertyDefinition> =
            self.client.fetch(Call::post(self.path("/batch/create"), body)).await?;
        Ok(all.results)
    }

    /// Reads up to 100 definitions; unknown names are left out.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn batch_read(&self, names: &[&str]) -> Result<Vec<PropertyDefinition>, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            archived: bool,
            inputs: Vec<Name<'a>>,
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        check_size(names.len(), BATCH_MAX)?;
        let body = Body { archived: false, inputs: names.iter().map(|name| Name { name }).collect() };
        let call =
            Call::post(self.path("/batch/read"), to_body(&body, 1_024)?).idempotency(Idempotency::Safe);
        let all: Collection<PropertyDefinition> = self.client.fetch(call).await?;
        Ok(all.results)
    }

    /// Replaces the options of an enumeration as a whole: options left out are gone.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn replace_options(
        &self,
        name: &str,
        options: &[PropertyOption],
    ) -> Result<PropertyDefinition, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            options: &'a [PropertyOption],
        }
        self.update(name, &Body { options }).await
    }

    /// Changes the label and description of a property.
    ///
    /// # Errors
    /// As [`replace_options`](Self::replace_options).
    pub async fn relabel(
        &self,
        name: &str,
        label: &str,
        description: &str,
    ) -> Result<PropertyDefinition, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            label: &'a str,
            description: &'a str,
        }
        self.update(name, &Body { label, description }).await
    }

    async fn update<T: Serialize>(&self, name: &str, body: &T) -> Result<PropertyDefinition, Error> {
        let path = self.path(&format!("/{}", encode(name)));
        self.client.fetch(Call::new(Method::PATCH, path, to_body(body, 512)?)).await
    }

    /// Archives a property; it is purged after 90 days.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it is missing or archived already.
    pub async fn archive(&self, name: &str) -> Result<(), Error> {
        let path = self.path(&format!("/{}", encode(name)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }

    /// Archives up to 100 properties, whatever their state.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn batch_archive(&self, names: &[&str]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        check_size(names.len(), BATCH_MAX)?;
        let inputs = Inputs { inputs: names.iter().map(|name| Name { name }).collect::<Vec<_>>() };
        let call = Call::post(self.path("/batch/archive"), to_body(&inputs, 1_024)?)
            .idempotency(Idempotency::Idempotent);
        self.client.perform(call).await
    }

    /// All groups.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn groups(&self) -> Result<Vec<PropertyGroup>, Error> {
        let all: Collection<PropertyGroup> = self.client.fetch(Call::get(self.path("/groups"))).await?;
        Ok(all.results)
    }

    /// Creates a group.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when the name is taken.
    pub async fn create_group(&self, group: &NewGroup) -> Result<PropertyGroup, Error> {
        self.client.fetch(Call::post(self.path("/groups"), to_body(group, 128)?)).await
    }

    /// Changes the label of a group.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn relabel_group(&self, name: &str, label: &str) -> Result<PropertyGroup, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            label: &'a str,
        }
        let path = self.path(&format!("/groups/{}", encode(name)));
        self.client.fetch(Call::new(Method::PATCH, path, to_body(&Body { label }, 128)?)).await
    }

    /// Archives a group that has no active properties.
    ///
    /// # Errors
    /// When it is missing or in use.
    pub async fn archive_group(&self, name: &str) -> Result<(), Error> {
        let path = self.path(&format!("/groups/{}", encode(name)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }
}
