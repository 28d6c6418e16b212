//! The control API for tests and demonstrations: everything about a portal that HubSpot's API does not let a client do.

pub(crate) mod http;
mod records;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Credential, OwnerSeed, Scopes};
use crate::faults::{Fault, FaultError};
use crate::log::{LoggedRequest, Stats};
use crate::objects::types::AdminRule;
use crate::portal::Portal;

pub use records::{RecordPage, StoredLink, StoredRecord, TypeSummary, ValueRevision};

/// A control call that could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No object type has that name.
    #[error("the portal has no object type `{0}`")]
    UnknownType(String),
    /// No live record has that id.
    #[error("the portal has no live {object_type} record with id {id}")]
    UnknownRecord {
        /// The type that was named.
        object_type: String,
        /// The id that was named.
        id: u64,
    },
    /// The portal's own rules refuse the values; the text is HubSpot's.
    #[error("the portal refuses the values: {0}")]
    Refused(String),
}

impl Portal {
    /// Injects a fault and says its number. Faults that match the same call add up; of several that replace the
    /// answer the last injected wins.
    ///
    /// # Errors
    /// When the path pattern is not a regular expression.
    pub fn inject(&mut self, fault: Fault) -> Result<u64, FaultError> {
        self.faults.add(fault)
    }

    /// Takes a fault back; false when it is spent or never was.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Takes every fault back.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Faults that can still hit a call, with their numbers.
    pub fn faults(&self) -> impl Iterator<Item = (u64, &Fault)> {
        self.faults.list()
    }

    /// Lets somebody else's calls hold this share (0 to 1) of every app's 10-second window.
    pub fn set_burst_share(&mut self, share: f64) {
        self.limiter.foreign_share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    }

    /// The request log, oldest first. It keeps the latest 200,000 calls; control calls are not in it.
    pub fn requests(&self) -> impl ExactSizeIterator<Item = &LoggedRequest> {
        self.log.entries()
    }

    /// Empties the request log. Statistics stay.
    pub fn clear_requests(&mut self) {
        self.log.clear_entries();
    }

    /// Counts of calls since the start or the last [`Portal::clear_stats`].
    pub fn stats(&self) -> &Stats {
        self.log.stats()
    }

    /// Sets all counts to zero.
    pub fn clear_stats(&mut self) {
        self.log.clear_stats();
    }

    /// Revokes a token: its calls are answered with 401 from now on. False when there is no such token.
    pub fn revoke_credential(&mut self, token: &str) -> bool {
        self.credential_mut(token).map(|credential| credential.revoked = true).is_some()
    }

    /// Changes what a token may do. False when there is no such token.
    pub fn set_scopes(&mut self, token: &str, scopes: Scopes) -> bool {
        self.credential_mut(token).map(|credential| credential.scopes = scopes).is_some()
    }

    /// Accepts one more credential, or replaces the one with its token.
    pub fn add_credential(&mut self, credential: Credential) {
        let credentials = &mut self.state.config.credentials;
        credentials.retain(|known| known.token != credential.token);
        credentials.push(credential);
    }

    fn credential_mut(&mut self, token: &str) -> Option<&mut Credential> {
        self.state.config.credentials.iter_mut().find(|credential| credential.token == token)
    }

    /// Adds an owner and says its id.
    pub fn add_owner(&mut self, now: Timestamp, owner: OwnerSeed) -> u64 {
        self.state.owners.add(owner, now.as_millisecond())
    }

    /// Deactivates an owner. False when there is no such owner.
    pub fn archive_owner(&mut self, now: Timestamp, id: u64) -> bool {
        self.state.owners.archive(id, now.as_millisecond())
    }

    /// Replaces the administrators' rules of an object type. Only calls on 2026-09 paths are bound by them.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn set_admin_rules(&mut self, object_type: &str, rules: Vec<AdminRule>) -> Result<(), ControlError> {
        let key = self.type_key(object_type)?;
        self.state.ty_mut(key).admin_rules = rules;
        Ok(())
    }

    /// How long writes stay invisible to search from now on; what is hidden already follows the new value.
    pub fn set_search_lag(&mut self, lag: Duration) {
        self.state.config.search_lag = lag;
    }

    /// How long every answer takes from now on.
    pub fn set_latency(&mut self, latency: Duration) {
        self.state.config.latency = latency;
    }

    /// Shifts [`Portal::time`] against the wall clock.
    pub fn set_clock_offset(&mut self, offset: SignedDuration) {
        self.clock_offset = offset;
    }

    /// What [`Portal::time`] adds to the wall clock.
    pub fn clock_offset(&self) -> SignedDuration {
        self.clock_offset
    }
}
