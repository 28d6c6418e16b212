//! The crates together, against a portal in the same process and in virtual time.

mod mapping;

mod crash;
mod faults;
mod limits;
mod one_way;
mod plans;
