//! What every engagement binary shares: settings, command line, wiring, progress, reports.
//!
//! An engagement's `main` is [`run`] with an [`Engagement`]: a name, a mapping and settings.
#![doc = include_str!("../README.md")]

mod certificate;
mod cli;
mod commands;
mod credential;
mod engagement;
mod failure;
mod interrupt;
mod logging;
mod outcome;
mod progress;
mod reports;
mod screen;
mod serve;
pub mod service;
pub mod settings;
pub mod story;
mod wiring;

pub use engagement::{Demo, Engagement, SourceBuilder, run};
pub use failure::Failure;
pub use mapping_engine::{Functions, Refusal, ValueKind};

use outcome::Outcome;
