//! The club as people find it: two programs and two files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use http_transport::{ReqwestTransport, Transport as _};
use rusqlite::Connection;
use serde_json::Value;

use super::Plan;
use crate::connected::Failure;

const TOKEN: &str = "kill-token";
const STATE: &str = "club-state.db";

/// A process that ends with the value.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Ends it as `kill -9` does. True: it had come to its end by itself.
    pub(super) fn end(&mut self) -> Result<bool, Failure> {
        if let Some(status) = self.child.try_wait()? {
            if !matches!(status.code(), Some(0 | 2)) {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("the program ended with {status}: {log}").into());
            }
            return Ok(true);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(false)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended, which is as good; waiting frees its entry in the process table.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the state file says of the newest run.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) run: u64,
    pub(super) has_ended: bool,
    /// Intents without an outcome.
    pub(super) open: u64,
}

/// A contact in the portal.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) properties: BTreeMap<String, String>,
}

/// The programs and the files.
pub(super) struct Club {
    folder: tempfile::TempDir,
    program: PathBuf,
    url: String,
    http: ReqwestTransport,
    _portal: Process,
    /// Open for as long as the portal may write to it.
    _output: BufReader<ChildStdout>,
}

impl Club {
    pub(super) async fn open(plan: &Plan) -> Result<Club, Failure> {
        fs::create_dir_all(&plan.folder)?;
        let folder = tempfile::tempdir_in(&plan.folder)?;
        let mut command = Command::new(&plan.portal);
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-limits", "--token", TOKEN]);
        // Search shows at once what was written: nobody waits for an index.
        command.args(["--search-lag", "0s", "--seed", &plan.seed.to_string()]);
        let log = folder.path().join("portal.log");
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log)?).spawn()?;
        let output = child.stdout.take();
        let portal = Process { child, log };
        let mut output = BufReader::new(output.ok_or("the portal's output is not piped")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let url =
            line.trim().strip_prefix("listening on ").ok_or("the portal does not say where it listens")?;
        let club = Club {
            program: plan.program.clone(),
            url: url.to_owned(),
            http: ReqwestTransport::builder().build()?,
            _portal: portal,
            _output: output,
            folder,
        };
        club.members()?.execute_batch(MEMBERS)?;
        Ok(club)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the program with these arguments.
    pub(super) fn start(&self, arguments: &[&str]) -> Result<Process, Failure> {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        let log = self.path("club.log");
        command.current_dir(self.folder.path()).args(arguments).arg("--json");
        command.env("KIT_HUBSPOT_URL", &self.url).env("KIT_HUBSPOT_TOKEN", TOKEN);
        // A portal on this machine hears nothing late of a process that is gone.
        command.env("KIT_HUBSPOT_LIMITS", "off").env("KIT_HUBSPOT_SETTLE_MS", "20");
        let said = File::create(&log)?;
        let child = command.stdout(said.try_clone()?).stderr(said).spawn()?;
        Ok(Process { child, log })
    }

    /// Has the program come to its end, with one of these exit codes.
    pub(super) fn complete(&self, arguments: &[&str], codes: &[i32]) -> Result<i32, Failure> {
        let mut process = self.start(arguments)?;
        let status = process.child.wait()?;
        match status.code().filter(|code| codes.contains(code)) {
            Some(code) => Ok(code),
            None => {
                let log = fs::read_to_string(&process.log).unwrap_or_default();
                Err(format!("{arguments:?} ended with {status}: {log}").into())
            }
        }
    }

    /// The newest run, by the state file that the program has left behind.
    pub(super) fn state(&self) -> Result<State, Failure> {
        let file = self.path(STATE);
        let nothing = State { run: 0, has_ended: true, open: 0 };
        if !Path::new(&file).exists() {
            return Ok(nothing);
        }
        let state = Connection::open(file)?;
        let newest = "SELECT run, ended IS NOT NULL FROM run ORDER BY run DESC LIMIT 1";
        let found = state.query_row(newest, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)));
        let Ok((run, has_ended)) = found else { return Ok(nothing) };
        let open: i64 = state.query_row("SELECT count(*) FROM intent", [], |row| row.get(0))?;
        Ok(State { run: run.cast_unsigned(), has_ended, open: open.cast_unsigned() })
    }

    /// The club's own file, as the club's own program opens it.
    pub(super) fn members(&self) -> Result<Connection, Failure> {
        let file = Connection::open(self.path("club.sqlite"))?;
        file.busy_timeout(std::time::Duration::from_secs(10))?;
        Ok(file)
    }

    /// The live contacts, by e-mail address.
    pub(super) async fn contacts(&self) -> Result<Vec<(String, Contact)>, Failure> {
        let page = self.portal("GET", "contacts?limit=10000", "").await?;
        let records = page["records"].as_array().cloned().unwrap_or_default();
        let live = records.into_iter().filter(|record| record["archived"] == Value::Bool(false));
        live.map(|record| {
            let properties: BTreeMap<String, String> = serde_json::from_value(record["properties"].clone())?;
            let email = properties.get("email").cloned().unwrap_or_default();
            let id = record["id"].as_u64().ok_or("a record without an id")?;
            Ok((email, Contact { id, properties }))
        })
        .collect()
    }

    /// Somebody in HubSpot sets this.
    pub(super) async fn edit_contact(&self, id: u64, property: &str, value: &str) -> Result<(), Failure> {
        let body = serde_json::json!({ "properties": { property: value } });
        self.portal("PATCH", &format!("contacts/{id}"), &body.to_string()).await.map(drop)
    }

    /// Somebody in HubSpot makes a contact.
    pub(super) async fn make_contact(&self, properties: &[(&str, &str)]) -> Result<(), Failure> {
        let properties: BTreeMap<&str, &str> = properties.iter().copied().collect();
        let body = serde_json::json!({ "properties": properties });
        self.portal("POST", "contacts", &body.to_string()).await.map(drop)
    }

    async fn portal(&self, method: &str, path: &str, body: &str) -> Result<Value, Failure> {
        let url = format!("{}/_sandbox/records/{path}", self.url);
        let request = http::Request::builder().method(method).uri(url).body(Bytes::from(body.to_owned()))?;
        let answer = self.http.send(request).await?;
        if !answer.status().is_success() {
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(format!("the portal answers {}: {said}", answer.status()).into());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}

/// As in the example's `club.sql`.
const MEMBERS: &str = "
CREATE TABLE member (
    number     INTEGER PRIMARY KEY,
    email      TEXT UNIQUE,
    first_name TEXT,
    last_name  TEXT NOT NULL,
    town       TEXT,
    phone      TEXT,
    job        TEXT,
    points     INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0)
);
";
