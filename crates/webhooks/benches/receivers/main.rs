//! Programs of `cargo xtask bench webhooks`: our receiver, a bare one to measure it against, and the load.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that measures real time and prints what it measured"
)]

mod bare;
mod load;
mod ours;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Every receiver verifies with it.
pub(crate) const SECRET: &str = "bench-secret";
/// Every receiver believes to be called at it, wherever it listens.
pub(crate) const PUBLIC_URL: &str = "https://hooks.example.com/hubspot/events";

const USAGE: &str = "\
receivers ours FILE                                       our receiver, until it is killed
receivers bare FILE                                       the bare one
receivers closed ADDRESS CONNECTIONS EVENTS SECONDS       as much as CONNECTIONS can send, EVENTS in a request
receivers open ADDRESS CONNECTIONS EVENTS SECONDS RATE    RATE requests a second, come what may
receivers count FILE                                      events in a receiver's store, once it was killed
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Failure) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

async fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["ours", file] => ours::serve(Path::new(file)).await,
        ["bare", file] => bare::serve(Path::new(file)).await,
        ["closed", address, connections, events, seconds] => {
            let load = load::Load {
                address: (*address).to_owned(),
                connections: connections.parse()?,
                events: events.parse()?,
                time: Duration::from_secs(seconds.parse()?),
                rate: None,
            };
            println!("{}", load.run().await?);
            Ok(())
        }
        ["open", address, connections, events, seconds, rate] => {
            let load = load::Load {
                address: (*address).to_owned(),
                connections: connections.parse()?,
                events: events.parse()?,
                time: Duration::from_secs(seconds.parse()?),
                rate: Some(rate.parse()?),
            };
            println!("{}", load.run().await?);
            Ok(())
        }
        ["count", file] => {
            let connection = rusqlite::Connection::open(file)?;
            // Ours keeps in a table of another name what the others keep in `event`.
            let ours = connection.table_exists(None, "waiting")?;
            let table = if ours { "waiting" } else { "event" };
            let count: i64 =
                connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            println!("{count}");
            Ok(())
        }
        _ => {
            print!("{USAGE}");
            Ok(())
        }
    }
}
