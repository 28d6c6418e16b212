//! What the database says of its tables, and collections made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sync_types::{Property, Shape, SourceError};
use tokio_postgres::Row;

use super::config::{CollectionConfig, PostgresConfig};
use super::error;
use super::outbox::CHANGES;
use super::rows::{Column, Columns, Form, quoted};
use super::session::Sessions;

/// A text of a row; nothing where there is none.
pub(super) fn text(row: &Row, place: usize) -> &str {
    row.try_get::<_, Option<&str>>(place).ok().flatten().unwrap_or_default()
}

/// Every collection: those of the settings, and the schema's tables with a primary key of one column.
pub(super) async fn collections(
    config: &PostgresConfig,
    sessions: &Sessions,
) -> Result<Vec<String>, SourceError> {
    let sql = "SELECT c.relname::text FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
        WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND has_table_privilege(c.oid, 'SELECT')
        ORDER BY 1";
    let refused = |cause| error::refused(&format!("the schema `{}`", config.schema), cause);
    let tables = sessions.query(sql, &[&config.schema]).await.map_err(refused)?;
    let mut names: Vec<String> = config.collections.keys().cloned().collect();
    for row in &tables {
        let table = text(row, 0);
        let is_named = config.collections.values().any(|said| said.table.as_deref() == Some(table));
        if !is_named && table != CHANGES && !names.iter().any(|name| name == table) {
            names.push(table.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Looks at a collection.
pub(super) async fn find(
    config: &PostgresConfig,
    sessions: &Sessions,
    collection: &str,
) -> Result<Columns, SourceError> {
    let place = format!("collection `{collection}`");
    let said = config.collections.get(collection).cloned().unwrap_or_default();
    let CollectionConfig { query, table, key, deleted, .. } = said;
    let mut facts = BTreeMap::new();
    let relation = match &query {
        Some(query) => format!("({})", query.trim().trim_end_matches(';')),
        None => {
            let (schema, table) = place_of(config, collection, table.as_deref());
            facts = facts_of(sessions, &place, &schema, &table).await?;
            if facts.is_empty() {
                return Err(error::no_such_collection(collection, &collections(config, sessions).await?));
            }
            format!("{}.{}", quoted(&schema), quoted(&table))
        }
    };
    let statement = sessions.prepare(&place, &format!("SELECT * FROM {relation} AS t LIMIT 0")).await?;
    let mut columns = Vec::new();
    for column in statement.columns() {
        let Some(mut column) = Column::new(column.name(), column.type_()) else { continue };
        if let Some(fact) = facts.get(&column.name) {
            fact.tell(&mut column);
        }
        columns.push(column);
    }
    let names = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join("`, `");
    let remedy = "set `key` to the column that identifies a row";
    let primary = facts.iter().find(|(_, fact)| fact.is_primary).map(|(name, _)| name.clone());
    let Some(wanted) = key.or(primary) else {
        return Err(error::structure(&place, "there is no primary key of one column", remedy));
    };
    let Some(key) = columns.iter().position(|column| column.name == wanted) else {
        let reason = format!("there is no key column `{wanted}` among `{}`", names());
        return Err(error::structure(&place, &reason, remedy));
    };
    let live = match &deleted {
        None => String::from("true"),
        Some(name) => match columns.iter().find(|column| column.name == *name) {
            Some(column) if column.form == Form::Bool => format!("{} IS NOT TRUE", quoted(name)),
            Some(_) => format!("{} IS NULL", quoted(name)),
            None => {
                let reason = format!("there is no column `{name}` among `{}`", names());
                return Err(error::structure(
                    &place,
                    &reason,
                    "set `deleted` to the column that marks deleted rows",
                ));
            }
        },
    };
    let is_keyed = columns.get(key).is_some_and(|column| column.unique && column.not_null);
    let shape = Shape::new(columns.iter().map(|column| column.name.as_str()));
    Ok(Columns { place, shape, columns, key, relation: format!("{relation} AS t"), live, is_keyed })
}

/// The schema and name of a collection's table.
pub(super) fn place_of(config: &PostgresConfig, collection: &str, table: Option<&str>) -> (String, String) {
    match table.and_then(|table| table.split_once('.')) {
        Some((schema, table)) => (schema.to_owned(), table.to_owned()),
        None => (config.schema.clone(), table.unwrap_or(collection).to_owned()),
    }
}

/// What the catalogue says of a column.
struct Fact {
    not_null: bool,
    read_only: bool,
    has_default: bool,
    unique: bool,
    is_primary: bool,
    length_max: Option<usize>,
}

impl Fact {
    fn tell(&self, column: &mut Column) {
        column.not_null = self.not_null;
        column.read_only = self.read_only;
        column.has_default = self.has_default;
        column.unique = self.unique;
        column.length_max = self.length_max;
    }
}

async fn facts_of(
    sessions: &Sessions,
    place: &str,
    schema: &str,
    table: &str,
) -> Result<BTreeMap<String, Fact>, SourceError> {
    // PostgreSQL docs, pg_attribute: a varchar's or char's length is its type modifier less 4.
    let sql = "SELECT a.attname::text, a.attnotnull::text, (a.attgenerated <> '' OR a.attidentity = 'a')::text,
            (a.atthasdef OR a.attidentity <> '')::text, coalesce(bool_or(i.indisunique), false)::text,
            coalesce(bool_or(i.indisprimary), false)::text,
            CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN (a.atttypmod - 4)::text END
        FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
                AND i.indisvalid AND i.indpred IS NULL
        WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        GROUP BY a.attnum, a.attname, a.attnotnull, a.attgenerated, a.attidentity, a.atthasdef, t.typname, a.atttypmod";
    let rows = sessions.query(sql, &[&schema, &table]).await.map_err(|cause| error::refused(place, cause))?;
    let is = |row: &Row, place| text(row, place) == "true";
    let fact = |row: &Row| Fact {
        not_null: is(row, 1),
        read_only: is(row, 2),
        has_default: is(row, 3),
        unique: is(row, 4),
        is_primary: is(row, 5),
        length_max: text(row, 6).parse().ok(),
    };
    Ok(rows.iter().map(|row| (text(row, 0).to_owned(), fact(row))).collect())
}

/// The properties of a collection.
pub(super) fn properties(columns: &Arc<Columns>) -> Vec<Property> {
    let property = |(place, column): (usize, &Column)| {
        let mut property = Property::new(column.name.as_str(), column.kind);
        let is_key = place == columns.key;
        property.required = (column.not_null || is_key) && !column.has_default && !column.read_only;
        property.unique = column.unique || is_key;
        property.read_only = column.read_only;
        property.options.clone_from(&column.options);
        property.length_max = column.length_max;
        property
    };
    columns.columns.iter().enumerate().map(property).collect()
}
