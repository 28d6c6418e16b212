//! The bare loop: what a careful programmer would write for one file and one object type, and no more. It reads
//! the CSV into a struct, maps twenty fields by hand, compares a hash ledger, writes an intent and an outcome per
//! batch with fsync, and upserts batches of a hundred with eight in flight. No limits, no conflicts, no repair.

use std::collections::VecDeque;
use std::hash::Hasher as _;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use tokio::task::JoinSet;

const IN_FLIGHT: usize = 8;
const BATCH: usize = 100;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Key, hash and record of each row of a batch.
type Settled = Vec<(String, i64, String)>;

#[derive(Deserialize)]
struct Person<'a> {
    person_id: &'a str,
    salutation: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    phone: &'a str,
    mobile: &'a str,
    job_title: &'a str,
    department: &'a str,
    street: &'a str,
    postcode: &'a str,
    city: &'a str,
    region: &'a str,
    country: &'a str,
    language: &'a str,
    newsletter: &'a str,
    role: &'a str,
    first_order: &'a str,
    last_visit: &'a str,
    points: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct Contact {
    email: String,
    salutation: String,
    firstname: String,
    lastname: String,
    phone: String,
    mobilephone: String,
    jobtitle: String,
    department: String,
    address: String,
    zip: String,
    city: String,
    state: String,
    country: String,
    spoken_language: String,
    wants_newsletter: &'static str,
    purchase_role: String,
    first_order_on: String,
    last_visit_at: String,
    loyalty_points: String,
    internal_note: String,
}

#[derive(Serialize)]
struct Input {
    id: String,
    #[serde(rename = "idProperty")]
    id_property: &'static str,
    #[serde(rename = "objectWriteTraceId")]
    trace: String,
    properties: Contact,
}

#[derive(Serialize)]
struct Inputs<'a> {
    inputs: &'a [Input],
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(rename = "objectWriteTraceId")]
    trace: String,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Rows read.
    pub read: u64,
    /// Records written.
    pub written: u64,
    /// Requests made.
    pub calls: u64,
    /// Commits made.
    pub commits: u64,
}

/// Runs the loop once.
///
/// # Errors
/// At the first failure of any kind.
pub async fn run(csv: &Path, ledger: &Path, url: &str, token: &str) -> Result<Done, Failure> {
    // A second installation is refused, which is no fault.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut ledger = Ledger::open(ledger)?;
    // The one place outside the transport crate that builds a client: the point is to use nothing of ours.
    #[allow(clippy::disallowed_methods, reason = "the bare loop uses nothing of the kit")]
    let http = reqwest::Client::builder().pool_max_idle_per_host(IN_FLIGHT).build()?;
    let url = format!("{url}/crm/objects/2026-03/contacts/batch/upsert");
    let mut reader = csv::Reader::from_path(csv)?;
    let headers = reader.headers()?.clone();
    let mut row = csv::StringRecord::new();
    let mut done = Done::default();
    let mut batch: Vec<Input> = Vec::with_capacity(BATCH);
    let mut hashes: Vec<(String, i64)> = Vec::with_capacity(BATCH);
    let mut flying: JoinSet<Result<Settled, Failure>> = JoinSet::new();
    let mut landed: VecDeque<Settled> = VecDeque::new();
    loop {
        let more = reader.read_record(&mut row)?;
        if more {
            done.read += 1;
            let person: Person<'_> = row.deserialize(Some(&headers))?;
            let hash = hash(&row);
            if ledger.hash(person.person_id)? != Some(hash) {
                hashes.push((person.person_id.to_owned(), hash));
                batch.push(Input {
                    id: format!("bare-{}", person.person_id),
                    id_property: "wholesale_key",
                    trace: batch.len().to_string(),
                    properties: map(&person),
                });
            }
        }
        if batch.len() == BATCH || (!more && !batch.is_empty()) {
            while flying.len() >= IN_FLIGHT {
                if let Some(outcome) = flying.join_next().await {
                    landed.push_back(outcome??);
                }
            }
            let sending = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            let keys = std::mem::replace(&mut hashes, Vec::with_capacity(BATCH));
            ledger.commit(&mut landed, Some(&keys))?;
            done.calls += 1;
            done.written += sending.len() as u64;
            let request = http
                .post(&url)
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(serde_json::to_vec(&Inputs { inputs: &sending })?);
            flying.spawn(async move {
                let answer = request.send().await?.error_for_status()?.bytes().await?;
                let answer: Answer = serde_json::from_slice(&answer)?;
                if answer.results.len() != keys.len() {
                    return Err("a row is missing from the answer".into());
                }
                let mut keys: Vec<Option<(String, i64)>> = keys.into_iter().map(Some).collect();
                let mut rows = Vec::with_capacity(keys.len());
                for written in answer.results {
                    let place: usize = written.trace.parse()?;
                    let (key, hash) = keys.get_mut(place).and_then(Option::take).ok_or("unknown trace id")?;
                    rows.push((key, hash, written.id));
                }
                Ok(rows)
            });
        }
        if !more {
            break;
        }
    }
    while let Some(outcome) = flying.join_next().await {
        landed.push_back(outcome??);
    }
    ledger.commit(&mut landed, None)?;
    done.commits = ledger.commits;
    Ok(done)
}

