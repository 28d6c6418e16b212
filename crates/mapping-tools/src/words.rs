//! What a mapping file says, in words for people who do not read TOML.

use sync_types::{Conflict, Direction, FirstContact, OnDelete, OnDeleteConflict, Sensitivity};
use toml::{Table, Value};

use crate::outline::{FieldOutline, SourceOutline, StepOutline};

/// Where a field's value begins.
pub(crate) fn source(field: &FieldOutline) -> String {
    let code = |paths: &[String]| paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>();
    match &field.source {
        SourceOutline::Paths(paths) if paths.len() > 1 => {
            format!("the first filled of {}", code(paths).join(", "))
        }
        SourceOutline::Paths(paths) => code(paths).join(""),
        SourceOutline::Concat(paths, separator) if separator == " " => code(paths).join(" and "),
        SourceOutline::Concat(paths, separator) => {
            format!("{}, with `{separator}` between them", code(paths).join(" and "))
        }
        SourceOutline::Template(template) => format!("the text `{template}`"),
        SourceOutline::Constant(value) => format!("always `{}`", plain(value)),
        SourceOutline::Expression(expression) => format!("computed: `{expression}`"),
        SourceOutline::Named(what, name) => format!("the {what} “{name}”"),
        SourceOutline::Unknown => "see the mapping file".to_owned(),
    }
}

/// A transform as what it does. One that is not known here is named with its arguments.
pub(crate) fn step(step: &StepOutline) -> String {
    let argument = step.argument.as_ref();
    let said = argument.map(plain).unwrap_or_default();
    let table = argument.and_then(Value::as_table);
    let of = |key: &str| table.and_then(|table| table.get(key)).map(plain);
    match (step.name.as_str(), argument) {
        ("trim", None) => "white space at both ends removed".to_owned(),
        ("collapse_spaces", None) => "white space tidied".to_owned(),
        ("lower", None) => "in small letters".to_owned(),
        ("upper", None) => "in capitals".to_owned(),
        ("title", None) => "each word with a capital".to_owned(),
        ("nfc", None) => "accented letters in one code each".to_owned(),
        ("email", None) => "as an e-mail address".to_owned(),
        ("domain", None) => "the domain of it".to_owned(),
        ("url", None) => "as a web address".to_owned(),
        ("phone", None) => "as an international telephone number".to_owned(),
        ("phone", Some(Value::String(region))) => {
            format!("as an international telephone number, {region} where no country code is given")
        }
        ("phone", Some(Value::Table(_))) => {
            let country = match (of("region_field"), of("region")) {
                (Some(field), Some(region)) => Some(format!("that of `{field}`, else {region},")),
                (Some(field), None) => Some(format!("that of `{field}`")),
                (None, region) => region,
            };
            let region = country.map(|country| format!(", {country} where no country code is given"));
            let drop = of("extension").as_deref() == Some("drop");
            let extension = if drop { ", extensions dropped" } else { "" };
            format!("as an international telephone number{}{extension}", region.unwrap_or_default())
        }
        ("replace", Some(Value::Table(_))) => {
            format!("`{}` replaced by `{}`", of("find").unwrap_or_default(), of("with").unwrap_or_default())
        }
        ("extract", Some(Value::String(pattern))) => format!("the part that matches `{pattern}`"),
        ("max_length", Some(Value::Integer(chars))) => format!("refused beyond {chars} characters"),
        ("max_length", Some(Value::Table(_))) => {
            let cut = of("over").as_deref() == Some("cut");
            let chars = of("chars").unwrap_or_default();
            if cut {
                format!("cut to {chars} characters")
            } else {
                format!("refused beyond {chars} characters")
            }
        }
        ("number", None) => "as a number".to_owned(),
        ("number", Some(Value::Table(_))) => number(of("decimal"), of("group"), of("strip")),
        ("round", None) => "rounded to a whole number".to_owned(),
        ("round", Some(Value::Integer(places))) => format!("rounded to {places} places"),
        ("boolean", None) => "as yes or no".to_owned(),
        ("boolean", Some(Value::Table(_))) => format!(
            "yes for {}, no for {}",
            of("true").unwrap_or_else(|| "the usual words".to_owned()),
            of("false").unwrap_or_else(|| "the usual words".to_owned())
        ),
        ("date", None) => "as a date (2026-12-31)".to_owned(),
        ("date", Some(formats)) => format!("as a date written {}", written(formats)),
        ("date_time", None) => "as a time".to_owned(),
        ("date_time", Some(formats @ (Value::String(_) | Value::Array(_)))) => {
            format!("as a time written {}", written(formats))
        }
        ("date_time", Some(Value::Table(_))) => {
            let formats = table.and_then(|table| table.get("formats"));
            let formats = formats.map(|formats| format!(" written {}", written(formats))).unwrap_or_default();
            let zone = of("zone").map(|zone| format!(", in the zone {zone}")).unwrap_or_default();
            format!("as a time{formats}{zone}")
        }
        ("unix_time", Some(_)) => format!("as a time counted in {said} since 1970"),
        ("to_date", None) => "the day of it".to_owned(),
        ("to_date", Some(Value::String(zone))) => format!("the day of it in the zone {zone}"),
        ("picklist", Some(Value::String(name))) => format!("by the table “{name}”"),
        ("lookup", Some(Value::String(name))) => format!("looked up in “{name}”"),
        ("split", None) => "taken apart at `;`".to_owned(),
        ("split", Some(Value::String(mark))) => format!("taken apart at `{mark}`"),
        ("join", None) => "joined with `, `".to_owned(),
        ("join", Some(Value::String(mark))) => format!("joined with `{mark}`"),
        ("text", None) => "written out as text".to_owned(),
        ("default", Some(_)) => format!("`{said}` where it is empty"),
        _ => more(&step.name, argument, &said),
    }
}

