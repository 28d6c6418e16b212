//! The crate as its users meet it.

mod fuzz;
mod inbox;
mod journal;
mod kill;
mod layer;
mod receiver;
mod serve;
mod support;