fn hash(row: &csv::StringRecord) -> i64 {
    let mut hasher = SipHasher13::new_with_keys(1, 2);
    for field in row {
        hasher.write(field.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish().cast_signed()
}

fn map(person: &Person<'_>) -> Contact {
    let phone = |text: &str| {
        let mut digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        if let Some(rest) = digits.strip_prefix("00") {
            digits = format!("+{rest}");
        } else if let Some(rest) = digits.strip_prefix('0') {
            digits = format!("+49{rest}");
        }
        digits
    };
    let date = |text: &str| {
        for format in ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"] {
            if let Ok(date) = jiff::civil::Date::strptime(format, text) {
                return date.to_string();
            }
        }
        String::new()
    };
    let moment = |text: &str| {
        for format in ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"] {
            if let Ok(moment) = jiff::civil::DateTime::strptime(format, text)
                && let Ok(zoned) = moment.in_tz("Europe/Berlin")
            {
                return zoned.timestamp().to_string();
            }
        }
        String::new()
    };
    Contact {
        email: person.email.trim().to_lowercase(),
        salutation: person.salutation.trim().to_owned(),
        firstname: person.first_name.split_whitespace().collect::<Vec<_>>().join(" "),
        lastname: person.last_name.split_whitespace().collect::<Vec<_>>().join(" "),
        phone: phone(person.phone),
        mobilephone: phone(person.mobile),
        jobtitle: person.job_title.trim().to_owned(),
        department: person.department.trim().to_owned(),
        address: person.street.trim().to_owned(),
        zip: person.postcode.to_owned(),
        city: person.city.to_owned(),
        state: person.region.to_owned(),
        country: person.country.to_owned(),
        spoken_language: person.language.to_owned(),
        wants_newsletter: match person.newsletter {
            "yes" | "ja" | "1" => "true",
            _ => "false",
        },
        purchase_role: person.role.to_owned(),
        first_order_on: date(person.first_order),
        last_visit_at: moment(person.last_visit),
        loyalty_points: person.points.to_owned(),
        internal_note: person.note.trim().to_owned(),
    }
}

/// Key and hash of what was written, and the batches on their way.
struct Ledger {
    connection: Connection,
    commits: u64,
    next: i64,
    open: VecDeque<i64>,
}

impl Ledger {
    fn open(path: &Path) -> Result<Ledger, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
             CREATE TABLE IF NOT EXISTS ledger (key TEXT PRIMARY KEY, hash INTEGER, record TEXT) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS intent (id INTEGER PRIMARY KEY, keys TEXT);",
        )?;
        Ok(Ledger { connection, commits: 0, next: 1, open: VecDeque::new() })
    }

    fn hash(&self, key: &str) -> Result<Option<i64>, Failure> {
        let mut statement = self.connection.prepare_cached("SELECT hash FROM ledger WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// One commit for the outcomes that have landed and the intent that goes out.
    fn commit(
        &mut self,
        landed: &mut VecDeque<Settled>,
        sending: Option<&[(String, i64)]>,
    ) -> Result<(), Failure> {
        if landed.is_empty() && sending.is_none() {
            return Ok(());
        }
        let tx = self.connection.transaction()?;
        {
            let mut put = tx.prepare_cached("INSERT OR REPLACE INTO ledger VALUES (?1, ?2, ?3)")?;
            let mut close = tx.prepare_cached("DELETE FROM intent WHERE id = ?1")?;
            for rows in landed.drain(..) {
                for (key, hash, record) in rows {
                    put.execute(params![key, hash, record])?;
                }
                if let Some(id) = self.open.pop_front() {
                    close.execute([id])?;
                }
            }
            if let Some(keys) = sending {
                let keys: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
                tx.prepare_cached("INSERT INTO intent VALUES (?1, ?2)")?
                    .execute(params![self.next, serde_json::to_string(&keys)?])?;
                self.open.push_back(self.next);
                self.next += 1;
            }
        }
        tx.commit()?;
        self.commits += 1;
        Ok(())
    }
}
