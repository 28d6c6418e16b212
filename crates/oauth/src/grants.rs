//! Grants by app and portal in a sealed store.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::envelope::{EnvelopeError, Keys, Sealed};
use crate::grant::{Grant, GrantStatus, PortalId, Refreshing};
use crate::store::{Revision, SealedStore, StoreError, StoreErrorKind};

/// Seals grants and keeps them. There is no mode without encryption.
pub struct Grants {
    store: Arc<dyn SealedStore>,
    keys: Keys,
    entropy: Arc<dyn Entropy>,
}

/// A grant as it is sealed; versioned, so that a later form can be told apart.
#[derive(Serialize)]
struct Written<'g> {
    version: u32,
    client_id: &'g str,
    portal: PortalId,
    access: &'g str,
    refresh: &'g str,
    obtained_at: Timestamp,
    expires_at: Timestamp,
    scopes: &'g [String],
    status: &'g GrantStatus,
    refreshing: &'g Option<Refreshing>,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    client_id: String,
    portal: PortalId,
    access: SecretString,
    refresh: SecretString,
    obtained_at: Timestamp,
    expires_at: Timestamp,
    scopes: Vec<String>,
    status: GrantStatus,
    refreshing: Option<Refreshing>,
}

const VERSION: u32 = 1;

impl Grants {
    /// Grants in `store` under `keys`.
    #[must_use]
    pub fn new(store: Arc<dyn SealedStore>, keys: Keys, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, keys, entropy }
    }

    /// The grant of a portal to an app, and its revision for [`save`](Self::save).
    ///
    /// # Errors
    /// The store cannot be had, or what rests there does not open.
    pub async fn load(
        &self,
        client_id: &str,
        portal: PortalId,
    ) -> Result<Option<(Grant, Revision)>, StoreError> {
        let name = name(client_id, portal);
        let Some(entry) = self.store.get(&name).await? else { return Ok(None) };
        let opened = self.keys.open(&name, &entry.sealed).map_err(|error| unopened(&name, error))?;
        let read: Read = serde_json::from_slice(&opened)
            .ok()
            .filter(|read: &Read| {
                read.version == VERSION && read.portal == portal && read.client_id == client_id
            })
            .ok_or_else(|| {
                let message = format!("the entry `{name}` was written by another version of this program");
                StoreError::new(StoreErrorKind::Corrupt, message)
            })?;
        let grant = Grant {
            client_id: read.client_id,
            portal: read.portal,
            access: read.access,
            refresh: read.refresh,
            obtained_at: read.obtained_at,
            expires_at: read.expires_at,
            scopes: read.scopes,
            status: read.status,
            refreshing: read.refreshing,
        };
        Ok(Some((grant, entry.revision)))
    }

    /// Writes a grant over the one of revision `expected`, or as a first one with `None`. Durable when it returns.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when somebody else wrote meanwhile, or the store cannot be had.
    pub async fn save(&self, grant: &Grant, expected: Option<Revision>) -> Result<Revision, StoreError> {
        let name = name(&grant.client_id, grant.portal);
        let written = Written {
            version: VERSION,
            client_id: &grant.client_id,
            portal: grant.portal,
            access: grant.access.expose_secret(),
            refresh: grant.refresh.expose_secret(),
            obtained_at: grant.obtained_at,
            expires_at: grant.expires_at,
            scopes: &grant.scopes,
            status: &grant.status,
            refreshing: &grant.refreshing,
        };
        // Roomy from the start: growing would leave a copy behind that nobody wipes.
        let mut content = Zeroizing::new(Vec::with_capacity(16 * 1024));
        serde_json::to_writer(&mut *content, &written).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, "the grant cannot be written").with_source(error)
        })?;
        let sealed = self.seal(&name, &content)?;
        self.store.put(&name, &sealed, expected).await
    }

    /// Forgets a portal's grant. The app stays installed in HubSpot: to end that too, uninstall it first.
    ///
    /// # Errors
    /// The store cannot be had.
    pub async fn forget(&self, client_id: &str, portal: PortalId) -> Result<(), StoreError> {
        self.store.delete(&name(client_id, portal)).await
    }

    /// The portals that have a grant to the app, whatever its status, in order.
    ///
    /// # Errors
    /// The store cannot be had.
    pub async fn portals(&self, client_id: &str) -> Result<Vec<PortalId>, StoreError> {
        let prefix = format!("grant/{client_id}/");
        let names = self.store.names().await?;
        let number = |name: &String| name.strip_prefix(&prefix)?.parse().ok().map(PortalId);
        let mut portals: Vec<PortalId> = names.iter().filter_map(number).collect();
        portals.sort();
        Ok(portals)
    }

    /// Moves every entry to the current master key, while others work; says how many it moved. Afterwards the former
    /// keys are needed no more, unless a process that does not know the new one still writes. May be called again.
    ///
    /// # Errors
    /// The store cannot be had, or an entry opens with none of the keys; those before it have been moved.
    pub async fn rotate_keys(&self) -> Result<u64, StoreError> {
        let mut moved = 0;
        for name in self.store.names().await? {
            loop {
                let Some(entry) = self.store.get(&name).await? else { break };
                let rotated = self.keys.rotate(&name, &entry.sealed, &*self.entropy);
                let Some(sealed) = rotated.map_err(|error| unopened(&name, error))? else { break };
                match self.store.put(&name, &sealed, Some(entry.revision)).await {
                    Ok(_) => {
                        moved += 1;
                        break;
                    }
                    // Whoever wrote meanwhile may have done so under the former key: look again.
                    Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(moved)
    }

    pub(crate) fn seal(&self, name: &str, content: &[u8]) -> Result<Sealed, StoreError> {
        self.keys.seal(name, content, &*self.entropy).map_err(|error| {
            StoreError::new(StoreErrorKind::Unavailable, format!("nothing can be sealed: {error}"))
        })
    }

    pub(crate) fn open(&self, name: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.keys.open(name, sealed).map_err(|error| unopened(name, error))
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

fn name(client_id: &str, portal: PortalId) -> String {
    format!("grant/{client_id}/{portal}")
}

fn unopened(name: &str, error: EnvelopeError) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("the entry `{name}` cannot be opened"))
        .with_source(error)
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("store", &self.store).field("keys", &self.keys).finish_non_exhaustive()
    }
}
