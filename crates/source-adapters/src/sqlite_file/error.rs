//! Errors of a SQLite file: each with the file or collection, the reason and the remedy.

use std::path::Path;

use rusqlite::ErrorCode;
use sync_types::{SourceError, SourceErrorKind};

/// What SQLite refused, while doing something with a collection or the file.
pub(super) fn refused(place: &str, cause: rusqlite::Error) -> SourceError {
    let (kind, remedy) = match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (SourceErrorKind::Unavailable, "another program holds the file; try again when it has finished")
        }
        Some(ErrorCode::CannotOpen) => {
            (SourceErrorKind::Unavailable, "check that the file exists and may be read")
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            (SourceErrorKind::Denied, "give the program the right to read it")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            SourceErrorKind::Structure,
            "check that it is a SQLite database and undamaged (`PRAGMA integrity_check`)",
        ),
        Some(ErrorCode::SystemIoFailure) => (SourceErrorKind::Unavailable, "check the disk, then try again"),
        _ => (SourceErrorKind::Structure, "correct the collection's `table`, `query` or `key`"),
    };
    SourceError::new(kind, format!("{place} cannot be read; {remedy}")).caused_by(cause)
}

/// A collection that is not what was configured.
pub(super) fn structure(place: &str, reason: &str, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Structure, format!("{place}: {reason}; {remedy}"))
}

pub(super) fn no_such_collection(path: &Path, collection: &str, known: &[String]) -> SourceError {
    let known = if known.is_empty() { String::from("none") } else { format!("`{}`", known.join("`, `")) };
    SourceError::new(
        SourceErrorKind::NoSuchCollection,
        format!("{} has no collection `{collection}`; it has {known}", path.display()),
    )
}

pub(super) fn stale(place: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::StaleToken,
        format!("{place}: the page token is not one of this collection; start the scan anew"),
    )
}
