//! Texts with places to be filled in: `/customers/{id}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text with named places. `{{` and `}}` stand for one brace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

/// What is filled in must not change what the text around it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is: whoever takes the whole text escapes it.
    No,
    /// As a piece of a URL's path.
    Path,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace that is not closed, or holds no name.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.next_if_eq(&c).is_some() => plain.push(c),
                '{' => {
                    let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    if name.is_empty() || !name.chars().all(is_name) {
                        return Err(String::from("a brace opens and no name and closing brace follow"));
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Place(name));
                }
                '}' => return Err(String::from("a brace closes that was not opened")),
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts))
    }

    /// The names of the places, as often as they stand there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Place(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// What stands before the only place, its name, and what stands behind it.
    pub(super) fn around_the_only_place(&self) -> Option<(&str, &str, &str)> {
        match self.0.as_slice() {
            [Part::Place(name)] => Some(("", name, "")),
            [Part::Text(before), Part::Place(name)] => Some((before, name, "")),
            [Part::Place(name), Part::Text(after)] => Some(("", name, after)),
            [Part::Text(before), Part::Place(name), Part::Text(after)] => Some((before, name, after)),
            _ => None,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|place| place == name)
    }

    /// The text with every place filled in.
    ///
    /// # Errors
    /// The name of a place for which there is nothing, or whose value cannot stand in a path.
    pub(super) fn fill(&self, values: &Values<'_>, escape: Escape) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place(name) => {
                    let value =
                        values.get(name).ok_or_else(|| format!("there is nothing to put in for `{name}`"))?;
                    match escape {
                        Escape::No => out.push_str(value),
                        // A URL drops these two, however they are escaped, and goes elsewhere.
                        Escape::Path if matches!(value, "" | "." | "..") => {
                            return Err(format!("what `{name}` stands for cannot be part of a path"));
                        }
                        Escape::Path => out.extend(utf8_percent_encode(value, SEGMENT)),
                    }
                }
            }
        }
        Ok(out)
    }
}

/// What is filled in: names of the call first, then the description's variables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'v> {
    pub(super) own: &'v [(&'v str, &'v str)],
    pub(super) variables: &'v std::collections::BTreeMap<String, String>,
}

impl Values<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let own = self.own.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        own.or_else(|| self.variables.get(name).map(String::as_str))
    }
}
