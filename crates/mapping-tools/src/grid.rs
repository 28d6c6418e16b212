//! Tables that people made: a CSV file or a sheet of a workbook, with a header that has to be found first.

use crate::names;

/// How far down a header is looked for.
const HEADER_ROWS_MAX: usize = 20;

/// Rows of text below a header. Every row knows its number in the file.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    header: Vec<String>,
    rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its number in the sheet, or its line in the file, from 1.
    pub(crate) number: usize,
    cells: Vec<String>,
}

impl Row {
    /// A cell's text; `None` beyond the row's end.
    pub(crate) fn cell(&self, place: usize) -> Option<&str> {
        self.cells.get(place).map(String::as_str)
    }

    /// How many cells say something.
    pub(crate) fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.trim().is_empty()).count()
    }
}

impl Grid {
    /// A grid whose header is its first row with more than one cell filled.
    pub(crate) fn of_csv(text: &str) -> Result<Grid, String> {
        Grid::of_rows(csv_rows(text)?)
    }

    /// A grid of rows with their numbers.
    pub(crate) fn of_rows(rows: Vec<(usize, Vec<String>)>) -> Result<Grid, String> {
        let filled =
            |(_, row): &(usize, Vec<String>)| row.iter().filter(|cell| !cell.trim().is_empty()).count();
        // A title above the table has one cell filled, and the widest row near the top is the header.
        let top = rows.iter().take(HEADER_ROWS_MAX).map(filled).max().unwrap_or(0);
        let wanted = (top / 2).max(2);
        let place = rows.iter().take(HEADER_ROWS_MAX).position(|row| filled(row) >= wanted);
        let place = place.ok_or("there is no header: a row that names at least two columns")?;
        let mut rows = rows.into_iter().skip(place);
        let header = rows.next().map(|(_, header)| header).unwrap_or_default();
        let rows = rows.map(|(number, cells)| Row { number, cells }).filter(|row| row.filled() > 0);
        Ok(Grid { header, rows: rows.collect() })
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The first column that is called one of these, the best name first.
    pub(crate) fn column(&self, titles: &[&str]) -> Option<usize> {
        let header: Vec<String> = self.header.iter().map(|title| names::words(title).concat()).collect();
        titles.iter().find_map(|title| {
            let title = names::words(title).concat();
            header.iter().position(|known| *known == title)
        })
    }
}

/// What separates the columns of a CSV text: the mark that the first line with any has most of.
pub(crate) fn delimiter(text: &str) -> char {
    let marks = [',', ';', '\t', '|'];
    let line = text.lines().take(HEADER_ROWS_MAX).find(|line| line.contains(marks)).unwrap_or_default();
    // Of equals the last one counts, so they are asked from the rarest to the most usual.
    marks.into_iter().rev().max_by_key(|mark| line.matches(*mark).count()).unwrap_or(',')
}

/// The rows of a CSV text with their lines; the delimiter is the one that the first line with any has most of.
pub(crate) fn csv_rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(delimiter(text)).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        Ok((usize::try_from(line).unwrap_or(usize::MAX), row.iter().map(str::to_owned).collect()))
    });
    rows.collect::<Result<_, csv::Error>>().map_err(|error| format!("not a CSV file: {error}"))
}

/// Whether a cell says yes.
pub(crate) fn is_yes(text: &str) -> bool {
    let said = text.trim().to_lowercase();
    [
        "yes",
        "y",
        "x",
        "1",
        "true",
        "ja",
        "j",
        "oui",
        "si",
        "required",
        "mandatory",
        "pk",
        "pri",
        "unique",
        "✓",
        "✔",
    ]
    .contains(&said.as_str())
}

/// The entries of a cell that lists several: one a line, or with `;`, `|` or `,` between them.
pub(crate) fn list(text: &str) -> Vec<String> {
    let mark = ['\n', ';', '|', ','].into_iter().find(|mark| text.contains(*mark));
    let parts: Vec<&str> = mark.map_or_else(|| vec![text], |mark| text.split(mark).collect());
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_below_titles_and_by_any_delimiter() {
        let grid =
            Grid::of_csv("\u{feff}Field mapping v3;;\n;;\nSource field;HubSpot property;Notes\na;b;c\n;;\n")
                .unwrap();
        assert_eq!(grid.column(&["nothing", "source_field"]), Some(0));
        assert_eq!(grid.rows().len(), 1);
        assert_eq!((grid.rows()[0].number, grid.rows()[0].cell(2)), (4, Some("c")));
        assert!(Grid::of_csv("just words\nno table").is_err());
    }

    #[test]
    fn cells_list_and_agree_in_several_ways() {
        assert_eq!(list("a; b ;;c"), ["a", "b", "c"]);
        assert_eq!(list("one"), ["one"]);
        assert!(is_yes(" X ") && !is_yes("no") && !is_yes(""));
    }
}
