//! Everything a portal holds: types with their records, associations, owners, sources of change.

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use crate::associations::links::Links;
use crate::associations::types::LinkTypes;
use crate::catalog::types::STANDARD_TYPES;
use crate::config::PortalConfig;
use crate::context::SourceKey;
use crate::error::ApiError;
use crate::ids::Rng;
use crate::journal::Journals;
use crate::objects::types::{ObjectType, TypeKey};
use crate::owners::Owners;
use crate::webhooks::changes::Changes;
use crate::webhooks::{self, Webhooks};

/// Who changed a value, as property history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Source {
    /// `INTEGRATION`, `CRM_UI`, `CALCULATED`, `MERGE_OBJECTS`.
    pub(crate) kind: String,
    /// The app's id, or `userId:…`.
    pub(crate) id: Option<String>,
    pub(crate) user_id: Option<u64>,
}

impl Source {
    /// HubSpot docs: writes of an app show as INTEGRATION with the app's id. Private apps and service keys may show
    /// otherwise at HubSpot; a client should learn the label by a probe.
    pub(crate) fn app(app_id: u64) -> Source {
        Source { kind: "INTEGRATION".to_owned(), id: Some(app_id.to_string()), user_id: None }
    }

    pub(crate) fn user(user_id: u64) -> Source {
        Source { kind: "CRM_UI".to_owned(), id: Some(format!("userId:{user_id}")), user_id: Some(user_id) }
    }

    pub(crate) fn internal(kind: &str) -> Source {
        Source { kind: kind.to_owned(), id: None, user_id: None }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) config: PortalConfig,
    pub(crate) rng: Rng,
    pub(crate) types: Vec<ObjectType>,
    pub(crate) link_types: LinkTypes,
    pub(crate) links: Links,
    pub(crate) owners: Owners,
    #[serde(default)]
    pub(crate) oauth: crate::oauth::Grants,
    pub(crate) sources: IndexSet<Source>,
    pub(crate) next_custom_type: u64,
    pub(crate) next_made_id: u64,
    #[serde(default)]
    pub(crate) webhooks: Webhooks,
    #[serde(default)]
    pub(crate) journals: Journals,
    /// What happened in the call under way.
    #[serde(skip)]
    pub(crate) changes: Changes,
}

/// Keys of sources that the portal itself uses; they are entered first.
pub(crate) const CALCULATED: SourceKey = 0;
pub(crate) const MERGE: SourceKey = 1;

impl State {
    pub(crate) fn new(config: PortalConfig) -> State {
        let mut rng = Rng::new(config.seed);
        let types: Vec<ObjectType> =
            STANDARD_TYPES.iter().map(|row| ObjectType::standard(row, &mut rng)).collect();
        let link_types = LinkTypes::standard(&types);
        let owners = Owners::new(&config.owners);
        let mut sources = IndexSet::new();
        sources.insert(Source::internal("CALCULATED"));
        sources.insert(Source::internal("MERGE_OBJECTS"));
        let next_custom_type = 120_000_000 + rng.below(9_000_000);
        State {
            config,
            rng,
            types,
            link_types,
            links: Links::default(),
            owners,
            oauth: crate::oauth::Grants::default(),
            sources,
            next_custom_type,
            next_made_id: 190_000_000,
            webhooks: Webhooks::default(),
            journals: Journals::default(),
            changes: Changes::default(),
        }
    }

    pub(crate) fn source_key(&mut self, source: Source) -> SourceKey {
        let (index, _) = self.sources.insert_full(source);
        SourceKey::try_from(index).unwrap_or(SourceKey::MAX)
    }

    /// The type a path names.
    pub(crate) fn find_type(&self, name: &str) -> Result<TypeKey, ApiError> {
        self.lookup_type(name)
            .filter(|key| self.ty(*key).is_active())
            .ok_or_else(|| ApiError::validation(format!("Unable to infer object type from: {name}")))
    }

    /// Like [`State::find_type`], archived custom types included.
    pub(crate) fn lookup_type(&self, name: &str) -> Option<TypeKey> {
        let index = self.types.iter().position(|ty| ty.is_called(name))?;
        u32::try_from(index).ok().map(TypeKey)
    }

    /// Keys come from [`State::lookup_type`] and types are never removed, so the index is good.
    pub(crate) fn ty(&self, key: TypeKey) -> &ObjectType {
        &self.types[key.0 as usize]
    }

    pub(crate) fn ty_mut(&mut self, key: TypeKey) -> &mut ObjectType {
        &mut self.types[key.0 as usize]
    }

    pub(crate) fn type_keys(&self) -> impl Iterator<Item = TypeKey> + use<> {
        (0..u32::try_from(self.types.len()).unwrap_or(u32::MAX)).map(TypeKey)
    }

    /// A number for a pipeline or stage that came without an id.
    pub(crate) fn made_id(&mut self) -> String {
        self.next_made_id += 1 + self.rng.below(5);
        self.next_made_id.to_string()
    }

    /// Rebuilds what a snapshot leaves out.
    pub(crate) fn rebuild(&mut self) {
        for ty in &mut self.types {
            ty.rebuild();
        }
        webhooks::resume(self);
    }
}
