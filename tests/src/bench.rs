//! The sync benchmark's programs: data, our engine, and a bare loop to measure it against.

pub mod bare;
pub mod usage;
