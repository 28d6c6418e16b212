//! What cross-crate tests share: a portal reached without sockets, and a whole engagement in virtual time.

pub mod bench;
pub mod connected;
pub mod hearing;
pub mod kill;
pub mod laws;
mod portal;
#[cfg(feature = "simulation")]
pub mod simulate;
mod world;

pub use portal::PortalTransport;
pub use world::{FINGERPRINT_KEY, TOKEN, World};
