//! Takes in what lies there: looks, decides, reads each file as a whole or not at all, archives.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sync_types::SourceError;

use super::config::{FileCollection, FilesConfig, Holds, Limits, Ready};
use super::error;
use super::format::{self, BadRow, Cell, FileFault, Row};
use super::pickup::{Due, Listed, due, is_ready, matches};
use super::place::Place;
use super::staging::Staging;

/// How long a row of changes that cannot be used is told of. Who corrects it sends it again, under its key.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Takes in the files of one collection.
pub(super) struct Intake<'i> {
    pub(super) config: &'i FilesConfig,
    pub(super) place: &'i dyn Place,
    pub(super) staging: &'i Arc<Mutex<Staging>>,
    pub(super) now: Timestamp,
}

impl Intake<'_> {
    /// Everything of this collection that is ready. What was taken in before an error stays so.
    pub(super) async fn take_in(&self, name: &str, collection: &FileCollection) -> Result<(), SourceError> {
        let all = self.place.list().await?;
        let names: BTreeSet<&str> = all.iter().map(|file| file.name.as_str()).collect();
        let all_of_us: Vec<Listed> = all.iter().filter(|file| self.is_ours(&file.name)).cloned().collect();
        let seen = lock(self.staging).look(&all_of_us, self.now)?;
        let mut fresh = Vec::new();
        for file in all_of_us.iter().filter(|file| matches(&collection.files, &file.name)) {
            self.must_be_of_one(file)?;
            match seen.get(&file.name) {
                // It was taken in, and the program ended before it was put away.
                Some((_, true)) => self.put_away(&file.name).await?,
                _ => fresh.push(file.clone()),
            }
        }
        let ready = |file: &Listed| {
            let looked = seen.get(&file.name).map(|(looked, _)| looked);
            is_ready(file, &self.config.ready, |name| names.contains(name), looked, self.now)
        };
        let newest_only = collection.holds == Holds::Everything;
        let last = lock(self.staging).known(name)?.map(|known| known.last);
        for step in due(&fresh, ready, collection.order, newest_only, last.as_ref()) {
            match step {
                Due::Take(file) => {
                    if !self.take(name, collection, &file).await? {
                        // It is being written anew. What comes behind it waits, and so do we.
                        break;
                    }
                    self.put_away(&file.name).await?;
                }
                Due::PassOver(file) => self.put_away(&file.name).await?,
                Due::TooLate(file) => {
                    let last = last.as_ref().map_or("", |(name, _)| name.as_str());
                    let reason = format!("it comes before {last}, which was taken in already");
                    let remedy = "put it away if it is superseded, or give it a name that comes behind";
                    return Err(error::refused(&file.name, &reason, remedy));
                }
            }
        }
        Ok(())
    }

    fn is_ours(&self, name: &str) -> bool {
        let is_marker =
            matches!(&self.config.ready, Ready::Marker { suffix } if name.ends_with(suffix.as_str()));
        // One with a line end in it would write lines of its own into logs.
        let is_plain = !name.chars().any(char::is_control);
        !is_marker
            && is_plain
            && self.config.collections.values().any(|collection| matches(&collection.files, name))
    }

    fn must_be_of_one(&self, file: &Listed) -> Result<(), SourceError> {
        let all = self.config.collections.iter();
        let owners: Vec<&str> =
            all.filter(|(_, one)| matches(&one.files, &file.name)).map(|(name, _)| name.as_str()).collect();
        if owners.len() < 2 {
            return Ok(());
        }
        let reason = format!("it is of the collections {}", owners.join(" and "));
        Err(error::refused(&file.name, &reason, "give each collection a pattern of its own in `files`"))
    }

    /// Reads a file. False: it changed meanwhile, and nothing of it was taken in.
    async fn take(
        &self,
        name: &str,
        collection: &FileCollection,
        file: &Listed,
    ) -> Result<bool, SourceError> {
        let limits = self.config.limits;
        if file.bytes > limits.file_bytes_max {
            let reason = format!("it has {} bytes", file.bytes);
            return Err(error::refused(
                &file.name,
                &reason,
                "look what it is, or raise `limits.file_bytes_max`",
            ));
        }
        let Some(opened) = self.place.open(file, limits.file_bytes_max).await? else { return Ok(false) };
        let taking = Taking {
            name: name.to_owned(),
            collection: collection.clone(),
            file: file.clone(),
            limits,
            now: self.now,
        };
        let staging = Arc::clone(self.staging);
        // A large file takes its time, and nobody else should have to wait for it.
        let work = tokio::task::spawn_blocking(move || taking.read(opened, &mut lock(&staging)));
        let taken =
            work.await.map_err(|cause| error::unavailable("a file was not read to its end", cause))??;
        tracing::info!(file = %file.name, collection = name, rows = taken.rows, bad = taken.bad, "taken in");
        Ok(true)
    }

    async fn put_away(&self, name: &str) -> Result<(), SourceError> {
        if !self.place.archives() {
            return Ok(());
        }
        self.place.archive(name).await?;
        if let Ready::Marker { suffix } = &self.config.ready {
            self.place.archive(&format!("{name}{suffix}")).await?;
        }
        Ok(())
    }
}

