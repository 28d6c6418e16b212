//! The right to do one thing at a time across processes.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::store::StoreError;

/// Gives a name to one holder at a time, for a limited time.
///
/// Processes compare `now` readings of their own clocks, so clocks of machines that share leases must agree to within a
/// few seconds; the embedded store is shared on one machine only. A lease is an optimisation against double work and
/// never the only safeguard: a holder that was frozen past its time is stopped by the revision of what it writes.
/// Redis or PostgreSQL can implement it with one statement each.
#[async_trait]
pub trait Lease: fmt::Debug + Send + Sync {
    /// Takes the lease `name` for `life` unless somebody holds it. A lease whose time is over is taken over.
    async fn acquire(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Acquired, StoreError>;

    /// Gives the lease back. One that was taken over meanwhile is left alone; that is no error.
    async fn release(&self, hold: &LeaseHold) -> Result<(), StoreError>;
}

/// Whether the lease was had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It is ours.
    Held(LeaseHold),
    /// Somebody else has it.
    Busy {
        /// Who.
        holder: String,
        /// Since when.
        since: Timestamp,
        /// Until when at the latest.
        until: Timestamp,
    },
}

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseHold {
    /// What it is for.
    pub name: String,
    /// Grows with every taking of this name: a later holder has a greater one.
    pub fence: u64,
}