/// Formats of dates and times as they write one day; one that nobody can write stays as it is.
fn written(formats: &Value) -> String {
    let day = jiff::civil::date(2026, 12, 31).at(17, 45, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let sample = |format: &Value| {
        let format = plain(format);
        let shown = day.as_ref().ok().and_then(|day| jiff::fmt::strtime::format(&format, day).ok());
        format!("`{}`", shown.unwrap_or(format))
    };
    match formats {
        Value::Array(items) => items.iter().map(sample).collect::<Vec<_>>().join(" or "),
        one => sample(one),
    }
}

/// The rarer transforms.
fn more(name: &str, argument: Option<&Value>, said: &str) -> String {
    let table = argument.and_then(Value::as_table);
    let of = |key: &str| table.and_then(|table| table.get(key)).map(plain);
    let to = || of("to").unwrap_or_else(|| said.to_owned());
    match (name, argument) {
        ("nfkc", None) => "look-alike characters made one".to_owned(),
        ("prefix", Some(_)) => format!("`{said}` put before it"),
        ("suffix", Some(_)) => format!("`{said}` put behind it"),
        ("strip_prefix", Some(_)) => format!("`{said}` taken from its front"),
        ("strip_suffix", Some(_)) => format!("`{said}` taken from its end"),
        ("pad", Some(_)) => {
            let chars = of("chars").unwrap_or_else(|| said.to_owned());
            format!("filled up to {chars} characters with `{}`", of("with").unwrap_or_else(|| "0".to_owned()))
        }
        ("empty_if", Some(_)) => format!("{said} counts as empty"),
        ("name_part", Some(Value::String(part))) => format!("the {part} name of a whole name"),
        ("country", None) => "as a country's code".to_owned(),
        ("country", Some(_)) => format!("as a country ({})", to()),
        ("region", Some(_)) => format!("as a region of a country ({})", to()),
        ("language", None) => "as a language's code".to_owned(),
        ("language", Some(_)) => format!("as a language ({})", to()),
        ("currency_code", None) => "as a currency's code".to_owned(),
        ("hash", _) => "hashed, so that it cannot be read".to_owned(),
        ("mask", None) => "masked".to_owned(),
        ("mask", Some(_)) => format!("masked ({said})"),
        ("item", Some(_)) => format!("item {said} of the list"),
        ("parse_json", None) => "read as JSON".to_owned(),
        ("write_json", None) => "written as JSON".to_owned(),
        ("pointer", Some(_)) => format!("what stands at `{said}` in it"),
        ("coalesce", Some(_)) => format!("where it is empty, the first filled of {said}"),
        ("format_number", None) => "written as a number".to_owned(),
        ("format_number", Some(_)) => format!("written as a number ({said})"),
        ("multiply", Some(_)) => format!("times {said}"),
        ("unit", Some(_)) => {
            format!("from {} to {}", of("from").unwrap_or_default(), of("to").unwrap_or_default())
        }
        ("convert", Some(_)) => {
            format!("converted to {} at the rates “{}”", to(), of("rates").unwrap_or_default())
        }
        ("format_boolean", None) => "written as yes or no".to_owned(),
        ("format_boolean", Some(_)) => format!("written as yes or no ({said})"),
        ("to_unix_time", None) => "counted in milliseconds since 1970".to_owned(),
        ("to_unix_time", Some(_)) => format!("counted in {said} since 1970"),
        ("format_date", Some(Value::Table(table))) => {
            format!("written as {}", table.get("format").map(written).unwrap_or_default())
        }
        ("format_date", Some(format)) => format!("written as {}", written(format)),
        ("function", Some(_)) => format!("by the engagement's own function `{said}`"),
        ("consent", Some(Value::Table(states))) => {
            let states = states.iter().map(|(state, words)| format!("{state} for {}", plain(words)));
            format!("a consent: {}", states.collect::<Vec<_>>().join(", "))
        }
        (name, None) => format!("`{name}`"),
        (name, Some(_)) => format!("`{name}` ({said})"),
    }
}

fn number(decimal: Option<String>, group: Option<String>, strip: Option<String>) -> String {
    let mut parts = Vec::new();
    if let Some(decimal) = decimal {
        parts.push(format!("`{decimal}` before the decimals"));
    }
    if let Some(group) = group {
        parts.push(format!("`{group}` between thousands"));
    }
    if let Some(strip) = strip {
        parts.push(format!("{strip} left out"));
    }
    if parts.is_empty() { "as a number".to_owned() } else { format!("as a number with {}", parts.join(", ")) }
}

/// What an empty value means.
pub(crate) fn when_empty(field: &FieldOutline) -> String {
    // What is always the same is never empty.
    if matches!(field.source, SourceOutline::Constant(_) | SourceOutline::Named(..)) {
        return String::new();
    }
    if field.required {
        return "record refused".to_owned();
    }
    match &field.when_empty {
        None => "emptied".to_owned(),
        Some(Value::String(word)) if word == "clear" => "emptied".to_owned(),
        Some(Value::String(word)) if word == "ignore" => "left alone".to_owned(),
        Some(Value::Table(table)) if table.contains_key("default") => {
            format!("becomes `{}`", table.get("default").map(plain).unwrap_or_default())
        }
        Some(other) => plain(other),
    }
}

/// What a value that is refused means.
pub(crate) fn on_bad(field: &FieldOutline) -> &'static str {
    match field.source {
        SourceOutline::Constant(_) | SourceOutline::Named(..) => "",
        _ if field.on_bad.as_deref() == Some("leave") => "left out",
        _ => "record refused",
    }
}

