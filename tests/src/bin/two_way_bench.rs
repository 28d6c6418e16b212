//! The two-way benchmark, run by `cargo xtask bench two-way`: prints what each world cost, and each goal.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to the person who ran it")]

use std::process::ExitCode;

use workspace_tests::bench::two_way::{Cycle, FIELDS, Figures, measure};
use workspace_tests::bench::usage::Usage;

const USAGE: &str = "cargo xtask bench two-way [--changed N] [--pairs N[,N…]] [--million]; at least two worlds, of four times \
                     as many pairs as change";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((sizes, changed)) = settings(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let mut all = Vec::new();
    for pairs in sizes {
        // Virtual time: nothing here waits for anything.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let Ok(runtime) = runtime else {
            eprintln!("no runtime could be made");
            return ExitCode::FAILURE;
        };
        let figures = runtime.block_on(measure(pairs, changed));
        tell(&figures);
        all.push(figures);
    }
    println!("peak memory, both sides and the engine: {:.0} MB\n", Usage::now().peak_mb);
    for (goal, found, is_met) in goals(&all) {
        println!("{:<6} {goal}: {found}", if is_met { "met" } else { "missed" });
    }
    ExitCode::SUCCESS
}

/// The worlds' sizes in rising order, and how much changes in each.
fn settings(arguments: &[String]) -> Option<(Vec<usize>, usize)> {
    let (mut sizes, mut changed) = (vec![10_000, 100_000, 200_000], 1_000);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--million" => sizes.push(1_000_000),
            "--changed" => changed = rest.next()?.parse().ok()?,
            "--pairs" => {
                sizes = rest.next()?.split(',').map(|size| size.parse().ok()).collect::<Option<_>>()?
            }
            _ => return None,
        }
    }
    sizes.sort_unstable();
    let is_enough = sizes.len() >= 2 && changed > 0 && sizes.iter().all(|size| *size >= 4 * changed);
    is_enough.then_some((sizes, changed))
}

fn tell(of: &Figures) {
    println!("{} pairs of {FIELDS} fields, {} changed on each side", of.pairs, of.changed);
    println!(
        "  loaded in {:.1} s; {:.0} bytes of state a pair; planned with nothing to do in {:.1} s",
        of.load_seconds,
        of.bytes_per_pair(),
        of.plan_seconds
    );
    println!(
        "  {:<26} {:>6} {:>6} {:>6} {:>6}   {:>6} {:>6} {:>6} {:>6}   {:>8} {:>9}",
        "", "calls", "search", "read", "write", "source", "asked", "read", "write", "seconds", "records/s"
    );
    for (name, cycle) in [
        ("nothing changed", &of.idle),
        ("changed", &of.both),
        ("the echo of it", &of.echo),
        ("changed, no history read", &of.unaudited),
    ] {
        line(name, cycle);
    }
    println!();
}

fn line(name: &str, cycle: &Cycle) {
    let (hubspot, source) = (&cycle.hubspot, cycle.source);
    let written = cycle.written.0 + cycle.written.1;
    let speed = if written == 0 {
        String::new()
    } else {
        format!("{:.0}", written as f64 / cycle.seconds.max(0.001))
    };
    println!(
        "  {name:<26} {:>6} {:>6} {:>6} {:>6}   {:>6} {:>6} {:>6} {:>6}   {:>8.2} {speed:>9}",
        hubspot.calls,
        hubspot.searches,
        hubspot.reads,
        hubspot.writes + hubspot.upserts,
        source.total(),
        source.changes,
        source.reads,
        source.writes,
        cycle.seconds,
    );
}

/// Each goal, what was found, and whether it is met.
fn goals(all: &[Figures]) -> Vec<(String, String, bool)> {
    let (Some(least), Some(most)) = (all.first(), all.last()) else { return Vec::new() };
    let ratio = |calls: u64, optimum: u64| calls as f64 / optimum as f64;
    let audited = ratio(most.both.hubspot.calls, most.optimum_audited());
    let bare = ratio(most.unaudited.hubspot.calls, most.optimum());
    let calls = |cycle: &Cycle| cycle.hubspot.calls;
    let growth = ratio(calls(&most.both), calls(&least.both));
    let idle = all.iter().map(|of| calls(&of.idle)).max().unwrap_or_default();
    let two = all.iter().filter(|of| of.pairs >= 200_000).min_by_key(|of| of.pairs).unwrap_or(most);
    vec![
        (
            "calls of a run with changes, at most 1.2 times reads and writes of what changed".into(),
            format!("{bare:.2} ({} calls, {} at best)", calls(&most.unaudited), most.optimum()),
            bare <= 1.2,
        ),
        (
            "the same with the histories of what was written, to find what was overwritten".into(),
            format!("{audited:.2} ({} calls, {} at best)", calls(&most.both), most.optimum_audited()),
            audited <= 1.2,
        ),
        (
            format!(
                "as many changes among {} and {} pairs cost the same calls within 10 %",
                least.pairs, most.pairs
            ),
            format!("{} and {}", calls(&least.both), calls(&most.both)),
            (0.9..=1.1).contains(&growth),
        ),
        (
            "a run with nothing to do costs a fixed number of calls, whatever there is".into(),
            format!("at most {idle}"),
            all.iter().all(|of| calls(&of.idle) == calls(&least.idle)),
        ),
        (
            format!("state of {} pairs, under 600 bytes a pair", two.pairs),
            format!("{:.0} bytes", two.bytes_per_pair()),
            two.bytes_per_pair() < 600.0,
        ),
        (
            format!("{} pairs that agree are planned in seconds", two.pairs),
            format!("{:.1} s", two.plan_seconds),
            two.plan_seconds < 10.0,
        ),
    ]
}
