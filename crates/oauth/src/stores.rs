//! Token stores, one file each.

pub(crate) mod memory;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "vault")]
pub(crate) mod vault;
