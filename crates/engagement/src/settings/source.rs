//! What is read: the kind of the source, where it is, and what is said of its collections.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::layers::Layers;
use super::oauth::maybe_secret;
use super::rest::{self, RestSettings};
use super::service::seconds;
use super::{choice, missing, refuse, text};
use crate::Failure;

/// What is read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The kind and its place.
    pub kind: SourceKind,
    /// Whether it may be written, for links that flow to it.
    pub write: bool,
    /// For how long only what changed is read, where the source can tell; then all is read once.
    pub rescan: Duration,
    /// The secret that it asks for, if one is set.
    pub password: Option<SecretString>,
    /// What is said of single collections, by name.
    pub collections: BTreeMap<String, CollectionSettings>,
}

/// The kind of a source and where it is.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A folder of CSV files.
    Csv {
        /// The folder.
        folder: PathBuf,
        /// What separates columns.
        delimiter: u8,
        /// Whether the files are in Latin-1 rather than UTF-8.
        latin1: bool,
    },
    /// Files that another system drops.
    Files {
        /// The file that describes them.
        file: PathBuf,
    },
    /// A SQLite file.
    Sqlite {
        /// The file.
        file: PathBuf,
    },
    /// A PostgreSQL database.
    Postgres {
        /// Its address, which may hold a password.
        server: SecretString,
        /// Further certificate authorities.
        ca_file: Option<PathBuf>,
        /// The schema whose tables are collections.
        schema: String,
    },
    /// A JSON API by its description.
    Rest(RestSettings),
    /// One that the engagement builds itself, by what is said to it.
    Own(BTreeMap<String, String>),
}

/// What is said of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionSettings {
    /// The column that identifies a record.
    pub key: Option<String>,
    /// The CSV file.
    pub file: Option<String>,
    /// The SQL query.
    pub query: Option<String>,
    /// The table, where it does not have the collection's name.
    pub table: Option<String>,
    /// The column that marks a row as deleted.
    pub deleted: Option<String>,
    /// How it tells of changes: `rows`, `outbox`, or a column with the time of change.
    pub changes: Option<String>,
}

impl Source {
    /// What `source.own` says under a name, for a source of the engagement's own.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<&str> {
        match &self.kind {
            SourceKind::Own(said) => said.get(name).map(String::as_str),
            _ => None,
        }
    }
}

/// Where it is, for a person; no secret.
impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceKind::Csv { folder, .. } => write!(f, "{}", folder.display()),
            SourceKind::Sqlite { file } | SourceKind::Files { file } => write!(f, "{}", file.display()),
            SourceKind::Postgres { schema, .. } => write!(f, "the schema `{schema}` of PostgreSQL"),
            SourceKind::Rest(RestSettings { file: Some(file), .. }) => write!(f, "{}", file.display()),
            SourceKind::Rest(_) => f.write_str("the API (built in)"),
            SourceKind::Own(_) => f.write_str("the engagement's own source"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Files,
    Sqlite,
    Postgres,
    Rest,
    Own,
}

const KINDS: &[(&str, Kind)] = &[
    ("csv", Kind::Csv),
    ("files", Kind::Files),
    ("sqlite", Kind::Sqlite),
    ("postgres", Kind::Postgres),
    ("rest", Kind::Rest),
    ("own", Kind::Own),
];

pub(super) fn read(layers: &Layers) -> Result<Source, Failure> {
    let is = choice(layers, "source.kind", KINDS)?.ok_or_else(|| {
        Failure::new("`source.kind` is not set: it is not known what to read").remedy(
            "set it to csv, files, sqlite, postgres, rest or own, in the settings file under [source]",
        )
    })?;
    let kind = match is {
        Kind::Csv => csv(layers)?,
        Kind::Files => {
            let what = "the file that describes the dropped files";
            let file = text(layers, "source.file").ok_or_else(|| missing("source.file", what))?;
            SourceKind::Files { file: file.into() }
        }
        Kind::Sqlite => {
            let file =
                text(layers, "source.file").ok_or_else(|| missing("source.file", "the SQLite file"))?;
            SourceKind::Sqlite { file: file.into() }
        }
        Kind::Postgres => {
            let server = text(layers, "source.server")
                .ok_or_else(|| missing("source.server", "postgres://user@host:5432/database"))?;
            SourceKind::Postgres {
                server: server.into(),
                ca_file: text(layers, "source.ca_file").map(PathBuf::from),
                schema: text(layers, "source.schema").unwrap_or("public").to_owned(),
            }
        }
        Kind::Rest => SourceKind::Rest(rest::read(layers)?),
        Kind::Own => {
            let said =
                |name: String| Some((name.clone(), text(layers, &format!("source.own.{name}"))?.to_owned()));
            SourceKind::Own(layers.names_below("source.own").into_iter().filter_map(said).collect())
        }
    };
    let write = choice(layers, "source.write", &[("true", true), ("false", false)])?.unwrap_or(false);
    if write && matches!(is, Kind::Csv | Kind::Files) {
        return Err(refuse(layers, "source.write", "must be false: such files are only read"));
    }
    Ok(Source {
        kind,
        write,
        rescan: seconds(layers, "source.rescan", 86_400)?,
        password: maybe_secret(layers, "source.password")?,
        collections: collections(layers, is)?,
    })
}

fn csv(layers: &Layers) -> Result<SourceKind, Failure> {
    let folder = text(layers, "source.folder")
        .ok_or_else(|| missing("source.folder", "the folder of the CSV files"))?;
    let delimiter = match text(layers, "source.delimiter").unwrap_or(",").as_bytes() {
        b"\\t" => b'\t',
        [one] if one.is_ascii() => *one,
        _ => return Err(refuse(layers, "source.delimiter", "must be one ASCII character, or \\t")),
    };
    let latin1 = choice(layers, "source.encoding", &[("utf-8", false), ("latin-1", true)])?;
    Ok(SourceKind::Csv { folder: folder.into(), delimiter, latin1: latin1.unwrap_or(false) })
}

fn collections(layers: &Layers, kind: Kind) -> Result<BTreeMap<String, CollectionSettings>, Failure> {
    let mut collections = BTreeMap::new();
    for name in layers.names_below("source.collections") {
        let of = |part: &str| text(layers, &format!("source.collections.{name}.{part}")).map(str::to_owned);
        let said = CollectionSettings {
            key: of("key"),
            file: of("file"),
            query: of("query"),
            table: of("table"),
            deleted: of("deleted"),
            changes: of("changes"),
        };
        let is_sql = matches!(kind, Kind::Sqlite | Kind::Postgres);
        let misplaced = [
            ("file", said.file.is_some() && kind != Kind::Csv),
            ("query", said.query.is_some() && !is_sql),
            ("table", said.table.is_some() && !is_sql),
            ("deleted", said.deleted.is_some() && kind != Kind::Postgres),
            ("changes", said.changes.is_some() && kind != Kind::Postgres),
        ];
        if let Some((part, _)) = misplaced.iter().find(|(_, is_so)| *is_so && kind != Kind::Own) {
            let place = format!("source.collections.{name}.{part}");
            return Err(refuse(layers, &place, "does not go with this `source.kind`"));
        }
        if kind == Kind::Files {
            let place = format!("source.collections.{name}.key");
            return Err(refuse(
                layers,
                &place,
                "does not go with this `source.kind`: the description says it",
            ));
        }
        collections.insert(name, said);
    }
    Ok(collections)
}
