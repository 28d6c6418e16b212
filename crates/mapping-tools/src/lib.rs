//! What people do with a mapping: try it, prove it, watch for drift, begin one, hand it over. Pure: no I/O, no clock.

pub mod cases;
pub mod outline;
pub mod preview;
pub mod values;
