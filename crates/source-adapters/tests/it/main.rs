//! Every adapter keeps what it declares: the conformance suites over a system that they change.

#[cfg(feature = "csv")]
mod csv_folder;
#[cfg(feature = "sqlite")]
mod sqlite_file;
