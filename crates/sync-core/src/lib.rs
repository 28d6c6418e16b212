//! The sync engine: observe, plan, apply, verify; knows no vendor.
//!
//! [`Engine`] is what a caller holds. A record travels like this: [`run`](Engine::run_once) reads pages from the
//! source, [`plan`] decides per record, batches are put on record in the store before they are sent, outcomes are
//! recorded together with the next intents, and associations follow when both ends exist.
#![doc = include_str!("../README.md")]

pub mod blackout;
pub mod certificate;
pub mod decide;
pub mod explain;
pub mod mutation;
pub mod plan;
pub mod report;
pub mod stores;

mod absence;
mod audit;
mod calls;
mod claims;
mod doubts;
mod edges;
mod engine;
mod error;
mod feeds;
mod follow;
mod journal;
mod left;
mod meet;
mod observe;
mod oscillation;
mod outcome;
mod pair_set;
mod parents;
mod plan_file;
mod recover;
mod root;
mod run;
mod scope;
mod sync_key;
mod undo;
mod verify;

pub use engine::{Engine, LiveHandle, Options, Parts, Phase, Progress, ProgressFn, Select, Which};
pub use error::EngineError;
pub use plan_file::{LinkPlan, PlanFile, PlanSink, PlanSummary, PlannedRow, RulePlan};
pub use root::Root;
pub use sync_key::sync_key;
pub use undo::{Kept, UndoEdge, UndoField, UndoPlan, UndoRow, UndoVerb};
pub use verify::{Difference, Level, LinkVerify, VerifyReport};
