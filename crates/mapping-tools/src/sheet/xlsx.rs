//! The sheets of an Excel workbook.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::Sheet;

/// A sheet larger than this is no field mapping.
const ROWS_MAX: usize = 20_000;

/// The sheets of a workbook, in its order; numbers and dates as text.
///
/// # Errors
/// It is no XLSX file.
pub fn of_xlsx(bytes: &[u8]) -> Result<Vec<Sheet>, String> {
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| format!("not an XLSX workbook: {error}"))?;
    let mut sheets = Vec::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).map_err(|error| format!("sheet `{name}`: {error}"))?;
        let (top, left) = range.start().unwrap_or((0, 0));
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let rows = range.rows().take(ROWS_MAX).enumerate().map(|(number, cells)| {
            // The used part of a sheet may begin anywhere; cells are named as the person sees them.
            let empty = std::iter::repeat_n(String::new(), place(left).min(1_000));
            (place(top) + number + 1, empty.chain(cells.iter().map(text)).collect())
        });
        sheets.push(Sheet { rows: rows.collect(), name });
    }
    Ok(sheets)
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Bool(true) => "yes".to_owned(),
        Data::Bool(false) => "no".to_owned(),
        Data::DateTimeIso(text) | Data::DurationIso(text) | Data::String(text) => text.clone(),
        other => other.to_string(),
    }
}
