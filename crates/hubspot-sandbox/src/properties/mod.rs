//! Property definitions: what they are, how values are checked, and their endpoints.

pub(crate) mod api;
pub(crate) mod definition;
pub(crate) mod groups;
pub(crate) mod value;
