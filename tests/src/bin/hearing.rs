//! Prints how long an edit in HubSpot takes to arrive at the source: by webhooks, by the journal, and by webhooks of
//! which a tenth is dropped, a tenth repeated and a tenth late. In virtual time; in real time with `--real`.
#![allow(clippy::print_stdout, reason = "this program is there to print")]

use std::time::Duration;

use hubspot_sandbox::WebhookFaults;
use workspace_tests::hearing::{By, Trial, measure};

fn main() -> std::io::Result<()> {
    let real = std::env::args().any(|argument| argument == "--real");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(!real).build()?;
    let faults = WebhookFaults { drop: 0.1, duplicate: 0.1, shuffle: 0.1 };
    let short = |trial: Trial| match real {
        true => Trial {
            repair: Duration::from_secs(20),
            sweep: Duration::from_secs(30),
            edits: 60,
            deletions: 0,
            ..trial
        },
        false => trial,
    };
    let troubled = Trial { faults, deletions: 20, ..Trial::calm(By::Push) };
    println!("{} time", if real { "real" } else { "virtual" });
    for (name, trial) in [
        ("webhooks", short(Trial::calm(By::Push))),
        ("journal", short(Trial::calm(By::Journal))),
        ("webhooks with faults", short(troubled)),
    ] {
        let arrivals = runtime.block_on(measure(&trial, Duration::from_secs(3 * 3600)));
        println!(
            "{name:<22} {:>4} edits  p50 {:>6.2} s  p95 {:>6.2} s  last {:>7.2} s  {:>3} passes  {} dropped  {} twice  {} deletions within {:.0} s",
            arrivals.took.len(),
            arrivals.within(0.5).as_secs_f64(),
            arrivals.within(0.95).as_secs_f64(),
            arrivals.within(1.0).as_secs_f64(),
            arrivals.passes,
            arrivals.dropped,
            arrivals.duplicated,
            arrivals.deleted.len(),
            arrivals.deleted.iter().max().map_or(0.0, Duration::as_secs_f64),
        );
    }
    Ok(())
}
