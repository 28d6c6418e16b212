//! The engagement against a real Directus: both directions through the binary, its webhooks, its rate limit, a wrong
//! credential, and a restart in the middle.
//!
//! Says aloud when Directus is not installed.

mod directus;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use directus::{Directus, TOKEN};
use http_transport::{Clock as _, TokioClock};
use hubspot_sandbox::{Limits, Portal, PortalConfig, Server, StoredRecord};
use serde_json::{Value, json};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

const WEBHOOK_KEY: &str = "webhook-key-of-tests";

/// Participants of the first load: more than two pages.
const PARTICIPANTS: u64 = 230;

struct Academy {
    folder: tempfile::TempDir,
    directus: Directus,
    portal: Server,
}

impl Academy {
    async fn open() -> Option<Academy> {
        let directus = Directus::start().await?;
        // A call takes long enough for something to happen in the middle of a load.
        let latency = Duration::from_millis(20);
        let config = PortalConfig {
            limits: Limits::Off,
            search_lag: Duration::ZERO,
            latency,
            ..PortalConfig::new("demo")
        };
        let portal = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(config)).await.unwrap();
        let academy = Academy { folder: tempfile::tempdir().unwrap(), directus, portal };
        let employer =
            |name: &str, website: &str| json!({ "name": name, "website": website, "town": "Bath" });
        let employers =
            json!([employer("Acme", "https://acme.example"), employer("Beta", "https://beta.example")]);
        let employers = academy.directus.post("/items/employers", &employers).await;
        let people = (0..PARTICIPANTS).map(|number| {
            json!({
                "email": format!("p{number}@example.com"), "first_name": "Pat", "last_name": format!("Person {number}"),
                "town": "Bath", "level": "beginner", "employer": employers[usize::from(number % 2 == 1)]["id"],
            })
        });
        academy.directus.post("/items/participants", &people.collect()).await;
        Some(academy)
    }

    fn contacts(&self) -> Vec<StoredRecord> {
        let portal = self.portal.portal();
        let page = portal.lock().unwrap().records("contacts", 0, 10_000).unwrap();
        page.records.into_iter().filter(|contact| !contact.archived).collect()
    }

    fn contact(&self, email: &str) -> Option<StoredRecord> {
        self.contacts().into_iter().find(|contact| contact.properties["email"] == email)
    }

    /// Somebody edits a contact in HubSpot.
    fn edit(&self, email: &str, property: &str, value: &str) {
        let (now, id) = (TokioClock::start().now(), self.contact(email).unwrap().id);
        let portal = self.portal.portal();
        portal.lock().unwrap().edit_as_user(now, "contacts", id, [(property, value)]).unwrap();
    }

    /// Somebody enters a contact in HubSpot.
    fn enter(&self, email: &str, last_name: &str) {
        let now = TokioClock::start().now();
        let portal = self.portal.portal();
        let values = [("email", email), ("lastname", last_name)];
        portal.lock().unwrap().create_as_user(now, "contacts", values).unwrap();
    }

    fn command(&self, arguments: &[&str], token: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_academy"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments).arg("--json");
        command.args(["--set", "source.environment=here"]);
        command.arg("--set").arg(format!("source.variables.port={}", self.directus.port()));
        command.env("DIRECTUS_TOKEN", token).env("DIRECTUS_WEBHOOK_KEY", WEBHOOK_KEY);
        command.env("KIT_HUBSPOT_URL", self.portal.url()).env("KIT_HUBSPOT_TOKEN", "demo");
        command.env("KIT_HUBSPOT_LIMITS", "off");
        command
    }

    fn run_as(&self, code: i32, arguments: &[&str], token: &str) -> (String, String) {
        let output = self.command(arguments, token).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        assert!(!out.contains(token) && !err.contains(token), "{out}\n{err}");
        (out.into_owned(), err.into_owned())
    }

    fn run(&self, code: i32, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run_as(code, arguments, TOKEN).0).unwrap()
    }

    /// One run: what it created, updated, brought back and created at the source.
    fn pass(&self) -> [u64; 4] {
        let report = self.run(0, &["run", "--once"]);
        let links = report["links"].as_array().unwrap();
        let sum = |field: &str| links.iter().map(|link| link[field].as_u64().unwrap()).sum();
        ["created", "updated", "brought_back", "created_left"].map(sum)
    }
}

