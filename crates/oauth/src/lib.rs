//! Credentials for HubSpot's API behind one token provider. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod app;
mod app_tokens;
mod authorize;
mod cookie;
mod disconnect;
mod endpoints;
mod entropy;
mod envelope;
mod failure;
mod grant;
mod grants;
mod inspect;
mod install;
mod lease;
mod pending;
mod portal_tokens;
mod refresh;
mod scopes;
mod sources;
mod static_credential;
mod store;
mod stores;
mod time;
mod token;
mod token_endpoint;
#[cfg(any(feature = "vault", feature = "google", feature = "aws-agent"))]
mod vendor;
mod wire;

pub use app::{App, InvalidApp};
pub use app_tokens::AppTokens;
pub use authorize::Pkce;
pub use disconnect::DisconnectError;
pub use endpoints::{Endpoints, TokenCall};
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use envelope::{EnvelopeError, KeyId, Keys, MasterKey, Sealed};
pub use failure::{EndpointError, EndpointErrorKind};
pub use grant::{Grant, GrantStatus, PortalId, Reason, Refreshing};
pub use grants::Grants;
pub use inspect::{InspectError, Inspected};
pub use install::{Begun, Callback, InstallError, Installed, Installer};
pub use lease::{Acquired, Lease, LeaseHold};
pub use pending::{PendingEntry, PendingStore};
pub use portal_tokens::{NoToken, PortalTokens};
pub use scopes::{ScopeReport, WantedScopes};
#[cfg(feature = "aws-agent")]
pub use sources::aws_agent::AwsSecret;
#[cfg(feature = "google")]
pub use sources::google::GoogleSecret;
pub use sources::mounted::MountedSecret;
pub use sources::sourced_token::SourcedToken;
#[cfg(feature = "vault")]
pub use sources::vault::VaultSecret;
pub use sources::{SecretSource, SourceError};
pub use static_credential::{StaticCredential, UnusableToken};
pub use store::{Entry, Revision, SealedStore, StoreError, StoreErrorKind};
pub use stores::memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use stores::sqlite::SqliteTokenStore;
#[cfg(feature = "vault")]
pub use stores::vault::VaultKv;
pub use token::{Introspection, TokenAnswer, TokenUse};
pub use token_endpoint::TokenEndpoint;
