//! What people do with a mapping: try it, prove it, watch for drift, begin one, hand it over. Pure: no I/O, no clock.

pub mod cases;
mod grid;
pub mod names;
pub mod outline;
pub mod preview;
pub mod standard;
pub mod suggest;
mod toml_text;
pub mod values;

use mapping_engine::{CheckedMapping, Problems, Schemas};
use sync_types::Schema;

/// The checker's verdict on a mapping that was made here.
fn checked(file: &str, text: &str, hubspot: &[Schema]) -> Result<CheckedMapping, Problems> {
    mapping_engine::check(file, text, Schemas { source: None, hubspot: Some(hubspot) })
}
