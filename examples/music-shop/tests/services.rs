//! A real business through the binary: the Chinook music shop into a local portal, the full cycle.
//!
//! Needs the folder that `KIT_SHARED_DATA` names, or `../shared/data` beside the checkout, and says aloud when it is
//! absent.

use std::path::{Path, PathBuf};
use std::process::Command;

use hubspot_sandbox::{Limits, Portal, PortalConfig, Server};
use serde_json::Value;

fn chinook() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("KIT_SHARED_DATA").map_or(beside, PathBuf::from);
    let file = folder.join("chinook/Chinook_Sqlite.sqlite");
    if file.is_file() {
        return Some(file);
    }
    eprintln!(
        "SKIPPED: {} is not there. Set KIT_SHARED_DATA to a folder that holds chinook/Chinook_Sqlite.sqlite \
         (github.com/lerocha/chinook-database) to run this test.",
        file.display()
    );
    None
}

struct Shop {
    folder: tempfile::TempDir,
    database: PathBuf,
    url: String,
}

impl Shop {
    fn run(&self, code: i32, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_music-shop"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments).arg("--json");
        command.env("KIT_SOURCE_FILE", &self.database).env("KIT_HUBSPOT_URL", &self.url);
        let output =
            command.env("KIT_HUBSPOT_TOKEN", "demo").env("KIT_HUBSPOT_LIMITS", "off").output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error} in {out}"))
    }
}

/// `link field` of each link that has one above zero.
fn numbers(report: &Value, field: &str) -> Vec<(String, u64)> {
    let links = report["links"].as_array().unwrap().iter();
    let numbers =
        links.map(|link| (link["link"].as_str().unwrap().to_owned(), link[field].as_u64().unwrap()));
    numbers.filter(|(_, number)| *number > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_arrives_is_proved_and_then_costs_nothing() {
    let Some(original) = chinook() else { return };
    let portal = PortalConfig { limits: Limits::Off, ..PortalConfig::new("demo") };
    let server = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(portal)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("chinook.sqlite");
    std::fs::write(&database, std::fs::read(original).unwrap()).unwrap();
    let shop = Shop { folder, database, url: server.url() };

    shop.run(0, &["init", "--yes"]);
    assert_eq!(shop.run(0, &["doctor"])["good"], true);
    shop.run(0, &["check"]);
    let everything: Vec<(String, u64)> = [
        ("firms", 10), // All but one: one address has letters beyond ASCII, which are refused.
        ("customers", 58),
        ("tracks", 3503),
        ("invoices", 412),
        ("invoice_lines", 2240),
    ]
    .map(|(link, count)| (link.to_owned(), count))
    .into();
    let planned = shop.run(2, &["plan", "--out", "plan.jsonl"]);
    assert_eq!(sorted(numbers(&planned, "create")), sorted(everything.clone()));
    let applied = shop.run(0, &["apply", "plan.jsonl"]);
    assert_eq!(sorted(numbers(&applied, "created")), sorted(everything));

    let verified = shop.run(0, &["verify"]);
    assert_eq!(verified["difference_count"], 0);
    assert_eq!(verified["edges_agree"], verified["edges_compared"]);
    let again = shop.run(0, &["run", "--once"]);
    for field in ["created", "updated", "adopted", "touched", "pending", "unknown"] {
        assert_eq!(numbers(&again, field), [], "{field}: {again}");
    }
    let letters = shop.run(0, &["dead-letters", "list"]);
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters}");
    assert_eq!((&letters[0]["id"], &letters[0]["cause"]), (&"49".into(), &"bad-email".into()));
    assert_eq!(shop.run(0, &["status"])["records"]["tracks"], 3503);
    server.stop().await;
}

fn sorted(mut numbers: Vec<(String, u64)>) -> Vec<(String, u64)> {
    numbers.sort();
    numbers
}
