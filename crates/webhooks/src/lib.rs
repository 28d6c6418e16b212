//! Verify what HubSpot sends. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod signature;

pub use signature::{SignatureError, SignatureHeaders, SignatureVersion, SignedRequest, Verifier};
