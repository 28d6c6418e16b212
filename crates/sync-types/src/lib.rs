//! The vocabulary of the kit and the role traits that join its crates; no I/O.

mod clock;

pub use clock::Clock;
