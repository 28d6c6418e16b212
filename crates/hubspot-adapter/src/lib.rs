//! HubSpot as the sync engine's destination, and `init`: what a mapping needs, found or made in the portal.
#![doc = include_str!("../README.md")]

pub mod provision;

mod destination;
mod edges;
mod failure;
mod feed;
mod journal;
mod lookback;
mod push;
mod repaired_feed;
mod schema;
mod type_ids;
mod value;

pub use destination::HubSpotDestination;
pub use feed::SearchFeed;
pub use journal::HubSpotJournal;
pub use push::HubSpotPush;
pub use repaired_feed::RepairedFeed;
pub use type_ids::type_ids;
