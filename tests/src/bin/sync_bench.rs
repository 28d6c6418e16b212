//! The sync benchmark's programs, run by `cargo xtask bench sync`; each prints one JSON object.
//!
//! `data FOLDER ROWS CHANGED` writes the contacts; `init URL TOKEN` provisions the portal; `engine FOLDER STATE URL
//! TOKEN` runs the kit's engine once; `bare FOLDER LEDGER URL TOKEN` runs the bare loop once; `digest URL TOKEN` says what
//! stands in the portal.
#![allow(clippy::print_stdout, reason = "its output is what the benchmark reads")]

use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use http_transport::{Clock, TokioClock};
use hubspot_adapter::{HubSpotDestination, provision};
use hubspot_client::{Client, GetOptions, Limits, ListOptions, ObjectType};
use mapping_engine::{CheckedMapping, Schemas, check};
use oauth::StaticCredential;
use serde_json::json;
use siphasher::sip::SipHasher13;
use source_adapters::csv_folder::{CsvConfig, CsvFolder};
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Engine, Options, Parts};
use sync_types::Mapper as _;
use wholesale::business::{Business, Table};
use workspace_tests::bench::bare;
use workspace_tests::bench::usage::Usage;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MAPPING: &str = include_str!("../../bench/mapping.toml");

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["data", folder, rows, changed] = arguments.as_slice() {
        let business = Business { mess: false, ..Business::new(rows.parse()?) }.change(changed.parse()?);
        let rows = business.write_table(Table::People, Path::new(folder))?;
        println!("{}", json!({ "rows": rows }));
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::start());
        let start = clock.monotonic();
        let mut figures = match arguments.as_slice() {
            ["init", url, token] => {
                let client = client(url, token)?;
                let steps = provision::plan(&client, mapping()?.requirements()).await?;
                provision::apply(&client, &steps).await?;
                json!({ "steps": steps.len() })
            }
            ["digest", url, token] => digest(&client(url, token)?).await?,
            ["engine", folder, state, url, token] => engine(folder, state, url, token, &clock).await?,
            ["bare", folder, ledger, url, token] => {
                let csv = Path::new(folder).join("people.csv");
                let done = bare::run(&csv, Path::new(ledger), url, token).await?;
                json!({
                    "read": done.read,
                    "written": done.written,
                    "calls": done.calls,
                    "batches": done.calls,
                    "commits": done.commits,
                })
            }
            _ => return Err("usage: sync-bench data|init|engine|bare|digest …".into()),
        };
        let usage = Usage::now();
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("seconds".into(), (clock.monotonic() - start).as_secs_f64().into());
            figures.insert("cpu_seconds".into(), usage.cpu_seconds.into());
            figures.insert("peak_mb".into(), usage.peak_mb.into());
        }
        println!("{figures}");
        Ok(())
    })
}

fn mapping() -> Result<CheckedMapping, Failure> {
    check("mapping.toml", MAPPING, Schemas::default()).map_err(|problems| problems.to_string().into())
}

fn client(url: &str, token: &str) -> Result<Client, Failure> {
    let tokens = Arc::new(StaticCredential::new(&token.into())?);
    let limits = Limits::unlimited().in_flight_max(8);
    Ok(Client::builder(url).token_provider(tokens).limits(limits).build()?)
}

async fn engine(
    folder: &str,
    state: &str,
    url: &str,
    token: &str,
    clock: &Arc<dyn Clock>,
) -> Result<serde_json::Value, Failure> {
    let client = client(url, token)?;
    let binding = Binding { engagement: "bench".into(), portal: "1".into() };
    let mut engine = Engine::new(Parts {
        engagement: "bench".into(),
        portal: "1".into(),
        mapper: Arc::new(mapping()?),
        source: Arc::new(CsvFolder::open(CsvConfig::new(folder).with_key("people", "person_id"))?),
        writer: None,
        destination: Arc::new(HubSpotDestination::new(client.clone())),
        feed: None,
        store: Box::new(SqliteStore::open(Path::new(state), &binding, [3; 16])?),
        clock: Arc::clone(clock),
        options: Options::default(),
    })?;
    let report = engine.run_once().await?;
    if !report.is_complete() || report.parked() > 0 {
        return Err(format!("the run was not clean: {report:?}").into());
    }
    let read: u64 = report.links.iter().map(|link| link.read).sum();
    let counts = client.call_counts();
    Ok(json!({
        "read": read,
        "written": report.written(),
        "calls": counts.reads + counts.writes,
        "batches": counts.writes,
        "commits": report.commits,
    }))
}

/// Left out of the comparison: the numbers are made up, and two libraries read what is no number differently.
const PHONES: [&str; 2] = ["phone", "mobilephone"];

/// One number for the mapped values of all contacts but their phone numbers, however they came and in whatever order they are listed.
async fn digest(client: &Client) -> Result<serde_json::Value, Failure> {
    let mapping = mapping()?;
    let names = mapping.links().first().map(|link| link.properties.iter()).into_iter().flatten();
    let names = names.filter(|property| !PHONES.contains(&property.name.as_str()));
    let properties: Vec<String> = names.map(|property| property.name.to_string()).collect();
    let get = GetOptions { properties: properties.clone(), ..GetOptions::default() };
    let objects = client.objects(&ObjectType::new("contacts")?);
    let mut pages = objects.list(ListOptions { get, ..ListOptions::default() });
    let (mut records, mut digest) = (0_u64, 0_u64);
    while let Some(page) = pages.next_page().await? {
        for record in page {
            let values = properties.iter().map(|name| record.properties.get(name).unwrap_or_default());
            let mut hasher = SipHasher13::new();
            values.collect::<Vec<_>>().hash(&mut hasher);
            records += 1;
            digest = digest.wrapping_add(hasher.finish());
        }
    }
    Ok(json!({ "records": records, "digest": format!("{digest:016x}") }))
}
