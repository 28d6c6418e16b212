//! The service as a user starts it: an install in a browser, changes that arrive by themselves, a stop that loses
//! nothing, and portals that do not hold up each other.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_transport::{ReqwestTransport, Transport as _};
use hubspot_sandbox::{Fault, FaultKind, Matcher, OAuthApp, PortalConfig, WebhookApp, WebhookSignature};
use serde_json::Value;

use super::Club;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const APP: u64 = 77;
const REDIRECT: &str = "http://localhost:3000/oauth/callback";
const SCOPES: &str = "oauth crm.objects.contacts.read crm.objects.contacts.write crm.schemas.contacts.read \
                      crm.schemas.contacts.write";
const JOURNAL: [&str; 3] = [
    "developer.webhooks_journal.read",
    "developer.webhooks_journal.subscriptions.read",
    "developer.webhooks_journal.subscriptions.write",
];
/// 32 bytes; a secret of tests alone.
const MASTER_KEY: &str = "dGhlIG1hc3RlciBrZXkgb2YgdGVzdHMsIDMyIGJ5dGU=";

/// The service, running.
struct Service {
    child: Running,
    /// Kept open: a service must not die of a closed pipe.
    _out: BufReader<ChildStdout>,
    url: String,
    hears_by: String,
    http: ReqwestTransport,
}

/// A process that does not outlive a test that failed.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Service {
    fn start(club: &Club, settings: &[(&str, &str)]) -> Service {
        let mut command = club.command(&["serve", "--json"]);
        command.args(["--set", "serve.listen=127.0.0.1:0"]).stdout(Stdio::piped());
        for (name, value) in settings {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        // Into a file, which no test has to read while the service runs.
        let log = club.folder.path().join("serve.log");
        command.stderr(std::fs::File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        let (url, hears_by) = (text("listening"), text("hears_by"));
        let child = Running(Some(child));
        Service { child, _out: out, url, hears_by, http: ReqwestTransport::builder().build().unwrap() }
    }

    async fn get(&self, url: &str, cookie: Option<&str>) -> http::Response<Bytes> {
        let mut request = http::Request::get(url);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.http.send(request.body(Bytes::new()).unwrap()).await.unwrap()
    }

    /// What `/ready` says of portals, with its status.
    async fn ready(&self) -> (u16, Value) {
        let answer = self.get(&format!("{}/ready", self.url), None).await;
        let said: Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), said["portals"].clone())
    }

    /// Asks until it is so. Each question is a call that takes a moment, so that nobody spins.
    async fn until(&self, club: &Club, what: &str, is: impl AsyncFn() -> bool) {
        let asking = async {
            while !is().await {
                self.get(&format!("{}/account-info/2026-03/details", club.server.url()), None).await;
            }
        };
        if tokio::time::timeout(PATIENCE, asking).await.is_err() {
            let log = std::fs::read_to_string(club.folder.path().join("serve.log")).unwrap_or_default();
            panic!("in vain: {what}; the portals: {:?}; the log:\n{log}", self.ready().await);
        }
    }

    async fn until_portals(&self, club: &Club, expected: Value) {
        self.until(club, &format!("{expected}"), async || self.ready().await.1 == expected).await;
    }

    /// Connects the portal as a person does in a browser, and says where it ended.
    async fn install(&self) -> String {
        let begun = self.get(&format!("{}/install", self.url), None).await;
        assert_eq!(begun.status(), 303, "{:?}", begun.body());
        let cookie = begun.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let consent = begun.headers()["location"].to_str().unwrap();
        let pressed =
            http::Request::post(consent).header("content-type", "application/x-www-form-urlencoded");
        let pressed = pressed.body(Bytes::from_static(b"answer=allow")).unwrap();
        let granted = self.http.send(pressed).await.unwrap();
        let back = granted.headers()["location"].to_str().unwrap().to_owned();
        let query = back.strip_prefix(REDIRECT).expect("HubSpot sends the browser to the redirect address");
        let done = self.get(&format!("{}/oauth/callback{query}", self.url), Some(&cookie)).await;
        // The same callback once more is nobody's.
        let again = self.get(&format!("{}/oauth/callback{query}", self.url), Some(&cookie)).await;
        assert_eq!(again.headers()["location"], "/failed/stale");
        done.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Asks it to end, as a service manager does.
    async fn stop(mut self) -> ExitStatus {
        let mut child = self.child.0.take().expect("it runs");
        let asked = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap()
    }
}