/// One file to be read.
struct Taking {
    name: String,
    collection: FileCollection,
    file: Listed,
    limits: Limits,
    now: Timestamp,
}

/// What came of a file.
struct Taken {
    rows: u64,
    bad: usize,
}

impl Taking {
    /// Reads the file into the staging file, all of it or nothing.
    fn read(&self, opened: File, staging: &mut Staging) -> Result<Taken, SourceError> {
        let fault = |fault| self.refused(fault);
        let mut rows =
            format::open(&self.file.name, opened, &self.collection, &self.limits).map_err(fault)?;
        let mut load = staging.load(&self.name)?;
        let everything = self.collection.holds == Holds::Everything;
        if let Some(columns) = rows.columns().filter(|_| everything) {
            let gone = load.columns.iter().find(|known| !columns.iter().any(|name| **name == ***known));
            if let Some(gone) = gone {
                let reason =
                    format!("the column `{gone}` of earlier files is gone, which would empty it everywhere");
                let remedy =
                    "have it exported again; if it is meant, delete the staging file and it is filled anew";
                return Err(error::refused(&self.file.name, &reason, remedy));
            }
            load.columns.extend(
                columns
                    .iter()
                    .filter(|name| !load.columns.iter().any(|known| *known == ***name))
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            );
        }
        load.forget_bad((!everything).then(|| self.now - TOLD_FOR))?;
        let mut bad = 0;
        while let Some(row) = rows.next().map_err(fault)? {
            let problem = match row {
                Ok(row) => match self.key_of(&row) {
                    Some(key) if load.row(&key, &row, !everything)? => continue,
                    Some(key) => repeated(row.line, key),
                    None => self.without_key(row.line),
                },
                Err(bad) => bad,
            };
            bad += 1;
            if bad > self.limits.bad_rows_max {
                let reason = format!("more than {} of its rows cannot be used: {}", bad - 1, problem.reason);
                let remedy = "look whether `format`, `delimiter`, `encoding` and `key` are right";
                return Err(error::refused(&self.file.name, &reason, remedy));
            }
            load.bad(&self.file.name, &problem, self.now)?;
        }
        if everything {
            if load.rows == 0 && !self.collection.may_be_empty && load.count()? > 0 {
                let reason = "it holds nothing, so that everything would be gone";
                let remedy = "look whether its export went through; if it is meant, set `may_be_empty`";
                return Err(error::refused(&self.file.name, reason, remedy));
            }
            load.remove_untold()?;
        }
        let taken = Taken { rows: load.rows, bad };
        load.commit(&self.file)?;
        Ok(taken)
    }

    fn key_of(&self, row: &Row) -> Option<String> {
        let (_, cell) = row.cells.iter().find(|(name, _)| **name == *self.collection.key)?;
        let text = match cell {
            Cell::Text(text) => text,
            // Numbers and truth values; neither nothing nor a list.
            Cell::Json(json)
                if json.bytes().next().is_some_and(|byte| !matches!(byte, b'n' | b'[' | b'{')) =>
            {
                json
            }
            Cell::Json(_) => return None,
        };
        (!text.is_empty()).then(|| text.clone())
    }

    fn without_key(&self, line: u64) -> BadRow {
        let reason = format!("the row has nothing in its key `{}`", self.collection.key);
        let remedy = "give every row a key of its own";
        BadRow { line, code: "missing-key", key: None, reason, remedy }
    }

    fn refused(&self, fault: FileFault) -> SourceError {
        match fault {
            FileFault::Io(cause) => error::io(&format!("{} cannot be read", self.file.name), cause),
            FileFault::Refused { reason, remedy } => error::refused(&self.file.name, &reason, &remedy),
        }
    }
}

fn repeated(line: u64, key: String) -> BadRow {
    BadRow {
        line,
        code: "repeated-key",
        key: Some(key),
        reason: "another row of the file has the same key, and nobody knows which one is meant".to_owned(),
        remedy: "make the key unique in the export, or choose another `key`",
    }
}

/// A poisoned lock is harmless: what was not committed was rolled back.
pub(super) fn lock(staging: &Mutex<Staging>) -> std::sync::MutexGuard<'_, Staging> {
    staging.lock().unwrap_or_else(PoisonError::into_inner)
}
