//! What breaks: kinds of faults, drawn anew for each seed and each run.

use fastrand::Rng;
use hubspot_sandbox::{Fault, FaultKind, Matcher, RatePolicy};

/// A fault of one kind.
#[derive(Clone, Debug)]
pub(super) enum Mischief {
    /// HubSpot, or the way there.
    Portal(Fault),
    /// The credential is revoked for as long as the run lasts.
    TokenLost,
    /// The credential may read and not write, or not even that.
    ScopeLost,
    /// A property that the mapping needs is archived for as long as the run lasts.
    PropertyArchived,
    /// The source cannot be read once, after so many reads.
    Unread(u32),
    /// The answer of a write to the source is lost, after so many.
    LeftLost(u32),
    /// A write to the source never arrives, after so many, and nobody can tell.
    LeftVanishes(u32),
    /// A write to the source is refused, after so many.
    LeftRefused(u32),
    /// The feed has lost sight of what happened, and says so.
    Gap,
    /// Somebody starts a second instance.
    TwoInstances,
}

/// Every kind, and how likely it is beside the others. One with a count of zero in a long survey fails the survey.
pub(super) const KINDS: &[(&str, u32)] = &[
    ("answer lost", 8),
    ("request lost", 4),
    ("lands late", 5),
    ("body cut", 4),
    ("429", 4),
    ("daily quota", 2),
    ("5xx", 4),
    ("423", 4),
    ("477", 2),
    ("slow", 4),
    ("index lag", 4),
    ("row refused", 3),
    ("search dead", 2),
    ("token lost", 1),
    ("scope lost", 1),
    ("property archived", 3),
    ("source unread", 2),
    ("left answer lost", 3),
    ("left request lost", 3),
    ("left refused", 1),
    ("journal gap", 3),
    ("two instances", 1),
];

/// Something that breaks in the next run.
pub(super) fn draw(rng: &mut Rng) -> (&'static str, Mischief) {
    let mut at = rng.u32(0..KINDS.iter().map(|(_, weight)| weight).sum());
    let name = KINDS.iter().find(|(_, weight)| {
        let is_it = at < *weight;
        at = at.saturating_sub(*weight);
        is_it
    });
    let name = name.map_or("5xx", |(name, _)| *name);
    let paths = [
        "/batch/upsert",
        "/batch/update",
        "/batch/read",
        "/search",
        "/batch/archive",
        "/objects/",
        "/associations/",
        "/associations/",
    ];
    let part = paths[rng.usize(0..paths.len())];
    let (skip, count) = (rng.u64(0..4), rng.u64(1..6));
    let on = |part: &str, kind: FaultKind, count: Option<u64>| {
        let matcher = Matcher { path_contains: Some(part.to_owned()), ..Matcher::default() };
        Mischief::Portal(Fault { matcher, skip, count, kind })
    };
    let some = Some(count);
    let soon = rng.u32(0..4);
    let mischief = match name {
        "answer lost" => on(part, FaultKind::LostAfterApply, some),
        "request lost" => on(part, FaultKind::LostBeforeApply, some),
        // All tries of the client meet it: what lands is taken for unknown.
        "lands late" => {
            let part = ["/batch/upsert", "/batch/update"][rng.usize(0..2)];
            on(part, FaultKind::LandsLate { ms: rng.u64(100..4_500) }, Some(12))
        }
        "body cut" => on(part, FaultKind::CutBody { bytes: rng.usize(0..200) }, some),
        "429" => {
            on(part, FaultKind::RateLimit { policy: RatePolicy::TenSecondlyRolling, retry_after: None }, some)
        }
        "daily quota" => on("/", FaultKind::RateLimit { policy: RatePolicy::Daily, retry_after: None }, None),
        "423" => on(part, FaultKind::Locked, some),
        "477" => on(part, FaultKind::Migrating { retry_after: rng.u64(1..100) }, some),
        "slow" => on(part, FaultKind::Latency { ms: rng.u64(1_000..40_000) }, some),
        "index lag" => on("/search", FaultKind::IndexLag { ms: rng.u64(1_000..600_000) }, some),
        "row refused" => {
            let part = ["/batch/upsert", "/batch/update"][rng.usize(0..2)];
            on(part, FaultKind::RefuseRow { row: rng.usize(0..3) }, some)
        }
        "search dead" => on("/search", FaultKind::Status { status: 500, retry_after: None }, None),
        "token lost" => Mischief::TokenLost,
        "scope lost" => Mischief::ScopeLost,
        "property archived" => Mischief::PropertyArchived,
        "source unread" => Mischief::Unread(soon),
        "left answer lost" => Mischief::LeftLost(soon / 2),
        "left request lost" => Mischief::LeftVanishes(soon / 2),
        "left refused" => Mischief::LeftRefused(soon / 2),
        "journal gap" => Mischief::Gap,
        "two instances" => Mischief::TwoInstances,
        _ => {
            let status = [500, 502, 503, 504][rng.usize(0..4)];
            on(part, FaultKind::Status { status, retry_after: None }, some)
        }
    };
    (name, mischief)
}

/// Search answers no more.
pub(super) fn search_dead() -> Fault {
    let matcher = Matcher { path_contains: Some("/search".into()), ..Matcher::default() };
    Fault { matcher, skip: 0, count: None, kind: FaultKind::Status { status: 500, retry_after: None } }
}

/// Whether a fault answers as a limit does.
pub(super) fn throttles(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::RateLimit { .. })
}
