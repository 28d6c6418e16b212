//! A mapping file and two schemas become a checked mapping, or every problem at once. Pure: no I/O, no clock.
#![doc = include_str!("../README.md")]

mod checker;
mod codes;
mod document;
mod explain;
mod expr;
mod fingerprint;
mod flow;
mod format;
mod functions;
mod inverse;
mod laws;
mod mapping;
mod path;
mod plan;
mod problem;
mod property;
mod step;
mod steps;

pub use checker::{Schemas, check, check_with};
pub use codes::{codes, explain_code};
pub use explain::{Explanation, FieldExplanation};
pub use functions::{Functions, Refusal, ValueKind};
pub use mapping::CheckedMapping;
pub use problem::{Problem, Problems, Severity};
