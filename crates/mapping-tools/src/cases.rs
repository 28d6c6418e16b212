//! Golden cases: records kept beside the mapping, with what it has to make of them.
//!
//! ```toml
//! [[cases]]
//! name = "an ordinary customer"
//! link = "people"
//! record = { mail = " Ada@Example.com " }
//! expect = { properties = { email = "ada@example.com" } }
//! ```
//!
//! A case with `hubspot = { … }` in place of `record` shows the way back: what the source is to be given when
//! HubSpot shows these values.

mod expect;
mod read;
mod run;

use std::fmt;

use serde_json::{Value as Json, json};
use toml_edit::DocumentMut;

pub use expect::Expectation;

/// A file of golden cases. Rewriting it with [`CaseFile::bless`] keeps comments and order.
#[derive(Clone, Debug)]
pub struct CaseFile {
    document: DocumentMut,
    cases: Vec<Case>,
}

/// One case, as the file says it.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    link: String,
    input: Input,
    expect: Option<Expectation>,
}

/// What a case begins with.
#[derive(Clone, Debug)]
enum Input {
    /// A record of the source. Columns that it leaves out count as not read: their properties are left alone.
    Record { id: String, columns: Vec<(String, sync_types::Value)> },
    /// Values that HubSpot shows.
    HubSpot(Vec<(String, sync_types::Value)>),
}

/// Why a file of cases cannot be used: every problem of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFileError {
    /// One line each, with the case that it is about.
    pub problems: Vec<String>,
}

impl fmt::Display for CaseFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for CaseFileError {}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The case's name.
    pub name: String,
    /// Its link.
    pub link: String,
    /// Where it differs from what is expected; empty where it is as expected.
    pub differences: Vec<Difference>,
    /// Whether the case says nothing of what it expects; [`CaseFile::bless`] fills it in.
    pub unblessed: bool,
}

impl CaseOutcome {
    /// Whether the case is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty() && !self.unblessed
    }

    /// The outcome for a machine.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let differences = self.differences.iter().map(|difference| {
            json!({ "what": difference.what, "expected": difference.expected, "found": difference.found })
        });
        json!({
            "name": self.name,
            "link": self.link,
            "passed": self.passed(),
            "unblessed": self.unblessed,
            "differences": differences.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for CaseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.passed() { "✓" } else { "✗" };
        write!(f, "{sign} {} ({})", self.name, self.link)?;
        if self.unblessed {
            write!(
                f,
                "\n    expects nothing yet; `mapping test --bless` writes down what the mapping makes of it"
            )?;
        }
        for difference in &self.differences {
            write!(f, "\n    {}", difference.what)?;
            for (sign, side) in [("-", &difference.expected), ("+", &difference.found)] {
                if let Some(text) = side {
                    write!(f, "\n      {sign} {text}")?;
                }
            }
        }
        Ok(())
    }
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about: a property, an association, a refusal.
    pub what: String,
    /// What the file says; `None`: it says nothing of it.
    pub expected: Option<String>,
    /// What the mapping makes; `None`: nothing.
    pub found: Option<String>,
}

#[cfg(test)]
mod tests;
