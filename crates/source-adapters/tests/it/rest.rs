//! Described JSON APIs: the promises of an adapter, lists that move while they are read, credentials, failures.

mod conformance;
mod credentials;
mod failures;
mod import;
mod moving_lists;
mod presets;
mod shop;
mod tries;
mod wire;
