//! What is wrong with a mapping file: each problem with code, place, reason and remedy, as text and as JSON.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde_json::json;

use crate::files::{SourceText, Sources};

/// A place among all files of the mapping, in bytes: see [`Sources`].
pub(crate) type Span = Range<usize>;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The mapping is used, but this is likely a mistake.
    Warning,
    /// The mapping is refused.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One thing that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, such as `unknown-column`; [`explain_code`](crate::explain_code) tells more about it.
    pub code: &'static str,
    /// Whether the mapping can be used all the same.
    pub severity: Severity,
    /// The file it stands in: the main file's name as it was given, or an included file's in the same folder.
    pub file: String,
    /// The place in that file, in bytes.
    pub span: Range<usize>,
    /// Line of the place, from 1.
    pub line: usize,
    /// Column of the place in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every problem of a mapping, in the order of its files. Displayed, it reads like a compiler's output.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems {
    sources: Sources,
    list: Vec<Problem>,
}

impl Problems {
    /// The problems, in the order of the files.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The name of the main file, as it was given to the checker.
    #[must_use]
    pub fn file(&self) -> &str {
        self.sources.files().first().map_or("", |file| file.name.as_str())
    }

    /// Every file that was checked, the main one first: its name as messages show it, and its text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.files().iter().map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// Whether at least one problem refuses the mapping.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The problems for a machine: `{"file", "problems": [{"code", "severity", "file", "line", "column", "start",
    /// "end", "reason", "remedy"}]}`; lines and columns from 1, `start` and `end` in bytes.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let problems: Vec<_> = self
            .list
            .iter()
            .map(|problem| {
                json!({
                    "code": problem.code,
                    "severity": problem.severity.as_str(),
                    "file": problem.file,
                    "line": problem.line,
                    "column": problem.column,
                    "start": problem.span.start,
                    "end": problem.span.end,
                    "reason": problem.reason,
                    "remedy": problem.remedy,
                })
            })
            .collect();
        json!({ "file": self.file(), "problems": problems })
    }

    fn render(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let file = self.sources.files().iter().find(|file| file.name == problem.file);
        let (start, source) = line_at(file.map_or("", |file| file.text.as_str()), problem.span.start);
        let number = problem.line.to_string();
        let gutter = " ".repeat(number.len());
        let in_line = problem.span.start.saturating_sub(start).min(source.len());
        let (source, in_line) = window(source, in_line);
        let before = source.get(..in_line).unwrap_or_default();
        let marked = source.get(in_line..).unwrap_or_default();
        let marked = marked.get(..problem.span.len().min(marked.len())).unwrap_or(marked);
        // Tabs are kept, so that the carets stand below the text whatever a tab is wide.
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(marked.chars().count().max(1));
        writeln!(f, "{}[{}]: {}", problem.severity.as_str(), problem.code, problem.reason)?;
        writeln!(f, "{gutter}--> {}:{}:{}", problem.file, problem.line, problem.column)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {source}")?;
        writeln!(f, "{gutter} | {indent}{carets}")?;
        writeln!(f, "{gutter} = help: {}", problem.remedy)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            self.render(f, problem)?;
            writeln!(f)?;
        }
        let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error).count();
        let warnings = self.list.len() - errors;
        let plural =
            |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let file = self.file();
        match (errors, warnings) {
            (0, 0) => write!(f, "{file}: no problems"),
            (0, _) => write!(f, "{file}: {}", plural(warnings, "warning")),
            (_, 0) => write!(f, "{file}: {}", plural(errors, "error")),
            _ => write!(f, "{file}: {}, {}", plural(errors, "error"), plural(warnings, "warning")),
        }
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}

/// Most problems that are told at once: nobody reads more, and a hostile file could have millions.
const PROBLEMS_MAX: usize = 1_000;

