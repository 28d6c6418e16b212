//! What every engagement binary shares: settings, command line, wiring, progress, reports.

mod cli;
mod failure;
mod logging;
mod screen;
pub mod settings;

pub use failure::Failure;
