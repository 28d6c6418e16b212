//! What is read of a PostgreSQL database: settings of the engagement.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

/// Settings of a PostgreSQL database. `Debug` does not show the server, whose address may hold a password.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// Where it is: `postgres://user@host:5432/database?sslmode=require`, or `host=… user=… dbname=…`. With `require`
    /// the certificate is verified; `prefer`, the default, uses TLS where the server offers it; `disable` does not.
    pub server: String,
    /// The password, where the address holds none.
    pub password: Option<SecretString>,
    /// A PEM file of further certificate authorities, beside those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The schema whose tables are collections. Default `public`.
    pub schema: String,
    /// Whether tables may be written. Default: no, and then every session is read only.
    pub write: bool,
    /// How long one statement may take, in milliseconds. Default 60,000.
    pub statement_timeout_ms: u64,
    /// How long a write waits for a row that somebody holds, in milliseconds. Default 5,000.
    pub lock_timeout_ms: u64,
    /// The collections by name. Tables of the schema that are not named here are collections as well if they have a
    /// primary key of one column.
    pub collections: BTreeMap<String, CollectionConfig>,
}

/// Settings of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionConfig {
    /// A `SELECT` statement. Default: the table with the collection's name.
    pub query: Option<String>,
    /// The table or view, where it does not have the collection's name; may name its schema: `sales.orders`. Not beside
    /// `query`.
    pub table: Option<String>,
    /// The column that identifies a row. Default: the table's primary key; a view or query has to name it.
    pub key: Option<String>,
    /// The column that marks a row as deleted: true, or not null. Such rows are not there, and a deletion marks
    /// instead of deleting.
    pub deleted: Option<String>,
    /// How the collection tells of changes. Default: it does not.
    pub changes: Option<Changes>,
}

/// How a collection tells of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// By the transaction that wrote each row, which PostgreSQL keeps with it. Exact, needs nothing in the database,
    /// and has the server look through the whole table at each question. For tables.
    Rows,
    /// By a column with the time of change. For queries and views too; wants an index. What becomes visible more than
    /// `overlap_s` seconds after its time of change is passed over: choose it longer than the longest transaction and
    /// the difference of the clocks that set the column.
    Modified {
        /// The column, a `timestamptz`, or a `timestamp` in UTC.
        column: String,
        /// Seconds that are looked at again each time.
        overlap_s: u64,
    },
    /// By the table that the triggers of [`outbox_sql`](super::outbox_sql) fill. Exact, cheap, and tells of deletions.
    Outbox {
        /// Days for which changes are kept there; an older cursor is refused.
        keep_days: u64,
    },
}

impl PostgresConfig {
    /// A database whose tables in `public` are the collections.
    #[must_use]
    pub fn new(server: impl Into<String>) -> PostgresConfig {
        PostgresConfig {
            server: server.into(),
            password: None,
            ca_file: None,
            schema: String::from("public"),
            write: false,
            statement_timeout_ms: 60_000,
            lock_timeout_ms: 5_000,
            collections: BTreeMap::new(),
        }
    }

    /// The same, allowed to write tables.
    #[must_use]
    pub fn with_writing(self) -> PostgresConfig {
        PostgresConfig { write: true, ..self }
    }

    /// The same with a query as a collection.
    #[must_use]
    pub fn with_query(
        mut self,
        collection: impl Into<String>,
        query: impl Into<String>,
        key: impl Into<String>,
    ) -> PostgresConfig {
        let entry = self.collections.entry(collection.into()).or_default();
        (entry.query, entry.key) = (Some(query.into()), Some(key.into()));
        self
    }

    /// The same with a collection that tells of changes.
    #[must_use]
    pub fn with_changes(mut self, collection: impl Into<String>, changes: Changes) -> PostgresConfig {
        self.collections.entry(collection.into()).or_default().changes = Some(changes);
        self
    }

    /// The same with a collection whose rows are marked as deleted by a column.
    #[must_use]
    pub fn with_deleted(
        mut self,
        collection: impl Into<String>,
        column: impl Into<String>,
    ) -> PostgresConfig {
        self.collections.entry(collection.into()).or_default().deleted = Some(column.into());
        self
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PostgresConfig { schema, write, collections, .. } = self;
        let shown = &mut f.debug_struct("PostgresConfig");
        shown
            .field("schema", schema)
            .field("write", write)
            .field("collections", collections)
            .finish_non_exhaustive()
    }
}
