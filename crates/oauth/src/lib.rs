//! Credentials for HubSpot's API behind one token provider. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod static_credential;

pub use static_credential::{StaticCredential, UnusableToken};
