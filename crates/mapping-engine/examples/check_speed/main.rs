//! How long the check of a mapping with 6 object types and 300 fields takes: `cargo run --release -p mapping-engine
//! --example check_speed`. The goal is less than 100 ms.

mod large;

use std::time::{Duration, Instant};

use large::{FIELDS, OBJECTS, large};
use mapping_engine::{Schemas, check};

const ROUNDS: usize = 21;

// The example measures real time and talks to a person.
#[allow(clippy::disallowed_methods, clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let large = large();
    let schemas = Schemas { source: Some(&large.source), hubspot: Some(&large.hubspot) };
    let mut times = Vec::with_capacity(ROUNDS);
    let mut two_way = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mapping = check("large.toml", &large.text, schemas)?;
        times.push(start.elapsed());
        let links = sync_types::Mapper::links(&mapping).iter();
        two_way =
            links.flat_map(|link| &link.properties).filter(|property| property.direction.to_left()).count();
    }
    times.sort_unstable();
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let goal = Duration::from_millis(100);
    println!(
        "check of {} object types and {} fields, {two_way} of them both ways, {} bytes: median {:.1} ms of {ROUNDS} \
         [{:.1}-{:.1}], goal {} ms: {}",
        OBJECTS.len(),
        OBJECTS.len() * FIELDS,
        large.text.len(),
        median.as_secs_f64() * 1e3,
        times.first().copied().unwrap_or_default().as_secs_f64() * 1e3,
        times.last().copied().unwrap_or_default().as_secs_f64() * 1e3,
        goal.as_millis(),
        if median < goal { "met" } else { "missed" },
    );
    Ok(())
}
