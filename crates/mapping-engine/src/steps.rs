//! The transforms themselves, by the kind of value they care for.

pub(crate) mod boolean;
pub(crate) mod currency;
pub(crate) mod date;
pub(crate) mod email;
pub(crate) mod json;
pub(crate) mod lookup;
pub(crate) mod name;
pub(crate) mod number;
pub(crate) mod pattern;
pub(crate) mod phone;
pub(crate) mod picklist;
pub(crate) mod place;
pub(crate) mod privacy;
pub(crate) mod text;
pub(crate) mod unit;
pub(crate) mod web;
pub(crate) mod write;

#[cfg(test)]
mod tests;
