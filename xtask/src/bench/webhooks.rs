//! `bench webhooks`: our receiver, a bare one in Rust, and the ones that many would write in Node and Python take the
//! same load in turns: signed requests, answered once their events are on disk.

mod figures;
mod receiver;
mod settings;

use std::path::PathBuf;
use std::process::Command;

use figures::{Figures, Measured};
use receiver::{Kind, Receiver};
use settings::Settings;

use super::goals::{Bound, Goal};
use super::spread::Spread;
use super::table;
use crate::workspace::Workspace;
use crate::{Outcome, conformance, process};

const EXPRESS: [&str; 2] = ["express@5.3.0", "better-sqlite3@12"];
const FASTAPI: [&str; 4] = ["fastapi==0.165.0", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0"];

/// Connections that send one request after the other.
const CONNECTIONS: &str = "32";
/// Connections that keep the rate; more than can ever be busy while a receiver keeps up.
const CONNECTIONS_OPEN: &str = "128";
/// Requests a second of ten events.
const RATE: &str = "400";

/// What is measured of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// As much as it takes, with so many events in a request.
    Closed(u32),
    /// At a fixed rate.
    Open,
}

impl Load {
    const ALL: [Load; 4] = [Load::Closed(1), Load::Closed(10), Load::Closed(100), Load::Open];
}

/// Measures and prints. A goal that is missed is printed as missed and is no failure; a receiver that loses an event
/// which it acknowledged is.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let settings = Settings::parse(arguments)?;
    let bench = Bench::prepare(workspace, settings)?;
    let mut measured = Measured::default();
    for round in 1..=settings.rounds {
        println!("round {round} of {}", settings.rounds);
        // One load after the other: those who are compared run within seconds of each other.
        for load in Load::ALL {
            for kind in Kind::ALL {
                let figures = bench.measure(kind, load)?;
                println!("  {:<42} {}", format!("{}, {}", kind.name(), name(load)), figures.shown());
                measured.add(kind, load, figures);
            }
        }
    }
    println!("\n{}", measured.table(settings.rounds));
    println!("\n{}", table::goals(&goals(&measured)));
    Ok(())
}

fn name(load: Load) -> String {
    match load {
        Load::Closed(events) => format!("{events} a request"),
        Load::Open => format!("{RATE}/s x 10"),
    }
}

struct Bench {
    settings: Settings,
    /// The program with our receivers and the load.
    program: PathBuf,
    python: PathBuf,
    node_modules: PathBuf,
    scripts: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn prepare(workspace: &Workspace, settings: Settings) -> Result<Bench, String> {
        let folder = workspace.target.join("bench-webhooks");
        let python = conformance::python_with(&folder.join("python"), &FASTAPI)?;
        let node_modules = conformance::node_with(&folder.join("node"), &EXPRESS)?;
        Ok(Bench {
            settings,
            program: super::built(workspace, "webhooks", "receivers", &[])?,
            python,
            node_modules,
            scripts: workspace.root.join("crates/webhooks/benches/receivers"),
            folder,
        })
    }

    /// Starts a receiver with an empty store, lets it take a load, kills it and looks into its store.
    fn measure(&self, kind: Kind, load: Load) -> Result<Figures, String> {
        let store = receiver::fresh_store(&self.folder)?;
        let mut command = match kind {
            Kind::Ours => program(&self.program, "ours"),
            Kind::Bare => program(&self.program, "bare"),
            Kind::Express => {
                let mut command = Command::new("node");
                command.arg(self.scripts.join("express.cjs")).env("NODE_PATH", &self.node_modules);
                command
            }
            Kind::FastApi => {
                let mut command = Command::new(&self.python);
                command.arg(self.scripts.join("fastapi_app.py"));
                command
            }
        };
        let receiver = Receiver::start(command.arg(&store))?;
        let seconds = self.settings.seconds.to_string();
        let mut sender = match load {
            Load::Closed(_) => program(&self.program, "closed"),
            Load::Open => program(&self.program, "open"),
        };
        sender.arg(&receiver.address);
        match load {
            Load::Closed(events) => sender.args([CONNECTIONS, &events.to_string(), &seconds]),
            Load::Open => sender.args([CONNECTIONS_OPEN, "10", &seconds, RATE]),
        };
        let figures = Figures::parse(&process::output(&mut sender)?)?;
        receiver.kill()?;
        let stored: u64 = process::output(program(&self.program, "count").arg(&store))?
            .trim()
            .parse()
            .map_err(|_| "the store was not counted".to_owned())?;
        if stored < figures.events {
            let events = figures.events;
            return Err(format!("{}: {events} events acknowledged, {stored} in the store", kind.name()));
        }
        Ok(figures)
    }
}

fn program(path: &PathBuf, what: &str) -> Command {
    let mut command = Command::new(path);
    command.arg(what);
    command
}

/// Builds the programs as they would be shipped and finds them by what Cargo says.
/// Ratios are taken within a round, so that the machine's moods cancel out.
fn goals(measured: &Measured) -> Vec<Goal> {
    let goal = |what: String, measured, bound| Goal { what, measured, bound };
    let rate = |kind, load| measured.of(kind, load).map(Figures::events_per_second).collect::<Vec<_>>();
    let p99 = |kind| measured.of(kind, Load::Open).map(|figures| figures.p99_ms).collect::<Vec<_>>();
    let ratio = |over: Vec<f64>, under: Vec<f64>| {
        Spread::of(over.iter().zip(&under).map(|(over, under)| over / under))
    };
    let mut list = Vec::new();
    for events in [1, 10, 100] {
        let load = Load::Closed(events);
        let ours = rate(Kind::Ours, load);
        let to_bare = ratio(ours.clone(), rate(Kind::Bare, load));
        list.push(goal(format!("events/s, ours / bare, {events} a request"), to_bare, Bound::AtLeast(0.6)));
        if events == 100 {
            continue;
        }
        let (express, fastapi) = (rate(Kind::Express, load), rate(Kind::FastApi, load));
        let better = express.iter().zip(&fastapi).map(|(one, other)| one.max(*other)).collect();
        let what = format!("events/s, ours / the better of the others, {events} a request");
        list.push(goal(what, ratio(ours, better), Bound::AtLeast(5.0)));
    }
    let open = name(Load::Open);
    list.push(goal(
        format!("p99, ours / bare, {open}"),
        ratio(p99(Kind::Ours), p99(Kind::Bare)),
        Bound::AtMost(3.0),
    ));
    list.push(goal(format!("p99 in ms, ours, {open}"), Spread::of(p99(Kind::Ours)), Bound::AtMost(100.0)));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_about_the_median_of_ratios_of_each_round() {
        let mut measured = Measured::default();
        let figures = |events, p99_ms| Figures { events, seconds: 1.0, refused: 0, p50_ms: 1.0, p99_ms };
        for (kind, events, p99_ms) in [
            (Kind::Ours, 800, 30.0),
            (Kind::Bare, 1_000, 8.0),
            (Kind::Express, 100, 90.0),
            (Kind::FastApi, 200, 90.0),
        ] {
            for load in Load::ALL {
                measured.add(kind, load, figures(events, p99_ms));
            }
        }
        let verdicts: Vec<&str> = goals(&measured).iter().map(Goal::verdict).collect();
        // 0.8 of bare, 4 times the better one, thrice again for the other sizes; 3.75 times bare's p99, under 100 ms.
        assert_eq!(verdicts, ["met", "missed", "met", "missed", "met", "missed", "met"]);
        assert!(goals(&Measured::default()).iter().all(|goal| goal.verdict() == "not measured"));
    }
}
