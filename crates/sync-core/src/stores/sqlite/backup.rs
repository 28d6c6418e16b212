//! Copies of a state file: taken while it is held, checked before anybody relies on them, put back as one step.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sync_types::{StoreError, StoreErrorKind};

use super::error::{classify, corrupt, show};
use super::{Binding, SqliteStore, binding_of, hold, refuse_other, refuse_strange};

impl SqliteStore {
    /// Copies the store as it is now to a file that is not there yet. The copy is checked in full, and has its name
    /// only once it is whole and on disk.
    ///
    /// # Errors
    /// [`StoreErrorKind::Io`] when the file is there already or cannot be written, [`StoreErrorKind::Full`] when there
    /// is no room for it, [`StoreErrorKind::Corrupt`] when the copy is not sound, and so the store is not either.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::new(
                StoreErrorKind::Io,
                format!("{} is there already: name another file for the backup", to.display()),
            ));
        }
        let part = beside(to, "part");
        let written = self.write_copy(&part).and_then(|()| {
            let moved =
                File::open(&part).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&part, to));
            moved.map_err(|error| unwritable(to).caused_by(error))
        });
        if written.is_err() {
            // What is left of a failed copy must not pass for one.
            let _ = fs::remove_file(&part);
        }
        written
    }

    fn write_copy(&self, part: &Path) -> Result<(), StoreError> {
        match fs::remove_file(part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(unwritable(part).caused_by(error));
            }
            _ => {}
        }
        make_private(part).map_err(|error| unwritable(part).caused_by(error))?;
        let fail = |error| classify(error, Some(part));
        let mut copy = Connection::open(part).map_err(fail)?;
        copy_all(&self.connection, &mut copy).map_err(fail)?;
        // One file that can be moved about: the copy needs no write-ahead log beside it.
        copy.execute_batch("PRAGMA journal_mode = DELETE").map_err(fail)?;
        integrity(&copy, Some(part))?;
        copy.close().map_err(|(_, error)| fail(error))
    }

    /// Checks every page, index and constraint of the store; takes longer than what opening it looks at.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] when anything is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        integrity(&self.connection, self.path.as_deref())
    }

    /// Puts a backup in the place of the store in `path`, in one step: a crash leaves the one or the other. A store that
    /// was there is first kept beside it, and one that is damaged is moved there; the answer says where.
    ///
    /// What both sides did since the backup was taken is found again by the next run, which compares everything that
    /// has moved; records made since are recognised by their sync keys.
    ///
    /// # Errors
    /// [`StoreErrorKind::Mismatch`] when the backup belongs to another engagement or portal, or was written by a newer
    /// version; [`StoreErrorKind::Corrupt`] when it is damaged; [`StoreErrorKind::Locked`] while a process holds the
    /// store. Nothing is changed then.
    pub fn restore(path: &Path, from: &Path, binding: &Binding) -> Result<Option<PathBuf>, StoreError> {
        let backup = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| unreadable(from).caused_by(error))?;
        let place = Some(from);
        let damaged = |error: StoreError| match error.kind {
            StoreErrorKind::Corrupt => StoreError::new(
                StoreErrorKind::Corrupt,
                format!("{} is no sound backup of a state file: take another one", from.display()),
            ),
            _ => error,
        };
        let version = refuse_strange(&backup, place).map_err(damaged)?;
        if version == 0 {
            return Err(damaged(corrupt(place)));
        }
        integrity(&backup, place).map_err(damaged)?;
        let found = binding_of(&backup).map_err(|error| damaged(classify(error, place)))?;
        let (found, _) = found.ok_or_else(|| damaged(corrupt(place)))?;
        refuse_other(&found, binding, place)?;

        let kept = match path.exists() {
            true => Some(keep(path)?),
            false => None,
        };
        let fail = |error| classify(error, Some(path));
        if !path.exists() {
            make_private(path).map_err(|error| unwritable(path).caused_by(error))?;
        }
        let mut store = Connection::open(path).map_err(fail)?;
        hold(&store).map_err(fail)?;
        copy_all(&backup, &mut store).map_err(fail)?;
        integrity(&store, Some(path))?;
        store.close().map_err(|(_, error)| fail(error))?;
        Ok(kept)
    }
}

/// Keeps what is there: a copy of a sound store, and a damaged one as it is, out of the way.
fn keep(path: &Path) -> Result<PathBuf, StoreError> {
    let fail = |error| classify(error, Some(path));
    let old = Connection::open(path).map_err(fail)?;
    let is_sound =
        match hold(&old).and_then(|()| old.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))) {
            Ok(verdict) => {
                let verdict: String = verdict;
                verdict == "ok"
            }
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => false,
                _ => return Err(fail(error)),
            },
        };
    let kept = free_name(path, if is_sound { "replaced" } else { "damaged" });
    if is_sound {
        make_private(&kept).map_err(|error| unwritable(&kept).caused_by(error))?;
        let to_copy = |error| classify(error, Some(&kept));
        let mut copy = Connection::open(&kept).map_err(to_copy)?;
        copy_all(&old, &mut copy).map_err(to_copy)?;
        copy.execute_batch("PRAGMA journal_mode = DELETE").map_err(to_copy)?;
        copy.close().map_err(|(_, error)| to_copy(error))?;
    } else {
        drop(old);
        fs::rename(path, &kept).map_err(|error| unwritable(&kept).caused_by(error))?;
        for log in ["-wal", "-shm"] {
            // Logs of a damaged store must not be taken for the new one's.
            let _ = fs::rename(with_end(path, log), with_end(&kept, log));
        }
    }
    Ok(kept)
}

fn copy_all(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let backup = Backup::new(from, to)?;
    // Nobody else holds either file, so a step never has to wait.
    backup.run_to_completion(1_000, Duration::ZERO, None)
}

fn integrity(connection: &Connection, place: Option<&Path>) -> Result<(), StoreError> {
    let verdict: rusqlite::Result<String> =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(_) => Err(corrupt(place)),
        Err(error) => Err(classify(error, place)),
    }
}

/// Makes a file that only its owner may read: it holds the key of the fingerprints.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn beside(path: &Path, word: &str) -> PathBuf {
    with_end(path, &format!(".{word}"))
}

fn free_name(path: &Path, word: &str) -> PathBuf {
    let names = std::iter::once(beside(path, word))
        .chain((2_u32..).map(|number| beside(path, &format!("{word}-{number}"))));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| beside(path, word))
}

fn unwritable(path: &Path) -> StoreError {
    StoreError::new(
        StoreErrorKind::Io,
        format!("{} cannot be written: check the folder, its rights and the room there", show(Some(path))),
    )
}

fn unreadable(path: &Path) -> StoreError {
    StoreError::new(
        StoreErrorKind::Io,
        format!("the backup {} cannot be read: check the path", path.display()),
    )
}
