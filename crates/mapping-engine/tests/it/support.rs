//! Short ways to write mappings, records and schemas.

use mapping_engine::{CheckedMapping, Schemas, check};
use sync_types::{ExternalId, LinkId, Mapped, Mapper, Property, PropertyKind, Record, Schema, Shape, Value};

/// A mapping of one link from `people` to contacts with this as its content behind the keys that it must have.
pub(crate) fn people(content: &str) -> String {
    format!(
        "[mapping]\nname = 'shop'\nregion = 'DE'\nzone = 'Europe/Berlin'\n[[links]]\nname = 'people'\n\
         collection = 'people'\nobject = 'contacts'\nsync_key = 'shop_key'\n{content}\n"
    )
}

pub(crate) fn checked(text: &str) -> CheckedMapping {
    check("mapping.toml", text, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn record(columns: &[(&str, Value)]) -> Record {
    let shape = Shape::new(columns.iter().map(|(name, _)| *name));
    Record::new(ExternalId::new("1"), shape, columns.iter().map(|(_, value)| value.clone()).collect())
}

/// Maps a record by the first link; what went wrong is shown as `code property path`.
pub(crate) fn map(mapping: &CheckedMapping, columns: &[(&str, Value)]) -> Result<Mapped, Vec<String>> {
    mapping.map(LinkId(0), &record(columns)).map_err(|error| {
        let show = |problem: &sync_types::FieldProblem| {
            assert!(!problem.reason.is_empty() && !problem.remedy.is_empty());
            format!("{} {} {}", problem.code, problem.property, problem.path)
        };
        error.problems.iter().map(show).collect()
    })
}

pub(crate) fn schema(name: &str, properties: Vec<Property>) -> Schema {
    Schema { name: name.to_owned(), properties }
}

pub(crate) fn text(name: &str) -> Property {
    Property::new(name, PropertyKind::Text)
}

pub(crate) fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}
