//! The service: install pages, webhooks or the journal, and a worker for each portal, in one process.
//!
//! What a stranger can reach is `web.rs`; what comes in is kept by `hearing.rs`; each portal has a worker of its own
//! (`portal.rs` in the rhythm of [`crate::service`]), so that one that fails, or loses its credential, holds up no
//! other.

mod bell;
mod board;
mod hearing;
mod housekeeping;
mod own_thread;
mod pages;
mod portal;
mod stopping;
mod wanted;
mod web;

pub(crate) use bell::Bell;
pub(crate) use board::{Board, PortalState};
pub(crate) use hearing::{Hearing, app_client, chosen, journal_api, promise};
pub(crate) use housekeeping::Housekeeping;
pub(crate) use own_thread::on_own_thread;
pub(crate) use portal::{Keeper, PortalPass};
pub(crate) use stopping::StoppingTokens;
pub(crate) use wanted::{listens, wanted};
pub(crate) use web::{Site, Web};
