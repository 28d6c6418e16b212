//! Implementations of the state store.

mod schema;
mod sqlite;

pub use sqlite::{Binding, SqliteStore};
