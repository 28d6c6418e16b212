//! What has changed since: by the rows' transactions, by a column with the time, or by an outbox.
//!
//! Each way has to answer the same question: a row may become visible long after it was written, because its
//! transaction was still open. A cursor must not have passed it by then.
//!
//! - *Rows and outbox* ask PostgreSQL for its horizon (`pg_snapshot_xmin`): every transaction below it has ended, and
//!   what it wrote can be seen. The cursor never goes beyond a horizon that was taken before the rows were read. Rows
//!   of transactions above it that can be seen already are told early, and told again.
//! - *Modified* knows times only, so it looks again at an overlap that is longer than any transaction.

use std::fmt::Write as _;

use sync_types::{ChangeCursor, ChangesPage, ChangesRequest, SourceChange, SourceError, SourceErrorKind};

use super::catalog::{place_of, text};
use super::config::Changes;
use super::error;
use super::outbox::CHANGES;
use super::reader::{Key, Postgres, is_bad_value};
use super::rows::{Columns, quoted};

/// Changes of open transactions that are told early in one page.
const EARLY_MAX: usize = 10_000;

/// Changes of one page at most.
const PAGE_MAX: usize = 10_000;

impl Postgres {
    pub(super) async fn changes_page(&self, request: &ChangesRequest) -> Result<ChangesPage, SourceError> {
        let collection = request.collection.as_str();
        let Some(said) = self.config.collections.get(collection).and_then(|said| said.changes.clone()) else {
            let message = format!("{collection} does not tell of changes; set `changes` for it, or scan it");
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        };
        let columns = self.columns(collection).await?;
        let max = request.max.clamp(1, PAGE_MAX);
        let cursor = request.after.as_ref().map(|cursor| cursor.0.as_str());
        let asked = Asked { source: self, collection, columns: &columns, max };
        match said {
            Changes::Rows => asked.by_rows(cursor).await,
            Changes::Modified { column, overlap_s } => asked.by_time(cursor, &column, overlap_s).await,
            Changes::Outbox { keep_days } => asked.by_outbox(cursor, keep_days).await,
        }
    }
}

struct Asked<'a> {
    source: &'a Postgres,
    collection: &'a str,
    columns: &'a Columns,
    max: usize,
}

/// A place in a window of changes: where the window begins, where the next one will, and the last that was told.
struct Window<'c> {
    from: &'c str,
    next: &'c str,
    after: Option<(&'c str, &'c str)>,
}

impl<'c> Window<'c> {
    /// `KIND|from`, or `KIND|from|next|time|key` in the midst of a window. The key may hold anything.
    fn parse(kind: &str, cursor: &'c str) -> Option<Window<'c>> {
        let mut parts = cursor.strip_prefix(kind)?.strip_prefix('|')?.splitn(4, '|');
        let from = parts.next().filter(|from| !from.is_empty())?;
        let Some(next) = parts.next() else { return Some(Window { from, next: "", after: None }) };
        Some(Window { from, next, after: Some((parts.next()?, parts.next()?)) })
    }
}

impl Asked<'_> {
    fn stale(&self) -> SourceError {
        error::stale(&self.columns.place)
    }

