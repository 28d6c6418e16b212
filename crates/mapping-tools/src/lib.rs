//! What people do with a mapping: try it, prove it, watch for drift, begin one, hand it over. Pure: no I/O, no clock.
#![doc = include_str!("../README.md")]

pub mod book;
pub mod cases;
mod draft;
pub mod drift;
mod grid;
mod kinds;
mod names;
mod outline;
pub mod preview;
pub mod sheet;
pub mod standard;
pub mod suggest;
mod toml_text;
pub mod values;
mod words;
