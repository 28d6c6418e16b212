//! A sheet of an Excel workbook, cell after cell. Only the workbook's words are held in memory, within a bound.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use zip::ZipArchive;

use super::{BadRow, Cell, FileFault, Row, Rows, named};
use crate::files::config::{FileCollection, Limits};

/// Parts of a workbook; thousands of pictures are possible.
const PARTS_MAX: usize = 20_000;

/// Rows that are read ahead.
const AHEAD: usize = 256;

type Read = Result<Result<Row, BadRow>, FileFault>;

/// A sheet's rows, from the thread that reads it: its reader borrows from the workbook and cannot be kept beside it.
pub(super) struct Sheet {
    columns: Vec<Arc<str>>,
    rows: Receiver<Read>,
}

impl Sheet {
    pub(super) fn open(file: File, collection: &FileCollection, limits: &Limits) -> Result<Sheet, FileFault> {
        let file = bounded(file, limits)?;
        let (heads, head) = sync_channel(1);
        let (sender, rows) = sync_channel(AHEAD);
        let (collection, limits) = (collection.clone(), *limits);
        let walk = move || {
            let told = Walk::new(&collection, &limits).through(file, |step| match step {
                Step::Columns(columns) => heads.send(Ok(columns)).is_ok(),
                // Nobody waits any more: the file was given up.
                Step::Row(row) => sender.send(Ok(row)).is_ok(),
            });
            if let Err(fault) = told {
                // The one that is listened to: the header's, until there is one.
                let _ = heads.send(Err(FileFault::refused("it has no header row", "set `skip`")));
                let _ = sender.send(Err(fault));
            }
        };
        thread::Builder::new().name("workbook".to_owned()).spawn(walk).map_err(FileFault::Io)?;
        match head.recv() {
            Ok(Ok(columns)) => Ok(Sheet { columns, rows }),
            // Whatever went wrong is told behind it.
            _ => Err(match rows.recv() {
                Ok(Err(fault)) => fault,
                _ => FileFault::refused("it has no header row", "look whether its export went through"),
            }),
        }
    }
}

impl Rows for Sheet {
    fn columns(&self) -> Option<Vec<Arc<str>>> {
        Some(self.columns.iter().filter(|name| !name.is_empty()).cloned().collect())
    }

    fn next(&mut self) -> Result<Option<Result<Row, BadRow>>, FileFault> {
        // Its end closes the channel.
        self.rows.recv().ok().transpose()
    }
}

/// Unpacks every part to nowhere and counts: what a workbook says of its own sizes may be a lie.
fn bounded(mut file: File, limits: &Limits) -> Result<File, FileFault> {
    let broken = |_| FileFault::refused("it is no XLSX workbook", "save it as .xlsx without a password");
    let mut archive = ZipArchive::new(BufReader::new(file.try_clone()?)).map_err(broken)?;
    if archive.len() > PARTS_MAX {
        return Err(FileFault::refused("the workbook has more than 20,000 parts", "look what it is"));
    }
    let mut left = limits.workbook_bytes_max;
    for number in 0..archive.len() {
        let part = archive.by_index(number).map_err(broken)?;
        let read = io::copy(&mut part.take(left + 1), &mut io::sink())?;
        left = left.checked_sub(read).ok_or_else(|| {
            let reason = "the workbook unpacks to more than `limits.workbook_bytes_max`";
            FileFault::refused(reason, "export it as CSV, or raise the limit")
        })?;
    }
    file.rewind()?;
    Ok(file)
}

/// What a walk through a sheet comes by.
enum Step {
    Columns(Vec<Arc<str>>),
    Row(Result<Row, BadRow>),
}

/// A walk through a sheet.
struct Walk<'c> {
    collection: &'c FileCollection,
    limits: &'c Limits,
    columns: Option<Vec<Arc<str>>>,
    skip: u64,
}

/// A row under way: its cells by column.
#[derive(Default)]
struct Gathered {
    number: u32,
    cells: Vec<(usize, Result<Cell, ()>)>,
}

