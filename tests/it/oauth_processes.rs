//! Real processes that share one token store: one renewal for all of them, and `kill -9` in the middle of one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use http_transport::{Clock, ReqwestTransport, TokioClock};
use hubspot_sandbox::{Fault, FaultKind, Limits, Matcher, Portal, PortalConfig, Server};
use oauth::GrantStatus;
use workspace_tests::TOKEN;
use workspace_tests::connected::{Connected, registered};

/// A running worker, killed if its test fails.
struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    /// Started and ready, so that many of them can be let go at one time.
    fn start(file: &Path, url: &str, holder: &str, tasks: usize, ahead: i64) -> Worker {
        let mut command = Command::new(env!("CARGO_BIN_EXE_token-worker"));
        command.arg(file).args([url, holder, &tasks.to_string(), &ahead.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Worker { child, stdin, stdout }
    }

    fn go(&mut self) {
        self.stdin.write_all(b"go\n").unwrap();
    }

    /// The different outcomes of its tasks.
    fn outcomes(mut self) -> Vec<String> {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        assert!(self.child.wait().unwrap().success());
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Already gone in every test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Bench {
    folder: tempfile::TempDir,
    server: Server,
    connected: Connected,
    clock: Arc<dyn Clock>,
}

impl Bench {
    /// A portal on a socket, with the app installed.
    async fn installed(rotates: bool) -> Bench {
        let mut portal = Portal::new(PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) });
        portal.add_app(registered(rotates));
        let server = Server::start("127.0.0.1:0".parse().unwrap(), portal).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let transport = Arc::new(ReqwestTransport::builder().build().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::start());
        let file = folder.path().join("tokens.db");
        let connected = Connected::open(&file, &server.url(), "2026-03", transport, clock.clone()).unwrap();
        connected.install().await.unwrap();
        with(&server, |portal| portal.clear_requests());
        Bench { folder, server, connected, clock }
    }

    fn worker(&self, holder: &str, tasks: usize, ahead: i64) -> Worker {
        Worker::start(&self.folder.path().join("tokens.db"), &self.server.url(), holder, tasks, ahead)
    }

    fn renewals(&self) -> usize {
        with(&self.server, |portal| {
            portal.requests().filter(|request| request.operation == "oauth.token").count()
        })
    }
}

fn with<T>(server: &Server, work: impl FnOnce(&mut MutexGuard<'_, Portal>) -> T) -> T {
    work(&mut server.portal().lock().unwrap_or_else(PoisonError::into_inner))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_in_four_processes_make_one_renewal_at_expiry() {
    for rotates in [false, true] {
        let bench = Bench::installed(rotates).await;
        // The workers live when the token has expired; the portal, which does not, takes it still.
        let mut workers: Vec<Worker> = [13, 13, 12, 12]
            .into_iter()
            .enumerate()
            .map(|(number, tasks)| bench.worker(&format!("worker {number}"), tasks, 1_801))
            .collect();
        workers.iter_mut().for_each(Worker::go);
        let mut outcomes: Vec<String> = workers.into_iter().flat_map(Worker::outcomes).collect();
        outcomes.dedup();
        assert_eq!(outcomes.len(), 1, "one token for all: {outcomes:?}");
        assert!(outcomes[0].starts_with("status 200 with CPna1-"), "{outcomes:?}");
        assert_eq!(bench.renewals(), 1, "rotates {rotates}");
        let grant = bench.connected.tokens("test").status().await.unwrap().unwrap();
        assert_eq!((grant.status(), grant.refreshing()), (&GrantStatus::Active, None));
        bench.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_between_renewal_and_store_is_recovered_from_or_named() {
    for rotates in [false, true] {
        let bench = Bench::installed(rotates).await;
        // The portal does the renewal and keeps the answer to itself for a while.
        let renewal = Matcher { operation: Some("oauth.token".to_owned()), ..Matcher::default() };
        let slow = Fault::once(renewal, FaultKind::Latency { ms: 60_000 });
        with(&bench.server, |portal| portal.inject(slow)).unwrap();
        let mut doomed = bench.worker("doomed", 1, 1_801);
        doomed.go();
        while bench.renewals() == 0 {
            bench.clock.sleep(Duration::from_millis(10)).await;
        }
        doomed.child.kill().unwrap();
        drop(doomed);
        let grant = bench.connected.tokens("test").status().await.unwrap().unwrap();
        let note = grant.refreshing().expect("what was under way is on disk").clone();
        assert_eq!(note.by, "doomed");

        // Later than the lease of the dead one lasts.
        let mut heir = bench.worker("heir", 5, 1_801 + 200);
        heir.go();
        let outcomes = heir.outcomes();
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        if rotates {
            let since = format!("stopped: a renewal that began at {} was cut off", note.since);
            assert!(outcomes[0].starts_with(&since), "{outcomes:?}");
        } else {
            assert!(outcomes[0].starts_with("status 200 with CPna1-"), "{outcomes:?}");
        }
        assert_eq!(bench.renewals(), 2, "rotates {rotates}");
        bench.server.stop().await;
    }
}
