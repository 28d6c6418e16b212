//! The source in the settings, opened.

use std::sync::Arc;

use source_adapters::csv_folder::{self, CsvConfig, CsvFolder};
use source_adapters::files::{Files, FilesConfig};
use source_adapters::sqlite_file::{self, SqliteConfig, SqliteFile};
use sync_types::Source;

use super::rest;
use crate::Failure;
use crate::engagement::Engagement;
use crate::settings::{CollectionSettings, Settings, SourceKind};
use crate::wiring;

/// The source in the settings, or the engagement's own.
pub(crate) fn source(engagement: &Engagement, settings: &Settings) -> Result<Arc<dyn Source>, Failure> {
    if let Some(build) = engagement.source {
        return build(settings);
    }
    let said = &settings.source.collections;
    Ok(match &settings.source.kind {
        SourceKind::Csv { folder, delimiter, latin1 } => {
            let mut config = CsvConfig::new(folder);
            config.delimiter = char::from(*delimiter);
            if *latin1 {
                config.encoding = csv_folder::Encoding::Latin1;
            }
            config.collections =
                said.iter().map(|(name, said)| (name.clone(), csv_collection(said))).collect();
            Arc::new(CsvFolder::open(config)?)
        }
        SourceKind::Files { file } => Arc::new(Files::open(FilesConfig::from_file(file)?, wiring::clock())?),
        SourceKind::Sqlite { file } => {
            let mut config = SqliteConfig::new(file);
            config.write = settings.source.write;
            config.collections =
                said.iter().map(|(name, said)| (name.clone(), sqlite_collection(said))).collect();
            Arc::new(SqliteFile::open(config)?)
        }
        SourceKind::Postgres { .. } => postgres(settings)?,
        SourceKind::Rest(said) => Arc::new(rest::open(engagement, settings, said)?),
        SourceKind::Own(_) => {
            return Err(Failure::new("`source.kind` is own, but this program has no source of its own")
                .remedy("give it one by `Engagement::with_source`, or choose another kind"));
        }
    })
}

fn csv_collection(said: &CollectionSettings) -> csv_folder::CollectionConfig {
    let mut config = csv_folder::CollectionConfig::default();
    config.key.clone_from(&said.key);
    config.file.clone_from(&said.file);
    config
}

fn sqlite_collection(said: &CollectionSettings) -> sqlite_file::CollectionConfig {
    let mut config = sqlite_file::CollectionConfig::default();
    config.key.clone_from(&said.key);
    config.query.clone_from(&said.query);
    config.table.clone_from(&said.table);
    config
}

/// Days for which an outbox is taken to keep changes.
#[cfg(feature = "postgres")]
const OUTBOX_DAYS: u64 = 7;

/// Seconds by which what became visible late is looked for again, where only times of change are known.
#[cfg(feature = "postgres")]
const OVERLAP_S: u64 = 300;

#[cfg(feature = "postgres")]
fn postgres(settings: &Settings) -> Result<Arc<dyn Source>, Failure> {
    use secrecy::ExposeSecret as _;
    use source_adapters::postgres::{Changes, CollectionConfig, Postgres, PostgresConfig};

    let SourceKind::Postgres { server, ca_file, schema } = &settings.source.kind else {
        return Err(Failure::new("the source is not PostgreSQL"));
    };
    let mut config = PostgresConfig::new(server.expose_secret());
    config.password.clone_from(&settings.source.password);
    config.ca_file.clone_from(ca_file);
    config.schema.clone_from(schema);
    config.write = settings.source.write;
    for (name, said) in &settings.source.collections {
        let mut collection = CollectionConfig::default();
        collection.key.clone_from(&said.key);
        collection.query.clone_from(&said.query);
        collection.table.clone_from(&said.table);
        collection.deleted.clone_from(&said.deleted);
        collection.changes = said.changes.as_ref().map(|how| match how.as_str() {
            "rows" => Changes::Rows,
            "outbox" => Changes::Outbox { keep_days: OUTBOX_DAYS },
            column => Changes::Modified { column: column.to_owned(), overlap_s: OVERLAP_S },
        });
        config.collections.insert(name.clone(), collection);
    }
    Ok(Arc::new(Postgres::new(config)?))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_settings: &Settings) -> Result<Arc<dyn Source>, Failure> {
    Err(Failure::new("this program was built without PostgreSQL")
        .remedy("build it with the feature `postgres` of the crate `engagement`"))
}
