//! The benchmarks' programs: data, our engine, a bare loop to measure it against, and what two ways cost.

pub mod bare;
pub mod two_way;
pub mod usage;
