//! Why the engine could not do what it was asked.

use sync_types::{DestinationError, SourceError, StoreError};

/// An engine failure. The message says place and remedy; whatever was sent is on record and the next run goes on
/// from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// HubSpot cannot be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plan file cannot be used.
    #[error("{0}")]
    Plan(String),
    /// There is no such link, run or record.
    #[error("{0}")]
    Unknown(String),
    /// Reading or writing a plan or certificate failed.
    #[error("{message}")]
    Io {
        /// What was read or written.
        message: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
