//! The request log and the counts drawn from it: what was called, never what was said.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::router::OperationClass;

/// The log forgets the oldest entries beyond this many.
const KEPT: usize = 200_000;

/// One request, without its body or any value in it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// Portal time of arrival.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path without the query string. A record addressed by e-mail appears as `{key}`.
    pub path: String,
    /// Status of the answer, delivered or not.
    pub status: u16,
    /// Name of the operation, e.g. `objects.batch_upsert`; `unknown` where no endpoint matched.
    pub operation: &'static str,
    /// What the operation does; absent where no endpoint matched.
    pub class: Option<OperationClass>,
    /// Number of entries in the body's `inputs`, 0 without such a list.
    pub inputs: usize,
    /// App of the credential, if one was recognised.
    pub app_id: Option<u64>,
}

/// Counts since the start or since they were last cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Calls of every kind.
    pub calls: u64,
    /// Calls that read, search included neither here nor in `writes`.
    pub reads: u64,
    /// Calls that write, upserts not included.
    pub writes: u64,
    /// Batch upsert calls.
    pub upserts: u64,
    /// Search calls.
    pub searches: u64,
    /// Calls answered with 429.
    pub rate_limited: u64,
    /// Calls answered with a status of 400 or more.
    pub failed: u64,
    /// Calls by operation name.
    pub by_operation: BTreeMap<&'static str, u64>,
    /// Batch inputs by operation name.
    pub inputs_by_operation: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<LoggedRequest>,
    stats: Stats,
}

impl RequestLog {
    pub(crate) fn push(&mut self, entry: LoggedRequest) {
        let stats = &mut self.stats;
        stats.calls += 1;
        match entry.class {
            Some(OperationClass::Read) => stats.reads += 1,
            Some(OperationClass::Write) => stats.writes += 1,
            Some(OperationClass::Upsert) => stats.upserts += 1,
            Some(OperationClass::Search) => stats.searches += 1,
            None => {}
        }
        stats.rate_limited += u64::from(entry.status == 429);
        stats.failed += u64::from(entry.status >= 400);
        *stats.by_operation.entry(entry.operation).or_default() += 1;
        *stats.inputs_by_operation.entry(entry.operation).or_default() += entry.inputs as u64;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &LoggedRequest> {
        self.entries.iter()
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(crate) fn clear_entries(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn clear_stats(&mut self) {
        self.stats = Stats::default();
    }
}
