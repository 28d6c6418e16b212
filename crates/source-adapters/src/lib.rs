//! Where an engagement's records come from: one folder and feature per source.
