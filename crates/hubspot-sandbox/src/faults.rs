//! Faults on demand: what goes wrong, for which calls and how often.

use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::limits::RatePolicy;

/// Which calls a fault is for. Every field that is set must match; an empty matcher matches every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Matcher {
    /// HTTP method, upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// Regular expression found anywhere in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_regex: Option<String>,
    /// Name of the operation as in the request log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// The answer takes this much longer.
    Latency {
        /// Milliseconds added.
        ms: u64,
    },
    /// The call takes effect and its answer is lost.
    LostAfterApply,
    /// The connection closes and the call has no effect.
    LostBeforeApply,
    /// The connection closes, and the call takes effect later: with the first call at or after that time, or with
    /// [`Portal::land_late`](crate::Portal::land_late).
    LandsLate {
        /// Milliseconds until it takes effect.
        ms: u64,
    },
    /// The call takes effect and only this many bytes of the body arrive.
    CutBody {
        /// Bytes delivered.
        bytes: usize,
    },
    /// The row of a batch write, counted from 0, is refused as invalid; the batch's own rules say what becomes of
    /// the other rows.
    RefuseRow {
        /// Index into `inputs`.
        row: usize,
    },
    /// 429 with the body of this policy.
    RateLimit {
        /// Named in the body.
        policy: RatePolicy,
        /// Seconds in a `Retry-After` header; HubSpot does not promise one.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Any status, e.g. 500, 502, 503, 504, 524; the call has no effect.
    Status {
        /// Status of the answer.
        status: u16,
        /// Seconds in a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 423, after a large volume in a short time.
    Locked,
    /// 477, the portal moves between data centres.
    Migrating {
        /// Seconds in the `Retry-After` header.
        retry_after: u64,
    },
    /// A matching search sees an index that is this much further behind.
    IndexLag {
        /// Milliseconds added to the portal's search lag.
        ms: u64,
    },
}

/// One injected fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Which calls.
    #[serde(default)]
    pub matcher: Matcher,
    /// Matching calls let through first.
    #[serde(default)]
    pub skip: u64,
    /// Matching calls hit after that; `None` means every one.
    #[serde(default = "once")]
    pub count: Option<u64>,
    /// What happens to them.
    #[serde(flatten)]
    pub kind: FaultKind,
}

// Serde asks for a function of the field's type.
#[allow(clippy::unnecessary_wraps)]
fn once() -> Option<u64> {
    Some(1)
}

impl Fault {
    /// A fault for the first matching call.
    pub fn once(matcher: Matcher, kind: FaultKind) -> Fault {
        Fault { matcher, skip: 0, count: Some(1), kind }
    }
}

/// A fault's path pattern is not a regular expression.
#[derive(Debug, thiserror::Error)]
#[error("the fault's pathRegex is not a valid regular expression")]
pub struct FaultError(#[from] regex::Error);

#[derive(Debug)]
struct Armed {
    id: u64,
    fault: Fault,
    path: Option<Regex>,
    seen: u64,
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
    last_id: u64,
}

/// What the faults that hit one call add up to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) extra_latency: Duration,
    pub(crate) extra_lag_ms: u64,
    pub(crate) refused_row: Option<usize>,
    pub(crate) cut_body: Option<usize>,
    pub(crate) lost_after: bool,
    pub(crate) lost_before: bool,
    pub(crate) lands_late: Option<u64>,
    pub(crate) answer: Option<FaultKind>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> Result<u64, FaultError> {
        let path = fault.matcher.path_regex.as_deref().map(Regex::new).transpose()?;
        self.last_id += 1;
        self.armed.push(Armed { id: self.last_id, fault, path, seen: 0 });
        Ok(self.last_id)
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.id != id);
        self.armed.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// Faults that can still hit a call, with their ids.
    pub(crate) fn list(&self) -> impl Iterator<Item = (u64, &Fault)> {
        self.armed.iter().map(|armed| (armed.id, &armed.fault))
    }

    /// Counts the call against every matching fault and says what they do to it.
    pub(crate) fn judge(&mut self, method: &str, path: &str, operation: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for armed in &mut self.armed {
            if !armed.matches(method, path, operation) {
                continue;
            }
            armed.seen += 1;
            if armed.seen <= armed.fault.skip {
                continue;
            }
            match &armed.fault.kind {
                FaultKind::Latency { ms } => verdict.extra_latency += Duration::from_millis(*ms),
                FaultKind::LostAfterApply => verdict.lost_after = true,
                FaultKind::LostBeforeApply => verdict.lost_before = true,
                FaultKind::LandsLate { ms } => verdict.lands_late = Some(*ms),
                FaultKind::CutBody { bytes } => verdict.cut_body = Some(*bytes),
                FaultKind::RefuseRow { row } => verdict.refused_row = Some(*row),
                FaultKind::IndexLag { ms } => verdict.extra_lag_ms += ms,
                answer => verdict.answer = Some(answer.clone()),
            }
        }
        self.armed.retain(|armed| !armed.spent());
        verdict
    }
}

impl Armed {
    fn matches(&self, method: &str, path: &str, operation: &str) -> bool {
        let matcher = &self.fault.matcher;
        matcher.method.as_deref().is_none_or(|wanted| wanted == method)
            && matcher.path_contains.as_deref().is_none_or(|part| path.contains(part))
            && self.path.as_ref().is_none_or(|pattern| pattern.is_match(path))
            && matcher.operation.as_deref().is_none_or(|wanted| wanted == operation)
    }

    fn spent(&self) -> bool {
        self.fault.count.is_some_and(|count| self.seen >= self.fault.skip.saturating_add(count))
    }
}
