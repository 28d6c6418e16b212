//! Records as answers show them.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::objects::record::Record;
use crate::objects::types::{ObjectType, TypeKey};
use crate::properties::definition::{PropKey, Role};
use crate::properties::value::Warning;
use crate::state::State;
use crate::time::{Millis, iso};

/// Which properties an answer shows, in the order of their names.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    props: Vec<PropKey>,
    history: Vec<PropKey>,
}

impl Selection {
    /// The named properties beside id and times, or the type's defaults when none is named. Unknown names are left
    /// out without a word, as HubSpot does.
    pub(crate) fn named<'n>(
        ty: &ObjectType,
        names: impl IntoIterator<Item = &'n str>,
        history: impl IntoIterator<Item = &'n str>,
    ) -> Selection {
        let find = |name: &str| ty.props.find_active(name).map(|(prop, _)| prop);
        let history: Vec<PropKey> = history.into_iter().filter_map(find).collect();
        let mut names = names.into_iter().peekable();
        let mut props: Vec<PropKey> = if names.peek().is_none() {
            ty.defaults.iter().filter_map(|name| find(name)).collect()
        } else {
            names.filter_map(find).collect()
        };
        props.extend(always(ty));
        Selection { props: in_name_order(ty, props), history }
    }

    /// What a write answers: everything it wrote, the defaults, id and times.
    pub(crate) fn written(ty: &ObjectType, written: &[PropKey]) -> Selection {
        let mut props: Vec<PropKey> = written.to_vec();
        props.extend(ty.defaults.iter().filter_map(|name| ty.props.find_active(name)).map(|(prop, _)| prop));
        props.extend(always(ty));
        Selection { props: in_name_order(ty, props), history: Vec::new() }
    }

    pub(crate) fn has_history(&self) -> bool {
        !self.history.is_empty()
    }
}

fn always(ty: &ObjectType) -> impl Iterator<Item = PropKey> {
    ["hs_object_id", &ty.created_prop, &ty.modified_prop]
        .into_iter()
        .filter_map(|name| ty.props.find(name))
        .map(|(prop, _)| prop)
}

fn in_name_order(ty: &ObjectType, mut props: Vec<PropKey>) -> Vec<PropKey> {
    let name = |prop: &PropKey| ty.props.get(*prop).map(|property| property.name.as_str());
    props.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
    props.dedup();
    props
}

/// One record in an answer.
pub(crate) struct View<'s> {
    state: &'s State,
    ty: &'s ObjectType,
    record: &'s Record,
    selection: &'s Selection,
    /// The record is shown as it was then; search looks into the past.
    as_of: Millis,
    associations: Option<Value>,
    new: Option<bool>,
    trace: Option<&'s str>,
    warnings: &'s [Warning],
}

impl<'s> View<'s> {
    pub(crate) fn now(
        state: &'s State,
        key: TypeKey,
        record: &'s Record,
        selection: &'s Selection,
    ) -> View<'s> {
        View::at(state, key, record, selection, Millis::MAX)
    }

    pub(crate) fn at(
        state: &'s State,
        key: TypeKey,
        record: &'s Record,
        selection: &'s Selection,
        as_of: Millis,
    ) -> View<'s> {
        View {
            state,
            ty: state.ty(key),
            record,
            selection,
            as_of,
            associations: None,
            new: None,
            trace: None,
            warnings: &[],
        }
    }

    pub(crate) fn associations(mut self, associations: Option<Value>) -> View<'s> {
        self.associations = associations;
        self
    }

    pub(crate) fn written(
        mut self,
        new: Option<bool>,
        trace: Option<&'s str>,
        warnings: &'s [Warning],
    ) -> View<'s> {
        self.new = new;
        self.trace = trace;
        self.warnings = warnings;
        self
    }

    fn value(&self, prop: PropKey) -> Option<Cow<'s, str>> {
        let source = || self.state.sources.get_index(self.record.created_by as usize);
        match self.ty.props.get(prop)?.role {
            Role::SourceType => source().map(|source| Cow::Borrowed(source.kind.as_str())),
            Role::SourceId => source().and_then(|source| source.id.as_deref()).map(Cow::Borrowed),
            _ => self.ty.value_at(self.record, prop, self.as_of),
        }
    }

    fn history(&self, prop: PropKey) -> Value {
        let stored: Vec<Value> = self
            .record
            .history(prop)
            .take(self.ty.revisions_kept())
            .map(|cell| self.revision(&cell.text, cell.at, cell.source))
            .collect();
        if !stored.is_empty() {
            return Value::Array(stored);
        }
        // Id and times have one value each.
        match self.value(prop) {
            Some(text) => json!([self.revision(&text, self.record.created_at, self.record.created_by)]),
            None => json!([]),
        }
    }

    fn revision(&self, text: &str, at: Millis, source: u32) -> Value {
        let mut revision = Map::new();
        revision.insert("value".to_owned(), Value::from(text));
        revision.insert("timestamp".to_owned(), Value::from(iso(at)));
        if let Some(source) = self.state.sources.get_index(source as usize) {
            revision.insert("sourceType".to_owned(), Value::from(source.kind.as_str()));
            if let Some(id) = &source.id {
                revision.insert("sourceId".to_owned(), Value::from(id.as_str()));
            }
            if let Some(user) = source.user_id {
                revision.insert("updatedByUserId".to_owned(), Value::from(user));
            }
        }
        Value::Object(revision)
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("type", &self.ty.id).field("id", &self.record.id).finish_non_exhaustive()
    }
}

/// The `properties` map.
struct Properties<'v, 's>(&'v View<'s>);

impl Serialize for Properties<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.0;
        let mut map = serializer.serialize_map(Some(view.selection.props.len()))?;
        for prop in &view.selection.props {
            if let Some(property) = view.ty.props.get(*prop) {
                map.serialize_entry(&property.name, &view.value(*prop))?;
            }
        }
        map.end()
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &record.id.to_string())?;
        map.serialize_entry("properties", &Properties(self))?;
        if self.selection.has_history() {
            let history: Map<String, Value> = self
                .selection
                .history
                .iter()
                .filter_map(|prop| Some((self.ty.props.get(*prop)?.name.clone(), self.history(*prop))))
                .collect();
            map.serialize_entry("propertiesWithHistory", &history)?;
        }
        map.serialize_entry("createdAt", &iso(record.created_at))?;
        map.serialize_entry("updatedAt", &iso(record.updated_at(self.as_of)))?;
        map.serialize_entry("archived", &!record.is_live())?;
        if let Some(at) = record.archived_at {
            map.serialize_entry("archivedAt", &iso(at))?;
        }
        if let Some(associations) = &self.associations {
            map.serialize_entry("associations", associations)?;
        }
        if let Some(new) = self.new {
            map.serialize_entry("new", &new)?;
        }
        if let Some(trace) = self.trace {
            map.serialize_entry("objectWriteTraceId", trace)?;
        }
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", self.warnings)?;
        }
        let url = format!(
            "https://app.hubspot.com/contacts/{}/record/{}/{}",
            self.state.config.portal_id, self.ty.id, record.id
        );
        map.serialize_entry("url", &url)?;
        map.end()
    }
}
