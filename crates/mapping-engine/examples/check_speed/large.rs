//! A mapping of the size of a real engagement: 6 object types with 50 fields each, and the schemas of both sides.

use std::fmt::Write as _;

use sync_types::{Property, PropertyKind, Schema};

/// Object types.
pub(crate) const OBJECTS: [&str; 6] = ["companies", "contacts", "deals", "line_items", "products", "tickets"];

/// Fields of each.
pub(crate) const FIELDS: usize = 50;

/// A mapping and what it is checked against.
pub(crate) struct Large {
    /// The mapping file.
    pub(crate) text: String,
    /// The source's collections.
    pub(crate) source: Vec<Schema>,
    /// The portal's object types.
    pub(crate) hubspot: Vec<Schema>,
}

/// Kinds of fields in turn: transform, the property's kind, other keys.
const TURNS: [(&str, PropertyKind, &str); 10] = [
    ("[\"trim\", \"collapse_spaces\"]", PropertyKind::Text, ""),
    ("[\"email\"]", PropertyKind::Text, "on_bad = \"leave\""),
    ("[{ number = { decimal = \",\", group = \".\" } }]", PropertyKind::Number, ""),
    ("[{ date = [\"%d.%m.%Y\", \"%Y-%m-%d\"] }]", PropertyKind::Date, "when_empty = \"ignore\""),
    ("[{ date_time = { formats = [\"%d.%m.%Y %H:%M:%S\"] } }]", PropertyKind::DateTime, ""),
    ("[\"trim\", { picklist = \"state\" }]", PropertyKind::Option, ""),
    ("[\"split\", \"lower\"]", PropertyKind::Options, "direction = \"to-hubspot\""),
    ("[{ boolean = { true = [\"ja\"], false = [\"nein\"] } }]", PropertyKind::Bool, ""),
    ("[\"phone\"]", PropertyKind::Text, "on_bad = \"leave\", sensitivity = \"personal\""),
    ("[{ extract = '([0-9]+)' }]", PropertyKind::Text, "direction = \"to-hubspot\""),
];

/// Makes the mapping; every second link goes both ways.
pub(crate) fn large() -> Large {
    let mut text = String::from(
        "[mapping]\nname = \"large\"\nregion = \"DE\"\nzone = \"Europe/Berlin\"\n\
         [picklists.state.map]\n",
    );
    let options: Vec<String> = (0..40).map(|number| format!("option_{number}")).collect();
    for option in &options {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\"Wort {option}\" = \"{option}\"");
    }
    let (mut source, mut hubspot) = (Vec::new(), Vec::new());
    for (place, object) in OBJECTS.iter().enumerate() {
        let direction = if place % 2 == 0 { "both" } else { "to-hubspot" };
        let _ = write!(
            text,
            "[[links]]\nname = \"{object}\"\ncollection = \"t_{object}\"\nobject = \"{object}\"\ndirection = \"{direction}\"\n\
             sync_key = \"large_key\"\nscope = \"c0 != '' && size(c1) < 200\"\nfields = [\n"
        );
        let mut columns = vec![Property::new("parent", PropertyKind::Text)];
        let mut properties = Vec::new();
        for field in 0..FIELDS {
            let (transform, kind, more) = TURNS[field % TURNS.len()];
            let comma = if more.is_empty() { "" } else { ", " };
            let _ = writeln!(
                text,
                "  {{ from = \"c{field}\", to = \"p{field}\", transform = {transform}{comma}{more} }},"
            );
            columns.push(Property::new(format!("c{field}"), PropertyKind::Text));
            let mut property = Property::new(format!("p{field}"), kind);
            if kind == PropertyKind::Option {
                property.options = options.clone();
            }
            properties.push(property);
        }
        text.push_str("]\n");
        if place > 0 {
            let to = OBJECTS[place - 1];
            let _ = writeln!(
                text,
                "associations = [{{ name = \"{object}_of\", to = \"{to}\", key = \"parent\", direction = \"to-hubspot\" }}]"
            );
        }
        source.push(Schema { name: format!("t_{object}"), properties: columns });
        hubspot.push(Schema { name: (*object).to_owned(), properties });
    }
    Large { text, source, hubspot }
}
