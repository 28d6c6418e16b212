//! The texts that a mapping consists of: the main file, what it includes, and the tables it looks up in.

use std::collections::VecDeque;

use toml::de::{DeTable, DeValue};

use crate::document::{Node, text, texts, wrong_type};
use crate::problem::{Report, Span};

/// How many files one mapping may have.
const FILES_MAX: usize = 64;

/// How much text all files of one mapping may hold, in bytes.
const TEXT_BYTES_MAX: usize = 8 << 20;

/// Gives the checker the files that a mapping names: the crate itself does no I/O.
///
/// A path is relative to the folder of the main file, uses `/`, and never leads out of that folder.
pub trait Files {
    /// The whole text of a file.
    ///
    /// # Errors
    /// Why it cannot be read, for a person: "there is no such file".
    fn text(&self, path: &str) -> Result<String, String>;
}

impl<F: Fn(&str) -> Result<String, String>> Files for F {
    fn text(&self, path: &str) -> Result<String, String> {
        self(path)
    }
}

/// No files beside the main one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn text(&self, _path: &str) -> Result<String, String> {
        Err(String::from("this mapping is checked without other files"))
    }
}

/// One file of the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// The name that messages show.
    pub(crate) name: String,
    /// Relative to the main file's folder; empty for the main file.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Where the file begins among all files: spans count on from one file to the next.
    pub(crate) base: usize,
}

/// Every file of the mapping, in the order of their inclusion, the main file first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    files: Vec<SourceText>,
}

impl Sources {
    /// Reads the main file and everything that it includes, each file once.
    pub(crate) fn load(name: &str, text: &str, files: &dyn Files, report: &mut Report) -> Sources {
        let mut sources = Sources::default();
        if text.len() > TEXT_BYTES_MAX {
            sources.push(name.to_owned(), String::new(), String::new());
            report.error(
                "too-many",
                &(0..0),
                "the file is larger than 8 MiB",
                "move large tables into CSV lookups",
            );
            return sources;
        }
        sources.push(name.to_owned(), String::new(), text.to_owned());
        let folder = name.rfind('/').and_then(|at| name.get(..=at)).unwrap_or_default();
        let mut waiting = VecDeque::from([0]);
        while let Some(place) = waiting.pop_front() {
            let Some(file) = sources.files.get(place) else { break };
            for (path, span) in includes(file, report) {
                if sources.files.iter().any(|known| known.path == path) {
                    let reason = format!("`{path}` is part of the mapping already");
                    report.error("bad-include", &span, reason, "include each file once, from one place");
                    continue;
                }
                let size: usize = sources.files.iter().map(|file| file.text.len()).sum();
                match files.text(&path) {
                    Ok(text) if size + text.len() > TEXT_BYTES_MAX || sources.files.len() >= FILES_MAX => {
                        let reason = format!(
                            "a mapping has at most {FILES_MAX} files of 8 MiB in all, and `{path}` goes beyond"
                        );
                        report.error("bad-include", &span, reason, "move large tables into CSV lookups");
                        return sources;
                    }
                    Ok(text) => {
                        waiting.push_back(sources.files.len());
                        sources.push(format!("{folder}{path}"), path, text);
                    }
                    Err(why) => report.error(
                        "bad-include",
                        &span,
                        format!("`{path}` cannot be read: {why}"),
                        "name a file beside the mapping, by its path from the file that includes it",
                    ),
                }
            }
        }
        sources
    }

    fn push(&mut self, name: String, path: String, text: String) {
        // One byte apart, so that a place at the end of a file is not the beginning of the next.
        let base = self.files.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.files.push(SourceText { name, path, text, base });
    }

    pub(crate) fn files(&self) -> &[SourceText] {
        &self.files
    }

    /// The file that holds a place.
    pub(crate) fn file_of(&self, offset: usize) -> Option<&SourceText> {
        self.files.iter().rev().find(|file| file.base <= offset)
    }
}

/// The files that a file includes, as paths from the main file's folder.
fn includes(file: &SourceText, report: &mut Report) -> Vec<(String, Span)> {
    // Most files include nothing, and are parsed once only.
    if !file.text.contains("include") {
        return Vec::new();
    }
    let (root, _) = DeTable::parse_recoverable(&file.text);
    let Some(node) = root.get_ref().get("include") else { return Vec::new() };
    let names = match node.get_ref() {
        DeValue::String(_) | DeValue::Array(_) => texts(node, report),
        _ => return Vec::new(),
    };
    let mut paths = Vec::new();
    for name in names {
        let span = name.span.start + file.base..name.span.end + file.base;
        match resolve(&file.path, &name.value) {
            Some(path) => paths.push((path, span)),
            None => report.error("bad-include", &span, escape(&name.value), ESCAPE_REMEDY),
        }
    }
    paths
}

/// Reads `include` for its form only: what it names is loaded before.
pub(crate) fn check_include(node: Node<'_>, report: &mut Report) {
    match node.get_ref() {
        DeValue::Array(items) => items.iter().for_each(|item| {
            text(item, report);
        }),
        DeValue::String(_) => {}
        _ => wrong_type(node, "a path or a list of paths", report),
    }
}

pub(crate) const ESCAPE_REMEDY: &str = "write the path from this file down, with `/`: `links/orders.toml`";

/// Why a path is refused.
pub(crate) fn escape(path: &str) -> String {
    format!("`{path}` is not a path inside the mapping's own folder")
}

/// A path that stands in a file, as one from the main file's folder; `None` where it leads out of it.
pub(crate) fn resolve(from: &str, path: &str) -> Option<String> {
    let whole = path.is_empty() || path.len() > 400 || path.starts_with('/');
    if whole || path.contains(['\\', ':', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | ".." => return None,
            "." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
