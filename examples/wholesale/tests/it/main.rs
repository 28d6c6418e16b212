//! The engagement as a user starts it, and its mapping against its files.

mod bad_input;
mod cycle;
mod mapping;
mod names;
mod operate;
mod process;
mod shop;
mod tools;
