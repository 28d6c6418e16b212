//! Files in a bucket of a server that speaks S3, on a free port of this machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_transport::{ReqwestTransport, Transport as _};
use jiff::Timestamp;
use source_adapters::files::{Files, FilesConfig};
use sync_testkit::conformance::{self, Workbench};
use sync_types::{Clock, Collection, ExternalId, ReadRequest, Source, SourceErrorKind};

/// moto, which stands in for S3 in many projects' tests (`pip install 'moto[server]'`).
struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> Option<Server> {
    let mut command = Command::new("moto_server");
    command.args(["-H", "127.0.0.1", "-p", "0"]).env("PYTHONUNBUFFERED", "1");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
    let mut lines = BufReader::new(child.stderr.take()?).lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
    // It must not die of a closed pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Server(child, url?))
}

/// A clock by which every look is long after the one before.
#[derive(Debug, Default)]
struct Leaping(AtomicU64);

#[async_trait]
impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(60, Ordering::Relaxed))
    }
    async fn sleep(&self, _: Duration) {}
}

struct Bucket {
    server: String,
    http: ReqwestTransport,
    folder: tempfile::TempDir,
    rows: Mutex<BTreeMap<u32, [String; 2]>>,
    drops: AtomicU64,
}

impl Bucket {
    async fn call(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Bytes) {
        let request = http::Request::builder().method(method).uri(format!("{}/{path}", self.server));
        let answer = self.http.send(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.into_body())
    }

    async fn edit(&self, edit: impl FnOnce(&mut BTreeMap<u32, [String; 2]>)) {
        let lines: String = {
            let mut rows = self.rows.lock().unwrap();
            edit(&mut rows);
            let line = |(id, [name, city]): (&u32, &[String; 2])| {
                format!("{}\n", serde_json::json!({ "id": id, "name": name, "city": city }))
            };
            rows.iter().map(line).collect()
        };
        let drop = self.drops.fetch_add(1, Ordering::Relaxed);
        let put = self.call("PUT", &format!("exports/crm/people-{drop}.jsonl"), lines.into_bytes()).await;
        assert_eq!(put.0, 200, "{:?}", put.1);
    }
}

#[async_trait]
impl Workbench for Bucket {
    async fn open(&self) -> Arc<dyn Source> {
        let text = format!(
            "staging = {:?}\nready = {{ rule = \"named\" }}\n[place]\nbucket = \"s3://exports/crm\"\narchive = \"done\"\n\
             options = {{ endpoint = {:?}, region = \"us-east-1\", allow_http = \"true\" }}\n\
             [collections.people]\nfiles = \"people-*.jsonl\"\nkey = \"id\"\nholds = \"everything\"\nmay_be_empty = true\n",
            self.folder.path().join("staging.db"),
            self.server
        );
        Arc::new(Files::open(FilesConfig::from_toml(&text).unwrap(), Arc::new(Leaping::default())).unwrap())
    }
    fn collection(&self) -> Collection {
        "people".into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId {
        self.edit(|rows| drop(rows.insert(number, texts.map(str::to_owned)))).await;
        number.to_string().into()
    }
    async fn remove(&self, number: u32) {
        self.edit(|rows| drop(rows.remove(&number))).await;
    }
}

/// Where the process that reads the bucket finds its server. Without it, it is an ordinary run of the tests.
const SERVER: &str = "SOURCE_ADAPTERS_TEST_BUCKET";

/// Credentials come from the environment, and a process cannot change its own: this test binary again, with them. It checks
/// nothing otherwise.
#[tokio::test]
async fn the_process_with_credentials() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let bucket = Bucket {
        server,
        http: ReqwestTransport::builder().build().unwrap(),
        folder: tempfile::tempdir().unwrap(),
        rows: Mutex::default(),
        drops: AtomicU64::default(),
    };
    let made = bucket.call("PUT", "exports", Vec::new()).await;
    assert_eq!(made.0, 200, "{:?}", made.1);
    conformance::adapter(&bucket).await;
    let request = ReadRequest { collection: bucket.collection(), after: None, max: 1 };
    bucket.open().await.read_page(&request).await.unwrap();
    // Everything was put away: who begins with nothing finds nothing.
    let anew = Bucket { folder: tempfile::tempdir().unwrap(), ..bucket };
    let found = anew.open().await.read_page(&request).await.unwrap_err();
    assert_eq!(found.kind, SourceErrorKind::Unavailable, "{found}");
}

#[test]
fn files_in_a_bucket_keep_what_they_declare() {
    let Some(server) = start() else {
        eprintln!("skipped: there is no `moto_server` here, so no server that speaks S3 was asked");
        return;
    };
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["bucket::the_process_with_credentials", "--exact", "--nocapture"])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), (SERVER, &server.1)])
        .status();
    assert!(ended.unwrap().success());
}
