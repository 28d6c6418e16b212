//! JSON pointers (RFC 6901): where something stands in an answer.

use serde_json::Value as Json;

/// A checked JSON pointer. The empty one names the whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pointer(String);

impl Pointer {
    /// A pointer is empty or starts with a slash, and `~` is only followed by 0 or 1.
    pub(super) fn parse(text: &str) -> Option<Pointer> {
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        (escapes && (text.is_empty() || text.starts_with('/'))).then(|| Pointer(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands there; null counts as nothing.
    pub(super) fn get<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        json.pointer(&self.0).filter(|found| !found.is_null())
    }

    /// What stands there as one text: texts, numbers and truth values have one.
    pub(super) fn text(&self, json: &Json) -> Option<String> {
        self.get(json).and_then(scalar)
    }

    /// The name of the last step, for fields of a record's first level.
    pub(super) fn only_step(&self) -> Option<String> {
        let step = self.0.strip_prefix('/')?;
        (!step.contains('/')).then(|| unescape(step))
    }

    /// Puts a value there and makes the objects on the way. Whatever is no object on the way is replaced by one.
    pub(super) fn set(&self, json: &mut Json, value: Json) {
        let mut here = json;
        for step in self.0.split('/').skip(1) {
            if !here.is_object() {
                *here = Json::Object(serde_json::Map::new());
            }
            let Json::Object(entries) = here else { return };
            here = entries.entry(unescape(step)).or_insert(Json::Null);
        }
        *here = value;
    }
}

/// One value as a text, without quotes.
pub(super) fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
