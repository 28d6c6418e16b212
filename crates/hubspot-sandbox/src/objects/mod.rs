//! CRM objects: records, their storage and every object endpoint but search.

pub(crate) mod batch;
pub(crate) mod merge;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod store;
pub(crate) mod types;
pub(crate) mod view;
pub(crate) mod write;
