//! A local HubSpot portal. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod account;
mod associations;
mod auth;
mod browser;
mod catalog;
mod config;
mod context;
mod control;
mod counts;
mod dispatch;
mod error;
mod faults;
mod ids;
mod limits;
mod log;
mod oauth;
mod objects;
mod owners;
mod pipelines;
mod portal;
mod properties;
mod reply;
mod router;
mod schemas;
mod search;
mod server;
mod settings;
mod snapshot;
mod state;
mod time;

pub use config::{Credential, CredentialKind, LimitTable, Limits, OwnerSeed, PortalConfig, Scopes, Tier};
pub use control::{ControlError, RecordPage, StoredLink, StoredRecord, TypeSummary, ValueRevision};
pub use faults::{Fault, FaultError, FaultKind, Matcher};
pub use limits::RatePolicy;
pub use log::{LoggedRequest, Stats};
pub use oauth::OAuthApp;
pub use objects::types::AdminRule;
pub use portal::Portal;
pub use reply::{Delivery, Reply};
pub use router::OperationClass;
pub use server::Server;
pub use snapshot::SnapshotError;