    /// Asks, with every parameter as text. What cannot be cast came from a cursor that is none of ours.
    async fn ask(&self, sql: &str, parameters: &[&str]) -> Result<Vec<tokio_postgres::Row>, SourceError> {
        let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
            parameters.iter().map(|text| text as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
        match self.source.reading.query(sql, &parameters).await {
            Ok(rows) => Ok(rows),
            Err(cause) if is_bad_value(&cause) => Err(self.stale()),
            Err(cause) => Err(self.source.refused(self.collection, self.columns, cause)),
        }
    }

    async fn ask_one(&self, sql: &str) -> Result<Vec<String>, SourceError> {
        let rows = self.ask(sql, &[]).await?;
        let texts =
            |row: &tokio_postgres::Row| (0..row.len()).map(|place| text(row, place).to_owned()).collect();
        Ok(rows.first().map(texts).unwrap_or_default())
    }

    /// The transaction below which all have ended, and the server's time in seconds.
    async fn horizon(&self) -> Result<(u64, i64), SourceError> {
        let sql =
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, extract(epoch FROM now())::bigint::text";
        let told = self.ask_one(sql).await?;
        let number = |place: usize| told.get(place).and_then(|text| text.parse::<u64>().ok());
        let (Some(horizon), Some(time)) = (number(0), number(1)) else { return Err(self.stale()) };
        Ok((horizon, i64::try_from(time).unwrap_or(i64::MAX)))
    }

    /// The rows of a window, in pages by key.
    async fn by_rows(&self, cursor: Option<&str>) -> Result<ChangesPage, SourceError> {
        let at = |from: &str| ChangeCursor(format!("rows|{from}"));
        let Some(cursor) = cursor else {
            return Ok(nothing(at(&self.horizon().await?.0.to_string())));
        };
        let window = Window::parse("rows", cursor).ok_or_else(|| self.stale())?;
        let begun;
        let next = if window.after.is_some() {
            window.next
        } else {
            // Taken before the rows are read: what is not visible to that read is not below it.
            begun = self.horizon().await?.0.to_string();
            &begun
        };
        let key = Key::of(self.columns);
        // A row keeps the lower 32 bits of its transaction's number. The latest number with these bits that there has
        // been is no less than the true one, so that at worst a row is told in vain.
        let written = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint
            - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - t.xmin::text::bigint) & 4294967295)";
        let mut sql = format!(
            "SELECT {}::text, ({})::text FROM {} WHERE {written} >= $1::text::bigint",
            quoted(self.columns.key_name()),
            self.columns.live,
            self.columns.relation
        );
        let mut parameters = vec![window.from];
        if let Some((_, after)) = window.after {
            let _ = write!(sql, " AND {} > {}", key.sorted, key.parameter(2));
            parameters.push(after);
        }
        let _ = write!(sql, " ORDER BY {} LIMIT {}", key.sorted, self.max);
        let rows = self.ask(&sql, &parameters).await?;
        let changes: Vec<SourceChange> = rows
            .iter()
            .map(|row| SourceChange { id: text(row, 0).into(), deleted: text(row, 1) == "false" })
            .collect();
        let page = match changes.last() {
            Some(last) if rows.len() >= self.max => {
                let cursor = ChangeCursor(format!("rows|{}|{next}||{}", window.from, last.id));
                ChangesPage { changes, cursor, caught_up: false }
            }
            _ => ChangesPage { changes, cursor: at(next), caught_up: true },
        };
        Ok(page)
    }

    /// The rows of a window and its overlap, in pages by time and key.
    async fn by_time(
        &self,
        cursor: Option<&str>,
        column: &str,
        overlap_s: u64,
    ) -> Result<ChangesPage, SourceError> {
        let Some(column) = self.columns.column(column) else {
            let remedy = "set `modified` to the column with the time of change";
            return Err(error::structure(
                &self.columns.place,
                &format!("there is no column `{column}`"),
                remedy,
            ));
        };
        let clock = "SELECT clock_timestamp()::text";
        let at = |from: &str| ChangeCursor(format!("time|{from}"));
        let now = || async { Ok(self.ask_one(clock).await?.into_iter().next().unwrap_or_default()) };
        let Some(cursor) = cursor else { return Ok(nothing(at(&now().await?))) };
        let window = Window::parse("time", cursor).ok_or_else(|| self.stale())?;
        let begun: String;
        let next = if window.after.is_some() {
            window.next
        } else {
            begun = now().await?;
            &begun
        };
        let cast = |place: usize| match column.sql_type.as_str() {
            "\"pg_catalog\".\"timestamp\"" => format!("(${place}::text::timestamptz AT TIME ZONE 'UTC')"),
            _ => format!("${place}::text::timestamptz"),
        };
        let (key, modified) = (Key::of(self.columns), format!("t.{}", quoted(&column.name)));
        let mut sql = format!(
            "SELECT {}::text, ({})::text, {modified}::text FROM {} WHERE {modified} >= {} - interval '{overlap_s} seconds'",
            quoted(self.columns.key_name()),
            self.columns.live,
            self.columns.relation,
            cast(1)
        );
        let mut parameters = vec![window.from];
        if let Some((time, after)) = window.after {
            let _ = write!(sql, " AND ({modified}, {}) > ({}, {})", key.sorted, cast(2), key.parameter(3));
            parameters.extend([time, after]);
        }
        let _ = write!(
            sql,
            " AND {} IS NOT NULL ORDER BY {modified}, {} LIMIT {}",
            key.sorted, key.sorted, self.max
        );
        let rows = self.ask(&sql, &parameters).await?;
        let changes: Vec<SourceChange> = rows
            .iter()
            .map(|row| SourceChange { id: text(row, 0).into(), deleted: text(row, 1) == "false" })
            .collect();
        Ok(match rows.last() {
            Some(last) if rows.len() >= self.max => {
                let (time, key) = (text(last, 2), text(last, 0));
                let cursor = ChangeCursor(format!("time|{}|{next}|{time}|{key}", window.from));
                ChangesPage { changes, cursor, caught_up: false }
            }
            _ => ChangesPage { changes, cursor: at(next), caught_up: true },
        })
    }

    /// The outbox, in the order of transactions: those that have ended in pages, then those that are just ending.
    async fn by_outbox(&self, cursor: Option<&str>, keep_days: u64) -> Result<ChangesPage, SourceError> {
        let (horizon, time) = self.horizon().await?;
        let at = |xid: &str, n: &str| ChangeCursor(format!("outbox|{xid}|{n}|{time}|"));
        let Some(cursor) = cursor else { return Ok(nothing(at(&horizon.to_string(), "0"))) };
        let window = Window::parse("outbox", cursor).ok_or_else(|| self.stale())?;
        let issued = window.after.and_then(|(issued, _)| issued.parse::<i64>().ok());
        let kept = i64::try_from(keep_days.saturating_mul(86_400)).unwrap_or(i64::MAX);
        if issued.is_none_or(|issued| time.saturating_sub(issued) > kept) {
            return Err(self.stale());
        }
        let said = self.source.config.collections.get(self.collection).and_then(|said| said.table.as_deref());
        let (schema, _) = place_of(&self.source.config, self.collection, said);
        let select = format!(
            "SELECT key, deleted::text, xid::text, n::text FROM {}.{CHANGES}
             WHERE collection = $1::text AND (xid, n) > ($2::text::xid8, $3::text::bigint)",
            quoted(&schema)
        );
        let horizon = horizon.to_string();
        let parameters = [self.collection, window.from, window.next, &horizon];
        let ended = format!("{select} AND xid < $4::text::xid8 ORDER BY xid, n LIMIT {}", self.max);
        let ended = self.ask(&ended, &parameters).await?;
        let mut changes = Vec::with_capacity(ended.len());
        self.note(&ended, &mut changes)?;
        if let Some(last) = ended.last().filter(|_| ended.len() >= self.max) {
            let cursor = at(text(last, 2), text(last, 3));
            return Ok(ChangesPage { changes, cursor, caught_up: false });
        }
        let ending = format!("{select} AND xid >= $4::text::xid8 ORDER BY xid, n LIMIT {EARLY_MAX}");
        self.note(&self.ask(&ending, &parameters).await?, &mut changes)?;
        // A cursor never goes back, should the horizon be that of another server after a failover.
        let is_ahead = window.from.parse::<u64>().ok() > horizon.parse::<u64>().ok();
        let cursor = if is_ahead { at(window.from, window.next) } else { at(&horizon, "0") };
        Ok(ChangesPage { changes, cursor, caught_up: true })
    }

    fn note(&self, rows: &[tokio_postgres::Row], changes: &mut Vec<SourceChange>) -> Result<(), SourceError> {
        for row in rows {
            // The table was emptied at a stroke: only a scan tells of what.
            let key = row.try_get::<_, Option<&str>>(0).ok().flatten().ok_or_else(|| self.stale())?;
            changes.push(SourceChange { id: key.into(), deleted: text(row, 1) == "true" });
        }
        Ok(())
    }
}

fn nothing(cursor: ChangeCursor) -> ChangesPage {
    ChangesPage { changes: Vec::new(), cursor, caught_up: true }
}