/// Conditions, all of which must hold, or an expression.
pub(crate) fn conditions(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(conditions).collect::<Vec<_>>().join(" and "),
        Value::Table(table) => condition(table),
        Value::String(expression) => format!("`{expression}`"),
        other => plain(other),
    }
}

fn condition(table: &Table) -> String {
    let field = table.get("field").map(plain).unwrap_or_default();
    let test = table.iter().find(|(key, _)| *key != "field");
    match test {
        Some((key, value)) if key == "equals" => format!("`{field}` is {}", plain(value)),
        Some((key, value)) if key == "in" => format!("`{field}` is one of {}", plain(value)),
        Some((key, value)) if key == "not_in" => format!("`{field}` is none of {}", plain(value)),
        Some((key, Value::Boolean(true))) if key == "present" => format!("`{field}` is filled"),
        Some((key, Value::Boolean(false))) if key == "present" => format!("`{field}` is empty"),
        _ => format!("`{}`", plain(&Value::Table(table.clone()))),
    }
}

/// A TOML value without the marks that only TOML needs.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{key} = {}", plain(value)));
            entries.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Which way values travel.
pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToRight => "to HubSpot",
        Direction::ToLeft => "from HubSpot",
        Direction::Both => "both ways",
    }
}

/// Whose value counts.
pub(crate) fn owner(way: Direction, conflict: Conflict) -> &'static str {
    match (way, conflict) {
        (Direction::ToRight, _) | (Direction::Both, Conflict::Left) => "source",
        (Direction::ToLeft, _) | (Direction::Both, Conflict::Right) => "HubSpot",
        (Direction::Both, Conflict::Newest) => "the newest",
        (Direction::Both, Conflict::Filled) => "the side that has a value",
        (Direction::Both, Conflict::Furthest) => "the furthest in order",
        (Direction::Both, Conflict::Ask) => "a person decides",
    }
}

