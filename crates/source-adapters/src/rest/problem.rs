//! What is wrong with a description: every problem with its code, line, reason and remedy.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde_json::json;

/// Most problems that are told at once; nobody reads more.
const PROBLEMS_MAX: usize = 200;

/// One thing that is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, such as `unknown-key`.
    pub code: &'static str,
    /// Line of the place, from 1.
    pub line: usize,
    /// Column of the place in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every problem of a description, in the order of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems {
    file: String,
    list: Vec<(Problem, String)>,
}

impl Problems {
    pub(super) fn none(file: &str) -> Problems {
        Problems { file: file.to_owned(), list: Vec::new() }
    }

    /// The problems, in the order of the file.
    pub fn list(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter().map(|(problem, _)| problem)
    }

    /// The problems for a machine: `{"file", "problems": [{"code", "line", "column", "reason", "remedy"}]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let problems: Vec<_> = self
            .list()
            .map(|problem| {
                json!({
                    "code": problem.code, "line": problem.line, "column": problem.column,
                    "reason": problem.reason, "remedy": problem.remedy,
                })
            })
            .collect();
        json!({ "file": self.file, "problems": problems })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (problem, text) in &self.list {
            let Problem { code, line, column, reason, remedy } = problem;
            writeln!(f, "error[{code}]: {reason}")?;
            writeln!(f, "  --> {}:{line}:{column}", self.file)?;
            writeln!(f, "   | {text}")?;
            writeln!(f, "   = help: {remedy}\n")?;
        }
        let count = self.list.len();
        write!(f, "{}: {count} error{}", self.file, if count == 1 { "" } else { "s" })
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}

/// A problem that has not been placed in its file yet.
#[derive(Debug)]
struct Found {
    at: Range<usize>,
    code: &'static str,
    reason: String,
    remedy: String,
}

/// Collects problems while a description is read. Shared by all who read a part of it.
#[derive(Debug, Default)]
pub(super) struct Report {
    found: RefCell<Vec<Found>>,
}

impl Report {
    /// Notes a problem at a place, in bytes.
    pub(super) fn tell(
        &self,
        at: Range<usize>,
        code: &'static str,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mut found = self.found.borrow_mut();
        if found.len() < PROBLEMS_MAX {
            found.push(Found { at, code, reason: reason.into(), remedy: remedy.into() });
        }
    }

    /// Notes a problem with the file as a whole, unless there are others.
    pub(super) fn tell_if_silent(&self, code: &'static str, reason: &str, remedy: &str) {
        if self.found.borrow().is_empty() {
            self.tell(0..0, code, reason, remedy);
        }
    }

    /// The problems of a file's text, or `None` when there is none.
    pub(super) fn finish(self, file: &str, text: &str) -> Option<Problems> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|found| (found.at.start, found.at.end));
        let list = found.into_iter().map(|Found { at, code, reason, remedy }| {
            let before = text.get(..at.start).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let rest = text.get(line_start..).unwrap_or_default();
            // A line with a secret is not shown to those who read messages and logs.
            let is_shown = code != "secret-in-clear";
            let shown = rest.lines().next().filter(|_| is_shown).unwrap_or("…").chars().take(160).collect();
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
            (Problem { code, line, column, reason, remedy }, shown)
        });
        Some(Problems { file: file.to_owned(), list: list.collect() })
    }
}