/// Collects problems while a file is read and checked.
#[derive(Debug, Default)]
pub(crate) struct Report {
    list: Vec<(Severity, &'static str, Span, String, String)>,
    /// How many errors and warnings found no room.
    dropped: (usize, usize),
}

impl Report {
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        span: &Span,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.is_full() {
            self.dropped.0 += 1;
            return;
        }
        self.list.push((Severity::Error, code, span.clone(), reason.into(), remedy.into()));
    }

    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        span: &Span,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.is_full() {
            self.dropped.1 += 1;
            return;
        }
        self.list.push((Severity::Warning, code, span.clone(), reason.into(), remedy.into()));
    }

    /// A remedy for a name that does not exist: the nearest one, else the list of what there is. Looking for it takes long
    /// enough to matter for a hostile file, so nothing is looked for when nobody would read it.
    pub(crate) fn suggest<'a>(
        &self,
        wrong: &str,
        names: impl IntoIterator<Item = &'a str> + Clone,
        otherwise: &str,
    ) -> String {
        if self.is_full() { String::new() } else { suggest(wrong, names, otherwise) }
    }

    /// Whether further problems are only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= PROBLEMS_MAX
    }

    /// Places every problem in its file and sorts them by place.
    pub(crate) fn finish(mut self, sources: Sources) -> Problems {
        self.list.sort_by_key(|(_, _, span, ..)| (span.start, span.end));
        let mut list = Vec::with_capacity(self.list.len());
        let mut files = sources.files().iter().peekable();
        let mut cursor: Option<Cursor<'_>> = None;
        for (severity, code, span, reason, remedy) in self.list {
            // Files and places only go forward, so that each text is walked through once.
            while let Some(next) = files.next_if(|file| file.base <= span.start) {
                cursor = Some(Cursor::new(next));
            }
            let Some(cursor) = cursor.as_mut() else { continue };
            let base = cursor.file.base;
            let span = span.start - base..span.end.saturating_sub(base);
            let (line, column) = cursor.advance(span.start);
            let file = cursor.file.name.clone();
            list.push(Problem { code, severity, file, span, line, column, reason, remedy });
        }
        let (errors, warnings) = self.dropped;
        if let Some(first) = sources.files().first().filter(|_| errors + warnings > 0) {
            list.push(Problem {
                code: "too-many",
                severity: if errors > 0 { Severity::Error } else { Severity::Warning },
                file: first.name.clone(),
                span: 0..0,
                line: 1,
                column: 1,
                reason: format!("there are {} more problems", errors + warnings),
                remedy: String::from("correct these first; one mistake often has many consequences"),
            });
        }
        Problems { sources, list }
    }
}

/// A place in a file that only moves forward.
struct Cursor<'a> {
    file: &'a SourceText,
    /// The line that was reached: its number, where it starts, and characters up to `offset`.
    line: usize,
    offset: usize,
    column: usize,
}

impl<'a> Cursor<'a> {
    fn new(file: &'a SourceText) -> Cursor<'a> {
        Cursor { file, line: 1, offset: 0, column: 1 }
    }

    /// Line and column of a place that is not before the last one.
    fn advance(&mut self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.file.text.len());
        while !self.file.text.is_char_boundary(offset) {
            offset -= 1;
        }
        for c in self.file.text.get(self.offset..offset).unwrap_or_default().chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.offset = self.offset.max(offset);
        (self.line, self.column)
    }
}

/// The line that holds the offset: where it starts, and its text without the line's end.
fn line_at(text: &str, offset: usize) -> (usize, &str) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let start = text.get(..offset).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    (start, line.strip_suffix('\r').unwrap_or(line))
}

/// The part of a line that is shown: all of it, unless it is very long.
fn window(line: &str, at: usize) -> (&str, usize) {
    const SHOWN_MAX: usize = 400;
    const BEFORE: usize = 80;
    if line.len() <= SHOWN_MAX {
        return (line, at);
    }
    let boundary = |mut place: usize| {
        while !line.is_char_boundary(place) {
            place -= 1;
        }
        place
    };
    let start = boundary(at.saturating_sub(BEFORE));
    let end = boundary((start + SHOWN_MAX).min(line.len()));
    (line.get(start..end).unwrap_or_default(), at - start)
}

/// The name that a mistyped one is nearest to, if one is near.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    let limit = (length / 3).clamp(1, 3);
    // Nobody mistypes a name of this length, and comparing it would take long.
    if length > 64 {
        return None;
    }
    let wrong = wrong.to_lowercase();
    names
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(length) <= limit)
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// A remedy for a name that does not exist: the nearest one, else the list of what there is.
pub(crate) fn suggest<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> String {
    if let Some(name) = nearest(wrong, names.clone()) {
        return format!("did you mean `{name}`?");
    }
    let mut seen = HashSet::new();
    let mut known: Vec<&str> = names.into_iter().filter(|name| seen.insert(*name)).collect();
    let more = known.len().saturating_sub(12);
    known.truncate(12);
    if known.is_empty() {
        return otherwise.to_owned();
    }
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{otherwise}; there is `{}`{tail}", known.join("`, `"))
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |r: usize, c: usize| {
                rows.get(r).and_then(|row| row.get(c)).copied().unwrap_or(usize::MAX / 2)
            };
            let mut best = (cell(i, j) + usize::from(x != y))
                .min(cell(i, j + 1) + 1)
                .min(row.last().copied().unwrap_or(0) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(cell(i - 1, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}
