//! The CSV folder as a [`Source`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use sync_types::{
    Abilities, BadRecord, Collection, ExternalId, Page, PageToken, Property, PropertyKind, ReadCost,
    ReadRequest, Record, ScanPromise, Schema, Shape, Source, SourceError, SourceErrorKind, Value,
};

use super::config::CsvConfig;
use super::error;
use super::scan::{Bad, Found, Scan};

/// A folder of CSV files; each `*.csv` file with a header row is a collection, named as the file without `.csv`.
///
/// Every value is text; an empty field is [`Value::Null`]. Rows that share a key are not told apart, because that
/// would need memory for every key of the file: each row is a record of its own, so keys must be unique. Reading
/// by id scans the file up to the last id that is found: its cost is that of the rows passed.
#[derive(Debug)]
pub struct CsvFolder {
    config: CsvConfig,
    delimiter: u8,
    /// Scans that stopped at a page's end, by collection: the next page goes on without opening the file anew.
    open: Mutex<HashMap<Collection, Open>>,
}

/// An open file with what its header says.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    /// The file's name in messages about rows.
    name: String,
    stamp: Stamp,
    shape: Arc<Shape>,
    key: usize,
    scan: Scan<File>,
}

/// Tells one state of a file from the next: length and time of the last change in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    changed_ns: u128,
}

impl CsvFolder {
    /// Looks at the settings; files are opened when they are read.
    ///
    /// # Errors
    /// [`SourceErrorKind::Structure`] for a delimiter or row length that cannot work, and for a folder that does
    /// not exist.
    pub fn open(config: CsvConfig) -> Result<CsvFolder, SourceError> {
        let delimiter = u8::try_from(config.delimiter).ok().filter(|byte| {
            byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') && !byte.is_ascii_alphanumeric()
        });
        let Some(delimiter) = delimiter else {
            return Err(error::structure(
                &config.folder,
                "the delimiter must be one ASCII character that is no letter, digit, quote or line end",
                "set `delimiter`, such as \",\", \";\" or a tab",
            ));
        };
        if config.row_bytes_max < 256 {
            return Err(error::structure(
                &config.folder,
                "`row_bytes_max` is below 256 bytes, less than a header needs",
                "raise it, or leave it out for 1 MiB",
            ));
        }
        match fs::metadata(&config.folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                return Err(error::structure(
                    &config.folder,
                    "this is no folder",
                    "name the folder that holds the files",
                ));
            }
            Err(cause) => return Err(error::unreadable(&config.folder, cause)),
        }
        Ok(CsvFolder { config, delimiter, open: Mutex::new(HashMap::new()) })
    }

    fn path_of(&self, collection: &str) -> Result<PathBuf, SourceError> {
        let named = self.config.collections.get(collection).and_then(|config| config.file.clone());
        let file = named.unwrap_or_else(|| format!("{collection}.csv"));
        // A collection's name comes from a mapping file and must not lead out of the folder.
        let plain = Path::new(&file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !plain || collection.is_empty() {
            return Err(SourceError::new(
                SourceErrorKind::NoSuchCollection,
                format!(
                    "`{collection}` is no file inside {}; name a file of the folder",
                    self.config.folder.display()
                ),
            ));
        }
        Ok(self.config.folder.join(file))
    }

    fn open_collection(&self, collection: &str) -> Result<Open, SourceError> {
        let path = self.path_of(collection)?;
        let file = File::open(&path).map_err(|cause| error::unreadable(&path, cause))?;
        let metadata = file.metadata().map_err(|cause| error::unreadable(&path, cause))?;
        let stamp = Stamp::of(&metadata);
        let mut scan = Scan::new(file, self.delimiter, self.config.row_bytes_max);
        let (shape, key) = self.read_header(collection, &path, &mut scan)?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Open { path, name, stamp, shape, key, scan })
    }

    fn read_header(
        &self,
        collection: &str,
        path: &Path,
        scan: &mut Scan<File>,
    ) -> Result<(Arc<Shape>, usize), SourceError> {
        let failed = |cause| error::unreadable(path, cause);
        for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
            if scan.skip_mark(&mark).map_err(failed)? {
                return Err(error::structure(path, "the file is in UTF-16", "save it as UTF-8"));
            }
        }
        scan.skip_mark(b"\xef\xbb\xbf").map_err(failed)?;
        match scan.next().map_err(failed)? {
            Found::Row { .. } => {}
            Found::End => {
                return Err(error::structure(path, "the file is empty", "its first row names the columns"));
            }
            Found::Bad { line, why } => {
                let reason = format!("the header in line {line} cannot be read: {}", reason_of(why));
                return Err(error::structure(path, &reason, "its first row names the columns"));
            }
        }
        let mut names: Vec<String> = Vec::with_capacity(scan.fields.len());
        for field in scan.fields.iter(scan.row()) {
            let Some(name) = self.config.encoding.decode(field) else {
                let reason = "the header has bytes that are no text in the configured encoding";
                return Err(error::structure(path, reason, "set `encoding`, such as \"windows-1252\""));
            };
            let name = name.trim().to_owned();
            if !name.is_empty() && names.contains(&name) {
                let reason = format!("two columns have the name `{name}`");
                return Err(error::structure(path, &reason, "rename one of them"));
            }
            names.push(name);
        }
        let wanted = self.config.key_of(collection);
        let Some(key) = names.iter().position(|name| name == wanted) else {
            let reason = format!("there is no key column `{wanted}` among `{}`", names.join("`, `"));
            let remedy = format!("set `key` for the collection `{collection}`, or check the delimiter");
            return Err(error::structure(path, &reason, &remedy));
        };
        Ok((Shape::new(names), key))
    }

    /// The scan that a token goes on with: the open one where it stands there, else the file opened anew.
    fn resume(&self, request: &ReadRequest) -> Result<Open, SourceError> {
        let collection = request.collection.as_str();
        let Some(token) = &request.after else { return self.open_collection(collection) };
        let path = self.path_of(collection)?;
        let Some((offset, line, stamp)) = parse_token(&token.0) else { return Err(error::stale(&path)) };
        let metadata = fs::metadata(&path).map_err(|cause| error::unreadable(&path, cause))?;
        if Stamp::of(&metadata) != stamp {
            return Err(error::stale(&path));
        }
        let kept = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.collection);
        if let Some(open) = kept.filter(|open| open.stamp == stamp && open.scan.place() == (offset, line)) {
            return Ok(open);
        }
        let mut open = self.open_collection(collection)?;
        if open.stamp != stamp {
            return Err(error::stale(&path));
        }
        open.scan.seek(offset, line).map_err(|cause| error::unreadable(&path, cause))?;
        Ok(open)
    }
}

