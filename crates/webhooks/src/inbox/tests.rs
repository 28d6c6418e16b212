//! The inbox in a file.
