//! Where files lie: what a place must be able to do, and a folder as one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_types::SourceError;

use super::config::PlaceConfig;
use super::error;
use super::pickup::Listed;

/// Folders inside folders that are looked through.
const DEPTH_MAX: usize = 8;

/// Somewhere that files lie.
#[async_trait]
pub(super) trait Place: fmt::Debug + Send + Sync {
    /// Every file below the place, in any order. Archived ones are none of them.
    async fn list(&self) -> Result<Vec<Listed>, SourceError>;

    /// The file's content from its beginning, at most `bytes_max` of it. `None`: it is not as it was listed any more.
    async fn open(&self, file: &Listed, bytes_max: u64) -> Result<Option<File>, SourceError>;

    /// Puts the file away, without writing over one that is there. One that is gone is no error.
    async fn archive(&self, name: &str) -> Result<(), SourceError>;

    /// Whether there is an archive.
    fn archives(&self) -> bool;

    /// How long a look is good for reads by id; a place that is far away should not be asked for each of them.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }
}

/// Opens the place of the settings.
pub(super) fn open(config: &PlaceConfig) -> Result<Box<dyn Place>, SourceError> {
    match config {
        PlaceConfig::Folder { folder, archive } => Ok(Box::new(Folder::open(folder, archive.as_deref())?)),
        PlaceConfig::Bucket { bucket, archive, options } => bucket_of(bucket, archive.as_deref(), options),
    }
}

#[cfg(feature = "object-storage")]
fn bucket_of(
    bucket: &str,
    archive: Option<&str>,
    options: &BTreeMap<String, String>,
) -> Result<Box<dyn Place>, SourceError> {
    Ok(Box::new(super::bucket::Bucket::open(bucket, archive, options)?))
}

#[cfg(not(feature = "object-storage"))]
fn bucket_of(_: &str, _: Option<&str>, _: &BTreeMap<String, String>) -> Result<Box<dyn Place>, SourceError> {
    Err(error::settings(
        "`place.bucket`",
        "this program was built without object storage",
        "build it with the feature `object-storage`, or name a `folder`",
    ))
}

#[derive(Debug)]
struct Folder {
    folder: PathBuf,
    archive: Option<PathBuf>,
}

impl Folder {
    fn open(folder: &Path, archive: Option<&Path>) -> Result<Folder, SourceError> {
        if !folder.is_dir() {
            let place = folder.display().to_string();
            return Err(error::settings(&place, "this is no folder", "correct `place.folder`"));
        }
        if archive.is_some_and(|archive| archive == folder) {
            let reason = "the archive is the folder itself";
            return Err(error::settings("`place.archive`", reason, "name another folder"));
        }
        Ok(Folder { folder: folder.to_owned(), archive: archive.map(Path::to_owned) })
    }

    fn walk(
        &self,
        folder: &Path,
        below: &str,
        depth: usize,
        all: &mut Vec<Listed>,
    ) -> Result<(), SourceError> {
        let failed = |cause| error::io(&format!("the folder {} cannot be read", folder.display()), cause);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let name = entry.file_name();
            // A name that is no text fits no pattern, and a link may lead anywhere.
            let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
            let name = format!("{below}{name}");
            if kind.is_dir() && depth < DEPTH_MAX && self.archive.as_ref() != Some(&path) {
                self.walk(&path, &format!("{name}/"), depth + 1, all)?;
            } else if kind.is_file() {
                match entry.metadata() {
                    Ok(metadata) => all.push(listed(name, &metadata)),
                    // It was taken away while we looked.
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                    Err(cause) => return Err(failed(cause)),
                }
            }
        }
        Ok(())
    }
}

fn listed(name: String, metadata: &fs::Metadata) -> Listed {
    let changed = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    let changed = changed.unwrap_or(Timestamp::UNIX_EPOCH);
    Listed { name, bytes: metadata.len(), stamp: changed.as_nanosecond().to_string(), changed }
}

#[async_trait]
impl Place for Folder {
    async fn list(&self) -> Result<Vec<Listed>, SourceError> {
        let mut all = Vec::new();
        self.walk(&self.folder, "", 0, &mut all)?;
        Ok(all)
    }

    async fn open(&self, file: &Listed, _: u64) -> Result<Option<File>, SourceError> {
        let path = self.folder.join(&file.name);
        let opened = File::open(&path).and_then(|opened| Ok((opened.metadata()?, opened)));
        match opened {
            // Its size was bounded when it was listed, and it is the same.
            Ok((metadata, opened)) => Ok((listed(file.name.clone(), &metadata) == *file).then_some(opened)),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(error::io(&format!("{} cannot be read", path.display()), cause)),
        }
    }

    async fn archive(&self, name: &str) -> Result<(), SourceError> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let (from, to) = (self.folder.join(name), archive.join(name));
        let failed = |cause| {
            let what = format!("{} cannot be moved to {}", from.display(), archive.display());
            error::io(&what, cause)
        };
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match fs::rename(&from, free(to)) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(failed),
        }
    }

    fn archives(&self) -> bool {
        self.archive.is_some()
    }
}

/// The path, or the first with a number behind it that nobody has. We alone write there.
fn free(path: PathBuf) -> PathBuf {
    let numbered = |number: u32| {
        let mut name = path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if !path.exists() {
        return path;
    }
    (2..u32::MAX).map(numbered).find(|path| !path.exists()).unwrap_or(path)
}
