//! Associations: their types and labels, the links between records, and the endpoints over both.

pub(crate) mod api;
pub(crate) mod batch;
mod catalog;
pub(crate) mod inline;
pub(crate) mod labels;
pub(crate) mod legacy;
pub(crate) mod limits;
pub(crate) mod links;
pub(crate) mod types;