impl Open {
    /// The next record; `None` at the end of the file.
    fn next(&mut self, config: &CsvConfig) -> Result<Option<Result<Record, BadRecord>>, SourceError> {
        let found = self.scan.next().map_err(|cause| error::unreadable(&self.path, cause))?;
        Ok(match found {
            Found::End => None,
            Found::Row { line } => Some(self.record(config, line)),
            Found::Bad { line, why: why @ Bad::Quote } => {
                let remedy = "put quotes around the whole field and double the quotes inside it";
                Some(Err(self.bad("bad-quote", None, line, reason_of(why).to_owned(), remedy)))
            }
            Found::Bad { line, why: why @ Bad::TooLong } => {
                let remedy = "look for a quote that is never closed, or raise `row_bytes_max`";
                Some(Err(self.bad("row-too-long", None, line, reason_of(why).to_owned(), remedy)))
            }
        })
    }

    fn record(&self, config: &CsvConfig, line: u64) -> Result<Record, BadRecord> {
        let row = self.scan.row();
        let fields = &self.scan.fields;
        let columns = self.shape.names().len();
        let key = fields.get(self.key, row).and_then(|field| config.encoding.decode(field));
        let id = key.filter(|key| !key.is_empty()).map(|key| ExternalId::new(&*key));
        if fields.len() != columns {
            let reason = format!("the row has {} fields, the header {columns}", fields.len());
            let remedy = "look for a delimiter inside a field without quotes, or for a missing field";
            // With another number of fields it is not certain which one is the key.
            return Err(self.bad("wrong-field-count", None, line, reason, remedy));
        }
        let mut values = Vec::with_capacity(columns);
        for (place, field) in fields.iter(row).enumerate() {
            let Some(text) = config.encoding.decode(field) else {
                let name = self.shape.names().get(place).map_or("", |name| &**name);
                let reason =
                    format!("the field `{name}` has bytes that are no text in the configured encoding");
                let remedy = "save the file as UTF-8, or set `encoding`, such as \"windows-1252\"";
                return Err(self.bad("bad-encoding", id, line, reason, remedy));
            };
            values.push(Value::text(text));
        }
        match id {
            Some(id) => Ok(Record::new(id, self.shape.clone(), values)),
            None => {
                let name = self.shape.names().get(self.key).map_or("", |name| &**name);
                let reason = format!("the key column `{name}` is empty");
                Err(self.bad("missing-key", None, line, reason, "give every row a key of its own"))
            }
        }
    }

