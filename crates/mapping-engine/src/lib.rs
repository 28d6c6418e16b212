//! A mapping file and two schemas become a checked mapping, or every problem at once. Pure: no I/O, no clock.
#![doc = include_str!("../README.md")]

mod checker;
mod codes;
mod document;
mod explain;
mod expr;
mod files;
mod fingerprint;
mod flow;
mod format;
mod functions;
pub mod infer;
mod inverse;
mod laws;
mod mapping;
mod objects;
mod path;
mod plan;
mod portal;
mod problem;
mod property;
mod right;
mod step;
mod steps;

pub use checker::{Check, Schemas, check};
pub use codes::{codes, explain_code};
pub use explain::{AssociationExplanation, Explanation, FieldExplanation};
pub use files::{Files, NoFiles};
pub use format::chain::transforms;
pub use functions::{Functions, Refusal, ValueKind};
pub use mapping::{CheckedMapping, Consent, Reads};
pub use objects::object_name;
pub use portal::{Needs, Owner, Pipeline, Portal, Stage};
pub use problem::{Problem, Problems, Severity};
