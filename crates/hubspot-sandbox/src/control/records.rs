//! Reading whole records, and editing them as people in the CRM do.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::context::{Ctx, PropertyMap, Text};
use crate::control::ControlError;
use crate::error::ApiError;
use crate::objects::merge;
use crate::objects::plan::{self, Reserved};
use crate::objects::record::Record;
use crate::objects::types::TypeKey;
use crate::objects::write;
use crate::portal::Portal;
use crate::properties::definition::Role;
use crate::router::Version;
use crate::state::Source;
use crate::time::Millis;
use crate::webhooks;

/// The user whom edits of the control API are attributed to.
const EDITOR: u64 = 9_200_001;

/// A record as the portal stores it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRecord {
    /// Record id.
    pub id: u64,
    /// Whether it is in the bin.
    pub archived: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a value last changed.
    pub updated_at: Timestamp,
    /// Every property that has a value.
    pub properties: BTreeMap<String, String>,
    /// Every link, ordered by type and record.
    pub associations: Vec<StoredLink>,
}

impl fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRecord")
            .field("id", &self.id)
            .field("archived", &self.archived)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .field("associations", &self.associations)
            .finish_non_exhaustive()
    }
}

/// One association type between a record and another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLink {
    /// Type of the other record, e.g. `0-2`.
    pub object_type_id: String,
    /// Plural name of that type.
    pub object_type: String,
    /// The other record.
    pub id: u64,
    /// `HUBSPOT_DEFINED` or `USER_DEFINED`.
    pub category: &'static str,
    /// Number of the association type, in this direction.
    pub type_id: u32,
    /// Its label, if it has one.
    pub label: Option<String>,
}

/// An object type and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeSummary {
    /// Type id, e.g. `0-1`.
    pub id: String,
    /// Name for paths: the plural of a standard type, the fully qualified name of a custom one.
    pub name: String,
    /// Label of one record.
    pub singular: String,
    /// Label of several.
    pub plural: String,
    /// Live records.
    pub records: u64,
    /// Property that stands for a record where one value must do.
    pub primary_display: Option<String>,
}

/// Some records of one type, in the order of their ids.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordPage {
    /// The records.
    pub records: Vec<StoredRecord>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// One value that a property had.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueRevision {
    /// The value; empty when it was cleared.
    pub value: String,
    /// Since when.
    pub at: Timestamp,
    /// `INTEGRATION`, `CRM_UI`, `CALCULATED` or `MERGE_OBJECTS`.
    pub source: String,
    /// The app's id, or `userId:…`.
    pub source_id: Option<String>,
}

impl fmt::Debug for ValueRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueRevision")
            .field("at", &self.at)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn refused(error: ApiError) -> ControlError {
    ControlError::Refused(error.message)
}

impl Portal {
    pub(crate) fn type_key(&self, object_type: &str) -> Result<TypeKey, ControlError> {
        let found = self.state.lookup_type(object_type).or_else(|| {
            // Here, unlike in paths, a custom type may be called by its bare name.
            self.state.type_keys().find(|key| {
                let ty = self.state.ty(*key);
                ty.is_active() && ty.name.eq_ignore_ascii_case(object_type)
            })
        });
        found.ok_or_else(|| ControlError::UnknownType(object_type.to_owned()))
    }

    /// Every active object type, standard ones first.
    pub fn object_types(&self) -> Vec<TypeSummary> {
        let active = self.state.types.iter().filter(|ty| ty.is_active());
        active
            .map(|ty| TypeSummary {
                id: ty.id.clone(),
                name: ty
                    .custom
                    .as_ref()
                    .map_or_else(|| ty.plural.clone(), |schema| schema.fully_qualified_name.clone()),
                singular: ty.label_singular.clone(),
                plural: ty.label_plural.clone(),
                records: ty.records.live_count(),
                primary_display: ty.primary_display.clone(),
            })
            .collect()
    }

