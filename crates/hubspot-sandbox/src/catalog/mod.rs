//! What every portal has before anybody configures it: standard object types, their properties and options.

pub(crate) mod properties;
pub(crate) mod types;
