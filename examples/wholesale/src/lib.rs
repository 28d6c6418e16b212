//! A believable business to try the kit on: Halvorsen & Dietrich, who sell and service coffee machines.

pub mod business;
