//! The checker on a mapping of the size of a real engagement: 6 objects of 50 fields, with both schemas.

use std::fmt::Write as _;

use mapping_engine::{Check, Schemas};
use sync_types::{Property, PropertyKind, Schema};

use crate::Failure;

const OBJECTS: [&str; 6] = ["contacts", "companies", "deals", "tickets", "products", "line_items"];

/// Checks it 20 times; the shortest and the middle CPU time in milliseconds.
pub(crate) fn check() -> Result<serde_json::Value, Failure> {
    let mut text = String::from("[mapping]\nname = \"large\"\nregion = \"DE\"\nzone = \"Europe/Berlin\"\n");
    let mut source = Vec::new();
    let mut hubspot = Vec::new();
    for object in OBJECTS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "[[links]]\nname = \"{object}\"\ncollection = \"{object}\"\nobject = \"{object}\"\nsync_key = \"large_key\"\ndirection = \"both\""
        );
        let mut left = Schema { name: object.to_owned(), properties: Vec::new() };
        let mut right = left.clone();
        for place in 0..50 {
            let transform = match place % 5 {
                0 => "\"trim\"",
                1 => "\"email\"",
                2 => "\"phone\"",
                3 => "\"collapse_spaces\"",
                _ => "{ picklist = \"state\" }",
            };
            let _ = writeln!(
                text,
                "[[links.fields]]\nfrom = \"c{place}\"\nto = \"p{place}\"\ntransform = [{transform}]\nnote = \"a field of a real sheet\""
            );
            left.properties.push(Property::new(format!("c{place}").as_str(), PropertyKind::Text));
            let mut property = Property::new(format!("p{place}").as_str(), PropertyKind::Text);
            if place % 5 == 4 {
                property.kind = PropertyKind::Option;
                property.options = (0..30).map(|option| format!("option_{option}")).collect();
            }
            right.properties.push(property);
        }
        let mut key = Property::new("large_key", PropertyKind::Text);
        key.unique = true;
        right.properties.push(key);
        source.push(left);
        hubspot.push(right);
    }
    text.push_str("[picklists.state]\nmap = { ");
    for option in 0..30 {
        let _ = write!(text, "{}w{option} = \"option_{option}\"", if option > 0 { ", " } else { "" });
    }
    text.push_str(" }\n");
    let schemas = Schemas { source: Some(&source), hubspot: Some(&hubspot) };
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = crate::cpu_nanoseconds();
        Check::new("large.toml", &text).schemas(schemas).run()?;
        times.push(crate::cpu_nanoseconds() - start);
    }
    times.sort_unstable();
    let milliseconds = |place: usize| times[place] as f64 / 1e6;
    Ok(serde_json::json!({ "fields": 300, "least_ms": milliseconds(0), "middle_ms": milliseconds(10) }))
}
