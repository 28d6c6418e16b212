//! Lookup tables from CSV: a key's row, and one column of it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::flow::Failure;

/// Most rows and bytes of a table: it is held in memory.
pub(crate) const ROWS_MAX: usize = 1_000_000;
/// Longest file, in bytes.
pub(crate) const BYTES_MAX: usize = 64 << 20;

/// A compiled lookup table: keys and values.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) name: String,
    pub(crate) ignore_case: bool,
    /// By key, in lower case where case is ignored.
    map: HashMap<Box<str>, Box<str>>,
    /// From values to keys as written, where no value stands twice.
    back: Option<HashMap<Box<str>, Box<str>>>,
    /// For a key that the table does not have.
    pub(crate) default: Option<Box<str>>,
}

/// What is wrong with a table's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookupProblem {
    /// From 1; the head is line 1.
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// Which part of a file makes a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    /// The column of the keys.
    pub(crate) key: &'a str,
    /// The column of the values.
    pub(crate) value: &'a str,
    pub(crate) delimiter: u8,
}

impl Lookup {
    /// Reads a table from a CSV file with a head. Rows with an empty key are left out.
    ///
    /// # Errors
    /// A file that is too large, is no CSV, lacks a column, or has a key twice with different values.
    pub(crate) fn parse(
        name: &str,
        text: &str,
        columns: Columns<'_>,
        ignore_case: bool,
        default: Option<&str>,
    ) -> Result<Lookup, LookupProblem> {
        let problem = |line: u64, reason: String| LookupProblem { line, reason };
        if text.len() > BYTES_MAX {
            return Err(problem(1, String::from("the file is larger than 64 MiB")));
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(columns.delimiter)
            .trim(csv::Trim::All)
            .from_reader(text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes());
        let head = reader.headers().map_err(|error| broken(&error))?.clone();
        let place = |column: &str| {
            head.iter().position(|name| name == column).ok_or_else(|| {
                let there = head.iter().take(12).collect::<Vec<_>>().join("`, `");
                problem(1, format!("the file has no column `{column}`; there is `{there}`"))
            })
        };
        let (key_place, value_place) = (place(columns.key)?, place(columns.value)?);
        let mut map: HashMap<Box<str>, Box<str>> = HashMap::new();
        let mut back = Some(HashMap::new());
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|error| broken(&error))? {
            let line = row.position().map_or(0, csv::Position::line);
            let (key, value) =
                (row.get(key_place).unwrap_or_default(), row.get(value_place).unwrap_or_default());
            if key.is_empty() {
                continue;
            }
            let folded: Box<str> = if ignore_case { key.to_lowercase().into() } else { key.into() };
            match map.insert(folded, value.into()) {
                Some(before) if *before != *value => {
                    return Err(problem(
                        line,
                        String::from("the key of this line stands in the file before, with another value"),
                    ));
                }
                Some(_) => continue,
                None => {}
            }
            if map.len() > ROWS_MAX {
                return Err(problem(line, String::from("the file has more than 1,000,000 rows")));
            }
            if back.as_mut().is_some_and(|back| back.insert(value.into(), key.into()).is_some()) {
                back = None;
            }
        }
        Ok(Lookup { name: name.to_owned(), ignore_case, map, back, default: default.map(Into::into) })
    }

    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        let found = if self.ignore_case { self.map.get(&*key.to_lowercase()) } else { self.map.get(key) };
        found.or(self.default.as_ref()).map(|value| &**value)
    }

    pub(crate) fn translate<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Failure> {
        match self.find(&text) {
            Some(value) if *value == *text => Ok(text),
            Some(value) => Ok(Cow::Owned(value.to_owned())),
            None => Err(Failure::new(
                "not-in-lookup",
                format!("the lookup table `{}` has no row for the value", self.name),
                "add the row to the table's file, or give the table a `default`",
            )),
        }
    }

    /// The table from values to keys, or why there is none.
    pub(crate) fn inverse(&self) -> Result<Lookup, String> {
        if self.default.is_some() {
            return Err(format!(
                "the lookup table `{}` has a default, and what it stood for is lost",
                self.name
            ));
        }
        match &self.back {
            Some(back) => Ok(Lookup {
                name: self.name.clone(),
                ignore_case: false,
                map: back.clone(),
                back: None,
                default: None,
            }),
            None => Err(format!(
                "the lookup table `{}` has one value for several keys, and which it was is lost",
                self.name
            )),
        }
    }

    /// Every key and value as written, in no order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.map.iter().map(|(key, value)| (&**key, &**value))
    }
}

fn broken(error: &csv::Error) -> LookupProblem {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => {
            "the line has more or fewer values than the head has columns"
        }
        _ => "the file cannot be read as CSV",
    };
    LookupProblem { line, reason: reason.to_owned() }
}
