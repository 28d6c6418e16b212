//! The engagement's tests: its mapping against its files.

mod mapping;
