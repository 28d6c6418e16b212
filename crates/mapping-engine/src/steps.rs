//! The transforms themselves, by the kind of value they care for.

pub(crate) mod boolean;
pub(crate) mod date;
pub(crate) mod email;
pub(crate) mod number;
pub(crate) mod phone;
pub(crate) mod picklist;
pub(crate) mod text;
pub(crate) mod web;
pub(crate) mod write;

#[cfg(test)]
mod tests;
