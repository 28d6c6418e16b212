//! A real business in PostgreSQL through the binary: its server is lost in the middle of the first load, and later a
//! standby takes over.
//!
//! Needs the folder that `KIT_SHARED_DATA` names, or `../shared/data` beside the checkout, and PostgreSQL; says aloud
//! what is absent.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_transport::{Clock as _, TokioClock};
use hubspot_sandbox::{Limits, Portal, PortalConfig, Server, StoredRecord};
use serde_json::Value;
use sync_testkit::{PostgresServer, Stop};
use tokio_postgres::{Client, NoTls};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn northwind() -> Option<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("KIT_SHARED_DATA").map_or(beside, PathBuf::from);
    let file = folder.join("northwind/northwind.sql");
    let sql = std::fs::read_to_string(&file).ok();
    if sql.is_none() {
        eprintln!(
            "SKIPPED: {} is not there. Set KIT_SHARED_DATA to a folder that holds northwind/northwind.sql \
             (github.com/pthom/northwind_psql) to run this test.",
            file.display()
        );
    }
    // Versions since 12 know this setting no more.
    sql.map(|sql| sql.replace("SET default_with_oids = false;", ""))
}

struct Trade {
    folder: tempfile::TempDir,
    database: PostgresServer,
    portal: Server,
}

impl Trade {
    async fn open() -> Option<Trade> {
        let (sql, database) = (northwind()?, PostgresServer::start()?);
        let config = PortalConfig {
            limits: Limits::Off,
            search_lag: Duration::ZERO,
            // A load takes long enough to be met in its middle.
            latency: Duration::from_millis(30),
            ..PortalConfig::new("demo")
        };
        let portal = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(config)).await.unwrap();
        let trade = Trade { folder: tempfile::tempdir().unwrap(), database, portal };
        trade.people(&trade.database).await.batch_execute(&sql).await.unwrap();
        Some(trade)
    }

    /// The business's own people, at one of the servers.
    async fn people(&self, database: &PostgresServer) -> Client {
        let (client, connection) = tokio_postgres::connect(&database.address("owner"), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn phone(&self, database: &PostgresServer, customer: &str) -> Option<String> {
        let sql = "SELECT phone FROM customers WHERE customer_id = $1";
        self.people(database).await.query_one(sql, &[&customer]).await.unwrap().get(0)
    }

    fn records(&self, object: &str) -> Vec<StoredRecord> {
        let portal = self.portal.portal();
        let page = portal.lock().unwrap().records(object, 0, 10_000).unwrap();
        page.records
    }

    fn company(&self, name: &str) -> StoredRecord {
        let mut all = self.records("companies").into_iter();
        all.find(|company| company.properties["name"] == name).unwrap()
    }

    fn command(&self, arguments: &[&str], server: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_food-trade"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments).arg("--json");
        command.env("KIT_SOURCE_SERVER", server).env("KIT_HUBSPOT_LIMITS", "off");
        command.env("KIT_HUBSPOT_URL", self.portal.url()).env("KIT_HUBSPOT_TOKEN", "demo");
        command
    }

    fn run_at(&self, code: i32, arguments: &[&str], server: &str) -> Value {
        let output = self.command(arguments, server).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        assert!(!out.contains("test-password") && !err.contains("test-password"), "{out}\n{err}");
        serde_json::from_str(&out).unwrap()
    }

    fn run(&self, code: i32, arguments: &[&str]) -> Value {
        self.run_at(code, arguments, &self.database.address("owner"))
    }

    /// Waits until the program has made so many records, and fails if it ends before.
    async fn until(&self, child: &mut Child, object: &str, count: usize) {
        let clock = TokioClock::start();
        while self.records(object).len() < count {
            assert!(child.try_wait().unwrap().is_none(), "it ended before {count} {object} were there");
            assert!(clock.monotonic() < PATIENCE, "in vain: {count} {object}");
            clock.sleep(Duration::from_millis(5)).await;
        }
    }
}

/// `field` of each link that has one above zero.
fn numbers(report: &Value, field: &str) -> Vec<(String, u64)> {
    let links = report["links"].as_array().unwrap().iter();
    let numbers =
        links.map(|link| (link["link"].as_str().unwrap().to_owned(), link[field].as_u64().unwrap()));
    let mut numbers: Vec<(String, u64)> = numbers.filter(|(_, number)| *number > 0).collect();
    numbers.sort();
    numbers
}

fn one(link: &str, number: u64) -> Vec<(String, u64)> {
    vec![(link.to_owned(), number)]
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_arrives_though_its_server_is_lost_and_then_taken_over() {
    let Some(trade) = Trade::open().await else { return };
    trade.run(0, &["init", "--yes"]);
    assert_eq!(trade.run(0, &["doctor"])["good"], true);
    trade.run(0, &["check"]);

    // The server is lost while the first orders are on their way.
    let mut load = trade.command(&["run", "--once"], &trade.database.address("owner"));
    let mut load = load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    trade.until(&mut load, "deals", 100).await;
    trade.database.down(Stop::Immediate);
    assert_eq!(load.wait().unwrap().code(), Some(1), "what it did not reach is told as an error");
    assert!(trade.records("line_items").len() < 2_155, "it was lost in the middle");
    trade.database.up();

    let rest = trade.run(0, &["run", "--once"]);
    assert_eq!(numbers(&rest, "pending"), []);
    for (object, count) in
        [("companies", 91), ("contacts", 91), ("products", 77), ("deals", 830), ("line_items", 2_155)]
    {
        assert_eq!(trade.records(object).len(), count, "{object}: nothing is missing and nothing twice");
    }
    let verified = trade.run(0, &["verify"]);
    assert_eq!(verified["difference_count"], 0, "{verified}");
    assert_eq!(verified["edges_agree"], verified["edges_compared"]);

    // Both sides are worked on; then the server is lost for good, and its standby takes over.
    let standby = trade.database.standby();
    let order = "UPDATE orders SET shipped_date = '1998-05-07' WHERE order_id = 11077;
                 UPDATE customers SET city = 'Potsdam' WHERE customer_id = 'ALFKI'";
    trade.people(&trade.database).await.batch_execute(order).await.unwrap();
    let (now, id) = (TokioClock::start().now(), trade.company("Around the Horn").id);
    let edited = [("phone", "+44 20 7946 0000")];
    trade.portal.portal().lock().unwrap().edit_as_user(now, "companies", id, edited).unwrap();
    trade.database.down(Stop::Fast);
    standby.promote();

    let both = trade.database.address_with(&standby, "owner");
    let report = trade.run_at(0, &["run", "--once"], &both);
    assert_eq!(numbers(&report, "created"), []);
    assert_eq!(numbers(&report, "brought_back"), one("customers", 1));
    assert_eq!(trade.company("Alfreds Futterkiste").properties["city"], "Potsdam");
    assert_eq!(trade.phone(&standby, "AROUT").await.as_deref(), Some("+44 20 7946 0000"));
    let deals = trade.records("deals").into_iter();
    let sold = deals.filter(|deal| deal.properties["dealname"] == "Rattlesnake Canyon Grocery 11077");
    assert_eq!(sold.map(|deal| deal.properties["dealstage"].clone()).collect::<Vec<_>>(), ["closedwon"]);
    let again = trade.run_at(0, &["run", "--once"], &both);
    for field in ["created", "updated", "brought_back", "pending"] {
        assert_eq!(numbers(&again, field), [], "{field}: the echoes are no changes");
    }
    assert_eq!(trade.run_at(0, &["verify"], &both)["difference_count"], 0);
}
