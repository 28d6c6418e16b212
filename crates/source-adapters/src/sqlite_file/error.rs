//! Errors of a SQLite file: each with the file or collection, the reason and the remedy.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};
use sync_types::{Rejection, SourceError, SourceErrorKind};

/// What SQLite refused, while doing something with a collection or the file.
pub(super) fn refused(place: &str, cause: rusqlite::Error) -> SourceError {
    let (kind, remedy) = match cause.sqlite_error_code() {
        // SQLite docs: a reader cannot take back what a writer that was cut off has left in the file.
        _ if was_cut_off(&cause) => (
            SourceErrorKind::Unavailable,
            "a program was cut off while it wrote the file; open it once with a program that may write it, such as that one",
        ),
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

fn was_cut_off(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY))
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

/// Why a row is refused for good; the reason holds no value.
pub(super) fn rejection(code: &str, property: Option<&str>, reason: &str) -> Rejection {
    Rejection {
        code: code.to_owned(),
        property: property.map(str::to_owned),
        reason: reason.to_owned(),
        holder: None,
        correlation: None,
    }
}

/// Whether another program holds the file.
pub(super) fn is_busy(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether a rule of the file was broken.
pub(super) fn is_constraint(cause: &rusqlite::Error) -> bool {
    cause.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// What rule of the file a row breaks, if it is that. Of SQLite's own words only the column's name is taken: those of
/// a trigger or a check may hold values.
pub(super) fn constraint(cause: &rusqlite::Error) -> Option<Rejection> {
    let rusqlite::Error::SqliteFailure(failure, words) = cause else { return None };
    let (code, reason) = match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            ("unique-value-taken", "another row holds this value, which must be unique")
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => ("required", "the column must not be empty"),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            ("no-such-parent", "it names a row that is not there, or another row still names it")
        }
        ffi::SQLITE_CONSTRAINT_DATATYPE => ("bad-kind", "the column takes another kind of value"),
        ffi::SQLITE_CONSTRAINT_TRIGGER => ("constraint", "a trigger of the file refuses the row"),
        _ if failure.code == ErrorCode::ConstraintViolation => {
            ("constraint", "a check of the file refuses the row")
        }
        _ if failure.code == ErrorCode::TooBig => ("too-large", "the value is larger than the file takes"),
        _ => return None,
    };
    // SQLite docs: "UNIQUE constraint failed: table.column"; several columns are separated by commas.
    let named = words.as_ref().filter(|_| code == "unique-value-taken" || code == "required");
    let column = named.and_then(|words| words.rsplit_once(": ")?.1.rsplit_once('.'));
    Some(rejection(code, column.map(|(_, column)| column), reason))
}
