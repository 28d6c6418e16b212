//! The sources benchmark's program, run by `cargo xtask bench sources`; each call prints one JSON object.
//!
//! `serve rest|postgres ROWS` offers people at a loopback address until its standard input ends; `read rest|postgres
//! ADDRESS ROWS` reads all of them through the adapter.
#![allow(clippy::print_stdout, reason = "its output is what the benchmark reads")]

mod api;

use std::sync::Arc;

use http_transport::{Clock, TokioClock};
use secrecy::SecretString;
use serde_json::json;
use source_adapters::postgres::{Postgres, PostgresConfig};
use source_adapters::rest::{Description, RestOptions, RestSource, transport};
use sync_testkit::PostgresServer;
use sync_types::{ReadRequest, Source};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Records of a page, for every program alike.
const PAGE: usize = 1_000;

const DESCRIPTION: &str = r#"
[api]
name = "bench"
base_url = "http://127.0.0.1:{port}"
private_network = true

[variables]
port = ""

[collections.people]
key = "/id"

[collections.people.fields]
id = "number"
email = "text"
first_name = "text"
last_name = "text"
phone = "text"
street = "text"
town = "text"
country = "text"
balance = "number"
active = "bool"
born = "date"
updated_at = "date-time"

[collections.people.list]
path = "/people"
records = "/data"
paging = { kind = "cursor", parameter = "after", next = "/next", size = { parameter = "limit", value = 1000 } }
"#;

const TABLE: &str = "
    CREATE TABLE people AS SELECT
        n AS id, 'person' || n || '@example.com' AS email, 'First ' || n AS first_name, 'Last ' || n AS last_name,
        '+44 20 ' || n AS phone, n || ' High Street' AS street, 'Town ' || n % 977 AS town, 'GB' AS country,
        (n % 100000) / 100.0 AS balance, n % 3 > 0 AS active, date '1960-01-01' + n % 15000 AS born,
        timestamptz '2026-01-01 00:00Z' + n * interval '1 second' AS updated_at
    FROM generate_series(1, $ROWS) AS n;
    ALTER TABLE people ADD PRIMARY KEY (id);
    ANALYZE people;
";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        match arguments.as_slice() {
            ["serve", "rest", rows] => api::serve(rows.parse()?).await,
            ["serve", "postgres", rows] => serve_database(rows.parse()?).await,
            ["read", "rest", address, rows] => measured(Arc::new(described(address)?), rows.parse()?).await,
            ["read", "postgres", address, rows] => {
                measured(Arc::new(Postgres::new(PostgresConfig::new(*address))?), rows.parse()?).await
            }
            _ => Err("usage: sources serve|read rest|postgres …".into()),
        }
    })
}

fn described(address: &str) -> Result<RestSource, Failure> {
    let description = Description::parse("bench", DESCRIPTION).map_err(|problems| problems.to_string())?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let mut options = RestOptions::default();
    options.variables.insert("port".to_owned(), port.to_owned());
    let no_secret = |_: &str| None::<SecretString>;
    let transport = transport(&description, &no_secret)?;
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::start());
    Ok(RestSource::open(description, options, &no_secret, Arc::new(transport), clock)?)
}

/// Reads everybody, and says what it took.
async fn measured(source: Arc<dyn Source>, rows: u64) -> Result<(), Failure> {
    let clock = TokioClock::start();
    let (mut after, mut records, mut bad) = (None, 0_u64, 0_u64);
    loop {
        let request = ReadRequest { collection: "people".into(), after, max: PAGE };
        let page = source.read_page(&request).await?;
        bad += page.records.iter().filter(|record| record.is_err()).count() as u64;
        records += page.records.len() as u64;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    if records != rows || bad > 0 {
        return Err(format!("{records} of {rows} records were read, {bad} of them bad").into());
    }
    let (cpu_seconds, peak_mb) = used();
    println!(
        "{}",
        json!({
            "records": records, "seconds": clock.monotonic().as_secs_f64(), "cpu_seconds": cpu_seconds,
            "peak_mb": peak_mb,
        })
    );
    Ok(())
}

/// CPU time of this process in seconds, and the most memory that it ever held in megabytes, by the kernel's account;
/// zeros where the system has no `/proc`.
fn used() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the command's closing parenthesis; user and system ticks are the 12th and 13th field there.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: f64 = fields.filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    (ticks / 100.0, kilobytes.unwrap_or_default() / 1024.0)
}

async fn until_input_ends() {
    // An end that cannot be read is one too.
    let _ = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
}

async fn serve_database(rows: u64) -> Result<(), Failure> {
    let server = PostgresServer::start().ok_or("PostgreSQL is needed for this benchmark")?;
    let address = server.address("owner");
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(&TABLE.replace("$ROWS", &rows.to_string())).await?;
    drop(client);
    connection.await??;
    println!("{}", json!({ "address": address }));
    until_input_ends().await;
    Ok(())
}
