//! Files that another system drops into a folder or a bucket: picked up in order, taken in once, archived.
//!
//! What files hold is kept in a staging file (SQLite), so that a scan is steady, a record can be read by its id, and a
//! change that came in one of many files is not forgotten once that file is archived. A file is taken in as a whole or not
//! at all, and only when its writer is done with it ([`Ready`]). Whether a record that is missing from a file is gone is
//! what its collection declares ([`Holds`]).

#[cfg(feature = "object-storage")]
mod bucket;
mod config;
mod error;
mod format;
mod intake;
mod limits;
mod pickup;
mod place;
mod reader;
mod staging;

pub use config::{
    ColumnConfig, FileCollection, FilesConfig, Format, Holds, Limits, Order, PlaceConfig, Ready,
};
pub use reader::Files;

#[cfg(test)]
mod tests;
