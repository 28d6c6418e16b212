//! Files beside the mapping, and files that are written once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::settings::Settings;

/// The file with this ending beside the mapping file; in the working folder where the mapping is built in.
pub(super) fn beside(settings: &Settings, ending: &str) -> PathBuf {
    let mapping = settings.mapping.clone().unwrap_or_else(|| PathBuf::from("mapping.toml"));
    mapping.with_extension(ending)
}

pub(in crate::commands) fn read(path: &Path, what: &str) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("{what} {} cannot be read", path.display()))
            .remedy("check the path, and that the file is text in UTF-8")
            .caused_by(&error)
    })
}

/// As [`read`], for a file that may be text in another encoding.
pub(super) fn read_bytes(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::new(format!("{what} {} cannot be read", path.display()))
            .remedy("check the path")
            .caused_by(&error)
    })
}

/// Writes a file; one that is there only if that was asked for.
pub(in crate::commands) fn write(path: &Path, text: &str, replace: bool) -> Result<(), Failure> {
    if !replace && path.exists() {
        return Err(Failure::new(format!("{} is already there", path.display()))
            .remedy("name another file, or say `--force` to replace it"));
    }
    fs::write(path, text).map_err(|error| {
        Failure::new(format!("{} cannot be written", path.display()))
            .remedy("choose a folder that is there and can be written")
            .caused_by(&error)
    })
}

/// A file's name without folder and ending.
pub(in crate::commands) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file's ending in small letters.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}
