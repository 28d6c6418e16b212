//! Errors of dropped files: each with the file, the reason and the remedy.

use std::io;

use sync_types::{SourceError, SourceErrorKind};

/// Settings that cannot work.
pub(super) fn settings(place: &str, reason: &str, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Structure, format!("{place}: {reason}; {remedy}"))
}

/// A file that is not what was declared. It stays where it is and was not taken in.
pub(super) fn refused(file: &str, reason: &str, remedy: &str) -> SourceError {
    let message = format!("{file} was not taken in: {reason}; {remedy}");
    SourceError::new(SourceErrorKind::Structure, message)
}

/// A folder, file or bucket that cannot be had now.
pub(super) fn unavailable(what: &str, cause: impl std::error::Error + Send + Sync + 'static) -> SourceError {
    let message = format!("{what}; check the disk, the share or the network, then try again");
    SourceError::new(SourceErrorKind::Unavailable, message).caused_by(cause)
}

/// As the operating system refuses it.
pub(super) fn io(what: &str, cause: io::Error) -> SourceError {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            let message = format!("{what}; give the program the right to it");
            SourceError::new(SourceErrorKind::Denied, message).caused_by(cause)
        }
        _ => unavailable(what, cause),
    }
}

/// The staging file does not do what is asked.
pub(super) fn staging(cause: rusqlite::Error) -> SourceError {
    unavailable("the staging file cannot be read or written", cause)
}

/// A name that is no collection of the settings.
pub(super) fn unknown(collection: &str) -> SourceError {
    let message = format!("there is no collection `{collection}` of files; describe it under `collections`");
    SourceError::new(SourceErrorKind::NoSuchCollection, message)
}

/// A token of another scan or of nobody's.
pub(super) fn stale(collection: &str) -> SourceError {
    let message = format!("the page token is not of a scan of `{collection}`; start the scan anew");
    SourceError::new(SourceErrorKind::StaleToken, message)
}
