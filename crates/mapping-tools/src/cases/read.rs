//! Reading a file of cases, and writing expectations back into it.

use sync_types::Value;
use toml_edit::{DocumentMut, Item, TableLike};

use super::{Case, CaseFile, CaseFileError, Expectation, Input};
use crate::values::from_toml;

const KEYS: [&str; 6] = ["name", "link", "id", "record", "hubspot", "expect"];

impl CaseFile {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// It is not TOML, or its cases are not made as they should be.
    pub fn read(text: &str) -> Result<CaseFile, CaseFileError> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error| CaseFileError { problems: vec![format!("not valid TOML: {error}")] })?;
        let mut problems = Vec::new();
        for (key, _) in document.iter().filter(|(key, _)| *key != "cases") {
            problems
                .push(format!("`{key}` is no part of a file of cases: every case begins with `[[cases]]`"));
        }
        let mut cases = Vec::new();
        for (place, table) in tables(document.get("cases")).enumerate() {
            let name = text_of(table, "name").unwrap_or_else(|| format!("case {}", place + 1));
            match read_case(&name, table) {
                Ok(case) => cases.push(case),
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| format!("`{name}`: {problem}")))
                }
            }
        }
        for (place, case) in cases.iter().enumerate() {
            if cases.iter().take(place).any(|earlier| earlier.name == case.name) {
                problems.push(format!("`{}`: there are two cases of this name", case.name));
            }
        }
        if problems.is_empty() { Ok(CaseFile { document, cases }) } else { Err(CaseFileError { problems }) }
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    pub(super) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.document.to_string()
    }

    /// Puts an expectation in the place of a case's own.
    pub(super) fn put(&mut self, place: usize, expect: Expectation) {
        let table: Option<&mut dyn TableLike> = match self.document.get_mut("cases") {
            Some(Item::ArrayOfTables(tables)) => {
                tables.get_mut(place).map(|table| table as &mut dyn TableLike)
            }
            Some(Item::Value(toml_edit::Value::Array(items))) => items
                .get_mut(place)
                .and_then(toml_edit::Value::as_inline_table_mut)
                .map(|table| table as &mut dyn TableLike),
            _ => None,
        };
        if let Some(table) = table {
            table.insert("expect", expect.to_item());
        }
        if let Some(case) = self.cases.get_mut(place) {
            case.expect = Some(expect);
        }
    }
}

fn tables(item: Option<&Item>) -> Box<dyn Iterator<Item = &dyn TableLike> + '_> {
    match item {
        Some(Item::ArrayOfTables(tables)) => Box::new(tables.iter().map(|table| table as &dyn TableLike)),
        Some(Item::Value(toml_edit::Value::Array(items))) => Box::new(
            items.iter().filter_map(|item| item.as_inline_table()).map(|table| table as &dyn TableLike),
        ),
        _ => Box::new(std::iter::empty()),
    }
}

fn read_case(name: &str, table: &dyn TableLike) -> Result<Case, Vec<String>> {
    let mut problems: Vec<String> = table
        .iter()
        .filter(|(key, _)| !KEYS.contains(key))
        .map(|(key, _)| format!("a case has no `{key}`; it has `{}`", KEYS.join("`, `")))
        .collect();
    let link = text_of(table, "link");
    if link.is_none() {
        problems.push("`link` is missing: the name of the link that the record goes through".to_owned());
    }
    let input = match (columns(table.get("record")), columns(table.get("hubspot"))) {
        (Some(columns), None) => {
            let id = text_of(table, "id").unwrap_or_else(|| "case".to_owned());
            Some(Input::Record { id, columns })
        }
        (None, Some(values)) => Some(Input::HubSpot(values)),
        _ => {
            problems.push(
                "give either `record`, a table of columns, or `hubspot`, a table of properties".to_owned(),
            );
            None
        }
    };
    let expect = match table.get("expect").map(Expectation::read) {
        Some(Ok(expect)) => Some(expect),
        Some(Err(found)) => {
            problems.extend(found);
            None
        }
        None => None,
    };
    match (link, input) {
        (Some(link), Some(input)) if problems.is_empty() => {
            Ok(Case { name: name.to_owned(), link, input, expect })
        }
        _ => Err(problems),
    }
}

/// A table's entries as values, in order.
pub(super) fn columns(item: Option<&Item>) -> Option<Vec<(String, Value)>> {
    let table = item?.as_table_like()?;
    let value = |item: &Item| item.clone().into_value().map_or(Value::Null, |value| from_toml(&value));
    Some(table.iter().map(|(name, item)| (name.to_owned(), value(item))).collect())
}

fn text_of(table: &dyn TableLike, key: &str) -> Option<String> {
    table.get(key).and_then(Item::as_str).map(str::to_owned)
}
