//! HashiCorp Vault: one field of one secret of a version 2 key-value engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{SecretSource, SourceError, clean};
use crate::stores::vault::VaultKv;

/// A field of a secret in Vault.
#[derive(Debug)]
pub struct VaultSecret {
    vault: Arc<VaultKv>,
    path: String,
    field: String,
}

#[derive(Deserialize)]
struct Answered {
    data: Versioned,
}

#[derive(Deserialize)]
struct Versioned {
    data: BTreeMap<String, SecretString>,
}

impl VaultSecret {
    /// The field `field` of the secret at `path` below the engine.
    #[must_use]
    pub fn new(vault: Arc<VaultKv>, path: &str, field: &str) -> Self {
        Self { vault, path: path.to_owned(), field: field.to_owned() }
    }
}

#[async_trait]
impl SecretSource for VaultSecret {
    async fn read(&self) -> Result<SecretString, SourceError> {
        let place = self.vault.data_address(&self.path);
        let answer = self.vault.fetch(&place).await?;
        let answered: Answered = answer.read(&place)?;
        let secret = answered.data.data.get(&self.field);
        let secret = secret.ok_or_else(|| SourceError::new(&place, "the secret has no such field"))?;
        clean(&place, secret.expose_secret())
    }
}
