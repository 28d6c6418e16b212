//! A mapping of the size of a real engagement passes the check; how fast is measured by the example `check_speed`.

#[path = "../../examples/check_speed/large.rs"]
mod generated;

use mapping_engine::{Schemas, check};
use sync_types::Mapper;

#[test]
fn three_hundred_fields_pass_without_a_problem() {
    let large = generated::large();
    let schemas = Schemas { source: Some(&large.source), hubspot: Some(&large.hubspot) };
    let mapping = check("large.toml", &large.text, schemas).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(mapping.warnings().list(), []);
    let fields: usize = mapping.links().iter().map(|link| link.properties.len()).sum();
    assert_eq!((mapping.links().len(), fields), (generated::OBJECTS.len(), 6 * generated::FIELDS));
}
