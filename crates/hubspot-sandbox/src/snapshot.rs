//! A portal as JSON and back: everything but the request log, the faults and the indexes, which are rebuilt.

use serde::{Deserialize, Serialize};

use crate::limits::RateLimiter;
use crate::state::State;

/// A snapshot could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not JSON, or not the JSON of a portal.
    #[error("the snapshot is not a portal: line {line}, column {column}")]
    Malformed {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// Written by another version of this library.
    #[error("the snapshot has format {found}, this build reads format {expected}: start without it")]
    Format {
        /// Format of the snapshot.
        found: u32,
        /// Format this build reads.
        expected: u32,
    },
}

/// Raised whenever an older snapshot would be misread.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'s> {
    format: u32,
    clock_offset_ms: i64,
    limiter: &'s RateLimiter,
    state: &'s State,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
pub(crate) struct Read {
    pub(crate) clock_offset_ms: i64,
    pub(crate) limiter: RateLimiter,
    pub(crate) state: State,
}

pub(crate) fn write(state: &State, limiter: &RateLimiter, clock_offset_ms: i64) -> Vec<u8> {
    // Every map has string keys or is written as pairs, so this cannot fail.
    serde_json::to_vec(&Written { format: FORMAT, clock_offset_ms, limiter, state }).unwrap_or_default()
}

pub(crate) fn read(json: &[u8]) -> Result<Read, SnapshotError> {
    let malformed =
        |error: serde_json::Error| SnapshotError::Malformed { line: error.line(), column: error.column() };
    let head: Head = serde_json::from_slice(json).map_err(malformed)?;
    if head.format != FORMAT {
        return Err(SnapshotError::Format { found: head.format, expected: FORMAT });
    }
    let mut read: Read = serde_json::from_slice(json).map_err(malformed)?;
    read.state.rebuild();
    Ok(read)
}

/// Maps whose keys are not strings, as a list of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
