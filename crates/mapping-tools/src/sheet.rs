//! The consultant's field-mapping sheet, as CSV or XLSX, becomes a first mapping.
//!
//! Its columns are recognised by many names, rows are understood as far as they can be, and every row that could not
//! be is listed with its cell. The result passes the checker, as that of [`crate::suggest`] does.

mod columns;
mod phrases;
mod row;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::fmt;

use serde_json::{Value as Json, json};
use sync_types::Schema;

#[cfg(feature = "xlsx")]
pub use xlsx::of_xlsx;

use columns::Columns;
use row::Reader;

use crate::draft::{Draft, known_schemas};
use crate::grid::{self, Grid};

/// What the file opens with.
const OPENING: &str = "From the field-mapping sheet. What the sheet leaves open or what could not be understood \
    stands in the `note` of its field, and so in the mapping book.";

/// One sheet of rows, as they stand in the file.
#[derive(Clone, Debug)]
pub struct Sheet {
    name: String,
    rows: Vec<(usize, Vec<String>)>,
}

impl Sheet {
    /// The sheet of a CSV file; its delimiter is found.
    ///
    /// # Errors
    /// It is not CSV.
    pub fn of_csv(name: &str, text: &str) -> Result<Sheet, String> {
        Ok(Sheet { name: name.to_owned(), rows: grid::csv_rows(text)? })
    }
}

/// What to import, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The engagement's name.
    pub name: &'a str,
    /// The sheets.
    pub sheets: &'a [Sheet],
    /// The portal's object types, where it was asked.
    pub hubspot: Option<&'a [Schema]>,
    /// Region of telephone numbers without a country code.
    pub region: Option<&'a str>,
    /// Zone of times without one.
    pub zone: Option<&'a str>,
}

/// An imported mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The mapping file.
    pub text: String,
    /// Fields that stand in it.
    pub fields: usize,
    /// Everything that could not be understood, in the order of the sheets.
    pub cells: Vec<CellProblem>,
    /// What a person has to decide, one sentence each.
    pub questions: Vec<String>,
}

/// A cell, or a whole row or sheet, that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellProblem {
    /// The sheet's name.
    pub sheet: String,
    /// The cell as spreadsheets name it, such as `C7`; a row's number where the row as a whole is meant.
    pub cell: String,
    /// What stands there.
    pub text: String,
    /// Why it was not understood, and what became of it.
    pub why: String,
}

impl fmt::Display for CellProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sheet, self.cell)?;
        if !self.text.is_empty() {
            write!(f, " `{}`", self.text)?;
        }
        write!(f, ": {}", self.why)
    }
}

impl Imported {
    /// The import for a machine.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let cells = self.cells.iter().map(
            |cell| json!({ "sheet": cell.sheet, "cell": cell.cell, "text": cell.text, "why": cell.why }),
        );
        json!({
            "mapping": self.text,
            "fields": self.fields,
            "cells": cells.collect::<Vec<_>>(),
            "questions": self.questions,
        })
    }
}

/// Imports field-mapping sheets.
///
/// # Errors
/// No sheet has the columns of a field mapping, or what they give is refused by the checker as a whole.
pub fn import(request: Request<'_>) -> Result<Imported, String> {
    let hubspot = known_schemas(request.hubspot);
    let mut reader = Reader::new(&hubspot);
    let mut headers = Vec::new();
    for sheet in request.sheets {
        let found = Grid::of_rows(sheet.rows.clone())
            .and_then(|grid| Columns::find(&grid).map(|columns| (grid, columns)));
        match found {
            Ok((grid, columns)) => reader.read(&sheet.name, &grid, &columns),
            Err(why) => headers.push(CellProblem {
                sheet: sheet.name.clone(),
                cell: "as a whole".to_owned(),
                text: String::new(),
                why,
            }),
        }
    }
    if reader.links.is_empty() {
        let told: Vec<String> = headers.iter().chain(&reader.cells).map(ToString::to_string).collect();
        return Err(format!("no sheet holds a field mapping:\n{}", told.join("\n")));
    }
    let Reader { links, mut cells, .. } = reader.finish();
    cells.extend(headers);
    let mut draft = Draft {
        name: request.name,
        opening: OPENING,
        delimiter: None,
        region: request.region,
        zone: request.zone,
        links,
    };
    let text = draft.settle(&hubspot)?;
    let mut questions = Vec::new();
    for link in &draft.links {
        questions.extend(link.questions.iter().map(|question| format!("{}: {question}", link.name)));
        let asked = link.fields.iter().filter_map(|field| Some((field, field.question()?)));
        questions.extend(asked.map(|(field, question)| format!("{} {}: {question}", link.name, field.to)));
    }
    let fields = draft.links.iter().map(|link| link.live().count()).sum();
    Ok(Imported { text, fields, cells, questions })
}

/// A cell's name as spreadsheets have it: column 0 of row 7 is `A7`.
fn cell_name(column: usize, row: usize) -> String {
    let mut name = String::new();
    let mut left = column + 1;
    while left > 0 {
        let digit = u8::try_from((left - 1) % 26).unwrap_or(0);
        name.insert(0, char::from(b'A' + digit));
        left = (left - 1) / 26;
    }
    format!("{name}{row}")
}

#[cfg(test)]
mod tests;
