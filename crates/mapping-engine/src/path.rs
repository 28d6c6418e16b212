//! Source paths: a column, or a place inside a nested value.

use std::collections::{HashMap, HashSet};

use sync_types::{Record, Shape, Value};

/// Longest path, in bytes: longer ones are refused.
pub(crate) const PATH_BYTES_MAX: usize = 1_000;

/// A path as the mapping names it: `email`, `address.city`, `lines.0.sku`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) text: String,
}

/// Where a path leads in records of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    column: usize,
    /// The steps inside the column's value.
    inside: Vec<Box<str>>,
}

/// The paths that a link reads, each once, in the order in which they were first named.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    list: Vec<Path>,
    places: HashMap<Box<str>, usize>,
}

impl Paths {
    #[cfg(test)]
    pub(crate) fn of(texts: &[&str]) -> Paths {
        let mut paths = Paths::default();
        for text in texts {
            paths.place_of(text);
        }
        paths
    }

    /// The place of a path, which is added where it is new.
    pub(crate) fn place_of(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.list.push(Path::new(text));
        self.places.insert(text.into(), self.list.len() - 1);
        self.list.len() - 1
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Path> {
        self.list.get(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.list.iter()
    }
}

impl Path {
    pub(crate) fn new(text: &str) -> Path {
        Path { text: text.to_owned() }
    }

    /// The column the path begins with is the longest one that exists, so that a column may have dots in its name.
    pub(crate) fn resolve(&self, shape: &Shape) -> Option<Place> {
        let mut end = self.text.len();
        loop {
            let column = self.text.get(..end)?;
            if let Some(column) = shape.place(column) {
                let rest = self.text.get(end..).unwrap_or_default();
                let inside = rest.split('.').filter(|step| !step.is_empty()).map(Into::into).collect();
                return Some(Place { column, inside });
            }
            end = column.rfind('.')?;
        }
    }
}

impl Place {
    /// The value at the place; `None` where a nested value does not have it.
    pub(crate) fn value<'r>(&self, record: &'r Record) -> Option<&'r Value> {
        let mut value = record.values().get(self.column)?;
        for step in &self.inside {
            value = match value {
                Value::Object(entries) => &entries.iter().find(|(name, _)| **name == **step)?.1,
                Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

/// Paths that are treated apart, with everything inside them and everything that they are inside of.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    /// Each path and each beginning of it that ends before a dot, with one of the paths that begin so.
    beginnings: HashMap<String, String>,
    paths: HashSet<String>,
}

impl Marked {
    pub(crate) fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Marked {
        let mut marked = Marked::default();
        for path in paths.filter(|path| path.len() <= PATH_BYTES_MAX) {
            for beginning in beginnings(path) {
                marked.beginnings.entry(beginning.to_owned()).or_insert_with(|| path.to_owned());
            }
            marked.paths.insert(path.to_owned());
        }
        marked
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// A marked path that leads to the same place as this one, to a part of it, or to what it is a part of.
    pub(crate) fn touched_by(&self, path: &str) -> Option<&str> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        let outer = || beginnings(path).find_map(|beginning| self.paths.get(beginning));
        self.beginnings.get(path).or_else(outer).map(String::as_str)
    }
}

/// A path and what of it ends before a dot, the longest first.
fn beginnings(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('.').map(|(head, _)| head))
}
