//! HubSpot as the sync engine's destination, and `init`: what a mapping needs, found or made in the portal.
#![doc = include_str!("../README.md")]

pub mod provision;

mod destination;
mod edges;
mod failure;
mod feed;
mod lookback;
mod schema;
mod value;

pub use destination::HubSpotDestination;
pub use feed::SearchFeed;
