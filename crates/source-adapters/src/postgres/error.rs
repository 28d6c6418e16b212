//! Errors of PostgreSQL: each with the collection, the reason and the remedy, and none with a value.

use std::time::Duration;

use sync_types::{Rejection, SourceError, SourceErrorKind};
use tokio_postgres::error::{DbError, SqlState};

/// How long a connection may take to be made.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// What PostgreSQL refused, while doing something with a collection or the database.
pub(super) fn refused(place: &str, cause: tokio_postgres::Error) -> SourceError {
    let (kind, remedy) = match cause.code() {
        None if is_distrust(&cause) => (
            SourceErrorKind::Denied,
            "the server's certificate is not trusted: name its authority in `ca_file`, and the server as in its certificate",
        ),
        None => {
            (SourceErrorKind::Unavailable, "check that the server runs and can be reached, then try again")
        }
        Some(code) => by_code(code),
    };
    let told = format!("{place} cannot be read; {remedy}");
    // The server's own words may quote values, so of its errors only the code is passed on.
    match cause.code().cloned() {
        Some(code) => SourceError::new(kind, format!("{told} [SQLSTATE {}]", code.code())),
        None => SourceError::new(kind, told).caused_by(cause),
    }
}

/// Whether TLS refused the server.
fn is_distrust(cause: &tokio_postgres::Error) -> bool {
    let mut next = std::error::Error::source(cause);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        next = error.source();
    }
    false
}

fn by_code(code: &SqlState) -> (SourceErrorKind, &'static str) {
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return (SourceErrorKind::Denied, "give the program's user the right to it");
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return (
            SourceErrorKind::Denied,
            "the session may only read: let a query not write, or set `write = true`",
        );
    }
    if *code == SqlState::QUERY_CANCELED {
        return (
            SourceErrorKind::Unavailable,
            "it takes longer than `statement_timeout_ms`: index the key, or allow more",
        );
    }
    match code.code().get(..2) {
        Some("28") => (SourceErrorKind::Denied, "check the user and its password"),
        Some("3D") => (SourceErrorKind::Structure, "check the database's name in `server`"),
        Some("08" | "53" | "57" | "55" | "40") => {
            (SourceErrorKind::Unavailable, "the server is busy or stopping; try again later")
        }
        _ => (SourceErrorKind::Structure, "correct the collection's `table`, `query` or `key`"),
    }
}

/// A collection that is not what was configured.
pub(super) fn structure(place: &str, reason: &str, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Structure, format!("{place}: {reason}; {remedy}"))
}

pub(super) fn no_such_collection(collection: &str, known: &[String]) -> SourceError {
    let known = if known.is_empty() { String::from("none") } else { format!("`{}`", known.join("`, `")) };
    SourceError::new(
        SourceErrorKind::NoSuchCollection,
        format!("the database has no collection `{collection}`; it has {known}"),
    )
}

pub(super) fn stale(place: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::StaleToken,
        format!(
            "{place}: the page token or cursor is not one of this collection, or too old; start the scan anew"
        ),
    )
}

/// Why a row is refused for good.
pub(super) fn rejection(code: &str, property: Option<&str>, reason: &str) -> Rejection {
    Rejection {
        code: code.to_owned(),
        property: property.map(str::to_owned),
        reason: reason.to_owned(),
        holder: None,
        correlation: None,
    }
}

/// What a failed statement means for the row that it was for.
pub(super) enum Failed {
    /// The row breaks a rule of the database.
    Row(Rejection),
    /// Somebody holds what it needs; later it may work.
    Busy,
    /// The connection or the server is gone.
    Lost,
    /// Every row would meet the same.
    All,
}

/// Reads an error. Of the server's words only names of columns and constraints are taken: the others may hold values.
pub(super) fn failed(cause: &tokio_postgres::Error) -> Failed {
    let Some(told) = cause.as_db_error() else { return Failed::Lost };
    let code = told.code();
    let refuse = |code: &str, reason: &str| Failed::Row(rejection(code, named(told), reason));
    match code.code() {
        "23505" => refuse("unique-value-taken", "another row holds this value, which must be unique"),
        "23502" => refuse("required", "the column must not be empty"),
        "23503" => {
            refuse("no-such-parent", "it names a row that is not there, or another row still names it")
        }
        "23514" => refuse("constraint", "a check of the table refuses the row"),
        "428C9" => refuse("read-only", "the database calculates this column"),
        "P0001" => refuse("constraint", "a trigger of the table refuses the row"),
        "55P03" | "40P01" | "40001" | "57014" => Failed::Busy,
        other => match other.get(..2) {
            Some("22") => refuse("bad-value", "the column takes no such value"),
            Some("23" | "44") => refuse("constraint", "a rule of the database refuses the row"),
            Some("08" | "57" | "53") => Failed::Lost,
            _ => Failed::All,
        },
    }
}

fn named(told: &DbError) -> Option<&str> {
    told.column().or(told.constraint())
}