    /// How many live records a type has.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn record_count(&self, object_type: &str) -> Result<u64, ControlError> {
        Ok(self.state.ty(self.type_key(object_type)?).records.live_count())
    }

    /// One record, archived ones included. Ids that a merge retired give the retired record.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn record(&self, object_type: &str, id: u64) -> Result<Option<StoredRecord>, ControlError> {
        let key = self.type_key(object_type)?;
        Ok(self.state.ty(key).records.get(id).map(|record| self.stored(key, record)))
    }

    /// Up to `limit` live records with ids from `from` on.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn records(&self, object_type: &str, from: u64, limit: usize) -> Result<RecordPage, ControlError> {
        let key = self.type_key(object_type)?;
        let mut found = self.state.ty(key).records.range_from(from).filter(|record| record.is_live());
        let records = found.by_ref().take(limit).map(|record| self.stored(key, record)).collect();
        Ok(RecordPage { records, next: found.next().map(|record| record.id) })
    }

    /// What a property of a record has held, newest first; empty for an unknown record or property.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn history(
        &self,
        object_type: &str,
        id: u64,
        property: &str,
    ) -> Result<Vec<ValueRevision>, ControlError> {
        let key = self.type_key(object_type)?;
        let ty = self.state.ty(key);
        let (Some(record), Some((prop, _))) = (ty.records.get(id), ty.props.find(property)) else {
            return Ok(Vec::new());
        };
        let revision = |cell: &crate::objects::record::Cell| {
            let source = self.state.sources.get_index(cell.source as usize);
            ValueRevision {
                value: cell.text.to_string(),
                at: timestamp(cell.at),
                source: source.map(|source| source.kind.clone()).unwrap_or_default(),
                source_id: source.and_then(|source| source.id.clone()),
            }
        };
        Ok(record.history(prop).map(revision).collect())
    }

    fn stored(&self, key: TypeKey, record: &Record) -> StoredRecord {
        let ty = self.state.ty(key);
        let mut properties = BTreeMap::new();
        for (prop, property) in ty.props.iter() {
            let value = match property.role {
                Role::SourceType | Role::SourceId => None,
                _ => ty.value_at(record, prop, Millis::MAX),
            };
            if let Some(value) = value {
                properties.insert(property.name.clone(), value.into_owned());
            }
        }
        let mut associations = Vec::new();
        for other in self.state.type_keys() {
            for (id, held) in self.state.links.list((key, record.id), other) {
                for link_type in held.iter().filter_map(|held| self.state.link_types.get(held.key)) {
                    associations.push(StoredLink {
                        object_type_id: self.state.ty(other).id.clone(),
                        object_type: self.state.ty(other).plural.clone(),
                        id,
                        category: link_type.key.category.name(),
                        type_id: link_type.key.type_id,
                        label: link_type.label.clone(),
                    });
                }
            }
        }
        StoredRecord {
            id: record.id,
            archived: !record.is_live(),
            created_at: timestamp(record.created_at),
            updated_at: timestamp(record.updated_at),
            properties,
            associations,
        }
    }

    /// Makes a record as a person in the CRM does.
    ///
    /// # Errors
    /// When there is no such type or a value is not allowed.
    pub fn create_as_user<'p>(
        &mut self,
        now: Timestamp,
        object_type: &str,
        properties: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<u64, ControlError> {
        let key = self.type_key(object_type)?;
        let ctx = self.user_ctx(now);
        let id = {
            let crate::state::State { types, rng, .. } = &mut self.state;
            types.get_mut(key.0 as usize).map_or(0, |ty| ty.records.next_id(rng))
        };
        let sent = property_map(properties);
        let draft = plan::draft(&self.state, &ctx, key, None, id, &sent, &mut Reserved::default())
            .map_err(refused)?;
        write::create(&mut self.state, &ctx, key, id, &draft, &[]);
        self.tell(now);
        Ok(id)
    }

    /// Edits a record as a person in the CRM does: history shows `CRM_UI`.
    ///
    /// # Errors
    /// When there is no such type or live record, or a value is not allowed.
    pub fn edit_as_user<'p>(
        &mut self,
        now: Timestamp,
        object_type: &str,
        id: u64,
        properties: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<(), ControlError> {
        let key = self.type_key(object_type)?;
        let ctx = self.user_ctx(now);
        let unknown = || ControlError::UnknownRecord { object_type: object_type.to_owned(), id };
        let record = self.state.ty(key).records.live(id).ok_or_else(unknown)?;
        let sent = property_map(properties);
        let draft = plan::draft(&self.state, &ctx, key, Some(record), id, &sent, &mut Reserved::default())
            .map_err(refused)?;
        write::update(&mut self.state, &ctx, key, id, &draft);
        self.tell(now);
        Ok(())
    }

    /// Merges two live records as a person in the CRM does, and gives the survivor: the primary for contacts, a new
    /// record for all others.
    ///
    /// # Errors
    /// When there is no such type, or one of the records is not live, or both are one.
    pub fn merge_as_user(
        &mut self,
        now: Timestamp,
        object_type: &str,
        primary: u64,
        other: u64,
    ) -> Result<u64, ControlError> {
        let key = self.type_key(object_type)?;
        let ctx = self.user_ctx(now);
        let survivor = merge::unite(&mut self.state, &ctx, key, primary, other).map_err(refused)?;
        self.tell(now);
        Ok(survivor)
    }

    /// Moves a record to the bin. False when it is not there or in the bin already.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn archive_record(
        &mut self,
        now: Timestamp,
        object_type: &str,
        id: u64,
    ) -> Result<bool, ControlError> {
        let key = self.type_key(object_type)?;
        self.user_ctx(now);
        let done = write::archive(&mut self.state, key, id, now.as_millisecond());
        self.tell(now);
        Ok(done)
    }

    /// Brings a record back from the bin, with its links to live records. False when it is not in the bin or was
    /// merged into another.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn restore_record(
        &mut self,
        now: Timestamp,
        object_type: &str,
        id: u64,
    ) -> Result<bool, ControlError> {
        let key = self.type_key(object_type)?;
        self.user_ctx(now);
        let done = write::restore(&mut self.state, key, id, now.as_millisecond());
        self.tell(now);
        Ok(done)
    }

    /// Tells those who listen what has just been done.
    fn tell(&mut self, now: Timestamp) {
        webhooks::spread(&mut self.state, now.as_millisecond());
    }

    fn user_ctx(&mut self, now: Timestamp) -> Ctx<'static> {
        let source = self.state.source_key(Source::user(EDITOR));
        self.state.changes.begin(source);
        Ctx {
            now: now.as_millisecond(),
            version: Version::V2026_09,
            path: "",
            query: Vec::new(),
            body: &[],
            source,
            lag: self.lag(),
            refused_row: None,
        }
    }
}

fn property_map<'p>(properties: impl IntoIterator<Item = (&'p str, &'p str)>) -> PropertyMap {
    properties.into_iter().map(|(name, value)| (name.to_owned(), Text(value.to_owned()))).collect()
}
