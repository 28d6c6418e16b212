//! The engine's parts against the suites of their roles.

mod store;