/// A portal whose calls take a moment, with the app that its admin installs.
async fn portal(change: impl FnOnce(&mut PortalConfig)) -> Club {
    let club = Club::open_with(|config| {
        config.latency = Duration::from_millis(20);
        let scopes: Vec<&str> = SCOPES.split_whitespace().collect();
        let mut app = OAuthApp::new(APP, "club-client", "club-secret", REDIRECT, &scopes);
        app.app_scopes = JOURNAL.map(str::to_owned).into();
        config.apps.push(app);
        change(config);
    });
    club.await
}

fn by_oauth(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("hubspot.credential", "oauth"),
        ("hubspot.portal", "51234567"),
        ("oauth.client_id", "club-client"),
        ("oauth.client_secret", "club-secret"),
        ("oauth.redirect_url", REDIRECT),
        ("oauth.consent_url", url),
        ("oauth.scopes", SCOPES),
        ("oauth.master_key", MASTER_KEY),
        ("webhooks.app_id", "77"),
    ]
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_install_begins_the_sync_and_an_edit_in_hubspot_arrives_by_itself() {
    let club = portal(|_| {}).await;
    club.run(0, &["init", "--yes"]);
    let url = club.server.url();
    let mut settings = by_oauth(&url);
    // A pass is also what notices that the app was taken out.
    settings.push(("serve.every", "1"));
    let service = Service::start(&club, &settings);
    assert_eq!(service.hears_by, "journal", "the app may read it, so nothing else was chosen");
    service.until_portals(&club, serde_json::json!({ "needs_authorisation": 1 })).await;
    let home = service.get(&service.url, None).await;
    assert!(String::from_utf8_lossy(home.body()).contains("href=\"&#x2f;install\""), "{home:?}");

    assert_eq!(service.install().await, "/installed");
    service.until_portals(&club, serde_json::json!({ "in_step": 1 })).await;
    assert_eq!(club.contacts().len(), 3, "the install began the first load");
    club.edit("ada@example.com", "city", "Turin");
    service.until(&club, "an edit", async || club.member("ada@example.com", "town") == "Turin").await;
    // Commands look at the state while the service runs.
    let (status, _) = club.run(0, &["status"]);
    assert!(status["runs"].as_array().is_some_and(|runs| !runs.is_empty()), "{status}");

    // The admin takes the app out, and puts it in again. What happened meanwhile is found.
    assert!(club.server.portal().lock().unwrap().uninstall_app(APP));
    club.edit("grace@example.com", "city", "Boston");
    service.until_portals(&club, serde_json::json!({ "needs_authorisation": 1 })).await;
    assert_eq!(service.install().await, "/installed");
    service
        .until(&club, "an edit meanwhile", async || club.member("grace@example.com", "town") == "Boston")
        .await;
    assert!(service.stop().await.success());

    // What was told can be worked once more, by whoever mended something.
    let arguments =
        ["webhooks", "replay", "--from", "2020-01-01T00:00:00Z", "--set", "hubspot.portal=51234567"];
    let (replayed, _) = club.run(0, &arguments);
    assert!(replayed["replayed"].as_u64() > Some(0), "{replayed}");
    let arguments = ["webhooks", "status", "--set", "hubspot.portal=51234567"];
    assert_eq!(club.run(0, &arguments).0["waiting"][0]["events"], replayed["replayed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_follow_the_mapping() {
    let club = Club::open().await;
    club.run(0, &["init", "--yes"]);
    let app = WebhookApp {
        app_id: 1_000_001,
        client_secret: "club-secret".to_owned(),
        developer_key: None,
        signature: WebhookSignature::V3,
    };
    club.server.portal().lock().unwrap().set_webhook_app(app);
    let push = |command: &'static str| {
        let said = [
            "webhooks.target_url=https://sync.example.com/webhooks",
            "webhooks.client_secret=club-secret",
            "webhooks.app_id=1000001",
        ];
        ["webhooks", command].into_iter().chain(said.into_iter().flat_map(|setting| ["--set", setting]))
    };
    let run = |code: i32, command: &'static str| club.run(code, &push(command).collect::<Vec<_>>()).0;
    let plan = run(2, "plan");
    assert_eq!(plan["target"], "https://sync.example.com/webhooks");
    let create: Vec<&str> = plan["create"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for wanted in ["contact.creation", "contact.deletion", "contact.merge", "contact.propertyChange city"] {
        assert!(create.contains(&wanted), "{create:?}");
    }
    assert_eq!(run(0, "apply")["create"], plan["create"]);
    assert_eq!(run(0, "plan")["create"], serde_json::json!([]), "a second plan is empty");
    assert_eq!(club.run(0, &["webhooks", "plan"]).0["hears_by"], "search", "without an address");
    let doctor = std::iter::once("doctor").chain(push("").skip(2)).collect::<Vec<_>>();
    let (doctor, _) = club.run(0, &doctor);
    assert!(doctor.to_string().contains("HubSpot gives one up after ten tries"), "{doctor}");
}

/// As the page of the service tells a newcomer to try it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_a_journal_is_called_by_webhooks() {
    // The address must be known before the service has one.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let club = portal(|config| config.apps[0].app_scopes.clear()).await;
    club.run(0, &["init", "--yes"]);
    let url = club.server.url();
    let (target, listen) = (format!("http://{free}/webhooks"), free.to_string());
    let mut settings = by_oauth(&url);
    settings.extend([("webhooks.target_url", target.as_str()), ("serve.listen", listen.as_str())]);
    let service = Service::start(&club, &settings);
    assert_eq!(service.hears_by, "push");
    service.until_portals(&club, serde_json::json!({ "needs_authorisation": 1 })).await;
    let log = std::fs::read_to_string(club.folder.path().join("serve.log")).unwrap();
    assert!(log.contains("is not connected: open the install page") && !log.contains("ERROR"), "{log}");
    assert_eq!(service.install().await, "/installed");
    service.until_portals(&club, serde_json::json!({ "in_step": 1 })).await;

    let mut apply = vec!["webhooks", "apply"];
    let assignments: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    apply.extend(assignments.iter().flat_map(|assignment| ["--set", assignment]));
    assert_eq!(club.run(0, &apply).0["target"], target.as_str());
    club.edit("ada@example.com", "city", "Turin");
    service.until(&club, "an edit", async || club.member("ada@example.com", "town") == "Turin").await;
    assert!(club.server.portal().lock().unwrap().webhook_stats().delivered > 0);
    assert!(service.stop().await.success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_load_leaves_nothing_open() {
    let club = portal(|_| {}).await;
    club.run(0, &["init", "--yes"]);
    let rows: Vec<String> =
        (1_000..21_000).map(|n| format!("({n}, 'm{n}@example.com', 'Member {n}')")).collect();
    club.sql(&format!("INSERT INTO member (number, email, last_name) VALUES {}", rows.join(",")));
    // A write takes effect at once and is answered later: a process that ended meanwhile would not know.
    let matcher = Matcher { operation: Some("objects.batch_upsert".to_owned()), ..Matcher::default() };
    let slow = Fault { matcher, skip: 0, count: None, kind: FaultKind::Latency { ms: 4_000 } };
    club.server.portal().lock().unwrap().inject(slow).unwrap();
    let service = Service::start(&club, &[("hubspot.portal", "51234567")]);
    assert_eq!(service.hears_by, "search", "a token has no journal");
    service.until(&club, "the first batches", async || club.contacts().len() > 200).await;
    assert!(service.stop().await.success());
    club.server.portal().lock().unwrap().clear_faults();
    let loaded = club.contacts().len();
    assert!(loaded < 20_003, "it was stopped in the middle");
    let (status, _) = club.run(0, &["status"]);
    assert_eq!(status["open_writes"], 0, "every call was answered and recorded: {status}");
    assert_eq!(
        club.pass(&["created"]),
        [20_003 - loaded as u64],
        "the next run makes the rest, and nothing twice"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn portals_in_one_process_do_not_hold_up_each_other() {
    let good = portal(|_| {}).await;
    let other = portal(|config| config.portal_id = 2).await;
    let revoked = portal(|config| config.portal_id = 3).await;
    for club in [&good, &other] {
        club.run(0, &["init", "--yes"]);
    }
    let folder = good.folder.path().join("portals");
    std::fs::create_dir(&folder).unwrap();
    for (number, club) in [(51_234_567, &good), (2, &other), (3, &revoked)] {
        let text = format!(
            "[hubspot]\nportal = {number}\nurl = {:?}\ntoken = \"demo\"\n[source]\nfile = {:?}\n[state]\nfile = {:?}\n",
            club.server.url(),
            club.file(),
            club.folder.path().join("state.db")
        );
        std::fs::write(folder.join(format!("{number}.toml")), text).unwrap();
    }
    std::fs::write(folder.join("wrong.toml"), "[hubspot]\nprotal = 4\n").unwrap();
    assert!(revoked.server.portal().lock().unwrap().revoke_credential("demo"));
    let folder = folder.display().to_string();
    let service = Service::start(&good, &[("serve.portals", &folder), ("serve.every", "1")]);
    service.until_portals(&good, serde_json::json!({ "in_step": 2, "failing": 2 })).await;
    for club in [&good, &other] {
        assert_eq!(club.contacts().len(), 3);
        club.edit("ada@example.com", "city", "Turin");
        service.until(club, "an edit", async || club.member("ada@example.com", "town") == "Turin").await;
    }
    assert_eq!(service.ready().await.0, 200, "one that fails is no reason to restart the others");
    assert!(service.stop().await.success());
}