/// Waits until it is so.
async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let clock = TokioClock::start();
    while !is().await {
        assert!(clock.monotonic() < PATIENCE, "in vain: {what}");
        clock.sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_is_kept_in_step_with_its_directus() {
    let Some(mut academy) = Academy::open().await else { return };
    academy.run(0, &["init", "--yes"]);
    assert_eq!(academy.run(0, &["doctor"])["good"], true);
    academy.run(0, &["check"]);
    academy.run(0, &["adapter", "try"]);
    assert_eq!(academy.pass(), [2 + PARTICIPANTS, 0, 0, 0], "the first load");
    assert_eq!(academy.run(0, &["verify"])["difference_count"], 0);

    both_sides(&academy).await;
    wrong_credential(&academy);
    rate_limit(&mut academy).await;
    restart_in_the_middle(&mut academy).await;
    webhooks(&academy).await;
    // The service may have been stopped between a write and its settling, which the next run does.
    academy.run(0, &["run", "--once"]);
    assert_eq!(academy.run(0, &["verify"])["difference_count"], 0);

    // A deletion is believed when it is still so a while later; until then nobody is archived.
    academy.directus.delete("p3@example.com").await;
    assert_eq!([academy.pass(), academy.pass()], [[0; 4]; 2]);
    assert!(academy.contact("p3@example.com").is_some());
}

/// Changes and new records, from either side to the other.
async fn both_sides(academy: &Academy) {
    let directus = &academy.directus;
    directus.edit("p1@example.com", &json!({ "town": "Wells", "level": "advanced" })).await;
    academy.edit("p2@example.com", "phone", "+44 20 7946 0002");
    let ann = json!({ "email": "ann@example.com", "last_name": "Newcomer", "employer": 1 });
    directus.post("/items/participants", &ann).await;
    academy.enter("lead@example.com", "Lead");
    assert_eq!(academy.pass(), [1, 1, 1, 1]);
    let changed = academy.contact("p1@example.com").unwrap();
    assert_eq!((&*changed.properties["city"], &*changed.properties["course_level"]), ("Wells", "advanced"));
    assert_eq!(directus.find("p2@example.com").await[0]["phone"], "+44 20 7946 0002");
    assert_eq!(directus.find("lead@example.com").await[0]["last_name"], "Lead");
    assert!(academy.contact("ann@example.com").is_some());
    assert_eq!(academy.pass(), [0, 0, 0, 0], "the echoes are no changes");
}

/// Nothing is written and nothing concluded, and the message says what to do without the credential in it.
fn wrong_credential(academy: &Academy) {
    let before = academy.contacts().len();
    let (out, err) = academy.run_as(1, &["run", "--once"], "a-wrong-token");
    assert!(format!("{out}{err}").contains("DIRECTUS_TOKEN"), "{out}\n{err}");
    assert_eq!(academy.contacts().len(), before);
    assert_eq!(academy.pass(), [0, 0, 0, 0]);
}

/// Directus refuses calls; they are made later, and all is done in the end.
async fn rate_limit(academy: &mut Academy) {
    academy.directus.down();
    academy.directus.up(Some(5)).await;
    for number in 10..25 {
        academy.edit(&format!("p{number}@example.com"), "phone", &format!("+44 20 7946 01{number}"));
    }
    assert_eq!(academy.pass(), [0, 0, 15, 0]);
    assert!(academy.directus.said().contains("\"statusCode\":429"), "it was never refused");
    academy.directus.down();
    academy.directus.up(None).await;
    assert_eq!(academy.directus.find("p24@example.com").await[0]["phone"], "+44 20 7946 0124");
}

/// The application is lost while new records are made in it: each is there once in the end.
async fn restart_in_the_middle(academy: &mut Academy) {
    let before = academy.directus.count().await;
    for number in 0..60 {
        academy.enter(&format!("new{number}@example.com"), "New");
    }
    let mut run = academy.command(&["run", "--once"], TOKEN);
    let mut run = Running(run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("the first new participants", async || academy.directus.count().await > before + 5).await;
    academy.directus.down();
    let _ = run.0.wait();
    academy.directus.up(None).await;
    let made = academy.directus.count().await - before;
    assert!(made < 60, "it was lost in the middle");
    let [created, _, _, created_left] = academy.pass();
    assert_eq!(created, 0);
    assert!(created_left >= 60 - made, "{created_left} after {made}");
    assert_eq!(academy.directus.count().await, before + 60, "nothing is missing and nothing twice");
    assert_eq!(academy.pass(), [0, 0, 0, 0]);
}

/// A process that does not outlive a test that failed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The service, which would look by itself in an hour, hears of a change within a moment.
async fn webhooks(academy: &Academy) {
    let mut serve = academy.command(&["serve", "--set", "hubspot.portal=51234567"], TOKEN);
    serve.args(["--set", "serve.listen=127.0.0.1:0", "--set", "serve.every=3600"]);
    let log = academy.folder.path().join("serve.log");
    serve.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap());
    let mut serve = Running(serve.spawn().unwrap());
    // Kept open: a service must not die of a closed pipe.
    let mut out: BufReader<ChildStdout> = BufReader::new(serve.0.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
    assert_eq!(said["source_webhooks"], true);
    let url = format!("{}/source", said["listening"].as_str().unwrap());

    academy.directus.tells(&url, "X-Academy-Key", WEBHOOK_KEY).await;
    academy.directus.edit("p5@example.com", &json!({ "town": "Wells" })).await;
    let has_moved = async |email: &str| academy.contact(email).unwrap().properties["city"] == "Wells";
    until("a change that a webhook told of", async || has_moved("p5@example.com").await).await;
    academy.directus.edit("p7@example.com", &json!({ "town": "Wells" })).await;
    until("another one", async || has_moved("p7@example.com").await).await;
    let asked = Command::new("kill").arg(serve.0.id().to_string()).status().unwrap();
    assert!(asked.success());
    assert!(serve.0.wait().unwrap().success(), "{}", std::fs::read_to_string(log).unwrap_or_default());
}
