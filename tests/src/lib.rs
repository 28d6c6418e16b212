//! What cross-crate tests share: a portal reached without sockets, and a whole engagement in virtual time.

pub mod bench;
pub mod connected;
mod portal;
mod world;

pub use portal::PortalTransport;
pub use world::{TOKEN, World};