impl<'c> Walk<'c> {
    fn new(collection: &'c FileCollection, limits: &'c Limits) -> Walk<'c> {
        Walk { collection, limits, columns: None, skip: collection.skip }
    }

    /// Tells of every row until somebody wants no more.
    fn through(mut self, file: File, mut tell: impl FnMut(Step) -> bool) -> Result<(), FileFault> {
        let broken = || FileFault::refused("it is no XLSX workbook", "save it as .xlsx without a password");
        let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(|_| broken())?;
        let names = book.sheet_names();
        if names.len() > self.limits.sheets_max {
            let reason = format!("the workbook has {} sheets", names.len());
            return Err(FileFault::refused(reason, "raise `limits.sheets_max`"));
        }
        let wanted = self.collection.sheet.as_ref().or(names.first());
        let wanted = wanted
            .filter(|wanted| names.contains(wanted))
            .cloned()
            .ok_or_else(|| FileFault::refused("the workbook has no sheet of that name", "correct `sheet`"))?;
        if !self.collection.columns.is_empty() {
            let given = self.collection.columns.iter().map(|column| column.name.clone()).collect();
            let columns = named(given, &self.collection.key, self.limits.columns_max)?;
            tell(Step::Columns(columns.clone()));
            self.columns = Some(columns);
        }
        let mut cells = book.worksheet_cells_reader(&wanted).map_err(|_| broken())?;
        let mut gathered = Gathered::default();
        while let Some(cell) = cells.next_cell().map_err(|_| broken())? {
            let (number, column) = cell.get_position();
            if number != gathered.number && !self.end(&mut gathered, &mut tell)? {
                return Ok(());
            }
            gathered.number = number;
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column >= self.limits.columns_max {
                let reason = "a cell stands beyond `limits.columns_max`";
                return Err(FileFault::refused(reason, "remove what stands there, or raise the limit"));
            }
            if let Some(read) = cell_of(cell.get_value()) {
                gathered.cells.push((column, read));
            }
        }
        self.end(&mut gathered, &mut tell)?;
        if self.columns.is_none() {
            return Err(FileFault::refused("it has no header row", "look whether its export went through"));
        }
        Ok(())
    }

    /// A row is over. False when nobody wants more.
    fn end(
        &mut self,
        gathered: &mut Gathered,
        tell: &mut impl FnMut(Step) -> bool,
    ) -> Result<bool, FileFault> {
        let cells = std::mem::take(&mut gathered.cells);
        if cells.is_empty() || u64::from(gathered.number) < self.skip {
            return Ok(true);
        }
        let Some(columns) = &self.columns else {
            let width = cells.iter().map(|(place, _)| place + 1).max().unwrap_or(0);
            let mut names = vec![String::new(); width];
            for (place, cell) in cells {
                if let (Some(name), Ok(Cell::Text(text) | Cell::Json(text))) = (names.get_mut(place), cell) {
                    text.trim().clone_into(name);
                }
            }
            let columns = named(names, &self.collection.key, self.limits.columns_max)?;
            self.columns = Some(columns.clone());
            return Ok(tell(Step::Columns(columns)));
        };
        Ok(tell(Step::Row(self.row(columns, u64::from(gathered.number) + 1, cells))))
    }

    fn row(
        &self,
        columns: &[Arc<str>],
        line: u64,
        cells: Vec<(usize, Result<Cell, ()>)>,
    ) -> Result<Row, BadRow> {
        let mut values: Vec<Result<Cell, ()>> = vec![Ok(Cell::Text(String::new())); columns.len()];
        let mut is_wide = false;
        for (place, cell) in cells {
            match values.get_mut(place) {
                Some(value) => *value = cell,
                None => is_wide = true,
            }
        }
        let key = columns.iter().position(|name| **name == *self.collection.key);
        let key = key.and_then(|place| values.get(place)).and_then(|cell| match cell {
            Ok(Cell::Text(text) | Cell::Json(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        });
        let bad = |code, reason: String, remedy| Err(BadRow { line, code, key: key.clone(), reason, remedy });
        if is_wide {
            let reason = "a cell stands behind the last column of the header".to_owned();
            return bad("wrong-field-count", reason, "give the column a name, or remove the cell");
        }
        let mut row = Row { line, cells: Vec::with_capacity(columns.len()) };
        for (name, value) in columns.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
            match value {
                Ok(cell) => row.cells.push((Arc::clone(name), cell)),
                Err(()) => {
                    let reason = format!("the cell of `{name}` shows an error of Excel");
                    return bad("bad-cell", reason, "correct the formula in the workbook");
                }
            }
        }
        Ok(row)
    }
}

/// A cell; an error of Excel is one here too. `None`: empty.
fn cell_of(data: &DataRef<'_>) -> Option<Result<Cell, ()>> {
    Some(Ok(match data {
        DataRef::Empty => return None,
        DataRef::Error(_) => return Some(Err(())),
        DataRef::Int(number) => Cell::Json(number.to_string()),
        DataRef::Float(number) => Cell::Json(as_shown(*number)?),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(is) => Cell::Json(is.to_string()),
        DataRef::DateTime(time) => Cell::Text(day_or_time(time)),
    }))
}

/// A number with the fifteen digits that Excel keeps to.
fn as_shown(number: f64) -> Option<String> {
    let rounded: f64 = format!("{number:.14e}").parse().ok()?;
    rounded.is_finite().then(|| rounded.to_string())
}

/// A day without a time is a day.
fn day_or_time(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        // In days, as Excel counts.
        return as_shown(time.as_f64()).unwrap_or_default();
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, milli) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date}T{hour:02}:{minute:02}:{second:02}.{milli:03}"),
    }
}
