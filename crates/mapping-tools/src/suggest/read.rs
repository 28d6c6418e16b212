//! Tables from what a customer sends first: a CSV file, a JSON sample, a data dictionary.

use serde_json::Value as Json;
use sync_types::Value;

use super::table::{Column, SAMPLES_MAX, Table};
use crate::grid::{self, Grid};
use crate::kinds;
use crate::values::from_json;

impl Table {
    /// A table of a CSV file with a header; rows below it are samples. The delimiter is the one that the header has
    /// most of: comma, semicolon, tab or `|`.
    ///
    /// # Errors
    /// There is no header.
    pub fn of_csv(name: &str, text: &str) -> Result<Table, String> {
        let mut rows = grid::csv_rows(text)?.into_iter();
        let (_, header) = rows.next().ok_or("the file has no header")?;
        if header.iter().all(|name| name.trim().is_empty()) {
            return Err("the first line names no column".to_owned());
        }
        let mut table = Table {
            name: name.to_owned(),
            key: None,
            is_keyed: false,
            delimiter: Some(grid::delimiter(text)).filter(|mark| *mark != ','),
            columns: header.iter().map(|name| Column::named(name.as_str())).collect(),
        };
        for (_, row) in rows.take(SAMPLES_MAX) {
            for (column, text) in table.columns.iter_mut().zip(row) {
                column.samples.push(Value::text(text));
            }
        }
        // A column without a name cannot be mapped.
        table.columns.retain(|column| !column.path.trim().is_empty());
        Ok(table)
    }

    /// The tables of a JSON sample: a list of objects is one table, an object whose entries are lists of objects has
    /// one for each, and any other object is a table of one row.
    ///
    /// # Errors
    /// There is no object in it.
    pub fn of_json(name: &str, json: &Json) -> Result<Vec<Table>, String> {
        let rows = |name: &str, items: &[Json]| {
            let mut table = Table { name: name.to_owned(), ..Table::default() };
            for item in items.iter().take(SAMPLES_MAX) {
                for (column, value) in item.as_object().into_iter().flatten() {
                    table.add(column, from_json(value));
                }
            }
            table
        };
        let tables = match json {
            Json::Array(items) => vec![rows(name, items)],
            Json::Object(entries) => {
                let lists = entries.iter().filter_map(|(key, value)| {
                    let items =
                        value.as_array().filter(|items| items.first().is_some_and(Json::is_object))?;
                    Some(rows(key, items))
                });
                let lists: Vec<Table> = lists.collect();
                // An order with its lines is one record; a dump of nothing but lists is several tables.
                if !lists.is_empty() && lists.len() == entries.len() {
                    lists
                } else {
                    vec![rows(name, std::slice::from_ref(json))]
                }
            }
            _ => Vec::new(),
        };
        if tables.iter().all(|table| table.columns.is_empty()) {
            return Err("the sample holds no object with values".to_owned());
        }
        Ok(tables)
    }

    /// The tables of a data dictionary: a CSV file with a row for each column of the source. Its own columns are
    /// recognised by their names: table, column, type, label, description, options, required, unique, key.
    ///
    /// # Errors
    /// No column of it says what the source's columns are called.
    pub fn of_dictionary(name: &str, text: &str) -> Result<Vec<Table>, String> {
        let grid = Grid::of_csv(text)?;
        let place = |titles: &[&str]| grid.column(titles);
        let column =
            place(&["column", "column name", "field", "field name", "attribute", "name", "feld", "spalte"])
                .ok_or("no column of the dictionary is called `column` or `field`")?;
        let of_table = place(&["table", "table name", "collection", "entity", "object", "file", "tabelle"]);
        let kind = place(&["type", "data type", "datatype", "datentyp", "format"]);
        let label = place(&["label", "caption", "display name"]);
        let description = place(&["description", "meaning", "comment", "definition"]);
        let options = place(&["options", "values", "allowed values", "picklist", "enum"]);
        let required = place(&["required", "mandatory", "not null", "pflicht"]);
        let unique = place(&["unique", "eindeutig"]);
        let key = place(&["key", "primary key", "pk"]);
        let mut tables: Vec<Table> = Vec::new();
        for row in grid.rows() {
            let of = |place: Option<usize>| {
                place.and_then(|place| row.cell(place)).map(str::trim).filter(|text| !text.is_empty())
            };
            let Some(path) = of(Some(column)) else { continue };
            let table_name = of(of_table).unwrap_or(name);
            let place = match tables.iter().position(|table| table.name == table_name) {
                Some(place) => place,
                None => {
                    tables.push(Table { name: table_name.to_owned(), ..Table::default() });
                    tables.len() - 1
                }
            };
            let Some(table) = tables.get_mut(place) else { continue };
            let is_key = of(key).is_some_and(grid::is_yes);
            if is_key && table.key.is_none() {
                table.key = Some(path.to_owned());
            }
            table.columns.push(Column {
                path: path.to_owned(),
                label: of(label).map(str::to_owned),
                description: of(description).map(str::to_owned),
                kind: of(kind).and_then(kinds::of),
                required: of(required).is_some_and(grid::is_yes),
                unique: is_key || of(unique).is_some_and(grid::is_yes),
                options: of(options).map(grid::list).unwrap_or_default(),
                samples: Vec::new(),
            });
        }
        if tables.is_empty() { Err("the dictionary has no rows".to_owned()) } else { Ok(tables) }
    }
}
