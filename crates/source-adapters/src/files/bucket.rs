//! A bucket of an object storage as a place: S3 and what speaks like it, Google Cloud Storage, Azure.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use sync_types::{SourceError, SourceErrorKind};
use url::Url;

use super::error;
use super::pickup::Listed;
use super::place::Place;

#[cfg(test)]
mod tests;

/// Objects below a place. More of them are none that somebody drops to be picked up.
const OBJECTS_MAX: usize = 100_000;

/// What settings of the environment begin with, in small letters.
const FAMILIES: [&str; 3] = ["aws_", "google_", "azure_"];

pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    address: String,
    prefix: Path,
    archive: Option<Path>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Bucket {
    /// A bucket by its address. `options` are the storage's settings that are no secrets; those of the environment stand
    /// behind them.
    pub(super) fn open(
        address: &str,
        archive: Option<&str>,
        options: &BTreeMap<String, String>,
    ) -> Result<Bucket, SourceError> {
        let secret = options.keys().find(|name| {
            let name = name.to_ascii_lowercase();
            ["key", "secret", "token", "password", "sas"].iter().any(|word| name.contains(word))
        });
        if let Some(name) = secret {
            let place = format!("`place.options.{name}`");
            let remedy = "set it in the environment, by the name that the storage's own tools use";
            return Err(error::settings(&place, "secrets do not belong into this file", remedy));
        }
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?.to_ascii_lowercase();
            let is_meant = FAMILIES.iter().any(|family| name.starts_with(family));
            Some((name, value.into_string().ok()?)).filter(|_| is_meant)
        });
        let options = options.iter().map(|(name, value)| (name.clone(), value.clone()));
        Bucket::with(address, archive, environment.chain(options))
    }

    fn with(
        address: &str,
        archive: Option<&str>,
        options: impl Iterator<Item = (String, String)>,
    ) -> Result<Bucket, SourceError> {
        // An error means that the program has a provider of its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |reason: &str| {
            let remedy = "name it such as s3://bucket/prefix, gs://bucket/prefix or az://container/prefix";
            error::settings("`place.bucket`", reason, remedy)
        };
        let url = Url::parse(address).map_err(|_| wrong("it is no address"))?;
        if url.password().is_some() || !url.username().is_empty() || url.query().is_some() {
            return Err(wrong("it must have no user, password or query"));
        }
        let opened = object_store::parse_url_opts(&url, options);
        let (store, prefix) = opened.map_err(|cause| {
            let message = format!("the bucket {url} cannot be used; check its address and the options");
            SourceError::new(SourceErrorKind::Structure, message).caused_by(cause)
        })?;
        if archive.is_some_and(|archive| Path::from(archive) == prefix) {
            let reason = "the archive is the place itself";
            return Err(error::settings("`place.archive`", reason, "name another prefix"));
        }
        Ok(Bucket::over(Arc::from(store), url.as_str(), prefix, archive))
    }

    fn over(store: Arc<dyn ObjectStore>, address: &str, prefix: Path, archive: Option<&str>) -> Bucket {
        Bucket { store, address: address.to_owned(), prefix, archive: archive.map(Path::from) }
    }

    fn failed(&self, what: &str, cause: Error) -> SourceError {
        let place = format!("{what} of {}", self.address);
        match cause {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                let message = format!("{place} is refused; check the credential and its rights");
                SourceError::new(SourceErrorKind::Denied, message).caused_by(cause)
            }
            cause => error::unavailable(&format!("{place} cannot be had"), cause),
        }
    }

    fn listed(&self, meta: &ObjectMeta) -> Option<Listed> {
        if self.archive.as_ref().is_some_and(|archive| meta.location.prefix_matches(archive)) {
            return None;
        }
        let name: Vec<_> = meta.location.prefix_match(&self.prefix)?.collect();
        let name: Vec<&str> = name.iter().map(AsRef::as_ref).collect();
        let changed = Timestamp::from_microsecond(meta.last_modified.timestamp_micros()).ok()?;
        let stamp = meta.e_tag.clone().unwrap_or_else(|| changed.as_microsecond().to_string());
        Some(Listed { name: name.join("/"), bytes: meta.size, stamp, changed })
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

#[async_trait]
impl Place for Bucket {
    async fn list(&self) -> Result<Vec<Listed>, SourceError> {
        let prefix = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let mut objects = self.store.list(prefix);
        let mut all = Vec::new();
        let mut count = 0;
        while let Some(meta) = objects.try_next().await.map_err(|cause| self.failed("the list", cause))? {
            count += 1;
            if count > OBJECTS_MAX {
                let reason = "it holds more than 100,000 objects";
                return Err(error::settings("`place.bucket`", reason, "name a longer prefix, or tidy it up"));
            }
            all.extend(self.listed(&meta).filter(|file| !file.name.is_empty()));
        }
        Ok(all)
    }

    async fn open(&self, file: &Listed, bytes_max: u64) -> Result<Option<File>, SourceError> {
        let failed = |cause| self.failed(&file.name, cause);
        let mut options = GetOptions::default();
        // Without an entity tag, its time stands in the stamp.
        let has_tag = file.stamp.parse::<i64>().is_err();
        options.if_match = has_tag.then(|| file.stamp.clone());
        let got = match self.store.get_opts(&self.path(&file.name), options).await {
            Ok(got) => got,
            Err(Error::NotFound { .. } | Error::Precondition { .. } | Error::NotModified { .. }) => {
                return Ok(None);
            }
            Err(cause) => return Err(failed(cause)),
        };
        if self.listed(&got.meta).as_ref() != Some(file) {
            return Ok(None);
        }
        let local = |cause| error::io("a file of the bucket cannot be kept on this machine's disk", cause);
        let mut kept = tempfile::tempfile().map_err(local)?;
        let mut bytes = 0;
        let mut stream = got.into_stream();
        while let Some(piece) = stream.try_next().await.map_err(failed)? {
            bytes += piece.len() as u64;
            if bytes > bytes_max {
                let reason = "it is longer than the bucket says";
                return Err(error::refused(&file.name, reason, "look what it is"));
            }
            kept.write_all(&piece).map_err(local)?;
        }
        kept.rewind().map_err(local)?;
        Ok(Some(kept))
    }

    async fn archive(&self, name: &str) -> Result<(), SourceError> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let failed = |cause| self.failed(name, cause);
        let from = self.path(name);
        let to = |number: u32| {
            let name = if number < 2 { name.to_owned() } else { format!("{name}.{number}") };
            name.split('/').fold(archive.clone(), |path, part| path.join(part))
        };
        let mut number = 1;
        let to = loop {
            match self.store.head(&to(number)).await {
                Ok(_) => number += 1,
                Err(Error::NotFound { .. }) => break to(number),
                Err(cause) => return Err(failed(cause)),
            }
        };
        match self.store.copy(&from, &to).await {
            Ok(()) => self.store.delete(&from).await.map_err(failed),
            Err(Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(failed(cause)),
        }
    }

    fn archives(&self) -> bool {
        self.archive.is_some()
    }

    fn rest(&self) -> Duration {
        Duration::from_secs(10)
    }
}
