//! `kill -9` of a receiver under load, as a process of its own: what it acknowledged is there when it comes back.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::{TcpListener, TcpStream};
use webhooks::{Receiver, ServeLimits, SqliteInbox, serve};

use crate::serve::{post, stored_ids};
use crate::support::{TestClock, creations, endpoint, now, signed, verifier};

/// Where the process that is to be killed keeps its inbox. Without it, it is an ordinary run of the tests.
const FOLDER: &str = "WEBHOOKS_TEST_KILL_FOLDER";
/// More rounds than the usual few.
const ROUNDS: &str = "WEBHOOKS_TEST_KILL_ROUNDS";

/// The process that is killed: this test binary again, running this test alone. Otherwise it checks nothing.
#[test]
fn the_receiver_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let inbox = Arc::new(SqliteInbox::open(&Path::new(&folder).join("inbox.sqlite")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        let clock = TestClock::new();
        let receiver = Receiver::new(endpoint(), verifier(), inbox, clock.clone());
        serve(listener, receiver, ServeLimits::default(), clock, std::future::pending()).await;
    });
}

struct Victim {
    process: Child,
    address: String,
}

impl Victim {
    fn start(folder: &Path) -> Victim {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["kill::the_receiver_that_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            // The test harness prints before it, on the same line.
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.to_owned();
            }
        };
        Victim { process, address }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Only if the test failed halfway; it is gone otherwise.
        let _ = self.process.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let rounds: u64 = std::env::var(ROUNDS).map_or(4, |rounds| rounds.parse().unwrap());
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let mut victim = Victim::start(folder.path());
        let count = Arc::new(AtomicU64::new(0));
        let enough = Arc::new(tokio::sync::Notify::new());
        // A different moment each round.
        let wanted = 40 + round * 53 % 200;
        let clients: Vec<_> = (0..8_u64)
            .map(|client| {
                let (address, count, enough) = (victim.address.clone(), count.clone(), enough.clone());
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    let Ok(mut stream) = TcpStream::connect(address).await else { return acknowledged };
                    for number in 0.. {
                        let first = round * 100_000_000 + client * 1_000_000 + number * 10;
                        match post(&mut stream, signed(&creations(first..first + 10), now())).await {
                            Ok(200) => acknowledged.extend(first..first + 10),
                            _ => break,
                        }
                        if count.fetch_add(1, Ordering::SeqCst) == wanted {
                            enough.notify_one();
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        enough.notified().await;
        victim.kill();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
    }
    assert!(acknowledged.len() as u64 >= rounds * 400);
    let inbox = SqliteInbox::open(&folder.path().join("inbox.sqlite")).unwrap();
    let stored = stored_ids(&inbox).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    let some = lost.iter().take(10).collect::<Vec<_>>();
    assert!(lost.is_empty(), "lost {} of {}, such as {some:?}", lost.len(), acknowledged.len());
}
