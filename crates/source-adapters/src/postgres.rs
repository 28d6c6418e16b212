//! A PostgreSQL database: tables, views or named queries are collections; tables can be written.
//!
//! Sessions read only unless the settings say otherwise. Pages follow the key, so rows may come and go between two
//! pages, and the server may restart, without others being missed or read twice.

mod catalog;
mod changes;
mod config;
mod error;
mod outbox;
mod reader;
mod rows;
mod session;
mod tls;
mod writer;

pub use config::{Changes, CollectionConfig, PostgresConfig};
pub use outbox::outbox_sql;
pub use reader::Postgres;
