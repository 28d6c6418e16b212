//! A secret in a file that the platform mounts: Kubernetes and Docker secrets, systemd credentials.

use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{SecretSource, SourceError, clean};

/// Longer files are something else.
const BYTES_MAX: u64 = 64 * 1024;

/// A file with one secret and nothing else.
#[derive(Clone, Debug)]
pub struct MountedSecret {
    path: PathBuf,
}

impl MountedSecret {
    /// The secret in the file at `path`. It is read each time it is asked for: platforms replace such files.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl SecretSource for MountedSecret {
    async fn read(&self) -> Result<SecretString, SourceError> {
        let place = self.path.display().to_string();
        let unreadable = |error: std::io::Error| {
            SourceError::new(&place, "the secret file cannot be read; check the path and its rights")
                .with_source(error)
        };
        let size = tokio::fs::metadata(&self.path).await.map_err(unreadable)?.len();
        if size > BYTES_MAX {
            return Err(SourceError::new(place, "the file is too long for a secret"));
        }
        let bytes = Zeroizing::new(tokio::fs::read(&self.path).await.map_err(unreadable)?);
        let text =
            std::str::from_utf8(&bytes).map_err(|_| SourceError::new(&place, "the file is no text"))?;
        clean(&place, text)
    }
}
