//! Values shown by their shape: letters and digits replaced, so that a format can be seen and no value.

use serde_json::Value as Json;

/// Longest shape that is shown.
const SHOWN_MAX: usize = 32;

/// The shape of a value: `Xxx Xxx`, `xxx@xxx.xxx`, `9999-99-99`, `{3 entries}`.
pub(super) fn mask(json: &Json) -> String {
    match json {
        Json::Null => String::from("(empty)"),
        Json::Bool(_) => String::from("true or false"),
        Json::Number(number) => mask_text(&number.to_string()),
        Json::String(text) => mask_text(text),
        Json::Array(items) => format!("[{} items]", items.len()),
        Json::Object(entries) => format!("{{{} entries}}", entries.len()),
    }
}

/// The shape of a text; what is long is cut off.
pub(super) fn mask_text(text: &str) -> String {
    let mut shape: String = text
        .chars()
        .take(SHOWN_MAX)
        .map(|c| match c {
            c if c.is_ascii_digit() => '9',
            c if c.is_uppercase() => 'X',
            c if c.is_alphanumeric() => 'x',
            c if c.is_control() => ' ',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shape.push('…');
    }
    shape
}
