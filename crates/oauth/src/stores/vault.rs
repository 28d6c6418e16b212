//! HashiCorp Vault as a token store: a version 2 key-value engine, whose check-and-set is what writers exclude each other
//! by.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_transport::{TokenProvider, Transport};
use serde::Deserialize;
use serde_json::json;

use crate::envelope::Sealed;
use crate::sources::SourceError;
use crate::store::{Entry, Revision, SealedStore, StoreError, StoreErrorKind};
use crate::vendor::{Answered, Asked, ask};

/// A version 2 key-value engine of a Vault server.
///
/// As a [`SealedStore`] it keeps each entry as one secret, sealed as everywhere: whoever may read the engine reads no
/// token. Leases and begun installs need another place, such as the embedded store.
#[derive(Debug)]
pub struct VaultKv {
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenProvider>,
    base: String,
    mount: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Read {
    data: ReadVersion,
}

#[derive(Deserialize)]
struct ReadVersion {
    data: Option<Content>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Content {
    sealed: String,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

#[derive(Deserialize)]
struct Wrote {
    data: Metadata,
}

#[derive(Deserialize)]
struct Listed {
    data: Keys,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

impl VaultKv {
    /// The engine mounted at `mount`, such as `secret`, of the server at `base`, without a slash at the end. `tokens`
    /// gives Vault tokens; what Vault's agent leaves in a file, [`SourcedToken`](crate::SourcedToken) reads.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenProvider>,
        base: &str,
        mount: &str,
    ) -> Self {
        let mount = mount.trim_matches('/').to_owned();
        Self { transport, tokens, base: base.to_owned(), mount, namespace: None }
    }

    /// In an Enterprise namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    pub(crate) fn data_address(&self, path: &str) -> String {
        format!("{}/v1/{}/data/{path}", self.base, self.mount)
    }

    pub(crate) async fn fetch(&self, url: &str) -> Result<Answered, SourceError> {
        self.call(Method::GET, url, Bytes::new()).await
    }

    async fn call(&self, method: Method, url: &str, body: Bytes) -> Result<Answered, SourceError> {
        let namespace = self.namespace.as_deref();
        let asked = Asked { method, header: "x-vault-token", namespace, body, ..Asked::get(url) };
        ask(&*self.transport, &*self.tokens, asked).await
    }

    /// The newest version, with its content unless it was deleted. Vault answers 404 for a deleted one as well, but with
    /// its metadata.
    async fn newest(&self, name: &str) -> Result<Option<ReadVersion>, StoreError> {
        let url = self.data_address(name);
        let answer = self.fetch(&url).await.map_err(unavailable)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(serde_json::from_slice::<Read>(answer.body()).ok().map(|read| read.data));
        }
        Ok(Some(answer.read::<Read>(&url).map_err(unavailable)?.data))
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let url = format!("{}/v1/{}/metadata/{folder}?list=true", self.base, self.mount);
        let answer = self.fetch(&url).await.map_err(unavailable)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        Ok(answer.read::<Listed>(&url).map_err(unavailable)?.data.keys)
    }
}

#[async_trait]
impl SealedStore for VaultKv {
    async fn get(&self, name: &str) -> Result<Option<Entry>, StoreError> {
        let Some(ReadVersion { data: Some(content), metadata }) = self.newest(name).await? else {
            return Ok(None);
        };
        let sealed = STANDARD.decode(content.sealed).map_err(|_| {
            let message = format!("the secret `{name}` in Vault was not written by this program");
            StoreError::new(StoreErrorKind::Corrupt, message)
        })?;
        Ok(Some(Entry { sealed: Sealed::from_bytes(sealed), revision: Revision(metadata.version) }))
    }

    async fn put(
        &self,
        name: &str,
        sealed: &Sealed,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let expected = match expected {
            Some(Revision(version)) => version,
            // Over a deleted one its version has to be named; 0 is where nothing ever was.
            None => match self.newest(name).await? {
                Some(ReadVersion { data: Some(_), .. }) => return Err(StoreError::conflict(name)),
                Some(ReadVersion { data: None, metadata }) => metadata.version,
                None => 0,
            },
        };
        let body =
            json!({"options": {"cas": expected}, "data": {"sealed": STANDARD.encode(sealed.as_bytes())}});
        let url = self.data_address(name);
        let answer =
            self.call(Method::POST, &url, Bytes::from(body.to_string())).await.map_err(unavailable)?;
        // Vault has no status of its own for it: 400 and a sentence.
        if answer.status() == StatusCode::BAD_REQUEST
            && String::from_utf8_lossy(answer.body()).contains("check-and-set")
        {
            return Err(StoreError::conflict(name));
        }
        Ok(Revision(answer.read::<Wrote>(&url).map_err(unavailable)?.data.version))
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let url = self.data_address(name);
        let answer = self.call(Method::DELETE, &url, Bytes::new()).await.map_err(unavailable)?;
        if answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(unavailable(SourceError::new(url, "the secret store refuses to delete")))
    }

    /// Two levels deep, which is as deep as names of grants go.
    async fn names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for app in self.list("grant").await? {
            let Some(app) = app.strip_suffix('/') else { continue };
            let keys = self.list(&format!("grant/{app}")).await?;
            names.extend(keys.into_iter().map(|key| format!("grant/{app}/{key}")));
        }
        Ok(names)
    }
}

fn unavailable(error: SourceError) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "Vault cannot be read or written").with_source(error)
}
