//! What a table says of its columns, and a collection's properties made of it.

use rusqlite::Connection;
use sync_types::{Property, PropertyKind};

use super::rows::Columns;

/// One column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// It holds something in every row.
    pub(super) not_null: bool,
    /// The file calculates it.
    pub(super) is_generated: bool,
    /// A new row gets a value for it if nobody brings one.
    has_default: bool,
}

/// The columns of a table; none for a query.
pub(super) fn columns_of(connection: &Connection, columns: &Columns) -> rusqlite::Result<Vec<Column>> {
    // SQLite docs: a single primary-key column declared INTEGER is the row's number and given by the file, unless the
    // table is WITHOUT ROWID. Hidden columns 2 and 3 are generated ones, 1 is one of a virtual table.
    let sql = "SELECT name, \"notnull\", hidden > 0, dflt_value IS NOT NULL
            OR (pk = 1 AND upper(type) = 'INTEGER' AND (SELECT max(pk) FROM pragma_table_info(?1)) = 1
                AND NOT (SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'))
        FROM pragma_table_xinfo(?1)";
    let mut statement = connection.prepare_cached(sql)?;
    let column = |row: &rusqlite::Row<'_>| {
        Ok(Column {
            name: row.get(0)?,
            not_null: row.get(1)?,
            is_generated: row.get(2)?,
            has_default: row.get(3)?,
        })
    };
    statement.query_map([&columns.table], column)?.collect()
}

/// Columns that are unique by themselves.
fn unique_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT min(info.name) FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS info
        WHERE list.\"unique\" AND NOT list.partial GROUP BY list.name HAVING count(*) = 1 AND count(info.name) = 1";
    connection.prepare_cached(sql)?.query_map([table], |row| row.get(0))?.collect()
}

/// The properties of a collection.
pub(super) fn properties(connection: &Connection, columns: &Columns) -> rusqlite::Result<Vec<Property>> {
    let (known, unique) = (columns_of(connection, columns)?, unique_of(connection, &columns.table)?);
    let names = columns.shape.names().iter().zip(&columns.kinds).enumerate();
    let property = |place: usize, name: &str, kind: PropertyKind| {
        let mut property = Property::new(name, kind);
        let is_key = place == columns.key;
        let column = known.iter().find(|column| column.name == name);
        let is_given = column.is_some_and(|column| column.has_default || column.is_generated);
        property.required = (is_key || column.is_some_and(|column| column.not_null)) && !is_given;
        property.unique = is_key || unique.iter().any(|column| column == name);
        property.read_only = column.is_some_and(|column| column.is_generated);
        property
    };
    Ok(names.map(|(place, (name, kind))| property(place, name, *kind)).collect())
}
