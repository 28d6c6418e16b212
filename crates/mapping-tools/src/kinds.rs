//! Kinds of values in the words of mapping files, of databases and of people.

use sync_types::PropertyKind;

use crate::names;

/// The word of a mapping file, for kinds that it has one for.
pub(crate) fn word(kind: PropertyKind) -> Option<&'static str> {
    Some(match kind {
        PropertyKind::Text => "text",
        PropertyKind::Number => "number",
        PropertyKind::Bool => "boolean",
        PropertyKind::Date => "date",
        PropertyKind::DateTime => "date-time",
        PropertyKind::Option => "option",
        PropertyKind::Options => "options",
        _ => return None,
    })
}

/// The kind for a person.
pub(crate) fn spoken(kind: PropertyKind) -> &'static str {
    word(kind).unwrap_or("nested data")
}

/// A type as databases, data dictionaries and HubSpot's own settings call it.
pub(crate) fn of(text: &str) -> Option<PropertyKind> {
    let whole = names::words(text).concat();
    Some(match whole.as_str() {
        "datetime" | "dateandtime" | "datetimepicker" => return Some(PropertyKind::DateTime),
        "multiplecheckboxe" | "multiplecheckbox" | "multiselect" | "multipleselect" => {
            return Some(PropertyKind::Options);
        }
        "singlecheckbox" => return Some(PropertyKind::Bool),
        "radioselect" | "dropdownselect" | "singleselect" => return Some(PropertyKind::Option),
        _ => match names::words(text).first()?.as_str() {
            "int" | "integer" | "bigint" | "smallint" | "number" | "numeric" | "decimal" | "float"
            | "double" | "real" | "money" | "currency" | "zahl" | "score" | "amount" => PropertyKind::Number,
            "bool" | "boolean" | "bit" | "flag" | "checkbox" | "yes" => PropertyKind::Bool,
            "date" => PropertyKind::Date,
            "timestamp" | "timestamptz" | "time" => PropertyKind::DateTime,
            "enum" | "enumeration" | "picklist" | "dropdown" | "select" | "option" | "choice" | "radio" => {
                PropertyKind::Option
            }
            "multi" | "multiple" | "set" | "checkboxe" => PropertyKind::Options,
            "json" | "jsonb" | "object" => PropertyKind::Json,
            "text" | "string" | "varchar" | "nvarchar" | "char" | "clob" | "description" | "email"
            | "phone" | "url" | "single" | "multiline" | "rich" | "textarea" => PropertyKind::Text,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_many_names() {
        let cases = [
            ("VARCHAR(200)", Some(PropertyKind::Text)),
            ("Single-line text", Some(PropertyKind::Text)),
            ("Dropdown select", Some(PropertyKind::Option)),
            ("Multiple checkboxes", Some(PropertyKind::Options)),
            ("Date picker", Some(PropertyKind::Date)),
            ("Date/Time", Some(PropertyKind::DateTime)),
            ("timestamp", Some(PropertyKind::DateTime)),
            ("decimal(10,2)", Some(PropertyKind::Number)),
            ("whatever", None),
        ];
        for (text, kind) in cases {
            assert_eq!(of(text), kind, "{text}");
        }
    }
}
