//! A first description before it is written: every part with the reason for it.

use super::operation::FoundCredential;

/// Most collections of a description.
const COLLECTIONS_MAX: usize = 200;

/// How sure a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sure {
    /// The file says so.
    Said,
    /// Names and forms speak for it.
    Guessed,
    /// A person has to decide.
    Open,
}

/// A part of the description, written in TOML, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) toml: String,
    pub(super) sure: Sure,
    pub(super) why: String,
}

impl Part {
    pub(super) fn new(toml: impl Into<String>, sure: Sure, why: impl Into<String>) -> Part {
        Part { toml: toml.into(), sure, why: why.into() }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) bases: Vec<(String, String)>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) credential: Option<FoundCredential>,
    pub(super) collections: Vec<DraftCollection>,
    pub(super) notes: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct DraftCollection {
    pub(super) name: String,
    /// Lines of the collection's own table.
    pub(super) own: Vec<Part>,
    pub(super) fields: Vec<DraftField>,
    /// Tables below it, by their names.
    pub(super) calls: Vec<(&'static str, Vec<Part>)>,
    /// What could not be guessed.
    pub(super) notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftField {
    pub(super) name: String,
    /// Its kind as it is written, with quotes or as a table.
    pub(super) kind: String,
    /// A value by its shape.
    pub(super) sample: Option<String>,
}

impl Draft {
    /// Keeps as many collections as a description may have.
    pub(super) fn bound(&mut self) {
        let more = self.collections.len().saturating_sub(COLLECTIONS_MAX);
        if more > 0 {
            self.collections.truncate(COLLECTIONS_MAX);
            self.notes.push(format!("{more} collections are left out: name those that are meant"));
        }
    }

    /// What a person has to decide.
    pub(super) fn to_decide(&self) -> Vec<String> {
        let mut all = self.notes.clone();
        for (name, value) in &self.variables {
            if value.is_empty() {
                all.push(format!("set the variable `{name}`"));
            }
        }
        for collection in &self.collections {
            let calls = collection.calls.iter().flat_map(|(_, parts)| parts);
            let open = collection.own.iter().chain(calls).filter(|part| part.sure == Sure::Open);
            all.extend(open.map(|part| format!("{}: {}", collection.name, part.why)));
            all.extend(collection.notes.iter().map(|note| format!("{}: {note}", collection.name)));
        }
        all
    }
}