    fn bad(
        &self,
        code: &'static str,
        id: Option<ExternalId>,
        line: u64,
        reason: String,
        remedy: &str,
    ) -> BadRecord {
        BadRecord { code, id, place: format!("{} line {line}", self.name), reason, remedy: remedy.to_owned() }
    }

    fn token(&self) -> PageToken {
        let (offset, line) = self.scan.place();
        PageToken(format!("{offset}:{line}:{}:{}", self.stamp.bytes, self.stamp.changed_ns))
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Stamp {
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Stamp { bytes: metadata.len(), changed_ns: changed.map_or(0, |age| age.as_nanos()) }
    }
}

fn parse_token(token: &str) -> Option<(u64, u64, Stamp)> {
    let mut parts = token.split(':');
    let offset = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let stamp = Stamp { bytes: parts.next()?.parse().ok()?, changed_ns: parts.next()?.parse().ok()? };
    parts.next().is_none().then_some((offset, line, stamp))
}

fn reason_of(why: Bad) -> &'static str {
    match why {
        Bad::Quote => "a quote stands inside a field without quotes, or is never closed",
        Bad::TooLong => "the row is longer than `row_bytes_max`",
    }
}

#[async_trait]
impl Source for CsvFolder {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        let folder = &self.config.folder;
        let failed = |cause| error::unreadable(folder, cause);
        let mut names: Vec<String> = self.config.collections.keys().cloned().collect();
        let taken: Vec<&str> =
            self.config.collections.values().filter_map(|config| config.file.as_deref()).collect();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let Some(file) = file.to_str() else { continue };
            if let Some(name) = file.strip_suffix(".csv")
                && !taken.contains(&file)
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names
            .into_iter()
            .map(|name| {
                let open = self.open_collection(&name)?;
                let properties = open
                    .shape
                    .names()
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| !column.is_empty())
                    .map(|(place, column)| {
                        let mut property = Property::new(&**column, PropertyKind::Text);
                        property.required = place == open.key;
                        property.unique = place == open.key;
                        property
                    })
                    .collect();
                Ok(Schema { name, properties })
            })
            .collect()
    }

    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        let mut open = self.resume(request)?;
        let mut records = Vec::with_capacity(request.max.clamp(1, 10_000));
        while records.len() < request.max.max(1) {
            match open.next(&self.config)? {
                Some(record) => records.push(record),
                None => return Ok(Page { records, next: None }),
            }
        }
        let next = Some(open.token());
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(request.collection.clone(), open);
        Ok(Page { records, next })
    }

    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let mut places: HashMap<&ExternalId, Vec<usize>> = HashMap::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate() {
            places.entry(id).or_default().push(place);
        }
        let mut found = vec![None; ids.len()];
        let mut open = self.open_collection(collection.as_str())?;
        while !places.is_empty() {
            let Some(record) = open.next(&self.config)? else { break };
            let Ok(record) = record else { continue };
            for place in places.remove(record.id()).unwrap_or_default() {
                if let Some(slot) = found.get_mut(place) {
                    *slot = Some(record.clone());
                }
            }
        }
        Ok(found)
    }

    fn abilities(&self, _collection: &Collection) -> Abilities {
        Abilities { scan: ScanPromise::Whole, read: ReadCost::Scan, changes: None }
    }
}
