//! Errors of a CSV folder: each with the file, the reason and the remedy.

use std::io;
use std::path::Path;

use sync_types::{SourceError, SourceErrorKind};

/// A file or folder that the operating system does not give.
pub(super) fn unreadable(path: &Path, cause: io::Error) -> SourceError {
    let (kind, remedy) = match cause.kind() {
        io::ErrorKind::NotFound => {
            (SourceErrorKind::NoSuchCollection, "check the folder and the file's name")
        }
        io::ErrorKind::PermissionDenied => (SourceErrorKind::Denied, "give the program the right to read it"),
        _ => (SourceErrorKind::Unavailable, "check the disk or the network share, then try again"),
    };
    SourceError::new(kind, format!("{} cannot be read; {remedy}", path.display())).caused_by(cause)
}

/// A file whose structure is not what was configured.
pub(super) fn structure(path: &Path, reason: &str, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Structure, format!("{}: {reason}; {remedy}", path.display()))
}

/// A page token that does not fit the file as it is now.
pub(super) fn stale(path: &Path) -> SourceError {
    SourceError::new(
        SourceErrorKind::StaleToken,
        format!("{} changed while it was read; start the scan anew", path.display()),
    )
}
