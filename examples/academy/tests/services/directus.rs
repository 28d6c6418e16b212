//! A Directus of a test's own: its program from npm, a PostgreSQL that goes away, a free loopback port.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_transport::{Clock as _, ReqwestTransport, TokioClock, Transport as _};
use serde_json::{Value, json};
use sync_testkit::PostgresServer;

/// Longer than it takes to start on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

const EMAIL: &str = "office@example.com";
const PASSWORD: &str = "office-password";

/// The token by which the engagement calls it.
pub(crate) const TOKEN: &str = "academy-token";

pub(crate) struct Directus {
    folder: tempfile::TempDir,
    database: PostgresServer,
    program: PathBuf,
    port: u16,
    process: Option<Child>,
    http: ReqwestTransport,
}

impl Directus {
    /// Starts an empty one; `None`, said aloud, where it is not installed.
    pub(crate) async fn start() -> Option<Directus> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let installed = target.join("services/directus/node_modules");
        let modules = std::env::var_os("KIT_DIRECTUS").map_or(installed, PathBuf::from);
        let program = modules.join("directus/cli.js");
        if !program.is_file() {
            eprintln!(
                "SKIPPED: no Directus is installed. `cargo xtask services` installs it from npm; elsewhere set \
                 KIT_DIRECTUS to the node_modules folder that holds it."
            );
            return None;
        }
        let database = PostgresServer::start()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let http = ReqwestTransport::builder().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        // Where there is none, it looks for no extensions and says so.
        std::fs::write(folder.path().join("package.json"), "{}").unwrap();
        let mut directus = Directus { folder, database, program, port, process: None, http };
        let made = directus.command("bootstrap").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(made.unwrap().success(), "an empty Directus cannot be made");
        directus.up(None).await;
        let who = json!({ "email": EMAIL, "password": PASSWORD });
        let session = directus.call("", "POST", "/auth/login", &who);
        let session = session.await["access_token"].as_str().unwrap().to_owned();
        directus.call(&session, "PATCH", "/users/me", &json!({ "token": TOKEN })).await;
        let school: Vec<(String, Value)> = serde_json::from_str(include_str!("school.json")).unwrap();
        for (path, body) in school {
            directus.post(&path, &body).await;
        }
        Some(directus)
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(&self.program).arg(what).current_dir(self.folder.path()).env_clear();
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let (port, database) = (self.port.to_string(), self.database.url("owner"));
        let settings = [
            ("HOST", "127.0.0.1"),
            ("PORT", &port),
            ("PUBLIC_URL", "/"),
            // Without a comma, which would make it a list.
            ("SECRET", "a-secret-of-tests-alone-that-is-long-enough"),
            ("KEY", "academy"),
            ("DB_CLIENT", "pg"),
            ("DB_CONNECTION_STRING", &database),
            ("ADMIN_EMAIL", EMAIL),
            ("ADMIN_PASSWORD", PASSWORD),
            ("SERVE_APP", "false"),
            ("TELEMETRY", "false"),
            ("LOG_STYLE", "raw"),
            // It calls no machine of its own network unless it may; the service of this test is on loopback.
            ("IMPORT_IP_DENY_LIST", ""),
        ];
        command.envs(settings);
        command
    }

    /// Starts it with its data; `limit` is how many calls a second it takes from one address.
    pub(crate) async fn up(&mut self, limit: Option<u32>) {
        let mut command = self.command("start");
        if let Some(points) = limit {
            command.envs([("RATE_LIMITER_ENABLED", "true"), ("RATE_LIMITER_DURATION", "1")]);
            command.env("RATE_LIMITER_POINTS", points.to_string());
        }
        let log = File::create(self.log()).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let clock = TokioClock::start();
        loop {
            let ping = http::Request::get(self.address("/server/ping")).body(Bytes::new()).unwrap();
            if self.http.send(ping).await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(clock.monotonic() < PATIENCE, "Directus does not start:\n{}", self.said());
            clock.sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it as a lost machine would.
    pub(crate) fn down(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has said since it was started.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A call of the office's own people; what its answer holds.
    async fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let clock = TokioClock::start();
        loop {
            let mut request = http::Request::builder().method(method).uri(self.address(path));
            if !token.is_empty() {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
            let request = request.header("content-type", "application/json").body(body).unwrap();
            let answer = self.http.send(request).await.unwrap();
            if answer.status() == 429 && clock.monotonic() < PATIENCE {
                clock.sleep(Duration::from_millis(200)).await;
                continue;
            }
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(answer.status().is_success(), "{method} {path}: {text}; its log:\n{}", self.said());
            let said: Value = serde_json::from_str(&text).unwrap_or_default();
            return said["data"].clone();
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.call(TOKEN, "POST", path, body).await
    }

    /// Everybody of this address.
    pub(crate) async fn find(&self, email: &str) -> Vec<Value> {
        let email = email.replace('@', "%40");
        let path = format!("/items/participants?filter[email][_eq]={email}");
        self.call(TOKEN, "GET", &path, &Value::Null).await.as_array().unwrap().clone()
    }

    pub(crate) async fn count(&self) -> u64 {
        let path = "/items/participants?aggregate[count]=*";
        let said = self.call(TOKEN, "GET", path, &Value::Null).await;
        let count = &said[0]["count"];
        count.as_u64().or_else(|| count.as_str()?.parse().ok()).unwrap()
    }

    /// Somebody of the office changes the participant of this address.
    pub(crate) async fn edit(&self, email: &str, change: &Value) {
        let id = self.find(email).await[0]["id"].clone();
        self.call(TOKEN, "PATCH", &format!("/items/participants/{id}"), change).await;
    }

    pub(crate) async fn delete(&self, email: &str) {
        let id = self.find(email).await[0]["id"].clone();
        self.call(TOKEN, "DELETE", &format!("/items/participants/{id}"), &Value::Null).await;
    }

    /// Has it call an address with this header whenever a participant or an employer changes.
    pub(crate) async fn tells(&self, url: &str, header: &str, value: &str) {
        let flow = json!({
            "name": "Tell the integration", "status": "active", "trigger": "event", "accountability": null,
            "options": {
                "type": "action", "scope": ["items.create", "items.update", "items.delete"],
                "collections": ["employers", "participants"],
            },
        });
        let flow = self.post("/flows", &flow).await["id"].clone();
        let operation = json!({
            "flow": flow, "name": "Call it", "key": "call", "type": "request", "position_x": 19, "position_y": 1,
            "options": { "method": "POST", "url": url, "headers": [{ "header": header, "value": value }], "body": "{}" },
        });
        let operation = self.post("/operations", &operation).await["id"].clone();
        let path = format!("/flows/{}", flow.as_str().unwrap());
        self.call(TOKEN, "PATCH", &path, &json!({ "operation": operation })).await;
    }
}

impl Drop for Directus {
    fn drop(&mut self) {
        self.down();
    }
}
