//! What a value looks like, found out from a schema or from samples.

use serde_json::Value as Json;

use crate::rest::mask::mask;

/// Deepest nesting that is looked into: what lies below is not needed to find records and their fields.
const DEPTH_MAX: usize = 8;

/// Most fields of an object that are kept.
const ENTRIES_MAX: usize = 500;

/// Most references that are followed for one schema, so that one that refers to itself ends.
const STEPS_MAX: usize = 20_000;

/// The form of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Form {
    pub(super) kind: Kind,
    /// Of an object, in the order in which they were met.
    pub(super) entries: Vec<(String, Form)>,
    /// Of a list.
    pub(super) item: Option<Box<Form>>,
    /// `date-time`, `date` and so on, as a schema says or as every sample is written.
    pub(super) format: Option<String>,
    pub(super) options: Vec<String>,
    /// A value by its shape.
    pub(super) sample: Option<String>,
    pub(super) read_only: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is known, or several things.
    #[default]
    Any,
    Object,
    List,
    Text,
    Number,
    Bool,
}

impl Form {
    pub(super) fn of(kind: Kind) -> Form {
        Form { kind, ..Form::default() }
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Form> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, form)| form)
    }

    /// The form of a sample.
    pub(super) fn of_sample(json: &Json) -> Form {
        sample(json, 0)
    }

    /// The form of a JSON Schema or an OpenAPI schema of `document`.
    pub(super) fn of_schema(schema: &Json, document: &Json) -> Form {
        let mut steps = STEPS_MAX;
        of_schema(schema, document, 0, &mut steps)
    }

    /// What both may be.
    pub(super) fn merged(self, other: Form) -> Form {
        if self.kind == Kind::Any && self.sample.is_none() {
            return other;
        }
        if other.kind == Kind::Any && other.sample.is_none() {
            return self;
        }
        if self.kind != other.kind {
            return Form { sample: self.sample.or(other.sample), ..Form::default() };
        }
        let mut entries = self.entries;
        for (name, form) in other.entries {
            let has_room = entries.len() < ENTRIES_MAX;
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = std::mem::take(known).merged(form),
                None if has_room => entries.push((name, form)),
                None => {}
            }
        }
        let item = match (self.item, other.item) {
            (Some(one), Some(two)) => Some(Box::new(one.merged(*two))),
            (one, two) => one.or(two),
        };
        Form {
            kind: self.kind,
            entries,
            item,
            format: self.format.filter(|format| other.format.as_ref() == Some(format)),
            options: self.options,
            sample: self.sample.or(other.sample),
            read_only: self.read_only || other.read_only,
        }
    }
}

fn sample(json: &Json, depth: usize) -> Form {
    let mut form = match json {
        Json::Null => return Form::default(),
        _ if depth >= DEPTH_MAX => return Form::default(),
        Json::Bool(_) => Form::of(Kind::Bool),
        Json::Number(_) => Form::of(Kind::Number),
        Json::String(text) => Form { format: format_of(text).map(str::to_owned), ..Form::of(Kind::Text) },
        Json::Array(items) => {
            let item = items.iter().take(50).map(|item| sample(item, depth + 1)).reduce(Form::merged);
            Form { item: item.map(Box::new), ..Form::of(Kind::List) }
        }
        Json::Object(entries) => {
            let entries = entries.iter().take(ENTRIES_MAX);
            let entries = entries.map(|(name, json)| (name.clone(), sample(json, depth + 1))).collect();
            Form { entries, ..Form::of(Kind::Object) }
        }
    };
    form.sample = Some(mask(json));
    form
}

/// How a text is written, where that says what it means.
fn format_of(text: &str) -> Option<&'static str> {
    if text.len() < 10 {
        return None;
    }
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Some("date-time");
    }
    if text.parse::<jiff::civil::DateTime>().is_ok() && text.len() > 10 {
        return Some("utc");
    }
    (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()).then_some("date")
}

fn of_schema(schema: &Json, document: &Json, depth: usize, steps: &mut usize) -> Form {
    if depth >= DEPTH_MAX || *steps == 0 {
        return Form::default();
    }
    *steps -= 1;
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        return target.map_or_else(Form::default, |target| of_schema(target, document, depth + 1, steps));
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let either = ["oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    // Of alternatives, null says only that the value may be empty; for the rest, all that may be there is kept.
    let either = either.filter(|part| part["type"] != "null");
    let mut form = parts
        .chain(either)
        .map(|part| of_schema(part, document, depth + 1, steps))
        .fold(Form::default(), Form::merged);
    let kind = match &schema["type"] {
        Json::String(kind) => kind.as_str(),
        // OpenAPI 3.1: ["string", "null"].
        Json::Array(kinds) => {
            kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or("")
        }
        _ if schema["properties"].is_object() => "object",
        _ if schema["items"].is_object() => "array",
        _ => "",
    };
    let own = match kind {
        "object" => Form::of(Kind::Object),
        "array" => Form::of(Kind::List),
        "string" => Form::of(Kind::Text),
        "integer" | "number" => Form::of(Kind::Number),
        "boolean" => Form::of(Kind::Bool),
        _ => Form::default(),
    };
    if own.kind != Kind::Any {
        form = if form.kind == Kind::Any { own } else { Form { kind: own.kind, ..form } };
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties.iter().take(ENTRIES_MAX) {
            let read = of_schema(property, document, depth + 1, steps);
            match form.entries.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = read,
                None => form.entries.push((name.clone(), read)),
            }
        }
    }
    if schema["items"].is_object() {
        form.item = Some(Box::new(of_schema(&schema["items"], document, depth + 1, steps)));
    }
    if let Some(format) = schema["format"].as_str() {
        form.format = Some(format.to_owned());
    }
    if let Some(options) = schema["enum"].as_array() {
        form.options = options.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    }
    form.read_only |= schema["readOnly"] == true;
    // Only the shape of an example is kept: some are taken from a live system.
    let example = [&schema["example"], &schema["examples"][0]].into_iter().find(|example| !example.is_null());
    if form.sample.is_none() {
        form.sample = example.map(mask);
    }
    form
}