/// How far values may be shown.
pub(crate) fn sensitivity(class: Sensitivity) -> &'static str {
    match class {
        Sensitivity::Public => "public",
        Sensitivity::Personal => "personal",
        Sensitivity::Sensitive => "sensitive",
    }
}

/// What happens when a record that is recognised for the first time has other values.
pub(crate) fn first_contact(policy: FirstContact) -> &'static str {
    match policy {
        FirstContact::Source => "the source's values are written",
        FirstContact::FillEmpty => "only empty properties are filled",
    }
}

/// What a deletion means for the counterpart.
pub(crate) fn on_delete(policy: OnDelete) -> &'static str {
    match policy {
        OnDelete::Keep => "the counterpart stays",
        OnDelete::Delete => "the counterpart is deleted",
        OnDelete::Ask => "a person decides",
    }
}

/// What a deletion means for a counterpart that has changed.
pub(crate) fn on_delete_conflict(policy: OnDeleteConflict) -> &'static str {
    match policy {
        OnDeleteConflict::Delete => "the deletion counts",
        OnDeleteConflict::Edit => "the change counts",
        OnDeleteConflict::Ask => "a person decides",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_read_as_what_they_do() {
        let cases = [
            (r#""trim""#, "white space at both ends removed"),
            (r#"{ max_length = { chars = 50, over = "cut" } }"#, "cut to 50 characters"),
            (
                r#"{ number = { decimal = ",", group = "." } }"#,
                "as a number with `,` before the decimals, `.` between thousands",
            ),
            (r#"{ date = ["%d.%m.%Y", "%Y-%m-%d"] }"#, "as a date written `31.12.2026` or `2026-12-31`"),
            (r#"{ boolean = { true = ["ja"], false = ["nein", "-"] } }"#, "yes for ja, no for nein, -"),
            (r#"{ date_time = "%d.%m.%Y %H:%M" }"#, "as a time written `31.12.2026 17:45`"),
            (
                r#"{ phone = { region_field = "land", region = "DE" } }"#,
                "as an international telephone number, that of `land`, else DE, where no country code is given",
            ),
            (r#"{ newcomer = { a = 1 } }"#, "`newcomer` (a = 1)"),
        ];
        for (written, said) in cases {
            let text =
                format!("[[links]]\nname = \"l\"\n[[links.fields]]\nto = \"p\"\ntransform = [{written}]");
            let outline = crate::outline::Outline::read(&text).unwrap();
            assert_eq!(step(&outline.links[0].fields[0].chain[0]), said);
        }
    }

    #[test]
    fn every_transform_of_the_reference_has_words() {
        let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../mapping-engine/docs/transforms.md");
        let text = std::fs::read_to_string(reference).unwrap();
        let mut transforms = 0;
        // | `name`, `{ name = argument }` | takes → gives | …
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = row.split(" | ");
            let (Some(written), Some(true)) = (cells.next(), cells.next().map(|types| types.contains('→')))
            else {
                continue;
            };
            for written in written.split('`').skip(1).step_by(2) {
                let transform =
                    if written.starts_with('{') { written.to_owned() } else { format!("{written:?}") };
                let field = format!("[[links]]\n[[links.fields]]\ntransform = {transform}");
                let Ok(outline) = crate::outline::Outline::read(&field) else { continue };
                let [said] = outline.links[0].fields[0].chain.as_slice() else { continue };
                transforms += 1;
                let words = step(said);
                assert!(!words.starts_with(&format!("`{}`", said.name)), "{written} has no words: {words}");
            }
        }
        assert!(transforms > 60, "{transforms} transforms were found");
    }

    #[test]
    fn conditions_read_as_sentences() {
        let scope: Table =
            r#"scope = [{ field = "a", in = ["x", "y"] }, { field = "b", present = true }]"#.parse().unwrap();
        assert_eq!(conditions(&scope["scope"]), "`a` is one of x, y and `b` is filled");
    }
}
