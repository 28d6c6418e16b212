//! What a receiver has counted.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Refusal;
use crate::inbox::Stored;
use crate::signature::SignatureError;

/// Requests and events since the receiver was made, for health pages and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverStats {
    /// Requests answered with 200.
    pub accepted: u64,
    /// Events in them that were new.
    pub events: u64,
    /// Events in them that had been stored before.
    pub repeated: u64,
    /// Requests that were not believed.
    pub unbelieved: u64,
    /// Those among them whose time was outside of the window. If nothing else comes, a clock is wrong.
    pub out_of_time: u64,
    /// Requests that were meant for another host, or not POST.
    pub misdirected: u64,
    /// Requests with a body that was too large, too slow or cut off.
    pub bad_body: u64,
    /// Requests that were believed, but are no list of events: HubSpot has changed something, or shares the secret.
    pub malformed: u64,
    /// Requests turned away because too much was under way.
    pub overloaded: u64,
    /// Requests whose events could not be made durable. The disk is full, or worse.
    pub not_durable: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    events: AtomicU64,
    repeated: AtomicU64,
    unbelieved: AtomicU64,
    out_of_time: AtomicU64,
    misdirected: AtomicU64,
    bad_body: AtomicU64,
    malformed: AtomicU64,
    overloaded: AtomicU64,
    not_durable: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, outcome: Result<Stored, Refusal>) {
        let add = |counter: &AtomicU64, count: u64| {
            counter.fetch_add(count, Ordering::Relaxed);
        };
        match outcome {
            Ok(stored) => {
                add(&self.accepted, 1);
                add(&self.events, stored.new);
                add(&self.repeated, stored.repeated);
            }
            Err(Refusal::Signature(error)) => {
                add(&self.unbelieved, 1);
                if matches!(error, SignatureError::TooOld | SignatureError::FromTheFuture) {
                    add(&self.out_of_time, 1);
                }
            }
            Err(Refusal::Method | Refusal::Host) => add(&self.misdirected, 1),
            Err(Refusal::TooLarge | Refusal::TooSlow | Refusal::Broken) => add(&self.bad_body, 1),
            Err(Refusal::Malformed) => add(&self.malformed, 1),
            Err(Refusal::Overloaded) => add(&self.overloaded, 1),
            Err(Refusal::NotDurable) => add(&self.not_durable, 1),
        }
    }

    pub(super) fn read(&self) -> ReceiverStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReceiverStats {
            accepted: get(&self.accepted),
            events: get(&self.events),
            repeated: get(&self.repeated),
            unbelieved: get(&self.unbelieved),
            out_of_time: get(&self.out_of_time),
            misdirected: get(&self.misdirected),
            bad_body: get(&self.bad_body),
            malformed: get(&self.malformed),
            overloaded: get(&self.overloaded),
            not_durable: get(&self.not_durable),
        }
    }
}
