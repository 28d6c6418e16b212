//! SQLite's failures in the store's words.

use std::path::Path;

use rusqlite::ErrorCode;
use sync_types::{StoreError, StoreErrorKind};

pub(super) fn show(path: Option<&Path>) -> String {
    path.map_or_else(|| "the store in memory".to_owned(), |path| path.display().to_string())
}

pub(super) fn corrupt(path: Option<&Path>) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!(
            "state file {} is damaged: restore it from a backup, or move it away and run again (records are found \
             again by their sync keys, so nothing is doubled)",
            show(path)
        ),
    )
}

pub(super) fn classify(error: rusqlite::Error, path: Option<&Path>) -> StoreError {
    let code = error.sqlite_error_code();
    let made = match code {
        Some(ErrorCode::DiskFull) => StoreError::new(
            StoreErrorKind::Full,
            format!("no space left for state file {}: free some and run again; nothing was lost", show(path)),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::new(
            StoreErrorKind::Locked,
            format!(
                "state file {} is in use by another process: one run at a time; wait for it or stop it",
                show(path)
            ),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::new(
            StoreErrorKind::Io,
            format!(
                "state file {} cannot be opened for writing: check the folder and its rights",
                show(path)
            ),
        ),
        _ => StoreError::new(
            StoreErrorKind::Io,
            format!("state file {} cannot be read or written", show(path)),
        ),
    };
    made.caused_by(error)
}
